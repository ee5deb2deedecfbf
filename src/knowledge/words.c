#include "knowledge/words.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "call/answers_read.h"
#include "store/search_words.h"

#define K1 1.2f
#define B 0.75f
#define NO_TERM UINT32_MAX /* of a word that says nothing */

struct posting {
    uint32_t chunk, count;
};

/* A stem, and where it stands. */
struct term {
    struct posting *postings;
    uint32_t count, capacity;
};

/* A word as it is written. */
struct word {
    char *text; /* NULL: the slot is free */
    uint32_t term;
};

struct rlx_word_index {
    struct word *words; /* open addressing; word_slots is a power of two */
    size_t word_slots, word_count;
    struct term *terms;
    size_t term_count, term_capacity;
    uint32_t *lengths; /* words of each chunk */
    size_t chunks;
    float mean;
};

int rlx_word_index_create(struct rlx_word_index **indexp, TALLOC_CTX *ctx, size_t chunks)
{
    struct rlx_word_index *index = talloc_zero(ctx, struct rlx_word_index);

    if (!index)
        return -ENOMEM;
    index->word_slots = 1024;
    index->words = talloc_zero_size(index, index->word_slots * sizeof *index->words);
    index->lengths = talloc_zero_size(index, (chunks + 1) * sizeof *index->lengths);
    index->chunks = chunks;
    if (!index->words || !index->lengths) {
        talloc_free(index);
        return -ENOMEM;
    }
    *indexp = index;
    return 0;
}

/* FNV-1a. */
static size_t hash(const char *text)
{
    uint64_t h = 1469598103934665603ULL;

    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 1099511628211ULL;
    return (size_t)(h ^ (h >> 29));
}

/* The slot of the word, or the free one where it belongs. */
static struct word *slot_of(struct word *words, size_t slots, const char *text)
{
    size_t at = hash(text) & (slots - 1);

    while (words[at].text && strcmp(words[at].text, text) != 0)
        at = (at + 1) & (slots - 1);
    return &words[at];
}

static int grow(struct rlx_word_index *index)
{
    size_t slots = index->word_slots * 2;
    struct word *words = talloc_zero_size(index, slots * sizeof *words);

    if (!words)
        return -ENOMEM;
    for (size_t i = 0; i < index->word_slots; i++)
        if (index->words[i].text)
            *slot_of(words, slots, index->words[i].text) = index->words[i];
    talloc_free(index->words);
    index->words = words;
    index->word_slots = slots;
    return 0;
}

static int put(struct rlx_word_index *index, const char *text, uint32_t term)
{
    if (index->word_count * 2 >= index->word_slots && grow(index))
        return -ENOMEM;
    struct word *slot = slot_of(index->words, index->word_slots, text);
    slot->text = talloc_strdup(index, text);
    slot->term = term;
    index->word_count += slot->text != NULL;
    return slot->text ? 0 : -ENOMEM;
}

static int new_term(uint32_t *termp, struct rlx_word_index *index)
{
    if (index->term_count == index->term_capacity) {
        size_t capacity = index->term_capacity ? index->term_capacity * 2 : 512;
        struct term *terms = talloc_realloc_size(index, index->terms, capacity * sizeof *terms);
        if (!terms)
            return -ENOMEM;
        index->terms = terms;
        index->term_capacity = capacity;
    }
    index->terms[index->term_count] = (struct term){.postings = NULL};
    *termp = (uint32_t)index->term_count++;
    return 0;
}

/* "tires" and "tire" are one term: words are found by their stem, which stands in the table as a
 * word of its own. */
static int term_of(uint32_t *termp, struct rlx_word_index *index, const char *text)
{
    const struct word *known = slot_of(index->words, index->word_slots, text);
    char *stem, *key;
    int err = 0;

    if (known->text) {
        *termp = known->term;
        return 0;
    }
    *termp = NO_TERM;
    if (!rlx_search_counts(text))
        return put(index, text, NO_TERM);
    stem = rlx_word_stem(NULL, text);
    key = stem ? talloc_asprintf(stem, "=%s", stem) : NULL; /* no word has this sign */
    if (!key) {
        talloc_free(stem);
        return -ENOMEM;
    }
    known = slot_of(index->words, index->word_slots, key);
    if (known->text)
        *termp = known->term;
    else if (!(err = new_term(termp, index)))
        err = put(index, key, *termp);
    if (!err)
        err = put(index, text, *termp);
    talloc_free(stem);
    return err;
}

