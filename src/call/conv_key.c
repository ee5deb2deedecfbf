/* Pressed keys: grouped into one turn; their tones are no voice. */
#include "call/conv_internal.h"

#include <string.h>

#define GROUP_MS 2000u  /* a group ends after so long without a key */
#define TONE_MS 160u    /* how long a tone may still be heard */
#define TONE_FRAMES 10u /* how far back it may have been taken for voice */
#define PHONE_DIGITS 10u

static void unhear_tone(struct rlx_conv *conv)
{
    conv->ear.mute_ms = conv->ear.end_ms + TONE_MS;
    conv->ear.bits &= ~((UINT64_C(1) << TONE_FRAMES) - 1);
    if (conv->utt.on && conv->utt.voiced_ms <= TONE_FRAMES * RLX_CONV_FRAME_MS)
        rlx_conv_utterance_forget(conv);
}

void rlx_conv_on_key(struct rlx_conv *conv, char digit)
{
    unhear_tone(conv);
    if (conv->options.opt_out_key && digit == conv->options.opt_out_key && !conv->closing.on &&
        conv->state != RLX_CONV_WAITING) {
        rlx_conv_opt_out(conv);
        return;
    }
    if (conv->digit_count + 1 < sizeof conv->digits)
        conv->digits[conv->digit_count++] = digit;
    conv->digit_ms = conv->now_ms;
    if (!conv->speaking || conv->closing.on || conv->state == RLX_CONV_VOICEMAIL)
        return;
    if (conv->set.dtmf_interrupts) {
        rlx_conv_barge_confirm(conv, "key");
        rlx_conv_utterance_forget(conv);
        rlx_conv_listen(conv);
    } else if (conv->state == RLX_CONV_PAUSED) {
        rlx_conv_barge_back(conv, "key");
    }
}

static bool is_whole(const struct rlx_conv *conv)
{
    return conv->digits[conv->digit_count - 1] == '#' ||
           conv->digit_count + 1 == sizeof conv->digits ||
           (conv->collecting && conv->digit_count >= PHONE_DIGITS) ||
           conv->now_ms - conv->digit_ms >= GROUP_MS;
}

static bool may_take(const struct rlx_conv *conv)
{
    return conv->digit_count && !conv->speaking && !conv->next &&
           (conv->state == RLX_CONV_LISTENING || conv->state == RLX_CONV_ON_HOLD ||
            conv->state == RLX_CONV_USER_SPEAKING);
}

void rlx_conv_key_tick(struct rlx_conv *conv)
{
    if (!may_take(conv) || !is_whole(conv))
        return;
    if (conv->digits[conv->digit_count - 1] == '#' && conv->digit_count > 1)
        conv->digit_count--;
    const char *text =
        talloc_asprintf(conv->scratch, "[keypad: %.*s]", (int)conv->digit_count, conv->digits);
    conv->digit_count = 0;
    rlx_conv_utterance_forget(conv);
    rlx_conv_silence_words(conv);
    struct rlx_conv_turn *turn = text ? rlx_conv_turn_say(conv, text) : NULL;
    if (!turn)
        return;
    turn->keypad = true;
    conv->metrics.keypad++;
    conv->metrics.turns++;
    rlx_conv_think(conv);
}

uint64_t rlx_conv_key_due(const struct rlx_conv *conv)
{
    return may_take(conv) ? conv->digit_ms + GROUP_MS : UINT64_MAX;
}
