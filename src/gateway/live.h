/* One live call: joins the conversation (call/) with the media stream, the providers, the audio path and the writer.
 * Loop thread only. */
#ifndef RLX_GATEWAY_LIVE_H
#define RLX_GATEWAY_LIVE_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>
#include <uv.h>

#include "audio/disk.h"
#include "base/config.h"
#include "gateway/setup.h"
#include "gateway/socket.h"
#include "gateway/speech_cache.h"
#include "gateway/tap.h"
#include "gateway/writer.h"
#include "provider/providers.h"

/* What all calls of the process share. */
struct rlx_live_env {
    uv_loop_t *loop;
    const struct rlx_config *config;
    struct rlx_store *store; /* never asked on the loop */
    struct rlx_net *net;
    struct rlx_providers *providers; /* with the server's keys; a call's are in its setup */
    struct rlx_speech_cache *cache;
    struct rlx_writer *writer;
    char *recordings; /* directory */
    bool upload;      /* they go to S3 after the call */
    struct rlx_disk *disk; /* writes them */
};

struct rlx_live;

/* Makes the call ready before anyone answers: conversation, prompt prefix, the fixed phrases' audio. Takes the setup over. */
int rlx_live_create(struct rlx_live **livep, TALLOC_CTX *ctx, const struct rlx_live_env *env,
                    struct rlx_call_setup *setup) __attribute__((warn_unused_result));

const char *rlx_live_call_id(const struct rlx_live *live);
/* The stream has begun: takes the socket over and starts the conversation. */
void rlx_live_start(struct rlx_live *live, struct rlx_socket *socket, const char *stream_sid,
                    const char *call_sid);
/* A message of the stream, as it came. */
void rlx_live_message(struct rlx_live *live, const char *text, size_t length);
bool rlx_live_started(const struct rlx_live *live);

/* Every 10 ms, or more often. */
void rlx_live_tick(struct rlx_live *live, uint64_t now_ms);
/* The call's rows up to this number are durable. */
void rlx_live_kept(struct rlx_live *live, uint32_t row);
/* The carrier says that the call is over: when the stream has not ended in two seconds, that counts. */
void rlx_live_carrier_ended(struct rlx_live *live);
/* The carrier's answer detection; before the start it is remembered. */
void rlx_live_amd(struct rlx_live *live, const char *answered_by);
/* Somebody listens in: takes the call's half of the tap, which is told how it went. At most RLX_LIVE_LISTENERS a call. */
#define RLX_LIVE_LISTENERS 4
void rlx_live_listen(struct rlx_live *live, struct rlx_tap *tap);
/* Ends the call politely; reason as for RLX_EV_END_WISH. */
void rlx_live_end(struct rlx_live *live, const char *reason);
/* Over and reported, its socket closed, and to be freed (not from inside its own callbacks). */
bool rlx_live_over(const struct rlx_live *live);

#endif
