/* `relayx doctor`: the effective configuration, and whether everything that it names is there. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/err.h"
#include "base/http.h"
#include "cli/cli.h"
#include "cli/prepare.h"
#include "store/agents.h"
#include "store/store.h"
#ifdef RLX_HAVE_PROVIDER
#include "provider/chain.h"
#include "provider/recordings.h"
#include "provider/s3.h"
#endif

#define LOW_SPACE_MB 500u

enum verdict { OK, NOTE, BAD };

struct doctor {
    struct rlx_config *config;
    TALLOC_CTX *ctx;
    int bad;
};

/* One line of the report. */
__attribute__((format(printf, 4, 5))) static void tell(struct doctor *d, enum verdict verdict,
                                                       const char *what, const char *format, ...)
{
    static const char *const words[] = {"ok  ", "note", "BAD "};
    static const char *const colours[] = {"\033[32m", "\033[33m", "\033[31m"};
    bool tty = isatty(STDOUT_FILENO);
    va_list args;

    printf("%s%s%s %-10s ", tty ? colours[verdict] : "", words[verdict], tty ? "\033[0m" : "",
           what);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    d->bad += verdict == BAD;
}

static const char *get(const struct doctor *d, enum rlx_setting setting)
{
    return rlx_config_get(d->config, setting);
}

/* The path, or the nearest directory above it that is there; on ctx. */
static char *nearest(const struct doctor *d, const char *path)
{
    char *at = talloc_strdup(d->ctx, path);

    for (struct stat status; at && lstat(at, &status);) {
        char *slash = strrchr(at, '/');
        if (!slash)
            return talloc_strdup(d->ctx, ".");
        slash[slash == at] = '\0';
        if (slash == at)
            break;
    }
    return at;
}

/* Why nothing can be made in the directory or, when it is not there, why it can't be made. NULL =
 * it can. Nothing is made. */
static const char *why_not(const struct doctor *d, const char *directory, const char **wherep)
{
    struct stat status;

    *wherep = nearest(d, directory);
    if (!*wherep)
        return "there is no memory";
    if (stat(*wherep, &status))
        return rlx_err_text(-errno);
    if (!S_ISDIR(status.st_mode))
        return "it is not a directory";
    return access(*wherep, W_OK | X_OK) ? "it can't be written" : NULL;
}

static void check_data(struct doctor *d)
{
    struct statvfs space;
    const char *path = get(d, RLX_CFG_DATA), *where;
    const char *why = why_not(d, path, &where);

    if (why)
        tell(d, BAD, "data", "%s: %s: change its owner, or choose another with --data",
             where ? where : path, why);
    else if (!statvfs(where, &space) && space.f_bavail * space.f_frsize >> 20 < LOW_SPACE_MB)
        tell(d, NOTE, "data", "%s: only %lu MB are free; recordings need 1 MB a minute", path,
             (unsigned long)(space.f_bavail * space.f_frsize >> 20));
    else
        tell(d, OK, "data", "%s%s", path, strcmp(where, path) ? " (made at the first start)" : "");
}

/* A database file that is not there yet: it is not made here. */
static bool is_new_file(struct doctor *d, const char *url)
{
    const char *path = !strncmp(url, "sqlite:", 7) ? url + 7 : NULL, *where;

    if (!path || !access(path, F_OK))
        return false;
    char *folder = talloc_strdup(d->ctx, path), *slash = folder ? strrchr(folder, '/') : NULL;
    if (slash)
        slash[slash == folder] = '\0';
    const char *why = why_not(d, slash ? folder : ".", &where);
    bool own = !*get(d, RLX_CFG_DATABASE_URL);
    if (!why && !own && slash && strcmp(where, folder) != 0)
        why = "the database's directory is not there: make it";
    if (why && own)
        return true; /* the data directory's trouble, told already */
    tell(d, why ? BAD : OK, "database", "%s%s", url, why ? "" : " (made at the first start)");
    if (why)
        printf("                %s: %s\n", where ? where : path, why);
    return true;
}

