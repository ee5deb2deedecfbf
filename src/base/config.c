#include "base/config_private.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"

#define ENV_FILE ".env"
#define ENV_FILE_MAX (256u << 10)

extern char **environ;

const struct rlx_setting_row rlx_setting_table[RLX_CFG_COUNT] = {
#define RLX_SETTING_ROW(id, name, kind, fallback, help) {name, kind, fallback, help},
    RLX_CONFIG_TABLE(RLX_SETTING_ROW)
#undef RLX_SETTING_ROW
};

/* Names of tools/setup and of relayx-speech, which share the environment with this program. */
static const char *const foreign[] = {
    "RELAYX_CACHE",         "RELAYX_BUILD_JOBS",          "RELAYX_SPEECH_HOST",
    "RELAYX_SPEECH_VOICE",  "RELAYX_SPEECH_VOICE_TOKENS", "RELAYX_SPEECH_STT_MODEL",
    "RELAYX_SPEECH_QUEUE",  "RELAYX_SPEECH_STT_WORKERS",  "RELAYX_SPEECH_TTS_WORKERS",
    "RELAYX_SPEECH_THREADS"};

/* ---- names ---- */

/* The flag of a setting, without its dashes: RELAYX_API_PORT = api-port. */
void rlx_setting_flag(char *flag, size_t size, const char *name)
{
    size_t n = 0;

    if (!strncmp(name, "RELAYX_", 7))
        name += 7;
    for (; *name && n + 1 < size; name++)
        flag[n++] = *name == '_' ? '-' : (char)tolower((unsigned char)*name);
    flag[n] = '\0';
}

static int find_name(const char *name, size_t length)
{
    for (int i = 0; i < RLX_CFG_COUNT; i++)
        if (strlen(rlx_setting_table[i].name) == length &&
            !memcmp(rlx_setting_table[i].name, name, length))
            return i;
    return -1;
}

static int find_flag(const char *flag, size_t length)
{
    char own[64];

    for (int i = 0; i < RLX_CFG_COUNT; i++) {
        rlx_setting_flag(own, sizeof own, rlx_setting_table[i].name);
        if (strlen(own) == length && !memcmp(own, flag, length))
            return i;
    }
    return -1;
}

/* Levenshtein distance of two names, at most 63 characters each. */
static int distance(const char *a, const char *b)
{
    int row[64];
    int columns = (int)strnlen(b, 63);

    for (int j = 0; j <= columns; j++)
        row[j] = j;
    for (int i = 1; a[i - 1] && i < 64; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= columns; j++) {
            int cost = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            int gap = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            row[j] = cost < gap ? cost : gap;
        }
    }
    return row[columns];
}

static const char *nearest_name(const char *name)
{
    const char *best = NULL;
    int least = 1000;

    for (int i = 0; i < RLX_CFG_COUNT; i++) {
        int d = distance(name, rlx_setting_table[i].name);
        if (!strncmp(rlx_setting_table[i].name, "RELAYX_", 7) && d < least) {
            least = d;
            best = rlx_setting_table[i].name;
        }
    }
    return best;
}

char *rlx_config_nearest_flag(TALLOC_CTX *ctx, const char *flag, const char *const *own)
{
    char name[64], best[64] = "";
    int least = 1000;

    flag += strspn(flag, "-");
    for (int i = 0; i < RLX_CFG_COUNT; i++) {
        rlx_setting_flag(name, sizeof name, rlx_setting_table[i].name);
        int d = distance(flag, name);
        if (d < least) {
            least = d;
            memcpy(best, name, sizeof best);
        }
    }
    for (; own && *own; own++) {
        const char *word = *own + strspn(*own, "-");
        int d = distance(flag, word);
        if (d <= least) {
            least = d;
            snprintf(best, sizeof best, "%s", word);
        }
    }
    return talloc_asprintf(ctx, "--%s", best);
}

/* ---- values ---- */

static bool parse_bool(const char *text, bool *valuep)
{
    static const char *const yes[] = {"true", "1", "yes", "on"};
    static const char *const no[] = {"false", "0", "no", "off"};

    for (size_t i = 0; i < 4; i++) {
        if (!strcasecmp(text, yes[i]) || !strcasecmp(text, no[i])) {
            *valuep = !strcasecmp(text, yes[i]);
            return true;
        }
    }
    return false;
}

static bool parse_int(const char *text, long *valuep)
{
    char *end;

    errno = 0;
    *valuep = strtol(text, &end, 10);
    return *text && !isspace((unsigned char)*text) && !*end && !errno;
}

