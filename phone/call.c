#include "call.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "audio/g711.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/err.h"
#include "base/log.h"
#include "program.h"

#define LIVE_MAX 5000u
#define KEEP_MAX 1000u /* ended calls that are remembered */
#define NOTES_MAX 500u
#define TAPE_MAX ((size_t)8000 * 3600)
#define STACK_BYTES (512u << 10)
#define DIAL_MS 150u /* from queued to ringing */

/* ---- notes and tapes ---- */

uint64_t rlx_call_clock_ms(const struct rlx_call *call)
{
    return (uint64_t)call->frames * RLX_PHONE_FRAME_MS;
}

void rlx_call_note(struct rlx_call *call, bool error, const char *format, ...)
{
    struct rlx_call_note **notesp = error ? &call->errors : &call->events, *notes;
    size_t *countp = error ? &call->error_count : &call->event_count;
    va_list args;

    if (*countp >= NOTES_MAX)
        return;
    notes = talloc_realloc(call, *notesp, struct rlx_call_note, (unsigned)*countp + 1);
    if (!notes)
        return;
    *notesp = notes;
    va_start(args, format);
    notes[*countp].text = talloc_vasprintf(call, format, args);
    va_end(args);
    notes[*countp].at_ms = rlx_call_clock_ms(call);
    if (notes[*countp].text) {
        rlx_log(error ? RLX_WARN : RLX_DEBUG, error ? "phone.error" : "phone.event",
                "sid=%s at_ms=%llu what=%s", call->sid, (unsigned long long)notes[*countp].at_ms,
                notes[*countp].text);
        (*countp)++;
    }
}

static void record(struct rlx_call *call, struct rlx_call_tape *tape, const uint8_t *ulaw)
{
    if (tape->length + RLX_PHONE_FRAME > tape->size) {
        size_t size = tape->size ? tape->size * 2 : (size_t)8000 * 16;
        uint8_t *grown =
            size <= TAPE_MAX ? talloc_realloc(call, tape->ulaw, uint8_t, (unsigned)size) : NULL;

        if (!grown)
            return;
        tape->ulaw = grown;
        tape->size = size;
    }
    memcpy(tape->ulaw + tape->length, ulaw, RLX_PHONE_FRAME);
    tape->length += RLX_PHONE_FRAME;
}

/* ---- status callbacks ---- */

static const char *rfc2822(char text[40], int64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;

    gmtime_r(&seconds, &tm);
    (void)strftime(text, 40, "%a, %d %b %Y %H:%M:%S +0000", &tm);
    return text;
}

/* The parameters of every webhook of the call. The lock is held. */
struct rlx_form *rlx_call_form(struct rlx_call *call)
{
    struct rlx_form *form = rlx_form_create(NULL);

    if (!form)
        return NULL;
    rlx_form_add(form, "AccountSid", call->exchange->account);
    rlx_form_add(form, "ApiVersion", "2010-04-01");
    rlx_form_add(form, "CallSid", call->sid);
    rlx_form_add(form, "CallStatus", call->status);
    rlx_form_add(form, "Called", call->request.to);
    rlx_form_add(form, "Caller", call->request.from);
    rlx_form_add(form, "CallerCountry", "US");
    rlx_form_add(form, "CalledCountry", "US");
    rlx_form_add(form, "Direction", "outbound-api");
    rlx_form_add(form, "From", call->request.from);
    rlx_form_add(form, "FromCity", ""); /* Twilio sends empty ones too */
    rlx_form_add(form, "To", call->request.to);
    if (call->answered_by)
        rlx_form_add(form, "AnsweredBy", call->answered_by);
    return form;
}

