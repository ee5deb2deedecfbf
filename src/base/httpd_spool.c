/* A long body goes to a file that has no name, so that uploads take disk and not memory: it is
 * mapped when it is whole. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/httpd_private.h"

struct rlx_spool {
    int fd;
    char *map;
    size_t length;
};

static int drop(struct rlx_spool *spool)
{
    if (spool->map)
        munmap(spool->map, spool->length + 1);
    close(spool->fd);
    return 0;
}

/* TMPDIR, or /var/tmp, which is on disk more often than /tmp is. */
static int unnamed_file(void)
{
    const char *const places[] = {getenv("TMPDIR"), "/var/tmp", "/tmp"};
    int fd = -1;

    for (size_t i = 0; i < 3 && fd < 0; i++)
        if (places[i] && *places[i])
            fd = open(places[i], O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return fd;
}

static int put(int fd, const char *data, size_t length)
{
    while (length) {
        ssize_t n = write(fd, data, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        data += n;
        length -= (size_t)n;
    }
    return 0;
}

int rlx_body_spool(struct rlx_request *req, const char *data, size_t length)
{
    int err = 0;

    if (!req->spool) {
        struct rlx_spool *spool = talloc_zero(req, struct rlx_spool);
        if (!spool)
            return -ENOMEM;
        spool->fd = unnamed_file();
        if (spool->fd < 0) {
            talloc_free(spool);
            return -ENOTSUP;
        }
        talloc_set_destructor(spool, drop);
        req->spool = spool;
        err = put(spool->fd, req->body, req->length);
        TALLOC_FREE(req->body);
        req->capacity = 0;
    }
    if (!err)
        err = put(req->spool->fd, data, length);
    if (!err)
        req->length += length;
    return err;
}

int rlx_body_map(struct rlx_request *req)
{
    struct rlx_spool *spool = req->spool;

    if (!spool || spool->map)
        return 0;
    int err = put(spool->fd, "", 1); /* the NUL behind the body */
    if (err)
        return err;
    /* Private: what is changed in it (ends of fields) is not written back. */
    void *map = mmap(NULL, req->length + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE, spool->fd, 0);
    if (map == MAP_FAILED)
        return -errno;
    spool->map = map;
    spool->length = req->length;
    req->body = map;
    return 0;
}
