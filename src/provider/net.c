#include "provider/net.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "provider/net_private.h"

#define PENDING_MAX (4u << 20)
#define IDLE_CONNECTIONS 256L
#define RELEASE_MS 500u

/* libcurl's handle on one socket; freed by its close callback, so that it may outlive the net. */
struct watch {
    uv_poll_t poll;
    struct rlx_net *net;
    curl_socket_t fd;
};

static void drain(struct rlx_net *net);
static void arm_limits(struct rlx_net *net, uint64_t at_ms);
static void arm_request(struct rlx_net_request *r);

/* ---- requests ---- */

static int destroy_request(struct rlx_net_request *r)
{
    if (r->easy) {
        curl_multi_remove_handle(r->net->multi, r->easy);
        curl_easy_cleanup(r->easy);
    }
    curl_mime_free(r->mime);
    curl_slist_free_all(r->headers);
    if (r->is_ready)
        TAILQ_REMOVE(&r->net->ready, r, in_ready);
    TAILQ_REMOVE(&r->net->all, r, in_all);
    return 0;
}

/* Takes the transfer out of libcurl: a connection in the middle of an exchange is closed by that.
 */
static void detach(struct rlx_net_request *r)
{
    if (!r->easy)
        return;
    curl_multi_remove_handle(r->net->multi, r->easy);
    curl_easy_cleanup(r->easy);
    r->easy = NULL;
}

static void make_ready(struct rlx_net_request *r)
{
    if (r->is_ready)
        return;
    r->is_ready = true;
    TAILQ_INSERT_TAIL(&r->net->ready, r, in_ready);
}

static void collect_error(struct rlx_net_request *r, const char *bytes, size_t length)
{
    if (!r->error_body)
        r->error_body = talloc_array(r, char, RLX_NET_ERROR_BODY);
    if (!r->error_body)
        return;
    size_t room = RLX_NET_ERROR_BODY - r->error_length;
    if (length > room)
        length = room;
    memcpy(r->error_body + r->error_length, bytes, length);
    r->error_length += length;
}

/* Inside libcurl nothing may be started or cancelled, so bytes only wait here until libcurl has
 * returned. */
static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct rlx_net_request *r = arg;
    size_t length = size * count;

    bool first = !r->byte_ms;
    r->byte_ms = uv_now(r->net->loop);
    if (first)
        arm_request(r); /* a stall may be due before the first byte was */
    curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &r->status);
    if (first)
        rlx_net_see_answer(r);
    if (r->status < 200 || r->status >= 300) {
        collect_error(r, bytes, length);
        return length;
    }
    if (!r->data || !length)
        return length;
    if (length > PENDING_MAX - r->pending_length) {
        r->overflow = true;
        return 0;
    }
    if (r->pending_length + length > r->pending_room) {
        size_t room = r->pending_room ? r->pending_room : CURL_MAX_WRITE_SIZE;
        while (room < r->pending_length + length)
            room *= 2;
        uint8_t *grown = talloc_realloc_size(r, r->pending, room);
        if (!grown)
            return 0;
        r->pending = grown;
        r->pending_room = room;
    }
    memcpy(r->pending + r->pending_length, bytes, length);
    r->pending_length += length;
    make_ready(r);
    return length;
}

static size_t on_header(char *line, size_t size, size_t count, void *arg)
{
    rlx_net_see_header(arg, line, size * count);
    return size * count;
}

static bool is_loopback(const char *host)
{
    return !strncmp(host, "127.", 4) || !strncmp(host, "[::1]", 5) ||
           (!strncmp(host, "localhost", 9) && (host[9] == ':' || !host[9]));
}

static int add_header(struct rlx_net_request *r, const char *line)
{
    struct curl_slist *grown = curl_slist_append(r->headers, line);
    if (!grown)
        return -ENOMEM;
    r->headers = grown;
    return 0;
}

static int set_headers(struct rlx_net_request *r, const struct rlx_net_options *o)
{
    int err = add_header(r, "Expect:"); /* no round trip for 100-continue */
    if (!err && o->json)
        err = add_header(r, "Content-Type: application/json");
    if (!err && o->bearer) {
        char *line = talloc_asprintf(r, "Authorization: Bearer %s", o->bearer);
        err = line ? add_header(r, line) : -ENOMEM;
        talloc_free(line);
    }
    if (!err)
        curl_easy_setopt(r->easy, CURLOPT_HTTPHEADER, r->headers);
    return err;
}

