#include "api/limits.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "api/throttle.h"
#include "base/crypto.h"
#include "base/err.h"

/* Four-way sets: a key lives in one of the four slots of its set; of a full set the slot that was
 * used longest ago, so the fullest bucket, is forgotten. */
#define SETS 4096
#define WAYS 4
#define LOCKS 64
#define MINUTE_MS 60000.0
#define LIMIT_MAX 10000000L

struct bucket {
    uint64_t key; /* 0 = free */
    uint64_t at_ms;
    double left;
};

struct rlx_limits {
    uint64_t salt;
    unsigned per_minute[RLX_RATE_COUNT];
    pthread_mutex_t locks[LOCKS];
    struct bucket buckets[SETS][WAYS];
};

static const struct {
    enum rlx_rate rate;
    const char *name;
    unsigned per_minute;
} classes[] = {
#define LIMIT_ROW(id, name, number) {RLX_RATE_##id, name, number},
    RLX_LIMIT_TABLE(LIMIT_ROW)
#undef LIMIT_ROW
};
#define CLASSES (sizeof classes / sizeof classes[0])

static int limits_destructor(struct rlx_limits *limits)
{
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_destroy(&limits->locks[i]);
    return 0;
}

/* "read=2400,auth=120" */
static int parse(struct rlx_limits *limits, const char *setting, TALLOC_CTX *ctx, char **whyp)
{
    for (const char *p = setting; *p;) {
        size_t n = strcspn(p, ","), name = strcspn(p, "=,"), i = 0;
        char *end = NULL;
        while (i < CLASSES &&
               (strlen(classes[i].name) != name || strncmp(classes[i].name, p, name) != 0))
            i++;
        long number = i < CLASSES && p[name] == '=' ? strtol(p + name + 1, &end, 10) : 0;
        if (!end || end != p + n || number < 1 || number > LIMIT_MAX) {
            *whyp = talloc_asprintf(
                ctx,
                "RATE_LIMITS: can't read \"%.*s\"; write it as read=1200,"
                "write=300,auth=60,heavy=60,address=6000 (requests a minute, at least 1)",
                (int)n, p);
            return RLX_ECONFIG;
        }
        limits->per_minute[classes[i].rate] = (unsigned)number;
        p += n + (p[n] == ',');
    }
    return 0;
}

int rlx_limits_create(struct rlx_limits **limitsp, TALLOC_CTX *ctx, const char *setting,
                      char **whyp)
{
    struct rlx_limits *limits = talloc_zero(ctx, struct rlx_limits);

    if (!limits)
        return -ENOMEM;
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_init(&limits->locks[i], NULL);
    talloc_set_destructor(limits, limits_destructor);
    rlx_random(&limits->salt, sizeof limits->salt);
    for (size_t i = 0; i < CLASSES; i++)
        limits->per_minute[classes[i].rate] = classes[i].per_minute;
    int err = parse(limits, setting, ctx, whyp);
    if (err) {
        talloc_free(limits);
        return err;
    }
    *limitsp = limits;
    return 0;
}

/* FNV-1a, salted so that nobody can aim at a set. */
static uint64_t key_of(const struct rlx_limits *limits, enum rlx_rate rate, const char *who)
{
    const uint64_t prime = 0x100000001b3;
    uint64_t h = (0xcbf29ce484222325 ^ limits->salt ^ (uint64_t)rate) * prime;

    for (const char *p = who; *p; p++) {
        h ^= (unsigned char)*p;
        h *= prime;
    }
    h ^= h >> 29;
    return h ? h : 1;
}

static struct bucket *find(struct bucket *set, uint64_t key, double full, uint64_t now_ms)
{
    struct bucket *oldest = &set[0];

    for (int i = 0; i < WAYS; i++) {
        if (set[i].key == key)
            return &set[i];
        if (set[i].at_ms < oldest->at_ms)
            oldest = &set[i];
    }
    *oldest = (struct bucket){.key = key, .at_ms = now_ms, .left = full};
    return oldest;
}

unsigned rlx_limits_take(struct rlx_limits *limits, enum rlx_rate rate, const char *who,
                         uint64_t now_ms)
{
    double full = limits->per_minute[rate], per_ms = full / MINUTE_MS;
    char network[INET6_ADDRSTRLEN];
    uint64_t key = key_of(limits, rate, strchr(who, ':') ? rlx_network_of(network, who) : who);
    pthread_mutex_t *lock = &limits->locks[key % LOCKS];
    unsigned wait_s = 0;

    if (rate == RLX_RATE_NONE)
        return 0;
    pthread_mutex_lock(lock);
    struct bucket *bucket = find(limits->buckets[key % SETS], key, full, now_ms);
    if (now_ms > bucket->at_ms) {
        bucket->left += (double)(now_ms - bucket->at_ms) * per_ms;
        bucket->at_ms = now_ms;
    }
    if (bucket->left > full)
        bucket->left = full;
    if (bucket->left >= 1)
        bucket->left -= 1;
    else
        wait_s = (unsigned)((1 - bucket->left) / per_ms / 1000) + 1;
    pthread_mutex_unlock(lock);
    return wait_s;
}

unsigned rlx_limits_of(const struct rlx_limits *limits, enum rlx_rate rate)
{
    return limits->per_minute[rate];
}
