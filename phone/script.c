#include "script.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define TEXT_MAX (64u << 10)
#define LINES_MAX 1000u
#define WORDS_MAX 500u

struct reader {
    struct rlx_script *script;
    TALLOC_CTX *ctx;
    char **whyp;
    unsigned line;
    char *rest; /* what of the line is still to be read */
};

typedef int directive_h(struct reader *reader);

__attribute__((format(printf, 2, 3))) static int fail(struct reader *reader, const char *format,
                                                      ...)
{
    va_list args;
    char *why;

    va_start(args, format);
    why = talloc_vasprintf(reader->ctx, format, args);
    va_end(args);
    if (reader->whyp && why)
        *reader->whyp = talloc_asprintf(reader->ctx, "line %u: %s", reader->line, why);
    talloc_free(why);
    return RLX_EINVAL;
}

/* Cuts the next word off the line; "" at its end. */
static char *next_word(struct reader *reader)
{
    char *word = reader->rest + strspn(reader->rest, " \t");
    char *end = word + strcspn(word, " \t");

    reader->rest = *end ? end + 1 : end;
    *end = '\0';
    return word;
}

/* The rest of the line without the blanks around it. */
static char *rest_text(struct reader *reader)
{
    char *text = reader->rest + strspn(reader->rest, " \t");
    size_t length = strlen(text);

    while (length > 0 && strchr(" \t", text[length - 1]))
        text[--length] = '\0';
    reader->rest = text + length;
    return text;
}

/* A number within [least, most]; `what` names it in the error. */
static int read_number(struct reader *reader, double *valuep, double least, double most,
                       const char *what)
{
    char *word = next_word(reader), *end;

    if (!*word)
        return fail(reader, "%s is missing", what);
    *valuep = strtod(word, &end);
    if (*end || !(*valuep >= least && *valuep <= most))
        return fail(reader, "%s must be a number from %g to %g, not \"%s\"", what, least, most,
                    word);
    return 0;
}

static int read_int(struct reader *reader, int32_t *valuep, int32_t least, int32_t most,
                    const char *what)
{
    double value = 0;
    int err = read_number(reader, &value, least, most, what);

    if (!err)
        *valuep = (int32_t)value;
    return err;
}

static bool has_more(const struct reader *reader)
{
    return reader->rest[strspn(reader->rest, " \t")] != '\0';
}

/* The word "after" is optional decoration of a time. */
static void skip_after(struct reader *reader)
{
    const char *at = reader->rest + strspn(reader->rest, " \t");

    if (strncmp(at, "after", 5) == 0 && (at[5] == ' ' || at[5] == '\t'))
        (void)next_word(reader);
}

/* ---- settings ---- */

static int set_number(struct reader *reader)
{
    char *word = next_word(reader);

    if (word[0] != '+' || strlen(word) < 8 || strlen(word) > 16 ||
        strspn(word + 1, "0123456789") != strlen(word) - 1)
        return fail(reader, "a number is + and 7 to 15 digits, e.g. +12025550123");
    reader->script->number = talloc_strdup(reader->script, word);
    return reader->script->number ? 0 : -ENOMEM;
}

static int set_voice(struct reader *reader)
{
    char *text = rest_text(reader);

    if (!*text || strlen(text) > 64)
        return fail(reader, "voice needs a name");
    reader->script->voice = talloc_strdup(reader->script, text);
    return reader->script->voice ? 0 : -ENOMEM;
}

static int set_answer(struct reader *reader)
{
    skip_after(reader);
    reader->script->answer = RLX_ANSWER;
    return read_int(reader, &reader->script->answer_ms, 0, 120000, "the ring time in ms");
}

static int set_busy(struct reader *reader)
{
    reader->script->answer = RLX_ANSWER_BUSY;
    return 0;
}

static int set_fail(struct reader *reader)
{
    reader->script->answer = RLX_ANSWER_FAIL;
    return 0;
}

static int set_no_answer(struct reader *reader)
{
    reader->script->answer = RLX_ANSWER_NONE;
    skip_after(reader);
    return has_more(reader)
               ? read_int(reader, &reader->script->answer_ms, 0, 600000, "the time in ms")
               : 0;
}

static int read_level(struct reader *reader, int32_t *valuep, const char *what)
{
    const char *at = reader->rest + strspn(reader->rest, " \t");

    if (strncmp(at, "off", 3) == 0) {
        (void)next_word(reader);
        *valuep = RLX_SCRIPT_OFF;
        return 0;
    }
    return read_int(reader, valuep, -90, 0, what);
}

static int set_noise(struct reader *reader)
{
    return read_level(reader, &reader->script->noise_db, "the noise in dBFS");
}

static int set_echo(struct reader *reader)
{
    int err = read_level(reader, &reader->script->echo_db, "the echo in dB");

    if (!err && has_more(reader))
        err = read_int(reader, &reader->script->echo_ms, 0, 1000, "the echo's delay in ms");
    return err;
}

