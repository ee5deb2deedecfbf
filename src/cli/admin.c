/* `relayx migrate` and `relayx user`: what is done to the database by hand. */
#include <crypt.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/err.h"
#include "cli/cli.h"
#include "cli/prepare.h"
#include "store/api_keys.h"
#include "store/limits.h"
#include "store/users.h"

#define BCRYPT_COST 12
#define BCRYPT_BYTES 72
#define PASSWORD_MIN 6
#define INVITE_DAYS 7
#define DAY_MS (24 * 3600 * 1000LL)
#define WORDS 8

static int open_migrated(struct rlx_store **storep, TALLOC_CTX *ctx, struct rlx_config *config,
                         int *appliedp)
{
    char *url = rlx_prepare_database(config, ctx), *why = NULL;
    int err = rlx_config_make_dirs(config, ctx, &why);

    if (!err)
        err = rlx_store_open(storep, ctx, url, &why);
    if (!err)
        err = rlx_store_migrate(*storep, appliedp, &why);
    if (err)
        rlx_cli_fail("%s", why ? why : rlx_err_text(err));
    return err;
}

int rlx_cli_migrate(struct rlx_config *config)
{
    TALLOC_CTX *ctx = talloc_new(config);
    struct rlx_store *store = NULL;
    int applied = 0, err;

    if (!rlx_cli_arguments(config, NULL, NULL, 0, NULL))
        return 2;
    err = open_migrated(&store, ctx, config, &applied);
    if (!err)
        printf(applied ? "%d migration(s) applied\n" : "the database is up to date\n", applied);
    talloc_free(ctx);
    return err ? 1 : 0;
}

static int hash_password(char *hash, size_t size, const char *password)
{
    struct crypt_data data = {0};
    char salt[16], setting[CRYPT_GENSALT_OUTPUT_SIZE];

    rlx_random(salt, sizeof salt);
    if (!crypt_gensalt_rn("$2b$", BCRYPT_COST, salt, sizeof salt, setting, sizeof setting))
        return RLX_EINTERNAL;
    const char *made = crypt_r(password, setting, &data);
    if (!made || *made == '*' || strlen(made) >= size)
        return RLX_EINTERNAL;
    snprintf(hash, size, "%s", made);
    explicit_bzero(&data, sizeof data);
    return 0;
}

static int add_user(struct rlx_config *config, TALLOC_CTX *ctx, const char *email, const char *name)
{
    struct rlx_store *store = NULL;
    char hash[CRYPT_OUTPUT_SIZE], *id = NULL;
    int applied;

    if (!strchr(email, '@') || strchr(email, ' '))
        return rlx_cli_fail("\"%s\" is no e-mail address", email);
    char *password = rlx_cli_password(ctx, "Password of the new user");
    if (!password || strlen(password) < PASSWORD_MIN || strlen(password) > BCRYPT_BYTES)
        return rlx_cli_fail("a password has %d to %d bytes (it is read from standard input)",
                            PASSWORD_MIN, BCRYPT_BYTES);
    if (open_migrated(&store, ctx, config, &applied))
        return 1;
    int err = hash_password(hash, sizeof hash, password);
    if (!err)
        err = rlx_user_create(store, ctx, email, hash, name, &id);
    if (err == RLX_ECONFLICT)
        return rlx_cli_fail("there is a user %s already", email);
    if (err)
        return rlx_cli_fail("%s", rlx_err_text(err));
    printf("%s\n", id);
    return 0;
}

/* ---- invitations ---- */

static int invite(struct rlx_config *config, TALLOC_CTX *ctx, const char *email, const char *days)
{
    struct rlx_store *store = NULL;
    char hex[RLX_SHA256_HEX], *end = NULL;
    long count = days ? strtol(days, &end, 10) : INVITE_DAYS;
    int64_t now_ms = rlx_wall_ms();
    int applied;

    if (days && (end == days || *end || count < 1 || count > 90))
        return rlx_cli_fail("--days is a number from 1 to 90");
    if (email && !strchr(email, '@'))
        return rlx_cli_fail("\"%s\" is no e-mail address", email);
    char *code = rlx_random_token(ctx, 24);
    if (!code)
        return rlx_cli_fail("%s", rlx_err_text(-ENOMEM));
    if (open_migrated(&store, ctx, config, &applied))
        return 1;
    rlx_sha256_hex(hex, code, strlen(code));
    int err = rlx_invite_create(store, hex, email, NULL, now_ms, now_ms + count * DAY_MS);
    if (err)
        return rlx_cli_fail("%s", rlx_err_text(err));
    printf("%s\n", code);
    return 0;
}