static int set_body(struct rlx_net_request *r, const struct rlx_net_options *o)
{
    if (o->json) {
        curl_easy_setopt(r->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(o->json));
        return curl_easy_setopt(r->easy, CURLOPT_COPYPOSTFIELDS, o->json) ? -ENOMEM : 0;
    }
    if (!o->part_count)
        return 0;
    r->mime = curl_mime_init(r->easy);
    if (!r->mime)
        return -ENOMEM;
    for (size_t i = 0; i < o->part_count; i++) {
        const struct rlx_net_part *from = &o->parts[i];
        curl_mimepart *part = curl_mime_addpart(r->mime);
        if (!part || curl_mime_name(part, from->name) ||
            curl_mime_data(part, from->data ? from->data : "", from->length) ||
            (from->filename && curl_mime_filename(part, from->filename)) ||
            (from->content_type && curl_mime_type(part, from->content_type)))
            return -ENOMEM;
    }
    curl_easy_setopt(r->easy, CURLOPT_MIMEPOST, r->mime);
    return 0;
}

static int set_up(struct rlx_net_request *r, const struct rlx_net_options *o)
{
    CURL *easy = r->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, r);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, r);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, r);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, r->error_text);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* libcurl's threaded resolver is otherwise waited for when a request ends during its look-up */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, o->connect_ms ? (long)o->connect_ms : 2000L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "relayx/" RLX_VERSION);
    if (curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") ||
        curl_easy_setopt(easy, CURLOPT_URL, o->url))
        return -EINVAL;
    if (is_loopback(r->host))
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
    int err = set_headers(r, o);
    return err ? err : set_body(r, o);
}

static int copy_text(char **to, struct rlx_net_request *r, const char *text)
{
    *to = text ? talloc_strdup(r, text) : NULL;
    return text && !*to ? -ENOMEM : 0;
}

static int make_request(struct rlx_net_request **rp, struct rlx_net *net,
                        const struct rlx_net_options *o)
{
    struct rlx_net_request *r = talloc_zero(net, struct rlx_net_request);
    if (!r)
        return -ENOMEM;
    r->net = net;
    r->start_ms = uv_now(net->loop);
    r->first_byte_ms = o->first_byte_ms ? o->first_byte_ms : 8000;
    r->stall_ms = o->stall_ms ? o->stall_ms : 5000;
    r->total_ms = o->total_ms ? o->total_ms : 30000;
    r->hints = o->hints;
    TAILQ_INSERT_TAIL(&net->all, r, in_all);
    talloc_set_destructor(r, destroy_request);

    int err = -ENOMEM;
    r->host = rlx_net_host(r, o->url);
    if (!r->host || copy_text(&r->warm_url, r, o->warm_url) || copy_text(&r->bearer, r, o->bearer))
        goto out;
    r->easy = curl_easy_init();
    if (!r->easy)
        goto out;
    err = set_up(r, o);
    if (!err && curl_multi_add_handle(net->multi, r->easy))
        err = -ENOMEM;
out:
    if (err) {
        if (r->easy) { /* it is not in the multi handle yet */
            curl_easy_cleanup(r->easy);
            r->easy = NULL;
        }
        talloc_free(r);
        return err;
    }
    *rp = r;
    return 0;
}

/* ---- limits ---- */

static uint64_t nearest_limit(struct rlx_net_request *r, enum rlx_net_limit *which)
{
    uint64_t at = r->start_ms + r->total_ms;
    *which = RLX_NET_TOTAL;
    uint64_t byte = r->byte_ms ? r->byte_ms + r->stall_ms : r->start_ms + r->first_byte_ms;
    if (byte < at) {
        at = byte;
        *which = r->byte_ms ? RLX_NET_STALL : RLX_NET_FIRST_BYTE;
    }
    if (r->expect_at_ms && r->expect_at_ms <= at) {
        at = r->expect_at_ms;
        *which = RLX_NET_EXPECT;
    }
    return at;
}

