/* Plain text, words, edges, echo. The meanings stand in phrases_acts.c, the forms in
 * phrases_form.c. */
#include "call/phrases.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "call/words.h"

#define TEXT_MAX 4000
#define ECHO_WORDS_MAX 64

struct plain {
    const unsigned char *in;
    size_t length;
    char *out;
    size_t at;         /* of out */
    size_t word_start; /* in out */
    bool acronym;      /* the word so far is letters that were joined over dots */
};

static bool letter_at(const struct plain *p, size_t i)
{
    return i < p->length && (isalpha(p->in[i]) || p->in[i] >= 0xC3);
}

static bool digit_at(const struct plain *p, size_t i)
{
    return i < p->length && isdigit(p->in[i]);
}

static bool digit_before(const struct plain *p, size_t i)
{
    return i > 0 && isdigit(p->in[i - 1]);
}

static void plain_gap(struct plain *p)
{
    if (p->at > 0 && p->out[p->at - 1] != ' ')
        p->out[p->at++] = ' ';
    p->word_start = p->at;
    p->acronym = false;
}

/* A mark inside a word that stays or joins: apostrophes of contractions, "a.m.", 3.5, 10:30, 1,200.
 */
static bool plain_inner(struct plain *p, size_t i)
{
    unsigned char c = p->in[i];
    size_t so_far = p->at - p->word_start;
    if (c == '\'' && so_far > 0 && letter_at(p, i + 1)) {
        p->out[p->at++] = '\'';
        return true;
    }
    if ((c == '.' || c == ':') && digit_before(p, i) && digit_at(p, i + 1)) {
        p->out[p->at++] = (char)c;
        return true;
    }
    if (c == ',' && digit_before(p, i) && digit_at(p, i + 1) && digit_at(p, i + 2) &&
        digit_at(p, i + 3) && !digit_at(p, i + 4))
        return true;
    if (c == '.' && (so_far == 1 || p->acronym) && i > 0 && isalpha(p->in[i - 1]) &&
        letter_at(p, i + 1) && !letter_at(p, i + 2)) {
        p->acronym = true;
        return true;
    }
    return false;
}

/* A character outside ASCII: letters of two bytes stay (lower case in Latin-1), quotes become
 * apostrophes, the rest a gap. Returns the bytes taken. */
static size_t plain_wide(struct plain *p, size_t i)
{
    unsigned char c = p->in[i];
    size_t size = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC0 ? 2 : 1;
    if (i + size > p->length)
        size = p->length - i;
    if (size == 2 && c >= 0xC3 && c <= 0xCD) {
        unsigned char low = p->in[i + 1];
        if (c == 0xC3 && low >= 0x80 && low <= 0x9E && low != 0x97)
            low = (unsigned char)(low + 0x20);
        p->out[p->at++] = (char)c;
        p->out[p->at++] = (char)low;
        return size;
    }
    bool quote = size == 3 && !memcmp(p->in + i, "\xE2\x80", 2) &&
                 (p->in[i + 2] == 0x98 || p->in[i + 2] == 0x99);
    if (quote && p->at > p->word_start && letter_at(p, i + 3))
        p->out[p->at++] = '\'';
    else
        plain_gap(p);
    return size;
}

char *rlx_text_plain(TALLOC_CTX *ctx, const char *text)
{
    struct plain p = {.in = (const unsigned char *)text,
                      .length = text ? strnlen(text, TEXT_MAX) : 0};
    p.out = talloc_size(ctx, p.length + 2);
    if (!p.out)
        return NULL;
    for (size_t i = 0; i < p.length;) {
        unsigned char c = p.in[i];
        if (c >= 0x80) {
            i += plain_wide(&p, i);
            continue;
        }
        if (isalnum(c))
            p.out[p.at++] = (char)tolower(c);
        else if (!plain_inner(&p, i))
            plain_gap(&p);
        i++;
    }
    while (p.at > 0 && p.out[p.at - 1] == ' ')
        p.at--;
    p.out[p.at] = '\0';
    talloc_set_name_const(p.out, "text");
    return p.out;
}

static const char *const fillers = "um|uh|er|erm|uhm|umm|uhh|hmm|hm|mm|ah|eh";

