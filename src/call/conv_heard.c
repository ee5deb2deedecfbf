/* What a transcribed text is worth: words, or nothing, an echo of the agent, a machine's fancy; and
 * how finished it sounds. */
#include "call/conv_internal.h"

#include <stdlib.h>
#include <string.h>

#define ECHO_SHARE 0.7
#define WEAK_SPEECH_MS 300u
#define WEAK_LEVEL_DB 6.0f
#define WEAK_LOGPROB (-1.0f)
#define MURMUR_MS 600u         /* a longer voice over the agent is no murmur, */
#define MURMUR_LOGPROB (-0.9f) /* nor is a short one that the model is surer of */
#define PHONE_DIGITS 10u
#define ANSWER_MS 1000u
#define ANSWER_STEP_MS 200u

/* Too little sound, too quiet, or too unsure for a text that models like to invent. */
static bool is_weak(const struct rlx_conv *conv)
{
    const struct rlx_conv_stt *stt = &conv->stt;
    uint32_t speech = stt->voiced_ms ? stt->voiced_ms : rlx_conv_utterance_speech_ms(conv);

    return speech < WEAK_SPEECH_MS || conv->utt.level_db < conv->ear.floor_db + WEAK_LEVEL_DB ||
           (stt->avg_logprob != 0.0f && stt->avg_logprob < WEAK_LOGPROB);
}

/* A short voice over the agent that is no clear word: a hum written as words, or words that the
 * model is not sure of. Who means to interrupt says it again, or says one of the words that always
 * do. */
bool rlx_conv_is_murmur(const struct rlx_conv *conv, const char *text)
{
    const struct rlx_conv_stt *stt = &conv->stt;
    uint32_t speech = stt->voiced_ms ? stt->voiced_ms : rlx_conv_utterance_speech_ms(conv);

    if (speech > MURMUR_MS || rlx_is_urgent(text))
        return false;
    return rlx_is_hum(text) || (stt->avg_logprob != 0.0f && stt->avg_logprob < MURMUR_LOGPROB);
}

static bool is_echo(struct rlx_conv *conv, const char *text)
{
    const char *said = conv->last_tail;

    if (!conv->utt.over_agent)
        return false;
    if (rlx_is_short_answer(text) && rlx_conv_agent_asked(conv))
        return false;
    /* One word is too little to go by: it must be among the agent's last ones. */
    if (conv->utt.after_agent && rlx_text_words(text) == 1)
        said = conv->last_end;
    else if (conv->speaking)
        said = rlx_conv_speech_tail(conv, conv->speaking, RLX_CONV_TAIL_MS);
    return said && *said && rlx_echo_share(text, said) >= ECHO_SHARE;
}

/* "[BLANK_AUDIO]", "(coughs)": what a model writes about a sound is not what somebody said. */
static bool is_remark(const char *text)
{
    const char *end = text + strlen(text);

    while (end > text && strchr(" .", end[-1]))
        end--;
    text += strspn(text, " ");
    return (*text == '[' && strchr(text, ']') == end - 1) ||
           (*text == '(' && strchr(text, ')') == end - 1);
}

/* Models repeat their prompt when there is nothing to hear. */
static bool is_hint(struct rlx_conv *conv, const char *plain)
{
    const char *hint = conv->stt.hint ? rlx_text_plain(conv->scratch, conv->stt.hint) : NULL;

    return hint && !strcmp(plain, hint);
}

enum rlx_conv_worth rlx_conv_judge(struct rlx_conv *conv, const char *text)
{
    const char *plain = rlx_text_plain(conv->scratch, text);

    if (!plain || !*plain || is_remark(text) || is_hint(conv, plain))
        return RLX_HEARD_EMPTY;
    if (is_echo(conv, text))
        return RLX_HEARD_ECHO;
    if (rlx_is_hallucination(text) && is_weak(conv))
        return RLX_HEARD_SUSPECT;
    return RLX_HEARD_WORDS;
}

