/* What the agent says: epochs and their pieces, what of them was heard, and what follows them. */
#include "call/conv_internal.h"

#include <string.h>

#define AHEAD 2u     /* pieces in synthesis beyond the last complete one */
#define LOW_MS 3000u /* a piece however long is made when less than this is left */
#define LAST_MS (2 * RLX_CONV_ECHO_MS) /* an echo's delay, and the length of a word */
#define TAIL_SLACK_MS                                                                              \
    300u /* the position is an estimate: an echo may be of a word just beyond it */

/* ---- making ---- */

static void owe(struct rlx_conv *conv, struct rlx_conv_speech *speech)
{
    bool pays = speech->source == RLX_SOURCE_ANSWER || speech->source == RLX_SOURCE_LLM;

    if (pays && conv->owed && rlx_conv_speech_add(conv, speech, conv->owed))
        speech->must_words = rlx_text_words(conv->owed);
}

/* A new epoch, on conv, not yet in any place. NULL out of memory. */
struct rlx_conv_speech *rlx_conv_speech_new(struct rlx_conv *conv, enum rlx_conv_source source)
{
    struct rlx_conv_speech *speech = talloc_zero(conv, struct rlx_conv_speech);

    if (!speech)
        return NULL;
    speech->epoch = ++conv->last_epoch;
    speech->source = source;
    speech->history = -1;
    speech->made_ms = speech->progress_ms = conv->now_ms;
    speech->after_row = conv->last_row;
    owe(conv, speech);
    return speech;
}

/* False when nothing of the text can be said, or no more can be taken. */
bool rlx_conv_speech_add(struct rlx_conv *conv, struct rlx_conv_speech *speech, const char *text)
{
    struct rlx_conv_piece *piece = &speech->pieces[speech->count];

    (void)conv;
    if (speech->count == RLX_CONV_PIECES || rlx_spoken_make(&piece->spoken, speech, text))
        return false;
    piece->text = talloc_strdup(speech, text);
    if (!piece->text || !*piece->spoken->text) {
        TALLOC_FREE(piece->spoken);
        return false;
    }
    speech->count++;
    return true;
}

/* A fixed phrase as the next thing to say; a filler goes beside what is being made. */
void rlx_conv_say_phrase(struct rlx_conv *conv, enum rlx_conv_source source,
                         enum rlx_conv_phrase_id phrase)
{
    struct rlx_conv_speech **place = source == RLX_SOURCE_FILLER ? &conv->aside : &conv->next;

    rlx_conv_speech_drop(conv, place);
    if (!conv->phrases[phrase])
        return;
    struct rlx_conv_speech *speech = rlx_conv_speech_new(conv, source);
    if (!speech)
        return;
    rlx_conv_speech_add(conv, speech, conv->phrases[phrase]);
    speech->closed = speech->go = true;
    *place = speech;
}

/* ---- lengths and words ---- */

uint32_t rlx_conv_speech_total(const struct rlx_conv_speech *speech)
{
    uint32_t total = 0;

    for (unsigned i = 0; i < speech->count; i++)
        total += speech->pieces[i].total_ms;
    return total;
}

static uint32_t piece_length(const struct rlx_conv *conv, const struct rlx_conv_piece *piece)
{
    if (piece->complete)
        return piece->total_ms > piece->pause_ms ? piece->total_ms - piece->pause_ms : 0;
    uint32_t guess = (uint32_t)((float)strlen(piece->spoken->text) * conv->ms_per_char);
    return guess > piece->total_ms ? guess : piece->total_ms;
}

/* What was heard of a piece that is being heard; behind its last word the stop or question mark
 * belongs to it. */
static const char *part_heard(struct rlx_conv *conv, const struct rlx_conv_piece *piece,
                              uint32_t heard_ms, uint32_t length_ms)
{
    const char *part =
        rlx_spoken_heard(conv->scratch, piece->spoken, piece->text, heard_ms, length_ms, NULL);
    size_t length = part ? strlen(part) : 0;

    if (!length || length > strlen(piece->text))
        return part;
    const char *rest = piece->text + length;
    return rest[strspn(rest, ".,!?;: \"')")] ? part : piece->text;
}

