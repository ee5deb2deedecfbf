/* What net.c and net_answer.c share. */
#ifndef RLX_PROVIDER_NET_PRIVATE_H
#define RLX_PROVIDER_NET_PRIVATE_H

#include <curl/curl.h>
#include <sys/queue.h>

#include "provider/net.h"

#define RLX_NET_ERROR_BODY 16384

/* Which limit ended a request. */
enum rlx_net_limit {
    RLX_NET_IN_TIME,
    RLX_NET_FIRST_BYTE,
    RLX_NET_STALL,
    RLX_NET_TOTAL,
    RLX_NET_EXPECT
};

TAILQ_HEAD(rlx_net_list, rlx_net_request);

struct rlx_net {
    uv_loop_t *loop;
    CURLM *multi;
    uv_timer_t curl_timer;  /* libcurl's own */
    uv_timer_t limit_timer; /* the nearest limit of all requests */
    uint64_t limit_at_ms;   /* when it fires; UINT64_MAX = not armed */
    struct rlx_net_list all, ready;
    bool closed;
};

struct rlx_net_request {
    TAILQ_ENTRY(rlx_net_request) in_all, in_ready;
    struct rlx_net *net;
    CURL *easy; /* NULL once libcurl has let go of it */
    struct curl_slist *headers;
    curl_mime *mime;
    rlx_net_data_h *data;
    rlx_net_done_h *done;
    void *arg;
    char *host, *warm_url, *bearer;
    uint8_t *pending; /* body bytes that the user has not seen yet */
    size_t pending_length, pending_room;
    char *error_body;
    size_t error_length;
    char error_text[CURL_ERROR_SIZE];
    uint64_t start_ms, byte_ms, expect_at_ms; /* byte_ms 0: no byte yet */
    uint32_t first_byte_ms, stall_ms, total_ms, expect_ms;
    struct rlx_net_hints *hints; /* NULL = nobody wants them */
    long rate_limit[2], rate_left[2]; /* of requests, of tokens; plus one, 0 = not told */
    enum rlx_net_limit limit;
    CURLcode result;
    long status;
    bool is_ready, finished, in_handler, dead, overflow, is_warm;
};

/* The request's error and the sentence for it (on the request). */
int rlx_net_judge(struct rlx_net_request *request, const char **whyp);
/* A header line has come / the status and all headers have (net_hints.c). */
void rlx_net_see_header(struct rlx_net_request *request, const char *line, size_t length);
void rlx_net_see_answer(struct rlx_net_request *request);
/* The host and port of a URL, without user and path; on ctx. */
char *rlx_net_host(TALLOC_CTX *ctx, const char *url);

#endif
