#include "call/settings.h"

#include <stddef.h>
#include <string.h>

#include "base/err.h"

struct setting {
    const char *name;
    size_t offset;
    uint32_t fallback, low, high;
};

static const struct setting SETTINGS[] = {
#define SETTING_ROW(name, fallback, low, high, what)                                               \
    {#name, offsetof(struct rlx_turn_settings, name), fallback, low, high},
    RLX_TURN_SETTINGS(SETTING_ROW)
#undef SETTING_ROW
};
#define SETTING_COUNT (sizeof SETTINGS / sizeof SETTINGS[0])

static uint32_t *field(struct rlx_turn_settings *settings, const struct setting *setting)
{
    return (uint32_t *)((char *)settings + setting->offset);
}

static const struct setting *find(const char *name)
{
    for (size_t i = 0; i < SETTING_COUNT; i++)
        if (!strcmp(SETTINGS[i].name, name))
            return &SETTINGS[i];
    return NULL;
}

static bool is_switch(const struct setting *setting)
{
    return setting->low == 0 && setting->high == 1;
}

void rlx_turn_settings_default(struct rlx_turn_settings *settings)
{
    for (size_t i = 0; i < SETTING_COUNT; i++)
        *field(settings, &SETTINGS[i]) = SETTINGS[i].fallback;
}

/* False when the JSON value is not of the setting's type or out of its bounds. */
static bool read_value(const struct setting *setting, const json_t *value, uint32_t *numberp)
{
    if (is_switch(setting) && json_is_boolean(value)) {
        *numberp = json_is_true(value);
        return true;
    }
    if (!json_is_integer(value))
        return false;
    json_int_t number = json_integer_value(value);
    if (number < (json_int_t)setting->low || number > (json_int_t)setting->high)
        return false;
    *numberp = (uint32_t)number;
    return true;
}

static char *complaint(TALLOC_CTX *ctx, const char *name, const struct setting *setting)
{
    if (!setting)
        return talloc_asprintf(ctx, "turn_settings.%s is not a known setting", name);
    if (is_switch(setting))
        return talloc_asprintf(ctx, "turn_settings.%s must be true or false", name);
    return talloc_asprintf(ctx, "turn_settings.%s must be a whole number from %u to %u", name,
                           setting->low, setting->high);
}

int rlx_turn_settings_parse(struct rlx_turn_settings *settings, const json_t *object,
                            TALLOC_CTX *ctx, char **whyp)
{
    int err = 0;
    const char *name;
    json_t *value;

    if (whyp)
        *whyp = NULL;
    if (!object || json_is_null(object))
        return 0;
    if (!json_is_object(object)) {
        if (whyp)
            *whyp = talloc_strdup(ctx, "turn_settings must be an object");
        return RLX_EINVAL;
    }
    json_object_foreach ((json_t *)object, name, value) {
        const struct setting *setting = find(name);
        uint32_t number;
        if (setting && read_value(setting, value, &number)) {
            *field(settings, setting) = number;
            continue;
        }
        if (whyp && !*whyp)
            *whyp = complaint(ctx, name, setting);
        err = RLX_EINVAL;
    }
    return err;
}
