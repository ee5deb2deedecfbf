/* Contacts and do-not-call numbers as CSV files, in and out. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/contact_import.h"
#include "api/csv.h"
#include "api/phone_number.h"
#include "api/private.h"
#include "store/calls.h"
#include "store/contacts.h"

#define PAGE 200

/* ---- in ---- */

struct intake {
    struct rlx_api *api;
    const char *user, *list_id;
    bool dry;
    int64_t known, fresh;
    int store_err; /* what stopped it, when it was the store */
};

static int keep_contacts(const json_t *contacts, void *arg)
{
    struct intake *in = arg;
    int64_t known = 0;

    in->store_err =
        rlx_contacts_import(in->api->store, in->user, contacts, in->list_id, in->dry, &known);
    in->known += known;
    in->fresh += (int64_t)json_array_size(contacts) - known;
    return in->store_err;
}

static int keep_numbers(const json_t *contacts, void *arg)
{
    struct intake *in = arg;
    json_t *numbers = json_array(), *contact;
    int64_t added = 0;
    bool listed;
    size_t i;

    json_array_foreach ((json_t *)contacts, i, contact) {
        json_t *number = json_object_get(contact, "phone_number");
        json_array_append(numbers, number);
        if (in->dry && !in->store_err) {
            in->store_err =
                rlx_dnc_has(in->api->store, in->user, json_string_value(number), &listed);
            added += !in->store_err && !listed;
        }
    }
    if (!in->dry)
        in->store_err = rlx_dnc_add_many(in->api->store, in->user, numbers, "import", &added);
    in->fresh += added;
    in->known += (int64_t)json_array_size(numbers) - added;
    json_decref(numbers);
    return in->store_err;
}

static void reply_import(struct rlx_request *req, const struct intake *in,
                         const struct rlx_import *import)
{
    rlx_reply_json(req, 200,
                   json_pack("{s:b,s:I,s:I,s:I,s:I,s:I,s:O,s:O,s:s}", "dry_run", in->dry, "rows",
                             (json_int_t)import->rows, "created", (json_int_t)in->fresh, "updated",
                             (json_int_t)in->known, "duplicates", (json_int_t)import->duplicates,
                             "failed", (json_int_t)import->failed, "errors", import->errors,
                             "columns", import->columns, "encoding", import->encoding));
}

/* Reads the form's file and answers. */
static void take_in(struct rlx_request *req, struct intake *in,
                    const struct rlx_import_options *options, rlx_import_batch_h *batch)
{
    struct rlx_import *import = NULL;
    size_t length = 0;
    char *why = NULL;

    const char *file = rlx_request_field(req, "file", &length);
    if (!file) {
        rlx_api_invalid(req, "file", "is required");
        return;
    }
    if (options->region && !rlx_phone_region(options->region)) {
        rlx_api_invalid(req, "region", "is no region of telephone numbers");
        return;
    }
    int err = rlx_import_read(&import, (TALLOC_CTX *)req, file, length, options, batch, in, &why);
    if (in->store_err)
        rlx_api_reply_store(req, in->store_err, "list");
    else if (err == RLX_EINVAL)
        rlx_api_invalid(req, "file", why);
    else if (err)
        rlx_reply_error(req, err, NULL);
    else
        reply_import(req, in, import);
}

/* The mapping's text; false when it is no object of strings (answered). */
static bool read_mapping(struct rlx_request *req, const char *text, json_t **mappingp)
{
    const char *column;
    json_t *to;
    bool good = true;

    *mappingp = NULL;
    if (!text)
        return true;
    json_t *mapping = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    json_object_foreach (mapping, column, to)
        good = good && (json_is_string(to) || json_is_null(to));
    if (json_is_object(mapping) && good) {
        *mappingp = mapping;
        return true;
    }
    json_decref(mapping);
    rlx_api_invalid(req, "mapping", "must be a JSON object from column to field");
    return false;
}

static json_t *split_tags(const char *text)
{
    json_t *tags = json_array();

    for (const char *p = text ? text : ""; *p;) {
        p += strspn(p, ", ");
        size_t n = strcspn(p, ","), end = n;
        while (end && p[end - 1] == ' ')
            end--;
        if (end && end <= 256)
            json_array_append_new(tags, json_stringn(p, end));
        p += n;
    }
    return tags;
}

