#include "call/split.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "call/phrases.h"
#include "call/split_rules.h"

#define TURN_MAX 8192
#define FIRST_WORDS 4
#define FIRST_CHARS 25

struct rlx_split {
    char *text; /* TURN_MAX + 1 bytes; [at, length) is not taken yet */
    size_t at, length;
    unsigned words;
    bool ended;
    bool first_taken;
};

int rlx_split_create(struct rlx_split **splitp, TALLOC_CTX *ctx)
{
    if (!splitp)
        return -EINVAL;
    struct rlx_split *split = talloc_zero(ctx, struct rlx_split);
    if (!split)
        return -ENOMEM;
    split->text = talloc_zero_size(split, TURN_MAX + 1);
    if (!split->text) {
        talloc_free(split);
        return -ENOMEM;
    }
    *splitp = split;
    return 0;
}

void rlx_split_feed(struct rlx_split *split, const char *text)
{
    if (!split || !text || split->ended)
        return;
    size_t room = TURN_MAX - split->length, n = strlen(text);
    if (n > room) {
        n = room;
        /* No half character at the cut. */
        while (n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80)
            n--;
    }
    memcpy(split->text + split->length, text, n);
    split->length += n;
    split->text[split->length] = '\0';
}

void rlx_split_end(struct rlx_split *split)
{
    if (split)
        split->ended = true;
}

unsigned rlx_split_words(const struct rlx_split *split)
{
    return split ? split->words : 0;
}

/* Whether [at, at + n) has anything that a voice could say. */
static bool has_words(const char *at, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)at[i];
        if (isalnum(c) || (c >= 0xC3 && c <= 0xCD))
            return true;
    }
    return false;
}

/* The first clause is long enough to be a piece of its own. */
static bool is_long_enough(const char *at, size_t n)
{
    unsigned words = 0;
    for (size_t i = 0; i < n; i++)
        words += !isspace((unsigned char)at[i]) && (i == 0 || isspace((unsigned char)at[i - 1]));
    return words >= FIRST_WORDS || n >= FIRST_CHARS;
}

/* Length of the next piece, 0 when it is not decided yet. */
static size_t piece_length(const struct rlx_split *split, bool stalled)
{
    const char *text = split->text + split->at;
    size_t n = split->length - split->at, clause = 0, space = 0;
    for (size_t i = 0; i < n; i++) {
        enum rlx_cut cut = rlx_split_cut(text, n, i, split->ended, stalled);
        if (cut == RLX_CUT_UNKNOWN)
            return stalled ? clause : 0;
        if (cut == RLX_CUT_SENTENCE)
            return i + 1;
        if (cut == RLX_CUT_CLAUSE) {
            if (!split->first_taken && is_long_enough(text, i + 1))
                return i + 1;
            clause = i + 1;
        }
        if (cut == RLX_CUT_SPACE)
            space = i + 1;
        /* Only where the next byte is known: it may belong to the same character. */
        if (i + 1 >= RLX_SPLIT_PIECE_MAX && (i + 1 < n || split->ended)) {
            size_t at = clause ? clause : space ? space : i + 1;
            while (at > 1 && ((unsigned char)text[at] & 0xC0) == 0x80)
                at--;
            return at;
        }
    }
    if (split->ended)
        return n;
    return stalled ? clause : 0;
}

/* Skips white space and what is not prose; false when it can't be decided yet. */
static bool skip_to_prose(struct rlx_split *split)
{
    for (;;) {
        while (split->at < split->length && isspace((unsigned char)split->text[split->at]))
            split->at++;
        if (split->at >= split->length)
            return false;
        int skip =
            rlx_split_markup(split->text + split->at, split->length - split->at, split->ended);
        if (skip < 0)
            return false;
        if (skip == 0)
            return true;
        split->at += (size_t)skip;
    }
}

char *rlx_split_next(struct rlx_split *split, TALLOC_CTX *ctx, bool stalled)
{
    while (split && skip_to_prose(split)) {
        size_t n = piece_length(split, stalled);
        if (n == 0)
            return NULL;
        const char *text = split->text + split->at;
        split->at += n;
        while (n > 0 && isspace((unsigned char)text[n - 1]))
            n--;
        if (!has_words(text, n))
            continue;
        char *piece = talloc_strndup(ctx, text, n);
        if (!piece)
            return NULL;
        split->first_taken = true;
        split->words += rlx_text_words(piece);
        return piece;
    }
    return NULL;
}
