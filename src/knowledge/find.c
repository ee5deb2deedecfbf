#include "knowledge/find.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "extract/chunk.h"
#include "store/search_words.h"

#define RANK_BASE 60.0f  /* of the fusion */
#define SIMILAR 0.35f    /* from here on a passage is about the same thing */
#define UNLIKE 0.20f     /* below, shared words are chance */
#define FIRST_WORDS 2    /* hits of the full-text search that need no nearness beyond that */
#define WORDS_SHARE 0.4f /* of the best hit's score, when there are no vectors */
#define TITLE_BYTES 80

/* ---- the two lists ---- */

struct near {
    size_t chunk;
    float similarity;
};

/* Eight sums at a time, so that the compiler may use vector registers without reordering one sum.
 */
static float dot(const float *a, const float *b, size_t n)
{
    float sums[8] = {0}, sum = 0;
    size_t i = 0;

    for (; i + 8 <= n; i += 8)
        for (size_t k = 0; k < 8; k++)
            sums[k] += a[i + k] * b[i + k];
    for (; i < n; i++)
        sum += a[i] * b[i];
    for (size_t k = 0; k < 8; k++)
        sum += sums[k];
    return sum;
}

static bool can_compare(const struct rlx_known *known, const float *vector, size_t dim)
{
    size_t own, chunks;

    rlx_known_chunks(known, &chunks);
    return vector && chunks && rlx_known_vector(known, 0, &own) && own == dim;
}

static size_t nearest(struct near list[RLX_FIND_LIST], const struct rlx_known *known,
                      const float *vector, size_t dim)
{
    size_t chunks, own, count = 0;

    rlx_known_chunks(known, &chunks);
    if (!can_compare(known, vector, dim))
        return 0;
    for (size_t i = 0; i < chunks; i++) {
        struct near next = {i, dot(rlx_known_vector(known, i, &own), vector, dim)};
        if (next.similarity < UNLIKE ||
            (count == RLX_FIND_LIST && next.similarity <= list[count - 1].similarity))
            continue;
        size_t at = count < RLX_FIND_LIST ? count++ : count - 1;
        for (; at > 0 && list[at - 1].similarity < next.similarity; at--)
            list[at] = list[at - 1];
        list[at] = next;
    }
    return count;
}

/* ---- joined ---- */

struct candidate {
    size_t chunk;
    float score, similarity, words;
    bool first_words; /* among the first of the full-text search */
};

struct pool {
    struct candidate all[2 * RLX_FIND_LIST];
    size_t count;
};

static struct candidate *candidate_of(struct pool *pool, size_t chunk)
{
    for (size_t i = 0; i < pool->count; i++)
        if (pool->all[i].chunk == chunk)
            return &pool->all[i];
    pool->all[pool->count] = (struct candidate){.chunk = chunk};
    return &pool->all[pool->count++];
}

static int by_score(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;

    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return x->chunk > y->chunk ? 1 : -1;
}

static bool is_useful(const struct candidate *c, bool vectors, float best_words)
{
    if (!vectors)
        return c->words >= WORDS_SHARE * best_words;
    return c->similarity >= SIMILAR || (c->first_words && c->similarity >= UNLIKE);
}

/* ---- what of a chunk the model gets ---- */

/* Whether the sentence holds the word, also with another ending. */
static bool holds(const char *sentence, size_t length, const char *word)
{
    size_t n = strlen(word);

    n = n > 6 ? n - 2 : n > 4 ? n - 1 : n;
    for (size_t i = 0; i + n <= length; i++)
        if (!strncasecmp(sentence + i, word, n) && (!i || !isalnum((unsigned char)sentence[i - 1])))
            return true;
    return false;
}

static unsigned words_in(const char *sentence, size_t length, const char *words)
{
    char word[80];
    unsigned count = 0;

    for (const char *p = words; p && *p;) {
        size_t n = strcspn(p, " ");
        if (n < sizeof word) {
            memcpy(word, p, n);
            word[n] = '\0';
            count += holds(sentence, length, word);
        }
        p += n + (p[n] == ' ');
    }
    return count;
}

#define SENTENCES_MAX 64

/* The stretch of whole sentences of at most `most` bytes around the one that holds most of the
 * words. */