/* ---- limits ---- */

/* "US,CA", "+12025550100,+12025550101", or "*" among them. */
static bool is_list(const char *name, const char *value)
{
    bool countries = !strcmp(name, "countries");

    while (*value) {
        size_t n = strcspn(value, ",");
        bool all = n == 1 && *value == '*', premium = n == 7 && !strncmp(value, "premium", 7);
        bool country =
            n == 2 && isupper((unsigned char)value[0]) && isupper((unsigned char)value[1]);
        bool phone = n > 7 && *value == '+' && strspn(value + 1, "0123456789") == n - 1;
        if (!all && (countries ? !country && !premium : !phone))
            return false;
        value += n + (value[n] == ',');
    }
    return true;
}

/* "recording_days=30" into fields; the value "default" takes a limit back. */
static bool take_limit(json_t *fields, const char *word)
{
    static const char *const texts[] = {"countries", "caller_ids"};
    static const char *const numbers[] = {"concurrent_calls", "minutes_per_day", "recording_days",
                                          "transcript_days"};
    const char *value = strchr(word, '=');
    char name[32], *end = NULL;

    if (!value || (size_t)(value - word) >= sizeof name)
        return false;
    snprintf(name, sizeof name, "%.*s", (int)(value - word), word);
    value++;
    bool unset = !strcmp(value, "default");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (!strcmp(name, texts[i]))
            return *value && (unset || is_list(name, value)) &&
                   !json_object_set_new(fields, name, unset ? json_null() : json_string(value));
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (strcmp(name, numbers[i]) != 0)
            continue;
        long number = strtol(value, &end, 10);
        if (!unset && (end == value || *end || number < 0 || number > 1000000))
            return false;
        return !json_object_set_new(fields, name, unset ? json_null() : json_integer(number));
    }
    return false;
}

static int limits(struct rlx_config *config, TALLOC_CTX *ctx, const char *email,
                  const char *const *words, int count)
{
    struct rlx_store *store = NULL;
    json_t *fields = json_object(), *now = NULL;
    char *user = NULL;
    int applied, err = 0, status = 1;

    for (int i = 0; i < count; i++) {
        if (take_limit(fields, words[i]))
            continue;
        status = rlx_cli_fail("\"%s\": limits are concurrent_calls=N, minutes_per_day=N, "
                              "countries=US,CA (* = all), caller_ids=+12025550100,… (* = all), "
                              "recording_days=N, transcript_days=N; =default takes one back",
                              words[i]);
        goto out;
    }
    if (open_migrated(&store, ctx, config, &applied))
        goto out;
    err = rlx_user_id(store, ctx, email, &user);
    if (!err && count)
        err = rlx_account_limits_set(store, user, fields);
    if (!err)
        err = rlx_account_limits_json(store, user, rlx_wall_ms(), &now);
    if (err) {
        rlx_cli_fail(err == RLX_ENOTFOUND ? "there is no user %s" : "%s: the database is away",
                     email);
        goto out;
    }
    json_dumpf(now, stdout, JSON_INDENT(2));
    putchar('\n');
    status = 0;
out:
    json_decref(fields);
    json_decref(now);
    return status;
}

int rlx_cli_user(struct rlx_config *config)
{
    TALLOC_CTX *ctx = talloc_new(config);
    const char *words[WORDS] = {NULL}, *name = NULL, *email = NULL, *days = NULL;
    const struct rlx_cli_flag flags[] = {{"--name", &name, NULL},
                                         {"--email", &email, NULL},
                                         {"--days", &days, NULL},
                                         {NULL, NULL, NULL}};
    int count = 0, status = 2;

    if (!rlx_cli_arguments(config, flags, words, WORDS, &count))
        return 2;
    const char *verb = count ? words[0] : "";
    if (count == 2 && !strcmp(verb, "add"))
        status = add_user(config, ctx, words[1], name);
    else if (count == 1 && !strcmp(verb, "invite"))
        status = invite(config, ctx, email, days);
    else if (count >= 2 && !strcmp(verb, "limit"))
        status = limits(config, ctx, words[1], words + 2, count - 2);
    else
        rlx_cli_fail("usage: relayx user add EMAIL [--name NAME]\n"
                     "       relayx user invite [--email EMAIL] [--days N]\n"
                     "       relayx user limit EMAIL [NAME=VALUE…]");
    talloc_free(ctx);
    return status;
}
