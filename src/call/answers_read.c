/* A reading of an utterance: its content words, what it denies, and all the rest of
 * answers_read_*.c. */
#include "call/answers_read.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "call/answers_read_private.h"
#include "call/phrases.h"

/* clang-format off */
static const char *const negations =
    "not|non|no|never|none|nothing|nobody|neither|nor|without|hardly|nowhere";
static const char *const weekdays =
    "monday|tuesday|wednesday|thursday|friday|saturday|sunday|mondays|tuesdays|wednesdays|"
    "thursdays|fridays|saturdays|sundays|weekend|weekends|weekday|weekdays|monday's|saturday's|"
    "sunday's";
static const char *const family_words =
    "kid|kids|child|children|son|daughter|husband|wife|mother|father|mom|dad|parents|friend|"
    "friends|family";
static const char *const intents[] = {
    ("speak|talk|speaking|talking|chat to|with ?a|an|the|your|my|some ?real|live|actual human|"
    "person|manager|supervisor|representative|rep|agent|operator|somebody|someone|owner|boss|"
    "people|doctor|dentist|technician"), "transfer ?me", "put me through|on",
    "connect|pass me through|to|with|on", "real|actual|live person|human",
    "are you a|an ?real robot|machine|bot|ai|human|person|computer|recording", "call me back",
    NULL};
/* clang-format on */

static bool is_name(const char *text, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = text; (at = strcasestr(at, word)); at++) {
        bool inside =
            (at > text && isalnum((unsigned char)at[-1])) || isalnum((unsigned char)at[n]);
        if (inside || !isupper((unsigned char)*at))
            continue;
        const char *back = at;
        while (back > text && strchr(" \t\"'(", back[-1]))
            back--;
        if (back > text && !strchr(".?!", back[-1]))
            return true;
    }
    return false;
}

/* Whether word i is the verb of "do you …", "can your people …". */
static bool is_verb_place(const struct rlx_words *w, unsigned i)
{
    unsigned subject = i - 1;
    /* "do I have to MOVE …" */
    if (subject > 2 && rlx_words_match(w, subject - 1, "need|have|want|get|like to"))
        subject -= 2;
    if (rlx_word_in(w->word[subject], "guys|folks|people|also|still|even|all") && subject > 0)
        subject--;
    /* "can my wife PAY …" */
    if (subject == 2 && rlx_word_in(w->word[0], "do|does|can|could|will|would|should|may") &&
        rlx_word_in(w->word[1], "my|our") && rlx_word_in(w->word[2], family_words))
        return true;
    return subject > 0 && rlx_word_in(w->word[subject], "you|i|we|they|someone|somebody|anyone") &&
           rlx_word_in(w->word[subject - 1], "do|does|can|could|will|would|should|may");
}

/* Whether word i is the verb of "does the repair …". */
static bool is_verb_of_thing(const struct rlx_words *w, unsigned i)
{
    return i == 3 && rlx_word_in(w->word[0], "do|does") &&
           rlx_word_in(w->word[1], "the|a|an|my|your|our|this") && !rlx_word_is_light(w->word[2]);
}

static enum rlx_owner owner_of(const struct rlx_words *w, unsigned i)
{
    for (unsigned k = i; k > 0 && i - k < 2; k--) {
        if (rlx_word_in(w->word[k - 1], "my|our|mine"))
            return RLX_OWNER_CALLER;
        if (rlx_word_in(w->word[k - 1], "your"))
            return RLX_OWNER_BUSINESS;
        if (rlx_word_is_light(w->word[k - 1]) && !rlx_word_in(w->word[k - 1], "own"))
            break;
    }
    return RLX_OWNER_NONE;
}

/* "pets in the STUDIO", "guarantee your REPAIRS", but not "how much is your BREAKFAST". */
static bool is_aside(const struct rlx_words *w, unsigned i)
{
    static const char *const places = "in|at|near|inside|during";
    if (i == 0)
        return false;
    if (rlx_word_in(w->word[i - 1], places))
        return true;
    if (i < 2 || !rlx_word_in(w->word[i - 1], "the|a|an|my|our|your"))
        return false;
    return rlx_word_in(w->word[i - 2], places) ||
           (rlx_word_in(w->word[i - 1], "my|our|your") && !rlx_word_is_light(w->word[i - 2]));
}

