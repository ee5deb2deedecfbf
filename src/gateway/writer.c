#include "gateway/writer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"

#define BEAT_MS 1000
#define RETRY_MS 500

/* An operation is a JSON object: what is queued is what is spooled, and what is replayed. */
struct operation {
    struct operation *next;
    json_t *json;
};

struct rlx_writer {
    struct rlx_store *store;
    char *gateway_id, *control_url, *spool_dir, *spool_path;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct operation *first, **last;
    size_t queued, spooled;
    bool stop, started;
    int spool_fd; /* -1 = nothing is spooled */
};

/* ---- carrying out one operation ---- */

static const char *text_of(const json_t *json, const char *key)
{
    return json_string_value(json_object_get(json, key));
}

static int write_turn(struct rlx_store *store, const json_t *json)
{
    struct rlx_turn_row row = {
        .seq = (uint32_t)json_integer_value(json_object_get(json, "seq")),
        .agent = json_is_true(json_object_get(json, "agent")),
        .text = text_of(json, "text"),
        .at_ms = json_integer_value(json_object_get(json, "at_ms")),
        .metadata = text_of(json, "metadata"),
    };

    snprintf(row.id, sizeof row.id, "%s", text_of(json, "id"));
    snprintf(row.call_id, sizeof row.call_id, "%s", text_of(json, "call_id"));
    bool withdrawn = !*row.text;
    int err = withdrawn ? 0 : rlx_call_append_turn(store, &row);
    if (!err && json_is_true(json_object_get(json, "replace")))
        err = rlx_call_update_turn(store, row.id, row.text, row.metadata);
    return withdrawn && err == RLX_ENOTFOUND ? 0 : err;
}

static int write_end(struct rlx_store *store, const json_t *json)
{
    struct rlx_call_end end = {
        .status = text_of(json, "status"),
        .reason = text_of(json, "reason"),
        .outcome = text_of(json, "outcome"),
        .ended_ms = json_integer_value(json_object_get(json, "ended_ms")),
        .recording = text_of(json, "recording"),
        .metrics = text_of(json, "metrics"),
        .owner = json_is_true(json_object_get(json, "owner")),
    };

    return rlx_call_end(store, text_of(json, "call_id"), &end);
}

static int carry_out(struct rlx_store *store, const json_t *json)
{
    const char *op = text_of(json, "op");
    const char *call_id = text_of(json, "call_id");

    if (!op || !call_id)
        return RLX_EINVAL;
    if (!strcmp(op, "turn"))
        return write_turn(store, json);
    if (!strcmp(op, "event"))
        return rlx_call_event(store, call_id, text_of(json, "kind"), text_of(json, "data"),
                              json_integer_value(json_object_get(json, "at_ms")));
    if (!strcmp(op, "progress"))
        return rlx_call_progress(store, call_id, text_of(json, "status"));
    if (!strcmp(op, "end"))
        return write_end(store, json);
    if (!strcmp(op, "dnc"))
        return rlx_dnc_add(store, text_of(json, "user_id"), text_of(json, "number"),
                           text_of(json, "source"), call_id);
    return RLX_EINVAL;
}

/* True when the store is away and the operation must be kept; any other failure is final and logged. */
static bool must_keep(struct rlx_writer *w, const json_t *json)
{
    int err = carry_out(w->store, json);

    if (err == RLX_ESTORE)
        return true;
    if (err)
        rlx_log(RLX_ERROR, "writer.refused", "op=%s call_id=%s error=%s", text_of(json, "op"),
                text_of(json, "call_id"), rlx_err_text(err));
    return false;
}

/* ---- the spool ---- */

static void spool(struct rlx_writer *w, const json_t *json)
{
    if (w->spool_fd < 0) {
        w->spool_fd = open(w->spool_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        rlx_log(RLX_WARN, "writer.spooling", "file=%s", w->spool_path);
    }
    char *line = json_dumps(json, JSON_COMPACT);
    if (w->spool_fd < 0 || !line || dprintf(w->spool_fd, "%s\n", line) < 0 || fsync(w->spool_fd) < 0)
        rlx_log(RLX_ERROR, "writer.lost", "op=%s call_id=%s error=%s", text_of(json, "op"),
                text_of(json, "call_id"), strerror(errno));
    else
        w->spooled++;
    free(line);
}

/* Replays a spool file from its beginning; false when the store went away again (the file stays: operations that were
 * carried out already are repeated next time, which changes nothing). */
static bool replay(struct rlx_writer *w, const char *path)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t size = 0;
    bool whole = true;

    if (!file)
        return errno == ENOENT;
    while (whole && getline(&line, &size, file) > 0) {
        json_t *json = json_loads(line, 0, NULL);
        if (json) /* a torn last line is no operation */
            whole = !must_keep(w, json);
        json_decref(json);
    }
    free(line);
    fclose(file);
    if (whole) {
        unlink(path);
        rlx_log(RLX_INFO, "writer.replayed", "file=%s", path);
    }
    return whole;
}

static void replay_own(struct rlx_writer *w)
{
    if (w->spool_fd < 0 || rlx_store_ping(w->store) || !replay(w, w->spool_path))
        return;
    close(w->spool_fd);
    w->spool_fd = -1;
    w->spooled = 0;
}

/* Spools that dead gateways of this machine left. A living one holds a lock on its file's name by its process id. */
static void replay_orphans(struct rlx_writer *w)
{
    DIR *dir = opendir(w->spool_dir);
    struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        char path[512];
        long pid = strtol(entry->d_name, NULL, 10);
        if (pid <= 0 || pid == (long)getpid() || !strstr(entry->d_name, ".spool"))
            continue;
        snprintf(path, sizeof path, "/proc/%ld", pid);
        if (access(path, F_OK) == 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", w->spool_dir, entry->d_name);
        replay(w, path);
    }
    if (dir)
        closedir(dir);
}

