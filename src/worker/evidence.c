#include "worker/evidence.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "call/phrases.h"
#include "call/words.h"
#include "worker/numbers.h"

#define TURNS_MAX 400

struct turn {
    const char *text; /* as it was said */
    struct rlx_words words;
    bool agent;
};

struct rlx_evidence {
    const char *noted; /* outcome that the gateway wrote, or NULL */
    const char *status, *ended_reason;
    bool answered;
    struct turn *turns;
    size_t count, callee_turns;
    char *heard;  /* " all words of the call " */
    char *known;  /* the same, with the agent's name and prompt */
    char *callee; /* " words of the callee | of the next turn " */
    char *callee_digits;
    struct rlx_numbers numbers, callee_numbers;
    bool opted_out;
};

/* ---- patterns (call/words.h), contractions written out ---- */

static const char *const booking[] = {
    "book|booked|booking|appointment|reservation|reserve|reserved|schedule|scheduled", NULL};
static const char *const confirmed[] = {
    "you are booked",
    "you are all|now booked|set",
    "i have|will book|booked|schedule|scheduled|reserve|reserved",
    "see you ?on|at|then|tomorrow|monday|tuesday|wednesday|thursday|friday|saturday|sunday",
    "is booked|scheduled|confirmed",
    "your appointment is",
    NULL};
static const char *const voicemail[] = {"leave ?me|us ?a ?your message",
                                        "after the tone|beep",
                                        "at the tone|beep",
                                        "voicemail|voice mail",
                                        "mailbox",
                                        "can not come to the phone",
                                        "is not available right now",
                                        "record your message",
                                        NULL};
static const char *const wrong_person[] = {"wrong number|person",      "nobody|noone by that name",
                                           "no one by|with that name", "does|do not live|work here",
                                           "never heard of",           "is not my name",
                                           "you have the wrong",       NULL};
static const char *const callback[] = {
    "call|ring ?me back|later|again|tomorrow|monday|tuesday|wednesday|thursday|friday",
    "another time",
    "not a good|great time",
    "bad time",
    "in a meeting",
    "i am driving|busy|working",
    "try ?me ?again later|tomorrow",
    "can not talk|speak ?right ?now",
    "call me ?in ?the morning|afternoon|evening",
    NULL};
static const char *const refusal[] = {"not interested",
                                      "not ?really ?at ?all interested",
                                      "no interest",
                                      "no thanks|thank",
                                      "do not need|want",
                                      "already have",
                                      "happy with what|my|our",
                                      "not for me|us",
                                      "i will pass",
                                      NULL};
static const char *const interest[] = {"i am|would|am ?very ?really interested",
                                       "sounds good|great|nice|interesting|perfect|wonderful",
                                       "tell me more",
                                       "sign me up",
                                       "i would like|love",
                                       "send me|it|us",
                                       "how much|do|can|does",
                                       "i will take",
                                       "i want",
                                       "yes please",
                                       "what does it cost",
                                       "what is the price",
                                       "what are the prices",
                                       "where can i",
                                       "can you|i|we",
                                       NULL};
static const char *const good_mood[] = {"great|perfect|awesome|excellent|wonderful|fantastic",
                                        "amazing|lovely|brilliant|appreciate|glad|helpful|love",
                                        "thanks|thank",
                                        "sounds good|nice",
                                        "very|really good|nice|kind",
                                        "happy to",
                                        "yes please",
                                        NULL};
static const char *const bad_mood[] = {
    "angry|annoyed|annoying|terrible|awful|horrible|ridiculous|frustrated|frustrating|upset",
    "useless|scam|hate|worst|stupid|rude|disappointed|unacceptable",
    "not happy|good|helpful|right|acceptable|working|pleased|satisfied",
    "waste|wasting ?of ?my time",
    "leave me alone",
    "stop calling",
    "how dare",
    "sick of|and tired",
    "fed up",
    "complaint|complain",
    "go away",
    "shut up",
    NULL};