/* The stem of word i with the particle behind it; *joinedp is NULL when there is none. */
static int join(const char **joinedp, TALLOC_CTX *ctx, const struct rlx_words *w, unsigned i)
{
    *joinedp = NULL;
    if (i + 1 >= w->count || !rlx_word_in(w->word[i + 1], "up|in|out|off|down|over|back"))
        return 0;
    char *both = talloc_asprintf(ctx, "%s%s", w->word[i], w->word[i + 1]);
    *joinedp = both ? rlx_word_stem(ctx, both) : NULL;
    return *joinedp ? 0 : -ENOMEM;
}

/* Whether word i says nothing about what is asked: adverbs, parts of question words, light words.
 */
static bool is_empty(const struct rlx_words *w, unsigned i)
{
    const char *word = w->word[i];
    size_t length = strlen(word);
    bool adverb = length > 4 && !strcmp(word + length - 2, "ly") &&
                  !rlx_word_in(word, "monthly|family|supply|assembly|apply|reply|jelly|belly|"
                                     "weekly|daily|yearly|hourly");
    /* "how late", "how far": part of the question word. */
    bool measure =
        i > 0 && rlx_word_in(w->word[i - 1], "how") &&
        rlx_word_in(word, "late|early|soon|long|far|fast|quick|quickly|often|old|big|large");
    /* what every caller does: "can I reach you at night?" */
    bool contact =
        rlx_words_match(w, i, "reach|call|phone you") ||
        (i > 2 && rlx_words_match(w, i - 3, "someone|somebody|anyone i|we can|could call|reach"));
    return adverb || measure || contact || rlx_word_is_light(word) || rlx_word_number(word) >= 0 ||
           rlx_word_in(word, negations);
}

/* "my daughter": for whom, not what */
static bool is_family(const struct rlx_words *w, unsigned i)
{
    return i > 1 && rlx_word_in(w->word[i - 1], "my|our") &&
           rlx_word_in(w->word[i - 2], "can|could|does|do|is|will|would|may|must|should|"
                                       "for|if|has|have") &&
           rlx_word_in(w->word[i], family_words);
}

static int read_tokens(struct rlx_reading *r, TALLOC_CTX *ctx, const struct rlx_words *w,
                       const char *text)
{
    for (unsigned i = 0; i < w->count && r->token_count < RLX_READ_TOKENS; i++) {
        const char *word = w->word[i];
        if (rlx_word_in(word, weekdays)) {
            r->weekday = true;
            continue;
        }
        if (is_empty(w, i))
            continue;
        char *stem = rlx_word_stem(ctx, word);
        if (!stem)
            return -ENOMEM;
        const char **joinedp = &r->joined[r->token_count];
        int err = join(joinedp, ctx, w, i);
        if (err)
            return err;
        r->owner[r->token_count] = owner_of(w, i);
        r->aside[r->token_count] = is_aside(w, i);
        /* "do I have to pay for breakfast": its price */
        bool owes =
            i > 0 && rlx_word_in(w->word[i - 1], "to") && (rlx_word_groups(stem) & RLX_GROUP_MONEY);
        if (i > 0 && !owes && !r->verb && (is_verb_place(w, i) || is_verb_of_thing(w, i))) {
            r->verb = stem;
            r->verb_joined = *joinedp;
            r->own_verb = rlx_word_in(w->word[i - 1], "i|we") ||
                          (i > 3 && rlx_words_match(w, i - 3, "i|we * to"));
        }
        if (i > 0 && rlx_word_in(w->word[i - 1], "we") && r->deed_count < RLX_READ_DEEDS)
            r->deeds[r->deed_count++] = stem;
        if (is_family(w, i) && r->context_count < RLX_READ_TOKENS)
            r->context[r->context_count++] = stem;
        r->token[r->token_count++] = stem;
        if (r->names < 8 && is_name(text, word))
            r->name[r->names++] = stem;
    }
    return 0;
}

