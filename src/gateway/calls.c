#include "gateway/calls.h"

#include <errno.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "gateway/early.h"
#include "gateway/media.h"
#include "gateway/route.h"
#include "gateway/token.h"
#include "store/secrets.h"

#define TICK_MS 10
#define PROOF_MS 5000      /* a socket must prove itself within this time */
#define MAX_UNPROVEN 256
#define STORE_MS 2000      /* `start` waits so long for the store */
#define LOAD_MS 10000      /* a call that can't be loaded is tried again for so long */
#define LOAD_AGAIN_MS 300
#define READY_MS 120000    /* a call that is ready and never gets a stream is forgotten */

struct call {
    LIST_ENTRY(call) link;
    char id[37];
    struct rlx_meter *meter;
    struct rlx_providers *providers; /* with the user's own keys; NULL = the server's are used */
    struct rlx_live *live; /* NULL while it is being loaded */
    struct door *door;     /* the socket that waits for it */
    bool taken;            /* its token is used: no other stream can come */
    uint64_t wanted_ms, load_ms; /* load_ms: when to try again; 0 = it is being loaded, or was */
};

/* A media socket that has not become a call's yet. */
struct door {
    LIST_ENTRY(door) link;
    struct rlx_calls *calls;
    struct rlx_socket *socket;
    uint64_t since_ms;
    char call_id[37], token[RLX_MEDIA_TOKEN];
    char stream_sid[RLX_MEDIA_SID], call_sid[RLX_MEDIA_SID];
    struct work *checking; /* the token is being consumed in the store */
    uint64_t checking_ms;  /* since */
    bool taken;
    char *amd;   /* who answered; NULL = not known */
    struct rlx_early *early; /* messages behind `start`, in the same read or on their way */
};

struct rlx_calls {
    struct rlx_live_env env;
    struct rlx_store *store;
    char *gateway_id;
    uv_timer_t tick;
    LIST_HEAD(, call) calls;
    LIST_HEAD(, door) doors;
    size_t door_count;
    bool closed; /* no more calls are taken */
};

/* ---- blocking work for the store, off the loop ---- */

struct work {
    uv_work_t work;
    struct rlx_calls *calls;
    struct door *door; /* NULL when it does not wait any more */
    char call_id[37];
    char token[RLX_MEDIA_TOKEN];
    struct rlx_call_setup *setup;
    char *amd; /* who answered, as far as the carrier has said it */
    int err;
};

static struct call *call_find(struct rlx_calls *calls, const char *call_id)
{
    struct call *call;

    LIST_FOREACH(call, &calls->calls, link)
        if (!strcmp(call->id, call_id))
            return call;
    return NULL;
}

/* A call that is this gateway's and can't be begun: nobody else would end it. */
static void end_unbegun(struct rlx_calls *calls, const char *call_id, const char *reason)
{
    const struct rlx_call_end end = {
        .status = "failed",
        .reason = reason,
        .ended_ms = rlx_wall_ms(),
        .owner = true,
    };

    rlx_log(RLX_WARN, "call.not_begun", "call_id=%s reason=%s", call_id, reason);
    rlx_writer_end(calls->env.writer, call_id, &end);
}

static void call_forget(struct rlx_calls *calls, struct call *call, const char *reason)
{
    if (call->taken && !(call->live && rlx_live_started(call->live)))
        end_unbegun(calls, call->id, reason);
    LIST_REMOVE(call, link);
    TALLOC_FREE(call->live); /* its last requests end here */
    TALLOC_FREE(call->providers);
    char *used = rlx_meter_json(call, call->meter);
    if (used)
        rlx_writer_usage(calls->env.writer, call->id, used);
    talloc_free(call);
}

static void door_free(struct door *door)
{
    LIST_REMOVE(door, link);
    door->calls->door_count--;
    talloc_free(door);
}

static void door_refuse(struct door *door, const char *why)
{
    rlx_log(RLX_WARN, "stream.refused", "call_id=%s why=%s", door->call_id, why);
    rlx_socket_close(door->socket, 1008, why);
}

static void message_early(const char *text, size_t length, void *arg)
{
    rlx_live_message(arg, text, length);
}

/* Both are there: a proven socket and a loaded call. */
static void join(struct call *call)
{
    struct door *door = call->door;

    if (!door || !door->taken || !call->live)
        return;
    call->door = NULL;
    if (rlx_live_started(call->live)) {
        door_refuse(door, "the call has a stream already");
        return;
    }
    struct rlx_socket *socket = door->socket;
    rlx_live_start(call->live, socket, door->stream_sid, door->call_sid);
    if (door->amd)
        rlx_live_amd(call->live, door->amd);
    rlx_early_replay(door->early, message_early, call->live);
    door_free(door);
    rlx_socket_hold(socket, 0);
}

