#include "call/readback.h"

#include <ctype.h>
#include <string.h>

#include "call/phrases.h"
#include "call/words.h"

#define VALUE_MAX 200u
#define YES_WORDS_MAX 12u
#define DIGITS_SHAPE 4u /* so many digits are a number that somebody said */
#define DIGITS_LONG 5u  /* said one by one, not as a sum */
#define DIGITS_PHONE 7u /* comparable whatever their groups */
#define OPAQUE_MIN 20u

/* ---- which values ---- */

static unsigned digits_of(const char *text)
{
    unsigned count = 0;

    for (; *text; text++)
        count += isdigit((unsigned char)*text) != 0;
    return count;
}

static bool is_named(const char *name)
{
    static const char *const PARTS[] = {"phone", "mail",    "date",  "day",   "time",
                                        "name",  "number",  "start", "birth", "when",
                                        "slot",  "address", "mobile"};

    if (strcasestr(name, "zone"))
        return false;
    for (size_t i = 0; i < sizeof PARTS / sizeof PARTS[0]; i++)
        if (strcasestr(name, PARTS[i]))
            return true;
    return false;
}

/* An identifier that a machine made, or a link: long, without a space, letters and digits mixed. */
static bool is_opaque(const char *value)
{
    size_t length = strlen(value);
    bool letter = false;

    if (strstr(value, "://"))
        return true;
    if (length < OPAQUE_MIN || strpbrk(value, " @:") || !digits_of(value))
        return false;
    for (; *value; value++)
        letter |= isalpha((unsigned char)*value) != 0;
    return letter;
}

/* "11/24", "9:30", "24.11", "9-5": digits held together. */
static bool has_joined_digits(const char *value)
{
    for (; *value; value++)
        if (isdigit((unsigned char)value[0]) && value[1] && strchr("/:.-", value[1]) &&
            isdigit((unsigned char)value[2]))
            return true;
    return false;
}

/* "3pm", "10 a.m." */
static bool has_half_of_day(const char *value)
{
    for (; *value; value++) {
        if (!isdigit((unsigned char)*value))
            continue;
        const char *at = value + 1;
        at += strspn(at, " ");
        if (!strchr("aApP", *at) || !*at)
            continue;
        at += 1 + (at[1] == '.');
        if ((*at == 'm' || *at == 'M') && !isalpha((unsigned char)at[1]))
            return true;
    }
    return false;
}

static bool has_date_words(const char *value)
{
    static const char *const PATTERNS[] = {
        "monday|tuesday|wednesday|thursday|friday|saturday|sunday|mon|tue|wed|thu|fri",
        "today|tonight|tomorrow|noon|midnight|o'clock",
        "january|february|april|june|july|august|september|october|november|december",
        "may|march 1|2|3|4|5|6|7|8|9|first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|"
        "tenth",
        "next|this|last week|weekend|month|morning|afternoon|evening",
        NULL};
    struct rlx_words words;
    TALLOC_CTX *tmp = talloc_new(NULL);
    bool found = !tmp || rlx_words_make(&words, tmp, value, false) ||
                 rlx_words_find(&words, 0, PATTERNS, NULL) >= 0;

    talloc_free(tmp);
    return found;
}

bool rlx_readback_wants(const char *name, const char *value)
{
    if (!value || !*value || strlen(value) > VALUE_MAX || is_opaque(value))
        return false;
    return (name && is_named(name)) || strchr(value, '@') || digits_of(value) >= DIGITS_SHAPE ||
           has_joined_digits(value) || has_half_of_day(value) || has_date_words(value);
}

/* ---- how they are said ---- */

/* Nothing but digits and what stands between them; they go into `digits` (of size + 1). */
static size_t only_digits(const char *value, char *digits, size_t size)
{
    size_t count = 0;

    if (value[strspn(value, "0123456789 ()+-.")])
        return 0;
    for (; *value; value++) {
        if (!isdigit((unsigned char)*value))
            continue;
        if (count == size)
            return 0;
        digits[count++] = *value;
    }
    digits[count] = '\0';
    return count;
}

static char *say_digits(TALLOC_CTX *ctx, const char *digits)
{
    char *text = talloc_strdup(ctx, "");

    for (size_t i = 0; digits[i] && text; i++)
        text = talloc_asprintf_append(text, "%s%c", i ? ", " : "", digits[i]);
    return text;
}

/* Letters, digits and signs, one by one. */
static char *spell(char *text, const char *at, size_t length)
{
    for (size_t i = 0; i < length && text; i++) {
        const char *between = i ? ", " : "";
        const char *sign = at[i] == '.'   ? "dot"
                           : at[i] == '-' ? "dash"
                           : at[i] == '_' ? "underscore"
                           : at[i] == '+' ? "plus"
                                          : NULL;
        text = sign ? talloc_asprintf_append(text, "%s%s", between, sign)
                    : talloc_asprintf_append(text, "%s%c", between, toupper((unsigned char)at[i]));
    }
    return text;
}

/* A label of a host that nobody gets wrong. */
static bool is_known_label(const char *label)
{
    return rlx_word_in(label, "gmail|googlemail|yahoo|outlook|hotmail|icloud|aol|live|msn|proton|"
                              "protonmail|com|net|org|edu|gov|info");
}

