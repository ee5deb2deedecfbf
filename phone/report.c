#include <stdio.h>
#include <string.h>
#include <time.h>

#include "audio/g711.h"
#include "audio/wav.h"
#include "call.h"

static json_t *ms_or_null(int64_t ms)
{
    return ms >= 0 ? json_integer(ms) : json_null();
}

static json_t *callee_words(const struct rlx_call *call)
{
    json_t *list = json_array();
    const struct rlx_utterance *words;
    size_t count;

    words = rlx_person_words(call->person, &count);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list,
                              json_pack("{s:s,s:s,s:I,s:I}", "text", words[i].text, "kind",
                                        words[i].kind, "start_ms", (json_int_t)words[i].start_ms,
                                        "end_ms", (json_int_t)words[i].end_ms));
    return list;
}

static json_t *agent_segments(const struct rlx_call *call)
{
    json_t *list = json_array();
    const struct rlx_segment *segments;
    size_t count;

    segments = rlx_hear_segments(call->hear, &count);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_pack("{s:I,s:I,s:i}", "start_ms",
                                              (json_int_t)segments[i].start_ms, "end_ms",
                                              (json_int_t)segments[i].end_ms, "longest_gap_ms",
                                              (int)segments[i].longest_gap_ms));
    return list;
}

/* The person's next words that ask for an answer after the i-th; when they began. */
static uint64_t next_words_ms(const struct rlx_utterance *words, size_t count, size_t i)
{
    for (i++; i < count; i++)
        if (strcmp(words[i].kind, "mmhm") != 0)
            return words[i].start_ms;
    return UINT64_MAX;
}

static json_t *turns(const struct rlx_call *call)
{
    json_t *list = json_array();
    const struct rlx_utterance *words;
    size_t count;

    words = rlx_person_words(call->person, &count);
    for (size_t i = 0; i < count; i++) {
        /* What begins while the person still speaks answers nothing. */
        const struct rlx_segment *segment = rlx_hear_first_after(call->hear, words[i].end_ms);

        if (strcmp(words[i].kind, "mmhm") == 0)
            continue;
        if (segment && segment->start_ms >= next_words_ms(words, count, i))
            segment = NULL;
        json_array_append_new(
            list, json_pack("{s:s,s:s,s:I,s:o,s:o}", "callee", words[i].text, "kind", words[i].kind,
                            "callee_end_ms", (json_int_t)words[i].end_ms, "agent_start_ms",
                            segment ? json_integer((json_int_t)segment->start_ms) : json_null(),
                            "first_audio_ms",
                            segment ? json_integer((json_int_t)segment->start_ms -
                                                   (json_int_t)words[i].end_ms)
                                    : json_null()));
    }
    return list;
}

static json_t *marks(const struct rlx_call *call)
{
    json_t *list = json_array();

    for (size_t i = 0; i < call->mark_count; i++) {
        const struct rlx_call_mark *mark = &call->marks[i];

        json_array_append_new(list,
                              json_pack("{s:s,s:I,s:o,s:o,s:b}", "name", mark->name, "received_ms",
                                        (json_int_t)mark->received_ms, "played_ms",
                                        ms_or_null(mark->played_ms), "returned_ms",
                                        ms_or_null(mark->returned_ms), "cleared", mark->cleared));
    }
    return list;
}

static json_t *clears(const struct rlx_call *call)
{
    json_t *list = json_array();

    for (size_t i = 0; i < call->clear_count; i++) {
        const struct rlx_call_clear *clear = &call->clears[i];

        json_array_append_new(list,
                              json_pack("{s:I,s:I,s:I,s:i}", "at_ms", (json_int_t)clear->at_ms,
                                        "dropped_ms", (json_int_t)clear->dropped_ms, "played_ms",
                                        (json_int_t)clear->played_ms, "marks", (int)clear->marks));
    }
    return list;
}

static json_t *timeouts(const struct rlx_call *call)
{
    json_t *list = json_array();
    const struct rlx_person_timeout *timeout;
    size_t count;

    timeout = rlx_person_timeouts(call->person, &count);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list,
                              json_pack("{s:i,s:s,s:I}", "line", (int)timeout[i].line, "do",
                                        timeout[i].what, "at_ms", (json_int_t)timeout[i].at_ms));
    return list;
}

static json_t *events(const struct rlx_call *call)
{
    json_t *list = json_array();

    for (size_t i = 0; i < call->event_count; i++)
        json_array_append_new(list,
                              json_pack("{s:I,s:s}", "at_ms", (json_int_t)call->events[i].at_ms,
                                        "what", call->events[i].text));
    return list;
}

static json_t *errors(const struct rlx_call *call)
{
    json_t *list = json_array();

    for (size_t i = 0; i < call->error_count; i++)
        json_array_append_new(list, json_string(call->errors[i].text));
    return list;
}

