/* Which chunks hold the words of a question: BM25 (Robertson, Zaragoza 2009; k1 1.2, b 0.75) over an index in memory, so
 * that a look-up in a call neither waits for a database nor depends on how many rows a word is in. English stems; words of other
 * languages as they are. Immutable once made; any thread. */
#ifndef RLX_KNOWLEDGE_WORDS_H
#define RLX_KNOWLEDGE_WORDS_H

#include <stddef.h>
#include <talloc.h>

struct rlx_word_index;

struct rlx_word_hit {
    size_t chunk;
    float score; /* larger is better; comparable within one search only */
};

int rlx_word_index_create(struct rlx_word_index **indexp, TALLOC_CTX *ctx, size_t chunks)
    __attribute__((warn_unused_result));
/* Adds the words of a chunk, each counted `weight` times. Chunks come in order; one may be added to again. */
int rlx_word_index_add(struct rlx_word_index *index, size_t chunk, const char *text, unsigned weight)
    __attribute__((warn_unused_result));
/* After the last chunk. */
void rlx_word_index_finish(struct rlx_word_index *index);

/* The best chunks for `text`, best first; returns their number, at most `limit`. */
size_t rlx_word_index_search(const struct rlx_word_index *index, const char *text,
                             struct rlx_word_hit *hits, size_t limit);

#endif
