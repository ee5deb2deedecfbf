#include "gateway/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

#define SUFFIX ".spool"
#define LINE_MAX_BYTES (8u << 20)
#define DONE '#' /* over a line's first byte: carried out */

struct rlx_spool {
    char *dir, *path;
    int fd; /* -1 = nothing is kept */
    size_t count;
};

static int spool_close(struct rlx_spool *spool)
{
    if (spool->fd >= 0)
        close(spool->fd);
    spool->fd = -1;
    return 0;
}

int rlx_spool_create(struct rlx_spool **spoolp, TALLOC_CTX *ctx, const char *dir, const char *owner)
{
    struct rlx_spool *spool = talloc_zero(ctx, struct rlx_spool);

    if (!spool)
        return -ENOMEM;
    spool->fd = -1;
    spool->dir = talloc_strdup(spool, dir);
    spool->path = talloc_asprintf(spool, "%s/%s" SUFFIX, dir, owner);
    if (!spool->dir || !spool->path) {
        talloc_free(spool);
        return -ENOMEM;
    }
    talloc_set_destructor(spool, spool_close);
    *spoolp = spool;
    return 0;
}

/* Another process may take the new file for a dead one's before it is locked, and remove it: then it is made again. */
static int open_own(struct rlx_spool *spool)
{
    struct stat info = {.st_nlink = 0};

    while (!info.st_nlink) {
        spool_close(spool);
        /* without O_APPEND, with which pwrite would append too (pwrite(2), BUGS) */
        spool->fd = open(spool->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (spool->fd < 0)
            return -errno;
        if (flock(spool->fd, LOCK_EX) || fstat(spool->fd, &info)) {
            int err = -errno;
            spool_close(spool);
            return err;
        }
    }
    rlx_log(RLX_WARN, "spool.opened", "file=%s", spool->path);
    return 0;
}

/* A line goes in whole or not at all: half a line would spoil the next one too. */
static int add_line(int fd, const char *line, off_t *atp)
{
    off_t end = lseek(fd, 0, SEEK_END);
    size_t length = strlen(line);
    int err = 0;

    if (end < 0)
        return -errno;
    ssize_t n = write(fd, line, length);
    if (n != (ssize_t)length)
        err = n < 0 ? -errno : -ENOSPC;
    else if (fdatasync(fd))
        err = -errno;
    if (err && ftruncate(fd, end))
        rlx_log(RLX_ERROR, "spool.truncate", "error=%s", strerror(errno));
    *atp = end;
    return err;
}

static void remove_own(struct rlx_spool *spool)
{
    unlink(spool->path);
    spool_close(spool);
}

int rlx_spool_add(struct rlx_spool *spool, const char *operation, off_t *atp)
{
    char *line = talloc_asprintf(spool, "%s\n", operation);
    int err = !line ? -ENOMEM : spool->fd >= 0 ? 0 : open_own(spool);

    if (!err)
        err = add_line(spool->fd, line, atp);
    if (!err)
        spool->count++;
    else if (!spool->count && spool->fd >= 0)
        remove_own(spool);
    talloc_free(line);
    return err;
}

json_t *rlx_spool_read(struct rlx_spool *spool, off_t at)
{
    size_t size = 4096;
    char *line = talloc_size(spool, size);
    ssize_t length = line && spool->fd >= 0 ? pread(spool->fd, line, size, at) : -1;

    while (length == (ssize_t)size && !memchr(line, '\n', size) && size < LINE_MAX_BYTES) {
        size *= 2;
        char *grown = talloc_realloc_size(spool, line, size);
        if (!grown)
            break;
        line = grown;
        length = pread(spool->fd, line, size, at);
    }
    const char *end = length > 0 ? memchr(line, '\n', (size_t)length) : NULL;
    json_t *json = end ? json_loadb(line, (size_t)(end - line), 0, NULL) : NULL;
    talloc_free(line);
    return json;
}

static void mark_done(int fd, off_t at)
{
    if (pwrite(fd, &(char){DONE}, 1, at) != 1)
        rlx_log(RLX_WARN, "spool.mark", "error=%s", strerror(errno));
}

void rlx_spool_done(struct rlx_spool *spool, off_t at)
{
    if (spool->fd < 0 || !spool->count)
        return;
    mark_done(spool->fd, at);
    if (--spool->count)
        return;
    remove_own(spool);
    rlx_log(RLX_INFO, "spool.replayed", "file=%s", spool->path);
}

size_t rlx_spool_count(const struct rlx_spool *spool)
{
    return spool->count;
}

/* Carries out what a file holds; marks each line that was. A line that is no JSON (torn by a power cut) is passed over. */
static bool replay(int fd, rlx_spool_h *carry_out, void *arg)
{
    int reading = dup(fd);
    FILE *file = reading >= 0 ? fdopen(reading, "r") : NULL;
    char *line = NULL;
    size_t size = 0;
    off_t at = 0;
    ssize_t length;
    bool whole = file != NULL;

    if (!file && reading >= 0)
        close(reading);
    if (file)
        rewind(file);
    for (; whole && (length = getline(&line, &size, file)) > 0; at += length) {
        json_t *json = *line == DONE ? NULL : json_loads(line, 0, NULL);
        if (json)
            whole = carry_out(json, arg);
        if (json && whole)
            mark_done(fd, at);
        json_decref(json);
    }
    free(line);
    if (file)
        fclose(file);
    return whole;
}

static bool replay_orphan(const char *path, rlx_spool_h *carry_out, void *arg)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    bool whole = true;

    if (fd < 0)
        return errno == ENOENT;
    if (!flock(fd, LOCK_EX | LOCK_NB)) { /* else its owner lives, or another process replays it */
        whole = replay(fd, carry_out, arg);
        if (whole) {
            unlink(path);
            rlx_log(RLX_INFO, "spool.replayed", "file=%s", path);
        }
    }
    close(fd);
    return whole;
}

bool rlx_spool_replay_orphans(struct rlx_spool *spool, rlx_spool_h *carry_out, void *arg)
{
    DIR *dir = opendir(spool->dir);
    struct dirent *entry;
    bool whole = true;

    while (whole && dir && (entry = readdir(dir))) {
        size_t length = strlen(entry->d_name), suffix = strlen(SUFFIX);
        if (length <= suffix || strcmp(entry->d_name + length - suffix, SUFFIX) != 0)
            continue;
        char *path = talloc_asprintf(spool, "%s/%s", spool->dir, entry->d_name);
        if (path && (spool->fd < 0 || strcmp(path, spool->path) != 0))
            whole = replay_orphan(path, carry_out, arg);
        talloc_free(path);
    }
    if (dir)
        closedir(dir);
    return whole;
}