static void set_status(struct rlx_call *call, const char *status, unsigned event)
{
    struct rlx_form *form;
    char text[40];

    call->status = status;
    rlx_log(RLX_INFO, "phone.call", "sid=%s to=%s status=%s", call->sid, call->request.to, status);
    if (!call->request.status_url || !(call->request.events & event))
        return;
    form = rlx_call_form(call);
    if (!form)
        return;
    rlx_form_add(form, "CallbackSource", "call-progress-events");
    rlx_form_addf(form, "SequenceNumber", "%u", call->sequence++);
    rlx_form_add(form, "Timestamp", rfc2822(text, rlx_wall_ms()));
    if (event == RLX_ON_COMPLETED) {
        int64_t seconds = call->start_wall ? (call->end_wall - call->start_wall + 999) / 1000 : 0;

        rlx_form_addf(form, "CallDuration", "%lld", (long long)seconds);
        rlx_form_addf(form, "Duration", "%lld", (long long)(seconds + 59) / 60);
    }
    rlx_notifier_post(call->exchange->notifier, (unsigned)call->number, call->request.status_method,
                      call->request.status_url, form);
}

/* ---- the clock ---- */

static void amd_verdict(struct rlx_call *call)
{
    bool machine = call->callee->script->machine;
    struct rlx_form *form;

    call->answered_by = !machine                                   ? "human"
                        : call->request.amd == RLX_AMD_MESSAGE_END ? "machine_end_beep"
                                                                   : "machine_start";
    rlx_call_note(call, false, "amd %s", call->answered_by);
    if (!call->request.amd_async || !call->request.amd_url)
        return;
    form = rlx_call_form(call);
    if (!form)
        return;
    rlx_form_addf(form, "MachineDetectionDuration", "%llu",
                  (unsigned long long)rlx_call_clock_ms(call));
    rlx_notifier_post(call->exchange->notifier, (unsigned)call->number, call->request.amd_method,
                      call->request.amd_url, form);
}

static bool amd_due(const struct rlx_call *call)
{
    if (call->request.amd == RLX_AMD_OFF || call->answered_by ||
        rlx_call_clock_ms(call) < call->line.amd_ms)
        return false;
    return call->request.amd != RLX_AMD_MESSAGE_END || !call->callee->script->machine ||
           rlx_person_greeting_over(call->person);
}

/* 20 ms of the phone's life. */
static void tick(struct rlx_call *call)
{
    uint64_t made_ms = call->answer_ms + rlx_call_clock_ms(call);
    uint8_t heard[RLX_PHONE_FRAME], said[RLX_PHONE_FRAME];
    int16_t pcm[RLX_PHONE_FRAME];
    size_t real = rlx_buffer_play(call->buffer, heard, sizeof(heard));
    uint32_t missing_ms = (uint32_t)(RLX_PHONE_FRAME - real) / 8;

    if (real > 0 && call->dry_ms > 0 && call->dry_ms <= RLX_HEAR_SPLIT_MS &&
        rlx_buffer_played(call->buffer) > real)
        call->starved_ms += call->dry_ms;
    call->dry_ms = real > 0 ? missing_ms : call->dry_ms + missing_ms;
    rlx_hear_feed(call->hear, heard, sizeof(heard));
    record(call, &call->heard, heard);
    if (!rlx_person_tick(call->person, pcm))
        call->callee_gone = true;
    rlx_line_microphone(&call->line, pcm, heard);
    rlx_pcm_to_ulaw(said, pcm, RLX_PHONE_FRAME);
    record(call, &call->said, said);
    if (call->media)
        rlx_media_frame(call->media, said, made_ms);
    call->frames++;
    if (amd_due(call))
        amd_verdict(call);
}

uint64_t rlx_call_advance(struct rlx_call *call)
{
    uint64_t now_ms = rlx_now_ms(), next_ms;

    pthread_mutex_lock(&call->lock);
    while (call->answer_ms + rlx_call_clock_ms(call) + RLX_PHONE_FRAME_MS <= now_ms &&
           !call->callee_gone)
        tick(call);
    next_ms = call->answer_ms + rlx_call_clock_ms(call) + RLX_PHONE_FRAME_MS;
    pthread_mutex_unlock(&call->lock);
    return next_ms > now_ms ? next_ms : now_ms + RLX_PHONE_FRAME_MS;
}

bool rlx_call_interrupted(struct rlx_call *call)
{
    bool result;

    pthread_mutex_lock(&call->lock);
    result = call->order != RLX_ORDER_NONE || call->callee_gone ||
             rlx_call_clock_ms(call) >= (uint64_t)call->request.limit_s * 1000;
    pthread_mutex_unlock(&call->lock);
    return result;
}

