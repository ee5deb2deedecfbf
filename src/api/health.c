/* /health, /ready: what the API depends on. */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "api/private.h"
#include "base/clock.h"
#include "base/http.h"
#include "store/calls.h"

#define KEEP_MS 2000 /* an answer is good for so long: health is asked often and by anybody */
#define PROBE_MS 500
#define BEAT_MS 6000

struct rlx_health {
    struct rlx_api *api;
    pthread_mutex_t lock;
    uint64_t made_ms;
    json_t *checks;
    const char *status;
};

static int health_destructor(struct rlx_health *health)
{
    json_decref(health->checks);
    pthread_mutex_destroy(&health->lock);
    return 0;
}

int rlx_health_create(struct rlx_health **healthp, struct rlx_api *api)
{
    struct rlx_health *health = talloc_zero(api, struct rlx_health);

    if (!health)
        return -ENOMEM;
    health->api = api;
    pthread_mutex_init(&health->lock, NULL);
    talloc_set_destructor(health, health_destructor);
    *healthp = health;
    return 0;
}

static bool add(json_t *checks, const char *name, bool good, const char *why)
{
    json_object_set_new(
        checks, name,
        json_pack("{s:s,s:s*}", "status", good ? "ok" : "down", "detail", good ? NULL : why));
    return good;
}

/* GET http://127.0.0.1:port/health of a local server, or of the one that is named. */
static bool probe(struct rlx_api *api, json_t *checks, const char *name,
                  enum rlx_setting url_setting, enum rlx_setting port_setting)
{
    TALLOC_CTX *tmp = talloc_new(NULL);
    struct rlx_http_reply *reply = NULL;
    const char *given = rlx_config_get(api->config, url_setting);
    char *why = NULL, *url = *given ? talloc_strdup(tmp, given)
                                    : talloc_asprintf(tmp, "http://127.0.0.1:%ld",
                                                      rlx_config_int(api->config, port_setting));
    size_t length = strlen(url);

    while (length && url[length - 1] == '/')
        url[--length] = '\0';
    if (length > 3 && !strcmp(url + length - 3, "/v1"))
        url[length - 3] = '\0';
    const struct rlx_http_request request = {.url = talloc_asprintf(tmp, "%s/health", url),
                                             .timeout_ms = PROBE_MS,
                                             .connect_timeout_ms = PROBE_MS};
    int err = rlx_http(&reply, tmp, &request, &why);
    bool good = add(checks, name, !err && reply->status == 200,
                    err ? "no answer" : "it is still starting, or not well");
    talloc_free(tmp);
    return good;
}

static bool local_checks(struct rlx_api *api, json_t *checks)
{
    bool good = true;

    if (!rlx_config_bool(api->config, RLX_CFG_LOCAL))
        return true;
    good &= probe(api, checks, "speech", RLX_CFG_LOCAL_SPEECH_URL, RLX_CFG_SPEECH_PORT);
    good &= probe(api, checks, "language_model", RLX_CFG_LOCAL_LLM_URL, RLX_CFG_LLM_PORT);
    good &= probe(api, checks, "embeddings", RLX_CFG_LOCAL_EMBED_URL, RLX_CFG_EMBED_PORT);
    return good;
}

static void refresh(struct rlx_health *health)
{
    struct rlx_api *api = health->api;
    json_t *checks = json_object();
    int64_t gateways = 0;
    bool database = add(checks, "database", !rlx_store_ping(api->store), "it does not answer");
    bool good = database;

    if (database && rlx_gateways_count(api->store, rlx_wall_ms() - BEAT_MS, &gateways))
        gateways = 0;
    good &= add(checks, "gateway", gateways > 0, "no gateway has told of itself");
    good &= add(checks, "carrier",
                *rlx_config_get(api->config, RLX_CFG_TWILIO_ACCOUNT_SID) &&
                    *rlx_config_get(api->config, RLX_CFG_TWILIO_AUTH_TOKEN),
                "TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN are not set");
    good &= local_checks(api, checks);
    json_decref(health->checks);
    health->checks = checks;
    health->status = !database ? "down" : good ? "ok" : "degraded";
    health->made_ms = rlx_now_ms();
}

void rlx_api_health(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    struct rlx_health *health = api->health;

    pthread_mutex_lock(&health->lock);
    if (!health->checks || rlx_now_ms() - health->made_ms >= KEEP_MS)
        refresh(health);
    json_t *json = json_pack("{s:s,s:s,s:o}", "status", health->status, "version", RLX_VERSION,
                             "checks", json_deep_copy(health->checks));
    bool down = !strcmp(health->status, "down");
    pthread_mutex_unlock(&health->lock);
    rlx_reply_json(req, down ? 503 : 200, json);
}

void rlx_api_ready(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    int err = rlx_store_ping(api->store);

    if (err || atomic_load(&api->stopping))
        rlx_api_reply_code(req, 503, "not_ready", err ? "the database is away" : "stopping");
    else
        rlx_reply_json(req, 200, json_pack("{s:s}", "status", "ready"));
}
