/* What config.c and config_show.c share; nobody else includes it. */
#ifndef RLX_BASE_CONFIG_PRIVATE_H
#define RLX_BASE_CONFIG_PRIVATE_H

#include "base/config.h"

enum rlx_setting_kind { TEXT, SECRET, INT, BOOL, PORT, URL };
enum rlx_setting_source { FROM_DEFAULT, FROM_FILE, FROM_ENVIRONMENT, FROM_FLAG, FROM_PROGRAM };

struct rlx_setting_row {
    const char *name;
    enum rlx_setting_kind kind;
    const char *fallback;
    const char *help;
};

extern const struct rlx_setting_row rlx_setting_table[RLX_CFG_COUNT];

struct rlx_config {
    struct {
        char *value; /* NULL = not set */
        enum rlx_setting_source source;
    } settings[RLX_CFG_COUNT];
    char **rest;
    int rest_count;
};

/* The flag of a setting, without its dashes: RELAYX_API_PORT = api-port. */
void rlx_setting_flag(char *flag, size_t size, const char *name);

#endif
