/* Stereo call recording: callee left, agent right, 16-bit 8 kHz WAV, written during the call.
 *
 * The file is a valid WAV at any moment (the header is rewritten after every write-out, and readers of ours accept a data
 * size that is behind), so a kill loses at most the last second. Times are milliseconds since the recording's start; a
 * hole is silence. The agent's side holds what was *heard*: what a `clear` took back is cut out again, so the newest few
 * seconds are kept in memory. One thread.
 */
#ifndef RLX_AUDIO_RECORDER_H
#define RLX_AUDIO_RECORDER_H

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

struct rlx_recorder;

/* Creates the file (fails if it exists). Freeing finishes it. */
int rlx_recorder_create(struct rlx_recorder **recorderp, TALLOC_CTX *ctx, const char *path)
    __attribute__((warn_unused_result));

void rlx_recorder_callee(struct rlx_recorder *recorder, uint64_t at_ms, const uint8_t *ulaw,
                         size_t length);
/* at_ms: when the audio is (or will be) heard at the phone; it may lie in the near future. */
void rlx_recorder_agent(struct rlx_recorder *recorder, uint64_t at_ms, const uint8_t *ulaw,
                        size_t length);
/* The agent's audio from at_ms on was never heard. */
void rlx_recorder_agent_cut(struct rlx_recorder *recorder, uint64_t at_ms);
/* Time goes on: writes out what is final. Call about once a second. 0 or the write's -errno. */
int rlx_recorder_tick(struct rlx_recorder *recorder, uint64_t now_ms);
/* Writes the rest and the final header. 0 or -errno. */
int rlx_recorder_finish(struct rlx_recorder *recorder, uint64_t now_ms);
/* Milliseconds recorded so far. */
uint64_t rlx_recorder_length_ms(const struct rlx_recorder *recorder);

#endif
