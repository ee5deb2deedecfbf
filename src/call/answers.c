#include "call/answers.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "call/answers_read.h"
#include "call/phrases.h"

/* Chosen on one half of the labels, reported on the other; docs/internals/answers.md has the table.
 */
#define SCORE_FIRE 0.58f
#define SCORE_FIRE_STRANGER 0.80f /* one content word that the answer does not know */
#define SCORE_FIRE_NAMED 0.48f    /* a name stands in the answer itself */
#define SCORE_NEAR 0.42f
#define SCORE_PASSAGE 0.35f
#define MARGIN 0.08f
#define WORDS_MAX 20
#define ENTRIES_MAX 10000

struct way {
    struct rlx_reading reading;
};

struct vocabulary {
    const char **stems;
    unsigned count;
    uint64_t groups;
};

struct entry {
    const char *id, *title, *text;
    struct way *ways; /* NULL for a passage */
    size_t way_count;
    float *vectors; /* way_count × dim (a passage: 1 × dim), or NULL */
    size_t dim;
    struct vocabulary vocabulary; /* of title, ways and text */
    unsigned asks, marks;         /* of all ways */
    bool weekday;                 /* a day of the week stands in it */
    bool states;                  /* one of its ways is no question ("I'd like to book a table") */
};

struct rlx_answers {
    struct entry **entries;
    size_t count;
    size_t vector_count;
};

int rlx_answers_create(struct rlx_answers **answersp, TALLOC_CTX *ctx)
{
    if (!answersp)
        return -EINVAL;
    *answersp = talloc_zero(ctx, struct rlx_answers);
    return *answersp ? 0 : -ENOMEM;
}

size_t rlx_answers_count(const struct rlx_answers *answers)
{
    size_t count = 0;
    for (size_t i = 0; answers && i < answers->count; i++)
        count += answers->entries[i]->ways != NULL;
    return count;
}

static int learn(struct entry *entry, const struct rlx_reading *reading)
{
    struct vocabulary *v = &entry->vocabulary;
    v->stems = talloc_realloc(entry, v->stems, const char *, v->count + reading->token_count + 1);
    if (!v->stems)
        return -ENOMEM;
    for (unsigned i = 0; i < reading->token_count; i++) {
        v->stems[v->count++] = reading->token[i];
        v->groups |= rlx_word_groups(reading->token[i]);
    }
    entry->weekday = entry->weekday || reading->weekday;
    return 0;
}

static int learn_text(struct entry *entry, const char *text)
{
    struct rlx_reading reading;
    int err = rlx_reading_make(&reading, entry, text ? text : "");
    return err ? err : learn(entry, &reading);
}

static int copy_vectors(struct entry *entry, const float *vectors, size_t count, size_t dim)
{
    if (!vectors || dim == 0 || count == 0)
        return 0;
    entry->vectors = talloc_memdup(entry, vectors, count * dim * sizeof(*vectors));
    entry->dim = dim;
    return entry->vectors ? 0 : -ENOMEM;
}

static int entry_create(struct entry **entryp, TALLOC_CTX *ctx, const char *id, const char *title,
                        const char *text)
{
    struct entry *entry = talloc_zero(ctx, struct entry);
    if (!entry)
        return -ENOMEM;
    entry->id = talloc_strdup(entry, id ? id : "");
    entry->title = talloc_strdup(entry, title ? title : "");
    entry->text = talloc_strdup(entry, text ? text : "");
    if (!entry->id || !entry->title || !entry->text || learn_text(entry, entry->title) ||
        learn_text(entry, entry->text)) {
        talloc_free(entry);
        return -ENOMEM;
    }
    *entryp = entry;
    return 0;
}

static int push(struct rlx_answers *answers, struct entry *entry)
{
    struct entry **entries =
        talloc_realloc(answers, answers->entries, struct entry *, (unsigned)(answers->count + 1));
    if (!entries)
        return -ENOMEM;
    answers->entries = entries;
    answers->entries[answers->count++] = entry;
    return 0;
}

static int add_ways(struct entry *entry, const char *const *questions, size_t count)
{
    entry->ways = talloc_zero_array(entry, struct way, (unsigned)(count ? count : 1));
    if (!entry->ways)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        struct rlx_reading *reading = &entry->ways[i].reading;
        int err = rlx_reading_make(reading, entry, questions[i]);
        if (!err)
            err = learn(entry, reading);
        if (err)
            return err;
        entry->states = entry->states || !reading->asking;
        entry->asks |= reading->asks;
        entry->marks |= reading->marks;
    }
    entry->way_count = count;
    return 0;
}

int rlx_answers_add(struct rlx_answers *answers, const char *id, const char *title,
                    const char *text, const char *const *questions, size_t count,
                    const float *vectors, size_t dim)
{
    struct entry *entry;
    if (!answers || !text || (count && !questions))
        return -EINVAL;
    if (answers->vector_count + count > ENTRIES_MAX || answers->count >= ENTRIES_MAX)
        return -ENOSPC;
    int err = entry_create(&entry, answers, id, title, text);
    if (err)
        return err;
    if ((err = add_ways(entry, questions, count)) ||
        (err = copy_vectors(entry, vectors, count, dim)) || (err = push(answers, entry))) {
        talloc_free(entry);
        return err;
    }
    answers->vector_count += count;
    return 0;
}