static const char *const agreement[] = {
    "yes|yeah|yep|yup|sure|okay|ok|absolutely|definitely|certainly", "of course",
    "that works|is fine|is right", "go ahead", NULL};
static const char *const denial[] = {"no|nope|nah|never", "not really", "do not", NULL};
static const char *const not_before[] = {"not|never|no|hardly|without", NULL};

static const struct {
    const char *name;
    const char *const patterns[8];
} subjects[] = {
    {"pricing",
     {"price|prices|pricing|cost|costs|fee|fees|charge|charges|charging|quote", "how much",
      "expensive|cheap|discount"}},
    {"opening_hours",
     {"opening hours|times", "are you open", "when do you|they open|close", "what time|hours",
      "closing time"}},
    {"location", {"where are you", "address|located|location|directions|parking"}},
    {"booking", {"book|booking|appointment|reservation|reserve|schedule"}},
    {"cancellation", {"cancel|cancellation|refund|terminate"}},
    {"complaint",
     {"complaint|complain|broken|unacceptable|disappointed", "does not work", "not working"}},
    {"support", {"help|support|problem|issue|trouble"}},
    {"callback", {"call ?me back|later"}},
    {"human",
     {"real person|human",
      "speak|talk to|with a|someone|somebody|manager|agent|representative|person|human"}},
    {"information",
     {"tell me ?more about", "more information", "what is|are|do|does", "how does|do"}},
};

/* ---- making it ---- */

static bool turn_has(const struct turn *turn, const char *const *patterns)
{
    return rlx_words_find(&turn->words, 0, patterns, NULL) >= 0;
}

/* A match that no negation stands before (within two words). */
static bool turn_has_plainly(const struct turn *turn, const char *const *patterns)
{
    unsigned length = 0;

    for (int at = rlx_words_find(&turn->words, 0, patterns, &length); at >= 0;
         at = rlx_words_find(&turn->words, (unsigned)at + 1, patterns, &length)) {
        bool negated = false;
        for (int back = at - 2 < 0 ? 0 : at - 2; back < at; back++)
            negated = negated || rlx_words_match_any(&turn->words, (unsigned)back, not_before);
        if (!negated)
            return true;
    }
    return false;
}

static bool callee_has(const struct rlx_evidence *e, const char *const *patterns, bool plainly)
{
    for (size_t i = 0; i < e->count; i++)
        if (!e->turns[i].agent &&
            (plainly ? turn_has_plainly(&e->turns[i], patterns) : turn_has(&e->turns[i], patterns)))
            return true;
    return false;
}

