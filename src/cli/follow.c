#include "cli/follow.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"

#define POLL_MS 250
#define ROWS_MAX 1000

static volatile sig_atomic_t interrupted;

void rlx_follow_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

/* A pause between two requests; false when it was interrupted. */
static bool wait_a_little(void)
{
    if (!interrupted)
        poll(NULL, 0, POLL_MS);
    bool go_on = !interrupted;
    interrupted = 0;
    return go_on;
}

bool rlx_call_status_is_final(const char *status)
{
    static const char *const final[] = {"completed", "failed", "busy", "no-answer", "canceled"};

    for (size_t i = 0; status && i < sizeof final / sizeof final[0]; i++)
        if (!strcmp(status, final[i]))
            return true;
    return false;
}

struct view {
    FILE *out;
    bool colour;
    char status[32];
    char *texts[ROWS_MAX]; /* of the rows as they were printed */
};

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

/* Where the words came from and how long they took, behind the first line of an agent's turn. */
static void print_source(const struct view *view, const json_t *row)
{
    const json_t *meta = json_object_get(row, "metadata");
    const json_t *first = json_object_get(meta, "first_audio_ms");
    const char *source = text_of(meta, "source");

    if (!*source)
        return;
    fprintf(view->out, "%s  [%s", view->colour ? "\033[2m" : "", source);
    if (json_is_number(first))
        fprintf(view->out, ", %.0f ms", json_number_value(first));
    fprintf(view->out, "]%s", view->colour ? "\033[0m" : "");
}

static void print_row(const struct view *view, const json_t *row)
{
    bool agent = !strcmp(text_of(row, "speaker"), "ai");

    fprintf(view->out, "%s%-7s%s %s", view->colour ? agent ? "\033[1;36m" : "\033[1;33m" : "",
            agent ? "agent" : "callee", view->colour ? "\033[0m" : "", text_of(row, "text"));
    if (agent)
        print_source(view, row);
    fputc('\n', view->out);
}

/* A row that has grown shows what came to it; one that was cut shows how much of it was heard. */
static void print_change(const struct view *view, const char *before, const char *now)
{
    size_t length = strlen(before);

    if (!strncmp(now, before, length))
        fprintf(view->out, "%8s%s\n", "", now + length + strspn(now + length, " "));
    else
        fprintf(view->out, "%8s%s(heard: %s)%s\n", "", view->colour ? "\033[2m" : "",
                *now ? now : "nothing of it", view->colour ? "\033[0m" : "");
}

static void show(struct view *view, const json_t *call)
{
    const json_t *rows = json_object_get(call, "transcripts"), *row;
    const char *status = text_of(call, "status");
    size_t i;

    if (strcmp(status, view->status) != 0) {
        snprintf(view->status, sizeof view->status, "%s", status);
        fprintf(view->out, "%s-- %s --%s\n", view->colour ? "\033[2m" : "", status,
                view->colour ? "\033[0m" : "");
    }
    json_array_foreach (rows, i, row) {
        const char *now = text_of(row, "text");
        if (i >= ROWS_MAX)
            break;
        if (!view->texts[i])
            print_row(view, row);
        else if (strcmp(view->texts[i], now) != 0)
            print_change(view, view->texts[i], now);
        else
            continue;
        talloc_free(view->texts[i]);
        view->texts[i] = talloc_strdup(view, now);
    }
    fflush(view->out);
}

int rlx_follow_call(struct rlx_client *client, json_t **callp, const char *call_id, int limit_s,
                    FILE *out, char **whyp)
{
    struct view *view = talloc_zero(client, struct view);
    char *path = talloc_asprintf(client, "/calls/%s", call_id);
    uint64_t end = rlx_now_ms() + (uint64_t)limit_s * 1000;
    json_t *call = NULL;
    int err = view && path ? 0 : -ENOMEM;

    if (!err) {
        view->out = out;
        view->colour = out && isatty(fileno(out));
    }
    while (!err) {
        json_decref(call);
        call = NULL;
        err = rlx_client_ask(client, &call, "GET", path, NULL, whyp);
        if (!err && out)
            show(view, call);
        if (err || rlx_call_status_is_final(text_of(call, "status")))
            break;
        if (rlx_now_ms() >= end) {
            *whyp = talloc_asprintf(client, "the call is still %s after %d s",
                                    text_of(call, "status"), limit_s);
            err = RLX_EINTERNAL;
        } else if (!wait_a_little()) {
            *whyp = talloc_strdup(client, "interrupted");
            err = -EINTR;
        }
    }
    if (err)
        json_decref(call);
    else
        *callp = call;
    talloc_free(view);
    talloc_free(path);
    return err;
}

int rlx_follow_analysis(struct rlx_client *client, json_t **analysisp, const char *call_id,
                        int limit_s, char **whyp)
{
    char *path = talloc_asprintf(client, "/calls/%s/analysis", call_id);
    uint64_t end = rlx_now_ms() + (uint64_t)limit_s * 1000;
    json_t *json = NULL;
    int err = path ? 0 : -ENOMEM;

    while (!err) {
        json_decref(json);
        json = NULL;
        err = rlx_client_ask(client, &json, "GET", path, NULL, whyp);
        if (err || strcmp(text_of(json, "status"), "pending") != 0 || rlx_now_ms() >= end)
            break;
        if (!wait_a_little()) {
            *whyp = talloc_strdup(client, "interrupted");
            err = -EINTR;
        }
    }
    if (err)
        json_decref(json);
    else
        *analysisp = json;
    talloc_free(path);
    return err;
}

void rlx_follow_print_analysis(const json_t *analysis, FILE *out)
{
    const json_t *points = json_object_get(analysis, "key_points"), *point;
    size_t i;

    fprintf(out, "analysis: %s\n", text_of(analysis, "status"));
    if (strcmp(text_of(analysis, "status"), "completed") != 0)
        return;
    fprintf(out, "  outcome:   %s\n  sentiment: %s\n  summary:   %s\n",
            text_of(analysis, "outcome"), text_of(analysis, "sentiment"),
            text_of(analysis, "summary"));
    json_array_foreach (points, i, point)
        if (json_string_value(point))
            fprintf(out, "  - %s\n", json_string_value(point));
    if (*text_of(analysis, "follow_up"))
        fprintf(out, "  follow-up: %s\n", text_of(analysis, "follow_up"));
}
