/* Fuzz target: a query string, decoded and held against the parameters of every operation (cursors and limits among them). */
#include <stdlib.h>
#include <string.h>

#include "api/private.h"
#include "base/httpd_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct rlx_parameter *parameter, const struct rlx_field *field)
{
    json_t *errors = json_array();
    json_t *value =
        rlx_validate_text(parameter->schema, field->value, field->length, parameter->name, errors);

    if (!value != (json_array_size(errors) > 0))
        abort();
    if (json_is_string(value) && strlen(json_string_value(value)) != json_string_length(value))
        abort();
    json_decref(value);
    json_decref(errors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TALLOC_CTX *ctx = talloc_new(NULL);
    const struct rlx_field *fields =
        rlx_field_parse_urlencoded(ctx, (const char *)data, size > 2000 ? 2000 : size);

    for (int count = 0; fields && count < 4; fields = fields->next, count++)
        for (size_t i = 0; i < rlx_api_route_count; i++)
            for (size_t k = 0; k < rlx_api_operations[i].parameter_count; k++)
                check(&rlx_api_operations[i].parameters[k], fields);
    talloc_free(ctx);
    return 0;
}
