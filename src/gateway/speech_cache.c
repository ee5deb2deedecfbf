#include "gateway/speech_cache.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAX_MEMORY (32u << 20)
#define MAX_DISK (256u << 20)
#define KEEP_S (30 * 86400)
#define KEEP_MANY_S 86400
#define LEFTOVER_S 3600
#define MAX_PIECE (480000u) /* one minute */

struct entry {
    LIST_ENTRY(entry) link; /* newest use first */
    char key[RLX_SHA256_HEX];
    size_t length;
    uint8_t *ulaw;
};

struct rlx_speech_cache {
    uv_loop_t *loop;
    char *dir;
    LIST_HEAD(, entry) entries;
    size_t bytes;
};

/* Work for libuv's threads: malloc'ed, since talloc contexts stay on one thread. */
struct rlx_speech_load {
    uv_work_t work;
    struct rlx_speech_cache *cache;
    char key[RLX_SHA256_HEX];
    char path[512];
    uint8_t *ulaw;
    size_t length;
    rlx_speech_loaded_h *done;
    void *arg;
};

/* Keeps the folder bounded: what nobody has used for a month goes, a day when there is too much of it, and what a killed writer
 * left. Once, at the start. */
static void prune(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    struct stat info;
    uint64_t total = 0;
    time_t now = time(NULL);

    for (int pass = 0; dir && pass < 2; pass++) {
        time_t limit = pass == 0 ? KEEP_S : total > MAX_DISK ? KEEP_MANY_S : INT32_MAX;
        total = 0;
        rewinddir(dir);
        while ((entry = readdir(dir))) {
            size_t length = strlen(entry->d_name);
            bool whole = length > 5 && !strcmp(entry->d_name + length - 5, ".ulaw");
            if (fstatat(dirfd(dir), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) ||
                !S_ISREG(info.st_mode))
                continue;
            time_t used = info.st_atime > info.st_mtime ? info.st_atime : info.st_mtime;
            if (now - used > (whole ? limit : LEFTOVER_S))
                unlinkat(dirfd(dir), entry->d_name, 0);
            else
                total += (uint64_t)info.st_size;
        }
    }
    if (dir)
        closedir(dir);
}

int rlx_speech_cache_create(struct rlx_speech_cache **cachep, TALLOC_CTX *ctx, uv_loop_t *loop,
                            const char *dir)
{
    struct rlx_speech_cache *cache = talloc_zero(ctx, struct rlx_speech_cache);

    if (!cache)
        return -ENOMEM;
    cache->loop = loop;
    cache->dir = talloc_strdup(cache, dir);
    prune(dir);
    LIST_INIT(&cache->entries);
    *cachep = cache;
    return 0;
}

void rlx_speech_cache_key(char key[RLX_SHA256_HEX], const char *voice_key, double speed,
                          const char *text)
{
    char *whole = talloc_asprintf(NULL, "ulaw8k\n%s\n%.3f\n%s", voice_key, speed, text);

    rlx_sha256_hex(key, whole ? whole : text, strlen(whole ? whole : text));
    talloc_free(whole);
}

static struct entry *find(struct rlx_speech_cache *cache, const char *key)
{
    struct entry *entry;

    LIST_FOREACH(entry, &cache->entries, link)
        if (!strcmp(entry->key, key))
            return entry;
    return NULL;
}

const uint8_t *rlx_speech_cache_peek(struct rlx_speech_cache *cache, const char *key,
                                     size_t *lengthp)
{
    struct entry *entry = find(cache, key);

    if (!entry)
        return NULL;
    LIST_REMOVE(entry, link);
    LIST_INSERT_HEAD(&cache->entries, entry, link);
    *lengthp = entry->length;
    return entry->ulaw;
}

static void shrink(struct rlx_speech_cache *cache)
{
    while (cache->bytes > MAX_MEMORY) {
        struct entry *entry, *last = NULL;
        LIST_FOREACH(entry, &cache->entries, link)
            last = entry;
        if (!last)
            return;
        LIST_REMOVE(last, link);
        cache->bytes -= last->length;
        talloc_free(last);
    }
}

