/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Cuts a text into the pieces that are spoken one by one: sentences, and for a quick start a first
 * clause. Pure.
 */
#ifndef RLX_SPEECH_SENTENCES_H
#define RLX_SPEECH_SENTENCES_H

#include <stddef.h>
#include <talloc.h>

/* The longest piece in bytes: what must be synthesized before a cancelled request stops. */
#define RLX_SENTENCE_MAX 240

/* Pieces of `text` in order, each trimmed and not empty, as a NULL-terminated array on ctx; *countp
 * their number. NULL when memory is out. */
char **rlx_sentences_split(size_t *countp, TALLOC_CTX *ctx, const char *text);

#endif