char *rlx_conv_speech_heard(struct rlx_conv *conv, const struct rlx_conv_speech *speech,
                            uint32_t heard_ms)
{
    char *text = talloc_strdup(conv->scratch, "");
    uint32_t start = 0;

    for (unsigned i = 0; i < speech->count && text && start < heard_ms; i++) {
        const struct rlx_conv_piece *piece = &speech->pieces[i];
        if (!piece->total_ms)
            continue;
        const char *part = piece->text;
        uint32_t length = piece_length(conv, piece);
        if (!piece->complete || heard_ms < start + length)
            part = part_heard(conv, piece, heard_ms - start, length);
        if (part && *part)
            text = talloc_asprintf_append(text, "%s%s", *text ? " " : "", part);
        start += piece->total_ms;
    }
    return text;
}

char *rlx_conv_speech_tail(struct rlx_conv *conv, const struct rlx_conv_speech *speech,
                           uint32_t length_ms)
{
    uint32_t end = speech->now_ms + TAIL_SLACK_MS;
    char *all = rlx_conv_speech_heard(conv, speech, end);

    if (!all || end <= length_ms)
        return all;
    char *before = rlx_conv_speech_heard(conv, speech, end - length_ms);
    return before ? all + strlen(before) : all;
}

static char *pieces_text(struct rlx_conv *conv, const struct rlx_conv_speech *speech,
                         unsigned count, bool sounded)
{
    char *text = talloc_strdup(conv->scratch, "");

    for (unsigned i = 0; i < count && text; i++)
        if (!sounded || speech->pieces[i].total_ms)
            text = talloc_asprintf_append(text, "%s%s", *text ? " " : "", speech->pieces[i].text);
    return text;
}

/* ---- beginning ---- */

static void describe(struct rlx_conv *conv, struct rlx_conv_speech *speech)
{
    struct rlx_conv_turn *turn = conv->turn;
    bool reply = speech->source == RLX_SOURCE_ANSWER || speech->source == RLX_SOURCE_LLM;

    if (!turn || !turn->confirmed)
        return;
    if (!turn->seq)
        turn->seq = ++conv->last_seq; /* its text may still be on the way */
    rlx_conv_turn_commit(conv);
    bool first = !turn->answered;
    if (first && turn->spoke_until_ms)
        speech->first_audio_ms = (uint32_t)(conv->now_ms - turn->spoke_until_ms);
    if (speech->source == RLX_SOURCE_FILLER || (!first && !reply))
        return;
    turn->answered = true;
    speech->guessed = turn->guessed;
    speech->endpoint_ms = turn->endpoint_ms;
    speech->stt_ms = turn->stt_ms;
    speech->lookup_ms = turn->lookup_ms;
    speech->llm_ms = turn->llm_ms;
    speech->sources = turn->sources ? talloc_strdup(speech, turn->sources) : NULL;
    if (speech->source == RLX_SOURCE_ANSWER) {
        speech->answer_id = talloc_strdup(speech, turn->answer_id ? turn->answer_id : "");
        speech->score = turn->score;
    }
    if (!first)
        return;
    TALLOC_FREE(conv->recent[1]);
    conv->recent[1] = conv->recent[0];
    conv->recent[0] = speech->answer_id ? talloc_strdup(conv, speech->answer_id) : NULL;
}

/* What was said before it is durable, or has been waited for long enough. */
static bool rows_kept(const struct rlx_conv *conv, const struct rlx_conv_speech *speech)
{
    return speech->after_row <= conv->kept_row ||
           conv->now_ms - speech->made_ms >= RLX_CONV_KEEP_MS;
}

