#include "worker/numbers.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *word;
    int value;
} words[] = {
    {"zero", 0},      {"oh", 0},        {"one", 1},         {"two", 2},
    {"three", 3},     {"four", 4},      {"five", 5},        {"six", 6},
    {"seven", 7},     {"eight", 8},     {"nine", 9},        {"ten", 10},
    {"eleven", 11},   {"twelve", 12},   {"thirteen", 13},   {"fourteen", 14},
    {"fifteen", 15},  {"sixteen", 16},  {"seventeen", 17},  {"eighteen", 18},
    {"nineteen", 19}, {"twenty", 20},   {"thirty", 30},     {"forty", 40},
    {"fifty", 50},    {"sixty", 60},    {"seventy", 70},    {"eighty", 80},
    {"ninety", 90},   {"hundred", 100}, {"thousand", 1000}, {"million", 1000000},
};

static int word_value(const char *word, size_t length)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strlen(words[i].word) == length && !memcmp(words[i].word, word, length))
            return words[i].value;
    return -1;
}

static void put(struct rlx_numbers *numbers, double value)
{
    if (numbers->count < RLX_NUMBERS_MAX && !rlx_numbers_has(numbers, value))
        numbers->value[numbers->count++] = value;
}

bool rlx_numbers_has(const struct rlx_numbers *numbers, double value)
{
    for (size_t i = 0; i < numbers->count; i++)
        if (numbers->value[i] > value - 1e-6 && numbers->value[i] < value + 1e-6)
            return true;
    return false;
}

/* A compound in the making: "two hundred forty nine" = (2 × 100) + 40 + 9. */
struct compound {
    double total, current;
    unsigned count;
    int last;
};

static void compound_end(struct compound *c, struct rlx_numbers *numbers, bool parts)
{
    double value = c->total + c->current;

    if (c->count && (parts || c->count > 1 || value > 1))
        put(numbers, value);
    *c = (struct compound){.last = -1};
}

static void compound_word(struct compound *c, struct rlx_numbers *numbers, int value, bool parts)
{
    /* "nine five" are two numbers, "forty nine" is one. */
    bool joins =
        !c->count || value >= 100 || c->last >= 100 || (c->last >= 20 && value > 0 && value < 10);

    if (!joins)
        compound_end(c, numbers, parts);
    if (value == 100)
        c->current = (c->current > 0 ? c->current : 1) * 100;
    else if (value >= 1000) {
        c->total += (c->current > 0 ? c->current : 1) * value;
        c->current = 0;
    } else {
        c->current += value;
    }
    c->count++;
    c->last = value;
    if (parts)
        put(numbers, value);
}

static void digits_word(struct rlx_numbers *numbers, const char *word, size_t length)
{
    for (size_t i = 0; i < length;) {
        if (!isdigit((unsigned char)word[i])) {
            i++;
            continue;
        }
        char *end;
        put(numbers, strtod(word + i, &end));
        i = (size_t)(end - word);
        if (end <= word)
            return;
    }
}

void rlx_numbers_add(struct rlx_numbers *numbers, const char *plain, bool parts)
{
    struct compound c = {.last = -1};

    for (const char *p = plain; *p;) {
        size_t n = strcspn(p, " ");
        int value = word_value(p, n);
        if (value >= 0)
            compound_word(&c, numbers, value, parts);
        else if (!(c.count && n == 3 && !memcmp(p, "and", 3)))
            compound_end(&c, numbers, parts);
        if (value < 0)
            digits_word(numbers, p, n);
        p += n;
        p += *p == ' ';
    }
    compound_end(&c, numbers, parts);
}

char *rlx_digits(TALLOC_CTX *ctx, const char *plain)
{
    char *out = talloc_size(ctx, strlen(plain) + 1);
    size_t at = 0;

    for (const char *p = plain; out && *p;) {
        size_t n = strcspn(p, " ");
        int value = word_value(p, n);
        if (value >= 0 && value < 10)
            out[at++] = (char)('0' + value);
        for (size_t i = 0; value < 0 && i < n; i++)
            if (isdigit((unsigned char)p[i]))
                out[at++] = p[i];
        p += n;
        p += *p == ' ';
    }
    if (out)
        out[at] = '\0';
    return out;
}
