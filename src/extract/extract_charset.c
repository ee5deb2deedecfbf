/* Bytes to UTF-8. */
#include <ctype.h>
#include <errno.h>
#include <iconv.h>
#include <string.h>

#include "base/err.h"
#include "extract/private.h"

static const char not_text[] = "the file is no text: it holds bytes that no text has";

/* Length of the well-formed UTF-8 sequence at p, 0 when it is none (RFC 3629). */
static size_t sequence(const unsigned char *p, size_t left)
{
    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xC2 || p[0] > 0xF4)
        return 0;
    size_t length = p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
    if (left < length)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F) ||
        (p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F))
        return 0;
    return length;
}

static bool is_utf8(const unsigned char *data, size_t length)
{
    for (size_t i = 0, n; i < length; i += n)
        if (!(n = sequence(data + i, length - i)))
            return false;
    return true;
}

/* UTF-16 without a mark: every other byte of mostly Latin text is zero. */
static const char *utf16_by_look(const unsigned char *data, size_t length)
{
    size_t zeros[2] = {0}, seen = length < 4096 ? length : 4096;

    for (size_t i = 0; i < seen; i++)
        zeros[i & 1] += !data[i];
    if (length % 2 || seen < 4)
        return NULL;
    if (zeros[1] > seen / 4 && zeros[0] < seen / 64 + 1)
        return "UTF-16LE";
    if (zeros[0] > seen / 4 && zeros[1] < seen / 64 + 1)
        return "UTF-16BE";
    return NULL;
}

/* The encoding by a byte order mark, whose length is taken off. */
static const char *by_mark(const unsigned char **datap, size_t *lengthp)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *name;
    } marks[] = {{"\xEF\xBB\xBF", 3, "UTF-8"},
                 {"\xFF\xFE\0\0", 4, "UTF-32LE"},
                 {"\0\0\xFE\xFF", 4, "UTF-32BE"},
                 {"\xFF\xFE", 2, "UTF-16LE"},
                 {"\xFE\xFF", 2, "UTF-16BE"}};

    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        if (*lengthp >= marks[i].length && !memcmp(*datap, marks[i].bytes, marks[i].length)) {
            *datap += marks[i].length;
            *lengthp -= marks[i].length;
            return marks[i].name;
        }
    return NULL;
}

/* A charset name that may be handed to iconv: letters, digits and -_:. only, so no "//TRANSLIT".
 * Latin-1 is read as the web does, as Windows-1252. */
static const char *usable(const char *charset)
{
    if (!charset || !*charset || strlen(charset) > 32)
        return NULL;
    for (const char *p = charset; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("-_:.", *p))
            return NULL;
    if (!strcasecmp(charset, "iso-8859-1") || !strcasecmp(charset, "latin1") ||
        !strcasecmp(charset, "us-ascii") || !strcasecmp(charset, "ascii"))
        return "WINDOWS-1252";
    return charset;
}

/* Converts; what can't be read becomes U+FFFD. RLX_EINVAL for an unknown encoding. */
static int convert(char **textp, size_t *lengthp, TALLOC_CTX *ctx, const char *from,
                   const unsigned char *data, size_t length)
{
    size_t capacity = length * 4 + 4, left = capacity, in_left = length;
    char *in = (char *)(uintptr_t)data;
    iconv_t cd = iconv_open("UTF-8", from);

    if (cd == (iconv_t)-1)
        return RLX_EINVAL;
    char *out = talloc_size(ctx, capacity), *at = out;
    while (out && in_left && iconv(cd, &in, &in_left, &at, &left) == (size_t)-1) {
        if (errno == E2BIG || left < 4)
            break;
        memcpy(at, "\xEF\xBF\xBD", 3);
        at += 3;
        left -= 3;
        in++;
        in_left--;
    }
    iconv_close(cd);
    if (!out)
        return -ENOMEM;
    *at = '\0';
    *textp = out;
    *lengthp = (size_t)(at - out);
    return 0;
}

/* Line breaks become \n. Control characters are a sign that this is no text; a few are forgiven. */
static int settle(char *text, size_t *lengthp, char **whyp, TALLOC_CTX *ctx)
{
    size_t n = 0, control = 0;

    for (size_t i = 0; i < *lengthp; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '\r') {
            if (i + 1 < *lengthp && text[i + 1] == '\n')
                continue;
            c = '\n';
        }
        if (c < 0x20 && !strchr("\n\t\f\v\033", c)) {
            control++;
            continue;
        }
        if (!c) {
            control++;
            continue;
        }
        text[n++] = (char)c;
    }
    text[n] = '\0';
    if (control > 8 && control > *lengthp / 200) {
        *whyp = talloc_strdup(ctx, not_text);
        return RLX_EINVAL;
    }
    *lengthp = n;
    return 0;
}

int rlx_extract_decode(char **textp, size_t *lengthp, TALLOC_CTX *ctx, const char *charset,
                       const void *bytes, size_t length, char **whyp)
{
    const unsigned char *data = bytes;
    const char *from = by_mark(&data, &length);
    int err = RLX_EINVAL;

    if (!from && (charset = usable(charset)) && strcasecmp(charset, "utf-8") != 0 &&
        strcasecmp(charset, "utf8") != 0)
        from = charset;
    if (!from)
        from = utf16_by_look(data, length);
    if (from && strcmp(from, "UTF-8") != 0)
        err = convert(textp, lengthp, ctx, from, data, length);
    if (err == RLX_EINVAL && is_utf8(data, length)) {
        *textp = talloc_strndup(ctx, (const char *)data, 0);
        *textp = talloc_realloc_size(ctx, *textp, length + 1);
        if (!*textp)
            return -ENOMEM;
        memcpy(*textp, data, length);
        *lengthp = length;
        err = 0;
    }
    if (err == RLX_EINVAL)
        err = convert(textp, lengthp, ctx, "WINDOWS-1252", data, length);
    return err ? err : settle(*textp, lengthp, whyp, ctx);
}

char *rlx_extract_html_charset(TALLOC_CTX *ctx, const void *data, size_t length)
{
    char head[1025];
    size_t n = length < sizeof head - 1 ? length : sizeof head - 1;

    for (size_t i = 0; i < n; i++) {
        head[i] = ((const char *)data)[i];
        if (!head[i])
            head[i] = ' ';
    }
    head[n] = '\0';
    const char *at = strcasestr(head, "charset=");
    if (!at)
        return NULL;
    at += strlen("charset=");
    at += strspn(at, "\"' ");
    return talloc_strndup(ctx, at, strcspn(at, "\"' ;/>\r\n\t"));
}
