#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/config_private.h"
#include "base/err.h"

static const char *const source_names[] = {"default", ".env", "environment", "flag", "set here"};

/* A URL's password ("postgresql://user:password@host/…") is as secret as a key. */
static void print_url(const char *url, FILE *out)
{
    const char *rest = strstr(url, "://");
    const char *at = rest ? strchr(rest + 3, '@') : NULL;
    const char *colon = rest ? strchr(rest + 3, ':') : NULL;

    if (at && colon && colon < at && !memchr(rest + 3, '/', (size_t)(at - rest - 3)))
        fprintf(out, "%.*s********%s", (int)(colon + 1 - url), url, at);
    else
        fputs(url, out);
}

void rlx_config_print(const struct rlx_config *config, FILE *out)
{
    for (int i = 0; i < RLX_CFG_COUNT; i++) {
        const char *value = rlx_config_get(config, (enum rlx_setting)i);
        fprintf(out, "%-22s ", rlx_setting_table[i].name);
        if (rlx_setting_table[i].kind == SECRET && *value)
            fprintf(out, "******** (%zu characters)", strlen(value));
        else if (rlx_setting_table[i].kind == URL)
            print_url(value, out);
        else
            fputs(value, out);
        if (config->settings[i].value)
            fprintf(out, "  [%s]", source_names[config->settings[i].source]);
        fputc('\n', out);
    }
}

void rlx_config_help(FILE *out)
{
    char flag[64];

    fputs("Settings, as flags, environment variables or lines of a .env file (in this order of "
          "precedence):\n",
          out);
    for (int i = 0; i < RLX_CFG_COUNT; i++) {
        rlx_setting_flag(flag, sizeof flag, rlx_setting_table[i].name);
        fprintf(out, "  --%-22s %-22s %s", flag, rlx_setting_table[i].name,
                rlx_setting_table[i].help);
        if (*rlx_setting_table[i].fallback)
            fprintf(out, " (%s)", rlx_setting_table[i].fallback);
        fputc('\n', out);
    }
}

/* ---- the data directory ---- */

char *rlx_config_path(const struct rlx_config *config, TALLOC_CTX *ctx, const char *relative)
{
    return talloc_asprintf(ctx, "%s/%s", rlx_config_get(config, RLX_CFG_DATA), relative);
}

static int make_dir(const char *path, TALLOC_CTX *ctx, char **whyp)
{
    struct stat status;

    if (!mkdir(path, 0700) || (errno == EEXIST && !stat(path, &status) && S_ISDIR(status.st_mode)))
        return 0;
    *whyp = talloc_asprintf(ctx, "the directory %s can't be made: %s; choose another with --data",
                            path, strerrordesc_np(errno == EEXIST ? ENOTDIR : errno));
    return RLX_ECONFIG;
}

int rlx_config_make_dirs(const struct rlx_config *config, TALLOC_CTX *ctx, char **whyp)
{
    static const char *const parts[] = {"", "recordings", "speech", "spool"};
    char *path;
    int err = 0;

    /* The parents of the data directory first. */
    path = rlx_config_path(config, ctx, "");
    for (char *p = path ? path + 1 : NULL; p && !err && (p = strchr(p, '/')); p++) {
        *p = '\0';
        err = make_dir(path, ctx, whyp);
        *p = '/';
    }
    for (size_t i = 1; path && i < sizeof parts / sizeof parts[0] && !err; i++) {
        talloc_free(path);
        path = rlx_config_path(config, ctx, parts[i]);
        err = path ? make_dir(path, ctx, whyp) : -ENOMEM;
    }
    if (!path && !err)
        err = -ENOMEM;
    talloc_free(path);
    return err;
}