/* Stands before a question without changing it. */
static const char *const leading[] = {"so",
                                      "well",
                                      "okay",
                                      "ok",
                                      "yeah",
                                      "yes",
                                      "yep",
                                      "oh",
                                      "hi ?there",
                                      "hello ?there",
                                      "hey ?there",
                                      "good morning|afternoon|evening",
                                      "please",
                                      "sorry",
                                      "excuse me",
                                      "actually",
                                      "just",
                                      "like",
                                      "you know",
                                      "i mean",
                                      "basically",
                                      "alright",
                                      "all right",
                                      "great",
                                      "perfect",
                                      "cool",
                                      "thanks",
                                      "thank you",
                                      "right",
                                      "now",
                                      "listen",
                                      "look",
                                      "alrighty",
                                      "sure",
                                      "got it",
                                      "i see",
                                      "by the way",
                                      "can|could|would|will you ?please ?just tell me|us",
                                      "can|could you ?please let me know",
                                      "can|could you ?please remind me",
                                      "please tell me",
                                      "tell me",
                                      "do you ?happen ?to know",
                                      "i was ?just wondering ?if",
                                      "i was ?just wondering",
                                      "i'm ?just wondering ?if",
                                      "i'm ?just wondering",
                                      "just wondering",
                                      "i'd ?just like to know",
                                      "i ?just want to know",
                                      "i ?just wanted to know",
                                      "i ?just need to know",
                                      "i would like to know",
                                      "i'm curious",
                                      "i ?just want to ask ?you",
                                      "i ?just wanted to ask ?you",
                                      "i have a ?quick question ?about",
                                      "i have a ?quick question",
                                      "i got a question",
                                      "quick question",
                                      "one ?more question",
                                      "another question",
                                      "one more thing",
                                      "let me ask you ?something|this",
                                      "may|can|could i ask ?you",
                                      "i'm calling to ask",
                                      "i'm calling to find out",
                                      "any idea",
                                      "first of all",
                                      "what i want to know is",
                                      "my question is",
                                      "i don't know if you know ?but",
                                      "and also can you tell me",
                                      NULL};

static const char *const trailing[] = {"please",
                                       "thanks",
                                       "thank you ?so ?much",
                                       "though",
                                       "by any chance",
                                       "if you don't mind",
                                       "if you know",
                                       "if i may ask",
                                       "if i can ask",
                                       "you know",
                                       "sir",
                                       "ma'am",
                                       "or something",
                                       "or what",
                                       "anyway",
                                       NULL};

static unsigned match_ending(const struct rlx_words *words)
{
    for (unsigned n = 4; n > 0; n--) {
        if (n < words->count && rlx_words_match_any(words, words->count - n, trailing) == n)
            return n;
    }
    return 0;
}

static void drop_fillers(struct rlx_words *words)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < words->count; i++) {
        if (!rlx_word_in(words->word[i], fillers))
            words->word[kept++] = words->word[i];
    }
    if (kept > 0)
        words->count = kept;
}

char *rlx_text_bare(TALLOC_CTX *ctx, const char *text)
{
    struct rlx_words words;
    char *out = NULL;
    TALLOC_CTX *tmp = talloc_new(NULL);
    if (!tmp || rlx_words_make(&words, tmp, text, false))
        goto out;
    drop_fillers(&words);
    unsigned first = 0;
    for (unsigned n; (n = rlx_words_match_any(&words, first, leading)) && first + n < words.count;)
        first += n;
    for (unsigned n; first < words.count && (n = match_ending(&words)) && first + n < words.count;)
        words.count -= n;
    out = talloc_strdup(ctx, "");
    for (unsigned i = first; out && i < words.count; i++)
        out = talloc_asprintf_append_buffer(out, "%s%s", i > first ? " " : "", words.word[i]);
out:
    talloc_free(tmp);
    return out;
}

unsigned rlx_text_words(const char *text)
{
    TALLOC_CTX *tmp = talloc_new(NULL);
    char *plain = tmp ? rlx_text_plain(tmp, text) : NULL;
    unsigned count = 0;
    for (const char *at = plain; at && *at; at++)
        count += at == plain || at[-1] == ' ';
    talloc_free(tmp);
    return count;
}

double rlx_echo_share(const char *heard, const char *said)
{
    TALLOC_CTX *tmp = talloc_new(NULL);
    struct rlx_words a, b;
    double share = 0.0;
    if (!tmp || rlx_words_make(&a, tmp, heard, false) || rlx_words_make(&b, tmp, said, false))
        goto out;
    unsigned n = a.count < ECHO_WORDS_MAX ? a.count : ECHO_WORDS_MAX;
    /* The echo is of what was said last. */
    unsigned skip = b.count > ECHO_WORDS_MAX ? b.count - ECHO_WORDS_MAX : 0;
    unsigned m = b.count - skip;
    unsigned char row[ECHO_WORDS_MAX + 1] = {0};
    for (unsigned i = 0; i < n; i++) {
        unsigned char diagonal = 0;
        for (unsigned k = 1; k <= m; k++) {
            unsigned char above = row[k];
            if (!strcmp(a.word[i], b.word[skip + k - 1]))
                row[k] = (unsigned char)(diagonal + 1);
            else if (row[k - 1] > row[k])
                row[k] = row[k - 1];
            diagonal = above;
        }
    }
    if (n > 0)
        share = (double)row[m] / (double)n;
out:
    talloc_free(tmp);
    return share;
}
