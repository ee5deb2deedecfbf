#include "provider/s3.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/err.h"

#define CONNECT_MS 5000L
#define SHORT_S 20L /* a request without a body */
#define SLOW_S 30L  /* a transfer that stands still so long is given up */
#define BUFFER (64u << 10)
#define ERROR_BODY 2048
#define POLL_MS 1000

struct rlx_s3 {
    struct rlx_s3_place *place;
    char *address, *sigv4;
    char *access_key, *secret_key;
    CURLM *multi;
    CURL *easy;
    struct curl_slist *headers;
    char trouble[CURL_ERROR_SIZE];

    int fd; /* what is sent */
    uint64_t sent;
    uint64_t expected, received; /* of what is read */
    char *buffer;
    size_t start, held;
    bool reading, paused, done;
    CURLcode code;
    char error[ERROR_BODY + 1]; /* the body of an answer that is no success */
    size_t error_length;
};

/* ---- life ---- */

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void set_up(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static int destroy(struct rlx_s3 *s3)
{
    if (s3->multi && s3->easy)
        curl_multi_remove_handle(s3->multi, s3->easy);
    curl_easy_cleanup(s3->easy);
    curl_multi_cleanup(s3->multi);
    curl_slist_free_all(s3->headers);
    return 0;
}

int rlx_s3_open(struct rlx_s3 **s3p, TALLOC_CTX *ctx, const char *url, const char *access_key,
                const char *secret_key, char **whyp)
{
    char *why = NULL;

    if (!s3p || !url || !access_key || !secret_key)
        return -EINVAL;
    pthread_once(&once, set_up);
    struct rlx_s3 *s3 = talloc_zero(ctx, struct rlx_s3);
    if (!s3)
        return -ENOMEM;
    talloc_set_destructor(s3, destroy);
    int err = rlx_s3_parse(&s3->place, s3, url, &why);
    if (!err && (!*access_key || !*secret_key)) {
        why = talloc_strdup(s3, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set");
        err = RLX_ECONFIG;
    }
    if (!err) {
        s3->address = rlx_s3_address(s3, s3->place);
        s3->sigv4 = talloc_asprintf(s3, "aws:amz:%s:s3", s3->place->region);
        s3->access_key = talloc_strdup(s3, access_key);
        s3->secret_key = talloc_strdup(s3, secret_key);
        s3->buffer = talloc_size(s3, BUFFER);
        s3->multi = curl_multi_init();
        s3->easy = curl_easy_init();
        bool all = s3->address && s3->sigv4 && s3->access_key && s3->secret_key && s3->buffer &&
                   s3->multi && s3->easy;
        err = all ? 0 : -ENOMEM;
    }
    if (err && whyp)
        *whyp = why ? talloc_steal(ctx, why) : NULL;
    if (err)
        talloc_free(s3);
    else
        *s3p = s3;
    return err;
}

/* ---- one request ---- */

static size_t take(char *data, size_t size, size_t count, void *arg)
{
    struct rlx_s3 *s3 = arg;
    size_t n = size * count;
    long status = 0;

    curl_easy_getinfo(s3->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status < 200 || status > 299 || !s3->reading) {
        size_t room = ERROR_BODY - s3->error_length, part = n < room ? n : room;
        memcpy(s3->error + s3->error_length, data, part);
        s3->error_length += part;
        s3->error[s3->error_length] = '\0';
        return n;
    }
    if (n > BUFFER - s3->held) {
        s3->paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    if (s3->start + s3->held + n > BUFFER) {
        memmove(s3->buffer, s3->buffer + s3->start, s3->held);
        s3->start = 0;
    }
    memcpy(s3->buffer + s3->start + s3->held, data, n);
    s3->held += n;
    return n;
}

static size_t give(char *buffer, size_t size, size_t count, void *arg)
{
    struct rlx_s3 *s3 = arg;
    ssize_t n = pread(s3->fd, buffer, size * count, (off_t)s3->sent);

    if (n < 0)
        return CURL_READFUNC_ABORT;
    s3->sent += (uint64_t)n;
    return (size_t)n;
}

/* A request that goes out again on a new connection starts anew. */
static int seek(void *arg, curl_off_t offset, int origin)
{
    struct rlx_s3 *s3 = arg;

    if (origin != SEEK_SET)
        return CURL_SEEKFUNC_CANTSEEK;
    s3->sent = (uint64_t)offset;
    return CURL_SEEKFUNC_OK;
}

/* `hash` is the body's: S3 wants it among the signed headers. */
static int begin(struct rlx_s3 *s3, const char *method, const char *hash, long timeout_s)
{
    char *line = talloc_asprintf(s3, "x-amz-content-sha256: %s", hash);

    curl_multi_remove_handle(s3->multi, s3->easy);
    curl_easy_reset(s3->easy);
    curl_slist_free_all(s3->headers);
    s3->headers = line ? curl_slist_append(NULL, line) : NULL;
    talloc_free(line);
    s3->start = s3->held = s3->error_length = 0;
    s3->sent = s3->received = 0;
    s3->error[0] = s3->trouble[0] = '\0';
    s3->reading = s3->paused = s3->done = false;
    if (!s3->headers)
        return -ENOMEM;
    CURL *easy = s3->easy;
    if (strstr(s3->address, "://127.") ||
        strstr(s3->address, "://localhost")) /* no proxy knows it */
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_URL, s3->address);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "RelayX/" RLX_VERSION);
    curl_easy_setopt(easy, CURLOPT_AWS_SIGV4, s3->sigv4);
    curl_easy_setopt(easy, CURLOPT_USERNAME, s3->access_key);
    curl_easy_setopt(easy, CURLOPT_PASSWORD, s3->secret_key);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, s3->headers);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, s3->trouble);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, s3);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT, timeout_s);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, SLOW_S);
    if (!strcmp(method, "HEAD"))
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    else if (!strcmp(method, "PUT"))
        curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    else if (strcmp(method, "GET") != 0)
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
    return 0;
}

