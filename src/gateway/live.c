#include "gateway/live.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/err.h"
#include "base/log.h"
#include "gateway/live_private.h"
#include "provider/carrier.h"
#include "store/secrets.h"

#define RECORDER_TICK_MS 1000
#define CLOSE_MS 5000 /* the call's end waits so long for its recording to be closed */
#define BAD_MESSAGES 100
#define BEEP_MS 90000 /* a machine has beeped by then */
#define HANGUP_MS 500 /* the stream stays open so long for the carrier to be told by REST */
#define STOP_MS 2000 /* the stream's own end is awaited so long after the carrier's word */

/* ---- the conversation's actions ---- */

struct rlx_hangup {
    uv_work_t work;
    struct rlx_live *live; /* NULL when it is gone */
    const struct rlx_config *config;
    struct rlx_store *store;
    struct rlx_socket *socket;
    char sid[RLX_MEDIA_SID], call_id[37];
    int err;
};

static void hangup_at_carrier(uv_work_t *work)
{
    struct rlx_hangup *hangup = work->data;
    const struct rlx_config *config = NULL;

    /* The user's own account may have dialed. When the store is away it was most likely the server's. */
    if (rlx_call_config(hangup->store, hangup->config, hangup, hangup->call_id, &config))
        config = hangup->config;
    hangup->err = rlx_carrier_hangup(config, hangup->sid);
}

/* When the call is over: at once, or when the carrier has been told (half a second at most). */
static void close_stream(struct rlx_live *live)
{
    if (!live->over || !live->socket ||
        (live->hangup && rlx_now_ms() - live->end_ms < HANGUP_MS))
        return;
    rlx_socket_close(live->socket, 1000, "the call is over");
}

static void hangup_done(uv_work_t *work, int status)
{
    struct rlx_hangup *hangup = work->data;

    if (status || hangup->err)
        rlx_log(RLX_WARN, "carrier.hangup", "sid=%s error=%s", hangup->sid,
                rlx_err_text(status ? status : hangup->err));
    if (hangup->live) {
        hangup->live->hangup = NULL;
        close_stream(hangup->live);
    }
    talloc_free(hangup);
}

/* By REST, then by closing the stream. The other way round the carrier would find the call over, or go on with its document. */
static void hang_up(struct rlx_live *live)
{
    struct rlx_hangup *hangup = talloc_zero(NULL, struct rlx_hangup);

    if (hangup) {
        hangup->work.data = hangup;
        hangup->config = live->env->config;
        hangup->live = live;
        hangup->store = live->env->store;
        snprintf(hangup->call_id, sizeof hangup->call_id, "%s", live->setup->call_id);
        snprintf(hangup->sid, sizeof hangup->sid, "%s", live->call_sid);
        if (uv_queue_work(live->env->loop, &hangup->work, hangup_at_carrier, hangup_done))
            talloc_free(hangup);
        else
            live->hangup = hangup;
    }
}

static void write_row(struct rlx_live *live, const struct rlx_conv_action *action)
{
    struct rlx_turn_row row = {
        .seq = action->row.seq,
        .agent = action->row.agent,
        .text = action->row.text,
        .at_ms = action->row.at_ms,
        .metadata = action->row.metadata,
    };

    snprintf(row.id, sizeof row.id, "%s", action->row.id);
    snprintf(row.call_id, sizeof row.call_id, "%s", live->setup->call_id);
    /* the callee's rows never change */
    rlx_writer_turn(live->env->writer, &row, row.agent, action->row.number);
}

/* The measurements of the conversation together with those of the playout. */
static char *all_metrics(struct rlx_live *live, const char *of_conversation)
{
    struct rlx_playout_stats stats;
    json_t *json = json_loads(of_conversation ? of_conversation : "{}", 0, NULL);

    rlx_voice_stats(live->voice, &stats);
    if (!json)
        json = json_object();
    json_object_set_new(json, "playout",
                        json_pack("{s:i, s:i, s:i, s:i}", "marks_sent", (int)stats.marks_sent,
                                  "marks_lost", (int)stats.marks_lost, "underruns",
                                  (int)stats.underruns, "late_max_ms", (int)stats.late_max_ms));
    char *text = json_dumps(json, JSON_COMPACT);
    char *copy = talloc_strdup(live, text ? text : "{}");
    free(text);
    json_decref(json);
    return copy;
}

/* A full or slow disk costs the recording, not the call. */
static void recording_failed(struct rlx_live *live, int err)
{
    if (live->recording_failed)
        return;
    live->recording_failed = true;
    rlx_log(RLX_ERROR, "recording.failed", "call_id=%s file=%s error=%s", live->setup->call_id,
            live->recording_path ? live->recording_path : "", rlx_err_text(err));
    rlx_writer_event(live->env->writer, live->setup->call_id, "recording_failed", NULL);
}