static int count_in(struct rlx_word_index *index, uint32_t number, size_t chunk, unsigned weight)
{
    struct term *term = &index->terms[number];

    if (term->count && term->postings[term->count - 1].chunk == chunk) {
        term->postings[term->count - 1].count += weight;
        return 0;
    }
    if (term->count == term->capacity) {
        uint32_t capacity = term->capacity ? term->capacity * 2 : 2;
        struct posting *grown =
            talloc_realloc_size(index, term->postings, capacity * sizeof *grown);
        if (!grown)
            return -ENOMEM;
        term->postings = grown;
        term->capacity = capacity;
    }
    term->postings[term->count++] = (struct posting){(uint32_t)chunk, weight};
    return 0;
}

int rlx_word_index_add(struct rlx_word_index *index, size_t chunk, const char *text,
                       unsigned weight)
{
    char word[RLX_SEARCH_WORD + 1];
    uint32_t term;
    int err = 0;

    while (!err && rlx_search_next(&text, word)) {
        err = term_of(&term, index, word);
        if (err || term == NO_TERM)
            continue;
        err = count_in(index, term, chunk, weight);
        index->lengths[chunk] += weight;
    }
    return err;
}

void rlx_word_index_finish(struct rlx_word_index *index)
{
    double total = 0;

    for (size_t i = 0; i < index->chunks; i++)
        total += index->lengths[i];
    index->mean = index->chunks && total > 0 ? (float)(total / (double)index->chunks) : 1.0f;
}

/* The terms of a question, each once. */
static size_t terms_of(const struct rlx_word_index *index, const char *text,
                       uint32_t terms[RLX_SEARCH_WORDS])
{
    char word[RLX_SEARCH_WORD + 1];
    size_t count = 0;

    while (count < RLX_SEARCH_WORDS && rlx_search_next(&text, word)) {
        if (!rlx_search_counts(word))
            continue;
        const struct word *known = slot_of(index->words, index->word_slots, word);
        char *stem = known->text ? NULL : rlx_word_stem(NULL, word);
        char *key = stem ? talloc_asprintf(stem, "=%s", stem) : NULL;
        if (key)
            known = slot_of(index->words, index->word_slots, key);
        bool seen = !known->text;
        for (size_t i = 0; i < count && !seen; i++)
            seen = terms[i] == known->term;
        if (!seen)
            terms[count++] = known->term;
        talloc_free(stem);
    }
    return count;
}

static void score(const struct rlx_word_index *index, const struct term *term, float *scores)
{
    float n = (float)index->chunks, df = (float)term->count;
    float idf = logf(1 + (n - df + 0.5f) / (df + 0.5f));

    for (uint32_t i = 0; i < term->count; i++) {
        const struct posting *p = &term->postings[i];
        float tf = (float)p->count;
        float length = (float)index->lengths[p->chunk] / index->mean;
        scores[p->chunk] += idf * tf * (K1 + 1) / (tf + K1 * (1 - B + B * length));
    }
}

size_t rlx_word_index_search(const struct rlx_word_index *index, const char *text,
                             struct rlx_word_hit *hits, size_t limit)
{
    uint32_t terms[RLX_SEARCH_WORDS];
    size_t count = 0, term_count = terms_of(index, text, terms);

    if (!term_count || !limit)
        return 0;
    float *scores = talloc_zero_size(NULL, index->chunks * sizeof *scores);
    for (size_t i = 0; scores && i < term_count; i++)
        score(index, &index->terms[terms[i]], scores);
    for (size_t chunk = 0; scores && chunk < index->chunks; chunk++) {
        if (scores[chunk] <= 0 || (count == limit && scores[chunk] <= hits[count - 1].score))
            continue;
        size_t at = count < limit ? count++ : count - 1;
        for (; at > 0 && hits[at - 1].score < scores[chunk]; at--)
            hits[at] = hits[at - 1];
        hits[at] = (struct rlx_word_hit){chunk, scores[chunk]};
    }
    talloc_free(scores);
    return count;
}