static bool has_scheme(const char *text)
{
    size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789+.-");

    return n && isalpha((unsigned char)*text) && text[n] == ':' && text[n + 1];
}

/* What is wrong with the value, NULL when nothing is. */
static const char *complaint(enum rlx_setting_kind kind, const char *value)
{
    bool flag;
    long number;

    switch (kind) {
    case BOOL:
        return parse_bool(value, &flag) ? NULL : "must be true or false";
    case INT:
        return parse_int(value, &number) ? NULL : "must be a whole number";
    case PORT:
        return parse_int(value, &number) && number >= 0 && number <= 65535
                   ? NULL
                   : "must be a port: a number from 0 to 65535";
    case URL:
        return has_scheme(value) ? NULL : "must be a URL such as https://host:port/path";
    default:
        return NULL;
    }
}

/* Takes a value in; a later source wins over an earlier one. An empty value means "not set". */
static int assign(struct rlx_config *config, int setting, const char *value,
                  enum rlx_setting_source source, const char *where, TALLOC_CTX *ctx, char **whyp)
{
    const char *wrong = *value ? complaint(rlx_setting_table[setting].kind, value) : NULL;

    if (wrong) {
        *whyp =
            talloc_asprintf(ctx, "%s: %s %s, and is \"%s\"", where, rlx_setting_table[setting].name,
                            wrong, rlx_setting_table[setting].kind == SECRET ? "(hidden)" : value);
        return RLX_ECONFIG;
    }
    char *copy = *value ? talloc_strdup(config, value) : NULL;
    if (*value && !copy)
        return -ENOMEM;
    /* "http://host/" and "http://host" are the same base for the paths that are put behind it. */
    if (copy && rlx_setting_table[setting].kind == URL && !strncmp(copy, "http", 4))
        for (size_t n = strlen(copy); n && copy[n - 1] == '/'; n--)
            copy[n - 1] = '\0';
    talloc_free(config->settings[setting].value);
    config->settings[setting].value = copy;
    config->settings[setting].source = source;
    return 0;
}

static int unknown_name(const char *name, const char *where, TALLOC_CTX *ctx, char **whyp)
{
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++)
        if (!strcmp(name, foreign[i]))
            return 0;
    *whyp = talloc_asprintf(ctx, "%s: there is no setting %s; did you mean %s?", where, name,
                            nearest_name(name));
    return RLX_ECONFIG;
}

/* ---- .env ---- */

/* Takes the quotes, escapes and comment off a value, in place. False when a quote is not closed or
 * text follows it. */
static bool unquote(char *value)
{
    char quote = *value, *out = value, *in = value;

    if (quote != '"' && quote != '\'') {
        for (char *p = value; *p; p++)
            if (*p == '#' && (p == value || isspace((unsigned char)p[-1])))
                *p = '\0';
        for (size_t n = strlen(value); n && isspace((unsigned char)value[n - 1]); n--)
            value[n - 1] = '\0';
        return true;
    }
    for (in++; *in && *in != quote; in++) {
        if (quote == '"' && *in == '\\' && in[1]) {
            in++;
            *out++ = *in == 'n' ? '\n' : *in == 't' ? '\t' : *in == 'r' ? '\r' : *in;
        } else {
            *out++ = *in;
        }
    }
    if (*in != quote)
        return false;
    in++;
    in += strspn(in, " \t\r");
    bool clean = !*in || *in == '#';
    *out = '\0';
    return clean;
}

static int take_env_line(struct rlx_config *config, char *line, int number, TALLOC_CTX *ctx,
                         char **whyp)
{
    char where[32];

    snprintf(where, sizeof where, "%s line %d", ENV_FILE, number);
    line += strspn(line, " \t\r");
    if (!*line || *line == '#')
        return 0;
    if (!strncmp(line, "export", 6) && isblank((unsigned char)line[6]))
        line += 6 + strspn(line + 6, " \t");
    size_t length = strcspn(line, "= \t");
    char *equals = line + length + strspn(line + length, " \t");
    if (!length || *equals != '=') {
        *whyp = talloc_asprintf(ctx, "%s: expected NAME=value", where);
        return RLX_ECONFIG;
    }
    char *value = equals + 1 + strspn(equals + 1, " \t");
    line[length] = '\0';
    if (!unquote(value)) {
        *whyp = talloc_asprintf(ctx, "%s: the quote that opens the value of %s must end the line",
                                where, line);
        return RLX_ECONFIG;
    }
    int setting = find_name(line, length);
    if (setting >= 0)
        return assign(config, setting, value, FROM_FILE, where, ctx, whyp);
    return strncmp(line, "RELAYX_", 7) ? 0 : unknown_name(line, where, ctx, whyp);
}