static bool agent_has(const struct rlx_evidence *e, const char *const *patterns)
{
    for (size_t i = 0; i < e->count; i++)
        if (e->turns[i].agent && turn_has_plainly(&e->turns[i], patterns))
            return true;
    return false;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

static int add_turn(struct rlx_evidence *e, const json_t *row)
{
    struct turn *turn = &e->turns[e->count];

    turn->text = text_of(row, "text");
    turn->agent = !strcmp(text_of(row, "speaker"), "ai");
    int err = rlx_words_make(&turn->words, e, turn->text, true);
    char *plain = err ? NULL : rlx_text_plain(e, turn->text);
    if (!plain)
        return err ? err : -ENOMEM;
    e->count++;
    if (!*plain)
        return 0;
    rlx_numbers_add(&e->numbers, plain, true);
    e->heard = talloc_asprintf_append(e->heard, "%s ", plain);
    if (!turn->agent) {
        e->callee_turns++;
        rlx_numbers_add(&e->callee_numbers, plain, true);
        e->callee = talloc_asprintf_append(e->callee, "%s ", plain);
        e->opted_out = e->opted_out || rlx_is_opt_out(turn->text);
    }
    talloc_free(plain);
    return e->heard && e->callee ? 0 : -ENOMEM;
}

static int add_known(struct rlx_evidence *e, const json_t *agent)
{
    char *name = rlx_text_plain(e, text_of(agent, "name"));
    char *prompt = rlx_text_plain(e, text_of(agent, "prompt_text"));

    e->known = talloc_asprintf(e, "%s%s %s ", e->heard, name ? name : "", prompt ? prompt : "");
    e->callee_digits = rlx_digits(e, e->callee);
    talloc_free(name);
    talloc_free(prompt);
    return e->known && e->callee_digits ? 0 : -ENOMEM;
}

int rlx_evidence_create(struct rlx_evidence **evidencep, TALLOC_CTX *ctx, const json_t *call)
{
    const json_t *rows = json_object_get(call, "transcripts"), *row;
    struct rlx_evidence *e = talloc_zero(ctx, struct rlx_evidence);
    size_t i;
    int err = 0;

    if (!e)
        return -ENOMEM;
    e->noted = json_string_value(json_object_get(call, "outcome"));
    e->status = text_of(call, "status");
    e->ended_reason = text_of(call, "ended_reason");
    e->answered = *text_of(call, "answered_at") != '\0';
    e->turns = talloc_zero_array(e, struct turn, TURNS_MAX);
    e->heard = talloc_strdup(e, " ");
    e->callee = talloc_strdup(e, " ");
    if (!e->turns || !e->heard || !e->callee)
        err = -ENOMEM;
    json_array_foreach (rows, i, row)
        if (!err && e->count < TURNS_MAX)
            err = add_turn(e, row);
    if (!err)
        err = add_known(e, json_object_get(call, "agent"));
    if (err)
        talloc_free(e);
    else
        *evidencep = e;
    return err;
}

/* ---- outcomes and moods ---- */

bool rlx_evidence_spoke(const struct rlx_evidence *e)
{
    return e->callee_turns > 0;
}

const char *rlx_evidence_our_failure(const struct rlx_evidence *e)
{
    static const struct {
        const char *reason, *text;
    } reasons[] = {
        {"providers_failed", "a speech or language provider could not be reached"},
        {"gateway_lost", "the gateway that led the call went away"},
        {"gateway_stopped", "the gateway that led the call was stopped"},
        {"stream_lost", "the audio stream broke off"},
        {"media_lost", "the audio stream broke off"},
        {"stream_never_started", "the audio stream never started"},
        {"overloaded", "the gateway was overloaded"},
    };

    if (!e->answered || rlx_evidence_spoke(e))
        return NULL;
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (!strcmp(e->ended_reason, reasons[i].reason))
            return reasons[i].text;
    return NULL;
}

static bool noted(const struct rlx_evidence *e, const char *outcome)
{
    return e->noted && !strcmp(e->noted, outcome);
}

bool rlx_evidence_said_yes(const struct rlx_evidence *e)
{
    return callee_has(e, agreement, true);
}

bool rlx_evidence_said_no(const struct rlx_evidence *e)
{
    return callee_has(e, denial, false);
}

static bool booked(const struct rlx_evidence *e)
{
    bool named = callee_has(e, booking, true) || agent_has(e, booking);

    return named && rlx_evidence_said_yes(e) && agent_has(e, confirmed);
}

bool rlx_evidence_supports(const struct rlx_evidence *e, const char *outcome)
{
    if (noted(e, outcome) || !strcmp(outcome, "other"))
        return true;
    if (!strcmp(outcome, "no_answer"))
        return !rlx_evidence_spoke(e) && !rlx_evidence_our_failure(e);
    if (!rlx_evidence_spoke(e))
        return false;
    if (!strcmp(outcome, "opted_out"))
        return e->opted_out;
    if (!strcmp(outcome, "booked"))
        return booked(e);
    if (!strcmp(outcome, "voicemail"))
        return callee_has(e, voicemail, false) && !rlx_evidence_said_yes(e);
    if (!strcmp(outcome, "wrong_person"))
        return callee_has(e, wrong_person, false);
    if (!strcmp(outcome, "callback"))
        return callee_has(e, callback, false);
    if (!strcmp(outcome, "not_interested"))
        return callee_has(e, refusal, false);
    if (!strcmp(outcome, "interested"))
        return callee_has(e, interest, true) && !callee_has(e, refusal, false);
    return false; /* transferred: only the gateway knows */
}

const char *rlx_evidence_certain(const struct rlx_evidence *e)
{
    static const char *const kept[] = {"opted_out", "transferred", "voicemail", "booked"};

    if (e->opted_out)
        return "opted_out";
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        if (noted(e, kept[i]))
            return kept[i];
    if (rlx_evidence_our_failure(e))
        return "other";
    return rlx_evidence_spoke(e) ? NULL : "no_answer";
}

const char *rlx_evidence_outcome(const struct rlx_evidence *e)
{
    static const char *const order[] = {"wrong_person",   "voicemail", "booked",
                                        "not_interested", "callback",  "interested"};
    const char *certain = rlx_evidence_certain(e);

    if (certain)
        return certain;
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        if (rlx_evidence_supports(e, order[i]))
            return order[i];
    return "other";
}

bool rlx_evidence_positive(const struct rlx_evidence *e)
{
    return callee_has(e, good_mood, true) && !(e->callee_turns == 1 && e->opted_out);
}

bool rlx_evidence_negative(const struct rlx_evidence *e)
{
    return e->opted_out || callee_has(e, bad_mood, false);
}

/* ---- claims ---- */

static bool holds_word(const char *text, const char *word)
{
    char *padded = talloc_asprintf(NULL, " %s ", word);
    bool holds = padded && strstr(text, padded);

    talloc_free(padded);
    return holds;
}

/* A capital letter inside a sentence begins a name; the first word is no sign. */
static bool names_heard(const struct rlx_evidence *e, const char *sentence)
{
    const char *p = sentence + strspn(sentence, " \t\r\n\"'(");

    p += strcspn(p, " ");
    for (p += strspn(p, " "); *p; p += strspn(p, " ")) {
        size_t n = strcspn(p, " ");
        size_t skip = strspn(p, "\"'(");
        if (skip < n && isupper((unsigned char)p[skip]) && !(n - skip == 1)) {
            char *word = talloc_strndup(NULL, p + skip, n - skip);
            size_t length = word ? strlen(word) : 0;
            if (length > 2 && !strcmp(word + length - 2, "'s"))
                word[length - 2] = '\0';
            char *plain = word ? rlx_text_plain(NULL, word) : NULL;
            bool heard = plain && (!*plain || holds_word(e->known, plain) || !strcmp(plain, "ai"));
            talloc_free(plain);
            talloc_free(word);
            if (!heard)
                return false;
        }
        p += n;
    }
    return true;
}

bool rlx_evidence_heard(const struct rlx_evidence *e, const char *sentence)
{
    struct rlx_numbers named = {.count = 0};
    char *plain = rlx_text_plain(NULL, sentence);
    bool heard = plain != NULL;

    if (plain)
        rlx_numbers_add(&named, plain, false);
    for (size_t i = 0; i < named.count; i++)
        heard = heard && rlx_numbers_has(&e->numbers, named.value[i]);
    talloc_free(plain);
    return heard && names_heard(e, sentence);
}

/* The same four words in a row twice: a small model going round in circles. */
static bool circles(const struct rlx_words *words)
{
    for (unsigned i = 0; i + 4 <= words->count; i++)
        for (unsigned k = i + 1; k + 4 <= words->count; k++) {
            unsigned same = 0;
            while (same < 4 && !strcmp(words->word[i + same], words->word[k + same]))
                same++;
            if (same == 4)
                return true;
        }
    return false;
}

bool rlx_evidence_reports(const char *text)
{
    static const char *const spoken_to[] = {"you|your|yours|i|we|our|us|my|me", NULL};
    TALLOC_CTX *tmp = talloc_new(NULL);
    struct rlx_words words;
    bool reports = !rlx_words_make(&words, tmp, text, true) && words.count >= 3 &&
                   rlx_words_find(&words, 0, spoken_to, NULL) < 0 && !circles(&words);

    talloc_free(tmp);
    return reports;
}

bool rlx_evidence_callee_number(const struct rlx_evidence *e, double number)
{
    return rlx_numbers_has(&e->callee_numbers, number);
}

/* "a.b@c.de" → "a dot b at c dot de", as it is spoken. */
static char *spoken(TALLOC_CTX *ctx, const char *text)
{
    char *out = talloc_strdup(ctx, "");

    for (const char *p = text; out && *p; p++)
        out = *p == '@'   ? talloc_asprintf_append(out, " at ")
              : *p == '.' ? talloc_asprintf_append(out, " dot ")
                          : talloc_asprintf_append(out, "%c", *p);
    return out;
}

bool rlx_evidence_callee_said(const struct rlx_evidence *e, const char *text)
{
    TALLOC_CTX *tmp = talloc_new(NULL);
    char *plain = rlx_text_plain(tmp, text), *digits = plain ? rlx_digits(tmp, plain) : NULL;
    bool said = false;

    if (!plain || !*plain)
        goto out;
    said = holds_word(e->callee, plain);
    if (!said && strlen(digits) >= 3 && strlen(digits) * 2 >= strlen(plain))
        said = strstr(e->callee_digits, digits) != NULL;
    if (!said && strchr(text, '@')) {
        char *aloud = spoken(tmp, text);
        char *words = aloud ? rlx_text_plain(tmp, aloud) : NULL;
        said = words && holds_word(e->callee, words);
    }
out:
    talloc_free(tmp);
    return said;
}

bool rlx_evidence_touches(const struct rlx_evidence *e, const char *text)
{
    char *plain = rlx_text_plain(NULL, text);
    bool touches = false;

    for (char *p = plain; p && *p && !touches;) {
        size_t n = strcspn(p, " ");
        char *word = talloc_strndup(NULL, p, n);
        /* The beginning of a word counts: "prices" and "pricing" are one subject. */
        if (word && n >= 4) {
            char *stem = talloc_asprintf(NULL, " %.*s",
                                         n > 6   ? (int)n - 3
                                         : n > 4 ? (int)n - 1
                                                 : (int)n,
                                         word);
            touches = stem && strstr(e->callee, stem);
            talloc_free(stem);
        }
        talloc_free(word);
        p += n + (p[n] == ' ');
    }
    talloc_free(plain);
    return touches;
}

/* ---- what the callee raised ---- */

json_t *rlx_evidence_intents(const struct rlx_evidence *e)
{
    json_t *intents = json_array();

    for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++)
        if (callee_has(e, subjects[i].patterns, false) && json_array_size(intents) < 5)
            json_array_append_new(intents, json_string(subjects[i].name));
    if (e->opted_out)
        json_array_append_new(intents, json_string("opt_out"));
    return intents;
}

json_t *rlx_evidence_questions(const struct rlx_evidence *e)
{
    json_t *questions = json_array();

    for (size_t i = 0; i < e->count && json_array_size(questions) < 5; i++)
        if (!e->turns[i].agent && rlx_is_question(e->turns[i].text))
            json_array_append_new(questions,
                                  json_sprintf("The callee asked: %.*s",
                                               rlx_clip(e->turns[i].text, 300), e->turns[i].text));
    return questions;
}

size_t rlx_evidence_turns(const struct rlx_evidence *e, const char **firstp)
{
    *firstp = "";
    for (size_t i = 0; i < e->count && !**firstp; i++)
        if (!e->turns[i].agent)
            *firstp = e->turns[i].text;
    return e->callee_turns;
}

int rlx_clip(const char *text, size_t max)
{
    size_t n = strnlen(text, max + 1);

    if (n > max)
        for (n = max; n && ((unsigned char)text[n] & 0xc0) == 0x80; n--)
            ;
    return (int)n;
}
