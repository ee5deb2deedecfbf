#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/demo.h"

#define WORDS_MAX 64
#define WORD_BYTES 32
#define TURNS_MAX 256

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

/* ---- which transcript row holds what the callee said ---- */

struct words {
    char list[WORDS_MAX][WORD_BYTES];
    size_t count;
};

/* The words in lower case without punctuation. */
static void split(struct words *words, const char *text)
{
    size_t n = 0;

    words->count = 0;
    for (;; text++) {
        unsigned char c = (unsigned char)*text;
        if ((isalnum(c) || c == '\'') && n < WORD_BYTES - 1) {
            if (words->count < WORDS_MAX && c != '\'')
                words->list[words->count][n++] = (char)tolower(c);
            continue;
        }
        if (n && words->count < WORDS_MAX)
            words->list[words->count++][n] = '\0';
        n = 0;
        if (!c)
            return;
    }
}

/* The share of the words of `said` that stand in `heard`, in order (longest common subsequence). */
static double share(const char *said, const char *heard)
{
    struct words a, b;
    size_t row[WORDS_MAX + 1] = {0};

    split(&a, said);
    split(&b, heard);
    for (size_t i = 0; i < a.count; i++) {
        size_t diagonal = 0;
        for (size_t j = 0; j < b.count; j++) {
            size_t above = row[j + 1];
            if (!strcmp(a.list[i], b.list[j]))
                row[j + 1] = diagonal + 1;
            else if (row[j] > above)
                row[j + 1] = row[j];
            diagonal = above;
        }
    }
    return a.count ? (double)row[b.count] / (double)a.count : 0;
}

/* The user's row at or after `from` that matches best; -1 when none does. */
static int find_row(const json_t *rows, size_t from, const char *said)
{
    double best = 0.34;
    int found = -1;

    for (size_t i = from; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        double now = share(said, text_of(row, "text"));
        if (!strcmp(text_of(row, "speaker"), "user") && now > best) {
            best = now;
            found = (int)i;
        }
    }
    return found;
}

/* ---- turns ---- */

static json_t *number_or_null(const json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);

    return json_is_number(value) ? json_incref(value) : json_null();
}

/* "One moment", "Are you still there?": sounds that keep a line alive and answer nothing. */
static bool is_answer(const char *source)
{
    return strcmp(source, "filler") != 0 && strcmp(source, "prompt") != 0;
}

/* What the agent said to the callee's row: the rows up to the callee's next one. */
static void add_answer(json_t *turn, const json_t *rows, size_t user_row)
{
    char *text = talloc_strdup(NULL, "");
    const json_t *heard = json_object_get(json_array_get(rows, user_row), "metadata");
    const json_t *meta = NULL;
    bool interrupted = false;

    for (size_t i = user_row + 1; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        const json_t *own = json_object_get(row, "metadata");
        if (strcmp(text_of(row, "speaker"), "ai") != 0)
            break;
        if (*text_of(row, "text"))
            text = talloc_asprintf_append(text, "%s%s", *text ? " " : "", text_of(row, "text"));
        if (!meta || !is_answer(text_of(meta, "source")))
            meta = own;
        interrupted = interrupted || json_is_true(json_object_get(own, "interrupted"));
    }
    json_object_set_new(turn, "agent", json_string(text));
    json_object_set_new(turn, "source",
                        *text_of(meta, "source") ? json_string(text_of(meta, "source"))
                                                 : json_null());
    json_object_set_new(
        turn, "stt_ms",
        number_or_null(json_is_number(json_object_get(heard, "stt_ms")) ? heard : meta, "stt_ms"));
    json_object_set_new(turn, "llm_ms", number_or_null(meta, "llm_ms"));
    json_object_set_new(turn, "tts_ms", number_or_null(meta, "tts_ms"));
    json_object_set_new(turn, "interrupted", json_boolean(interrupted));
    talloc_free(text);
}

/* One of the phone's turns; NULL for what the greeting answers, which is no turn of the
 * conversation: of the first one ("hello?") no row may be kept. */
static json_t *make_turn(const json_t *heard, bool first, const json_t *rows, size_t *fromp)
{
    const char *said = text_of(heard, "callee");
    int row = find_row(rows, *fromp, said);

    if (row < 0 && first && json_is_number(json_object_get(heard, "first_audio_ms")))
        return NULL;
    json_t *turn = json_pack("{s:s}", "callee", said);
    json_object_set_new(turn, "first_audio_ms", number_or_null(heard, "first_audio_ms"));
    if (row >= 0) {
        add_answer(turn, rows, (size_t)row);
        *fromp = (size_t)row + 1;
    } else {
        add_answer(turn, NULL, 0);
    }
    if (!strcmp(text_of(turn, "source"), "greeting")) {
        json_decref(turn);
        return NULL;
    }
    return turn;
}

