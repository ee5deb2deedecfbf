/* Stereo call recording: callee left, agent right, 16-bit 8 kHz WAV, written during the call.
 *
 * The file is a valid WAV at any moment: samples are written first, then the header that counts them, and readers of ours
 * accept a data size that is behind. A kill loses at most what came since the last rlx_recorder_tick. Times are milliseconds
 * since the recording's start; a hole is silence. The agent's side holds what was *heard*: what a `clear` took back is cut
 * out again, also when it was written already: the newest 8 s stay in memory (128 KB a call) and are rewritten in place.
 * One thread.
 */
#ifndef RLX_AUDIO_RECORDER_H
#define RLX_AUDIO_RECORDER_H

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

struct rlx_recorder;

/* Creates the file (mode 0600). -EEXIST when there is one, else the -errno of open or write. Freeing finishes it at the
 * latest time that it has seen. */
int rlx_recorder_create(struct rlx_recorder **recorderp, TALLOC_CTX *ctx, const char *path)
    __attribute__((warn_unused_result));

/* The callee's audio; at_ms: the place of its first sample. What is older than the newest 8 s, or past 12 h, is dropped. */
void rlx_recorder_callee(struct rlx_recorder *recorder, uint64_t at_ms, const uint8_t *ulaw,
                         size_t length);
/* at_ms: when the audio is (or will be) heard at the phone; it may lie up to 4 s in the future. Two chunks that overlap by
 * rounding: the later one wins. */
void rlx_recorder_agent(struct rlx_recorder *recorder, uint64_t at_ms, const uint8_t *ulaw,
                        size_t length);
/* The agent's audio from at_ms on was never heard. */
void rlx_recorder_agent_cut(struct rlx_recorder *recorder, uint64_t at_ms);
/* Time goes on: writes out everything before now_ms. Call about once a second. 0 or the first write error's -errno (the
 * recording goes on and the part is written again at the next tick). */
int rlx_recorder_tick(struct rlx_recorder *recorder, uint64_t now_ms);
/* Writes the rest up to now_ms (agent audio beyond it was not heard) and the final header, and closes. 0 or -errno. */
int rlx_recorder_finish(struct rlx_recorder *recorder, uint64_t now_ms);
/* Milliseconds recorded so far: the latest time seen by a tick or by callee audio. */
uint64_t rlx_recorder_length_ms(const struct rlx_recorder *recorder);

#endif