static int set_quiet(struct reader *reader)
{
    int32_t value = 0;
    int err = read_int(reader, &value, 100, 60000, "the quiet in ms");

    if (!err)
        reader->script->quiet_ms = (uint32_t)value;
    return err;
}

static int set_limit(struct reader *reader)
{
    double seconds = 0;
    int err = read_number(reader, &seconds, 0.1, 3600, "the limit in seconds");

    if (!err)
        reader->script->limit_ms = (uint32_t)(seconds * 1000);
    return err;
}

static int set_kind(struct reader *reader)
{
    reader->script->kind = 1;
    return 0;
}

static int set_unkind(struct reader *reader)
{
    reader->script->kind = 0;
    return 0;
}

static int set_gap(struct reader *reader)
{
    return read_int(reader, &reader->script->gap_ms, 0, 10000, "the gap in ms");
}

static int set_delay(struct reader *reader)
{
    return read_int(reader, &reader->script->delay_ms, 0, 5000, "the delay in ms");
}

static int set_loss(struct reader *reader)
{
    double percent = 0;
    int err = read_number(reader, &percent, 0, 100, "the loss in percent");

    if (!err)
        reader->script->loss_tenths = (int32_t)(percent * 10);
    return err;
}

static int set_marks(struct reader *reader)
{
    int err = read_int(reader, &reader->script->marks_late, 0, 100, "the share of late marks");

    return err ? err
               : read_int(reader, &reader->script->marks_lost, 0, 100, "the share of lost marks");
}

static int set_seed(struct reader *reader)
{
    int32_t value = 0;
    int err = read_int(reader, &value, 0, INT32_MAX, "the seed");

    reader->script->seed = value;
    return err;
}

/* ---- steps ---- */

static struct rlx_script_step *add_step(struct reader *reader, enum rlx_script_do what)
{
    struct rlx_script *script = reader->script;
    struct rlx_script_step *step = &script->steps[script->count++];

    step->what = what;
    step->line = reader->line;
    return step;
}

/* The rest of the line as the step's words. */
static int take_words(struct reader *reader, struct rlx_script_step *step, const char *fallback)
{
    const char *text = rest_text(reader);

    if (!*text && fallback)
        text = fallback;
    if (!*text)
        return fail(reader, "%s needs words to say", rlx_script_do_name(step->what));
    if (strlen(text) > WORDS_MAX)
        return fail(reader, "at most %u characters in one line: use several say lines", WORDS_MAX);
    step->text = talloc_strdup(reader->script, text);
    return step->text ? 0 : -ENOMEM;
}

static int read_after(struct reader *reader, struct rlx_script_step *step)
{
    double seconds = 0;
    int err;

    skip_after(reader);
    err = read_number(reader, &seconds, 0, 600, "the time in seconds");
    if (!err)
        step->after_ms = (uint32_t)(seconds * 1000 + 0.5);
    return err;
}

static int do_say(struct reader *reader)
{
    return take_words(reader, add_step(reader, RLX_DO_SAY), NULL);
}

static int do_wait(struct reader *reader)
{
    (void)add_step(reader, RLX_DO_WAIT);
    return 0;
}

static int do_interrupt(struct reader *reader)
{
    struct rlx_script_step *step = add_step(reader, RLX_DO_INTERRUPT);
    int err = read_after(reader, step);

    return err ? err : take_words(reader, step, NULL);
}

static int do_mmhm(struct reader *reader)
{
    struct rlx_script_step *step = add_step(reader, RLX_DO_MMHM);
    int err = read_after(reader, step);

    return err ? err : take_words(reader, step, "Mm-hmm.");
}

static int do_silence(struct reader *reader)
{
    return read_after(reader, add_step(reader, RLX_DO_SILENCE));
}

static int do_press(struct reader *reader)
{
    struct rlx_script_step *step = add_step(reader, RLX_DO_PRESS);
    const char *text = rest_text(reader);

    if (!*text || strlen(text) > 64 || strspn(text, "0123456789*#") != strlen(text))
        return fail(reader, "press needs keys: 0-9, * and #");
    return take_words(reader, step, text);
}

static int do_wav(struct reader *reader)
{
    const char *text = rest_text(reader);

    if (!*text)
        return fail(reader, "wav needs a file");
    return take_words(reader, add_step(reader, RLX_DO_WAV), text);
}

static int do_voicemail(struct reader *reader)
{
    reader->script->machine = true;
    return take_words(reader, add_step(reader, RLX_DO_VOICEMAIL), NULL);
}