void rlx_api_contacts_import(struct rlx_request *req, void *arg)
{
    json_t *body = rlx_api_body(req), *mapping = NULL;
    struct intake in = {.api = arg,
                        .user = rlx_api_user(req),
                        .list_id = json_string_value(json_object_get(body, "list_id")),
                        .dry = json_is_true(json_object_get(body, "dry_run"))};
    json_t *tags = split_tags(json_string_value(json_object_get(body, "tags")));
    char *list = NULL;
    int err = 0;

    if (in.list_id)
        err = rlx_contact_list_get(in.api->store, req, in.user, in.list_id, &list);
    if (err) {
        rlx_api_reply_store(req, err, "list");
    } else if (read_mapping(req, json_string_value(json_object_get(body, "mapping")), &mapping)) {
        const struct rlx_import_options options = {
            .region = json_string_value(json_object_get(body, "region")),
            .mapping = mapping,
            .tags = tags,
        };
        take_in(req, &in, &options, keep_contacts);
    }
    json_decref(tags);
    json_decref(mapping);
    json_decref(body);
}

void rlx_api_dnc_import(struct rlx_request *req, void *arg)
{
    json_t *body = rlx_api_body(req);
    struct intake in = {.api = arg,
                        .user = rlx_api_user(req),
                        .dry = json_is_true(json_object_get(body, "dry_run"))};
    const struct rlx_import_options options = {
        .region = json_string_value(json_object_get(body, "region")), .numbers_only = true};

    take_in(req, &in, &options, keep_numbers);
    json_decref(body);
}

/* ---- out ---- */

/* Rows are fetched page by page while they are sent, so that no connection of the store is held. */
struct outgo {
    struct rlx_api *api;
    char user[37];
    bool numbers; /* do-not-call */
    struct rlx_contact_filter filter;
    json_t *names;       /* custom fields */
    char *text, *cursor; /* what is still to be sent of this page; where the next one begins */
    size_t at, length;
    bool last;
};

static int drop_outgo(struct outgo *out)
{
    json_decref(out->names);
    return 0;
}

static const char *text_of(const json_t *row, const char *name)
{
    return json_string_value(json_object_get(row, name));
}

static char *joined(TALLOC_CTX *ctx, const json_t *tags)
{
    char *text = talloc_strdup(ctx, "");
    const json_t *tag;
    size_t i;

    json_array_foreach ((json_t *)tags, i, tag)
        text = talloc_asprintf_append_buffer(text, "%s%s", i ? ";" : "", json_string_value(tag));
    return text;
}

static bool add_value(TALLOC_CTX *ctx, char **linep, const json_t *value)
{
    if (!value || json_is_string(value) || json_is_null(value))
        return rlx_csv_add(ctx, linep, json_string_value(value));
    char *dump = json_dumps(value, JSON_ENCODE_ANY);
    bool added = dump && rlx_csv_add(ctx, linep, dump);
    free(dump);
    return added;
}

static char *contact_line(TALLOC_CTX *ctx, const struct outgo *out, const json_t *row)
{
    const json_t *custom = json_object_get(row, "custom_fields"), *name;
    char *line = NULL;
    size_t i;

    bool ok = rlx_csv_add(ctx, &line, text_of(row, "phone_number")) &&
              rlx_csv_add(ctx, &line, text_of(row, "name")) &&
              rlx_csv_add(ctx, &line, text_of(row, "email")) &&
              rlx_csv_add(ctx, &line, text_of(row, "time_zone")) &&
              rlx_csv_add(ctx, &line, joined(ctx, json_object_get(row, "tags"))) &&
              rlx_csv_add(ctx, &line,
                          json_is_true(json_object_get(row, "do_not_call")) ? "true" : "false") &&
              rlx_csv_add(ctx, &line, text_of(row, "created_at"));
    json_array_foreach (out->names, i, name)
        ok = ok && add_value(ctx, &line, json_object_get(custom, json_string_value(name)));
    return ok ? line : NULL;
}

static char *number_line(TALLOC_CTX *ctx, const json_t *row)
{
    char *line = NULL;
    bool ok = rlx_csv_add(ctx, &line, text_of(row, "phone_number")) &&
              rlx_csv_add(ctx, &line, text_of(row, "source")) &&
              rlx_csv_add(ctx, &line, text_of(row, "created_at"));

    return ok ? line : NULL;
}

