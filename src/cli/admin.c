/* `relayx migrate` and `relayx user`: what is done to the database by hand. */
#include <crypt.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "base/err.h"
#include "cli/cli.h"
#include "cli/prepare.h"
#include "store/users.h"

#define BCRYPT_COST 12
#define BCRYPT_BYTES 72
#define PASSWORD_MIN 6

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

int rlx_cli_user(struct rlx_config *config)
{
    TALLOC_CTX *ctx = talloc_new(config);
    const char *words[2] = {NULL, NULL}, *name = NULL;
    const struct rlx_cli_flag flags[] = {{"--name", &name, NULL}, {NULL, NULL, NULL}};
    int count = 0, status = 2;

    if (!rlx_cli_arguments(config, flags, words, 2, &count))
        return 2;
    if (count == 2 && !strcmp(words[0], "add"))
        status = add_user(config, ctx, words[1], name);
    else
        rlx_cli_fail("usage: relayx user add EMAIL [--name NAME]");
    talloc_free(ctx);
    return status;
}
