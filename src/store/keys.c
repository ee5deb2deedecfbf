#include "store/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/err.h"

#define KEY_MIN 32

/* Writes a new key beside `path` and links it there: the first process wins, nobody sees half a
 * key. */
static int key_make(TALLOC_CTX *ctx, const char *path)
{
    char *token = rlx_random_token(ctx, 48);
    char *beside = talloc_asprintf(ctx, "%s.%ld", path, (long)getpid());
    int err = 0;

    if (!token || !beside)
        return -ENOMEM;
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    size_t length = strlen(token);
    if (write(fd, token, length) != (ssize_t)length || fsync(fd))
        err = -EIO;
    close(fd);
    if (!err && link(beside, path) && errno != EEXIST)
        err = -errno;
    unlink(beside);
    return err;
}

static int key_read(char *key, size_t size, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    ssize_t n = read(fd, key, size - 1);
    int err = n < 0 ? -errno : 0;
    close(fd);
    key[n > 0 ? n : 0] = '\0';
    key[strcspn(key, "\r\n")] = '\0';
    return err;
}

/* A setting that may be left out: then it is read from a file of the data directory, which is made
 * once. */
static int key_kept(struct rlx_config *config, TALLOC_CTX *ctx, enum rlx_setting setting,
                    const char *file, const char *loss, char **whyp)
{
    char key[256], *why = NULL;
    int err = rlx_config_make_dirs(config, ctx, whyp);

    if (err)
        return err;
    char *path = rlx_config_path(config, ctx, file);
    if (!path)
        return -ENOMEM;
    err = key_read(key, sizeof key, path);
    if (err == -ENOENT && !(err = key_make(ctx, path)))
        err = key_read(key, sizeof key, path);
    if (err)
        why = talloc_asprintf(ctx, "the key file %s can't be read or made: %s", path,
                              rlx_err_text(err));
    else if (strlen(key) < KEY_MIN)
        why = talloc_asprintf(
            ctx, "the key file %s is damaged: remove it to have a new one made (%s)", path, loss);
    talloc_free(path);
    if (why && whyp)
        *whyp = why;
    err = why ? RLX_ECONFIG : rlx_config_set(config, setting, key);
    explicit_bzero(key, sizeof key);
    return err;
}

/* Several keys, with commas between them, must each be long enough. */
static bool long_enough(const char *text)
{
    for (const char *p = text; *p; p += p[strcspn(p, ",")] ? strcspn(p, ",") + 1 : strcspn(p, ","))
        if (strcspn(p, ",") < KEY_MIN)
            return false;
    return true;
}

static int too_short(TALLOC_CTX *ctx, const char *name, char **whyp)
{
    if (whyp)
        *whyp = talloc_asprintf(ctx,
                                "%s is too short: at least %d bytes are needed, e.g. from openssl "
                                "rand -base64 48; or leave it unset to have one made and kept",
                                name, KEY_MIN);
    return RLX_ECONFIG;
}

int rlx_keys_load(struct rlx_config *config, TALLOC_CTX *ctx, char **whyp)
{
    const char *jwt = rlx_config_get(config, RLX_CFG_JWT_SECRET_KEY);
    const char *secrets = rlx_config_get(config, RLX_CFG_SECRETS_KEY);
    bool shared = !strncmp(rlx_config_get(config, RLX_CFG_DATABASE_URL), "postgres", 8);

    if (*jwt && strlen(jwt) < KEY_MIN)
        return too_short(ctx, "JWT_SECRET_KEY", whyp);
    if (!long_enough(secrets))
        return too_short(ctx, "SECRETS_KEY", whyp);
    if (!*jwt && shared) {
        if (whyp)
            *whyp =
                talloc_strdup(ctx, "JWT_SECRET_KEY must be set when DATABASE_URL is PostgreSQL, "
                                   "the same for all processes: at least 32 bytes, e.g. from "
                                   "openssl rand -base64 48");
        return RLX_ECONFIG;
    }
    int err = *jwt ? 0
                   : key_kept(config, ctx, RLX_CFG_JWT_SECRET_KEY, "jwt.key",
                              "everybody has to log in again", whyp);
    /* Other machines could not read what a key of this one's disk encrypts. */
    if (!err && !*secrets && !shared)
        err = key_kept(config, ctx, RLX_CFG_SECRETS_KEY, "secrets.key",
                       "keys of providers that users stored are lost", whyp);
    return err;
}
