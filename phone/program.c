#include "program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "audio/g711.h"
#include "base/clock.h"
#include "base/err.h"
#include "webhook.h"

#define DOCUMENTS_MAX 50u /* of one call: a Redirect to itself must end */
#define DIALED_MS 2000u   /* how long the simulated other end of a Dial talks */

/* What comes after a document. */
struct program {
    struct rlx_call *call;
    TALLOC_CTX *ctx;          /* of the document that runs */
    const char *url, *method; /* to fetch next; NULL = the end */
    const char *twiml;        /* or this */
    const char *dial_status;  /* parameter for a Dial's action */
    bool first_stream;
};

/* Lets time pass on the phone; true when something ended it early. */
static bool idle(struct rlx_call *call, uint64_t ms)
{
    uint64_t end_ms = rlx_now_ms() + ms;

    for (;;) {
        uint64_t next_ms = rlx_call_advance(call), now_ms = rlx_now_ms();
        struct timespec nap = {0};

        if (rlx_call_interrupted(call))
            return true;
        if (now_ms >= end_ms)
            return false;
        if (next_ms > end_ms)
            next_ms = end_ms;
        nap.tv_nsec = (long)(next_ms > now_ms ? next_ms - now_ms : 1) * 1000000;
        (void)nanosleep(&nap, NULL);
    }
}

/* ---- steps ---- */

/* Plays a sound of the network's to the callee. */
static void play(struct rlx_call *call, const struct rlx_sound *sound)
{
    uint8_t *ulaw = talloc_array(sound, uint8_t, (unsigned)sound->samples + 1);

    if (!ulaw)
        return;
    rlx_pcm_to_ulaw(ulaw, sound->pcm, sound->samples);
    (void)rlx_call_advance(call); /* what took so long to render didn't play meanwhile */
    pthread_mutex_lock(&call->lock);
    if (rlx_buffer_put(call->buffer, ulaw, sound->samples) != 0)
        rlx_call_note(call, true, "the announcement is too long");
    pthread_mutex_unlock(&call->lock);
    (void)idle(call, sound->samples / 8 + RLX_PHONE_FRAME_MS);
}

static void do_say(struct program *program, const struct rlx_twiml_step *step)
{
    struct rlx_sound *sound = NULL;

    if (!step->text || !*step->text)
        return;
    if (rlx_callees_announce(program->call->exchange->callees, program->ctx, step->text, &sound) ==
        0)
        play(program->call, sound);
}

static void do_play(struct program *program, const struct rlx_twiml_step *step)
{
    struct rlx_call *call = program->call;

    if (!step->digits) {
        pthread_mutex_lock(&call->lock);
        rlx_call_note(call, false, "play %s (not fetched: 1 s of silence)",
                      step->url ? step->url : "nothing");
        pthread_mutex_unlock(&call->lock);
        (void)idle(call, 1000);
        return;
    }
    for (const char *key = step->digits; *key && !rlx_call_interrupted(call); key++) {
        struct rlx_sound *tone = NULL;
        uint32_t hz1, hz2;

        if (*key == 'w' || *key == 'W')
            (void)idle(call, *key == 'w' ? 500 : 1000);
        else if (rlx_voice_key(*key, &hz1, &hz2) == 0 &&
                 rlx_voice_tone(&tone, program->ctx, hz1, hz2, 100) == 0)
            play(call, tone);
        (void)idle(call, 100);
    }
}

static void do_dial(struct program *program, const struct rlx_twiml_step *step)
{
    struct rlx_call *call = program->call;
    struct rlx_callee *other =
        step->text && *step->text ? rlx_callees_get(call->exchange->callees, step->text) : NULL;
    uint64_t ring_ms, timeout_ms = (uint64_t)(step->seconds * 1000);

    if (!other) {
        program->dial_status = "failed";
    } else {
        const struct rlx_script *script = other->script;

        ring_ms = script->answer_ms != RLX_SCRIPT_UNSET ? (uint64_t)script->answer_ms
                  : script->answer == RLX_ANSWER_NONE   ? timeout_ms
                                                        : call->exchange->ring_ms;
        (void)idle(call, ring_ms < timeout_ms ? ring_ms : timeout_ms);
        program->dial_status = script->answer == RLX_ANSWER_BUSY   ? "busy"
                               : script->answer == RLX_ANSWER_FAIL ? "failed"
                               : script->answer == RLX_ANSWER_NONE || ring_ms >= timeout_ms
                                   ? "no-answer"
                                   : "completed";
        if (strcmp(program->dial_status, "completed") == 0)
            (void)idle(call, DIALED_MS);
        rlx_callee_put(other);
    }
    pthread_mutex_lock(&call->lock);
    rlx_call_note(call, false, "dial %s: %s", step->text ? step->text : "", program->dial_status);
    pthread_mutex_unlock(&call->lock);
    if (step->url) {
        program->url = step->url;
        program->method = step->method;
    }
}

static void do_stream(struct program *program, const struct rlx_twiml_step *step)
{
    struct rlx_call *call = program->call;
    uint64_t clock_ms;

    pthread_mutex_lock(&call->lock);
    clock_ms = rlx_call_clock_ms(call);
    pthread_mutex_unlock(&call->lock);
    if (program->first_stream && clock_ms < call->line.gap_ms &&
        idle(call, call->line.gap_ms - clock_ms))
        return;
    program->first_stream = false;
    rlx_media_run(call, step);
}