static void note_rows(struct rlx_conv *conv, const struct rlx_conv_speech *speech)
{
    uint32_t waited = speech->ready_ms ? (uint32_t)(conv->now_ms - speech->ready_ms) : 0;

    if (waited > conv->metrics.row_wait_ms)
        conv->metrics.row_wait_ms = waited;
    if (speech->after_row <= conv->kept_row)
        return;
    conv->metrics.rows_late++;
    rlx_conv_note(conv, "rows_late", "{\"epoch\":%u,\"waited_ms\":%u}", speech->epoch, waited);
}

static void begin(struct rlx_conv *conv, struct rlx_conv_speech **place)
{
    struct rlx_conv_speech *speech = *place;

    *place = NULL;
    note_rows(conv, speech);
    if (speech->source != RLX_SOURCE_FILLER)
        rlx_conv_speech_drop(conv, &conv->aside);
    if (speech->source == RLX_SOURCE_GREETING)
        rlx_conv_greet_began(conv);
    describe(conv, speech);
    conv->speaking = speech;
    speech->begun = true;
    speech->begun_ms = speech->progress_ms = conv->now_ms;
    speech->at_ms = rlx_conv_wall(conv, conv->now_ms);
    speech->seq = ++conv->last_seq;
    rlx_conv_uuid(conv, speech->id);
    if (!conv->turn || conv->turn->text)
        rlx_conv_utterance_forget(conv);
    rlx_conv_act(conv, RLX_ACT_EPOCH)->epoch = speech->epoch;
    if (conv->state != RLX_CONV_VOICEMAIL && conv->state != RLX_CONV_CLOSING)
        rlx_conv_enter(conv, speech->ends_call ? RLX_CONV_CLOSING : RLX_CONV_AI_SPEAKING);
    if (speech->must_words)
        TALLOC_FREE(conv->owed);
    speech->shown = 1;
    const char *text = pieces_text(conv, speech, 1, false);
    if (speech->source != RLX_SOURCE_FILLER)
        speech->history = rlx_conv_remember(conv, "assistant", text);
    rlx_conv_row_agent(conv, speech, text, false);
}

/* ---- ending ---- */

/* The part of the disclosure that was not heard opens the next turn. */
static void note_owed(struct rlx_conv *conv, const struct rlx_conv_speech *speech,
                      const char *heard)
{
    unsigned words = rlx_text_words(heard);
    const char *at = speech->pieces[0].text;

    if (!speech->must_words || words >= speech->must_words)
        return;
    const char *end = at;
    for (unsigned i = 0; i < speech->must_words; i++) {
        if (i == words)
            at = end;
        end += strspn(end, " ");
        end += strcspn(end, " ");
    }
    TALLOC_FREE(conv->owed);
    conv->owed = talloc_strndup(conv, at + strspn(at, " "), (size_t)(end - at) - strspn(at, " "));
}

static void note_said(struct rlx_conv *conv, const struct rlx_conv_speech *speech, const char *text)
{
    const char *tail = rlx_conv_speech_tail(conv, speech, RLX_CONV_TAIL_MS);
    const char *last = rlx_conv_speech_tail(conv, speech, LAST_MS);

    conv->quiet_since_ms = conv->now_ms;
    TALLOC_FREE(conv->last_tail);
    conv->last_tail = talloc_strdup(conv, tail ? tail : "");
    TALLOC_FREE(conv->last_end);
    conv->last_end = talloc_strdup(conv, last ? last : "");
    if (speech->source == RLX_SOURCE_FILLER || !*text)
        return;
    TALLOC_FREE(conv->last_said);
    conv->last_said = talloc_strdup(conv, text);
    conv->asked = rlx_is_question(text);
    conv->hint = rlx_conv_hint(text);
    conv->collecting = conv->hint != NULL;
}

/* Takes the running speech off with what was heard of it; the caller frees it. */
static struct rlx_conv_speech *finish(struct rlx_conv *conv, bool cut)
{
    struct rlx_conv_speech *speech = conv->speaking;
    const char *text;

