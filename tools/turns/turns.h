/* rlx-turns: what the turn-taking makes of recorded sound. The parts of the tool. */
#ifndef RLX_TOOLS_TURNS_H
#define RLX_TOOLS_TURNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "call/conv.h"

/* ---- speech to text: the gateway's own client, made blocking (hear.c) ---- */

struct rlx_turns_ear;

struct rlx_turns_text {
    char *text;
    uint32_t voiced_ms, took_ms; /* took_ms: really measured */
    float avg_logprob;
};

/* base_url: an OpenAI-compatible server's, with /v1. Anything but 0 has been told on stderr. */
int rlx_turns_ear_create(struct rlx_turns_ear **earp, TALLOC_CTX *ctx, const char *base_url);
/* Transcribes 8 kHz µ-law and waits for the answer; the result is a child of ctx. A negative error
 * when the server failed. */
int rlx_turns_hear(struct rlx_turns_text **textp, TALLOC_CTX *ctx, struct rlx_turns_ear *ear,
                   const uint8_t *ulaw, size_t length);

/* ---- the agent's voice: tones through the real playout to a phone that plays them (voice.c) ----
 */

struct rlx_turns_voice;

int rlx_turns_voice_create(struct rlx_turns_voice **voicep, TALLOC_CTX *ctx);
/* SAY, EPOCH, FINISH, DROP, PAUSE and RESUME are carried out; other actions are ignored. */
void rlx_turns_voice_act(struct rlx_turns_voice *voice, const struct rlx_conv_action *action,
                         uint64_t now_ms);
/* Lets time pass: fills *event and returns true while there is something to tell the conversation.
 */
bool rlx_turns_voice_run(struct rlx_turns_voice *voice, uint64_t now_ms,
                         struct rlx_conv_event *event);
uint32_t rlx_turns_voice_heard_ms(const struct rlx_turns_voice *voice, uint64_t now_ms);
/* The echo reference of a frame: the loudest 20 ms of 60-600 ms ago. */
float rlx_turns_voice_level_db(const struct rlx_turns_voice *voice, uint64_t now_ms);
/* An epoch runs. */
bool rlx_turns_voice_speaks(const struct rlx_turns_voice *voice);

/* ---- one sound file as the callee (call.c) ---- */

struct rlx_turns_sound {
    const uint8_t *ulaw;
    size_t length;
};

struct rlx_turns_options {
    float room_db;    /* level of the noise around the sound, dBFS */
    uint32_t lead_ms; /* the sound's first so many ms are its noise, and are heard before it too; 0
                         = the room is */
    uint32_t stt_ms;  /* told instead of the measured time; 0 = measured */
    bool verbose;     /* every action on stderr */
};

#define RLX_TURNS_MAX 256

struct rlx_turns_turn {
    char id[40], text[400];
    uint32_t at_ms; /* when its row came, on the sound's own timeline */
};

struct rlx_turns_result {
    struct rlx_turns_turn turns[RLX_TURNS_MAX]; /* the callee's rows that hold words */
    size_t turn_count;
    unsigned calls, stt, llm, pauses, resumed, empty, suspects;
    uint32_t fed_ms, listened_ms; /* of the sound: in all, and while the agent was silent */
    uint32_t stt_total_ms, stt_max_ms;
};

/* Places simulated calls whose callee makes this sound, from the moment on when the greeting has
 * been heard; when a call ends before the sound does, the next one goes on with the rest. A
 * negative error when speech to text failed. */
int rlx_turns_replay(struct rlx_turns_result *result, struct rlx_turns_ear *ear,
                     const struct rlx_turns_sound *sound, const struct rlx_turns_options *options);

#endif