/* Goes on until the exchange is over or there is something to read; one round waits at most a
 * second for it. */
static void drive(struct rlx_s3 *s3, bool one_round)
{
    int running, left;

    while (!s3->done && !(s3->reading && s3->held)) {
        CURLMcode code = curl_multi_perform(s3->multi, &running);
        CURLMsg *message = curl_multi_info_read(s3->multi, &left);
        if (code || (message && message->msg == CURLMSG_DONE)) {
            s3->code = code ? CURLE_FAILED_INIT : message->data.result;
            s3->done = true;
        } else if (!(s3->reading && s3->held)) {
            curl_multi_poll(s3->multi, NULL, 0, POLL_MS, NULL);
            if (one_round) {
                curl_multi_perform(s3->multi, &running);
                return;
            }
        }
    }
}

/* ---- what came of it ---- */

/* The text of an XML element of the error's body: "Code", "Message". */
static const char *element(const struct rlx_s3 *s3, const char *name, int *lengthp)
{
    char open[32];

    snprintf(open, sizeof open, "<%s>", name);
    const char *at = strstr(s3->error, open);
    at = at ? at + strlen(open) : NULL;
    *lengthp = at ? (int)strcspn(at, "<") : 0;
    return at ? at : "";
}

static const char *hint(long status, const char *code, size_t length)
{
    static const struct {
        const char *code, *hint;
    } hints[] = {
        {"NoSuchBucket", "; make the bucket, or correct RECORDINGS_URL"},
        {"InvalidAccessKeyId", "; check AWS_ACCESS_KEY_ID"},
        {"SignatureDoesNotMatch", "; check AWS_SECRET_ACCESS_KEY"},
        {"AccessDenied", "; the key needs s3:GetObject, s3:PutObject and s3:DeleteObject there"},
        {"AuthorizationHeaderMalformed", "; check region= in RECORDINGS_URL"},
        {"PermanentRedirect", "; check region= in RECORDINGS_URL"},
        {"RequestTimeTooSkewed", "; set this machine's clock"},
    };

    for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++)
        if (strlen(hints[i].code) == length && !memcmp(hints[i].code, code, length))
            return hints[i].hint;
    return status == 401 || status == 403 ? "; check the keys, and what they may do"
           : status == 301                ? "; check region= in RECORDINGS_URL"
                                          : "";
}

static int judge(struct rlx_s3 *s3, char **whyp)
{
    long status = 0;
    int code_length, length, err = 0;

    if (s3->done && s3->code && !(s3->code == CURLE_WRITE_ERROR && s3->error_length)) {
        err = s3->code == CURLE_OUT_OF_MEMORY         ? -ENOMEM
              : s3->code == CURLE_ABORTED_BY_CALLBACK ? -EIO
                                                      : -EHOSTUNREACH;
        if (whyp)
            *whyp = talloc_asprintf(s3, "%s: %s", s3->address,
                                    *s3->trouble ? s3->trouble : curl_easy_strerror(s3->code));
        return err;
    }
    curl_easy_getinfo(s3->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200 && status <= 299)
        return 0;
    const char *code = element(s3, "Code", &code_length), *words = element(s3, "Message", &length);
    bool no_bucket = code_length == 12 && !memcmp(code, "NoSuchBucket", 12);
    err = status == 404 && !no_bucket ? RLX_ENOTFOUND
          : status >= 500 || status == 429 ||
                  (code_length == 14 && !memcmp(code, "RequestTimeout", 14))
              ? -EHOSTUNREACH
              : RLX_EPROVIDER;
    if (whyp)
        *whyp = talloc_asprintf(s3, "%s answers %ld%s%.*s%s%.*s%s", s3->address, status,
                                code_length ? " " : "", code_length, code, length ? ": " : "",
                                length, words, hint(status, code, (size_t)code_length));
    return err;
}