    if (cut)
        text = rlx_conv_speech_heard(conv, speech, speech->heard_ms);
    else
        text = pieces_text(conv, speech, speech->count, true);
    if (!text)
        text = "";
    if (!cut)
        speech->now_ms = speech->heard_ms = rlx_conv_speech_total(speech);
    note_owed(conv, speech, text);
    note_said(conv, speech, text);
    rlx_conv_row_agent(conv, speech, text, true);
    rlx_conv_amend(conv, speech->history, text);
    conv->speaking = NULL;
    if (conv->turn && conv->turn->speech == speech)
        conv->turn->speech = NULL;
    return speech;
}

void rlx_conv_speech_cut(struct rlx_conv *conv)
{
    rlx_conv_act(conv, RLX_ACT_DROP)->epoch = conv->speaking->epoch;
    talloc_free(finish(conv, true));
}

void rlx_conv_speech_drop(struct rlx_conv *conv, struct rlx_conv_speech **speechp)
{
    struct rlx_conv_speech *speech = *speechp;

    if (!speech)
        return;
    if (speech->asked)
        rlx_conv_act(conv, RLX_ACT_DROP)->epoch = speech->epoch;
    if (conv->turn && conv->turn->speech == speech)
        conv->turn->speech = NULL;
    *speechp = NULL;
    talloc_free(speech);
}

/* What comes when a speech is over. */
void rlx_conv_speech_after(struct rlx_conv *conv, const struct rlx_conv_speech *speech)
{
    const struct rlx_conv_turn *turn = conv->turn;

    if (speech->ends_call) {
        rlx_conv_close_listen(conv);
        return;
    }
    if (speech->source == RLX_SOURCE_VOICEMAIL) {
        rlx_conv_voicemail_end(conv);
        return;
    }
    if (speech->source == RLX_SOURCE_GREETING && rlx_conv_greet_answer(conv))
        return;
    if (speech->source != RLX_SOURCE_FILLER)
        rlx_conv_silence_reset(conv);
    rlx_conv_tools_start(conv);
    if (conv->state == RLX_CONV_TRANSFERRING)
        return;
    if (rlx_conv_tools_running(conv))
        rlx_conv_enter(conv, RLX_CONV_TOOL);
    else if (conv->next || conv->tools_ask || (turn && turn->confirmed && !turn->answered) ||
             (turn && turn->llm_job))
        rlx_conv_enter(conv, RLX_CONV_THINKING);
    else
        rlx_conv_listen(conv);
}

static void end_running(struct rlx_conv *conv, bool cut)
{
    if (cut)
        rlx_conv_act(conv, RLX_ACT_DROP)->epoch = conv->speaking->epoch;
    struct rlx_conv_speech *speech = finish(conv, cut);
    rlx_conv_speech_after(conv, speech);
    talloc_free(speech);
}

void rlx_conv_on_played(struct rlx_conv *conv)
{
    if (conv->speaking && conv->state != RLX_CONV_PAUSED)
        end_running(conv, false);
}

/* ---- audio ---- */

static void learn_pace(struct rlx_conv *conv, const struct rlx_conv_piece *piece)
{
    size_t chars = strlen(piece->spoken->text);

    if (chars >= 20 && piece->total_ms)
        conv->ms_per_char +=
            ((float)piece_length(conv, piece) / (float)chars - conv->ms_per_char) * 0.3f;
}

void rlx_conv_on_audio(struct rlx_conv *conv, const struct rlx_conv_event *event)
{
    struct rlx_conv_speech *const places[] = {conv->speaking, conv->next, conv->aside};
    struct rlx_conv_speech *speech = NULL;
    uint32_t number = event->audio.piece;

    for (unsigned i = 0; i < 3; i++)
        if (places[i] && places[i]->epoch == event->audio.epoch)
            speech = places[i];
    if (!speech || !number || number > speech->asked || speech->pieces[number - 1].complete)
        return;
    struct rlx_conv_piece *piece = &speech->pieces[number - 1];
    piece->total_ms = event->audio.total_ms;
    piece->pause_ms = event->audio.pause_ms;
    if (event->audio.first_byte_ms)
        piece->first_byte_ms = event->audio.first_byte_ms;
    piece->complete = event->audio.complete;
    piece->failed = event->err != 0;
    speech->progress_ms = conv->now_ms;
    if (piece->failed)
        conv->metrics.tts_failed++;
    if (piece->complete)
        learn_pace(conv, piece);
}