/* The end is written down when the recording is whole: the analysis and whoever asks for it come right after. */
static void report_end(struct rlx_live *live, uint64_t now_ms)
{
    struct rlx_call_end *end = live->end;
    int err = 0;

    if (live->recorder && !rlx_recorder_closed(live->recorder, &err)) {
        if (now_ms - live->end_ms < CLOSE_MS)
            return;
        err = -ETIMEDOUT; /* what is there of it is valid */
    }
    if (err)
        recording_failed(live, err);
    if (live->recorder && (!err || err == -ETIMEDOUT))
        end->recording = live->recording_path;
    end->upload = live->env->upload;
    live->end = NULL;
    rlx_writer_end(live->env->writer, live->setup->call_id, end);
    rlx_log(RLX_INFO, "call.ended", "call_id=%s status=%s reason=%s duration_ms=%llu",
            live->setup->call_id, end->status, end->reason,
            (unsigned long long)(live->started_ms ? live->end_ms - live->started_ms : 0));
    talloc_free(end);
}

static void end_call(struct rlx_live *live, const struct rlx_conv_action *action)
{
    struct rlx_call_end *end = talloc_zero(live, struct rlx_call_end);
    uint64_t now_ms = rlx_now_ms();

    if (live->recorder) /* an error is told when it is closed */
        (void)rlx_recorder_finish(live->recorder, rlx_live_time(live));
    live->over = true;
    rlx_live_listeners_end(live);
    live->end_ms = now_ms;
    close_stream(live);
    if (!end) {
        rlx_log(RLX_ERROR, "call.end", "call_id=%s error=%s", live->setup->call_id, "out of memory");
        return; /* the worker closes it when its lease is over */
    }
    *end = (struct rlx_call_end){
        .status = talloc_strdup(end, action->end.status),
        .reason = talloc_strdup(end, action->end.reason),
        .outcome = talloc_strdup(end, action->end.outcome),
        .ended_ms = rlx_wall_ms(),
        .metrics = all_metrics(live, action->end.metrics),
        .owner = true,
    };
    live->end = end;
    report_end(live, now_ms);
}

static void carry_out(struct rlx_live *live, const struct rlx_conv_action *action)
{
    switch (action->kind) {
    case RLX_ACT_STT:
        rlx_mind_hear(live->mind, action);
        break;
    case RLX_ACT_LOOKUP:
        rlx_mind_look_up(live->mind, action);
        break;
    case RLX_ACT_LLM:
        rlx_mind_think(live->mind, action);
        break;
    case RLX_ACT_STT_CANCEL:
    case RLX_ACT_LLM_CANCEL:
        rlx_mind_cancel(live->mind, action->job);
        break;
    case RLX_ACT_SAY:
    case RLX_ACT_EPOCH:
    case RLX_ACT_FINISH:
    case RLX_ACT_DROP:
    case RLX_ACT_PAUSE:
    case RLX_ACT_RESUME:
        rlx_voice_act(live->voice, action);
        break;
    case RLX_ACT_ROW:
        write_row(live, action);
        break;
    case RLX_ACT_NOTE:
        if (!strcmp(action->text, "rows_late"))
            rlx_log(RLX_WARN, "call.rows_late", "call_id=%s data=%s", live->setup->call_id,
                    action->data);
        rlx_writer_event(live->env->writer, live->setup->call_id, action->text, action->data);
        break;
    case RLX_ACT_DNC:
        rlx_writer_dnc(live->env->writer, live->setup->user_id, live->setup->phone_number,
                       "opt_out", live->setup->call_id);
        break;
    case RLX_ACT_HANGUP:
        hang_up(live);
        break;
    case RLX_ACT_END:
        end_call(live, action);
        break;
    case RLX_ACT_STATE:
        rlx_log(RLX_DEBUG, "call.state", "call_id=%s state=%s", live->setup->call_id,
                rlx_conv_state_name(action->state));
        break;
    case RLX_ACT_TOOL: {
        struct rlx_conv_event event = {
            .kind = RLX_EV_TOOL_DONE, .job = action->job, .err = RLX_ENOTFOUND, .text = "{}"};
        rlx_log(RLX_WARN, "tool.unknown", "call_id=%s name=%s", live->setup->call_id,
                action->tool.name);
        rlx_live_input(live, &event);
        break;
    }
    }
}

static bool is_rate_low(const struct rlx_live *live)
{
    const struct rlx_providers *providers = live->setup->providers;

    return rlx_stt_is_low(providers->stt) || rlx_llm_is_low(providers->llm) ||
           rlx_tts_is_low(providers->tts);
}

