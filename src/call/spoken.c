/* The speaker and its loop over the input; what a written token becomes is told by the readers in
 * spoken_*.c. */
#include "call/spoken.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "call/spoken_parts.h"

#define IN_MAX 4000
#define TEXT_MAX 60000
#define WORDS_MAX 12000

typedef size_t reader_h(struct rlx_speaker *s, size_t at);

static reader_h *const readers[] = {
    rlx_speak_markup, rlx_speak_web,    rlx_speak_phone,        rlx_speak_date, rlx_speak_time,
    rlx_speak_money,  rlx_speak_number, rlx_speak_abbreviation, rlx_speak_word, rlx_speak_symbol,
};

/* Room for `more` bytes of text (and a NUL) and one more word. */
static bool reserve(struct rlx_speaker *s, size_t more)
{
    struct rlx_spoken *out = s->out;
    if (s->full || s->text_length + more + 1 > TEXT_MAX || out->word_count + 1 > WORDS_MAX) {
        s->full = true;
        return false;
    }
    if (s->text_length + more + 1 > s->text_size) {
        size_t size = s->text_length + more + 1 + s->text_size;
        char *text = talloc_realloc(out, out->text, char, (unsigned)size);
        if (!text)
            goto failed;
        out->text = text;
        s->text_size = size;
    }
    if (out->word_count + 1 > s->word_size) {
        size_t size = s->word_size ? s->word_size * 2 : 32;
        struct rlx_spoken_word *words =
            talloc_realloc(out, out->words, struct rlx_spoken_word, (unsigned)size);
        if (!words)
            goto failed;
        out->words = words;
        s->word_size = size;
    }
    return true;
failed:
    s->full = s->failed = true;
    return false;
}

static void put(struct rlx_speaker *s, char c)
{
    s->out->text[s->text_length++] = c;
    s->out->text[s->text_length] = '\0';
}

static bool is_mark(char c)
{
    return c && strchr(",.?!", c);
}

static void say_one(struct rlx_speaker *s, const char *word, size_t n, size_t from, size_t length)
{
    if (!reserve(s, n + 3))
        return;
    if (s->pending && s->text_length > 0 && !is_mark(s->out->text[s->text_length - 1]))
        put(s, s->pending);
    s->pending = 0;
    if (s->text_length > 0)
        put(s, ' ');
    s->out->words[s->out->word_count++] =
        (struct rlx_spoken_word){.text_at = (uint16_t)s->text_length,
                                 .text_length = (uint16_t)n,
                                 .original_at = (uint16_t)from,
                                 .original_length = (uint16_t)length};
    memcpy(s->out->text + s->text_length, word, n);
    s->text_length += n;
    s->out->text[s->text_length] = '\0';
}

void rlx_speaker_say(struct rlx_speaker *s, const char *phrase, size_t from, size_t length)
{
    while (*phrase) {
        size_t n = strcspn(phrase, " ,");
        if (n > 0)
            say_one(s, phrase, n, from, length);
        phrase += n;
        if (*phrase == ',')
            rlx_speaker_mark(s, ',');
        if (*phrase)
            phrase++;
    }
}

void rlx_speaker_mark(struct rlx_speaker *s, char mark)
{
    static const char strength[] = ",.!?";
    if (s->text_length == 0 || !reserve(s, 1))
        return;
    s->pending = 0;
    char *last = s->out->text + s->text_length - 1;
    if (!is_mark(*last))
        put(s, mark);
    else if (strchr(strength, mark) > strchr(strength, *last))
        *last = mark;
}

void rlx_speaker_pause(struct rlx_speaker *s, char mark)
{
    if (s->pending != '.')
        s->pending = mark;
}

int rlx_spoken_make(struct rlx_spoken **spokenp, TALLOC_CTX *ctx, const char *original)
{
    if (!spokenp)
        return -EINVAL;
    struct rlx_speaker s = {.in = original ? original : ""};
    s.length = strnlen(s.in, IN_MAX);
    s.out = talloc_zero(ctx, struct rlx_spoken);
    if (!s.out)
        return -ENOMEM;
    s.out->text = talloc_strdup(s.out, "");
    s.text_size = 1;
    if (!s.out->text)
        s.failed = true;
    for (size_t at = 0; at < s.length && !s.failed;) {
        size_t taken = 0;
        for (size_t i = 0; taken == 0 && i < sizeof(readers) / sizeof(*readers); i++)
            taken = readers[i](&s, at);
        at += taken;
    }
    if (s.failed) {
        talloc_free(s.out);
        return -ENOMEM;
    }
    *spokenp = s.out;
    return 0;
}

/* End in the original of what was heard, when the first `heard` words were: a token that became
 * many words counts when half of them were heard. */
static size_t original_end(const struct rlx_spoken *spoken, size_t heard)
{
    const struct rlx_spoken_word *words = spoken->words;
    size_t end = 0;
    for (size_t i = 0; i < heard;) {
        size_t stop = i;
        while (stop < spoken->word_count && words[stop].original_at == words[i].original_at &&
               words[stop].original_length == words[i].original_length)
            stop++;
        size_t inside = (heard < stop ? heard : stop) - i;
        if (inside * 2 >= stop - i)
            end = (size_t)words[i].original_at + words[i].original_length;
        i = stop;
    }
    return end;
}

char *rlx_spoken_heard(TALLOC_CTX *ctx, const struct rlx_spoken *spoken, const char *original,
                       uint32_t heard_ms, uint32_t total_ms, unsigned *wordsp)
{
    if (wordsp)
        *wordsp = 0;
    if (!spoken || !original || spoken->word_count == 0 || total_ms == 0)
        return talloc_strdup(ctx, "");
    uint64_t chars = strlen(spoken->text);
    size_t heard = 0;
    while (heard < spoken->word_count) {
        const struct rlx_spoken_word *word = &spoken->words[heard];
        uint64_t middle_x2 = 2 * (uint64_t)word->text_at + word->text_length;
        if (heard_ms < total_ms && (uint64_t)heard_ms * 2 * chars < middle_x2 * total_ms)
            break;
        heard++;
    }
    if (wordsp)
        *wordsp = (unsigned)heard;
    size_t length = strnlen(original, IN_MAX);
    size_t end = heard == spoken->word_count ? length : original_end(spoken, heard);
    size_t start = 0;
    end = end < length ? end : length;
    while (start < end && isspace((unsigned char)original[start]))
        start++;
    while (end > start && isspace((unsigned char)original[end - 1]))
        end--;
    return talloc_strndup(ctx, original + start, end - start);
}
