#include "provider/openai.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"

#define MESSAGE_MAX 300

char *rlx_openai_base(TALLOC_CTX *ctx, const char *url)
{
    size_t length = strlen(url);
    while (length && url[length - 1] == '/')
        length--;
    const char *host = strstr(url, "://");
    host = host ? host + 3 : url;
    bool has_path =
        length > (size_t)(host - url) && memchr(host, '/', length - (size_t)(host - url));
    return talloc_asprintf(ctx, "%.*s%s", (int)length, url, has_path ? "" : "/v1");
}

bool rlx_openai_host_is(const char *url, const char *host)
{
    const char *at = strstr(url, "://");
    size_t length = strlen(host);
    return at && !strncasecmp(at + 3, host, length) && strchr(":/", at[3 + length]);
}

static const char *message_in(const json_t *json)
{
    static const char *const keys[] = {"error", "message", "detail", "error_description"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const json_t *value = json_object_get(json, keys[i]);
        if (json_is_object(value))
            value = json_object_get(value, "message");
        if (json_is_string(value) && json_string_length(value))
            return json_string_value(value);
    }
    return NULL;
}

/* Control characters out, cut between UTF-8 characters. */
static char *shown(TALLOC_CTX *ctx, const char *text, size_t length)
{
    if (length > MESSAGE_MAX) {
        length = MESSAGE_MAX;
        while (length && ((unsigned char)text[length] & 0xc0) == 0x80)
            length--;
    }
    char *copy = talloc_strndup(ctx, text, length);
    for (char *c = copy; c && *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
    }
    return copy;
}

char *rlx_provider_message(TALLOC_CTX *ctx, const char *body, size_t length)
{
    if (!body || !length)
        return NULL;
    char *copy = NULL;
    json_t *json = json_loadb(body, length, 0, NULL);
    if (json) {
        const char *message = message_in(json);
        copy = message ? shown(ctx, message, strlen(message)) : NULL;
        json_decref(json);
        return copy;
    }
    while (length && strchr(" \t\r\n", body[length - 1]))
        length--;
    if (!length || *body == '<' || memchr(body, '\0', length))
        return NULL;
    return shown(ctx, body, length);
}

/* ---- request bodies ---- */

static int set_text(json_t *body, const char *key, const char *text)
{
    return json_object_set_new(body, key, json_string(text)) ? RLX_EINVAL : 0;
}

static int set_parsed(json_t *body, const char *key, const char *text, json_type type)
{
    json_t *json = json_loads(text, 0, NULL);
    if (!json || json_typeof(json) != type) {
        json_decref(json);
        return RLX_EINVAL;
    }
    return json_object_set_new(body, key, json) ? -ENOMEM : 0;
}

static int set_schema(json_t *body, const char *schema)
{
    json_t *format = json_pack("{s:s, s:{s:s, s:b}}", "type", "json_schema", "json_schema", "name",
                               "answer", "strict", 1);
    if (!format)
        return -ENOMEM;
    int err = set_parsed(json_object_get(format, "json_schema"), "schema", schema, JSON_OBJECT);
    if (err) {
        json_decref(format);
        return err;
    }
    return json_object_set_new(body, "response_format", format) ? -ENOMEM : 0;
}

/* `max_tokens` is what every compatible server understands; the vendors' own services have replaced
 * it. */
static int set_numbers(json_t *body, const struct rlx_endpoint *e, const struct rlx_chat *chat)
{
    const char *limit = e->official ? "max_completion_tokens" : "max_tokens";
    int failed = json_object_set_new(body, limit, json_integer(chat->max_tokens));
    failed |= json_object_set_new(body, "temperature", json_real(chat->temperature));
    if (chat->stream) {
        failed |= json_object_set_new(body, "stream", json_true());
        failed |=
            json_object_set_new(body, "stream_options", json_pack("{s:b}", "include_usage", 1));
    }
    if (e->local)
        failed |= json_object_set_new(body, "cache_prompt", json_true());
    return failed ? -ENOMEM : 0;
}

