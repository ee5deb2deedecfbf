#include "api/throttle.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/crypto.h"

/* Four-way sets: a key lives in one of the four slots of its set; the oldest window of a full set
 * is forgotten. */
#define SETS 2048
#define WAYS 4

struct slot {
    uint64_t key; /* 0 = free */
    uint64_t began_ms;
    unsigned failures;
};

struct rlx_throttle {
    pthread_mutex_t lock;
    uint64_t salt;
    struct slot slots[SETS][WAYS];
};

static int throttle_destructor(struct rlx_throttle *throttle)
{
    pthread_mutex_destroy(&throttle->lock);
    return 0;
}

int rlx_throttle_create(struct rlx_throttle **throttlep, TALLOC_CTX *ctx)
{
    struct rlx_throttle *throttle = talloc_zero(ctx, struct rlx_throttle);

    if (!throttle)
        return -ENOMEM;
    pthread_mutex_init(&throttle->lock, NULL);
    rlx_random(&throttle->salt, sizeof throttle->salt);
    talloc_set_destructor(throttle, throttle_destructor);
    *throttlep = throttle;
    return 0;
}

const char *rlx_network_of(char text[INET6_ADDRSTRLEN], const char *address)
{
    struct in6_addr bytes;

    if (inet_pton(AF_INET6, address, &bytes) != 1 || IN6_IS_ADDR_V4MAPPED(&bytes))
        return address;
    memset(bytes.s6_addr + 8, 0, 8);
    return inet_ntop(AF_INET6, &bytes, text, INET6_ADDRSTRLEN) ? text : address;
}

/* FNV-1a over both parts, case folded, salted so that nobody can aim at a set. */
static uint64_t key_of(const struct rlx_throttle *throttle, const char *account,
                       const char *address)
{
    const uint64_t prime = 0x100000001b3;
    char text[INET6_ADDRSTRLEN];
    uint64_t h = 0xcbf29ce484222325 ^ throttle->salt;

    for (const char *p = account; *p; p++) {
        unsigned char c = (unsigned char)*p;
        h ^= (unsigned char)tolower(c);
        h *= prime;
    }
    h ^= 0xff;
    h *= prime;
    for (const char *p = rlx_network_of(text, address); *p; p++) {
        h ^= (unsigned char)*p;
        h *= prime;
    }
    h ^= h >> 29;
    return h ? h : 1;
}

static struct slot *find(struct rlx_throttle *throttle, uint64_t key)
{
    struct slot *set = throttle->slots[key % SETS];

    for (int i = 0; i < WAYS; i++)
        if (set[i].key == key)
            return &set[i];
    return NULL;
}

static unsigned wait_of(struct rlx_throttle *throttle, uint64_t key, unsigned allowed,
                        uint64_t now_ms)
{
    const struct slot *slot = find(throttle, key);

    if (!slot || slot->failures < allowed || now_ms >= slot->began_ms + RLX_THROTTLE_WINDOW_MS)
        return 0;
    return (unsigned)((slot->began_ms + RLX_THROTTLE_WINDOW_MS - now_ms + 999) / 1000);
}

#define ANYWHERE "*"

static unsigned wait_locked(struct rlx_throttle *throttle, const char *account, const char *address,
                            uint64_t now_ms)
{
    const unsigned waits[] = {
        wait_of(throttle, key_of(throttle, account, address), RLX_THROTTLE_ACCOUNT, now_ms),
        wait_of(throttle, key_of(throttle, "", address), RLX_THROTTLE_ADDRESS, now_ms),
        wait_of(throttle, key_of(throttle, account, ANYWHERE), RLX_THROTTLE_ANYWHERE, now_ms)};
    unsigned most = 0;

    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++)
        most = waits[i] > most ? waits[i] : most;
    return most;
}

unsigned rlx_throttle_wait_s(struct rlx_throttle *throttle, const char *account,
                             const char *address, uint64_t now_ms)
{
    pthread_mutex_lock(&throttle->lock);
    unsigned wait_s = wait_locked(throttle, account, address, now_ms);
    pthread_mutex_unlock(&throttle->lock);
    return wait_s;
}

static void count(struct rlx_throttle *throttle, uint64_t key, uint64_t now_ms)
{
    struct slot *slot = find(throttle, key);

    if (!slot) {
        struct slot *set = throttle->slots[key % SETS];
        slot = &set[0];
        for (int i = 0; i < WAYS; i++)
            if (!set[i].key || (slot->key && set[i].began_ms < slot->began_ms))
                slot = &set[i];
        slot->key = 0;
    }
    if (!slot->key || now_ms >= slot->began_ms + RLX_THROTTLE_WINDOW_MS)
        *slot = (struct slot){.key = key, .began_ms = now_ms};
    slot->failures++;
}

static void count_locked(struct rlx_throttle *throttle, const char *account, const char *address,
                         uint64_t now_ms)
{
    count(throttle, key_of(throttle, account, address), now_ms);
    count(throttle, key_of(throttle, "", address), now_ms);
    count(throttle, key_of(throttle, account, ANYWHERE), now_ms);
}

void rlx_throttle_failed(struct rlx_throttle *throttle, const char *account, const char *address,
                         uint64_t now_ms)
{
    pthread_mutex_lock(&throttle->lock);
    count_locked(throttle, account, address, now_ms);
    pthread_mutex_unlock(&throttle->lock);
}

unsigned rlx_throttle_try_s(struct rlx_throttle *throttle, const char *account, const char *address,
                            uint64_t now_ms)
{
    pthread_mutex_lock(&throttle->lock);
    unsigned wait_s = wait_locked(throttle, account, address, now_ms);
    if (!wait_s)
        count_locked(throttle, account, address, now_ms);
    pthread_mutex_unlock(&throttle->lock);
    return wait_s;
}

static void uncount(struct rlx_throttle *throttle, const char *account, const char *address)
{
    struct slot *slot = find(throttle, key_of(throttle, account, address));

    if (slot && slot->failures)
        slot->failures--;
}

void rlx_throttle_undo(struct rlx_throttle *throttle, const char *account, const char *address)
{
    pthread_mutex_lock(&throttle->lock);
    uncount(throttle, account, address);
    uncount(throttle, "", address);
    uncount(throttle, account, ANYWHERE);
    pthread_mutex_unlock(&throttle->lock);
}

void rlx_throttle_passed(struct rlx_throttle *throttle, const char *account, const char *address)
{
    pthread_mutex_lock(&throttle->lock);
    uncount(throttle, "", address);
    uncount(throttle, account, ANYWHERE);
    struct slot *slot = find(throttle, key_of(throttle, account, address));
    if (slot)
        memset(slot, 0, sizeof *slot);
    pthread_mutex_unlock(&throttle->lock);
}
