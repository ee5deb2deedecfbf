/* Full-text search in an agent's chunks. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store/db.h"
#include "store/knowledge.h"

#define WORDS_MAX 12      /* more make a search slow and no better */
#define WORD_BYTES_MAX 64

/* Words that stand in every text and every question. */
static bool says_nothing(const char *word)
{
    static const char list[] =
        " a about also am an and any are as at be been but by can could did do does for from get give go "
        "got had has have he hello her here hey hi him his how i if in into is it its just know let like "
        "may me might more my need no not of oh ok okay on one or our out please really right say she should "
        "so some tell than thanks that the their them then there these they thing things this those to too "
        "uh um up us very want was way we well were what when where which who whose why will with would yeah "
        "yes you your ";
    char padded[WORD_BYTES_MAX + 3];

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

/* The next word in lower case (ASCII), without the apostrophe's end; false at the end of the text. */
static bool next_word(const char **textp, char word[WORD_BYTES_MAX + 1])
{
    const unsigned char *p = (const unsigned char *)*textp;
    size_t n = 0;

    for (size_t mark; *p && ((mark = wide_mark(p)) || !is_word_byte(*p));)
        p += mark ? mark : 1;
    while (*p && is_word_byte(*p) && !wide_mark(p)) {
        if (n < WORD_BYTES_MAX)
            word[n++] = (char)(*p < 0x80 ? tolower(*p) : *p);
        p++;
    }
    while (n && n == WORD_BYTES_MAX && ((unsigned char)word[n - 1] & 0x80))
        n--; /* maybe half a character: the whole of its word's end goes */
    word[n] = '\0';
    if (*p == '\'' || !strncmp((const char *)p, "\xE2\x80\x99", 3)) {
        p += *p == '\'' ? 1 : 3;
        while (isalpha(*p))
            p++;
    }
    *textp = (const char *)p;
    return n > 0;
}

char *rlx_search_words(TALLOC_CTX *ctx, const char *text, const char *quote, const char *between)
{
    char words[WORDS_MAX][WORD_BYTES_MAX + 1], word[WORD_BYTES_MAX + 1];
    size_t count = 0;
    char *out = NULL;

    while (count < WORDS_MAX && next_word(&text, word)) {
        bool known = strlen(word) < 2 ? !isdigit((unsigned char)*word) : says_nothing(word);
        for (size_t i = 0; i < count && !known; i++)
            known = !strcmp(words[i], word);
        if (!known)
            snprintf(words[count++], sizeof words[0], "%s", word);
    }
    for (size_t i = 0; i < count; i++) {
        char *longer = out ? talloc_asprintf_append_buffer(out, "%s%s%s%s", between, quote, words[i], quote)
                           : talloc_asprintf(ctx, "%s%s%s", quote, words[i], quote);
        if (!longer) {
            talloc_free(out);
            return NULL;
        }
        out = longer;
    }
    return out;
}

struct hits_out {
    struct rlx_knowledge_hit *hits;
    size_t limit, count;
};

static int take_hit(struct rlx_row *row, void *arg)
{
    struct hits_out *out = arg;

    if (out->count == out->limit)
        return 0;
    struct rlx_knowledge_hit *hit = &out->hits[out->count++];
    snprintf(hit->knowledge_id, sizeof hit->knowledge_id, "%s", rlx_row_text(row, 0));
    hit->chunk = (int)rlx_row_int(row, 1);
    hit->score = (double)rlx_row_int(row, 2) / 1e6;
    return 0;
}

/* The agent's id without hyphens: one word of the index. */
static void scope_of(char scope[37], const char *agent_id)
{
    size_t n = 0;

    for (; *agent_id && n < 36; agent_id++)
        if (isxdigit((unsigned char)*agent_id))
            scope[n++] = *agent_id;
    scope[n] = '\0';
}

int rlx_knowledge_search(struct rlx_store *store, const char *agent_id, const char *text,
                         struct rlx_knowledge_hit *hits, size_t limit, size_t *countp)
{
    struct hits_out out = {.hits = hits, .limit = limit > 50 ? 50 : limit};
    char scope[37];

    if (!store || !agent_id || !text || !hits || !countp)
        return -EINVAL;
    *countp = 0;
    /* In the full-text query language of SQLite; the query for PostgreSQL rewrites it. */
    char *words = rlx_search_words(NULL, text, "\"", " OR ");
    if (!words)
        return 0;
    scope_of(scope, agent_id);
    int err = RLX_ONCE(store, RLX_DB_READ, RLX_Q_KNOWLEDGE_SEARCH, take_hit, &out, NULL,
                       RLX_TEXT(scope), RLX_TEXT(words), RLX_INT((int64_t)out.limit));
    talloc_free(words);
    *countp = out.count;
    return err;
}