static void load(uv_work_t *work)
{
    struct work *w = work->data;

    w->err = rlx_call_setup_load(&w->setup, w->calls->store, w->call_id);
    if (!w->err)
        rlx_call_setup_configure(w->setup, w->calls->store, w->calls->env.config);
}

/* The providers that the call speaks to: the server's, or, when its user has keys of his own or
 * its agent names others, some of its own. */
static void choose_providers(struct rlx_calls *calls, struct call *call,
                             struct rlx_call_setup *setup)
{
    const struct rlx_config *server = calls->env.config, *own = setup->config;
    char *why = NULL;

    setup->meter = call->meter;
    setup->providers = calls->env.providers;
    if (!own || (!setup->wished && !rlx_meter_own_keys(NULL, server, own)))
        return;
    TALLOC_FREE(call->providers);
    talloc_reparent(setup, call, own); /* chains borrow keys from it */
    if (rlx_providers_create(&call->providers, call, calls->env.net, own, &why)) {
        rlx_log(RLX_WARN, "call.providers", "call_id=%s error=%s", call->id, why ? why : "");
        return;
    }
    rlx_meter_own_keys(call->meter, server, own);
    setup->providers = call->providers;
}

static void loaded(uv_work_t *work, int status)
{
    struct work *w = work->data;
    struct call *call = call_find(w->calls, w->call_id);
    int err = status ? status : w->err;

    if (!err && call && !call->live)
        choose_providers(w->calls, call, w->setup);
    if (!err && call && !call->live)
        err = rlx_live_create(&call->live, call, &w->calls->env, w->setup);
    else if (!err)
        talloc_free(w->setup);
    if (err == RLX_ESTORE && call && rlx_now_ms() - call->wanted_ms < LOAD_MS) {
        call->load_ms = rlx_now_ms() + LOAD_AGAIN_MS;
    } else if (err && call) {
        rlx_log(RLX_WARN, "call.load", "call_id=%s error=%s", w->call_id, rlx_err_text(err));
        if (call->door)
            door_refuse(call->door, "the call can't be loaded");
        call_forget(w->calls, call, "gateway_error");
    } else if (call) {
        join(call);
    }
    talloc_free(w);
}

static struct work *work_new(struct rlx_calls *calls, const char *call_id)
{
    struct work *w = talloc_zero(NULL, struct work);

    if (!w)
        return NULL;
    w->work.data = w;
    w->calls = calls;
    snprintf(w->call_id, sizeof w->call_id, "%s", call_id);
    return w;
}

static struct call *call_want(struct rlx_calls *calls, const char *call_id)
{
    struct call *call = call_find(calls, call_id);

    if (call || calls->closed)
        return call;
    struct work *w = work_new(calls, call_id);
    call = w ? talloc_zero(calls, struct call) : NULL;
    if (!call || rlx_meter_create(&call->meter, call) || uv_queue_work(calls->env.loop, &w->work, load, loaded)) {
        talloc_free(call);
        talloc_free(w);
        return NULL;
    }
    snprintf(call->id, sizeof call->id, "%s", call_id);
    call->wanted_ms = rlx_now_ms();
    LIST_INSERT_HEAD(&calls->calls, call, link);
    return call;
}

static void load_again(struct rlx_calls *calls, struct call *call)
{
    struct work *w = work_new(calls, call->id);

    call->load_ms = 0;
    if (w && !uv_queue_work(calls->env.loop, &w->work, load, loaded))
        return;
    talloc_free(w);
    call->load_ms = rlx_now_ms() + LOAD_AGAIN_MS;
}

void rlx_calls_want(struct rlx_calls *calls, const char *call_id)
{
    call_want(calls, call_id);
}

void rlx_calls_gone(struct rlx_calls *calls, const char *call_id)
{
    struct call *call = call_find(calls, call_id);

    if (call && !call->taken)
        call_forget(calls, call, "");
}

/* ---- the door: sockets that must prove themselves ---- */

static void take_token(uv_work_t *work)
{
    struct work *w = work->data;
    char sha256[RLX_SHA256_HEX];

    rlx_sha256_hex(sha256, w->token, strlen(w->token));
    w->err = rlx_call_take(w->calls->store, w->call_id, w->calls->gateway_id, sha256, rlx_wall_ms());
    if (!w->err)
        w->amd = rlx_route_kept_amd(w, w->calls->store, w->call_id);
}

/* A store that is away must not cost a call that was answered: the token's own signature stands then, and this process takes
 * it once, since the call has no stream yet. */
static bool store_may_be_away(struct rlx_calls *calls, const char *call_id, int err)
{
    struct call *call = call_find(calls, call_id);

    return err == RLX_ESTORE && call && !(call->live && rlx_live_started(call->live));
}