static json_t *line(const struct rlx_call *call)
{
    const struct rlx_line *l = &call->line;

    return json_pack("{s:b,s:I,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i}", "kind", l->kind, "seed",
                     (json_int_t)l->seed, "answer_to_stream_ms", (int)l->gap_ms, "down_ms",
                     (int)l->down_ms, "up_ms", (int)l->up_ms, "echo_ms", (int)l->echo_ms, "echo_db",
                     l->echo_db, "noise_db", l->noise_db, "frames_sent", (int)l->frames_sent,
                     "frames_lost", (int)l->frames_lost, "marks_late", (int)l->marks_late,
                     "marks_lost", (int)l->marks_lost);
}

json_t *rlx_call_report(struct rlx_call *call)
{
    json_t *report, *media;

    pthread_mutex_lock(&call->lock);
    media = json_pack("{s:i,s:I,s:I,s:i,s:i}", "received", (int)call->media_received, "received_ms",
                      (json_int_t)(call->media_bytes / 8), "played_ms",
                      (json_int_t)(rlx_buffer_played(call->buffer) / 8), "starved_ms",
                      (int)call->starved_ms, "largest_ahead_ms", (int)call->largest_ahead_ms);
    report = json_pack("{s:s,s:s,s:s,s:s,s:s,s:o,s:o,s:o,s:I,s:s?}", "sid", call->sid, "to",
                       call->request.to, "from", call->request.from, "state", call->state, "status",
                       call->status, "stream_ms", ms_or_null(call->stream_ms), "stream_end_ms",
                       ms_or_null(call->stream_end_ms), "ended_ms", ms_or_null(call->ended_ms),
                       "now_ms", (json_int_t)rlx_call_clock_ms(call), "ended_by", call->ended_by);
    json_object_set_new(report, "callee", callee_words(call));
    json_object_set_new(report, "agent", agent_segments(call));
    json_object_set_new(report, "turns", turns(call));
    json_object_set_new(report, "marks", marks(call));
    json_object_set_new(report, "clears", clears(call));
    json_object_set_new(report, "timeouts", timeouts(call));
    json_object_set_new(report, "events", events(call));
    json_object_set_new(report, "errors", errors(call));
    json_object_set_new(report, "line", line(call));
    json_object_set_new(report, "media", media);
    pthread_mutex_unlock(&call->lock);
    return report;
}

static json_t *date(int64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    char text[40];
    struct tm tm;

    if (wall_ms == 0)
        return json_null();
    gmtime_r(&seconds, &tm);
    (void)strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S +0000", &tm);
    return json_string(text);
}

json_t *rlx_call_object(struct rlx_call *call)
{
    json_t *object;
    char text[32], uri[160];

    pthread_mutex_lock(&call->lock);
    (void)snprintf(uri, sizeof(uri), "/2010-04-01/Accounts/%.40s/Calls/%s.json",
                   call->exchange->account, call->sid);
    object = json_pack("{s:s,s:s,s:s?,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:n,s:n,s:n,s:n,s:n,s:n,s:n}",
                       "sid", call->sid, "account_sid", call->exchange->account, "answered_by",
                       call->answered_by, "api_version", "2010-04-01", "direction", "outbound-api",
                       "from", call->request.from, "from_formatted", call->request.from, "to",
                       call->request.to, "to_formatted", call->request.to, "status", call->status,
                       "annotation", "caller_name", "forwarded_from", "group_sid",
                       "parent_call_sid", "price", "trunk_sid");
    json_object_set_new(object, "uri", json_string(uri));
    json_object_set_new(object, "price_unit", json_string("USD"));
    json_object_set_new(object, "phone_number_sid",
                        json_string("PN00000000000000000000000000000001"));
    json_object_set_new(object, "date_created", date(call->created_wall));
    json_object_set_new(object, "date_updated",
                        date(call->end_wall ? call->end_wall : call->created_wall));
    json_object_set_new(object, "start_time", date(call->start_wall));
    json_object_set_new(object, "end_time", date(call->end_wall));
    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)call->queue_ms);
    json_object_set_new(object, "queue_time", json_string(text));
    if (call->end_wall)
        (void)snprintf(
            text, sizeof(text), "%lld",
            (long long)(call->start_wall ? (call->end_wall - call->start_wall + 999) / 1000 : 0));
    json_object_set_new(object, "duration", call->end_wall ? json_string(text) : json_null());
    json_object_set_new(object, "subresource_uris", json_object());
    pthread_mutex_unlock(&call->lock);
    return object;
}

uint8_t *rlx_call_wav(TALLOC_CTX *ctx, struct rlx_call *call, const struct rlx_call_tape *tape,
                      size_t *lengthp)
{
    uint8_t *file;

    pthread_mutex_lock(&call->lock);
    file = talloc_size(ctx, RLX_WAV_HEADER + 2 * tape->length);
    if (file) {
        rlx_wav_header(file, 8000, 1, (uint32_t)(2 * tape->length));
        for (size_t i = 0; i < tape->length; i++) {
            uint16_t sample = (uint16_t)rlx_ulaw_sample(tape->ulaw[i]);

            file[RLX_WAV_HEADER + 2 * i] = (uint8_t)sample;
            file[RLX_WAV_HEADER + 2 * i + 1] = (uint8_t)(sample >> 8);
        }
        *lengthp = RLX_WAV_HEADER + 2 * tape->length;
    }
    pthread_mutex_unlock(&call->lock);
    return file;
}