/* Whether what lists say of calls is what the calls say. */
static void check_statistics(struct doctor *d, struct rlx_store *store)
{
    json_t *wrong = NULL;
    int err = rlx_agent_stats_check(store, &wrong);
    const json_t *first = json_array_get(wrong, 0);

    if (err == RLX_EINTERNAL)
        tell(d, NOTE, "statistics", "not there yet: the next start brings the database up to date");
    else if (err)
        tell(d, BAD, "statistics", "%s", rlx_err_text(err));
    else if (first)
        tell(d, BAD, "statistics", "%zu agents' call counts differ from their calls, the first is \"%s\" (%s): please report it",
             json_array_size(wrong), json_string_value(json_object_get(first, "name")),
             json_string_value(json_object_get(first, "agent_id")));
    else
        tell(d, OK, "statistics", "agents' call counts agree with their calls");
    json_decref(wrong);
}

static void check_database(struct doctor *d)
{
    struct rlx_store *store = NULL;
    char *url = rlx_prepare_database(d->config, d->ctx), *why = NULL;

    if (is_new_file(d, url))
        return;
    int err = rlx_store_open(&store, d->ctx, url, &why);
    if (!err)
        err = rlx_store_ping(store);
    if (err)
        tell(d, BAD, "database", "%s", why ? why : rlx_err_text(err));
    else
        tell(d, OK, "database", "%s",
             rlx_prepare_is_production(d->config) ? "the server answers" : url);
    if (!err)
        check_statistics(d, store);
    talloc_free(store);
}

#ifdef RLX_HAVE_PROVIDER
/* Writes an object, reads and removes it: what the worker and the API will do. */
static int try_store(struct doctor *d, const char *object, char **whyp)
{
    static const char text[] = "written by relayx doctor";
    char back[sizeof text] = "";
    struct rlx_s3 *s3 = NULL;
    uint64_t size = 0;
    int fd = memfd_create("doctor", MFD_CLOEXEC);
    int err = fd < 0 || write(fd, text, sizeof text) != sizeof text ? -EIO : 0;

    if (!err)
        err = rlx_s3_open(&s3, d->ctx, object, get(d, RLX_CFG_AWS_ACCESS_KEY_ID),
                          get(d, RLX_CFG_AWS_SECRET_ACCESS_KEY), whyp);
    if (!err)
        err = rlx_s3_put(s3, fd, sizeof text, 20, whyp);
    if (!err)
        err = rlx_s3_head(s3, &size, whyp);
    if (!err)
        err = rlx_s3_get(s3, 0, sizeof text, whyp);
    if (!err &&
        (rlx_s3_read(s3, back, sizeof back) != sizeof back || memcmp(back, text, sizeof text) != 0))
        err = RLX_EPROTO;
    if (!err)
        err = rlx_s3_delete(s3, whyp);
    if (fd >= 0)
        close(fd);
    return err;
}
#endif

static void check_recordings(struct doctor *d)
{
#ifdef RLX_HAVE_PROVIDER
    char *directory = NULL, *why = NULL;
    const char *where, *trouble;
    int err = rlx_recordings_directory(&directory, d->ctx, d->config, &why);

    if (err) {
        tell(d, BAD, "recordings", "%s", why ? why : rlx_err_text(err));
    } else if (rlx_recordings_remote(d->config)) {
        char *object = rlx_recordings_object(d->ctx, d->config, "relayx-doctor");
        err = object ? try_store(d, object, &why) : -ENOMEM;
        tell(d, err ? BAD : OK, "recordings", "%s",
             !err  ? "the S3 store takes, gives and removes objects"
             : why ? why
                   : rlx_err_text(err));
    } else if (*get(d, RLX_CFG_RECORDINGS_URL)) {
        trouble = why_not(d, directory, &where);
        tell(d, trouble ? BAD : OK, "recordings", "%s%s%s", directory, trouble ? ": " : "",
             trouble ? trouble : "");
    }
#else
    (void)d;
#endif
}

static void check_keys(struct doctor *d)
{
    if (rlx_config_is_set(d->config, RLX_CFG_JWT_SECRET_KEY))
        tell(d, OK, "tokens", "JWT_SECRET_KEY is set");
    else if (rlx_prepare_is_production(d->config))
        tell(d, BAD, "tokens",
             "JWT_SECRET_KEY is not set: make one with `openssl rand -base64 48` "
             "and give it to all processes");
    else
        tell(d, OK, "tokens", "the signing key is made once and kept in the data directory");
}