static int next_page(struct outgo *out)
{
    TALLOC_CTX *tmp = talloc_new(out);
    char *json = NULL, *next = NULL;
    json_t *row;
    size_t i;

    int err = out->numbers ? rlx_dnc_list(out->api->store, tmp, out->user, PAGE, out->cursor, &json,
                                          &next, NULL)
                           : rlx_contacts_list(out->api->store, tmp, out->user, &out->filter, PAGE,
                                               out->cursor, &json, &next, NULL);
    json_t *rows = err ? NULL : json_loads(json, 0, NULL);
    talloc_free(out->text);
    out->text = talloc_strdup(out, "");
    json_array_foreach (rows, i, row) {
        char *line = out->numbers ? number_line(tmp, row) : contact_line(tmp, out, row);
        out->text = line ? talloc_asprintf_append_buffer(out->text, "%s\r\n", line) : NULL;
        if (!out->text)
            break;
    }
    json_decref(rows);
    if (!err && (!rows || !out->text))
        err = -ENOMEM;
    talloc_free(out->cursor);
    out->cursor = talloc_steal(out, next);
    out->last = !next;
    out->at = 0;
    out->length = out->text ? strlen(out->text) : 0;
    talloc_free(tmp);
    return err;
}

static ssize_t read_page(void *buffer, size_t size, void *arg)
{
    struct outgo *out = arg;

    while (out->at == out->length) {
        if (out->last)
            return RLX_STREAM_END;
        if (next_page(out))
            return RLX_STREAM_ABORT;
    }
    size_t n = out->length - out->at < size ? out->length - out->at : size;
    memcpy(buffer, out->text + out->at, n);
    out->at += n;
    return (ssize_t)n;
}

static char *header_line(struct outgo *out)
{
    static const char *const columns[] = {"phone_number", "name",        "email",     "time_zone",
                                          "tags",         "do_not_call", "created_at"};
    char *line = NULL;
    json_t *name;
    size_t i;
    bool ok = true;

    if (out->numbers)
        return talloc_strdup(out, "phone_number,source,created_at\r\n");
    for (i = 0; i < 7; i++)
        ok = ok && rlx_csv_add(out, &line, columns[i]);
    json_array_foreach (out->names, i, name)
        ok = ok && rlx_csv_add(out, &line, json_string_value(name));
    return ok ? talloc_strdup_append_buffer(line, "\r\n") : NULL;
}

static const char *query_of(struct rlx_request *req, const char *name)
{
    const char *text = rlx_request_query(req, name);

    return text && *text ? text : NULL;
}

static void send_out(struct rlx_request *req, struct rlx_api *api, bool numbers, const char *name)
{
    struct outgo *out = talloc_zero((TALLOC_CTX *)req, struct outgo);
    int err = 0;

    if (!out) {
        rlx_reply_error(req, -ENOMEM, NULL);
        return;
    }
    talloc_set_destructor(out, drop_outgo);
    out->api = api;
    out->numbers = numbers;
    memccpy(out->user, rlx_api_user(req), 0, sizeof out->user);
    if (!numbers) {
        out->filter = (struct rlx_contact_filter){.list_id = query_of(req, "list_id"),
                                                  .tag = query_of(req, "tag"),
                                                  .q = query_of(req, "q")};
        err = rlx_contacts_custom_names(api->store, out->user, &out->filter, &out->names);
    }
    out->text = err ? NULL : header_line(out);
    if (!err && !out->text)
        err = -ENOMEM;
    if (err) {
        rlx_api_reply_store(req, err, "contact");
        return;
    }
    out->length = strlen(out->text);
    rlx_reply_header(req, "Content-Disposition", name);
    rlx_reply_header(req, "Cache-Control", "no-store");
    rlx_reply_stream(req, 200, "text/csv; charset=utf-8", read_page, NULL, out);
}

void rlx_api_contacts_export(struct rlx_request *req, void *arg)
{
    send_out(req, arg, false, "attachment; filename=\"contacts.csv\"");
}

void rlx_api_dnc_export(struct rlx_request *req, void *arg)
{
    send_out(req, arg, true, "attachment; filename=\"do-not-call.csv\"");
}
