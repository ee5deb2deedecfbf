/* Whether a guess is worth its work: how many a turn, whether the providers have time for it, and what became of the last ones. */
#include "call/conv_internal.h"

#define GUESSES 2u       /* speculative passes a turn, unless the options say less */
#define QUEUE_MS 150u    /* speech to text that lets wait so long has no time for guesses */
#define WINDOW 20u       /* outcomes that are looked at */
#define ENOUGH 8u        /* … and so many are needed for a judgement */
#define WASTED_PERCENT 60u
#define GOOD_PERCENT 40u
#define LATER_MS 150u    /* a guess that comes later is wrong less often: most pauses are over by then */
#define STOP_TURNS 5u

/* The providers are busy, or too many guesses were for nothing. */
bool rlx_conv_guess_off(const struct rlx_conv *conv)
{
    return !conv->set.speculation || conv->guess.rate_low || conv->guess.queue_ms > QUEUE_MS ||
           conv->guess.stop_turns;
}

bool rlx_conv_guess_may(const struct rlx_conv *conv, uint32_t quiet_ms)
{
    unsigned most = conv->options.guesses ? conv->options.guesses : GUESSES;
    uint32_t later = conv->guess.later ? LATER_MS : 0;

    return !rlx_conv_guess_off(conv) && conv->utt.guesses < most &&
           quiet_ms >= conv->set.speculate_ms + later;
}

static void forget(struct rlx_conv_guess *guess)
{
    guess->wasted = guess->count = 0;
}

/* What became of a speculative pass of speech to text. */
void rlx_conv_guess_outcome(struct rlx_conv *conv, bool used)
{
    struct rlx_conv_guess *guess = &conv->guess;

    guess->wasted = (guess->wasted << 1 | (used ? 0u : 1u)) & ((1u << WINDOW) - 1);
    if (guess->count < WINDOW)
        guess->count++;
    unsigned wasted = (unsigned)__builtin_popcount(guess->wasted);
    if (guess->count < ENOUGH)
        return;
    if (wasted * 100 > WASTED_PERCENT * guess->count) {
        if (guess->later)
            guess->stop_turns = STOP_TURNS;
        guess->later = true;
        conv->metrics.guess_backed_off++;
        rlx_conv_note(conv, "guessing_less", "{\"wasted\":%u,\"of\":%u,\"stopped\":%s}", wasted,
                      guess->count, guess->stop_turns ? "true" : "false");
        forget(guess);
    } else if (guess->later && wasted * 100 <= GOOD_PERCENT * guess->count) {
        guess->later = false;
        forget(guess);
    }
}

void rlx_conv_guess_turn(struct rlx_conv *conv)
{
    if (conv->guess.stop_turns)
        conv->guess.stop_turns--;
}

/* Synthesis for a turn whose end is not sure is counted once. */
void rlx_conv_guess_voiced(struct rlx_conv *conv, const struct rlx_conv_speech *speech)
{
    struct rlx_conv_turn *turn = conv->turn;

    if (speech != conv->next || !turn || turn->confirmed || !turn->guessed || turn->voiced)
        return;
    turn->voiced = true;
    conv->metrics.tts_started++;
}