int rlx_answers_add_passage(struct rlx_answers *answers, const char *id, const char *title,
                            const char *text, const float *vector, size_t dim)
{
    struct entry *entry;
    if (!answers || !text)
        return -EINVAL;
    if (answers->vector_count + 1 > ENTRIES_MAX || answers->count >= ENTRIES_MAX)
        return -ENOSPC;
    int err = entry_create(&entry, answers, id, title, text);
    if (err)
        return err;
    if ((err = copy_vectors(entry, vector, 1, dim)) || (err = push(answers, entry))) {
        talloc_free(entry);
        return err;
    }
    answers->vector_count++;
    return 0;
}

/* Eight sums at a time, so that the compiler may use vector registers without reordering one sum.
 */
static float dot(const float *a, const float *b, size_t n)
{
    float sums[8] = {0};
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        for (size_t k = 0; k < 8; k++)
            sums[k] += a[i + k] * b[i + k];
    }
    float sum = 0;
    for (; i < n; i++)
        sum += a[i] * b[i];
    for (size_t k = 0; k < 8; k++)
        sum += sums[k];
    return sum;
}

struct candidate {
    const struct entry *entry;
    const struct way *way;
    float score;
};

/* Share of the words of the question that a passage has: the order of passages when there are no
 * vectors. */
static float lexical(const struct entry *entry, const struct rlx_reading *heard)
{
    unsigned known = 0;
    for (unsigned i = 0; i < heard->token_count; i++) {
        bool found = (rlx_word_groups(heard->token[i]) & entry->vocabulary.groups) != 0;
        for (unsigned k = 0; !found && k < entry->vocabulary.count; k++)
            found = !strcmp(heard->token[i], entry->vocabulary.stems[k]);
        known += found;
    }
    return heard->token_count ? 0.6f * (float)known / (float)heard->token_count : 0.0f;
}

/* The best way to ask of an entry. */
static struct candidate judge(const struct entry *entry, const struct rlx_answers_query *query,
                              const struct rlx_reading *heard)
{
    struct candidate best = {.entry = entry, .score = -1.0f};
    size_t count = entry->ways ? entry->way_count : 1;
    bool vectors = entry->vectors && query->vector && entry->dim == query->dim;
    for (size_t i = 0; i < count; i++) {
        const struct way *way = entry->ways ? &entry->ways[i] : NULL;
        float score =
            vectors ? dot(entry->vectors + i * entry->dim, query->vector, entry->dim) : -1.0f;
        if (way && *heard->bare && !strcmp(heard->bare, way->reading.bare))
            score = 1.0f;
        if (score > best.score) {
            best.score = score;
            best.way = way;
        }
    }
    if (best.score < 0)
        best.score = vectors ? 0.0f : lexical(entry, heard) * 0.6f;
    return best;
}

static bool knows(const struct entry *entry, const char *stem)
{
    if (rlx_word_groups(stem) & entry->vocabulary.groups)
        return true;
    for (unsigned i = 0; i < entry->vocabulary.count; i++) {
        if (!strcmp(stem, entry->vocabulary.stems[i]))
            return true;
    }
    return false;
}

/* Content words that the answer has no word for: what is asked may be another thing. */
static unsigned strangers(const struct entry *entry, const struct rlx_reading *heard)
{
    unsigned count = 0;
    for (unsigned i = 0; i < heard->token_count; i++)
        count += !knows(entry, heard->token[i]);
    return count;
}

static bool numbers_agree(const struct entry *entry, const struct rlx_reading *heard)
{
    for (unsigned i = 0; i < heard->number_count; i++) {
        bool found = false;
        for (size_t w = 0; w < entry->way_count && !found; w++) {
            const struct rlx_reading *way = &entry->ways[w].reading;
            for (unsigned k = 0; k < way->number_count && !found; k++)
                found = fabs(way->number[k] - heard->number[i]) < 1e-6;
        }
        if (!found)
            return false;
    }
    return true;
}

static bool names_agree(const struct entry *entry, const struct rlx_reading *heard)
{
    if (heard->weekday && !entry->weekday)
        return false;
    for (unsigned i = 0; i < heard->names; i++) {
        if (!knows(entry, heard->name[i]))
            return false;
    }
    return true;
}

/* What is asked for must be something that one of the ways asks for; open questions (what, how, yes
 * or no) go with all. */
static bool asks_agree(const struct entry *entry, const struct rlx_reading *heard)
{
    unsigned specific = heard->asks & ~(unsigned)RLX_ASKS_OTHER;
    unsigned known = entry->asks;
    /* An answer that speaks of money or says "free" tells a price though no way asks for it. */
    if (entry->vocabulary.groups & RLX_GROUP_MONEY)
        known |= RLX_ASKS_PRICE;
    return (specific & ~known) == 0;
}

