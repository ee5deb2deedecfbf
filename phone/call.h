/* Calls of the simulated network: private to phone/ (structs are open to call.c, media.c, report.c
 * and the REST handlers).
 *
 * One thread per call has the call's 20 ms clock. What REST reads or changes is guarded by the
 * call's lock; the thread holds it for each frame, never while it waits. The exchange keeps calls
 * after their end, the oldest are forgotten.
 */
#ifndef RLX_PHONE_CALL_H
#define RLX_PHONE_CALL_H

#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#include "buffer.h"
#include "callee.h"
#include "hear.h"
#include "line.h"
#include "notify.h"
#include "person.h"
#include "twiml.h"

/* ---- the exchange: what all calls share ---- */

struct rlx_exchange {
    const char *account, *token; /* Twilio's */
    struct rlx_line_options line;
    uint32_t ring_ms;
    uint32_t calls_per_second; /* 0 = no limit */
    bool insecure;
    struct rlx_callees *callees;
    struct rlx_notifier *notifier;

    pthread_mutex_t lock; /* of everything below */
    pthread_cond_t idle;  /* a call's thread has ended */
    struct rlx_call *newest;
    size_t call_count, live;
    uint64_t next_number;
    uint64_t next_start_ms; /* with calls_per_second */
    bool stopping;
};

/* ---- one call ---- */

enum rlx_call_event {
    RLX_ON_INITIATED = 1,
    RLX_ON_RINGING = 2,
    RLX_ON_ANSWERED = 4,
    RLX_ON_COMPLETED = 8
};
enum rlx_call_amd { RLX_AMD_OFF, RLX_AMD_ENABLE, RLX_AMD_MESSAGE_END };
enum rlx_call_order { RLX_ORDER_NONE, RLX_ORDER_END, RLX_ORDER_CANCEL, RLX_ORDER_REPLACE };

/* What POST Calls.json asked for. Strings belong to the call. */
struct rlx_call_request {
    const char *to, *from;
    const char *url, *method, *twiml, *fallback_url;
    const char *status_url, *status_method;
    unsigned events;
    uint32_t timeout_s, limit_s;
    enum rlx_call_amd amd;
    bool amd_async;
    const char *amd_url, *amd_method;
};

struct rlx_call_mark {
    char *name;
    uint64_t received_ms;
    int64_t played_ms, returned_ms; /* -1 = not */
    bool cleared;
};

struct rlx_call_clear {
    uint64_t at_ms, dropped_ms, played_ms;
    uint32_t marks;
};

struct rlx_call_note {
    uint64_t at_ms;
    char *text;
};

struct rlx_call_tape {
    uint8_t *ulaw;
    size_t length, size;
};

struct rlx_call {
    struct rlx_exchange *exchange;
    struct rlx_call *older;
    int references; /* guarded by the exchange's lock */
    uint64_t number;
    char sid[35];
    struct rlx_call_request request;
    struct rlx_callee *callee;

    pthread_mutex_t lock;                       /* of everything below */
    const char *status;                         /* Twilio's */
    const char *state;                          /* queued, ringing, live, ended */
    int64_t created_wall, start_wall, end_wall; /* ms, 0 = not yet */
    uint64_t created_ms, queue_ms;
    uint64_t answer_ms;                         /* monotonic; 0 = not answered */
    uint32_t frames;                            /* of 20 ms since the answer: the phone's clock */
    int64_t stream_ms, stream_end_ms, ended_ms; /* on the phone's clock; -1 = not */
    const char *ended_by;
    const char *answered_by;
    uint32_t sequence; /* of status callbacks */

    enum rlx_call_order order;
    char *order_url, *order_method, *order_twiml;
    bool callee_gone, failed;

    struct rlx_line line;
    struct rlx_hear *hear;
    struct rlx_person *person;
    struct rlx_buffer *buffer;
    struct rlx_media *media; /* while a stream is up */
    struct rlx_call_tape heard, said;
    uint32_t dry_ms; /* since the buffer ran dry */
    uint32_t starved_ms, largest_ahead_ms;
    uint32_t media_received;
    uint64_t media_bytes;

    struct rlx_call_mark *marks;
    struct rlx_call_clear *clears;
    struct rlx_call_note *events, *errors;
    size_t mark_count, clear_count, event_count, error_count;
};

/* Starts a call: *callp is one reference. The request's strings are copied. RLX_EPROVIDER when no
 * callee can be had, RLX_ELIMIT with 5000 live calls, -ENOMEM, -EAGAIN when there is no thread. */
int rlx_call_start(struct rlx_call **callp, struct rlx_exchange *exchange,
                   const struct rlx_call_request *request) __attribute__((warn_unused_result));
/* Looks a call up: one more reference, NULL when it isn't known. */
struct rlx_call *rlx_call_find(struct rlx_exchange *exchange, const char *sid);
void rlx_call_put(struct rlx_call *call);
/* Calls `each` for all known calls, newest first, until it returns false. The exchange is locked
 * meanwhile. */
typedef bool rlx_call_each_h(struct rlx_call *call, void *arg);
void rlx_call_each(struct rlx_exchange *exchange, rlx_call_each_h *each, void *arg);
/* Asks the call's thread for something. False when the call has ended (or, for RLX_ORDER_REPLACE,
 * isn't in progress). */
bool rlx_call_give_order(struct rlx_call *call, enum rlx_call_order order, const char *url,
                         const char *method, const char *twiml);
/* The callee hangs up. */
void rlx_call_drop(struct rlx_call *call);
/* No new calls; all live ones are hung up and waited for. */
void rlx_exchange_stop(struct rlx_exchange *exchange);

/* ---- between call.c and media.c; the lock is held where not said otherwise ---- */

/* Notes something for the report: under `events` or, when `error`, under `errors`. */
void rlx_call_note(struct rlx_call *call, bool error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Time on the phone's clock. */
uint64_t rlx_call_clock_ms(const struct rlx_call *call);
/* Plays and speaks every frame that is due; the lock is *not* held. Returns when the next one is
 * due (monotonic ms). */
uint64_t rlx_call_advance(struct rlx_call *call);
/* Something ends what the call is doing: an order, the callee, the time limit. The lock is not
 * held. */
bool rlx_call_interrupted(struct rlx_call *call);

/* Runs a Connect/Stream until it ends. The lock is not held. */
void rlx_media_run(struct rlx_call *call, const struct rlx_twiml_step *step);
/* A frame of the microphone, to be sent up the line; key as in rlx_media_key. */
void rlx_media_frame(struct rlx_media *media, const uint8_t ulaw[RLX_PHONE_FRAME],
                     uint64_t made_ms);
void rlx_media_key(struct rlx_media *media, char key, uint64_t made_ms);
/* A mark was played or cleared. */
void rlx_media_mark(struct rlx_media *media, uint32_t number, uint64_t made_ms);

/* ---- report.c ---- */

/* The report of GET /sim/calls/{sid}; the lock is not held. */
json_t *rlx_call_report(struct rlx_call *call);
/* Twilio's call object; the lock is not held. */
json_t *rlx_call_object(struct rlx_call *call);
/* A tape as a WAV file in memory, on ctx; NULL out of memory. The lock is not held. */
uint8_t *rlx_call_wav(TALLOC_CTX *ctx, struct rlx_call *call, const struct rlx_call_tape *tape,
                      size_t *lengthp);

#endif