static json_t *make_turns(const json_t *call, const json_t *phone)
{
    const json_t *rows = json_object_get(call, "transcripts");
    const json_t *heard;
    json_t *turns = json_array();
    size_t from = 0, i;

    json_array_foreach (json_object_get(phone, "turns"), i, heard) {
        json_t *turn = i < TURNS_MAX ? make_turn(heard, i == 0, rows, &from) : NULL;
        if (turn)
            json_array_append_new(turns, turn);
    }
    return turns;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The value below which `part` of the turns' first_audio_ms lie (nearest rank); null without any.
 */
static json_t *percentile(const json_t *turns, double part)
{
    double values[TURNS_MAX];
    const json_t *turn;
    size_t count = 0, i;

    json_array_foreach (turns, i, turn) {
        const json_t *value = json_object_get(turn, "first_audio_ms");
        if (json_is_number(value) && count < TURNS_MAX)
            values[count++] = json_number_value(value);
    }
    if (!count)
        return json_null();
    qsort(values, count, sizeof values[0], by_size);
    size_t rank = (size_t)(part * (double)count + 0.9999);
    return json_integer((json_int_t)values[rank ? rank - 1 : 0]);
}

/* The phone's report without its hundreds of marks. */
static json_t *without_marks(const json_t *phone)
{
    json_t *seen = json_copy((json_t *)(uintptr_t)phone);

    if (seen)
        json_object_del(seen, "marks");
    return seen ? seen : json_null();
}

json_t *rlx_demo_report(const json_t *call, const json_t *phone, const json_t *analysis)
{
    json_t *report =
        json_pack("{s:s, s:s}", "status", text_of(call, "status"), "call_id", text_of(call, "id"));
    json_t *turns = make_turns(call, phone);
    json_t *rows = json_object_get(call, "transcripts");
    json_t *recording = json_object_get(call, "recording");

    if (!report || !turns) {
        json_decref(report);
        json_decref(turns);
        return NULL;
    }
    json_object_set_new(report, "median_first_audio_ms", percentile(turns, 0.5));
    json_object_set_new(report, "p95_first_audio_ms", percentile(turns, 0.95));
    json_object_set_new(report, "turns", turns);
    json_object_set_new(report, "transcript", rows ? json_incref(rows) : json_array());
    json_object_set_new(report, "analysis",
                        analysis ? json_incref((json_t *)(uintptr_t)analysis) : json_null());
    json_object_set_new(report, "recording", recording ? json_incref(recording) : json_null());
    json_object_set_new(report, "phone", phone ? without_marks(phone) : json_null());
    return report;
}

bool rlx_demo_report_is_good(const json_t *report)
{
    const json_t *turns = json_object_get(report, "turns"), *turn;
    size_t i;

    if (strcmp(text_of(report, "status"), "completed") != 0 || !json_array_size(turns))
        return false;
    json_array_foreach (turns, i, turn) {
        if (!*text_of(turn, "agent") || !is_answer(text_of(turn, "source")) ||
            !json_is_number(json_object_get(turn, "first_audio_ms")))
            return false;
    }
    return true;
}

static void print_ms(FILE *out, const char *name, const json_t *turn, const char *key)
{
    const json_t *value = json_object_get(turn, key);

    if (json_is_number(value))
        fprintf(out, "  %s %.0f ms", name, json_number_value(value));
}

void rlx_demo_report_print(const json_t *report, FILE *out)
{
    const json_t *turn;
    size_t i;

    fputs("\nturns, as the phone heard them:\n", out);
    json_array_foreach (json_object_get(report, "turns"), i, turn) {
        fprintf(out, "  %zu. %s\n     %s%s\n    ", i + 1, text_of(turn, "callee"),
                *text_of(turn, "agent") ? text_of(turn, "agent") : "(no answer)",
                json_is_true(json_object_get(turn, "interrupted")) ? " (interrupted)" : "");
        fprintf(out, " %s", text_of(turn, "source"));
        print_ms(out, "first audio", turn, "first_audio_ms");
        print_ms(out, "stt", turn, "stt_ms");
        print_ms(out, "llm", turn, "llm_ms");
        print_ms(out, "tts", turn, "tts_ms");
        fputc('\n', out);
    }
    print_ms(out, "median", report, "median_first_audio_ms");
    print_ms(out, "p95", report, "p95_first_audio_ms");
    fputs("\n\n", out);
}
