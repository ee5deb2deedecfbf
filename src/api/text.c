/* Forms of text: UTF-8, e-mail addresses, phone numbers, dates. */
#include <ctype.h>
#include <string.h>

#include "api/validate.h"

size_t rlx_utf8_length(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

int rlx_utf8_clip(const char *text, size_t max)
{
    size_t n = strnlen(text, max + 1);

    if (n > max)
        for (n = max; n && ((unsigned char)text[n] & 0xc0) == 0x80; n--)
            ;
    return (int)n;
}

bool rlx_is_phone(const char *text)
{
    size_t digits = *text == '+' ? strspn(text + 1, "0123456789") : 0;

    return digits >= 8 && digits <= 15 && !text[1 + digits] && text[1] != '0';
}

/* One @, a name before it, a domain with a dot behind it, nothing that would need quoting. */
bool rlx_is_email(const char *text)
{
    const char *at = strchr(text, '@');
    const char *dot = at ? strrchr(at, '.') : NULL;

    if (!at || at == text || strchr(at + 1, '@') || strlen(text) > 254 || at - text > 64)
        return false;
    if (!dot || dot == at + 1 || !dot[1] || at[1] == '.' || strstr(at, ".."))
        return false;
    for (const char *p = text; *p; p++)
        if (isspace((unsigned char)*p) || iscntrl((unsigned char)*p) || strchr("\"(),:;<>[]\\", *p))
            return false;
    return true;
}

/* Reads `digits` digits as a number between low and high. */
static bool number(const char **textp, int digits, int low, int high, int *valuep)
{
    int value = 0;

    for (; digits; digits--, (*textp)++) {
        if (**textp < '0' || **textp > '9')
            return false;
        value = value * 10 + (**textp - '0');
    }
    *valuep = value;
    return value >= low && value <= high;
}

static bool is(const char **textp, const char *any_of)
{
    if (!**textp || !strchr(any_of, **textp))
        return false;
    (*textp)++;
    return true;
}

static bool date(const char **textp)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year, month, day;

    if (!number(textp, 4, 1, 9999, &year) || !is(textp, "-") || !number(textp, 2, 1, 12, &month) ||
        !is(textp, "-") || !number(textp, 2, 1, 31, &day))
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day <= days[month - 1] + (month == 2 && leap);
}

bool rlx_is_date(const char *text)
{
    return date(&text) && !*text;
}

bool rlx_is_date_time(const char *text)
{
    int part;

    if (!date(&text) || !is(&text, "Tt") || !number(&text, 2, 0, 23, &part) || !is(&text, ":") ||
        !number(&text, 2, 0, 59, &part) || !is(&text, ":") || !number(&text, 2, 0, 60, &part))
        return false;
    if (is(&text, ".")) {
        size_t digits = strspn(text, "0123456789");
        if (!digits || digits > 9)
            return false;
        text += digits;
    }
    if (is(&text, "Zz"))
        return !*text;
    return is(&text, "+-") && number(&text, 2, 0, 23, &part) && is(&text, ":") &&
           number(&text, 2, 0, 59, &part) && !*text;
}
