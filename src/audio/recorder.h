/* Stereo call recording: callee left, agent right, 16-bit 8 kHz WAV, written during the call.
 *
 * The file is written by the disk's thread (audio/disk.h), in blocks of a second; nothing here waits for it.
 * The file is a valid WAV at any moment: samples are written first, then the header that counts them, and readers of ours
 * accept a data size that is behind. A kill loses at most what came since the last rlx_recorder_tick, and what the disk has not taken yet. Times are milliseconds
 * since the recording's start; a hole is silence. The agent's side holds what was *heard*: what a `clear` took back is cut
 * out again, also when it was written already: the newest 8 s stay in memory (128 KB a call) and are rewritten in place.
 * One thread.
 */
#ifndef RLX_AUDIO_RECORDER_H
#define RLX_AUDIO_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "audio/disk.h"

struct rlx_recorder;

/* Creates the file (mode 0600) on the disk, which outlives the recorder. -ENOMEM; whether the file could be made is told by the next
 * tick (-EEXIST when there is one). Freeing finishes it at the latest time that it has seen. */
int rlx_recorder_create(struct rlx_recorder **recorderp, TALLOC_CTX *ctx, struct rlx_disk *disk,
                        const char *path) __attribute__((warn_unused_result));

/* The callee's audio; at_ms: the place of its first sample. What is older than the newest 8 s, or past 12 h, is dropped. */
void rlx_recorder_callee(struct rlx_recorder *recorder, uint64_t at_ms, const uint8_t *ulaw,
                         size_t length);
/* at_ms: when the audio is (or will be) heard at the phone; it may lie up to 4 s in the future. Two chunks that overlap by
 * rounding: the later one wins. */
void rlx_recorder_agent(struct rlx_recorder *recorder, uint64_t at_ms, const uint8_t *ulaw,
                        size_t length);
/* The agent's audio from at_ms on was never heard. */
void rlx_recorder_agent_cut(struct rlx_recorder *recorder, uint64_t at_ms);
/* Copies `length` samples of both channels from at_ms on, as they are now; silence where there is none, or not any more. */
void rlx_recorder_copy(const struct rlx_recorder *recorder, uint64_t at_ms, uint8_t *callee,
                       uint8_t *agent, size_t length);
/* Time goes on: hands over everything before now_ms. Call about once a second. 0 or -errno: of the file (an earlier write that
 * failed; what is still in memory is written again), or -ENOBUFS when the disk can't keep up (the part is handed over again at the
 * next tick). -EBADF when it is finished. */
int rlx_recorder_tick(struct rlx_recorder *recorder, uint64_t now_ms);
/* Hands over the rest up to now_ms (agent audio beyond it was not heard) and the final header, and has it closed. 0 or -errno, as
 * far as it is known yet. */
int rlx_recorder_finish(struct rlx_recorder *recorder, uint64_t now_ms);
/* True when the finished file is whole and closed; *errp = 0, or why it is not as it should be. */
bool rlx_recorder_closed(struct rlx_recorder *recorder, int *errp);
/* Milliseconds recorded so far: the latest time seen by a tick or by callee audio. */
uint64_t rlx_recorder_length_ms(const struct rlx_recorder *recorder);

#endif
