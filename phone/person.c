#include "person.h"

#include <string.h>

#define KEY_MS 200u /* callee.c renders a key as 100 ms on, 100 ms off */
#define IGNORED_MS                                                                                 \
    2500u /* agent speech that goes on for so long after the person's words is an answer too */

struct rlx_person {
    const struct rlx_callee *callee;
    const struct rlx_hear *hear;
    rlx_person_key_h *key;
    void *arg;
    uint64_t now_ms;
    size_t step;
    uint64_t step_ms;              /* when the step began */
    const struct rlx_sound *sound; /* being played */
    size_t at;                     /* samples of it that were played */
    bool spoke;                    /* the words of the step have begun */
    bool gone;
    bool had_words;
    uint64_t words_start_ms, words_end_ms; /* the last words that ask for an answer */
    struct rlx_utterance *words;
    struct rlx_person_timeout *timeouts;
    size_t word_count, timeout_count;
};

struct rlx_person *rlx_person_create(TALLOC_CTX *ctx, const struct rlx_callee *callee,
                                     const struct rlx_hear *hear, rlx_person_key_h *key, void *arg)
{
    struct rlx_person *person = talloc_zero(ctx, struct rlx_person);

    if (!person)
        return NULL;
    person->callee = callee;
    person->hear = hear;
    person->key = key;
    person->arg = arg;
    /* Each step speaks at most once and times out at most once. */
    person->words =
        talloc_zero_array(person, struct rlx_utterance, (unsigned)callee->script->count);
    person->timeouts =
        talloc_zero_array(person, struct rlx_person_timeout, (unsigned)callee->script->count);
    if (!person->words || !person->timeouts) {
        talloc_free(person);
        return NULL;
    }
    return person;
}

static const struct rlx_script_step *current(const struct rlx_person *person)
{
    return &person->callee->script->steps[person->step];
}

static const char *kind_of(enum rlx_script_do what)
{
    return what == RLX_DO_PRESS ? "dtmf" : rlx_script_do_name(what);
}

static void begin_sound(struct rlx_person *person)
{
    const struct rlx_script_step *step = current(person);
    const struct rlx_sound *sound = person->callee->sounds[person->step];
    struct rlx_utterance *words = &person->words[person->word_count];

    person->sound = sound;
    person->at = 0;
    person->spoke = true;
    if (step->what == RLX_DO_BEEP)
        return;
    words->text = step->text;
    words->kind = kind_of(step->what);
    words->start_ms = person->now_ms + sound->loud_start / 8;
    words->end_ms = person->now_ms + sound->loud_end / 8;
    person->word_count++;
    if (step->what != RLX_DO_MMHM) {
        person->had_words = true;
        person->words_start_ms = words->start_ms;
        person->words_end_ms = words->end_ms;
    }
}

/* The agent's answer to the person's last words; NULL when it hasn't begun. */
static const struct rlx_segment *answer(const struct rlx_person *person)
{
    const struct rlx_segment *segments, *first;
    size_t count;

    first =
        rlx_hear_first_after(person->hear, person->had_words ? person->words_start_ms : UINT64_MAX);
    if (first)
        return first;
    segments = rlx_hear_segments(person->hear, &count);
    if (count > 0 && segments[count - 1].end_ms > person->words_end_ms + IGNORED_MS)
        return &segments[count - 1];
    return NULL;
}

static bool timed_out(struct rlx_person *person)
{
    struct rlx_person_timeout *timeout = &person->timeouts[person->timeout_count];

    if (person->now_ms - person->step_ms < person->callee->script->limit_ms)
        return false;
    timeout->line = current(person)->line;
    timeout->what = rlx_script_do_name(current(person)->what);
    timeout->at_ms = person->now_ms;
    person->timeout_count++;
    return true;
}

static bool wait_over(struct rlx_person *person)
{
    const struct rlx_segment *segments;
    size_t count;

    if (answer(person)) {
        segments = rlx_hear_segments(person->hear, &count);
        if (person->now_ms >= segments[count - 1].end_ms + person->callee->script->quiet_ms)
            return true;
    }
    return timed_out(person);
}

/* Interrupt and mmhm before their words: true when the step is over without any. */
static bool lie_in_wait(struct rlx_person *person)
{
    const struct rlx_script_step *step = current(person);
    const struct rlx_segment *first = answer(person);

    if (first && person->now_ms >= first->start_ms + step->after_ms) {
        begin_sound(person);
    } else if (!first && timed_out(person)) {
        if (step->what == RLX_DO_MMHM)
            return true;
        begin_sound(person);
    }
    return false;
}

/* True when the step has nothing more to do. */
static bool step_over(struct rlx_person *person)
{
    const struct rlx_script_step *step = current(person);

    if (person->sound)
        return false;
    if (person->spoke)
        return true;
    switch (step->what) {
    case RLX_DO_SAY:
    case RLX_DO_PRESS:
    case RLX_DO_WAV:
    case RLX_DO_VOICEMAIL:
    case RLX_DO_BEEP:
        begin_sound(person);
        return false;
    case RLX_DO_INTERRUPT:
    case RLX_DO_MMHM:
        return lie_in_wait(person);
    case RLX_DO_WAIT:
        return wait_over(person);
    case RLX_DO_SILENCE:
        return person->now_ms - person->step_ms >= step->after_ms;
    case RLX_DO_HANGUP:
        person->gone = true;
        return false;
    case RLX_DO_END:
        person->gone = person->now_ms - person->step_ms >= step->after_ms;
        return false;
    }
    return true;
}

static void press_keys(struct rlx_person *person, size_t from, size_t to)
{
    const char *keys = current(person)->text;

    /* The event comes when the tone has been recognised: at its end. */
    for (size_t i = 0; keys[i]; i++) {
        size_t at = (i * KEY_MS + KEY_MS / 2) * 8;

        if (at >= from && at < to)
            person->key(keys[i], person->arg);
    }
}

static void play_sound(struct rlx_person *person, int16_t pcm[RLX_PHONE_FRAME])
{
    size_t left = person->sound->samples - person->at;
    size_t take = left < RLX_PHONE_FRAME ? left : RLX_PHONE_FRAME;

    memcpy(pcm, person->sound->pcm + person->at, take * sizeof(*pcm));
    if (current(person)->what == RLX_DO_PRESS)
        press_keys(person, person->at, person->at + RLX_PHONE_FRAME);
    person->at += take;
    if (person->at >= person->sound->samples)
        person->sound = NULL;
}

bool rlx_person_tick(struct rlx_person *person, int16_t pcm[RLX_PHONE_FRAME])
{
    memset(pcm, 0, RLX_PHONE_FRAME * sizeof(*pcm));
    while (!person->gone && step_over(person)) {
        person->step++;
        person->step_ms = person->now_ms;
        person->spoke = false;
    }
    if (person->sound)
        play_sound(person, pcm);
    person->now_ms += RLX_PHONE_FRAME_MS;
    return !person->gone;
}

const struct rlx_utterance *rlx_person_words(const struct rlx_person *person, size_t *countp)
{
    *countp = person->word_count;
    return person->words;
}

const struct rlx_person_timeout *rlx_person_timeouts(const struct rlx_person *person,
                                                     size_t *countp)
{
    *countp = person->timeout_count;
    return person->timeouts;
}

bool rlx_person_greeting_over(const struct rlx_person *person)
{
    enum rlx_script_do what = current(person)->what;

    return what != RLX_DO_VOICEMAIL && what != RLX_DO_BEEP &&
           (person->step > 0 || !person->callee->script->machine);
}