static void on_limit(uv_timer_t *timer)
{
    struct rlx_net *net = timer->data;
    struct rlx_net_request *r;
    uint64_t now = uv_now(net->loop), next = UINT64_MAX;

    net->limit_at_ms = UINT64_MAX;
    TAILQ_FOREACH(r, &net->all, in_all)
    {
        enum rlx_net_limit which;
        uint64_t at = nearest_limit(r, &which);
        if (r->finished || r->dead)
            continue;
        if (at <= now) {
            r->limit = which;
            r->finished = true;
            detach(r);
            make_ready(r);
        } else if (at < next) {
            next = at;
        }
    }
    arm_limits(net, next);
    drain(net);
}

/* The timer only ever moves to an earlier time; later bytes, which put a limit off, are noticed
 * when it fires. */
static void arm_limits(struct rlx_net *net, uint64_t at_ms)
{
    if (net->closed || at_ms >= net->limit_at_ms)
        return;
    uint64_t now = uv_now(net->loop);
    net->limit_at_ms = at_ms;
    uv_timer_start(&net->limit_timer, on_limit, at_ms > now ? at_ms - now : 0, 0);
}

static void arm_request(struct rlx_net_request *r)
{
    enum rlx_net_limit which;
    arm_limits(r->net, nearest_limit(r, &which));
}

/* ---- handlers, called outside libcurl ---- */

static void finish(struct rlx_net_request *r)
{
    const char *why;
    int err = rlx_net_judge(r, &why);
    detach(r);
    r->in_handler = true; /* a cancel from inside has no effect any more */
    if (r->is_warm && err)
        rlx_log(RLX_DEBUG, "provider.warm_failed", "why=%s", why);
    if (r->done)
        r->done(err, r->status, why, r->arg);
    talloc_free(r);
}

static void deliver(struct rlx_net_request *r)
{
    if (r->pending_length && r->data) {
        size_t length = r->pending_length;
        r->pending_length = 0;
        r->in_handler = true;
        r->data(r->pending, length, r->arg);
        r->in_handler = false;
    }
    if (r->dead)
        talloc_free(r);
    else if (r->finished)
        finish(r);
}

static void drain(struct rlx_net *net)
{
    struct rlx_net_request *r;
    while ((r = TAILQ_FIRST(&net->ready))) {
        TAILQ_REMOVE(&net->ready, r, in_ready);
        r->is_ready = false;
        deliver(r);
    }
}

static void after_curl(struct rlx_net *net)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(net->multi, &left))) {
        struct rlx_net_request *r = NULL;
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode result = message->data.result; /* the message dies with the handle's removal */
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &r);
        curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &r->status);
        r->result = result;
        r->finished = true;
        detach(r);
        make_ready(r);
    }
    drain(net);
}

/* ---- libcurl on libuv ---- */

static void on_socket(uv_poll_t *poll, int status, int events)
{
    struct watch *w = poll->data;
    struct rlx_net *net = w->net;
    int flags = 0, running;
    if (status < 0)
        flags = CURL_CSELECT_ERR;
    if (events & UV_READABLE)
        flags |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        flags |= CURL_CSELECT_OUT;
    curl_multi_socket_action(net->multi, w->fd, flags, &running);
    after_curl(net); /* w may be gone */
}

static void free_watch(uv_handle_t *handle)
{
    free(handle->data);
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
    struct rlx_net *net = arg;
    struct watch *w = socket_arg;
    (void)easy;

    if (what == CURL_POLL_REMOVE) {
        if (w) {
            uv_poll_stop(&w->poll);
            uv_close((uv_handle_t *)&w->poll, free_watch);
            curl_multi_assign(net->multi, fd, NULL);
        }
        return 0;
    }
    if (!w) {
        w = calloc(1, sizeof *w);
        if (!w)
            return -1;
        w->net = net;
        w->fd = fd;
        if (uv_poll_init_socket(net->loop, &w->poll, fd)) {
            free(w);
            return -1;
        }
        w->poll.data = w;
        curl_multi_assign(net->multi, fd, w);
    }
    int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    return uv_poll_start(&w->poll, events, on_socket) ? -1 : 0;
}