/* GETs a URL; the status, or 0 with *whyp. */
static long ask(struct doctor *d, const char *url, const char *bearer, const char *basic,
                char **whyp)
{
    const char *headers[] = {
        bearer && *bearer ? talloc_asprintf(d->ctx, "Authorization: Bearer %s", bearer) : NULL,
        NULL};
    struct rlx_http_request request = {
        .url = url, .headers = headers, .basic_auth = basic, .timeout_ms = 5000};
    struct rlx_http_reply *reply;

    return rlx_http(&reply, d->ctx, &request, whyp) ? 0 : reply->status;
}

static void check_carrier(struct doctor *d)
{
    const char *account = get(d, RLX_CFG_TWILIO_ACCOUNT_SID);
    const char *base = get(d, RLX_CFG_TWILIO_API_URL);
    const char *gateway = get(d, RLX_CFG_VOICE_GATEWAY_URL);
    char *why = NULL;

    if (rlx_prepare_is_simulated(d->config)) {
        tell(d, OK, "carrier", "no Twilio account is set: `relayx serve` runs the phone simulator");
        return;
    }
    char *url =
        talloc_asprintf(d->ctx, "%s/2010-04-01/Accounts/%s/Calls.json?PageSize=1", base, account);
    char *basic = talloc_asprintf(d->ctx, "%s:%s", account, get(d, RLX_CFG_TWILIO_AUTH_TOKEN));
    long status = ask(d, url, NULL, basic, &why);
    if (!status)
        tell(d, BAD, "carrier", "%s; check TWILIO_API_URL and the network", why);
    else if (status == 401 || status == 403)
        tell(d, BAD, "carrier",
             "%s refuses the account: check TWILIO_ACCOUNT_SID and "
             "TWILIO_AUTH_TOKEN",
             base);
    else
        tell(d, status == 200 ? OK : NOTE, "carrier", "%s answers %ld", base, status);
    if (!*get(d, RLX_CFG_TWILIO_PHONE_NUMBER))
        tell(d, BAD, "caller id",
             "TWILIO_PHONE_NUMBER is not set: give a number of the account "
             "(+1…)");
    if (!*gateway)
        tell(d, BAD, "public URL",
             "VOICE_GATEWAY_URL is not set: the carrier must reach the "
             "gateway at a public https address");
    else if (!strncmp(base, "https://api.twilio.com", 22) && strncmp(gateway, "https://", 8) != 0)
        tell(d, BAD, "public URL", "%s is not https: Twilio connects media streams by wss only",
             gateway);
    else if (ask(d, talloc_asprintf(d->ctx, "%s/health", gateway), NULL, NULL, &why) != 200)
        tell(d, NOTE, "public URL", "%s does not answer now (is the gateway running?)", gateway);
    else
        tell(d, OK, "public URL", "%s leads to a gateway", gateway);
}

static void check_provider(struct doctor *d, const char *name, enum rlx_setting key,
                           enum rlx_setting base)
{
    char *why = NULL;

    if (!*get(d, key) && !rlx_config_is_set(d->config, base))
        return;
    char *url = talloc_asprintf(d->ctx, "%s/models", get(d, base));
    long status = ask(d, url, get(d, key), NULL, &why);
    if (!status)
        tell(d, BAD, name, "%s; check %s and the network", why, rlx_config_name(base));
    else if (status == 401 || status == 403)
        tell(d, BAD, name, "%s refuses the key (%ld): check %s", get(d, base), status,
             rlx_config_name(key));
    else
        tell(d, status == 200 ? OK : NOTE, name, "%s answers %ld", get(d, base), status);
}