static void give(struct rlx_live *live, struct rlx_conv_event *event)
{
    uint64_t now_ms = rlx_now_ms();
    size_t count;

    event->rate_low = is_rate_low(live);
    event->heard_ms = rlx_voice_heard_ms(live->voice, rlx_conv_epoch(live->conv), now_ms);
    const struct rlx_conv_action *actions = rlx_conv_input(live->conv, event, now_ms, &count);
    for (size_t i = 0; i < count; i++)
        carry_out(live, &actions[i]);
}

void rlx_live_input(struct rlx_live *live, struct rlx_conv_event *event)
{
    if (live->over)
        return;
    if (live->busy) {
        struct rlx_conv_event *grown = talloc_realloc(live, live->waiting, struct rlx_conv_event,
                                                      (unsigned)live->waiting_count + 1);
        if (!grown)
            return;
        live->waiting = grown;
        grown[live->waiting_count++] = *event;
        return;
    }
    live->busy = true;
    give(live, event);
    for (size_t i = 0; i < live->waiting_count && !live->over; i++) {
        struct rlx_conv_event next = live->waiting[i]; /* the array may move meanwhile */
        give(live, &next);
    }
    live->waiting_count = 0;
    live->busy = false;
}

/* ---- the stream ---- */

/* A message that can't be read costs itself, not the call; a peer that sends nothing else is no carrier. */
static void bad_message(struct rlx_live *live, const char *why)
{
    if (live->bad_messages++ == 0) {
        rlx_log(RLX_WARN, "media.invalid", "call_id=%s why=%s", live->setup->call_id, why);
        rlx_writer_event(live->env->writer, live->setup->call_id, "media_invalid", NULL);
    }
    if (live->bad_messages == BAD_MESSAGES && live->socket)
        rlx_socket_close(live->socket, 1008, "too many messages that can't be read");
}

static void listen_for_beep(struct rlx_live *live, const struct rlx_media_message *message)
{
    struct rlx_conv_event event = {.kind = RLX_EV_BEEP};

    if (!live->beep || live->over)
        return;
    if (rlx_beep_feed(live->beep, message->audio, message->audio_length))
        rlx_live_input(live, &event);
    if (rlx_live_time(live) > BEEP_MS)
        TALLOC_FREE(live->beep);
}

void rlx_live_message(struct rlx_live *live, const char *text, size_t length)
{
    struct rlx_media_message message;
    const char *why = NULL;

    if (live->over)
        return;
    if (rlx_media_read(&message, text, length, &why)) {
        bad_message(live, why);
        return;
    }
    struct rlx_conv_event event = {.kind = RLX_EV_STOP};
    switch (message.kind) {
    case RLX_MEDIA_AUDIO:
        rlx_ears_audio(live->ears, &message);
        listen_for_beep(live, &message);
        break;
    case RLX_MEDIA_MARK:
        rlx_voice_mark(live->voice, message.mark);
        break;
    case RLX_MEDIA_DTMF:
        event.kind = RLX_EV_DTMF;
        event.digit = message.digit;
        rlx_live_input(live, &event);
        break;
    case RLX_MEDIA_STOP:
        live->stopped = true;
        rlx_live_input(live, &event);
        break;
    default:
        break;
    }
}

static void socket_message(const char *text, size_t length, void *arg)
{
    rlx_live_message(arg, text, length);
}

static void socket_closed(const char *why, void *arg)
{
    struct rlx_live *live = arg;
    struct rlx_conv_event event = {.kind = RLX_EV_STOP};

    live->socket = NULL;
    rlx_log(RLX_INFO, "stream.closed", "call_id=%s why=%s", live->setup->call_id, why);
    if (!live->stopped)
        rlx_live_input(live, &event);
    live->stopped = true;
}

static const struct rlx_socket_handlers socket_handlers = {socket_message, socket_closed};

void rlx_live_start(struct rlx_live *live, struct rlx_socket *socket, const char *stream_sid,
                   const char *call_sid)
{
    struct rlx_conv_event event = {.kind = RLX_EV_STREAM};

    live->recording_path =
        talloc_asprintf(live, "%s/%s.wav", live->env->recordings, live->setup->call_id);
    int err = live->recording_path ? rlx_recorder_create(&live->recorder, live, live->env->disk,
                                                         live->recording_path)
                                   : -ENOMEM;
    if (err)
        recording_failed(live, err);
    snprintf(live->stream_sid, sizeof live->stream_sid, "%s", stream_sid);
    snprintf(live->call_sid, sizeof live->call_sid, "%s", call_sid);
    live->socket = socket;
    live->started_ms = live->recorded_ms = rlx_now_ms();
    rlx_socket_handlers(socket, &socket_handlers, live);
    rlx_log(RLX_INFO, "call.started", "call_id=%s sid=%s", live->setup->call_id, call_sid);
    rlx_live_input(live, &event);
    if (live->amd)
        rlx_live_amd(live, live->amd);
}