int rlx_config_parse_env(struct rlx_config *config, const char *text, TALLOC_CTX *ctx, char **whyp)
{
    char *copy = talloc_strdup(config, strncmp(text, "\xef\xbb\xbf", 3) ? text : text + 3);
    char *next = copy;
    int number = 0, err = copy ? 0 : -ENOMEM;

    while (next && !err) {
        char *line = strsep(&next, "\n");
        err = take_env_line(config, line, ++number, ctx, whyp);
    }
    talloc_free(copy);
    return err;
}

static int read_env_file(struct rlx_config *config, TALLOC_CTX *ctx, char **whyp)
{
    FILE *file = fopen(ENV_FILE, "re");
    char *text;
    int err = -ENOMEM;

    if (!file)
        return 0;
    text = talloc_size(config, ENV_FILE_MAX + 1);
    if (text) {
        size_t n = fread(text, 1, ENV_FILE_MAX + 1, file);
        if (n > ENV_FILE_MAX) {
            *whyp = talloc_asprintf(ctx, "%s is larger than %u KiB", ENV_FILE, ENV_FILE_MAX >> 10);
            err = RLX_ECONFIG;
        } else {
            text[n] = '\0';
            err = rlx_config_parse_env(config, text, ctx, whyp);
        }
    }
    fclose(file);
    talloc_free(text);
    return err;
}

/* ---- the other sources ---- */

static int read_environment(struct rlx_config *config, TALLOC_CTX *ctx, char **whyp)
{
    int err = 0;

    for (char **entry = environ; *entry && !err; entry++) {
        const char *equals = strchr(*entry, '=');
        if (!equals)
            continue;
        int setting = find_name(*entry, (size_t)(equals - *entry));
        if (setting >= 0) {
            err = assign(config, setting, equals + 1, FROM_ENVIRONMENT, "environment", ctx, whyp);
        } else if (!strncmp(*entry, "RELAYX_", 7)) {
            char *name = talloc_strndup(config, *entry, (size_t)(equals - *entry));
            err = name ? unknown_name(name, "environment", ctx, whyp) : -ENOMEM;
            talloc_free(name);
        }
    }
    return err;
}

/* One argument that starts with "--". *usedp says how many arguments it took: 0 when it is no
 * setting. */
static int read_flag(struct rlx_config *config, char **argv, int left, int *usedp, TALLOC_CTX *ctx,
                     char **whyp)
{
    const char *flag = argv[0] + 2;
    size_t length = strcspn(flag, "=");
    const char *value = flag[length] ? flag + length + 1 : NULL;
    int setting = find_flag(flag, length);

    *usedp = 1;
    if (setting < 0 && !value && !strncmp(flag, "no-", 3)) {
        setting = find_flag(flag + 3, length - 3);
        if (setting >= 0 && rlx_setting_table[setting].kind == BOOL)
            return assign(config, setting, "false", FROM_FLAG, argv[0], ctx, whyp);
        setting = -1;
    }
    if (setting < 0) {
        *usedp = 0;
        return 0;
    }
    if (!value && rlx_setting_table[setting].kind == BOOL)
        value = "true";
    if (!value) {
        if (left < 2 || !strncmp(argv[1], "--", 2)) {
            *whyp = talloc_asprintf(ctx, "%s needs a value", argv[0]);
            return RLX_ECONFIG;
        }
        value = argv[1];
        *usedp = 2;
    }
    return assign(config, setting, value, FROM_FLAG, argv[0], ctx, whyp);
}

static int read_flags(struct rlx_config *config, int argc, char **argv, TALLOC_CTX *ctx,
                      char **whyp)
{
    bool only_rest = false;
    int used, err = 0;

    config->rest = talloc_zero_array(config, char *, (unsigned)argc + 1);
    if (!config->rest)
        return -ENOMEM;
    for (int i = 0; i < argc && !err; i += used) {
        used = 0;
        if (!only_rest && !strcmp(argv[i], "--")) {
            only_rest = true;
            used = 1;
            continue;
        }
        if (!only_rest && !strncmp(argv[i], "--", 2))
            err = read_flag(config, argv + i, argc - i, &used, ctx, whyp);
        if (!used) {
            config->rest[config->rest_count++] = argv[i];
            used = 1;
        }
    }
    return err;
}