static void window(const char *text, const char *words, size_t most, size_t *fromp, size_t *lengthp)
{
    size_t from[SENTENCES_MAX], length[SENTENCES_MAX], count = 0, best = 0;
    unsigned best_words = 0;

    for (size_t at = 0, n; count < SENTENCES_MAX && (n = rlx_sentence_length(text + at)); at += n) {
        from[count] = at;
        length[count] = n;
        unsigned found = words_in(text + at, n, words);
        if (found > best_words) {
            best_words = found;
            best = count;
        }
        count++;
    }
    size_t first = best, last = best, total = count ? length[best] : 0;
    for (bool grown = true; grown && count;) {
        grown = false;
        if (last + 1 < count && total + length[last + 1] <= most) {
            total += length[++last];
            grown = true;
        }
        if (first > 0 && total + length[first - 1] <= most) {
            total += length[--first];
            grown = true;
        }
    }
    *fromp = count ? from[first] : 0;
    *lengthp = total < most ? total : most;
    while (*lengthp > 0 && ((unsigned char)text[*fromp + *lengthp] & 0xC0) == 0x80)
        --*lengthp;
    while (*lengthp > 0 && isspace((unsigned char)text[*fromp + *lengthp - 1]))
        --*lengthp;
}

/* On one line, with the title before it when that says where it is from. */
static char *passage_text(TALLOC_CTX *ctx, const struct rlx_known_chunk *chunk, const char *words)
{
    size_t from, length, title = strlen(chunk->title);
    bool named = title <= TITLE_BYTES && strncasecmp(chunk->text, chunk->title, title) != 0;

    window(chunk->text, words, RLX_FIND_PASSAGE_BYTES - (named ? title + 2 : 0), &from, &length);
    char *text = talloc_asprintf(ctx, "%s%s%.*s", named ? chunk->title : "", named ? ": " : "",
                                 (int)length, chunk->text + from);
    for (char *p = text; p && *p; p++)
        if (*p == '\n' || *p == '\t')
            *p = ' ';
    return text;
}

static void add_near(struct pool *pool, const struct near *near, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct candidate *c = candidate_of(pool, near[i].chunk);
        c->similarity = near[i].similarity;
        c->score += 1 / (RANK_BASE + (float)i + 1);
    }
}

static float add_words(struct pool *pool, const struct rlx_known *known, const char *text,
                       const float *vector, size_t dim)
{
    struct rlx_word_hit hits[RLX_FIND_LIST];
    size_t own, count = rlx_word_index_search(rlx_known_words(known), text, hits, RLX_FIND_LIST);

    for (size_t i = 0; i < count; i++) {
        struct candidate *c = candidate_of(pool, hits[i].chunk);
        if (vector)
            c->similarity = dot(rlx_known_vector(known, hits[i].chunk, &own), vector, dim);
        c->words = hits[i].score;
        c->first_words = i < FIRST_WORDS;
        c->score += 1 / (RANK_BASE + (float)i + 1);
    }
    return count ? hits[0].score : 0.0f;
}

void rlx_find(struct rlx_found *found, TALLOC_CTX *ctx, const struct rlx_known *known,
              const char *text, const float *vector, size_t dim)
{
    struct pool pool = {.count = 0};
    struct near near[RLX_FIND_LIST];
    size_t chunk_count;
    const struct rlx_known_chunk *chunks = rlx_known_chunks(known, &chunk_count);
    bool vectors = can_compare(known, vector, dim);

    memset(found, 0, sizeof *found);
    add_near(&pool, near, nearest(near, known, vector, dim));
    float best_words = add_words(&pool, known, text, vectors ? vector : NULL, dim);
    qsort(pool.all, pool.count, sizeof pool.all[0], by_score);
    float whole = (float)(1 + vectors) / (RANK_BASE + 1);
    char *words = rlx_search_words(NULL, text, "", " ");
    for (size_t i = 0; i < pool.count && found->count < RLX_FIND_MOST; i++) {
        const struct candidate *c = &pool.all[i];
        if (!is_useful(c, vectors, best_words))
            continue;
        struct rlx_found_passage *p = &found->passages[found->count];
        *p = (struct rlx_found_passage){
            .chunk = &chunks[c->chunk],
            .text = passage_text(ctx, &chunks[c->chunk], words),
            .score = c->score / whole,
            .similarity = c->similarity,
            .words = c->words,
        };
        found->count += p->text != NULL;
    }
    talloc_free(words);
}