static void on_curl_timer(uv_timer_t *timer)
{
    struct rlx_net *net = timer->data;
    int running;
    curl_multi_socket_action(net->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    after_curl(net);
}

static int set_curl_timer(CURLM *multi, long timeout_ms, void *arg)
{
    struct rlx_net *net = arg;
    (void)multi;
    if (timeout_ms < 0 || net->closed)
        uv_timer_stop(&net->curl_timer);
    else
        uv_timer_start(&net->curl_timer, on_curl_timer, (uint64_t)timeout_ms, 0);
    return 0;
}

/* ---- the interface ---- */

int rlx_net_create(struct rlx_net **netp, TALLOC_CTX *ctx, uv_loop_t *loop)
{
    if (!netp || !loop)
        return -EINVAL;
    if (curl_global_init(CURL_GLOBAL_DEFAULT))
        return -ENOMEM;
    struct rlx_net *net = talloc_zero(ctx, struct rlx_net);
    CURLM *multi = curl_multi_init();
    if (!net || !multi) {
        talloc_free(net);
        curl_multi_cleanup(multi);
        return -ENOMEM;
    }
    net->loop = loop;
    net->multi = multi;
    net->limit_at_ms = UINT64_MAX;
    TAILQ_INIT(&net->all);
    TAILQ_INIT(&net->ready);
    uv_timer_init(loop, &net->curl_timer);
    uv_timer_init(loop, &net->limit_timer);
    net->curl_timer.data = net;
    net->limit_timer.data = net;
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, net);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, set_curl_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, net);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, IDLE_CONNECTIONS);
    *netp = net;
    return 0;
}

void rlx_net_close(struct rlx_net *net)
{
    struct rlx_net_request *r;
    if (!net || net->closed)
        return;
    net->closed = true;
    while ((r = TAILQ_FIRST(&net->all)))
        talloc_free(r);
    curl_multi_cleanup(net->multi);
    net->multi = NULL;
    uv_close((uv_handle_t *)&net->curl_timer, NULL);
    uv_close((uv_handle_t *)&net->limit_timer, NULL);
    curl_global_cleanup();
}

int rlx_net_start(struct rlx_net_request **requestp, struct rlx_net *net,
                  const struct rlx_net_options *options, rlx_net_data_h *data, rlx_net_done_h *done,
                  void *arg)
{
    if (!requestp || !net || net->closed || !options || !options->url || !done ||
        (options->part_count && !options->parts))
        return -EINVAL;
    struct rlx_net_request *r;
    int err = make_request(&r, net, options);
    if (err)
        return err;
    r->data = data;
    r->done = done;
    r->arg = arg;
    arm_request(r);
    *requestp = r;
    return 0;
}

static bool costs_connection(const struct rlx_net_request *r)
{
    long version = 0;
    if (!r->easy || !r->warm_url)
        return false;
    curl_easy_getinfo(r->easy, CURLINFO_HTTP_VERSION, &version);
    return version != CURL_HTTP_VERSION_2_0 && version != CURL_HTTP_VERSION_3;
}

void rlx_net_cancel(struct rlx_net_request *r)
{
    if (!r || r->dead)
        return;
    bool warm = costs_connection(r);
    detach(r);
    r->dead = true;
    if (warm)
        rlx_net_warm(r->net, r->warm_url, r->bearer);
    if (!r->in_handler)
        talloc_free(r);
}

void rlx_net_expect(struct rlx_net_request *r, uint32_t ms)
{
    if (!r)
        return;
    r->expect_ms = ms;
    r->expect_at_ms = ms ? uv_now(r->net->loop) + ms : 0;
    arm_request(r);
}

void rlx_net_release(struct rlx_net_request *r)
{
    if (!r || r->dead)
        return;
    r->data = NULL;
    r->done = NULL;
    r->hints = NULL;
    r->pending_length = 0;
    rlx_net_expect(r, RELEASE_MS);
}

void rlx_net_warm(struct rlx_net *net, const char *url, const char *bearer)
{
    struct rlx_net_request *r;
    if (!net || net->closed || !url)
        return;
    TAILQ_FOREACH(r, &net->all, in_all)
    {
        if (r->is_warm && !r->finished && !strcmp(r->warm_url, url))
            return;
    }
    const struct rlx_net_options options = {
        .url = url, .bearer = bearer, .first_byte_ms = 3000, .stall_ms = 3000, .total_ms = 5000};
    if (make_request(&r, net, &options))
        return;
    r->is_warm = true;
    r->warm_url = talloc_strdup(r, url);
    if (!r->warm_url) {
        talloc_free(r);
        return;
    }
    arm_request(r);
}
