/* Knowledge from a web page and from a file. */
#include <errno.h>
#include <string.h>

#include "api/knowledge.h"
#include "provider/outbound.h"

#define PAGE_MS 20000

static const char *text_of(const json_t *body, const char *name)
{
    const char *text = json_string_value(json_object_get(body, name));

    return text ? text : "";
}

/* Why no text came out of the field's file. */
static void reply_unread(struct rlx_request *req, const char *field, int err, const char *why)
{
    if (err == RLX_EINVAL) {
        rlx_api_invalid(req, field, why);
    } else if (err == RLX_ECONFIG) {
        rlx_api_reply_code(req, 503, "reader_missing", why);
    } else if (err == RLX_ELIMIT) {
        rlx_reply_header(req, "Retry-After", "10");
        rlx_api_reply_code(req, 503, "busy", "many files are being read; try again");
    } else {
        rlx_reply_error(req, err, NULL);
    }
}

/* ---- a web page ---- */

/* What kept the page away, in words for the user. */
static void reply_unreachable(struct rlx_request *req, int err, const char *why)
{
    if (err == RLX_EINVAL || err == RLX_EFORBIDDEN)
        rlx_api_invalid(req, "url", why ? why : "can't be read from here");
    else if (err == RLX_ETOOBIG)
        rlx_api_invalid(req, "url", "leads to a page of more than 20 MB");
    else if (err == -ENOMEM)
        rlx_reply_error(req, err, NULL);
    else
        rlx_api_reply_code(req, 502, "page_unreachable", why ? why : "the page could not be read");
}

/* The charset of a content type, on ctx, or NULL. */
static char *charset_of(TALLOC_CTX *ctx, const char *content_type)
{
    const char *at = content_type ? strcasestr(content_type, "charset=") : NULL;

    if (!at)
        return NULL;
    at += strlen("charset=");
    at += *at == '"';
    return talloc_strndup(ctx, at, strcspn(at, "\"; \t"));
}

/* The name of the file in the URL, when the server does not say what it is ("text/plain" is said of
 * every source file). */
static const char *name_in(TALLOC_CTX *ctx, const struct rlx_outbound_reply *page)
{
    const char *type = page->content_type, *url = page->url ? page->url : "";

    if (type && strncasecmp(type, "text/plain", 10) != 0 &&
        strncasecmp(type, "application/octet-stream", 24) != 0)
        return NULL;
    return talloc_strndup(ctx, url, strcspn(url, "?#"));
}

static void take_page(struct rlx_request *req, struct rlx_api *api, const json_t *body,
                      const struct rlx_outbound_reply *page)
{
    struct rlx_extracted *found = NULL;
    enum rlx_extract_kind kind;
    const char *what = NULL, *url = text_of(body, "url");
    char *why = NULL;

    if (page->status < 200 || page->status >= 300) {
        char *detail = talloc_asprintf(req, "the page answered with status %ld", page->status);
        rlx_api_reply_code(req, 502, "page_unreachable", detail ? detail : "the page is not there");
        return;
    }
    if (rlx_extract_kind_of(&kind, name_in(req, page), page->content_type, page->body, page->length,
                            &what)) {
        rlx_api_invalid(req, "url",
                        "leads to something that is no page, text, PDF or Word document");
        return;
    }
    int err = rlx_extract(&found, req, kind, charset_of(req, page->content_type), page->body,
                          page->length, &why);
    if (!err)
        rlx_knowledge_take(req, api, body, "url", url, found, url);
    else
        reply_unread(req, "url", err, why);
}

void rlx_api_knowledge_from_url(struct rlx_request *req, void *arg)
{
    static const char *const headers[] = {
        "Accept: text/html, application/xhtml+xml, text/plain;q=0.9, text/markdown;q=0.9, "
        "application/pdf;q=0.8",
        "User-Agent: RelayX/" RLX_VERSION " (reads one page on a user's behalf)", NULL};
    struct rlx_api *api = arg;
    struct rlx_outbound_reply *page = NULL;
    json_t *body = rlx_api_body(req);
    char *why = NULL;
    const struct rlx_outbound_request request = {
        .url = text_of(body, "url"),
        .headers = headers,
        .allow = rlx_config_get(api->config, RLX_CFG_OUTBOUND_ALLOW),
        .timeout_ms = PAGE_MS,
        .max_reply = RLX_EXTRACT_FILE_MAX,
    };

    if (rlx_knowledge_agent(req, api, text_of(body, "agent_id"), NULL)) {
        int err = rlx_outbound(&page, req, &request, &why);
        if (err)
            reply_unreachable(req, err, why);
        else
            take_page(req, api, body, page);
    }
    json_decref(body);
}

/* ---- a file ---- */

/* The name without folders and ending. */
static char *name_of(TALLOC_CTX *ctx, const char *path)
{
    const char *slash = strrchr(path, '/'), *back = strrchr(path, '\\');
    const char *name = slash && (!back || slash > back) ? slash + 1 : back ? back + 1 : path;
    const char *dot = strrchr(name, '.');
    size_t n = dot && dot > name ? (size_t)(dot - name) : strlen(name);

    while (n > 200 || (n > 0 && ((unsigned char)name[n] & 0xC0) == 0x80))
        n--;
    char *text = talloc_strndup(ctx, name, n);
    for (char *p = text; p && *p; p++)
        if ((unsigned char)*p < ' ')
            *p = ' ';
    json_t *valid = text && text[strspn(text, " ")] ? json_string(text) : NULL;
    json_decref(valid);
    return valid ? text : NULL;
}

void rlx_api_knowledge_upload(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    json_t *body = rlx_api_body(req);
    size_t length = 0;
    const char *data = rlx_request_field(req, "file", &length), *what = NULL;
    const char *name = rlx_request_filename(req, "file");
    struct rlx_extracted *found = NULL;
    enum rlx_extract_kind kind;
    char *why = NULL;

    if (!data || !name) {
        rlx_api_invalid(req, "file", "must be a file");
        goto out;
    }
    if (length > RLX_EXTRACT_FILE_MAX) {
        rlx_reply_error(req, RLX_ETOOBIG, "a file may have at most 20 MB");
        goto out;
    }
    if (!rlx_knowledge_agent(req, api, text_of(body, "agent_id"), NULL))
        goto out;
    if (rlx_extract_kind_of(&kind, name, NULL, data, length, &what)) {
        rlx_reply_error(req, RLX_EMEDIA, what);
        goto out;
    }
    int err = rlx_extract(&found, req, kind, NULL, data, length, &why);
    char *own = name_of(req, name);
    if (!err)
        rlx_knowledge_take(req, api, body, "file", NULL, found, own ? own : "File");
    else
        reply_unread(req, "file", err, why);
out:
    json_decref(body);
}
