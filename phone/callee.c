#include "callee.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/err.h"
#include "base/log.h"

#define CALLEES_MAX 1000u
#define FILE_MAX ((size_t)16 << 20)
#define KEY_ON_MS 100u
#define KEY_SAMPLES ((size_t)2 * KEY_ON_MS * 8)

/* Who answers when nobody was registered. */
static const char default_script[] = "say Hello?\n"
                                     "wait\n"
                                     "say What are your opening hours?\n"
                                     "wait\n"
                                     "say Thank you, goodbye.\n"
                                     "end 15\n";

struct entry {
    char *number; /* NULL: default */
    struct rlx_callee *callee;
};

struct rlx_callees {
    pthread_mutex_t lock;
    char *speech_url;
    struct entry entries[CALLEES_MAX];
    size_t count;
};

static int callees_destroy(struct rlx_callees *callees)
{
    rlx_callees_forget(callees);
    pthread_mutex_destroy(&callees->lock);
    return 0;
}

struct rlx_callees *rlx_callees_create(TALLOC_CTX *ctx, const char *speech_url)
{
    struct rlx_callees *callees = talloc_zero(ctx, struct rlx_callees);

    if (!callees)
        return NULL;
    callees->speech_url = speech_url ? talloc_strdup(callees, speech_url) : NULL;
    pthread_mutex_init(&callees->lock, NULL);
    talloc_set_destructor(callees, callees_destroy);
    return callees;
}

/* ---- rendering ---- */

static int render_keys(struct rlx_sound **soundp, TALLOC_CTX *ctx, const char *keys)
{
    struct rlx_sound *sound = talloc_zero(ctx, struct rlx_sound);
    size_t count = strlen(keys);

    if (!sound)
        return -ENOMEM;
    sound->samples = count * KEY_SAMPLES;
    sound->loud_end = sound->samples - KEY_SAMPLES / 2;
    sound->pcm = talloc_zero_array(sound, int16_t, (unsigned)sound->samples);
    if (!sound->pcm)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        struct rlx_sound *tone = NULL;
        uint32_t hz1 = 0, hz2 = 0;
        int err = rlx_voice_key(keys[i], &hz1, &hz2);

        if (!err)
            err = rlx_voice_tone(&tone, sound, hz1, hz2, KEY_ON_MS);
        if (err)
            return err;
        memcpy(sound->pcm + i * KEY_SAMPLES, tone->pcm, tone->samples * sizeof(*tone->pcm));
        talloc_free(tone);
    }
    *soundp = sound;
    return 0;
}

static int read_file(const char *path, TALLOC_CTX *ctx, uint8_t **datap, size_t *lengthp,
                     char **whyp)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;
    struct stat st;
    ssize_t n = -1;

    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || (size_t)st.st_size > FILE_MAX)
        err = RLX_EINVAL;
    *datap = err ? NULL : talloc_size(ctx, (size_t)st.st_size + 1);
    if (*datap)
        n = read(fd, *datap, (size_t)st.st_size);
    if (fd >= 0)
        close(fd);
    if (n < 0) {
        *whyp =
            talloc_asprintf(ctx, "the file \"%s\" can't be read (or is larger than 16 MB)", path);
        return RLX_EINVAL;
    }
    *lengthp = (size_t)n;
    return 0;
}

static int render_file(struct rlx_sound **soundp, TALLOC_CTX *ctx, const char *name,
                       const json_t *files, char **whyp)
{
    const char *text = json_string_value(json_object_get(files, name));
    uint8_t *data = NULL;
    size_t length = 0;
    int err = 0;

    if (text) {
        size_t size = strlen(text);
        ptrdiff_t n = -1;

        data = size <= 2 * FILE_MAX ? talloc_size(ctx, size + 1) : NULL;
        if (data)
            n = rlx_base64_decode(data, size, text, size);
        if (n < 0) {
            *whyp = talloc_asprintf(ctx, "the file \"%s\" is not base64", name);
            err = RLX_EINVAL;
        }
        length = n < 0 ? 0 : (size_t)n;
    } else {
        err = read_file(name, ctx, &data, &length, whyp);
    }
    if (!err)
        err = rlx_voice_wav(soundp, ctx, data, length, whyp);
    talloc_free(data);
    return err;
}

static int render_step(struct rlx_callee *callee, size_t i, struct rlx_voice *voice,
                       const json_t *files, char **whyp)
{
    const struct rlx_script_step *step = &callee->script->steps[i];
    struct rlx_sound **soundp = &callee->sounds[i];

    switch (step->what) {
    case RLX_DO_SAY:
    case RLX_DO_INTERRUPT:
    case RLX_DO_MMHM:
    case RLX_DO_VOICEMAIL:
        return rlx_voice_speak(soundp, callee, voice, step->text, whyp);
    case RLX_DO_PRESS:
        return render_keys(soundp, callee, step->text);
    case RLX_DO_WAV:
        return render_file(soundp, callee, step->text, files, whyp);
    case RLX_DO_BEEP:
        return rlx_voice_tone(soundp, callee, step->hz, 0, step->ms);
    case RLX_DO_WAIT:
    case RLX_DO_SILENCE:
    case RLX_DO_HANGUP:
    case RLX_DO_END:
        break;
    }
    return 0;
}

static int render(struct rlx_callee *callee, const char *speech_url, const json_t *files,
                  TALLOC_CTX *ctx, char **whyp)
{
    struct rlx_script *script = callee->script;
    struct rlx_voice voice = {.speech_url = speech_url,
                              .name = script->voice ? script->voice : "alloy"};
    char *why = NULL;
    int err = 0;

    callee->sounds = talloc_zero_array(callee, struct rlx_sound *, (unsigned)script->count);
    if (!callee->sounds)
        return -ENOMEM;
    callee->rendered_by = "none";
    for (size_t i = 0; i < script->count && !err; i++) {
        err = render_step(callee, i, &voice, files, &why);
        if (err && whyp)
            *whyp = talloc_asprintf(ctx, "line %u: %s", script->steps[i].line,
                                    why ? why : rlx_err_text(err));
        if (voice.used && strcmp(callee->rendered_by, "espeak-ng") != 0)
            callee->rendered_by = voice.used;
    }
    return err;
}