/* Counts and notes a text that makes no turn. */
void rlx_conv_drop_words(struct rlx_conv *conv, enum rlx_conv_worth worth, const char *text)
{
    if (worth == RLX_HEARD_EMPTY) {
        conv->metrics.empty_stt++;
        return;
    }
    json_t *data = json_pack("{s:s}", "text", text);
    char *json = data ? json_dumps(data, JSON_COMPACT) : NULL;
    if (worth == RLX_HEARD_ECHO)
        conv->metrics.echo_drops++;
    else
        conv->metrics.suspects++;
    rlx_conv_note(conv, worth == RLX_HEARD_ECHO ? "echo_dropped" : "suspect_dropped", "%s",
                  json ? json : "{}");
    free(json);
    json_decref(data);
}

static bool asked_by(struct rlx_conv *conv, uint32_t heard_ms)
{
    const char *said = rlx_conv_speech_heard(conv, conv->speaking, heard_ms);

    return said && *said && rlx_is_question(said);
}

/* The agent's last words were a question: its whole turn's, or while it speaks those of the last
 * second, since nobody answers in the same instant. */
bool rlx_conv_agent_asked(struct rlx_conv *conv)
{
    if (!conv->speaking)
        return conv->asked;
    uint32_t heard = conv->speaking->now_ms;
    for (uint32_t ago = 0; ago <= ANSWER_MS && ago <= heard; ago += ANSWER_STEP_MS)
        if (asked_by(conv, heard - ago))
            return true;
    return false;
}

const char *rlx_conv_hint(const char *said)
{
    switch (rlx_asked_detail(said)) {
    case RLX_DETAIL_DIGITS:
        return "Digits: 0 1 2 3 4 5 6 7 8 9.";
    case RLX_DETAIL_SPELLING:
        return "Spelled letters: A B C D E.";
    case RLX_DETAIL_EMAIL:
        return "An e-mail address, spelled: A B C at example dot com.";
    case RLX_DETAIL_ADDRESS:
        return "An address: number, street, city, zip code.";
    case RLX_DETAIL_DATE:
        return "A date: month, day, year.";
    case RLX_DETAIL_NONE:
        break;
    }
    return NULL;
}

/* ---- how finished it sounds ---- */

static unsigned digits_of(const char *word, size_t length)
{
    static const char *const WORDS[] = {"zero", "oh",  "one",   "two",   "three", "four",
                                        "five", "six", "seven", "eight", "nine"};
    unsigned count = 0;

    for (size_t i = 0; i < length; i++)
        count += word[i] >= '0' && word[i] <= '9';
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++)
        count += strlen(WORDS[i]) == length && !memcmp(word, WORDS[i], length);
    return count;
}

unsigned rlx_conv_digits(struct rlx_conv *conv, const char *text)
{
    const char *at = rlx_text_plain(conv->scratch, text);
    unsigned count = 0, times = 1;

    for (size_t length; at && *at; at += length + (at[length] == ' ')) {
        length = strcspn(at, " ");
        count += digits_of(at, length) * times;
        times = length == 6 && !memcmp(at, "double", 6)   ? 2
                : length == 6 && !memcmp(at, "triple", 6) ? 3
                                                          : 1;
    }
    return count;
}

uint32_t rlx_conv_end_silence(struct rlx_conv *conv, const char *text)
{
    const struct rlx_turn_settings *set = &conv->set;

    if (conv->collecting && !rlx_is_asking(text)) {
        bool whole = rlx_conv_digits(conv, conv->stt.text) == PHONE_DIGITS;
        return whole ? set->silence_complete_ms : set->silence_collect_ms;
    }
    switch (rlx_text_completeness(text)) {
    case RLX_TEXT_COMPLETE:
        return set->silence_complete_ms;
    case RLX_TEXT_UNFINISHED:
        return set->silence_unfinished_ms;
    default:
        return set->silence_ms;
    }
}
