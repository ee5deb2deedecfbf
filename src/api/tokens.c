/* Access tokens (JWT, HS256), refresh tokens, passwords. */
#include <crypt.h>
#include <errno.h>
#include <jwt.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/private.h"
#include "base/crypto.h"

#define BCRYPT_COST 12
#define BCRYPT_MAX 72
#define TOKEN_MAX 4096
#define CRYPT_WAITING_MAX 32 /* some 10 s of work for one processor */

char *rlx_access_token(TALLOC_CTX *ctx, const char *key, const char *user_id, int64_t now_s)
{
    jwt_t *jwt = NULL;
    char *text = NULL, *encoded = NULL;

    if (jwt_new(&jwt))
        return NULL;
    if (!jwt_set_alg(jwt, JWT_ALG_HS256, (const unsigned char *)key, (int)strlen(key)) &&
        !jwt_add_grant(jwt, "sub", user_id) && !jwt_add_grant(jwt, "type", "access") &&
        !jwt_add_grant_int(jwt, "iat", now_s) &&
        !jwt_add_grant_int(jwt, "exp", now_s + RLX_ACCESS_S))
        encoded = jwt_encode_str(jwt);
    if (encoded)
        text = talloc_strdup(ctx, encoded);
    free(encoded);
    jwt_free(jwt);
    return text;
}

int rlx_access_check(const char *key, const char *token, int64_t now_s, char user_id[37])
{
    jwt_t *jwt = NULL;
    int err = RLX_EAUTH;

    if (strnlen(token, TOKEN_MAX) == TOKEN_MAX)
        return RLX_EAUTH;
    /* With a key given, a token that names another algorithm, or none, must not pass whatever it
     * says. */
    if (jwt_decode(&jwt, token, (const unsigned char *)key, (int)strlen(key)))
        return RLX_EAUTH;
    const char *user = jwt_get_grant(jwt, "sub"), *type = jwt_get_grant(jwt, "type");
    if (jwt_get_alg(jwt) == JWT_ALG_HS256 && user && type && !strcmp(type, "access") &&
        strlen(user) == 36 && rlx_uuid_valid(user) && jwt_get_grant_int(jwt, "exp") > now_s) {
        memcpy(user_id, user, 37);
        err = 0;
    }
    jwt_free(jwt);
    return err;
}

char *rlx_refresh_successor(TALLOC_CTX *ctx, const char *key, const char *token)
{
    uint8_t mac[RLX_SHA256_BYTES];
    char text[RLX_BASE64_SIZE(RLX_SHA256_BYTES)];
    char *labelled = talloc_asprintf(ctx, "refresh successor\n%s", token);

    if (!labelled)
        return NULL;
    rlx_hmac_sha256(mac, key, strlen(key), labelled, strlen(labelled));
    talloc_free(labelled);
    rlx_base64_encode(text, mac, sizeof mac);
    for (char *p = text; *p; p++)
        *p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
    text[strcspn(text, "=")] = '\0';
    return talloc_strdup(ctx, text);
}

/* ---- passwords: as many at once as leave the processors to the rest ---- */

static pthread_mutex_t crypt_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t crypt_free = PTHREAD_COND_INITIALIZER;
static unsigned crypt_running, crypt_waiting;

static unsigned crypt_most(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    return processors > 3 ? (unsigned)processors / 2 : 1;
}

/* RLX_ELIMIT when too many wait already: they would only wait longer than their clients. */
static int crypt_enter(void)
{
    int err = 0;

    pthread_mutex_lock(&crypt_lock);
    if (crypt_running >= crypt_most() && crypt_waiting >= CRYPT_WAITING_MAX)
        err = RLX_ELIMIT;
    crypt_waiting++;
    while (!err && crypt_running >= crypt_most())
        pthread_cond_wait(&crypt_free, &crypt_lock);
    crypt_waiting--;
    crypt_running += !err;
    pthread_mutex_unlock(&crypt_lock);
    return err;
}

static void crypt_leave(void)
{
    pthread_mutex_lock(&crypt_lock);
    crypt_running--;
    pthread_cond_signal(&crypt_free);
    pthread_mutex_unlock(&crypt_lock);
}

/* crypt_r's working space is 32 KB: not for a connection's stack. */
static int hash_with(char *hash, size_t size, const char *password, const char *setting)
{
    int err = crypt_enter();
    if (err)
        return err;
    struct crypt_data *data = calloc(1, sizeof *data);
    if (!data) {
        crypt_leave();
        return -ENOMEM;
    }
    err = RLX_EINTERNAL;
    const char *made = crypt_r(password, setting, data);
    if (made && *made != '*' && strlen(made) < size) {
        memcpy(hash, made, strlen(made) + 1);
        err = 0;
    }
    explicit_bzero(data, sizeof *data);
    free(data);
    crypt_leave();
    return err;
}

int rlx_password_hash(char *hash, size_t size, const char *password)
{
    char setting[CRYPT_GENSALT_OUTPUT_SIZE], salt[16];

    if (strlen(password) > BCRYPT_MAX)
        return RLX_EINVAL;
    rlx_random(salt, sizeof salt);
    if (!crypt_gensalt_rn("$2b$", BCRYPT_COST, salt, sizeof salt, setting, sizeof setting))
        return RLX_EINTERNAL;
    return hash_with(hash, size, password, setting);
}

int rlx_password_check(const char *password, const char *hash)
{
    char made[128];

    if (strlen(password) > BCRYPT_MAX)
        return RLX_EAUTH;
    int err = hash_with(made, sizeof made, password, hash);
    if (err == RLX_EINTERNAL) /* the text in the database is no hash */
        return RLX_EAUTH;
    return err ? err : rlx_equal(made, hash) ? 0 : RLX_EAUTH;
}
