/* An S3-compatible store: one object at a time, blocking (worker, API; never on the loop). Requests are signed with AWS Signature
 * Version 4 by libcurl, the body's SHA-256 included, so that what arrives is what was read.
 *
 *     s3://bucket/prefix?region=eu-central-1                         at AWS
 *     s3://bucket/prefix?region=R&endpoint=https://minio.example     anywhere else, bucket in the path
 *
 * Operations return 0, -EHOSTUNREACH when the store is away (no connection, a time-out, 5xx, 429: later it may work), RLX_ENOTFOUND,
 * RLX_EPROVIDER when it refuses (keys, bucket, region), or another negative number; *whyp (optional) is then a sentence on the client. */
#ifndef RLX_PROVIDER_S3_H
#define RLX_PROVIDER_S3_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <talloc.h>

struct rlx_s3_place {
    char *bucket;
    char *key;      /* of an object, or a prefix without slashes at its ends; may be "" */
    char *region;   /* "us-east-1" when the URL names none */
    char *endpoint; /* scheme and host without a slash at the end; NULL = AWS */
};

/* Reads such a URL. On RLX_ECONFIG *whyp (on ctx) says what is wrong with it. Keys are of letters, digits and -_.~/ alone: they need
 * no encoding anywhere. */
int rlx_s3_parse(struct rlx_s3_place **placep, TALLOC_CTX *ctx, const char *url, char **whyp)
    __attribute__((warn_unused_result));
/* The s3:// URL of an object below the place. On ctx; NULL out of memory. */
char *rlx_s3_object(TALLOC_CTX *ctx, const struct rlx_s3_place *place, const char *name);
/* The HTTP address of the place: bucket in the host at AWS (in the path when its name has a dot, which no certificate covers), else
 * in the path. On ctx; NULL out of memory. */
char *rlx_s3_address(TALLOC_CTX *ctx, const struct rlx_s3_place *place);

struct rlx_s3;
/* A client for the object at the URL. RLX_ECONFIG when the URL or the keys are not usable. Used by one thread at a time. */
int rlx_s3_open(struct rlx_s3 **s3p, TALLOC_CTX *ctx, const char *url, const char *access_key,
                const char *secret_key, char **whyp) __attribute__((warn_unused_result));

/* Sends the file's `size` bytes from its start; at most timeout_s. */
int rlx_s3_put(struct rlx_s3 *s3, int fd, uint64_t size, long timeout_s, char **whyp)
    __attribute__((warn_unused_result));
/* The object's size. */
int rlx_s3_head(struct rlx_s3 *s3, uint64_t *sizep, char **whyp)
    __attribute__((warn_unused_result));
/* Removes it; one that is not there is removed. */
int rlx_s3_delete(struct rlx_s3 *s3, char **whyp) __attribute__((warn_unused_result));

/* Begins to read `length` (not 0) bytes from `first`; returns when the first have come. At most 64 KiB are held in memory. */
int rlx_s3_get(struct rlx_s3 *s3, uint64_t first, uint64_t length, char **whyp)
    __attribute__((warn_unused_result));
/* The next bytes, waiting at most a second: their number, 0 = none yet, RLX_S3_END, or RLX_S3_BROKEN when the store went away. */
#define RLX_S3_END (-1)
#define RLX_S3_BROKEN (-2)
ssize_t rlx_s3_read(struct rlx_s3 *s3, void *buffer, size_t size);

#endif
