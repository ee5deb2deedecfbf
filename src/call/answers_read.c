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
    if (rlx_word_in(w->word[subject], "guys|folks|people|also|still|even|all") && subject > 0)
        subject--;
    return subject > 0 && rlx_word_in(w->word[subject], "you|i|we|they|someone|somebody|anyone") &&
           rlx_word_in(w->word[subject - 1], "do|does|can|could|will|would|should|may");
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
        size_t length = strlen(word);
        bool adverb = length > 4 && !strcmp(word + length - 2, "ly") &&
                      !rlx_word_in(word, "monthly|family|supply|assembly|apply|reply|jelly|belly|"
                                         "weekly|daily|yearly|hourly");
        /* "how late", "how far": part of the question word. */
        bool measure =
            i > 0 && rlx_word_in(w->word[i - 1], "how") &&
            rlx_word_in(word, "late|early|soon|long|far|fast|quick|quickly|often|old|big|large");
        /* "my daughter": for whom, not what */
        bool family = i > 1 && rlx_word_in(w->word[i - 1], "my|our") &&
                      rlx_word_in(w->word[i - 2], "can|could|does|do|is|will|would|may|must|should|"
                                                  "for|if|has|have") &&
                      rlx_word_in(word, "kid|kids|child|children|son|daughter|husband|wife|mother|"
                                        "father|mom|dad|parents|friend|friends|family");
        if (adverb || measure || rlx_word_is_light(word) || rlx_word_number(word) >= 0 ||
            rlx_word_in(word, negations))
            continue;
        char *stem = rlx_word_stem(ctx, word);
        if (!stem)
            return -ENOMEM;
        if (i > 0 && !r->verb && is_verb_place(w, i)) {
            r->verb = stem;
            r->own_verb = rlx_word_in(w->word[i - 1], "i|we");
        }
        if (i > 0 && rlx_word_in(w->word[i - 1], "we") && r->deed_count < RLX_READ_DEEDS)
            r->deeds[r->deed_count++] = stem;
        if (family && r->context_count < RLX_READ_TOKENS)
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

/* What, would, which, where, when, how, is: as a small model hears them at the start of a call. */
static const char *const heard_as_asking =
    "with|wood|witch|watch|wear|ware|win|wen|house|hows|if|his";

int rlx_reading_make(struct rlx_reading *r, TALLOC_CTX *ctx, const char *text)
{
    struct rlx_words all, bare;
    memset(r, 0, sizeof(*r));
    r->bare = rlx_text_bare(ctx, text);
    if (!r->bare || rlx_words_make(&all, ctx, text, true) ||
        rlx_words_make(&bare, ctx, r->bare, true))
        return -ENOMEM;
    int err = read_tokens(r, ctx, &bare, text);
    if (err || (err = read_negations(r, ctx, &all)) || (err = read_context(r, ctx, text)))
        return err;
    rlx_reading_numbers(r, ctx, &bare);
    r->words = bare.count;
    r->marks = rlx_reading_marks(&bare);
    r->asks = rlx_reading_asks(&bare);
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