/* ---- the pump: asks, begins, finishes ---- */

/* Whether one more piece would be more than is made ahead; lengths that are not known yet are
 * guessed. */
static bool is_far_ahead(const struct rlx_conv *conv, const struct rlx_conv_speech *speech)
{
    uint32_t more = piece_length(conv, &speech->pieces[speech->asked]), ahead = more;

    for (unsigned i = 0; i < speech->asked; i++) {
        const struct rlx_conv_piece *piece = &speech->pieces[i];
        ahead += piece->complete ? piece->total_ms : piece_length(conv, piece);
    }
    return ahead > speech->now_ms + RLX_CONV_BUFFER_MS && ahead > speech->now_ms + more + LOW_MS;
}

static void ask(struct rlx_conv *conv, struct rlx_conv_speech *speech)
{
    while (speech->asked < speech->count) {
        unsigned at = speech->asked;
        if (at >= AHEAD && !speech->pieces[at - AHEAD].complete)
            return;
        if (is_far_ahead(conv, speech))
            return;
        struct rlx_conv_action *action = rlx_conv_act(conv, RLX_ACT_SAY);
        action->epoch = speech->epoch;
        action->piece = at + 1;
        action->text = speech->pieces[at].spoken->text;
        action->fixed = speech->source != RLX_SOURCE_LLM && speech->source != RLX_SOURCE_TOOL;
        speech->pieces[at].asked = true;
        speech->asked++;
        rlx_conv_guess_voiced(conv, speech);
        speech->progress_ms = conv->now_ms;
    }
}

/* Closed, all of it tried, and not a sound of it. */
static bool is_void(const struct rlx_conv_speech *speech)
{
    if (!speech->closed || speech->asked < speech->count)
        return false;
    for (unsigned i = 0; i < speech->count; i++)
        if (!speech->pieces[i].complete || speech->pieces[i].total_ms)
            return false;
    return true;
}

static bool any_failed(const struct rlx_conv_speech *speech)
{
    for (unsigned i = 0; i < speech->count; i++)
        if (speech->pieces[i].failed)
            return true;
    return false;
}

/* A speech that turned out to be no sound at all: its turn is over without it. */
static void skip_void(struct rlx_conv *conv, struct rlx_conv_speech **place)
{
    struct rlx_conv_speech *speech = *place;
    bool failed = any_failed(speech);

    if (conv->turn && conv->turn->speech == speech)
        conv->turn->speech = NULL;
    *place = NULL;
    if (speech->source == RLX_SOURCE_FILLER) {
        talloc_free(speech);
        return;
    }
    if (failed && !speech->ends_call) {
        talloc_free(speech);
        rlx_conv_fail(conv, "tts");
        return;
    }
    if (conv->turn && conv->turn->confirmed) {
        rlx_conv_turn_commit(conv);
        conv->turn->answered = true;
    }
    rlx_conv_speech_after(conv, speech);
    talloc_free(speech);
}

static bool is_ready(const struct rlx_conv *conv, struct rlx_conv_speech *speech)
{
    if (!speech || !speech->go || !rlx_conv_speech_total(speech))
        return false;
    if (rows_kept(conv, speech))
        return true;
    if (!speech->ready_ms)
        speech->ready_ms = conv->now_ms;
    return false;
}

static bool may_speak(const struct rlx_conv *conv)
{
    return conv->state != RLX_CONV_USER_SPEAKING && conv->state != RLX_CONV_TRANSFERRING &&
           conv->state != RLX_CONV_ENDED && !conv->closing.listening;
}

