/* Sending a recording. */
#ifndef RLX_API_RECORDING_H
#define RLX_API_RECORDING_H

#include <stdint.h>

#include "base/httpd.h"

struct rlx_api;

/* Answers with a WAV file, or the part of it that the Range header asks for; 404 when it is gone. `where` is a path or an s3:// URL;
 * a file that was moved to S3 since then is read from there. An object is streamed: 503 when the store is away, 502 when it refuses. */
void rlx_api_send_recording(struct rlx_request *req, struct rlx_api *api, const char *where);

/* The same of an object (recording_object.c). */
void rlx_api_send_object(struct rlx_request *req, struct rlx_api *api, const char *url);
/* What the Range header asks of a body of `size` bytes, with the reply's headers set: the status for it, 200 or 206; or 416, which was
 * answered. */
int rlx_api_range(struct rlx_request *req, uint64_t size, uint64_t *firstp, uint64_t *lengthp);

#endif
