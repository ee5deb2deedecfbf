#include "store/search_words.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static bool says_nothing(const char *word)
{
    static const char list[] =
        " a about again also am an and any are as at be because been but by can come could did do "
        "does for from get give go got had has have he hello her here hey hi him his how i if in "
        "into is it its just know let like many may me might more much my need no not of off oh "
        "ok okay on one only or our out please really right said say says see she should so some "
        "sorry such sure talk tell than thank thanks that the their them then there these they "
        "thing things this those to too uh um up us very want was way we well were what when "
        "where which who whose why will with would yeah yes you your ";
    char padded[RLX_SEARCH_WORD + 3];

    snprintf(padded, sizeof padded, " %s ", word);
    return strstr(list, padded) != NULL;
}

static bool is_word_byte(unsigned char c)
{
    return isalnum(c) || c >= 0x80;
}

/* U+2000…U+206F (dashes, quotes, …) and U+3000…U+303F part words, as do the marks of Latin-1. */
static size_t wide_mark(const unsigned char *p)
{
    if (p[0] == 0xE2 && (p[1] == 0x80 || p[1] == 0x81) && p[2])
        return 3;
    if (p[0] == 0xE3 && p[1] == 0x80 && p[2])
        return 3;
    if (p[0] == 0xC2 && p[1])
        return 2;
    return 0;
}

bool rlx_search_next(const char **textp, char word[RLX_SEARCH_WORD + 1])
{
    const unsigned char *p = (const unsigned char *)*textp;
    size_t n = 0;

    for (size_t mark; *p && ((mark = wide_mark(p)) || !is_word_byte(*p));)
        p += mark ? mark : 1;
    while (*p && is_word_byte(*p) && !wide_mark(p)) {
        if (n < RLX_SEARCH_WORD)
            word[n++] = (char)(*p < 0x80 ? tolower(*p) : *p);
        p++;
    }
    if (n == RLX_SEARCH_WORD) { /* maybe cut within a character: that one goes */
        while (n && ((unsigned char)word[n - 1] & 0xC0) == 0x80)
            n--;
        n -= n && (unsigned char)word[n - 1] >= 0xC0;
    }
    word[n] = '\0';
    if (*p == '\'' || !strncmp((const char *)p, "\xE2\x80\x99", 3)) {
        p += *p == '\'' ? 1 : 3;
        while (isalpha(*p))
            p++;
    }
    *textp = (const char *)p;
    return n > 0;
}

bool rlx_search_counts(const char *word)
{
    return word[1] ? !says_nothing(word) : isdigit((unsigned char)*word);
}

char *rlx_search_words(TALLOC_CTX *ctx, const char *text, const char *quote, const char *between)
{
    char words[RLX_SEARCH_WORDS][RLX_SEARCH_WORD + 1], word[RLX_SEARCH_WORD + 1];
    size_t count = 0;
    char *out = NULL;

    while (count < RLX_SEARCH_WORDS && rlx_search_next(&text, word)) {
        bool known = !rlx_search_counts(word);
        for (size_t i = 0; i < count && !known; i++)
            known = !strcmp(words[i], word);
        if (!known)
            snprintf(words[count++], sizeof words[0], "%s", word);
    }
    for (size_t i = 0; i < count; i++) {
        char *longer =
            out ? talloc_asprintf_append_buffer(out, "%s%s%s%s", between, quote, words[i], quote)
                : talloc_asprintf(ctx, "%s%s%s", quote, words[i], quote);
        if (!longer) {
            talloc_free(out);
            return NULL;
        }
        out = longer;
    }
    return out;
}