int rlx_chat_body(char **bodyp, TALLOC_CTX *ctx, const struct rlx_chain *chain,
                  const struct rlx_endpoint *endpoint, const struct rlx_chat *chat)
{
    json_t *body = json_object();
    int err = body ? set_text(body, "model", chat->model) : -ENOMEM;
    if (!err)
        err = set_parsed(body, "messages", chat->messages, JSON_ARRAY);
    if (!err && chat->tools && *chat->tools)
        err = set_parsed(body, "tools", chat->tools, JSON_ARRAY);
    if (!err && !json_array_size(json_object_get(body, "tools")))
        json_object_del(body, "tools"); /* an empty list is refused by some */
    if (!err && chat->schema)
        err = set_schema(body, chat->schema);
    if (!err)
        err = set_numbers(body, endpoint, chat);
    if (!err)
        err = rlx_models_extend(chain->models, chat->model, body);
    if (!err) {
        char *text = json_dumps(body, JSON_COMPACT);
        *bodyp = text ? talloc_strdup(ctx, text) : NULL;
        err = *bodyp ? 0 : -ENOMEM;
        free(text);
    }
    json_decref(body);
    return err;
}

char *rlx_embed_body(TALLOC_CTX *ctx, const char *model, const char *const *texts, size_t count)
{
    json_t *input = json_array();
    bool ok = input != NULL;
    for (size_t i = 0; ok && i < count; i++)
        ok = json_array_append_new(input, json_string(texts[i])) == 0;
    json_t *body = ok ? json_pack("{s:s, s:O, s:s}", "model", model, "input", input,
                                  "encoding_format", "float")
                      : NULL;
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    char *copy = text ? talloc_strdup(ctx, text) : NULL;
    free(text);
    json_decref(body);
    json_decref(input);
    return copy;
}

static int unit_vector(float *to, const json_t *from, size_t dim)
{
    double square = 0;
    for (size_t i = 0; i < dim; i++) {
        const json_t *value = json_array_get(from, i);
        if (!json_is_number(value))
            return RLX_EPROTO;
        to[i] = (float)json_number_value(value);
        square += (double)to[i] * (double)to[i];
    }
    if (!(square > 0) || !isfinite(square))
        return RLX_EPROTO;
    float scale = (float)(1 / sqrt(square));
    for (size_t i = 0; i < dim; i++)
        to[i] *= scale;
    return 0;
}

int rlx_embed_parse(float **vectorsp, size_t *dimp, TALLOC_CTX *ctx, const json_t *answer,
                    size_t count)
{
    const json_t *data = json_object_get(answer, "data");
    size_t dim = json_array_size(json_object_get(json_array_get(data, 0), "embedding"));
    if (!count || json_array_size(data) != count || !dim || dim > 16384)
        return RLX_EPROTO;
    float *vectors = talloc_zero_array(ctx, float, (unsigned)(count * dim));
    bool *seen = talloc_zero_array(vectors, bool, (unsigned)count);
    int err = vectors && seen ? 0 : -ENOMEM;
    for (size_t i = 0; !err && i < count; i++) {
        const json_t *item = json_array_get(data, i), *vector = json_object_get(item, "embedding");
        const json_t *index = json_object_get(item, "index");
        size_t at = json_is_integer(index) ? (size_t)json_integer_value(index) : i;
        if (at >= count || seen[at] || json_array_size(vector) != dim)
            err = RLX_EPROTO;
        else
            err = unit_vector(vectors + at * dim, vector, dim);
        if (!err)
            seen[at] = true;
    }
    if (err) {
        talloc_free(vectors);
        return err;
    }
    talloc_free(seen);
    *vectorsp = vectors;
    *dimp = dim;
    return 0;
}

int rlx_bytes_add(struct rlx_bytes *bytes, TALLOC_CTX *ctx, const void *data, size_t length,
                  size_t max)
{
    if (bytes->length > max || length > max - bytes->length)
        return RLX_ETOOBIG;
    if (bytes->length + length > bytes->room) {
        size_t room = bytes->room ? bytes->room : 4096;
        while (room < bytes->length + length)
            room *= 2;
        uint8_t *grown = talloc_realloc_size(ctx, bytes->data, room);
        if (!grown)
            return -ENOMEM;
        bytes->data = grown;
        bytes->room = room;
    }
    if (length)
        memcpy(bytes->data + bytes->length, data, length);
    bytes->length += length;
    return 0;
}