static char *say_email(TALLOC_CTX *ctx, const char *value)
{
    const char *host = strchr(value, '@') + 1;
    char *text = spell(talloc_strdup(ctx, ""), value, (size_t)(host - 1 - value));
    char label[64];

    for (const char *word = ", at "; *host && text; word = ", dot ") {
        size_t length = strcspn(host, ".");
        if (length >= sizeof label)
            break;
        for (size_t i = 0; i < length; i++)
            label[i] = (char)tolower((unsigned char)host[i]);
        label[length] = '\0';
        bool known = is_known_label(label);
        text = talloc_asprintf_append(text, "%s", known && word[2] == 'd' ? " dot " : word);
        text =
            known && text ? talloc_asprintf_append(text, "%s", label) : spell(text, host, length);
        host += length + (host[length] == '.');
    }
    return text;
}

static bool is_email(const char *value)
{
    const char *at = strchr(value, '@');

    return at && at > value && at[1] && !strpbrk(value, " ,;<>") && !strchr(at + 1, '@') &&
           strchr(at, '.');
}

/* "2026-11-24T15:30…" */
static bool is_stamp(const char *value)
{
    static const char SHAPE[] = "0000-00-00T00:00";

    for (size_t i = 0; SHAPE[i]; i++)
        if (SHAPE[i] == '0' ? !isdigit((unsigned char)value[i])
                            : value[i] != SHAPE[i] && !(SHAPE[i] == 'T' && value[i] == ' '))
            return false;
    return true;
}

char *rlx_readback_say(TALLOC_CTX *ctx, const char *value)
{
    char digits[32] = "";
    size_t count = only_digits(value, digits, sizeof digits - 1);
    const char *ten = count == 11 && digits[0] == '1' ? digits + 1 : digits;
    unsigned signs = (unsigned)strlen(value) - (unsigned)count;

    if (is_email(value))
        return say_email(ctx, value);
    if (is_stamp(value))
        return talloc_asprintf(ctx, "%.10s, %.5s", value, value + 11);
    if (strlen(ten) == 10)
        return talloc_asprintf(ctx, "%.3s-%.3s-%s", ten, ten + 3, ten + 6);
    if (count && !signs && (count >= DIGITS_LONG || (count > 1 && digits[0] == '0')))
        return say_digits(ctx, digits);
    return talloc_strdup(ctx, value);
}

/* ---- was it said ---- */

/* The words of `part` stand in `text`, both plain. */
static bool has_words(const char *text, const char *part)
{
    size_t length = part ? strlen(part) : 0;

    if (!text || !length)
        return false;
    for (const char *at = text; (at = strstr(at, part)); at++)
        if ((at == text || at[-1] == ' ') && (!at[length] || at[length] == ' '))
            return true;
    return false;
}

/* Of all text, not only of a number. */
static char *all_digits(TALLOC_CTX *ctx, const char *text)
{
    char *digits = talloc_strdup(ctx, text);
    size_t count = 0;

    for (; digits && *text; text++)
        if (isdigit((unsigned char)*text))
            digits[count++] = *text;
    if (digits)
        digits[count] = '\0';
    return digits;
}

bool rlx_readback_holds(const char *said, const char *value)
{
    TALLOC_CTX *tmp = talloc_new(NULL);
    char digits[32];
    bool holds = false;

    if (!tmp || !said || !value)
        goto out;
    const char *text = rlx_text_plain(tmp, said), *form = rlx_readback_say(tmp, value);
    holds = has_words(text, rlx_text_plain(tmp, value)) ||
            (form && has_words(text, rlx_text_plain(tmp, form)));
    if (!holds && only_digits(value, digits, sizeof digits - 1) >= DIGITS_PHONE) {
        const char *heard = all_digits(tmp, said);
        holds = heard && strstr(heard, digits);
    }
out:
    talloc_free(tmp);
    return holds;
}

/* ---- yes ---- */

/* clang-format off */
static const char *const yes_starts[] = {
    "yes|yeah|yep|yup|yea|right|correct|sure|exactly|okay|ok|absolutely|definitely|certainly|perfect|precisely",
    "of course", "go ahead", "that|it is", "that|it is ?all right|correct|it|good|fine|perfect|me",
    "that|it sounds|looks right|good|fine|correct|perfect", "sounds|looks right|good|fine|correct|perfect",
    "all right|correct|good", "everything is right|correct|fine", "you are right", "you have|got it right", NULL};
static const char agreeing[] =
    "yes|yeah|yep|yup|yea|right|correct|sure|exactly|okay|ok|absolutely|definitely|certainly|perfect|precisely|"
    "that|it|is|all|of|course|please|thanks|thank|you|very|much|um|uh|er|well|oh|ah|my|the|this|number|phone|email|"
    "mail|e|address|name|day|date|time|appointment|good|great|fine|go|ahead|works|sounds|looks|for|me|i|confirm|"
    "sir|madam|ma'am|totally|quite|everything|entirely";
static const char fillers[] = "um|uh|er|well|oh|ah";
static const char refusing[] = "no|not|nope|nah|but|wait|actually|wrong|or|except|instead";
/* clang-format on */

bool rlx_readback_is_yes(const char *text, const char *values)
{
    TALLOC_CTX *tmp = talloc_new(NULL);
    struct rlx_words words;
    unsigned first = 0;
    bool yes = false;

    if (!tmp || !text || strchr(text, '?') || rlx_words_make(&words, tmp, text, true))
        goto out;
    const char *said = rlx_text_plain(tmp, values ? values : "");
    while (first < words.count && rlx_word_in(words.word[first], fillers))
        first++;
    yes = words.count <= YES_WORDS_MAX && rlx_words_match_any(&words, first, yes_starts);
    for (unsigned i = first; i < words.count && yes; i++)
        yes = !rlx_word_in(words.word[i], refusing) &&
              (rlx_word_in(words.word[i], agreeing) || has_words(said, words.word[i]));
out:
    talloc_free(tmp);
    return yes;
}