bool rlx_live_started(const struct rlx_live *live)
{
    return live->started_ms != 0;
}

uint64_t rlx_live_time(const struct rlx_live *live)
{
    return live->started_ms ? rlx_now_ms() - live->started_ms : 0;
}

void rlx_live_carrier_ended(struct rlx_live *live)
{
    if (!live->carrier_ended_ms)
        live->carrier_ended_ms = rlx_now_ms();
}

/* A stream whose socket is half open tells nothing any more. */
static void check_carrier(struct rlx_live *live, uint64_t now_ms)
{
    struct rlx_conv_event event = {.kind = RLX_EV_STOP};

    if (!live->carrier_ended_ms || live->stopped || now_ms - live->carrier_ended_ms < STOP_MS)
        return;
    live->stopped = true;
    rlx_live_input(live, &event);
}

void rlx_live_tick(struct rlx_live *live, uint64_t now_ms)
{
    struct rlx_conv_event event = {.kind = RLX_EV_TIMER};

    if (live->end)
        report_end(live, now_ms);
    close_stream(live);
    if (live->over || !live->started_ms)
        return;
    rlx_live_listeners_tick(live);
    rlx_voice_tick(live->voice, now_ms);
    if (!live->over)
        check_carrier(live, now_ms);
    if (!live->over && now_ms >= rlx_conv_deadline(live->conv))
        rlx_live_input(live, &event);
    if (!live->over && live->recorder && now_ms - live->recorded_ms >= RECORDER_TICK_MS) {
        live->recorded_ms = now_ms;
        int err = rlx_recorder_tick(live->recorder, now_ms - live->started_ms);
        if (err)
            recording_failed(live, err);
    }
}

void rlx_live_kept(struct rlx_live *live, uint32_t row)
{
    struct rlx_conv_event event = {.kind = RLX_EV_KEPT, .kept = {.row = row}};

    if (live->started_ms && !live->over)
        rlx_live_input(live, &event);
}

void rlx_live_amd(struct rlx_live *live, const char *answered_by)
{
    struct rlx_conv_event event = {.kind = RLX_EV_AMD, .text = answered_by};

    if (live->started_ms) {
        rlx_live_input(live, &event);
        return;
    }
    talloc_free(live->amd);
    live->amd = talloc_strdup(live, answered_by);
}

void rlx_live_end(struct rlx_live *live, const char *reason)
{
    struct rlx_conv_event event = {.kind = RLX_EV_END_WISH, .text = reason};

    rlx_live_input(live, &event);
}

bool rlx_live_over(const struct rlx_live *live)
{
    return live->over && !live->end && !live->socket && !live->busy;
}

const char *rlx_live_call_id(const struct rlx_live *live)
{
    return live->setup->call_id;
}

static int live_end(struct rlx_live *live)
{
    if (live->hangup)
        live->hangup->live = NULL;
    rlx_live_listeners_end(live);
    return 0;
}

int rlx_live_create(struct rlx_live **livep, TALLOC_CTX *ctx, const struct rlx_live_env *env,
                    struct rlx_call_setup *setup)
{
    struct rlx_live *live = talloc_zero(ctx, struct rlx_live);
    int err = -ENOMEM;

    if (!live) {
        talloc_free(setup);
        return err;
    }
    live->env = env;
    talloc_set_destructor(live, live_end);
    live->setup = talloc_steal(live, setup);
    /* our own speech to text costs nothing but its time; a vendor's is paid for */
    setup->options.guesses = strncmp(rlx_stt_name(setup->providers->stt), "local", 5) ? 1 : 2;
    setup->options.wall_ms = rlx_wall_ms() - (int64_t)rlx_now_ms();
    rlx_random(&setup->options.uuid_seed, sizeof setup->options.uuid_seed);
    err = rlx_beep_create(&live->beep, live);
    if (!err)
        err = rlx_ears_create(&live->ears, live);
    if (!err)
        err = rlx_voice_create(&live->voice, live);
    if (!err)
        err = rlx_mind_create(&live->mind, live);
    if (!err)
        err = rlx_conv_create(&live->conv, live, &setup->options);
    if (err) {
        talloc_free(live);
        return err;
    }
    rlx_voice_prepare(live->voice);
    rlx_mind_warm(live->mind);
    *livep = live;
    return 0;
}
