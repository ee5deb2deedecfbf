/* Where recordings are kept: RECORDINGS_URL. A call is always recorded to a file; with s3:// the worker moves it to the store
 * after the call. */
#ifndef RLX_PROVIDER_RECORDINGS_H
#define RLX_PROVIDER_RECORDINGS_H

#include <stdbool.h>
#include <talloc.h>

#include "base/config.h"

/* The directory that calls are recorded to (not made here): that of file:DIR, else recordings/ in the data directory. RLX_ECONFIG with
 * *whyp (on ctx) when RECORDINGS_URL can't be used, the keys of S3 included. Any thread. */
int rlx_recordings_directory(char **directoryp, TALLOC_CTX *ctx, const struct rlx_config *config,
                             char **whyp) __attribute__((warn_unused_result));
/* True when they go to S3. */
bool rlx_recordings_remote(const struct rlx_config *config);
/* True when what a call's row holds is an object's s3:// URL and not a path. */
bool rlx_recording_is_object(const char *recording);
/* The s3:// URL that the file's object has or will have. On ctx; NULL when they don't go to S3. */
char *rlx_recordings_object(TALLOC_CTX *ctx, const struct rlx_config *config, const char *path);

#endif
