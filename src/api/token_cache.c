#include "api/token_cache.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "api/private.h"
#include "base/crypto.h"

#define SLOTS 1024
#define LOCKS 32
#define TOKEN_SIZE 400 /* ours have about 240 bytes; longer ones are checked each time */

struct slot {
    char token[TOKEN_SIZE]; /* "" = free */
    char user_id[37];
    int64_t expires_s;
};

struct rlx_token_cache {
    uint64_t salt;
    pthread_mutex_t locks[LOCKS];
    struct slot slots[SLOTS];
};

static int cache_destructor(struct rlx_token_cache *cache)
{
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_destroy(&cache->locks[i]);
    explicit_bzero(cache->slots, sizeof cache->slots);
    return 0;
}

int rlx_token_cache_create(struct rlx_token_cache **cachep, TALLOC_CTX *ctx)
{
    struct rlx_token_cache *cache = talloc_zero(ctx, struct rlx_token_cache);

    if (!cache)
        return -ENOMEM;
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_init(&cache->locks[i], NULL);
    rlx_random(&cache->salt, sizeof cache->salt);
    talloc_set_destructor(cache, cache_destructor);
    *cachep = cache;
    return 0;
}

/* The claim `exp` of a token whose signature is good; 0 when there is none. */
static int64_t expiry_of(const char *token)
{
    char text[TOKEN_SIZE + 4];
    uint8_t claims[TOKEN_SIZE];
    const char *dot = strchr(token, '.');
    size_t length = dot ? strcspn(dot + 1, ".") : 0;

    if (!length || length > TOKEN_SIZE)
        return 0;
    for (size_t i = 0; i < length; i++)
        text[i] = dot[1 + i] == '-' ? '+' : dot[1 + i] == '_' ? '/' : dot[1 + i];
    while (length % 4)
        text[length++] = '=';
    ssize_t n = rlx_base64_decode(claims, sizeof claims, text, length);
    json_t *json = n > 0 ? json_loadb((const char *)claims, (size_t)n, 0, NULL) : NULL;
    int64_t expires_s = json_integer_value(json_object_get(json, "exp"));
    json_decref(json);
    return expires_s;
}

/* FNV-1a, salted so that nobody can aim at a slot. */
static uint64_t hash_of(const struct rlx_token_cache *cache, const char *token)
{
    uint64_t h = 0xcbf29ce484222325 ^ cache->salt;

    for (const char *p = token; *p; p++) {
        h ^= (unsigned char)*p;
        h *= 0x100000001b3;
    }
    return h ^ h >> 29;
}

int rlx_token_cache_check(struct rlx_token_cache *cache, const char *key, const char *token,
                          int64_t now_s, char user_id[37])
{
    size_t length = strnlen(token, TOKEN_SIZE);

    if (length == 0 || length == TOKEN_SIZE)
        return rlx_access_check(key, token, now_s, user_id);
    uint64_t h = hash_of(cache, token);
    struct slot *slot = &cache->slots[h % SLOTS];
    pthread_mutex_t *lock = &cache->locks[h % LOCKS];
    pthread_mutex_lock(lock);
    bool known = !strcmp(slot->token, token) && now_s < slot->expires_s;
    if (known)
        memcpy(user_id, slot->user_id, sizeof slot->user_id);
    pthread_mutex_unlock(lock);
    if (known)
        return 0;
    int err = rlx_access_check(key, token, now_s, user_id);
    int64_t expires_s = err ? 0 : expiry_of(token);
    if (expires_s > now_s) {
        pthread_mutex_lock(lock);
        memcpy(slot->token, token, length + 1);
        memcpy(slot->user_id, user_id, sizeof slot->user_id);
        slot->expires_s = expires_s;
        pthread_mutex_unlock(lock);
    }
    return err;
}
