#include "call/answers.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "call/answers_read.h"
#include "call/phrases.h"
#include "call/words.h"

/* Chosen on the seen labels; docs/internals/answers.md has the tables. */
#define SCORE_FIRE 0.58f
#define SCORE_FIRE_CLEAR 0.50f   /* all words known, and far from every other answer */
#define SCORE_FIRE_NAMED 0.48f   /* a name stands in the answer itself */
#define SCORE_FIRE_ADDED 0.70f   /* one word more than the way to ask has */
#define SCORE_FIRE_SWAPPED 0.80f /* one word in the place of another */
#define SCORE_SURE 0.78f         /* with MARGIN_CLEAR: suspicion of single words is dropped */
#define MARGIN_CLEAR 0.15f
#define MARGIN_KNOWN 0.10f    /* for SCORE_FIRE_CLEAR */
#define STRANGER_COSTS 0.25f  /* in the order of answers */
#define SCORE_MISHEARD 0.66f  /* a question whose first word was heard wrong, */
#define MARGIN_MISHEARD 0.20f /* far from every other answer */
#define SCORE_NEAR 0.42f
#define SCORE_PASSAGE 0.35f
#define MARGIN 0.08f
#define NEAR_WAYS 0.12f /* ways as near as the best, for negation */
#define NEAR_ASKS 0.35f /* the same, for the kind of thing asked for */
#define RANKED 4        /* answers whose words are looked at */
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
    unsigned marks;               /* of all ways */
    bool weekday;                 /* a day of the week stands in it */
    const char **lacks;           /* "gluten free": what the things of the answer are without */
    unsigned lack_count;
    bool gratis;                       /* speaks of something free */
    const char *deeds[RLX_READ_DEEDS]; /* what its text says that "we" do */
    unsigned deed_count;
    bool states; /* one of its ways is no question ("I'd like to book a table") */
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
    entry->lacks = talloc_realloc(entry, entry->lacks, const char *,
                                  entry->lack_count + reading->lack_count + 1);
    if (!entry->lacks)
        return -ENOMEM;
    for (unsigned i = 0; i < reading->lack_count; i++)
        entry->lacks[entry->lack_count++] = reading->lacks[i];
    entry->gratis = entry->gratis || reading->gratis;
    entry->weekday = entry->weekday || reading->weekday;
    return 0;
}

static int learn_text(struct entry *entry, const char *text)
{
    struct rlx_reading reading;
    int err = rlx_reading_make(&reading, entry, text ? text : "");
    for (unsigned i = 0; !err && i < reading.deed_count && entry->deed_count < RLX_READ_DEEDS; i++)
        entry->deeds[entry->deed_count++] = reading.deeds[i];
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
    float rank;       /* score less what strangers cost: the order of answers */
    float margin;     /* rank less the next answer's */
    unsigned unknown; /* strangers */
    unsigned asks;    /* what the ways about as near as the best ask for */
    bool negated;     /* one of the ways about as near as the best is negated */
    bool plain;       /* one of them is not */
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

static bool stands_in(const char *stem, const char *const *stems, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (rlx_words_kindred(stem, stems[i]))
            return true;
    }
    return false;
}

static bool knows(const struct entry *entry, const char *stem)
{
    return (rlx_word_groups(stem) & entry->vocabulary.groups) ||
           stands_in(stem, entry->vocabulary.stems, entry->vocabulary.count);
}

/* "Can I bring a cake?" is not "Can you bring a cake?": what only the business does. */
static bool is_reversed(const struct entry *entry, const struct rlx_reading *heard)
{
    bool theirs = false;
    if (!heard->verb || !heard->own_verb)
        return false;
    for (unsigned i = 0; i < entry->deed_count && !theirs; i++)
        theirs = !strcmp(heard->verb, entry->deeds[i]);
    for (size_t i = 0; i < entry->way_count; i++) {
        const struct rlx_reading *way = &entry->ways[i].reading;
        if (!way->verb || strcmp(heard->verb, way->verb))
            continue;
        if (way->own_verb)
            return false;
        theirs = true;
    }
    return theirs;
}

/* "Do you sell bread?" is "Do you have bread?". */
static bool is_offer(const struct entry *entry, const struct rlx_reading *way,
                     const struct rlx_reading *heard)
{
    return heard->verb && rlx_word_in(heard->verb, "sell|stock|carry|keep") && !heard->own_verb &&
           !knows(entry, "rent") &&
           (strstr(way->bare, "you have ") || strstr(way->bare, "you got ") ||
            strstr(way->bare, "there "));
}

/* Content words that the answer has no word for: what is asked may be another thing. */
static unsigned strangers(const struct entry *entry, const struct rlx_reading *way,
                          const struct rlx_reading *heard)
{
    unsigned count = 0;
    for (unsigned i = 0; i < heard->token_count; i++)
        count += !(heard->token[i] == heard->verb && is_offer(entry, way, heard)) &&
                 !knows(entry, heard->token[i]) &&
                 !stands_in(heard->token[i], heard->context, heard->context_count);
    return count;
}

