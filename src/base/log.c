#include "base/log.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"

#define LINE_MAX_BYTES 2048

static enum rlx_log_level threshold = RLX_INFO;
static bool as_json;
static const char *const names[] = {"debug", "info", "warn", "error"};

void rlx_log_setup(enum rlx_log_level lowest, bool json)
{
    threshold = lowest;
    as_json = json;
}

int rlx_log_level_parse(enum rlx_log_level *levelp, const char *name)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!strcmp(names[i], name)) {
            *levelp = (enum rlx_log_level)i;
            return 0;
        }
    }
    return RLX_EINVAL;
}

/* A line that does not fit is cut, and still ends in a newline. */
struct line {
    char text[LINE_MAX_BYTES];
    size_t length;
};

static void put(struct line *line, char c)
{
    if (line->length < sizeof line->text - 1)
        line->text[line->length++] = c;
}

static void put_text(struct line *line, const char *text)
{
    while (*text)
        put(line, *text++);
}

static void put_quoted(struct line *line, const char *value, size_t length)
{
    put(line, '"');
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)value[i];
        if (c == '"' || c == '\\')
            put(line, '\\');
        put(line, c < 0x20 ? ' ' : (char)c);
    }
    put(line, '"');
}

/* The next " key=" after p that starts a new pair: a space, then [a-z_0-9]+, then '='. */
static const char *next_pair(const char *p)
{
    for (; (p = strchr(p, ' ')); p++) {
        size_t key = strspn(p + 1, "abcdefghijklmnopqrstuvwxyz_0123456789");
        if (key && p[1 + key] == '=')
            return p;
    }
    return NULL;
}

static void put_pairs(struct line *line, const char *pairs)
{
    while (pairs && *pairs) {
        const char *equals = strchr(pairs, '=');
        if (!equals)
            break;
        const char *end = next_pair(equals);
        size_t length = end ? (size_t)(end - equals - 1) : strlen(equals + 1);
        const char *value = equals + 1;
        put(line, as_json ? ',' : ' ');
        if (as_json)
            put_quoted(line, pairs, (size_t)(equals - pairs));
        else
            for (const char *k = pairs; k < equals; k++)
                put(line, *k);
        put(line, as_json ? ':' : '=');
        if (as_json || !length || strcspn(value, " \"\n\r\t") < length)
            put_quoted(line, value, length);
        else
            for (size_t i = 0; i < length; i++)
                put(line, value[i]);
        pairs = end ? end + 1 : NULL;
    }
}

static void put_head(struct line *line, enum rlx_log_level level, const char *event)
{
    struct timespec now;
    struct tm utc;
    char time[40];

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t n = strftime(time, sizeof time, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(time + n, sizeof time - n, ".%03dZ", (int)(now.tv_nsec / 1000000));
    put_text(line, as_json ? "{\"time\":\"" : "");
    put_text(line, time);
    put_text(line, as_json ? "\",\"level\":\"" : " ");
    put_text(line, names[level]);
    put_text(line, as_json ? "\",\"event\":\"" : " ");
    put_text(line, event);
    put_text(line, as_json ? "\"" : "");
}

void rlx_log(enum rlx_log_level level, const char *event, const char *pairs, ...)
{
    struct line line = {.length = 0};
    char text[LINE_MAX_BYTES];
    va_list args;

    if (level < threshold)
        return;
    va_start(args, pairs);
    vsnprintf(text, sizeof text, pairs, args);
    va_end(args);
    put_head(&line, level, event);
    put_pairs(&line, text);
    put_text(&line, as_json ? "}" : "");
    line.text[line.length++] = '\n';
    ssize_t written = write(STDERR_FILENO, line.text, line.length);
    (void)written; /* a log that can't be written has nowhere to say so */
}
