#include "extract/extract.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "extract/private.h"

static bool starts(const void *data, size_t length, const char *with, size_t n)
{
    return length >= n && !memcmp(data, with, n);
}

static bool media_is(const char *type, const char *wanted)
{
    size_t n = strlen(wanted);

    return type && !strncasecmp(type, wanted, n) && (!type[n] || strchr("; \t", type[n]));
}

/* By the media type of an answer or a part; true when it is one of ours. */
static bool by_media(enum rlx_extract_kind *kindp, const char *type)
{
    static const struct {
        const char *type;
        enum rlx_extract_kind kind;
    } table[] = {
        {"text/html", RLX_EXTRACT_HTML},
        {"application/xhtml+xml", RLX_EXTRACT_HTML},
        {"text/markdown", RLX_EXTRACT_MARKDOWN},
        {"text/csv", RLX_EXTRACT_CSV},
        {"application/csv", RLX_EXTRACT_CSV},
        {"text/tab-separated-values", RLX_EXTRACT_CSV},
        {"text/plain", RLX_EXTRACT_TEXT},
        {"application/pdf", RLX_EXTRACT_PDF},
        {"application/vnd.openxmlformats-officedocument.wordprocessingml.document",
         RLX_EXTRACT_DOCX},
    };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (media_is(type, table[i].type)) {
            *kindp = table[i].kind;
            return true;
        }
    return false;
}

static bool by_name(enum rlx_extract_kind *kindp, const char *name)
{
    static const struct {
        const char *ending;
        enum rlx_extract_kind kind;
    } table[] = {{"txt", RLX_EXTRACT_TEXT},    {"text", RLX_EXTRACT_TEXT},
                 {"md", RLX_EXTRACT_MARKDOWN}, {"markdown", RLX_EXTRACT_MARKDOWN},
                 {"html", RLX_EXTRACT_HTML},   {"htm", RLX_EXTRACT_HTML},
                 {"xhtml", RLX_EXTRACT_HTML},  {"csv", RLX_EXTRACT_CSV},
                 {"tsv", RLX_EXTRACT_CSV},     {"docx", RLX_EXTRACT_DOCX},
                 {"pdf", RLX_EXTRACT_PDF}};
    const char *dot = name ? strrchr(name, '.') : NULL;

    for (size_t i = 0; dot && i < sizeof table / sizeof table[0]; i++)
        if (!strcasecmp(dot + 1, table[i].ending)) {
            *kindp = table[i].kind;
            return true;
        }
    return false;
}

int rlx_extract_kind_of(enum rlx_extract_kind *kindp, const char *name, const char *media_type,
                        const void *data, size_t length, const char **whyp)
{
    static const char kinds[] =
        "the file is of no kind that can be read; known are txt, md, html, csv, docx and pdf";
    static const char old[] =
        "the file is an old Word file (.doc) or an encrypted one; save it as a "
        ".docx without a password";
    const char *why = NULL;
    enum rlx_extract_kind kind = RLX_EXTRACT_TEXT;

    if (!kindp || (!data && length))
        return -EINVAL;
    bool known = by_name(&kind, name) || by_media(&kind, media_type);
    if (starts(data, length, "%PDF-", 5))
        kind = RLX_EXTRACT_PDF;
    else if (starts(data, length, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", 8))
        why = old;
    else if (!known || (starts(data, length, "PK\3\4", 4) && kind != RLX_EXTRACT_DOCX))
        why = kinds;
    if (whyp)
        *whyp = why;
    *kindp = kind;
    return why ? RLX_EMEDIA : 0;
}

static int read_text(struct rlx_extracted *out, enum rlx_extract_kind kind, const char *charset,
                     const void *data, size_t length, char **whyp)
{
    static rlx_reader_h *const readers[] = {[RLX_EXTRACT_MARKDOWN] = rlx_extract_markdown,
                                            [RLX_EXTRACT_HTML] = rlx_extract_html,
                                            [RLX_EXTRACT_CSV] = rlx_extract_csv};
    char *text = NULL, *named = NULL;
    size_t text_length = 0;

    if (kind == RLX_EXTRACT_HTML && !charset)
        charset = named = rlx_extract_html_charset(out, data, length);
    int err = rlx_extract_decode(&text, &text_length, out, charset, data, length, whyp);
    talloc_free(named);
    if (err)
        return err;
    if (kind == RLX_EXTRACT_TEXT) {
        out->text = text;
        return 0;
    }
    err = readers[kind](out, text, text_length, whyp);
    talloc_free(text);
    return err;
}

static int check(struct rlx_extracted *out, char **whyp)
{
    if (out->text)
        rlx_extract_tidy(out->text);
    if (!out->text || !*out->text) {
        *whyp = talloc_strdup(out, "there is no text in it");
        return RLX_EINVAL;
    }
    if (strlen(out->text) > RLX_EXTRACT_TEXT_MAX) {
        *whyp =
            talloc_asprintf(out, "it holds more than %u bytes of text; split it into smaller files",
                            RLX_EXTRACT_TEXT_MAX);
        return RLX_EINVAL;
    }
    return 0;
}

/* A file may take a quarter of a gigabyte while it is read, so that only a few may be at a time. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned busy;
} places = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};

static bool take_place(void)
{
    struct timespec until;
    bool late = false;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += RLX_EXTRACT_WAIT_S;
    pthread_mutex_lock(&places.lock);
    while (places.busy >= RLX_EXTRACT_AT_ONCE && !late)
        late = pthread_cond_timedwait(&places.changed, &places.lock, &until) == ETIMEDOUT;
    bool taken = places.busy < RLX_EXTRACT_AT_ONCE;
    places.busy += taken;
    pthread_mutex_unlock(&places.lock);
    return taken;
}

static void leave_place(void)
{
    pthread_mutex_lock(&places.lock);
    places.busy--;
    pthread_cond_signal(&places.changed);
    pthread_mutex_unlock(&places.lock);
}

static int read_kind(struct rlx_extracted *out, enum rlx_extract_kind kind, const char *charset,
                     const void *data, size_t length, char **whyp)
{
    size_t most = kind == RLX_EXTRACT_HTML ? RLX_EXTRACT_PAGE_MAX : RLX_EXTRACT_FILE_MAX;

    if (length > most) {
        *whyp = talloc_asprintf(out, "it is larger than %zu MB", most >> 20);
        return RLX_EINVAL;
    }
    if (kind == RLX_EXTRACT_DOCX)
        return rlx_extract_docx(out, data, length, whyp);
    if (kind == RLX_EXTRACT_PDF)
        return rlx_extract_pdf(out, data, length, whyp);
    return read_text(out, kind, charset, data, length, whyp);
}

int rlx_extract(struct rlx_extracted **extractedp, TALLOC_CTX *ctx, enum rlx_extract_kind kind,
                const char *charset, const void *data, size_t length, char **whyp)
{
    char *why = NULL;

    if (!extractedp || (!data && length))
        return -EINVAL;
    struct rlx_extracted *out = talloc_zero(ctx, struct rlx_extracted);
    if (!out)
        return -ENOMEM;
    int err = RLX_ELIMIT;
    if (take_place()) {
        err = read_kind(out, kind, charset, data, length, &why);
        leave_place();
    }
    if (!err)
        err = check(out, &why);
    if (!err) {
        *extractedp = out;
        return 0;
    }
    if (whyp)
        *whyp = talloc_strdup(ctx, why ? why : rlx_err_text(err));
    talloc_free(out);
    return err;
}
