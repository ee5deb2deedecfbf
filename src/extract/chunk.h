/* A text in chunks for search: sentences are kept whole, neighbours overlap. Pure; any thread. */
#ifndef RLX_EXTRACT_CHUNK_H
#define RLX_EXTRACT_CHUNK_H

#include <stddef.h>
#include <talloc.h>

#define RLX_CHUNK_WORDS 150       /* aimed at; at most 180 unless one sentence is longer */
#define RLX_CHUNK_WORDS_MAX 180
#define RLX_CHUNK_OVERLAP_WORDS 35
#define RLX_CHUNK_BYTES_MAX 2000  /* also of a sentence that never ends */

/* Cuts `text` (UTF-8). *chunksp is an array on ctx with its texts, *countp long; an empty text gives none. A text of one chunk is
 * given as it stands. -ENOMEM. */
int rlx_chunks_make(char ***chunksp, size_t *countp, TALLOC_CTX *ctx, const char *text)
    __attribute__((warn_unused_result));

/* Bytes of the first sentence of `text` with the blanks behind it, at most RLX_CHUNK_BYTES_MAX / 4; 0 at the end. A sentence ends
 * with . ! ? … or a line break; not behind a number's point or a short abbreviation. */
size_t rlx_sentence_length(const char *text);
/* Words of the stretch; scripts without blanks count three characters as one. */
size_t rlx_chunk_words(const char *text, size_t length);

#endif