/* The content words of what is said before the question. */
static int read_context(struct rlx_reading *r, TALLOC_CTX *ctx, const char *text)
{
    const char *comma = strpbrk(text, ",.;");
    struct rlx_words w;
    if (!comma)
        return 0;
    char *before = talloc_strndup(ctx, text, (size_t)(comma - text));
    int err = before ? rlx_words_make(&w, ctx, before, true) : -ENOMEM;
    struct rlx_reading part = {0};
    if (err || w.count < 3 || rlx_word_in(w.word[0], rlx_question_starts) ||
        (err = read_tokens(&part, ctx, &w, "")))
        return err;
    for (unsigned i = 0; i < part.token_count && r->context_count < RLX_READ_TOKENS; i++)
        r->context[r->context_count++] = part.token[i];
    return 0;
}

static int add_lack(struct rlx_reading *r, TALLOC_CTX *ctx, const char *word)
{
    if (rlx_word_is_light(word) || rlx_word_in(word, negations) || r->lack_count >= RLX_READ_LACKS)
        return 0;
    char *stem = rlx_word_stem(ctx, word);
    if (!stem)
        return -ENOMEM;
    if (rlx_word_groups(stem) & RLX_GROUP_MONEY)
        r->gratis = true;
    else
        r->lacks[r->lack_count++] = stem;
    return 0;
}

/* Whether word i stands in "… that has", "… who can": the thing is described, not the request. */
static bool is_relative(const struct rlx_words *w, unsigned i)
{
    for (unsigned k = i; k > 1 && i - k < 3; k--) {
        if (rlx_words_match(w, k - 1,
                            "who|that|which can|could|must|may|should|has|have|is|are|do|"
                            "does|contains|contain"))
            return true;
    }
    return false;
}

/* Sorts what is denied (`negated`) from what a thing is without (`lacks`). */
static int read_negations(struct rlx_reading *r, TALLOC_CTX *ctx, const struct rlx_words *w)
{
    int err = 0;
    for (unsigned i = 0; i < w->count && !err; i++) {
        if (rlx_word_in(w->word[i], "free")) {
            /* "the next free appointment" */
            if (i > 0 && rlx_word_in(w->word[i - 1], "next|first|earliest"))
                continue;
            bool noun = i > 0 && !rlx_word_is_light(w->word[i - 1]);
            bool before = noun && i + 1 < w->count && !rlx_word_is_light(w->word[i + 1]);
            if (before || (noun && i > 1 && !rlx_word_is_light(w->word[i - 2])))
                err = add_lack(r, ctx, w->word[i - 1]);
            else
                r->gratis = true;
            continue;
        }
        if (!rlx_word_in(w->word[i], negations))
            continue;
        bool relative = is_relative(w, i);
        if (!relative && !rlx_word_in(w->word[i], "without") &&
            !(i > 0 && rlx_word_in(w->word[i - 1], "with")))
            r->negated = true;
        /* "You need no appointment." */
        if (rlx_word_in(w->word[i], "no|without") && i + 1 < w->count &&
            !rlx_word_is_light(w->word[i + 1]) && r->denied_count < RLX_READ_LACKS) {
            if (!(r->denied[r->denied_count] = rlx_word_stem(ctx, w->word[i + 1])))
                return -ENOMEM;
            r->denied_count++;
        }
        unsigned last = relative ? i + 4 : i + 3;
        for (unsigned k = i + 1; !r->negated && k < w->count && k <= last && !err; k++) {
            /* "that is not gluten free" */
            if (rlx_word_in(w->word[k], "free"))
                r->negated = true;
            err = add_lack(r, ctx, w->word[k]);
        }
    }
    return err;
}

/* Whether a pronoun of `text` has nothing in an earlier clause of the same utterance that it could
 * stand for. */
static bool points_out(TALLOC_CTX *ctx, const char *text)
{
    char *copy = talloc_strdup(ctx, text), *rest = copy;
    for (char *clause; copy && (clause = strsep(&rest, ",.?!;"));) {
        struct rlx_reading part = {0};
        struct rlx_words w;
        char *bare = rlx_text_bare(ctx, clause);
        if (!bare || rlx_words_make(&w, ctx, bare, true))
            return false;
        if (rlx_words_point_back(&w))
            return true;
        if (read_tokens(&part, ctx, &w, "") || part.token_count > 0)
            return false;
    }
    return false;
}