static void on_key(char key, void *arg)
{
    struct rlx_call *call = arg;

    rlx_call_note(call, false, "key %c", key);
    if (call->media)
        rlx_media_key(call->media, key, call->answer_ms + rlx_call_clock_ms(call));
}

static void on_mark(uint32_t number, bool cleared, void *arg)
{
    struct rlx_call *call = arg;
    struct rlx_call_mark *mark = &call->marks[number];

    mark->cleared = cleared;
    if (!cleared)
        mark->played_ms = (int64_t)(rlx_buffer_played(call->buffer) / 8);
    else if (call->clear_count > 0)
        call->clears[call->clear_count - 1].marks++;
    if (call->media)
        rlx_media_mark(call->media, number, call->answer_ms + rlx_call_clock_ms(call));
}

/* ---- life ---- */

/* Waits before the answer; true when an order came. */
static bool wait_unanswered(struct rlx_call *call, uint64_t ms)
{
    uint64_t end_ms = rlx_now_ms() + ms;

    for (;;) {
        uint64_t now_ms = rlx_now_ms();
        bool ordered;
        struct timespec nap = {0};

        pthread_mutex_lock(&call->lock);
        ordered = call->order != RLX_ORDER_NONE || call->callee_gone;
        pthread_mutex_unlock(&call->lock);
        if (ordered || now_ms >= end_ms)
            return ordered;
        nap.tv_nsec = (long)(end_ms - now_ms < 20 ? end_ms - now_ms : 20) * 1000000;
        (void)nanosleep(&nap, NULL);
    }
}

static void change_status(struct rlx_call *call, const char *state, const char *status,
                          unsigned event)
{
    pthread_mutex_lock(&call->lock);
    call->state = state;
    set_status(call, status, event);
    pthread_mutex_unlock(&call->lock);
}

/* With --cps: waits for this call's turn. */
static void wait_in_queue(struct rlx_call *call)
{
    struct rlx_exchange *exchange = call->exchange;
    uint64_t now_ms = rlx_now_ms(), start_ms = now_ms;

    if (exchange->calls_per_second > 0) {
        pthread_mutex_lock(&exchange->lock);
        if (exchange->next_start_ms > start_ms)
            start_ms = exchange->next_start_ms;
        exchange->next_start_ms = start_ms + 1000 / exchange->calls_per_second;
        pthread_mutex_unlock(&exchange->lock);
    }
    (void)wait_unanswered(call, start_ms - now_ms);
    pthread_mutex_lock(&call->lock);
    call->queue_ms = start_ms - now_ms;
    pthread_mutex_unlock(&call->lock);
}

/* Dials and rings. NULL when it was answered, else the call's final status. */
static const char *dial(struct rlx_call *call)
{
    const struct rlx_script *script = call->callee->script;
    uint64_t timeout_ms = (uint64_t)call->request.timeout_s * 1000;
    uint64_t ring_ms = script->answer_ms == RLX_SCRIPT_UNSET ? call->exchange->ring_ms
                                                             : (uint64_t)script->answer_ms;

    wait_in_queue(call);
    pthread_mutex_lock(&call->lock);
    set_status(call, "initiated", RLX_ON_INITIATED);
    call->status = "queued"; /* the resource knows no "initiated" */
    pthread_mutex_unlock(&call->lock);
    if (wait_unanswered(call, DIAL_MS))
        return "canceled";
    if (script->answer == RLX_ANSWER_FAIL)
        return "failed";
    change_status(call, "ringing", "ringing", RLX_ON_RINGING);
    if (script->answer == RLX_ANSWER_NONE && script->answer_ms == RLX_SCRIPT_UNSET)
        ring_ms = timeout_ms;
    if (wait_unanswered(call, ring_ms < timeout_ms ? ring_ms : timeout_ms))
        return "canceled";
    if (script->answer == RLX_ANSWER_BUSY)
        return "busy";
    return script->answer == RLX_ANSWER_NONE || ring_ms >= timeout_ms ? "no-answer" : NULL;
}

static void answer(struct rlx_call *call)
{
    pthread_mutex_lock(&call->lock);
    call->answer_ms = rlx_now_ms();
    call->start_wall = rlx_wall_ms();
    call->state = "live";
    rlx_call_note(call, false, "answered");
    set_status(call, "in-progress", RLX_ON_ANSWERED);
    pthread_mutex_unlock(&call->lock);
}

