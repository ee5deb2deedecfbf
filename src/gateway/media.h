/* Twilio Media Streams messages: reading without allocation, writing into a given buffer.
 * Wire format: https://www.twilio.com/docs/voice/media-streams/websocket-messages. Pure; any thread. */
#ifndef RLX_GATEWAY_MEDIA_H
#define RLX_GATEWAY_MEDIA_H

#include <stddef.h>
#include <stdint.h>

enum rlx_media_kind {
    RLX_MEDIA_CONNECTED,
    RLX_MEDIA_START,
    RLX_MEDIA_AUDIO,
    RLX_MEDIA_MARK,
    RLX_MEDIA_DTMF,
    RLX_MEDIA_STOP,
    RLX_MEDIA_OTHER /* an event that we don't know: to be ignored */
};

#define RLX_MEDIA_MAX_AUDIO 4000 /* bytes of one frame: half a second is more than any carrier sends */
#define RLX_MEDIA_SID 64
#define RLX_MEDIA_TOKEN 256
#define RLX_MEDIA_MARK_NAME 64

struct rlx_media_message {
    enum rlx_media_kind kind;
    /* RLX_MEDIA_AUDIO */
    uint64_t timestamp_ms;
    size_t audio_length;
    uint8_t audio[RLX_MEDIA_MAX_AUDIO]; /* µ-law */
    /* RLX_MEDIA_START */
    char stream_sid[RLX_MEDIA_SID];
    char call_sid[RLX_MEDIA_SID];
    char token[RLX_MEDIA_TOKEN]; /* customParameters.token, "" when absent */
    /* RLX_MEDIA_MARK */
    char mark[RLX_MEDIA_MARK_NAME];
    /* RLX_MEDIA_DTMF */
    char digit;
};

/* Reads one text message. RLX_EPROTO with a static sentence in *whyp when it is no valid JSON object, has no event, misses what
 * its event needs, its payload is not base64 or too long, or its media format is not 8 kHz µ-law. */
int rlx_media_read(struct rlx_media_message *message, const char *text, size_t length,
                   const char **whyp) __attribute__((warn_unused_result));

/* Each writes a whole JSON message (no NUL) and returns its length, 0 when it does not fit. */
size_t rlx_media_write_audio(char *out, size_t size, const char *stream_sid, const uint8_t *ulaw,
                             size_t length);
size_t rlx_media_write_mark(char *out, size_t size, const char *stream_sid, const char *name);
size_t rlx_media_write_clear(char *out, size_t size, const char *stream_sid);

#endif