/* A name of the utterance stands in the answer: the question is about it, though vectors say little
 * about names. */
static bool is_named(const struct entry *entry, const struct rlx_reading *heard)
{
    for (unsigned i = 0; i < heard->names; i++) {
        for (unsigned k = 0; k < entry->vocabulary.count; k++) {
            if (!strcmp(heard->name[i], entry->vocabulary.stems[k]))
                return true;
        }
    }
    return false;
}

static bool is_recent(const struct rlx_answers_query *query, const char *id)
{
    return (query->recent[0] && !strcmp(query->recent[0], id)) ||
           (query->recent[1] && !strcmp(query->recent[1], id));
}

/* The first condition that forbids to speak the answer, or "". */
static const char *forbidden(const struct candidate *best, const struct rlx_reading *heard,
                             const struct rlx_answers_query *query)
{
    const struct entry *entry = best->entry;
    const struct rlx_reading *way = &best->way->reading;
    bool exact = !strcmp(heard->bare, way->bare);
    if (heard->excluded)
        return "the words mean something else: goodbye, opt-out, patience or a person is wanted";
    if (is_recent(query, entry->id))
        return "given in the last two turns";
    if (query->agent_asked && !heard->asking)
        return "the agent waits for a reply";
    if (heard->words > WORDS_MAX)
        return "too many words";
    if (exact)
        return "";
    if (heard->questions > 1)
        return "more than one question";
    if ((heard->hostile && !way->hostile) || (heard->accusing && !way->accusing))
        return "hostile";
    if (heard->negated != way->negated)
        return "negation does not agree";
    if (!heard->asking && !entry->states)
        return "not a question";
    if (heard->follow_up)
        return "a bare follow-up";
    if (heard->pronoun && !way->pronoun)
        return "points back to something said before";
    if (!numbers_agree(entry, heard))
        return "a number does not agree";
    if (!names_agree(entry, heard))
        return "a name does not agree";
    if (heard->marks & ~entry->marks)
        return "a condition, comparison or tense does not agree";
    if (!asks_agree(entry, heard))
        return "asks for another kind of thing";
    return "";
}

static void keep_best(struct candidate *top, size_t size, struct candidate next)
{
    for (size_t i = 0; i < size; i++) {
        if (top[i].entry && top[i].score >= next.score)
            continue;
        struct candidate pushed = top[i];
        top[i] = next;
        next = pushed;
    }
}

static void decide(const struct candidate *best, float second, const struct rlx_reading *heard,
                   const struct rlx_answers_query *query, struct rlx_answer_match *match)
{
    bool exact = !strcmp(heard->bare, best->way->reading.bare);
    match->id = best->entry->id;
    match->text = best->entry->text;
    match->score = best->score;
    match->margin = best->score - second;
    match->kind = best->score >= SCORE_NEAR ? RLX_ANSWER_NEAR : RLX_ANSWER_NONE;
    unsigned unknown = strangers(best->entry, heard);
    match->why = forbidden(best, heard, query);
    float least = unknown == 0 && is_named(best->entry, heard) ? SCORE_FIRE_NAMED : SCORE_FIRE;
    if (!*match->why && best->score < least)
        match->why = "not alike enough";
    if (!*match->why && !exact && heard->verb && !knows(best->entry, heard->verb))
        match->why = "another thing is to be done";
    if (!*match->why && !exact &&
        (unknown > 1 || (unknown == 1 && best->score < SCORE_FIRE_STRANGER)))
        match->why = "a word that the answer does not know";
    if (!*match->why && match->margin < MARGIN)
        match->why = "another answer is as near";
    if (!*match->why)
        match->kind = RLX_ANSWER_FIRE;
}

void rlx_answers_match(const struct rlx_answers *answers, const struct rlx_answers_query *query,
                       struct rlx_answer_match *match)
{
    struct rlx_reading heard;
    struct candidate top[3] = {{0}}, answer[2] = {{0}};
    memset(match, 0, sizeof(*match));
    match->why = "no answers";
    TALLOC_CTX *tmp = talloc_new(NULL);
    if (!tmp || !answers || !query || !query->heard || rlx_reading_make(&heard, tmp, query->heard))
        goto out;
    for (size_t i = 0; i < answers->count; i++) {
        struct candidate next = judge(answers->entries[i], query, &heard);
        keep_best(top, 3, next);
        if (next.way)
            keep_best(answer, 2, next);
    }
    if (answer[0].entry)
        decide(&answer[0], answer[1].entry ? answer[1].score : 0.0f, &heard, query, match);
    size_t count = 0;
    if (match->kind != RLX_ANSWER_NONE)
        match->passages[count++] = match->text;
    for (size_t i = 0; i < 3 && count < 3; i++) {
        bool useful = top[i].entry && top[i].score >= SCORE_PASSAGE;
        if (useful && !(count > 0 && top[i].entry->text == match->passages[0]))
            match->passages[count++] = top[i].entry->text;
    }
out:
    talloc_free(tmp);
}
