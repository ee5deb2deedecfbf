#include "gateway/twiml.h"

#include <string.h>

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response>"

/* Escaped for an attribute in double quotes (XML 1.0, 2.4). */
static char *escaped(TALLOC_CTX *ctx, const char *text)
{
    char *out = talloc_strdup(ctx, "");

    for (; out && *text; text++) {
        const char *entity = *text == '&'   ? "&amp;"
                             : *text == '<' ? "&lt;"
                             : *text == '>' ? "&gt;"
                             : *text == '"' ? "&quot;"
                                            : NULL;
        out = entity ? talloc_strdup_append_buffer(out, entity)
                     : talloc_strndup_append_buffer(out, text, 1);
    }
    return out;
}

char *rlx_twiml_stream(TALLOC_CTX *ctx, const char *stream_url, const char *token)
{
    char *url = escaped(ctx, stream_url);
    char *value = escaped(ctx, token);
    char *twiml = url && value
                      ? talloc_asprintf(ctx,
                                        HEAD "<Connect><Stream url=\"%s\"><Parameter name=\"token\" "
                                             "value=\"%s\"/></Stream></Connect><Hangup/></Response>",
                                        url, value)
                      : NULL;

    talloc_free(url);
    talloc_free(value);
    return twiml;
}

const char *rlx_twiml_hangup(void)
{
    return HEAD "<Hangup/></Response>";
}