/* ---- the thread ---- */

static struct operation *next_operation(struct rlx_writer *w)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += RETRY_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&w->lock);
    if (!w->first && !w->stop)
        pthread_cond_timedwait(&w->wake, &w->lock, &until);
    struct operation *op = w->first;
    if (op) {
        w->first = op->next;
        if (!w->first)
            w->last = &w->first;
        w->queued--;
    }
    pthread_mutex_unlock(&w->lock);
    return op;
}

static bool stopping(struct rlx_writer *w)
{
    pthread_mutex_lock(&w->lock);
    bool stop = w->stop && !w->first;
    pthread_mutex_unlock(&w->lock);
    return stop;
}

static void *run(void *arg)
{
    struct rlx_writer *w = arg;
    uint64_t beat = 0;

    replay_orphans(w);
    while (!stopping(w)) {
        if (rlx_now_ms() >= beat) {
            int err = rlx_gateway_beat(w->store, w->gateway_id, w->control_url, rlx_wall_ms());
            if (err)
                rlx_log(RLX_WARN, "writer.beat", "error=%s", rlx_err_text(err));
            beat = rlx_now_ms() + BEAT_MS;
            replay_own(w);
        }
        struct operation *op = next_operation(w);
        if (!op)
            continue;
        if (w->spool_fd >= 0 || must_keep(w, op->json)) /* order: nothing overtakes what is spooled */
            spool(w, op->json);
        json_decref(op->json);
        free(op);
    }
    replay_own(w);
    int err = rlx_gateway_leave(w->store, w->gateway_id);
    if (err)
        rlx_log(RLX_WARN, "writer.leave", "error=%s", rlx_err_text(err));
    return NULL;
}

static int stop_writer(struct rlx_writer *w)
{
    if (w->started) {
        pthread_mutex_lock(&w->lock);
        w->stop = true;
        pthread_cond_signal(&w->wake);
        pthread_mutex_unlock(&w->lock);
        pthread_join(w->thread, NULL);
    }
    if (w->spool_fd >= 0)
        close(w->spool_fd);
    return 0;
}

int rlx_writer_create(struct rlx_writer **writerp, TALLOC_CTX *ctx, struct rlx_store *store,
                      const char *gateway_id, const char *control_url, const char *spool_dir)
{
    struct rlx_writer *w = talloc_zero(ctx, struct rlx_writer);

    if (!w)
        return -ENOMEM;
    w->store = store;
    w->last = &w->first;
    w->spool_fd = -1;
    w->gateway_id = talloc_strdup(w, gateway_id);
    w->control_url = talloc_strdup(w, control_url);
    w->spool_dir = talloc_strdup(w, spool_dir);
    w->spool_path = talloc_asprintf(w, "%s/%ld.spool", spool_dir, (long)getpid());
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, NULL);
    talloc_set_destructor(w, stop_writer);
    int err = pthread_create(&w->thread, NULL, run, w);
    if (err) {
        talloc_free(w);
        return -err;
    }
    w->started = true;
    *writerp = w;
    return 0;
}

static void queue(struct rlx_writer *w, json_t *json)
{
    struct operation *op = malloc(sizeof *op);

    if (!op || !json) {
        rlx_log(RLX_ERROR, "writer.lost", "error=%s", "out of memory");
        free(op);
        json_decref(json);
        return;
    }
    *op = (struct operation){.json = json};
    pthread_mutex_lock(&w->lock);
    *w->last = op;
    w->last = &op->next;
    w->queued++;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

void rlx_writer_turn(struct rlx_writer *w, const struct rlx_turn_row *row, bool replace)
{
    queue(w, json_pack("{s:s, s:s, s:s, s:i, s:b, s:b, s:s, s:I, s:s}", "op", "turn", "id", row->id,
                       "call_id", row->call_id, "seq", (int)row->seq, "agent", row->agent,
                       "replace", replace, "text", row->text, "at_ms", (json_int_t)row->at_ms,
                       "metadata", row->metadata ? row->metadata : "{}"));
}

void rlx_writer_event(struct rlx_writer *w, const char *call_id, const char *kind,
                      const char *data_json)
{
    queue(w, json_pack("{s:s, s:s, s:s, s:s, s:I}", "op", "event", "call_id", call_id, "kind", kind,
                       "data", data_json ? data_json : "{}", "at_ms", (json_int_t)rlx_wall_ms()));
}

void rlx_writer_progress(struct rlx_writer *w, const char *call_id, const char *status)
{
    queue(w, json_pack("{s:s, s:s, s:s}", "op", "progress", "call_id", call_id, "status", status));
}

void rlx_writer_end(struct rlx_writer *w, const char *call_id, const struct rlx_call_end *end)
{
    queue(w, json_pack("{s:s, s:s, s:s, s:s, s:s?, s:I, s:s?, s:s?, s:b}", "op", "end", "call_id",
                       call_id, "status", end->status, "reason", end->reason, "outcome",
                       end->outcome, "ended_ms", (json_int_t)end->ended_ms, "recording",
                       end->recording, "metrics", end->metrics, "owner", end->owner));
}

void rlx_writer_dnc(struct rlx_writer *w, const char *user_id, const char *phone_number,
                    const char *source, const char *call_id)
{
    queue(w, json_pack("{s:s, s:s, s:s, s:s, s:s}", "op", "dnc", "call_id", call_id, "user_id",
                       user_id, "number", phone_number, "source", source));
}

size_t rlx_writer_backlog(struct rlx_writer *w)
{
    pthread_mutex_lock(&w->lock);
    size_t backlog = w->queued + w->spooled;
    pthread_mutex_unlock(&w->lock);
    return backlog;
}