/* Where the question of `text` begins: clauses before it that only set the scene ("I cracked my
 * screen, …") say nothing about its tense. What was done with the business ("I ordered a cake, …")
 * or by it is no scene. */
static const char *skip_scene(TALLOC_CTX *ctx, const char *text)
{
    static const char *const dealings =
        "you|your|ordered|booked|paid|bought|called|sent|rented|cancelled|canceled|reserved|"
        "scheduled|spoke|talked|got|received|signed|asked|wrote|left|brought";
    const char *at = text;
    for (size_t n; at[n = strcspn(at, ",.;!")];) {
        struct rlx_words w;
        char *clause = talloc_strndup(ctx, at, n);
        if (!clause || rlx_words_make(&w, ctx, clause, true))
            return text;
        if (w.count > 0 && !rlx_word_in(w.word[0], "i|my|we|our|the|a|an|there|he|she|it") &&
            w.count > 2)
            return text;
        for (unsigned i = 0; i < w.count; i++) {
            if (rlx_word_in(w.word[i], dealings))
                return text;
        }
        at += n + 1;
    }
    return rlx_is_asking(at) ? at : text;
}

/* The head of what a price is asked for: the last of the first content words that do not speak of
 * money. */
static int read_object(struct rlx_reading *r, TALLOC_CTX *ctx, const struct rlx_words *w)
{
    bool inside = false;
    for (unsigned i = 0; i < w->count; i++) {
        char *stem = rlx_word_stem(ctx, w->word[i]);
        if (!stem)
            return -ENOMEM;
        bool content = !rlx_word_is_light(w->word[i]) && rlx_word_number(w->word[i]) < 0 &&
                       !(rlx_word_groups(stem) & RLX_GROUP_MONEY);
        if (inside && !content)
            break;
        if (content)
            r->object = stem;
        inside = content;
    }
    return 0;
}

/* What, would, which, where, when, how, is: as a small model hears them at the start of a call. */
static const char *const heard_as_asking =
    "with|wood|witch|watch|wear|ware|win|wen|house|hows|if|his";

int rlx_reading_make(struct rlx_reading *r, TALLOC_CTX *ctx, const char *text)
{
    struct rlx_words all, bare, question;
    memset(r, 0, sizeof(*r));
    r->bare = rlx_text_bare(ctx, text);
    if (!r->bare || rlx_words_make(&all, ctx, text, true) ||
        rlx_words_make(&bare, ctx, r->bare, true))
        return -ENOMEM;
    char *asked = rlx_text_bare(ctx, skip_scene(ctx, text));
    if (!asked || rlx_words_make(&question, ctx, asked, true))
        return -ENOMEM;
    int err = read_tokens(r, ctx, &bare, text);
    if (err || (err = read_negations(r, ctx, &all)) || (err = read_context(r, ctx, text)))
        return err;
    rlx_reading_numbers(r, ctx, &bare);
    r->words = bare.count;
    r->marks = rlx_reading_marks(&question);
    r->asks = rlx_reading_asks(&bare);
    if (r->asks & RLX_ASKS_PRICE && (err = read_object(r, ctx, &question)))
        return err;
    r->amount = rlx_words_match(&bare, 0, "how big|high|large is|are|would|will the|your") > 0;
    r->asking = rlx_is_asking(text);
    r->misheard = !r->asking && bare.count > 3 && rlx_word_in(bare.word[0], heard_as_asking);
    r->questions = rlx_text_questions(ctx, text);
    r->hostile = rlx_words_hostile(&all);
    r->accusing = rlx_text_accuses(ctx, text);
    r->pronoun = points_out(ctx, text);
    r->follow_up = rlx_words_follow_up(&bare, r->token_count + r->number_count + r->weekday);
    r->excluded = rlx_is_opt_out(text) || rlx_is_farewell(text) || rlx_is_hold_request(text) ||
                  rlx_words_find(&all, 0, intents, NULL) >= 0;
    return 0;
}