static void remember(struct rlx_speech_cache *cache, const char *key, const uint8_t *ulaw,
                     size_t length)
{
    if (find(cache, key))
        return;
    struct entry *entry = talloc_zero(cache, struct entry);
    if (!entry || !(entry->ulaw = talloc_memdup(entry, ulaw, length))) {
        talloc_free(entry);
        return;
    }
    snprintf(entry->key, sizeof entry->key, "%s", key);
    entry->length = length;
    LIST_INSERT_HEAD(&cache->entries, entry, link);
    cache->bytes += length;
    shrink(cache);
}

/* ---- disk, on libuv's threads ---- */

static void read_file(uv_work_t *work)
{
    struct rlx_speech_load *load = work->data;
    struct stat info;
    int fd = open(load->path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    if (!fstat(fd, &info) && info.st_size > 0 && info.st_size <= (off_t)MAX_PIECE &&
        (load->ulaw = malloc((size_t)info.st_size))) {
        ssize_t n = read(fd, load->ulaw, (size_t)info.st_size);
        load->length = n == info.st_size ? (size_t)n : 0;
    }
    close(fd);
}

static void file_read(uv_work_t *work, int status)
{
    struct rlx_speech_load *load = work->data;
    bool good = !status && load->length;

    if (good && load->cache)
        remember(load->cache, load->key, load->ulaw, load->length);
    if (load->done)
        load->done(good ? load->ulaw : NULL, good ? load->length : 0, load->arg);
    free(load->ulaw);
    free(load);
}

static struct rlx_speech_load *load_new(struct rlx_speech_cache *cache, const char *key)
{
    struct rlx_speech_load *load = calloc(1, sizeof *load);

    if (!load)
        return NULL;
    load->work.data = load;
    load->cache = cache;
    snprintf(load->key, sizeof load->key, "%s", key);
    snprintf(load->path, sizeof load->path, "%s/%s.ulaw", cache->dir, key);
    return load;
}

int rlx_speech_cache_load(struct rlx_speech_load **loadp, struct rlx_speech_cache *cache,
                          const char *key, rlx_speech_loaded_h *done, void *arg)
{
    struct rlx_speech_load *load = load_new(cache, key);

    if (!load)
        return -ENOMEM;
    load->done = done;
    load->arg = arg;
    int err = uv_queue_work(cache->loop, &load->work, read_file, file_read);
    if (err) {
        free(load);
        return err;
    }
    *loadp = load;
    return 0;
}

void rlx_speech_cache_cancel(struct rlx_speech_load *load)
{
    if (load)
        load->done = NULL;
}

/* Written beside and renamed, so that a reader never sees half a piece. */
static void write_file(uv_work_t *work)
{
    struct rlx_speech_load *load = work->data;
    char beside[560];

    snprintf(beside, sizeof beside, "%s.XXXXXX", load->path);
    int fd = mkostemp(beside, O_CLOEXEC); /* two calls may render the same text at once */
    if (fd < 0)
        return;
    bool whole = write(fd, load->ulaw, load->length) == (ssize_t)load->length;
    close(fd);
    if (!whole || rename(beside, load->path))
        unlink(beside);
}

static void file_written(uv_work_t *work, int status)
{
    struct rlx_speech_load *load = work->data;

    (void)status;
    free(load->ulaw);
    free(load);
}

void rlx_speech_cache_put(struct rlx_speech_cache *cache, const char *key, const uint8_t *ulaw,
                          size_t length)
{
    if (!length || length > MAX_PIECE || find(cache, key))
        return;
    remember(cache, key, ulaw, length);
    struct rlx_speech_load *load = load_new(cache, key);
    if (!load)
        return;
    load->length = length;
    load->ulaw = malloc(length);
    if (load->ulaw)
        memcpy(load->ulaw, ulaw, length);
    if (!load->ulaw || uv_queue_work(cache->loop, &load->work, write_file, file_written)) {
        free(load->ulaw);
        free(load);
    }
}