/* False when the document ends here. */
static bool do_step(struct program *program, const struct rlx_twiml_step *step)
{
    switch (step->verb) {
    case RLX_TWIML_SAY:
        do_say(program, step);
        return true;
    case RLX_TWIML_PAUSE:
        return !idle(program->call, (uint64_t)(step->seconds * 1000));
    case RLX_TWIML_PLAY:
        do_play(program, step);
        return true;
    case RLX_TWIML_STREAM:
        do_stream(program, step);
        return true;
    case RLX_TWIML_DIAL:
        do_dial(program, step);
        return !step->url;
    case RLX_TWIML_REDIRECT:
        program->url = step->url;
        program->method = step->method;
        return false;
    case RLX_TWIML_HANGUP:
    case RLX_TWIML_REJECT:
        return false;
    }
    return false;
}

/* ---- documents ---- */

static char *fail(struct program *program, const char *format, const char *detail)
{
    struct rlx_call *call = program->call;

    pthread_mutex_lock(&call->lock);
    rlx_call_note(call, true, format, detail);
    call->failed = true;
    pthread_mutex_unlock(&call->lock);
    return NULL;
}

/* Asks one URL for TwiML; NULL when it can't be had (*whyp says why). */
static char *fetch_one(struct program *program, const char *url, const char *method, char **whyp)
{
    struct rlx_call *call = program->call;
    struct rlx_webhook_reply *reply = NULL;
    struct rlx_form *form;
    uint64_t began_ms = rlx_now_ms();
    int err;

    pthread_mutex_lock(&call->lock);
    form = rlx_call_form(call);
    pthread_mutex_unlock(&call->lock);
    if (!form)
        return NULL;
    if (program->dial_status)
        rlx_form_add(form, "DialCallStatus", program->dial_status);
    err = rlx_webhook(&reply, program->ctx, call->exchange->token, method, url, form, whyp);
    talloc_free(form);
    if (err)
        return NULL;
    (void)rlx_call_advance(call);
    pthread_mutex_lock(&call->lock);
    rlx_call_note(call, false, "webhook %ld in %llu ms", reply->status,
                  (unsigned long long)(rlx_now_ms() - began_ms));
    pthread_mutex_unlock(&call->lock);
    if (reply->status < 200 || reply->status >= 300) {
        *whyp = talloc_asprintf(program->ctx, "webhook answered %ld", reply->status);
        return NULL;
    }
    return reply->body;
}

static char *fetch(struct program *program)
{
    const char *fallback = program->call->request.fallback_url;
    char *why = NULL, *body = NULL;

    if (!rlx_webhook_url_ok(program->url))
        return fail(program, "11100: \"%s\" is no URL", program->url);
    body = fetch_one(program, program->url, program->method, &why);
    if (!body && fallback) {
        fail(program, "11200: %s; trying the FallbackUrl", why ? why : "out of memory");
        program->call->failed = false;
        body = fetch_one(program, fallback, NULL, &why);
    }
    return body ? body : fail(program, "11200: %s", why ? why : "out of memory");
}

/* Runs one document. */
static void run_document(struct program *program, const char *xml)
{
    struct rlx_call *call = program->call;
    struct rlx_twiml *twiml = NULL;
    char *why = NULL;

    program->url = program->method = program->twiml = program->dial_status = NULL;
    if (rlx_twiml_parse(&twiml, program->ctx, xml, strlen(xml), &why) != 0) {
        fail(program, "%s", why ? why : "out of memory");
        return;
    }
    pthread_mutex_lock(&call->lock);
    for (size_t i = 0; i < twiml->warning_count; i++)
        rlx_call_note(call, true, "%s", twiml->warnings[i] ? twiml->warnings[i] : "12200");
    pthread_mutex_unlock(&call->lock);
    for (size_t i = 0; i < twiml->count && !rlx_call_interrupted(call); i++)
        if (!do_step(program, &twiml->steps[i]))
            break;
}

/* An order by REST replaces what comes next. */
static void take_order(struct program *program)
{
    struct rlx_call *call = program->call;

    pthread_mutex_lock(&call->lock);
    if (call->order == RLX_ORDER_REPLACE) {
        call->order = RLX_ORDER_NONE;
        program->url = call->order_url;
        program->method = call->order_method;
        program->twiml = call->order_twiml;
        rlx_call_note(call, false, "redirected by REST");
    }
    pthread_mutex_unlock(&call->lock);
}

/* Not asynchronous detection: nothing happens before the verdict. */
static void wait_for_amd(struct rlx_call *call)
{
    bool known = call->request.amd == RLX_AMD_OFF || call->request.amd_async;

    for (int i = 0; !known && i < 3000 && !idle(call, RLX_PHONE_FRAME_MS); i++) {
        pthread_mutex_lock(&call->lock);
        known = call->answered_by != NULL;
        pthread_mutex_unlock(&call->lock);
    }
}

void rlx_program_run(struct rlx_call *call)
{
    struct program program = {.call = call, .first_stream = true};

    wait_for_amd(call);
    program.url = call->request.url;
    program.method = call->request.method;
    program.twiml = call->request.url ? NULL : call->request.twiml;
    for (unsigned i = 0; i < DOCUMENTS_MAX; i++) {
        TALLOC_CTX *ctx = talloc_new(NULL);
        const char *xml;

        take_order(&program);
        if (!ctx || rlx_call_interrupted(call) || (!program.url && !program.twiml)) {
            talloc_free(program.ctx);
            talloc_free(ctx);
            return;
        }
        /* The next URL may belong to the document before: it lives until this one has been fetched.
         */
        TALLOC_CTX *before = program.ctx;
        program.ctx = ctx;
        xml = program.twiml ? program.twiml : fetch(&program);
        talloc_free(before);
        if (!xml) {
            program.url = program.twiml = NULL;
            continue;
        }
        run_document(&program, xml);
    }
    fail(&program, "12100: %s", "too many documents in one call");
    talloc_free(program.ctx);
}
