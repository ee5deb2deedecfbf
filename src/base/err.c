#include "base/err.h"

#include <stddef.h>
#include <string.h>

static const struct {
    int number;
    int http;
    const char *code;
    const char *text;
} table[] = {
#define RLX_ERR_ROW(name, number, http, code, text) {number, http, code, text},
    RLX_ERR_TABLE(RLX_ERR_ROW)
#undef RLX_ERR_ROW
};

#define ROWS (sizeof table / sizeof table[0])

static size_t row_of(int err)
{
    size_t i;

    for (i = 0; i < ROWS; i++)
        if (table[i].number == err)
            break;
    return i;
}

const char *rlx_err_text(int err)
{
    size_t i = row_of(err);

    if (i < ROWS)
        return table[i].text;
    if (err == 0)
        return "ok";
    const char *text = err < 0 && err > -4096 ? strerrordesc_np(-err) : NULL;
    return text ? text : "unknown error";
}

const char *rlx_err_code(int err)
{
    size_t i = row_of(err);

    return i < ROWS ? table[i].code : err ? "internal_error" : "ok";
}

int rlx_err_http(int err)
{
    size_t i = row_of(err);

    return i < ROWS ? table[i].http : err ? 500 : 200;
}