static void check_local(struct doctor *d)
{
    const struct {
        const char *name;
        enum rlx_setting url, port;
    } servers[] = {{"speech", RLX_CFG_LOCAL_SPEECH_URL, RLX_CFG_SPEECH_PORT},
                   {"llm", RLX_CFG_LOCAL_LLM_URL, RLX_CFG_LLM_PORT},
                   {"embed", RLX_CFG_LOCAL_EMBED_URL, RLX_CFG_EMBED_PORT}};
    const struct rlx_local_models *m = rlx_prepare_models(d->config, d->ctx);
    bool all = m && m->speech && m->stt_model && m->tts_voice && m->llama_server && m->llm_model &&
               m->embed_model;

    if (!rlx_config_bool(d->config, RLX_CFG_LOCAL)) {
        tell(d, OK, "models", "local models are off");
        return;
    }
    if (all)
        tell(d, OK, "models", "%s", m->env_file);
    else
        tell(d, BAD, "models", "%s is missing: run `make build`, or use --no-local with providers",
             !m || !m->env_file ? "models.env"
             : !m->speech       ? "relayx-speech"
                                : "a file that models.env names");
    for (size_t i = 0; i < sizeof servers / sizeof servers[0]; i++) {
        const char *given = get(d, servers[i].url);
        char *url = *given ? talloc_asprintf(d->ctx, "%s/health", given)
                           : talloc_asprintf(d->ctx, "http://127.0.0.1:%ld/health",
                                             rlx_config_int(d->config, servers[i].port));
        char *why = NULL;
        long status = ask(d, url, NULL, NULL, &why);
        if (status == 200)
            tell(d, OK, servers[i].name, "%s answers", url);
        else if (*given)
            tell(d, BAD, servers[i].name, "%s", why ? why : "its /health is not 200");
        else
            tell(d, NOTE, servers[i].name, "is not running; `relayx serve` starts it");
    }
}

/* The chains of providers, made as the gateway makes them: what it would refuse is refused here. */
static void check_chains(struct doctor *d)
{
#ifdef RLX_HAVE_PROVIDER
    static const struct {
        const char *name;
        enum rlx_stage stage;
    } stages[] = {{"hearing", RLX_STAGE_STT},
                  {"thinking", RLX_STAGE_LLM},
                  {"speaking", RLX_STAGE_TTS},
                  {"knowledge", RLX_STAGE_EMBED}};

    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++) {
        struct rlx_chain *chain = NULL;
        char *why = NULL;
        int err = rlx_chain_create(&chain, d->ctx, NULL, d->config, stages[i].stage, &why);
        if (err)
            tell(d, BAD, stages[i].name, "%s", why ? why : rlx_err_text(err));
        else
            tell(d, OK, stages[i].name, "by %s",
                 *chain->name ? chain->name : "words alone: there is no embedding provider");
        talloc_free(chain);
    }
#else
    (void)d;
#endif
}

/* Keys that can be set but that nothing uses yet. */
static void check_unused(struct doctor *d)
{
    static const enum rlx_setting unused[] = {RLX_CFG_DEEPGRAM_API_KEY, RLX_CFG_ASSEMBLYAI_API_KEY,
                                              RLX_CFG_FISH_AUDIO_API_KEY, RLX_CFG_CAL_API_KEY};

    for (size_t i = 0; i < sizeof unused / sizeof unused[0]; i++)
        if (*get(d, unused[i]))
            tell(d, NOTE, "unused", "%s is set, but this version of RelayX does not use it",
                 rlx_config_name(unused[i]));
}

int rlx_cli_doctor(struct rlx_config *config)
{
    struct doctor d = {.config = config, .ctx = talloc_new(config)};

    if (!rlx_cli_arguments(config, NULL, NULL, 0, NULL))
        return 2;
    printf("relayx %s\n\n", RLX_VERSION);
    rlx_config_print(config, stdout);
    putchar('\n');
    check_data(&d);
    check_database(&d);
    check_recordings(&d);
    check_keys(&d);
    check_carrier(&d);
    check_provider(&d, "openai", RLX_CFG_OPENAI_API_KEY, RLX_CFG_OPENAI_BASE_URL);
    check_provider(&d, "groq", RLX_CFG_GROQ_API_KEY, RLX_CFG_GROQ_BASE_URL);
    check_local(&d);
    check_chains(&d);
    check_unused(&d);
    if (d.bad)
        printf("\n%d thing(s) to mend\n", d.bad);
    else
        puts("\nall is well");
    talloc_free(d.ctx);
    return d.bad ? 1 : 0;
}
