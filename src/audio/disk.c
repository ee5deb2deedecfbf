#include "audio/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum kind { OPEN, WRITE, CLOSE, RELEASE };

struct operation {
    struct operation *next;
    struct rlx_disk_file *file;
    enum kind kind;
    uint64_t offset;
    size_t length;
    char bytes[]; /* OPEN: the path */
};

/* fd is the thread's; the rest is shared under the disk's lock. */
struct rlx_disk_file {
    struct rlx_disk *disk;
    int fd;
    int error;      /* not asked for yet */
    int open_error; /* stays */
    bool closing, closed;
};

struct rlx_disk {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake, idle;
    struct operation *first, **last;
    size_t bytes, max_bytes;
    bool stop, busy, started;
};

/* ---- the thread ---- */

static int open_file(struct rlx_disk_file *file, const char *path)
{
    file->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return file->fd < 0 ? -errno : 0;
}

static int write_file(const struct rlx_disk_file *file, const struct operation *op)
{
    const char *data = op->bytes;
    size_t length = op->length;
    off_t offset = (off_t)op->offset;

    while (length) {
        ssize_t n = pwrite(file->fd, data, length, offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        data += n;
        length -= (size_t)n;
        offset += n;
    }
    return 0;
}

static int close_file(struct rlx_disk_file *file)
{
    int err = file->fd >= 0 && close(file->fd) ? -errno : 0;

    file->fd = -1;
    return err;
}

static void carry_out(struct rlx_disk *disk, const struct operation *op)
{
    struct rlx_disk_file *file = op->file;
    int err = 0;

    pthread_mutex_lock(&disk->lock);
    bool failed = file->error != 0;
    pthread_mutex_unlock(&disk->lock);
    if (op->kind == OPEN)
        err = open_file(file, op->bytes);
    else if (op->kind == WRITE && file->fd >= 0 && !failed)
        err = write_file(file, op);
    else if (op->kind != WRITE)
        err = close_file(file);
    pthread_mutex_lock(&disk->lock);
    if (err && !file->error)
        file->error = err;
    if (op->kind == OPEN)
        file->open_error = err;
    if (op->kind == CLOSE)
        file->closed = true;
    pthread_mutex_unlock(&disk->lock);
    if (op->kind == RELEASE)
        free(file);
}

static void *work(void *arg)
{
    struct rlx_disk *disk = arg;

    pthread_mutex_lock(&disk->lock);
    for (;;) {
        struct operation *op = disk->first;
        disk->busy = op != NULL;
        if (!op) {
            pthread_cond_broadcast(&disk->idle);
            if (disk->stop)
                break;
            pthread_cond_wait(&disk->wake, &disk->lock);
            continue;
        }
        disk->first = op->next;
        if (!disk->first)
            disk->last = &disk->first;
        pthread_mutex_unlock(&disk->lock);
        carry_out(disk, op);
        pthread_mutex_lock(&disk->lock);
        disk->bytes -= op->length;
        free(op);
    }
    pthread_mutex_unlock(&disk->lock);
    return NULL;
}

/* ---- its users ---- */

static int stop(struct rlx_disk *disk)
{
    pthread_mutex_lock(&disk->lock);
    disk->stop = true;
    pthread_cond_signal(&disk->wake);
    pthread_mutex_unlock(&disk->lock);
    if (disk->started)
        pthread_join(disk->thread, NULL);
    pthread_cond_destroy(&disk->idle);
    pthread_cond_destroy(&disk->wake);
    pthread_mutex_destroy(&disk->lock);
    return 0;
}

int rlx_disk_create(struct rlx_disk **diskp, TALLOC_CTX *ctx, size_t max_bytes)
{
    struct rlx_disk *disk = talloc_zero(ctx, struct rlx_disk);

    if (!disk)
        return -ENOMEM;
    disk->last = &disk->first;
    disk->max_bytes = max_bytes;
    pthread_mutex_init(&disk->lock, NULL);
    pthread_cond_init(&disk->wake, NULL);
    pthread_cond_init(&disk->idle, NULL);
    talloc_set_destructor(disk, stop);
    int err = -pthread_create(&disk->thread, NULL, work, disk);
    disk->started = !err;
    if (err)
        talloc_free(disk);
    else
        *diskp = disk;
    return err;
}

void rlx_disk_flush(struct rlx_disk *disk)
{
    pthread_mutex_lock(&disk->lock);
    while (disk->first || disk->busy)
        pthread_cond_wait(&disk->idle, &disk->lock);
    pthread_mutex_unlock(&disk->lock);
}

static struct operation *operation_new(struct rlx_disk_file *file, enum kind kind, uint64_t offset,
                                       const void *bytes, size_t length)
{
    struct operation *op = malloc(sizeof *op + length);

    if (!op)
        return NULL;
    *op = (struct operation){.file = file, .kind = kind, .offset = offset, .length = length};
    if (length)
        memcpy(op->bytes, bytes, length);
    return op;
}

static int give(struct rlx_disk *disk, struct operation *op, bool must)
{
    if (!op)
        return -ENOMEM;
    pthread_mutex_lock(&disk->lock);
    bool full = !must && disk->bytes + op->length > disk->max_bytes;
    if (!full) {
        *disk->last = op;
        disk->last = &op->next;
        disk->bytes += op->length;
        pthread_cond_signal(&disk->wake);
    }
    pthread_mutex_unlock(&disk->lock);
    if (full)
        free(op);
    return full ? -ENOBUFS : 0;
}

int rlx_disk_open(struct rlx_disk_file **filep, struct rlx_disk *disk, const char *path)
{
    struct rlx_disk_file *file = calloc(1, sizeof *file);

    if (!file)
        return -ENOMEM;
    file->disk = disk;
    file->fd = -1;
    int err = give(disk, operation_new(file, OPEN, 0, path, strlen(path) + 1), true);
    if (err)
        free(file);
    else
        *filep = file;
    return err;
}

int rlx_disk_write(struct rlx_disk_file *file, uint64_t offset, const uint8_t *bytes, size_t length,
                   bool must)
{
    return give(file->disk, operation_new(file, WRITE, offset, bytes, length), must);
}

int rlx_disk_error(struct rlx_disk_file *file)
{
    pthread_mutex_lock(&file->disk->lock);
    int err = file->error;
    file->error = 0;
    pthread_mutex_unlock(&file->disk->lock);
    return err;
}

/* The last operations of a file can't be allocated away: without memory it stays open until the process ends. */
void rlx_disk_close(struct rlx_disk_file *file)
{
    if (file->closing)
        return;
    file->closing = true;
    if (give(file->disk, operation_new(file, CLOSE, 0, NULL, 0), true)) {
        pthread_mutex_lock(&file->disk->lock);
        file->error = -ENOMEM;
        file->closed = true;
        pthread_mutex_unlock(&file->disk->lock);
    }
}

bool rlx_disk_closed(struct rlx_disk_file *file, int *errp)
{
    pthread_mutex_lock(&file->disk->lock);
    bool closed = file->closed;
    *errp = file->open_error ? file->open_error : file->error;
    pthread_mutex_unlock(&file->disk->lock);
    return closed;
}

void rlx_disk_release(struct rlx_disk_file *file)
{
    int err = give(file->disk, operation_new(file, RELEASE, 0, NULL, 0), true);

    (void)err; /* out of memory: the handle stays */
}