static int do_beep(struct reader *reader)
{
    struct rlx_script_step *step = add_step(reader, RLX_DO_BEEP);
    int32_t hz = 1000, ms = 500;
    int err = 0;

    if (has_more(reader))
        err = read_int(reader, &hz, 100, 3400, "the beep's frequency in Hz");
    if (!err && has_more(reader))
        err = read_int(reader, &ms, 20, 5000, "the beep's length in ms");
    step->hz = (uint32_t)hz;
    step->ms = (uint32_t)ms;
    return err;
}

static int do_hangup(struct reader *reader)
{
    (void)add_step(reader, RLX_DO_HANGUP);
    return 0;
}

static int do_end(struct reader *reader)
{
    struct rlx_script_step *step = add_step(reader, RLX_DO_END);

    step->after_ms = 60000;
    return has_more(reader) ? read_after(reader, step) : 0;
}

static const struct {
    const char *name;
    directive_h *read;
} directives[] = {
    {"number", set_number},
    {"voice", set_voice},
    {"answer", set_answer},
    {"busy", set_busy},
    {"no-answer", set_no_answer},
    {"fail", set_fail},
    {"noise", set_noise},
    {"echo", set_echo},
    {"quiet", set_quiet},
    {"limit", set_limit},
    {"kind", set_kind},
    {"unkind", set_unkind},
    {"gap", set_gap},
    {"delay", set_delay},
    {"loss", set_loss},
    {"marks", set_marks},
    {"seed", set_seed},
    {"say", do_say},
    {"wait", do_wait},
    {"interrupt", do_interrupt},
    {"mmhm", do_mmhm},
    {"silence", do_silence},
    {"press", do_press},
    {"wav", do_wav},
    {"voicemail", do_voicemail},
    {"beep", do_beep},
    {"hangup", do_hangup},
    {"end", do_end},
};

const char *rlx_script_do_name(enum rlx_script_do what)
{
    static const char *const names[] = {"say",     "wait",   "interrupt", "mmhm",
                                        "silence", "press",  "wav",       "voicemail",
                                        "beep",    "hangup", "end"};

    return names[what];
}

static int read_line(struct reader *reader)
{
    char *word = next_word(reader);

    if (!*word || *word == '#')
        return 0;
    for (size_t i = 0; i < sizeof(directives) / sizeof(directives[0]); i++) {
        int err;

        if (strcmp(directives[i].name, word) != 0)
            continue;
        err = directives[i].read(reader);
        if (!err && has_more(reader))
            err = fail(reader, "\"%s\" is too much after %s", rest_text(reader), word);
        return err;
    }
    return fail(reader,
                "\"%s\" is no directive: say, wait, interrupt, mmhm, silence, press, wav, "
                "voicemail, beep, hangup, end, or a setting (phone/README.md)",
                word);
}

static int read_lines(struct reader *reader, char *text)
{
    struct rlx_script *script = reader->script;
    int err = 0;

    while (text && !err) {
        char *line = strsep(&text, "\n");
        size_t length = strlen(line);

        if (length > 0 && line[length - 1] == '\r')
            line[length - 1] = '\0';
        if (++reader->line > LINES_MAX)
            return fail(reader, "a script has at most %u lines", LINES_MAX);
        reader->rest = line;
        err = read_line(reader);
    }
    if (!err && (script->count == 0 || (script->steps[script->count - 1].what != RLX_DO_HANGUP &&
                                        script->steps[script->count - 1].what != RLX_DO_END)))
        add_step(reader, RLX_DO_END)->after_ms = 60000;
    return err;
}

static void set_defaults(struct rlx_script *script)
{
    script->answer_ms = script->noise_db = script->echo_db = script->echo_ms = RLX_SCRIPT_UNSET;
    script->gap_ms = script->delay_ms = script->loss_tenths = RLX_SCRIPT_UNSET;
    script->marks_late = script->marks_lost = script->kind = RLX_SCRIPT_UNSET;
    script->seed = -1;
    script->quiet_ms = 1000;
    script->limit_ms = 20000;
}

int rlx_script_parse(struct rlx_script **scriptp, TALLOC_CTX *ctx, const char *text, char **whyp)
{
    struct reader reader = {.ctx = ctx, .whyp = whyp};
    struct rlx_script *script;
    char *copy;
    int err;

    if (!scriptp || !text)
        return RLX_EINVAL;
    if (strlen(text) > TEXT_MAX)
        return fail(&reader, "a script has at most 64 KB");
    script = talloc_zero(ctx, struct rlx_script);
    if (!script)
        return -ENOMEM;
    script->steps = talloc_zero_array(script, struct rlx_script_step, LINES_MAX + 2);
    copy = talloc_strdup(script, text);
    if (!script->steps || !copy) {
        talloc_free(script);
        return -ENOMEM;
    }
    set_defaults(script);
    reader.script = script;
    err = read_lines(&reader, copy);
    talloc_free(copy);
    if (err)
        talloc_free(script);
    else
        *scriptp = script;
    return err;
}
