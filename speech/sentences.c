/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sentences.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define FIRST_LONG 60  /* a first sentence beyond this is begun with its first clause */
#define CLAUSE_WORDS 4 /* but not with a shorter one */

static const char *const abbreviations[] = {
    "mr.", "mrs.", "ms.",  "dr.", "prof.", "st.", "vs.",   "etc.",    "e.g.", "i.e.",
    "no.", "inc.", "ltd.", "co.", "jr.",   "sr.", "dept.", "approx.", "a.m.", "p.m.",
};

/* True when the full stop at `dot` belongs to an abbreviation or an initial. */
static bool abbreviated(const char *text, const char *dot)
{
    const char *start = dot;

    while (start > text && !isspace((unsigned char)start[-1]))
        start--;
    size_t length = (size_t)(dot - start) + 1;
    if (length == 2 && isupper((unsigned char)*start) && *start != 'I')
        return true;
    for (size_t i = 0; i < sizeof abbreviations / sizeof abbreviations[0]; i++)
        if (strlen(abbreviations[i]) == length && !strncasecmp(start, abbreviations[i], length))
            return true;
    return false;
}

static bool closes(char c)
{
    return c == '"' || c == '\'' || c == ')' || c == ']';
}

/* Where the sentence that begins at p ends (behind its punctuation). */
static const char *sentence_end(const char *p)
{
    const char *start = p;

    for (; *p; p++) {
        if (*p == '\n')
            return p;
        if (!strchr(".!?", *p))
            continue;
        const char *end = p + 1;
        while (*end && (strchr(".!?", *end) || closes(*end)))
            end++;
        if (*end && !isspace((unsigned char)*end))
            continue;
        const char *next = end + strspn(end, " \t");
        if (*p == '.' && *next && *next != '\n' &&
            (islower((unsigned char)*next) || abbreviated(start, p)))
            continue;
        return end;
    }
    return p;
}

/* The end of the first clause of at least CLAUSE_WORDS words, or NULL. */
static const char *clause_end(const char *p, const char *end)
{
    unsigned words = 0;

    for (; p + 1 < end; p++) {
        if (!isspace((unsigned char)p[1]) || isspace((unsigned char)*p))
            continue;
        words++;
        if (words >= CLAUSE_WORDS && strchr(",;:", *p) && end - p > 12)
            return p + 1;
    }
    return NULL;
}

/* A cut of a sentence that is too long: behind the last comma, else the last space, else inside a
 * word (never inside a UTF-8 character). */
static const char *forced_end(const char *p)
{
    const char *space = NULL, *comma = NULL, *cut = p + RLX_SENTENCE_MAX;

    for (const char *c = p + RLX_SENTENCE_MAX / 3; c < p + RLX_SENTENCE_MAX; c++) {
        if (!isspace((unsigned char)*c))
            continue;
        space = c;
        if (strchr(",;:", c[-1]))
            comma = c;
    }
    while (((unsigned char)*cut & 0xc0) == 0x80)
        cut--;
    return comma ? comma : space ? space : cut;
}

char **rlx_sentences_split(size_t *countp, TALLOC_CTX *ctx, const char *text)
{
    char **pieces = talloc_zero_array(ctx, char *, 1);
    size_t n = 0;

    while (pieces) {
        const char *end, *clause;

        text += strspn(text, " \t\r\n");
        if (!*text)
            break;
        end = sentence_end(text);
        if (end - text > RLX_SENTENCE_MAX)
            end = forced_end(text);
        clause = n == 0 && end - text > FIRST_LONG ? clause_end(text, end) : NULL;
        if (clause)
            end = clause;
        pieces = talloc_realloc(ctx, pieces, char *, (unsigned)n + 2);
        if (!pieces)
            break;
        pieces[n + 1] = NULL;
        pieces[n] = talloc_strndup(pieces, text, (size_t)(end - text));
        if (!pieces[n]) {
            TALLOC_FREE(pieces);
            break;
        }
        n++;
        text = end;
    }
    *countp = n;
    return pieces;
}