void rlx_conv_speech_pump(struct rlx_conv *conv)
{
    if (conv->speaking)
        ask(conv, conv->speaking);
    if (conv->next)
        ask(conv, conv->next);
    if (conv->aside)
        ask(conv, conv->aside);
    if (!conv->speaking && conv->next && conv->next->go && is_void(conv->next))
        skip_void(conv, &conv->next);
    if (conv->aside && is_void(conv->aside))
        skip_void(conv, &conv->aside);
    if (!conv->speaking && may_speak(conv)) {
        if (is_ready(conv, conv->next))
            begin(conv, &conv->next);
        else if (is_ready(conv, conv->aside))
            begin(conv, &conv->aside);
    }
    struct rlx_conv_speech *speech = conv->speaking;
    if (speech && speech->closed && !speech->finished && speech->asked == speech->count) {
        speech->finished = true;
        rlx_conv_act(conv, RLX_ACT_FINISH)->epoch = speech->epoch;
    }
}

/* ---- time ---- */

void rlx_conv_speech_heard_to(struct rlx_conv *conv, uint32_t heard_ms)
{
    struct rlx_conv_speech *speech = conv->speaking;

    if (!speech)
        return;
    if (heard_ms != speech->now_ms)
        speech->progress_ms = conv->now_ms;
    speech->now_ms = heard_ms;
    if (heard_ms > speech->heard_ms)
        speech->heard_ms = heard_ms;
}

/* The row grows with the pieces that have begun to be heard. */
static void show_more(struct rlx_conv *conv, struct rlx_conv_speech *speech)
{
    uint32_t start = 0;
    unsigned begun = 0;

    for (unsigned i = 0; i < speech->count && start < speech->heard_ms; i++) {
        if (speech->pieces[i].total_ms)
            begun = i + 1;
        start += speech->pieces[i].total_ms;
    }
    if (begun <= speech->shown)
        return;
    const char *text = pieces_text(conv, speech, begun, true);
    if (!text)
        return; /* out of memory: with the next piece */
    speech->shown = begun;
    rlx_conv_amend(conv, speech->history, text);
    rlx_conv_row_agent(conv, speech, text, false);
}

/* What may be said has no audio, and none is coming. */
static void check_next(struct rlx_conv *conv)
{
    const struct rlx_conv_speech *next = conv->next;

    if (conv->speaking || !next || !next->go || conv->closing.on ||
        conv->now_ms - next->progress_ms < conv->set.answer_max_ms)
        return;
    rlx_conv_speech_drop(conv, &conv->next);
    rlx_conv_fail(conv, "tts");
}

void rlx_conv_speech_tick(struct rlx_conv *conv)
{
    struct rlx_conv_speech *speech = conv->speaking;

    check_next(conv);
    if (!speech || conv->state == RLX_CONV_PAUSED)
        return;
    show_more(conv, speech);
    if (conv->now_ms - speech->progress_ms < RLX_CONV_BACKSTOP_MS)
        return;
    /* Neither heard further nor grown: the audio, its last mark or the model is lost. */
    rlx_conv_note(conv, "speech_stalled", "{\"epoch\":%u}", speech->epoch);
    rlx_conv_llm_cancel(conv);
    end_running(conv, true);
}

uint64_t rlx_conv_speech_due(const struct rlx_conv *conv)
{
    const struct rlx_conv_speech *speech = conv->speaking;

    if (speech)
        return conv->state == RLX_CONV_PAUSED ? UINT64_MAX
                                              : speech->progress_ms + RLX_CONV_BACKSTOP_MS;
    if (conv->next && conv->next->ready_ms)
        return conv->next->made_ms + RLX_CONV_KEEP_MS;
    if (conv->aside && conv->aside->ready_ms)
        return conv->aside->made_ms + RLX_CONV_KEEP_MS;
    if (conv->next && conv->next->go && !conv->closing.on)
        return conv->next->progress_ms + conv->set.answer_max_ms;
    return UINT64_MAX;
}