static int check_whole(const struct rlx_config *config, TALLOC_CTX *ctx, char **whyp)
{
    const char *key = config->settings[RLX_CFG_JWT_SECRET_KEY].value;

    if (key && strlen(key) < 32) {
        *whyp = talloc_asprintf(ctx,
                                "JWT_SECRET_KEY has %zu bytes and needs at least 32: make one with "
                                "`openssl rand -base64 48`",
                                strlen(key));
        return RLX_ECONFIG;
    }
    if (config->settings[RLX_CFG_SUPABASE_URL].value &&
        !config->settings[RLX_CFG_DATABASE_URL].value) {
        *whyp = talloc_strdup(
            ctx,
            "SUPABASE_URL is set and DATABASE_URL is not: RelayX talks to the database itself. "
            "In the Supabase dashboard open Connect, copy the connection string (direct or "
            "pooler) and set it as DATABASE_URL");
        return RLX_ECONFIG;
    }
    return 0;
}

int rlx_config_load(struct rlx_config **configp, TALLOC_CTX *ctx, int argc, char **argv,
                    char **whyp)
{
    struct rlx_config *config;
    int err;

    if (!configp || !whyp || argc < 0 || (argc && !argv))
        return -EINVAL;
    *whyp = NULL;
    config = talloc_zero(ctx, struct rlx_config);
    if (!config)
        return -ENOMEM;
    err = read_env_file(config, ctx, whyp);
    if (!err)
        err = read_environment(config, ctx, whyp);
    if (!err)
        err = read_flags(config, argc, argv, ctx, whyp);
    if (!err)
        err = check_whole(config, ctx, whyp);
    if (err)
        talloc_free(config);
    else
        *configp = config;
    return err;
}

/* ---- reading it ---- */

const char *rlx_config_get(const struct rlx_config *config, enum rlx_setting setting)
{
    const char *value = config->settings[setting].value;

    return value ? value : rlx_setting_table[setting].fallback;
}

long rlx_config_int(const struct rlx_config *config, enum rlx_setting setting)
{
    return strtol(rlx_config_get(config, setting), NULL, 10);
}

bool rlx_config_bool(const struct rlx_config *config, enum rlx_setting setting)
{
    bool value = false;

    return parse_bool(rlx_config_get(config, setting), &value) && value;
}

bool rlx_config_is_set(const struct rlx_config *config, enum rlx_setting setting)
{
    return config->settings[setting].value != NULL;
}

int rlx_config_set(struct rlx_config *config, enum rlx_setting setting, const char *value)
{
    char *why = NULL;
    int err = assign(config, (int)setting, value, FROM_PROGRAM, "program", config, &why);

    talloc_free(why);
    if (!err && setenv(rlx_setting_table[setting].name, value, 1))
        err = -errno;
    return err;
}

int rlx_config_copy(struct rlx_config **copyp, TALLOC_CTX *ctx, const struct rlx_config *config)
{
    struct rlx_config *copy = talloc_zero(ctx, struct rlx_config);

    for (int i = 0; copy && i < RLX_CFG_COUNT; i++) {
        if (!config->settings[i].value)
            continue;
        copy->settings[i] = config->settings[i];
        copy->settings[i].value = talloc_strdup(copy, config->settings[i].value);
        if (!copy->settings[i].value)
            TALLOC_FREE(copy);
    }
    if (!copy)
        return -ENOMEM;
    *copyp = copy;
    return 0;
}

int rlx_config_override(struct rlx_config *copy, enum rlx_setting setting, const char *value)
{
    char *own = *value ? talloc_strdup(copy, value) : NULL;

    if (*value && !own)
        return -ENOMEM;
    talloc_free(copy->settings[setting].value);
    copy->settings[setting].value = own;
    copy->settings[setting].source = FROM_PROGRAM;
    return 0;
}

int rlx_config_export(const struct rlx_config *config)
{
    for (int i = 0; i < RLX_CFG_COUNT; i++)
        if (config->settings[i].value &&
            setenv(rlx_setting_table[i].name, config->settings[i].value, 1))
            return -errno;
    return 0;
}

char **rlx_config_rest(const struct rlx_config *config, int *countp)
{
    if (countp)
        *countp = config->rest_count;
    return config->rest;
}

const char *rlx_config_name(enum rlx_setting setting)
{
    return rlx_setting_table[setting].name;
}
