/* Where a text may be cut, and what is no prose: the rules behind split.c. Pure; any thread. */
#ifndef RLX_CALL_SPLIT_RULES_H
#define RLX_CALL_SPLIT_RULES_H

#include <stdbool.h>
#include <stddef.h>

#define RLX_SPLIT_PIECE_MAX 200

enum rlx_cut {
    RLX_CUT_NONE,
    RLX_CUT_SPACE,    /* a place for a cut when nothing better is near */
    RLX_CUT_CLAUSE,   /* after this byte a clause ends */
    RLX_CUT_SENTENCE, /* after this byte a sentence ends */
    RLX_CUT_UNKNOWN,  /* more text is needed to say */
};

/* What ends after byte `i` of text[0, n). `ended`: no more text will come. `stalled`: none came for
 * a while, so that the end of the text counts as a gap; abbreviations, numbers and initials at the
 * very end stay unknown. */
enum rlx_cut rlx_split_cut(const char *text, size_t n, size_t i, bool ended, bool stalled);

/* Bytes of markup (JSON, a tag, a code fence, a bracketed note) at the start of text[0, n) to be
 * dropped: 0 when it is prose, -1 when it can't be said yet. With `ended`, what was never closed is
 * dropped whole. */
int rlx_split_markup(const char *text, size_t n, bool ended);

#endif
