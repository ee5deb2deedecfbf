#include "provider/recordings.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "provider/s3.h"

bool rlx_recording_is_object(const char *recording)
{
    return recording && !strncmp(recording, "s3://", 5);
}

bool rlx_recordings_remote(const struct rlx_config *config)
{
    return rlx_recording_is_object(rlx_config_get(config, RLX_CFG_RECORDINGS_URL));
}

static int check_remote(TALLOC_CTX *ctx, const struct rlx_config *config, char **whyp)
{
    struct rlx_s3_place *place = NULL;
    char *why = NULL;
    int err = rlx_s3_parse(&place, ctx, rlx_config_get(config, RLX_CFG_RECORDINGS_URL), &why);

    if (err) {
        *whyp = talloc_asprintf(ctx, "RECORDINGS_URL: %s", why ? why : rlx_err_text(err));
    } else if (!rlx_config_is_set(config, RLX_CFG_AWS_ACCESS_KEY_ID) ||
               !rlx_config_is_set(config, RLX_CFG_AWS_SECRET_ACCESS_KEY)) {
        *whyp = talloc_strdup(ctx, "RECORDINGS_URL is an S3 store, which needs AWS_ACCESS_KEY_ID "
                                   "and AWS_SECRET_ACCESS_KEY");
        err = RLX_ECONFIG;
    }
    talloc_free(place);
    return err;
}

int rlx_recordings_directory(char **directoryp, TALLOC_CTX *ctx, const struct rlx_config *config,
                             char **whyp)
{
    if (!directoryp || !config || !whyp)
        return -EINVAL;
    const char *url = rlx_config_get(config, RLX_CFG_RECORDINGS_URL);
    const char *directory = !strncmp(url, "file:", 5) ? url + 5 : NULL;
    int err = 0;

    if (directory && !strncmp(directory, "///", 3))
        directory += 2;
    if (rlx_recordings_remote(config)) {
        err = check_remote(ctx, config, whyp);
    } else if (*url && (!directory || !*directory || !strncmp(directory, "//", 2))) {
        *whyp = talloc_asprintf(ctx,
                                "RECORDINGS_URL is \"%s\": give file:DIRECTORY or "
                                "s3://bucket/prefix?region=…&endpoint=…",
                                url);
        err = RLX_ECONFIG;
    }
    if (err)
        return err;
    *directoryp =
        directory ? talloc_strdup(ctx, directory) : rlx_config_path(config, ctx, "recordings");
    return *directoryp ? 0 : -ENOMEM;
}

char *rlx_recordings_object(TALLOC_CTX *ctx, const struct rlx_config *config, const char *path)
{
    struct rlx_s3_place *place = NULL;
    char *why = NULL, *object = NULL;
    const char *slash = strrchr(path, '/');

    if (rlx_recordings_remote(config) &&
        !rlx_s3_parse(&place, ctx, rlx_config_get(config, RLX_CFG_RECORDINGS_URL), &why))
        object = rlx_s3_object(ctx, place, slash ? slash + 1 : path);
    talloc_free(place);
    talloc_free(why);
    return object;
}
