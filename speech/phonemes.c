/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "phonemes.h"

#include <espeak-ng/speak_lib.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "base/err.h"

#define IPA 0x02 /* espeak_TextToPhonemes: phonememode bit 1, IPA as UTF-8 */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* the library has one global state */

int rlx_phonemes_open(const char *language)
{
    int err = 0;

    pthread_mutex_lock(&lock);
    if (espeak_Initialize(AUDIO_OUTPUT_RETRIEVAL, 0, NULL, espeakINITIALIZE_DONT_EXIT) < 0 ||
        espeak_SetVoiceByName(language) != EE_OK)
        err = RLX_ECONFIG;
    pthread_mutex_unlock(&lock);
    return err;
}

/* Reads one UTF-8 character (the library writes valid UTF-8). */
static int32_t next_codepoint(const char **pp)
{
    const unsigned char *p = (const unsigned char *)*pp;
    int more = *p >= 0xf0 ? 3 : *p >= 0xe0 ? 2 : *p >= 0xc0 ? 1 : 0;
    int32_t c = more ? *p & (0x3f >> more) : *p;

    for (p++; more > 0 && (*p & 0xc0) == 0x80; more--)
        c = (c << 6) | (*p++ & 0x3f);
    *pp = (const char *)p;
    return c;
}

/* Appends a clause's phonemes without the "(en)" marks of a change of language. */
static size_t append(int32_t *out, size_t n, size_t size, const char *ipa)
{
    bool mark = false;

    while (*ipa && n < size) {
        int32_t c = next_codepoint(&ipa);

        if (c == '(' || c == ')')
            mark = c == '(';
        else if (!mark)
            out[n++] = c;
    }
    return n;
}

/* The punctuation that ended the clause [from, end). Debian's 1.51 doesn't tell it with the
 * phonemes, and Piper's voices take their intonation from it. Without any, a sentence is a
 * statement. */
static char punctuation(const char *from, const char *end, bool last)
{
    for (const char *p = end; p > from; p--) {
        if (strchr(",.;:?!", p[-1]))
            return p[-1];
        if (last && !strchr(" \t\r\n\"')]", p[-1]))
            break;
    }
    return last ? '.' : ',';
}

size_t rlx_phonemes_of(int32_t *codepoints, size_t size, const char *text)
{
    const char *const end = text + strlen(text);
    const void *rest = text;
    size_t n = 0;

    if (size < 4)
        return 0;
    pthread_mutex_lock(&lock);
    while (rest && n + 3 < size) {
        const char *from = rest;
        const char *ipa = espeak_TextToPhonemes(&rest, espeakCHARS_UTF8, IPA);
        size_t before = n;

        if (!ipa)
            break;
        if (!*ipa)
            continue;
        if (n > 0)
            codepoints[n++] = ' ';
        size_t start = n;
        n = append(codepoints, n, size - 2, ipa);
        if (n == start)
            n = before;
        else
            codepoints[n++] = (unsigned char)punctuation(from, rest ? rest : end, !rest);
    }
    pthread_mutex_unlock(&lock);
    return n;
}
