#include "cli/prepare.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/err.h"

#define KEY_FILE "jwt.key"
#define ACCOUNT_FILE "simulator.key"
#define SIMULATED_NUMBER "+12025550100"
#define LINE_BYTES 4096

char *rlx_prepare_database(const struct rlx_config *config, TALLOC_CTX *ctx)
{
    const char *url = rlx_config_get(config, RLX_CFG_DATABASE_URL);

    return *url ? talloc_strdup(ctx, url)
                : talloc_asprintf(ctx, "sqlite:%s", rlx_config_path(config, ctx, "relayx.db"));
}

bool rlx_prepare_is_production(const struct rlx_config *config)
{
    return !strncmp(rlx_config_get(config, RLX_CFG_DATABASE_URL), "postgres", 8);
}

/* ---- files that are made once ---- */

/* The first line of the file, on ctx; NULL when it can't be read. */
static char *read_line(TALLOC_CTX *ctx, const char *path)
{
    char line[256];
    FILE *file = fopen(path, "re");
    char *text = NULL;

    if (!file)
        return NULL;
    if (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\r\n")] = '\0';
        text = talloc_strdup(ctx, line);
    }
    fclose(file);
    return text;
}

/* Makes the file with this line unless it is there. It appears whole: whoever comes second finds
 * the first one's. */
static int make_once(TALLOC_CTX *ctx, const char *path, const char *line)
{
    char *token = rlx_random_token(ctx, 9);
    char *fresh = talloc_asprintf(ctx, "%s.%s", path, token);
    int fd = fresh ? open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
    int err = 0;

    if (fd < 0)
        return fresh ? -errno : -ENOMEM;
    if (dprintf(fd, "%s\n", line) < 0 || fsync(fd) || (link(fresh, path) && errno != EEXIST))
        err = -errno;
    close(fd);
    unlink(fresh);
    return err;
}

/* The line of a file in the data directory, made from `line` the first time. */
static int keep(char **linep, const struct rlx_config *config, TALLOC_CTX *ctx, const char *name,
                const char *line, char **whyp)
{
    char *path = rlx_config_path(config, ctx, name);
    int err = 0;

    *linep = path ? read_line(ctx, path) : NULL;
    if (!*linep && path) {
        err = make_once(ctx, path, line);
        *linep = read_line(ctx, path);
    }
    if (*linep)
        return 0;
    *whyp = talloc_asprintf(ctx, "%s can't be made: %s; choose another directory with --data",
                            path ? path : name, rlx_err_text(err ? err : -EIO));
    return RLX_ECONFIG;
}

int rlx_prepare_keys(struct rlx_config *config, TALLOC_CTX *ctx, char **whyp)
{
    char *key;
    int err = rlx_config_make_dirs(config, ctx, whyp);

    if (err || rlx_config_is_set(config, RLX_CFG_JWT_SECRET_KEY))
        return err;
    if (rlx_prepare_is_production(config)) {
        *whyp = talloc_strdup(
            ctx, "JWT_SECRET_KEY is not set: with a database server all processes must share it. "
                 "Make one with `openssl rand -base64 48` and give it to each of them");
        return RLX_ECONFIG;
    }
    err = keep(&key, config, ctx, KEY_FILE, rlx_random_token(ctx, 48), whyp);
    if (err)
        return err;
    if (strlen(key) < 32) {
        *whyp = talloc_asprintf(ctx,
                                "%s is damaged: remove it, and a new one is made (everybody "
                                "has to log in again)",
                                rlx_config_path(config, ctx, KEY_FILE));
        return RLX_ECONFIG;
    }
    return rlx_config_set(config, RLX_CFG_JWT_SECRET_KEY, key);
}

/* ---- the simulator ---- */

bool rlx_prepare_is_simulated(const struct rlx_config *config)
{
    if (rlx_config_is_set(config, RLX_CFG_SIMULATOR))
        return rlx_config_bool(config, RLX_CFG_SIMULATOR);
    return !rlx_config_is_set(config, RLX_CFG_TWILIO_ACCOUNT_SID) &&
           !rlx_config_is_set(config, RLX_CFG_TWILIO_API_URL);
}

static int set_default(struct rlx_config *config, enum rlx_setting setting, const char *value)
{
    return rlx_config_is_set(config, setting) ? 0 : rlx_config_set(config, setting, value);
}