static json_t *describe(const struct rlx_callee *callee, const char *number)
{
    json_t *lines = json_array();

    for (size_t i = 0; i < callee->script->count; i++) {
        const struct rlx_script_step *step = &callee->script->steps[i];
        const struct rlx_sound *sound = callee->sounds[i];

        json_array_append_new(
            lines, json_pack("{s:i,s:s,s:s?,s:o}", "line", (int)step->line, "do",
                             rlx_script_do_name(step->what), "text", step->text, "duration_ms",
                             sound ? json_integer((json_int_t)sound->samples / 8) : json_null()));
    }
    return json_pack("{s:s?,s:s,s:o}", "number", number, "rendered_by", callee->rendered_by,
                     "lines", lines);
}

/* ---- the registry ---- */

void rlx_callee_put(struct rlx_callee *callee)
{
    if (callee && __atomic_sub_fetch(&callee->references, 1, __ATOMIC_ACQ_REL) == 0)
        talloc_free(callee);
}

static bool same_number(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Takes over the reference. */
static int put_entry(struct rlx_callees *callees, const char *number, struct rlx_callee *callee)
{
    struct rlx_callee *old = NULL;
    struct entry *entry = NULL;
    int err = 0;

    pthread_mutex_lock(&callees->lock);
    for (size_t i = 0; i < callees->count && !entry; i++)
        if (same_number(callees->entries[i].number, number))
            entry = &callees->entries[i];
    if (!entry && callees->count == CALLEES_MAX) {
        err = RLX_ELIMIT;
    } else if (!entry) {
        entry = &callees->entries[callees->count];
        /* malloc'd by talloc under the lock: the registry's tree is touched by several threads. */
        entry->number = number ? talloc_strdup(callees, number) : NULL;
        if (number && !entry->number)
            err = -ENOMEM;
        else
            callees->count++;
    }
    if (!err) {
        old = entry->callee;
        entry->callee = callee;
    }
    pthread_mutex_unlock(&callees->lock);
    rlx_callee_put(err ? callee : old);
    return err;
}

int rlx_callees_add(struct rlx_callees *callees, TALLOC_CTX *ctx, const char *number,
                    const char *script, const json_t *files, json_t **descriptionp, char **whyp)
{
    struct rlx_callee *callee = talloc_zero(NULL, struct rlx_callee);
    int err;

    if (!callee)
        return -ENOMEM;
    callee->references = 1;
    err = rlx_script_parse(&callee->script, callee, script, whyp);
    if (err && whyp && *whyp)
        *whyp = talloc_steal(ctx, *whyp);
    if (!err)
        err = render(callee, callees->speech_url, files, ctx, whyp);
    if (err) {
        talloc_free(callee);
        return err;
    }
    if (!number)
        number = callee->script->number;
    if (descriptionp)
        *descriptionp = describe(callee, number);
    rlx_log(RLX_INFO, "phone.callee", "number=%s steps=%zu voice=%s", number ? number : "default",
            callee->script->count, callee->rendered_by);
    return put_entry(callees, number, callee);
}

static struct rlx_callee *find(struct rlx_callees *callees, const char *number)
{
    struct rlx_callee *callee = NULL;

    pthread_mutex_lock(&callees->lock);
    for (size_t i = 0; i < callees->count; i++) {
        if (same_number(callees->entries[i].number, number)) {
            callee = callees->entries[i].callee;
            __atomic_add_fetch(&callee->references, 1, __ATOMIC_ACQ_REL);
            break;
        }
    }
    pthread_mutex_unlock(&callees->lock);
    return callee;
}

struct rlx_callee *rlx_callees_get(struct rlx_callees *callees, const char *number)
{
    struct rlx_callee *callee = find(callees, number);
    char *why = NULL;

    if (!callee)
        callee = find(callees, NULL);
    if (!callee && rlx_callees_add(callees, NULL, NULL, default_script, NULL, NULL, &why) == 0)
        callee = find(callees, NULL);
    if (!callee)
        rlx_log(RLX_ERROR, "phone.no_callee", "why=%s", why ? why : "out of memory");
    talloc_free(why);
    return callee;
}

json_t *rlx_callees_list(struct rlx_callees *callees)
{
    json_t *list = json_array();

    pthread_mutex_lock(&callees->lock);
    for (size_t i = 0; i < callees->count; i++)
        json_array_append_new(list,
                              describe(callees->entries[i].callee, callees->entries[i].number));
    pthread_mutex_unlock(&callees->lock);
    return json_pack("{s:o}", "callees", list);
}

void rlx_callees_forget(struct rlx_callees *callees)
{
    pthread_mutex_lock(&callees->lock);
    for (size_t i = 0; i < callees->count; i++) {
        rlx_callee_put(callees->entries[i].callee);
        talloc_free(callees->entries[i].number);
    }
    memset(callees->entries, 0, sizeof(callees->entries));
    callees->count = 0;
    pthread_mutex_unlock(&callees->lock);
}

int rlx_callees_announce(struct rlx_callees *callees, TALLOC_CTX *ctx, const char *text,
                         struct rlx_sound **soundp)
{
    struct rlx_voice voice = {.speech_url = callees->speech_url, .name = "alloy"};

    return rlx_voice_speak(soundp, ctx, &voice, text, NULL);
}