static int finish(struct rlx_s3 *s3, char **whyp)
{
    if (curl_multi_add_handle(s3->multi, s3->easy))
        return -ENOMEM;
    drive(s3, false);
    return judge(s3, whyp);
}

static void hash_of_nothing(char hex[RLX_SHA256_HEX])
{
    rlx_sha256_hex(hex, "", 0);
}

/* ---- the operations ---- */

int rlx_s3_put(struct rlx_s3 *s3, int fd, uint64_t size, long timeout_s, char **whyp)
{
    char hash[RLX_SHA256_HEX];

    if (!s3 || fd < 0)
        return -EINVAL;
    int err = rlx_sha256_file_hex(hash, fd, size);
    if (!err)
        err = begin(s3, "PUT", hash, timeout_s);
    if (err)
        return err;
    struct curl_slist *more = curl_slist_append(s3->headers, "content-type: audio/wav");
    if (!more)
        return -ENOMEM;
    s3->fd = fd;
    curl_easy_setopt(s3->easy, CURLOPT_READFUNCTION, give);
    curl_easy_setopt(s3->easy, CURLOPT_READDATA, s3);
    curl_easy_setopt(s3->easy, CURLOPT_SEEKFUNCTION, seek);
    curl_easy_setopt(s3->easy, CURLOPT_SEEKDATA, s3);
    curl_easy_setopt(s3->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)size);
    return finish(s3, whyp);
}

int rlx_s3_head(struct rlx_s3 *s3, uint64_t *sizep, char **whyp)
{
    char hash[RLX_SHA256_HEX];
    curl_off_t size = -1;

    if (!s3 || !sizep)
        return -EINVAL;
    hash_of_nothing(hash);
    int err = begin(s3, "HEAD", hash, SHORT_S);
    if (!err)
        err = finish(s3, whyp);
    if (!err)
        curl_easy_getinfo(s3->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &size);
    if (!err && size < 0)
        err = RLX_EPROTO;
    *sizep = size < 0 ? 0 : (uint64_t)size;
    return err;
}

int rlx_s3_delete(struct rlx_s3 *s3, char **whyp)
{
    char hash[RLX_SHA256_HEX];

    if (!s3)
        return -EINVAL;
    hash_of_nothing(hash);
    int err = begin(s3, "DELETE", hash, SHORT_S);
    if (!err)
        err = finish(s3, whyp);
    return err == RLX_ENOTFOUND ? 0 : err;
}

int rlx_s3_get(struct rlx_s3 *s3, uint64_t first, uint64_t length, char **whyp)
{
    char hash[RLX_SHA256_HEX], range[48];
    long status = 0;

    if (!s3 || !length)
        return -EINVAL;
    hash_of_nothing(hash);
    int err = begin(s3, "GET", hash, 0);
    if (err)
        return err;
    snprintf(range, sizeof range, "%llu-%llu", (unsigned long long)first,
             (unsigned long long)(first + length - 1));
    curl_easy_setopt(s3->easy, CURLOPT_RANGE, range);
    s3->reading = true;
    s3->expected = length;
    err = finish(s3, whyp);
    curl_easy_getinfo(s3->easy, CURLINFO_RESPONSE_CODE, &status);
    /* A store that knows no ranges sends the whole. */
    return !err && status != 206 && first ? RLX_EPROTO : err;
}

ssize_t rlx_s3_read(struct rlx_s3 *s3, void *buffer, size_t size)
{
    if (!s3 || !s3->reading || !buffer || !size)
        return RLX_S3_BROKEN;
    if (s3->received == s3->expected)
        return RLX_S3_END;
    if (!s3->held)
        drive(s3, true);
    if (!s3->held)
        return s3->done ? RLX_S3_BROKEN : 0;
    uint64_t left = s3->expected - s3->received;
    size_t n = s3->held < size ? s3->held : size;
    n = n < left ? n : (size_t)left;
    memcpy(buffer, s3->buffer + s3->start, n);
    s3->start += n;
    s3->held -= n;
    s3->received += n;
    if (!s3->held)
        s3->start = 0;
    if (!s3->held && s3->paused) {
        s3->paused = false;
        curl_easy_pause(s3->easy, CURLPAUSE_CONT); /* may fill the buffer at once */
    }
    return (ssize_t)n;
}
