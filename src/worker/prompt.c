/* What the model is asked: short, for small models. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "worker/analysis.h"

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

/* The transcript as lines; what is over max_chars is left out of its middle (beginning and end tell
 * most). */
static char *transcript(TALLOC_CTX *ctx, const json_t *call, size_t max_chars)
{
    const json_t *rows = json_object_get(call, "transcripts"), *row;
    char *text = talloc_strdup(ctx, "");
    size_t i;

    json_array_foreach (rows, i, row)
        text = talloc_asprintf_append(text, "%s: %s\n",
                                      strcmp(text_of(row, "speaker"), "ai") ? "Callee" : "Agent",
                                      text_of(row, "text"));
    size_t length = text ? strlen(text) : 0;
    if (length <= max_chars)
        return text;
    size_t head = max_chars / 3, tail = length - (max_chars - head);
    while (head && text[head] != '\n')
        head--;
    while (text[tail] && text[tail] != '\n')
        tail++;
    return talloc_asprintf(ctx, "%.*s\n…%s", (int)head, text, text + tail);
}

char *rlx_analysis_messages(TALLOC_CTX *ctx, const json_t *call, size_t max_chars)
{
    static const char system[] =
        "You analyse phone calls. Answer with one JSON object only. Use only what the transcript "
        "says; invent nothing. outcome: interested, not_interested, callback, booked, transferred, "
        "voicemail, no_answer, wrong_person, opted_out or other. sentiment: of the callee.";
    char *lines = transcript(ctx, call, max_chars);
    char *user =
        lines ? talloc_asprintf(ctx, "Transcript:\n%s\nThe analysis as JSON:", lines) : NULL;
    json_t *messages = user ? json_pack("[{s:s,s:s},{s:s,s:s}]", "role", "system", "content",
                                        system, "role", "user", "content", user)
                            : NULL;
    char *dump = messages ? json_dumps(messages, JSON_COMPACT) : NULL;
    char *text = dump ? talloc_strdup(ctx, dump) : NULL;

    free(dump);
    json_decref(messages);
    talloc_free(user);
    talloc_free(lines);
    return text;
}

/* {"type": "string"}, or ["string", "null"], with its greatest length when there is one. */
static json_t *text_schema(bool nullable, int length)
{
    json_t *schema = nullable ? json_pack("{s:[s,s]}", "type", "string", "null")
                              : json_pack("{s:s}", "type", "string");

    if (length)
        json_object_set_new(schema, "maxLength", json_integer(length));
    return schema;
}

static json_t *texts_schema(int max, int length)
{
    return json_pack("{s:s,s:i,s:o}", "type", "array", "maxItems", max, "items",
                     text_schema(false, length));
}

static json_t *extracted_schema(const json_t *fields, bool limits)
{
    json_t *properties = json_object(), *required = json_array();
    const json_t *field;
    size_t i;

    json_array_foreach (fields, i, field) {
        const char *type = text_of(field, "type"), *about = text_of(field, "description");
        json_t *schema = !*type || !strcmp(type, "string")
                             ? text_schema(true, limits ? 80 : 0)
                             : json_pack("{s:[s,s]}", "type", type, "null");
        if (*about)
            json_object_set_new(schema, "description", json_string(about));
        json_object_set_new(properties, text_of(field, "name"), schema);
        json_array_append_new(required, json_string(text_of(field, "name")));
    }
    return json_pack("{s:s,s:o,s:o,s:b}", "type", "object", "properties", properties, "required",
                     required, "additionalProperties", 0);
}

char *rlx_analysis_schema(TALLOC_CTX *ctx, const json_t *fields, bool limits)
{
    json_t *sentiment = json_pack("{s:[s,s,s]}", "enum", "positive", "neutral", "negative");
    json_t *outcome = json_pack("{s:[s,s,s,s,s,s,s,s,s,s]}", "enum", "interested", "not_interested",
                                "callback", "booked", "transferred", "voicemail", "no_answer",
                                "wrong_person", "opted_out", "other");
    json_t *schema =
        json_pack("{s:s,s:{s:o,s:o,s:o,s:o,s:o,s:o,s:o},s:[s,s,s,s,s,s,s],s:b}", "type", "object",
                  "properties", "sentiment", sentiment, "outcome", outcome, "summary",
                  text_schema(false, limits ? 300 : 0), "key_points",
                  texts_schema(limits ? 3 : 5, limits ? 100 : 0), "intents",
                  texts_schema(limits ? 3 : 5, limits ? 30 : 0), "follow_up",
                  text_schema(true, limits ? 100 : 0), "extracted",
                  extracted_schema(fields, limits), "required", "sentiment", "outcome", "summary",
                  "key_points", "intents", "follow_up", "extracted", "additionalProperties", 0);
    char *dump = schema ? json_dumps(schema, JSON_COMPACT) : NULL;
    char *text = dump ? talloc_strdup(ctx, dump) : NULL;

    free(dump);
    json_decref(schema);
    return text;
}