/* The end of a call; its thread gives its reference back with it. */
static void finish(struct rlx_call *call, const char *status)
{
    struct rlx_exchange *exchange = call->exchange;

    pthread_mutex_lock(&call->lock);
    call->state = "ended";
    call->end_wall = rlx_wall_ms();
    call->ended_ms = call->answer_ms ? (int64_t)rlx_call_clock_ms(call) : -1;
    call->ended_by = call->callee_gone               ? "callee"
                     : call->order != RLX_ORDER_NONE ? "rest"
                     : call->failed                  ? "error"
                                                     : "agent";
    set_status(call, status, RLX_ON_COMPLETED);
    pthread_mutex_unlock(&call->lock);
    /* In one step: when nothing is live, no thread touches the exchange any more. The list still
     * has a reference. */
    pthread_mutex_lock(&exchange->lock);
    call->references--;
    exchange->live--;
    pthread_cond_broadcast(&exchange->idle);
    pthread_mutex_unlock(&exchange->lock);
}

static void *run_call(void *arg)
{
    struct rlx_call *call = arg;
    const char *status = dial(call);

    if (!status) {
        answer(call);
        rlx_program_run(call);
        status = "completed";
    }
    finish(call, status);
    return NULL;
}

/* ---- making and finding ---- */

static int copy_request(struct rlx_call *call, const struct rlx_call_request *request)
{
    const char **texts[] = {&call->request.to,         &call->request.from,
                            &call->request.url,        &call->request.method,
                            &call->request.twiml,      &call->request.fallback_url,
                            &call->request.status_url, &call->request.status_method,
                            &call->request.amd_url,    &call->request.amd_method};

    call->request = *request;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (!*texts[i])
            continue;
        *texts[i] = talloc_strdup(call, *texts[i]);
        if (!*texts[i])
            return -ENOMEM;
    }
    return 0;
}

static int call_destroy(struct rlx_call *call)
{
    rlx_callee_put(call->callee);
    pthread_mutex_destroy(&call->lock);
    return 0;
}

static void make_sid(char sid[35])
{
    static const char hex[] = "0123456789abcdef";
    uint8_t bytes[16];

    rlx_random(bytes, sizeof(bytes));
    memcpy(sid, "CA", 2);
    for (size_t i = 0; i < sizeof(bytes); i++) {
        sid[2 + 2 * i] = hex[bytes[i] >> 4];
        sid[3 + 2 * i] = hex[bytes[i] & 15];
    }
    sid[34] = '\0';
}

static int create(struct rlx_call **callp, struct rlx_exchange *exchange,
                  const struct rlx_call_request *request)
{
    struct rlx_call *call = talloc_zero(NULL, struct rlx_call);
    int err;

    if (!call)
        return -ENOMEM;
    pthread_mutex_init(&call->lock, NULL);
    talloc_set_destructor(call, call_destroy);
    call->exchange = exchange;
    call->status = call->state = "queued";
    call->stream_ms = call->stream_end_ms = call->ended_ms = -1;
    call->created_ms = rlx_now_ms();
    call->created_wall = rlx_wall_ms();
    make_sid(call->sid);
    err = copy_request(call, request);
    if (!err) {
        call->callee = rlx_callees_get(exchange->callees, call->request.to);
        err = call->callee ? 0 : RLX_EPROVIDER;
    }
    if (!err)
        err = rlx_buffer_create(&call->buffer, call, on_mark, call);
    call->hear = err ? NULL : rlx_hear_create(call);
    call->person =
        call->hear ? rlx_person_create(call, call->callee, call->hear, on_key, call) : NULL;
    if (!err && !call->person)
        err = -ENOMEM;
    if (err)
        talloc_free(call);
    else
        *callp = call;
    return err;
}

/* Forgets the oldest ended calls that nobody looks at. The exchange is locked. */
static void prune(struct rlx_exchange *exchange)
{
    size_t kept = 0;

    for (struct rlx_call **at = &exchange->newest; *at;) {
        struct rlx_call *call = *at;

        if (++kept > KEEP_MAX && call->references == 1) {
            *at = call->older;
            exchange->call_count--;
            talloc_free(call);
        } else {
            at = &call->older;
        }
    }
}