int rlx_prepare_simulator(struct rlx_config *config, TALLOC_CTX *ctx, char **whyp)
{
    uint8_t bytes[16];
    char account[2 + 2 * sizeof bytes + 1] = "AC";
    char *line, *url;

    rlx_random(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(account + 2 + 2 * i, 3, "%02x", bytes[i]);
    char *fresh = talloc_asprintf(ctx, "%s %s", account, rlx_random_token(ctx, 24));
    int err = keep(&line, config, ctx, ACCOUNT_FILE, fresh, whyp);
    if (err)
        return err;
    char *token = strchr(line, ' ');
    if (!token || token - line != 34) {
        *whyp = talloc_asprintf(ctx, "%s is damaged: remove it, and a new one is made",
                                rlx_config_path(config, ctx, ACCOUNT_FILE));
        return RLX_ECONFIG;
    }
    *token++ = '\0';
    url = talloc_asprintf(ctx, "http://127.0.0.1:%ld", rlx_config_int(config, RLX_CFG_PHONE_PORT));
    err = set_default(config, RLX_CFG_TWILIO_ACCOUNT_SID, line);
    if (!err)
        err = set_default(config, RLX_CFG_TWILIO_AUTH_TOKEN, token);
    if (!err)
        err = set_default(config, RLX_CFG_TWILIO_PHONE_NUMBER, SIMULATED_NUMBER);
    if (!err)
        err = set_default(config, RLX_CFG_TWILIO_API_URL, url);
    if (!err)
        err = rlx_config_set(config, RLX_CFG_SIMULATOR, "true");
    return err;
}

/* ---- the local models ---- */

char *rlx_prepare_program(TALLOC_CTX *ctx)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

    if (n <= 0)
        return NULL;
    path[n] = '\0';
    return talloc_strdup(ctx, path);
}

static char *if_readable(TALLOC_CTX *ctx, char *path)
{
    if (path && !access(path, R_OK))
        return talloc_steal(ctx, path);
    talloc_free(path);
    return NULL;
}

static char *find_env_file(const struct rlx_config *config, TALLOC_CTX *ctx, const char *folder)
{
    static const char *const above[] = {"", "/..", "/../.."};
    const char *given = rlx_config_get(config, RLX_CFG_MODELS);
    size_t length = strlen(given);

    if (length > 4 && !strcmp(given + length - 4, ".env"))
        return if_readable(ctx, talloc_strdup(ctx, given));
    if (*given)
        return if_readable(ctx, talloc_asprintf(ctx, "%s/models.env", given));
    for (size_t i = 0; i < sizeof above / sizeof above[0]; i++) {
        char *found = if_readable(ctx, talloc_asprintf(ctx, "%s%s/models.env", folder, above[i]));
        if (found)
            return found;
    }
    return NULL;
}

static void take_line(struct rlx_local_models *models, const char *line)
{
    const struct {
        const char *name;
        char **pathp;
    } names[] = {
        {"RLX_STT_MODEL=", &models->stt_model},       {"RLX_TTS_VOICE=", &models->tts_voice},
        {"RLX_LLAMA_SERVER=", &models->llama_server}, {"RLX_LLM_MODEL=", &models->llm_model},
        {"RLX_EMBED_MODEL=", &models->embed_model},
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t n = strlen(names[i].name);
        if (!strncmp(line, names[i].name, n))
            *names[i].pathp = if_readable(models, talloc_strdup(models, line + n));
    }
}

struct rlx_local_models *rlx_prepare_models(const struct rlx_config *config, TALLOC_CTX *ctx)
{
    struct rlx_local_models *models = talloc_zero(ctx, struct rlx_local_models);
    char *program = models ? rlx_prepare_program(models) : NULL;
    char line[LINE_BYTES];

    if (!program)
        return models;
    const char *folder = dirname(program);
    models->speech = if_readable(models, talloc_asprintf(models, "%s/relayx-speech", folder));
    models->env_file = find_env_file(config, models, folder);
    FILE *file = models->env_file ? fopen(models->env_file, "re") : NULL;
    while (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\r\n")] = '\0';
        take_line(models, line);
    }
    if (file)
        fclose(file);
    return models;
}

/* ---- ports ---- */

static int bind_port(const char *host, long port, struct sockaddr_in *address)
{
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *address = (struct sockaddr_in){.sin_family = AF_INET,
                                    .sin_port = htons((uint16_t)port),
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    inet_pton(AF_INET, host, &address->sin_addr);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) ||
        bind(fd, (struct sockaddr *)address, sizeof *address)) {
        int err = -errno;
        if (fd >= 0)
            close(fd);
        return err;
    }
    return fd;
}

int rlx_prepare_try_port(const char *host, long port)
{
    struct sockaddr_in address;
    int fd = bind_port(host, port, &address);

    if (fd < 0)
        return fd;
    close(fd);
    return 0;
}

uint16_t rlx_prepare_free_port(void)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    int fd = bind_port("127.0.0.1", 0, &address);

    if (fd < 0 || getsockname(fd, (struct sockaddr *)&address, &length))
        address.sin_port = 0;
    if (fd >= 0)
        close(fd);
    return ntohs(address.sin_port);
}