static void token_checked(struct door *door, const char *token, int err)
{
    struct rlx_calls *calls = door->calls;
    bool good = !err || store_may_be_away(calls, door->call_id, err);

    door->checking = NULL;
    if (good && err) {
        char sha256[RLX_SHA256_HEX];
        rlx_sha256_hex(sha256, token, strlen(token));
        rlx_writer_take(calls->env.writer, door->call_id, sha256);
    }
    if (!door->socket) { /* it closed meanwhile */
        if (good) {
            rlx_calls_gone(calls, door->call_id);
            end_unbegun(calls, door->call_id, "stream_lost");
        }
        door_free(door);
        return;
    }
    struct call *call = good ? call_want(calls, door->call_id) : NULL;
    if (!call) {
        if (good)
            end_unbegun(calls, door->call_id, "gateway_stopped");
        else
            rlx_calls_gone(calls, door->call_id); /* it was loaded for this socket, or is over */
        door_refuse(door, err == RLX_EAUTH ? "the stream token was used or has expired"
                                           : "the call is not there");
        return;
    }
    if (call->door) {
        door_refuse(door, "the call has a stream already");
        return;
    }
    door->taken = call->taken = true;
    call->door = door;
    join(call);
}

static void token_taken(uv_work_t *work, int status)
{
    struct work *w = work->data;
    int err = status ? status : w->err;

    if (w->door && w->amd)
        w->door->amd = talloc_steal(w->door, w->amd);
    if (w->door)
        token_checked(w->door, w->token, err);
    else if (err) /* its answer was not waited for */
        rlx_log(RLX_WARN, "stream.token_late", "call_id=%s error=%s", w->call_id,
                rlx_err_text(err));
    talloc_free(w);
}

/* The store hangs: what the token's signature proves must do. */
static void token_late(struct door *door)
{
    struct work *w = door->checking;

    w->door = NULL; /* it ends by itself */
    token_checked(door, w->token, RLX_ESTORE);
}

static void door_start(struct door *door, const struct rlx_media_message *message)
{
    struct rlx_calls *calls = door->calls;

    if (!rlx_stream_token_check(calls->env.config, message->token, message->call_sid,
                                door->call_id)) {
        door_refuse(door, "the stream token is not valid");
        return;
    }
    snprintf(door->stream_sid, sizeof door->stream_sid, "%s", message->stream_sid);
    snprintf(door->call_sid, sizeof door->call_sid, "%s", message->call_sid);
    struct work *w = work_new(calls, door->call_id);
    if (!w) {
        door_refuse(door, "out of memory");
        return;
    }
    w->door = door;
    snprintf(w->token, sizeof w->token, "%s", message->token);
    door->checking = w;
    door->checking_ms = rlx_now_ms();
    rlx_socket_hold(door->socket, 1);
    call_want(calls, door->call_id); /* loads beside the check when it is not here yet */
    if (uv_queue_work(calls->env.loop, &w->work, take_token, token_taken)) {
        door->checking = NULL;
        talloc_free(w);
        door_refuse(door, "the token can't be checked");
    }
}

static void door_message(const char *text, size_t length, void *arg)
{
    struct door *door = arg;
    struct rlx_media_message message;
    const char *why = NULL;

    if (door->checking || door->taken) {
        rlx_early_keep(&door->early, door, text, length);
        return;
    }
    if (rlx_media_read(&message, text, length, &why))
        door_refuse(door, why);
    else if (message.kind == RLX_MEDIA_START)
        door_start(door, &message);
    else if (message.kind != RLX_MEDIA_CONNECTED && message.kind != RLX_MEDIA_OTHER)
        door_refuse(door, "the first messages must be connected and start");
}

static void door_closed(const char *why, void *arg)
{
    struct door *door = arg;
    struct call *call = call_find(door->calls, door->call_id);

    (void)why;
    door->socket = NULL;
    if (call && call->door == door)
        call_forget(door->calls, call, "stream_lost");
    if (door->checking)
        return; /* token_checked frees it */
    door_free(door);
}

static const struct rlx_socket_handlers door_handlers = {door_message, door_closed};

void rlx_calls_socket(struct rlx_calls *calls, int fd, const void *extra, size_t extra_length)
{
    struct door *door =
        !calls->closed && calls->door_count < MAX_UNPROVEN ? talloc_zero(calls, struct door) : NULL;

    if (!door) {
        rlx_log(RLX_WARN, "stream.refused", "why=%s", "too many sockets have not proved themselves");
        close(fd);
        return;
    }
    door->calls = calls;
    door->since_ms = rlx_now_ms();
    LIST_INSERT_HEAD(&calls->doors, door, link);
    calls->door_count++;
    int err = rlx_socket_open(&door->socket, calls->env.loop, fd, extra, extra_length,
                              &door_handlers, door);
    if (err) {
        rlx_log(RLX_ERROR, "stream.open", "error=%s", rlx_err_text(err));
        door_free(door);
    }
}