/* Puts the call into the exchange's list, with references for the list, the thread and the caller.
 */
static int enlist(struct rlx_exchange *exchange, struct rlx_call *call)
{
    int err = 0;

    pthread_mutex_lock(&exchange->lock);
    if (exchange->stopping || exchange->live >= LIVE_MAX) {
        err = RLX_ELIMIT;
    } else {
        call->number = exchange->next_number++;
        rlx_line_init(&call->line, &exchange->line, call->callee->script, call->number);
        call->references = 3;
        call->older = exchange->newest;
        exchange->newest = call;
        exchange->live++;
        if (++exchange->call_count > KEEP_MAX)
            prune(exchange);
    }
    pthread_mutex_unlock(&exchange->lock);
    return err;
}

int rlx_call_start(struct rlx_call **callp, struct rlx_exchange *exchange,
                   const struct rlx_call_request *request)
{
    struct rlx_call *call = NULL;
    pthread_attr_t attributes;
    pthread_t thread;
    int err = create(&call, exchange, request);

    if (err)
        return err;
    err = enlist(exchange, call);
    if (err) {
        talloc_free(call);
        return err;
    }
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    err = -pthread_create(&thread, &attributes, run_call, call);
    pthread_attr_destroy(&attributes);
    if (err) {
        call->failed = true;
        finish(call, "failed");
        rlx_call_put(call);
        return err;
    }
    *callp = call;
    return 0;
}

struct rlx_call *rlx_call_find(struct rlx_exchange *exchange, const char *sid)
{
    struct rlx_call *call;

    pthread_mutex_lock(&exchange->lock);
    for (call = exchange->newest; call && strcmp(call->sid, sid) != 0; call = call->older)
        ;
    if (call)
        call->references++;
    pthread_mutex_unlock(&exchange->lock);
    return call;
}

void rlx_call_put(struct rlx_call *call)
{
    struct rlx_exchange *exchange = call->exchange;
    bool last;

    pthread_mutex_lock(&exchange->lock);
    last = --call->references == 0;
    pthread_mutex_unlock(&exchange->lock);
    if (last)
        talloc_free(call);
}

void rlx_call_each(struct rlx_exchange *exchange, rlx_call_each_h *each, void *arg)
{
    pthread_mutex_lock(&exchange->lock);
    for (struct rlx_call *call = exchange->newest; call && each(call, arg); call = call->older)
        ;
    pthread_mutex_unlock(&exchange->lock);
}

static char *dup_on_call(struct rlx_call *call, const char *text)
{
    return text ? talloc_strdup(call, text) : NULL;
}

bool rlx_call_give_order(struct rlx_call *call, enum rlx_call_order order, const char *url,
                         const char *method, const char *twiml)
{
    bool done = false;

    pthread_mutex_lock(&call->lock);
    if (strcmp(call->state, "ended") != 0 &&
        (order != RLX_ORDER_REPLACE || strcmp(call->status, "in-progress") == 0)) {
        /* An end is not undone by a late redirect. */
        if (call->order != RLX_ORDER_END && call->order != RLX_ORDER_CANCEL)
            call->order = order;
        call->order_url = dup_on_call(call, url);
        call->order_method = dup_on_call(call, method);
        call->order_twiml = dup_on_call(call, twiml);
        done = true;
    }
    pthread_mutex_unlock(&call->lock);
    return done;
}

void rlx_call_drop(struct rlx_call *call)
{
    pthread_mutex_lock(&call->lock);
    call->callee_gone = true;
    pthread_mutex_unlock(&call->lock);
}

void rlx_exchange_stop(struct rlx_exchange *exchange)
{
    pthread_mutex_lock(&exchange->lock);
    exchange->stopping = true;
    for (struct rlx_call *call = exchange->newest; call; call = call->older)
        rlx_call_drop(call);
    while (exchange->live > 0)
        pthread_cond_wait(&exchange->idle, &exchange->lock);
    pthread_mutex_unlock(&exchange->lock);
}
