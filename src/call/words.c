#include "call/words.h"

#include <errno.h>
#include <string.h>

#include "call/phrases.h"

struct expansion {
    const char *from;
    const char *to[3];
};

static const struct expansion expansions[] = {
    {"don't", {"do", "not"}},    {"dont", {"do", "not"}},      {"can't", {"can", "not"}},
    {"cant", {"can", "not"}},    {"cannot", {"can", "not"}},   {"won't", {"will", "not"}},
    {"ain't", {"is", "not"}},    {"shan't", {"shall", "not"}}, {"didnt", {"did", "not"}},
    {"doesnt", {"does", "not"}}, {"isnt", {"is", "not"}},      {"wont", {"will", "not"}},
    {"i'm", {"i", "am"}},        {"im", {"i", "am"}},          {"let's", {"let", "us"}},
    {"gonna", {"going", "to"}},  {"wanna", {"want", "to"}},    {"gotta", {"got", "to"}},
    {"gimme", {"give", "me"}},   {"lemme", {"let", "me"}},     {"whats", {"what", "is"}},
    {"thats", {"that", "is"}},   {"y'all", {"you", "all"}},    {"c'mon", {"come", "on"}},
    {"how're", {"how", "are"}},  {"o'clock", {"o'clock"}},
};

/* Only after these words is 's surely "is" and no possessive. */
static const char *const is_words =
    "it|that|this|what|who|where|how|when|why|there|here|he|she|everything|nothing|name";

static int push(struct rlx_words *words, TALLOC_CTX *ctx, const char *text, size_t length)
{
    if (words->count >= RLX_WORDS_MAX)
        return 0;
    char *copy = talloc_strndup(ctx, text, length);
    if (!copy)
        return -ENOMEM;
    words->word[words->count++] = copy;
    return 0;
}

bool rlx_word_in(const char *word, const char *list)
{
    size_t length = strlen(word);
    for (const char *at = list; length > 0 && (at = strstr(at, word)); at++) {
        if ((at == list || at[-1] == '|') && (at[length] == '|' || !at[length]))
            return true;
    }
    return false;
}

/* "they'll" → they will; the stem is `length` letters of `word`. */
static int push_pair(struct rlx_words *words, TALLOC_CTX *ctx, const char *word, size_t length,
                     const char *second)
{
    int err = push(words, ctx, word, length);
    return err ? err : push(words, ctx, second, strlen(second));
}

static int push_suffix(struct rlx_words *words, TALLOC_CTX *ctx, const char *word)
{
    static const char *const suffixes[][2] = {
        {"'re", "are"}, {"'ll", "will"}, {"'ve", "have"}, {"'d", "would"}};
    size_t length = strlen(word);
    if (length > 3 && !strcmp(word + length - 3, "n't"))
        return push_pair(words, ctx, word, length - 3, "not");
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
        size_t n = strlen(suffixes[i][0]);
        if (length > n && !strcmp(word + length - n, suffixes[i][0]))
            return push_pair(words, ctx, word, length - n, suffixes[i][1]);
    }
    if (length > 2 && !strcmp(word + length - 2, "'s")) {
        char *stem = talloc_strndup(ctx, word, length - 2);
        if (!stem)
            return -ENOMEM;
        if (rlx_word_in(stem, is_words))
            return push_pair(words, ctx, word, length - 2, "is");
    }
    return push(words, ctx, word, length);
}

static int push_expanded(struct rlx_words *words, TALLOC_CTX *ctx, const char *word)
{
    for (size_t i = 0; i < sizeof(expansions) / sizeof(*expansions); i++) {
        if (strcmp(expansions[i].from, word) != 0)
            continue;
        for (size_t k = 0; k < 3 && expansions[i].to[k]; k++) {
            int err = push(words, ctx, expansions[i].to[k], strlen(expansions[i].to[k]));
            if (err)
                return err;
        }
        return 0;
    }
    return strchr(word, '\'') ? push_suffix(words, ctx, word)
                              : push(words, ctx, word, strlen(word));
}

int rlx_words_make(struct rlx_words *words, TALLOC_CTX *ctx, const char *text, bool expand)
{
    memset(words, 0, sizeof(*words));
    char *plain = rlx_text_plain(ctx, text);
    if (!plain)
        return -ENOMEM;
    char *rest = plain;
    for (char *word; (word = strsep(&rest, " "));) {
        if (!*word)
            continue;
        int err = expand ? push_expanded(words, ctx, word) : push(words, ctx, word, strlen(word));
        if (err)
            return err;
    }
    return 0;
}

/* Whether `word` is one of the alternatives in [term, term + length). */
static bool term_matches(const char *term, size_t length, const char *word)
{
    if (length == 1 && *term == '*')
        return true;
    size_t n = strlen(word);
    for (const char *at = term; at < term + length;) {
        const char *bar = memchr(at, '|', (size_t)(term + length - at));
        const char *stop = bar ? bar : term + length;
        if ((size_t)(stop - at) == n && !memcmp(at, word, n))
            return true;
        at = stop + 1;
    }
    return false;
}

unsigned rlx_words_match(const struct rlx_words *words, unsigned at, const char *pattern)
{
    unsigned i = at;
    for (const char *term = pattern; *term;) {
        const char *stop = strchrnul(term, ' ');
        bool optional = *term == '?';
        const char *body = optional ? term + 1 : term;
        if (i < words->count && term_matches(body, (size_t)(stop - body), words->word[i]))
            i++;
        else if (!optional)
            return 0;
        term = *stop ? stop + 1 : stop;
    }
    return i - at;
}

unsigned rlx_words_match_any(const struct rlx_words *words, unsigned at,
                             const char *const *patterns)
{
    unsigned best = 0;
    for (; *patterns; patterns++) {
        unsigned taken = rlx_words_match(words, at, *patterns);
        if (taken > best)
            best = taken;
    }
    return best;
}

int rlx_words_find(const struct rlx_words *words, unsigned from, const char *const *patterns,
                   unsigned *lengthp)
{
    for (unsigned i = from; i < words->count; i++) {
        unsigned taken = rlx_words_match_any(words, i, patterns);
        if (!taken)
            continue;
        if (lengthp)
            *lengthp = taken;
        return (int)i;
    }
    return -1;
}