/* ---- time ---- */

static void on_tick(uv_timer_t *timer)
{
    struct rlx_calls *calls = timer->data;
    uint64_t now_ms = rlx_now_ms();
    struct call *call, *next;
    struct door *door, *after;

    for (call = LIST_FIRST(&calls->calls); call; call = next) {
        next = LIST_NEXT(call, link);
        if (call->load_ms && now_ms >= call->load_ms)
            load_again(calls, call);
        if (!call->live)
            continue;
        rlx_live_tick(call->live, now_ms);
        if (rlx_live_over(call->live) ||
            (!rlx_live_started(call->live) && now_ms - call->wanted_ms > READY_MS))
            call_forget(calls, call, "stream_lost");
    }
    for (door = LIST_FIRST(&calls->doors); door; door = after) {
        after = LIST_NEXT(door, link);
        if (door->checking && now_ms - door->checking_ms >= STORE_MS)
            token_late(door);
        else if (door->socket && !door->checking && !door->taken &&
                 now_ms - door->since_ms > PROOF_MS)
            door_refuse(door, "no start message came");
    }
}

bool rlx_calls_amd(struct rlx_calls *calls, const char *call_id, const char *answered_by)
{
    struct call *call = call_find(calls, call_id);

    if (!call || !call->live)
        return false;
    rlx_live_amd(call->live, answered_by);
    return rlx_live_started(call->live);
}

bool rlx_calls_carrier_ended(struct rlx_calls *calls, const char *call_id)
{
    struct call *call = call_find(calls, call_id);

    if (!call || !call->live || !rlx_live_started(call->live))
        return false;
    rlx_live_carrier_ended(call->live);
    return true;
}

void rlx_calls_listen(struct rlx_calls *calls, const char *call_id, struct rlx_tap *tap)
{
    struct call *call = call_find(calls, call_id);

    if (call && call->live) {
        rlx_live_listen(call->live, tap);
        return;
    }
    rlx_tap_set(tap, RLX_TAP_NO_CALL);
    rlx_tap_drop_call(tap);
}

void rlx_calls_kept(struct rlx_calls *calls, const char *call_id, uint32_t row)
{
    struct call *call = call_find(calls, call_id);

    if (call && call->live)
        rlx_live_kept(call->live, row);
}

bool rlx_calls_hang_up(struct rlx_calls *calls, const char *call_id, const char *reason)
{
    struct call *call = call_find(calls, call_id);

    if (!call || !call->live || !rlx_live_started(call->live))
        return false;
    rlx_live_end(call->live, reason);
    return true;
}

size_t rlx_calls_live(const struct rlx_calls *calls)
{
    const struct call *call;
    size_t count = 0;

    LIST_FOREACH(call, &calls->calls, link)
        count += call->live && rlx_live_started(call->live);
    return count;
}

size_t rlx_calls_expected(const struct rlx_calls *calls)
{
    const struct call *call;
    size_t count = 0;

    LIST_FOREACH(call, &calls->calls, link)
        count += !(call->live && rlx_live_started(call->live));
    return count;
}

int rlx_calls_create(struct rlx_calls **callsp, TALLOC_CTX *ctx, const struct rlx_live_env *env,
                     struct rlx_store *store, const char *gateway_id)
{
    struct rlx_calls *calls = talloc_zero(ctx, struct rlx_calls);

    if (!calls)
        return -ENOMEM;
    calls->env = *env;
    calls->store = store;
    calls->gateway_id = talloc_strdup(calls, gateway_id);
    LIST_INIT(&calls->calls);
    LIST_INIT(&calls->doors);
    uv_timer_init(env->loop, &calls->tick);
    calls->tick.data = calls;
    uv_timer_start(&calls->tick, on_tick, TICK_MS, TICK_MS);
    *callsp = calls;
    return 0;
}

void rlx_calls_end_all(struct rlx_calls *calls)
{
    struct call *call, *next;
    struct door *door;

    calls->closed = true;
    LIST_FOREACH(door, &calls->doors, link)
        if (door->socket)
            rlx_socket_close(door->socket, 1001, "the gateway stops");
    for (call = LIST_FIRST(&calls->calls); call; call = next) {
        next = LIST_NEXT(call, link);
        if (call->live && rlx_live_started(call->live))
            rlx_live_end(call->live, "gateway_stopped");
        else
            call_forget(calls, call, "gateway_stopped");
    }
}

bool rlx_calls_empty(const struct rlx_calls *calls)
{
    return LIST_EMPTY(&calls->calls) && LIST_EMPTY(&calls->doors);
}

void rlx_calls_close(struct rlx_calls *calls)
{
    uv_close((uv_handle_t *)&calls->tick, NULL);
}