/* Whether a content word of the way to ask has no kin in the utterance: then a stranger stands in
 * its place ("pet food" for "pet insurance") and is not just one word more. */
static bool is_swapped(const struct rlx_reading *way, const struct rlx_reading *heard)
{
    for (unsigned i = 0; i < way->token_count; i++) {
        if (!stands_in(way->token[i], heard->token, heard->token_count))
            return true;
    }
    return false;
}

/* What a thing is without must be what the answer speaks of, on both sides. */
static bool lacks_agree(const struct entry *entry, const struct rlx_reading *way,
                        const struct rlx_reading *heard)
{
    bool found = heard->lack_count == 0;
    for (unsigned i = 0; i < heard->lack_count && !found; i++)
        found = stands_in(heard->lacks[i], entry->lacks, entry->lack_count);
    /* "without paying" */
    bool money = entry->gratis || (entry->vocabulary.groups & RLX_GROUP_MONEY);
    if (!found || (heard->gratis && !money))
        return false;
    /* "Do you have bread?" is not "Do you have gluten free bread?" */
    for (unsigned i = 0; i < way->lack_count && found; i++)
        found = stands_in(way->lacks[i], heard->token, heard->token_count) || heard->lack_count > 0;
    return found;
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
        /* "one hour" is the price per hour */
        if (!found && heard->number[i] == 1 && heard->per && (heard->asks & RLX_ASKS_PRICE))
            found = strcasestr(entry->text, heard->per) != NULL;
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
static bool asks_agree(const struct entry *entry, unsigned known, const struct rlx_reading *heard)
{
    unsigned specific = heard->asks & ~(unsigned)RLX_ASKS_OTHER;
    /* An answer that speaks of money or says "free" tells a price though no way asks for it. */
    if (entry->vocabulary.groups & RLX_GROUP_MONEY)
        known |= RLX_ASKS_PRICE;
    /* "How big is the deposit?" */
    if (heard->amount && (known & RLX_ASKS_PRICE))
        known |= RLX_ASKS_COUNT;
    if (known & (RLX_ASKS_WHEN | RLX_ASKS_LENGTH | RLX_ASKS_NOTICE))
        known |= RLX_ASKS_NOTICE;
    if (known & RLX_ASKS_NOTICE)
        known |= RLX_ASKS_WHEN;
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

/* "With the charge for sending a plumber": a question but for its first word. */
static bool is_misheard(const struct candidate *best, const struct rlx_reading *heard)
{
    return heard->misheard && best->unknown == 0 && best->score >= SCORE_MISHEARD &&
           best->margin >= MARGIN_MISHEARD;
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
    if (heard->negated ? !best->negated : !best->plain)
        return "negation does not agree";
    if (!lacks_agree(entry, way, heard))
        return "without what, does not agree";
    if (!heard->asking && !entry->states && !is_misheard(best, heard))
        return "not a question";
    if (heard->follow_up)
        return "a bare follow-up";
    if (heard->pronoun && !way->pronoun)
        return "points back to something said before";
    if (!numbers_agree(entry, heard))
        return "a number does not agree";
    if (!names_agree(entry, heard))
        return "a name does not agree";
    unsigned marks = heard->marks & ~entry->marks;
    if (best->score >= SCORE_SURE)
        marks &= ~(unsigned)(RLX_MARK_CONDITION | RLX_MARK_ORDER);
    /* "What would it cost if you bring it?", "How many days before?" */
    if (heard->asks & RLX_ASKS_PRICE && best->unknown == 0)
        marks &= ~(unsigned)RLX_MARK_CONDITION;
    if (heard->asks & RLX_ASKS_NOTICE)
        marks &= ~(unsigned)RLX_MARK_ORDER;
    if (marks)
        return "a condition, comparison or tense does not agree";
    if (!asks_agree(entry, best->asks, heard))
        return "asks for another kind of thing";
    return "";
}

/* What the ways about as near as the best one have in common with the question. */
static void look_near(struct candidate *best, const struct rlx_answers_query *query)
{
    const struct entry *entry = best->entry;
    bool vectors = entry->vectors && query->vector && entry->dim == query->dim;
    for (size_t i = 0; i < entry->way_count; i++) {
        const struct rlx_reading *way = &entry->ways[i].reading;
        float score =
            vectors ? dot(entry->vectors + i * entry->dim, query->vector, entry->dim) : -1.0f;
        bool near = &entry->ways[i] == best->way || score > best->score - NEAR_WAYS;
        best->asks |= near || score > best->score - NEAR_ASKS ? way->asks : 0U;
        best->negated = best->negated || (near && way->negated);
        best->plain = best->plain || (near && !way->negated);
    }
}

/* Puts the answers that know the words of the question first. */
static void rank(struct candidate *answer, size_t count, const struct rlx_reading *heard)
{
    for (size_t i = 0; i < count && answer[i].entry; i++) {
        unsigned unknown = strangers(answer[i].entry, &answer[i].way->reading, heard);
        answer[i].unknown = unknown;
        answer[i].rank = answer[i].score - STRANGER_COSTS * (float)(unknown > 2 ? 2 : unknown);
        if (!strcmp(heard->bare, answer[i].way->reading.bare))
            answer[i].rank = answer[i].score;
        for (size_t k = i; k > 0 && answer[k].rank > answer[k - 1].rank; k--) {
            struct candidate swapped = answer[k];
            answer[k] = answer[k - 1];
            answer[k - 1] = swapped;
        }
    }
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

/* Whether words alone speak against a match that the vectors make: what is to be done, and words
 * that the answer does not know. */
static const char *suspicious(const struct candidate *best, float margin,
                              const struct rlx_reading *heard)
{
    bool sure = best->score >= SCORE_SURE && margin >= MARGIN_CLEAR;
    if (is_reversed(best->entry, heard))
        return "somebody else is to do it";
    if (heard->verb && !knows(best->entry, heard->verb) && !(sure && heard->own_verb) &&
        !is_offer(best->entry, &best->way->reading, heard))
        return "another thing is to be done";
    if (best->unknown == 0 || (sure && best->unknown == 1 && heard->own_verb && heard->verb &&
                               !knows(best->entry, heard->verb)))
        return "";
    float least = is_swapped(&best->way->reading, heard) ? SCORE_FIRE_SWAPPED : SCORE_FIRE_ADDED;
    if (best->unknown > 1 ? !sure || least > SCORE_FIRE_ADDED : best->score < least)
        return "a word that the answer does not know";
    return "";
}

static void decide(const struct candidate *best, const struct rlx_reading *heard,
                   const struct rlx_answers_query *query, struct rlx_answer_match *match)
{
    bool exact = !strcmp(heard->bare, best->way->reading.bare);
    match->id = best->entry->id;
    match->text = best->entry->text;
    match->score = best->score;
    match->margin = best->margin;
    match->kind = best->score >= SCORE_NEAR ? RLX_ANSWER_NEAR : RLX_ANSWER_NONE;
    match->why = forbidden(best, heard, query);
    float least = SCORE_FIRE;
    if (best->unknown == 0 && match->margin >= MARGIN_KNOWN)
        least = SCORE_FIRE_CLEAR;
    if (best->unknown == 0 && is_named(best->entry, heard))
        least = SCORE_FIRE_NAMED;
    if (!*match->why && best->score < least)
        match->why = "not alike enough";
    if (!*match->why && !exact)
        match->why = suspicious(best, match->margin, heard);
    if (!*match->why && match->margin < MARGIN)
        match->why = "another answer is as near";
    if (!*match->why)
        match->kind = RLX_ANSWER_FIRE;
}

static void add_source(struct rlx_answer_match *match, size_t *countp, const struct entry *entry,
                       float score)
{
    match->passages[*countp] = entry->text;
    match->sources[(*countp)++] = (struct rlx_answer_source){
        .id = entry->id,
        .title = entry->title,
        .chunk = entry->ways ? -1 : 0,
        .score = score,
    };
}

/* What the model gets: a near answer first, then the best of the rest. */
static void collect(struct rlx_answer_match *match, const struct entry *best,
                    const struct candidate top[3])
{
    size_t count = 0;

    if (match->kind != RLX_ANSWER_NONE)
        add_source(match, &count, best, match->score);
    for (size_t i = 0; i < 3 && count < 3; i++) {
        bool useful = top[i].entry && top[i].score >= SCORE_PASSAGE;
        if (useful && !(count > 0 && top[i].entry->text == match->passages[0]))
            add_source(match, &count, top[i].entry, top[i].score);
    }
}

void rlx_answers_match(const struct rlx_answers *answers, const struct rlx_answers_query *query,
                       struct rlx_answer_match *match)
{
    struct rlx_reading heard;
    struct candidate top[3] = {{0}}, answer[RANKED] = {{0}};
    memset(match, 0, sizeof(*match));
    match->why = "no answers";
    TALLOC_CTX *tmp = talloc_new(NULL);
    if (!tmp || !answers || !query || !query->heard || rlx_reading_make(&heard, tmp, query->heard))
        goto out;
    for (size_t i = 0; i < answers->count; i++) {
        struct candidate next = judge(answers->entries[i], query, &heard);
        keep_best(top, 3, next);
        if (next.way)
            keep_best(answer, RANKED, next);
    }
    rank(answer, RANKED, &heard);
    if (answer[0].entry) {
        answer[0].margin = answer[0].rank - (answer[1].entry ? answer[1].rank : 0.0f);
        look_near(&answer[0], query);
        decide(&answer[0], &heard, query, match);
    }
    collect(match, answer[0].entry, top);
out:
    talloc_free(tmp);
}
