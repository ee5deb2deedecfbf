/* DOCX (ECMA-376): a zip archive whose word/document.xml holds the text. */
#include <errno.h>
#include <libxml/xmlreader.h>
#include <string.h>
#include <zip.h>

#include "base/err.h"
#include "extract/private.h"

#define XML_MAX                                                                                    \
    (40u << 20) /* of the unpacked document: text of a million bytes fits in, a zip bomb does not  \
                 */
#define ENTRIES_MAX 5000

static int refuse(struct rlx_extracted *out, char **whyp, const char *why)
{
    *whyp = talloc_strdup(out, why);
    return RLX_EINVAL;
}

/* Unpacks one entry whole. What the archive says of its size is not believed. */
static int unpack(char **xmlp, size_t *lengthp, struct rlx_extracted *out, zip_t *zip,
                  const char *name, char **whyp)
{
    zip_stat_t stat;

    if (zip_stat(zip, name, 0, &stat))
        return RLX_ENOTFOUND;
    if ((stat.valid & ZIP_STAT_ENCRYPTION_METHOD) && stat.encryption_method != ZIP_EM_NONE)
        return refuse(out, whyp, "the file is encrypted; save it without a password");
    zip_file_t *file = zip_fopen(zip, name, 0);
    if (!file)
        return refuse(out, whyp, "the file is broken: its text can't be unpacked");
    size_t capacity = 256 << 10, length = 0;
    char *xml = talloc_size(out, capacity);
    zip_int64_t n = 0;
    while (xml && (n = zip_fread(file, xml + length, capacity - length)) > 0) {
        length += (size_t)n;
        if (length > XML_MAX)
            break;
        if (length == capacity)
            xml = talloc_realloc_size(out, xml, capacity *= 2);
    }
    zip_fclose(file);
    if (!xml)
        return -ENOMEM;
    if (n < 0 || length > XML_MAX) {
        talloc_free(xml);
        return refuse(out, whyp,
                      n < 0 ? "the file is broken: its text can't be unpacked"
                            : "the file is many times larger unpacked than a document is");
    }
    *xmlp = xml;
    *lengthp = length;
    return 0;
}

static void be_quiet(void *arg, xmlErrorPtr error)
{
    (void)arg;
    (void)error;
}

struct body {
    struct rlx_sink sink;
    int text;   /* inside of w:t */
    int skip;   /* depth of an element that is left out, -1 none */
    bool title; /* the paragraph is of the style Title */
    size_t paragraph_from;
};

static bool is(const xmlChar *name, const char *wanted)
{
    return name && !strcmp((const char *)name, wanted);
}

static void paragraph_end(struct rlx_extracted *out, struct body *body)
{
    if (body->title && !out->title && body->sink.length > body->paragraph_from)
        out->title = rlx_extract_title(out, body->sink.text + body->paragraph_from,
                                       body->sink.length - body->paragraph_from);
    body->title = false;
}

static void element(struct rlx_extracted *out, struct body *body, xmlTextReaderPtr reader, bool end)
{
    const xmlChar *name = xmlTextReaderConstLocalName(reader);
    bool empty = !end && xmlTextReaderIsEmptyElement(reader);

    (void)out;
    if (is(name, "t")) {
        body->text = !end && !empty;
    } else if (is(name, "p")) {
        if (end || empty) {
            paragraph_end(out, body);
            rlx_sink_add(&body->sink, "\n\n", 2);
        } else {
            body->paragraph_from = body->sink.length;
        }
    } else if (end) {
        if (is(name, "tr"))
            rlx_sink_break(&body->sink, 1);
    } else if (is(name, "tab")) {
        rlx_sink_add(&body->sink, "\t", 1);
    } else if (is(name, "br") || is(name, "cr")) {
        rlx_sink_add(&body->sink, "\n", 1);
    } else if (is(name, "pStyle")) {
        xmlChar *style = xmlTextReaderGetAttribute(reader, (const xmlChar *)"w:val");
        body->title = style && (is(style, "Title") || is(style, "Heading1"));
        xmlFree(style);
    } else if ((is(name, "del") || is(name, "instrText") || is(name, "delText") ||
                is(name, "Fallback")) &&
               !empty) {
        body->skip = xmlTextReaderDepth(reader);
    }
}

/* One node of the document; false to stop. */
static bool node(struct rlx_extracted *out, struct body *body, xmlTextReaderPtr reader)
{
    int type = xmlTextReaderNodeType(reader), depth = xmlTextReaderDepth(reader);

    if (type == XML_READER_TYPE_DOCUMENT_TYPE || type == XML_READER_TYPE_ENTITY_REFERENCE)
        return false;
    if (body->skip >= 0) {
        if (type == XML_READER_TYPE_END_ELEMENT && depth == body->skip)
            body->skip = -1;
        return true;
    }
    if (type == XML_READER_TYPE_ELEMENT || type == XML_READER_TYPE_END_ELEMENT)
        element(out, body, reader, type == XML_READER_TYPE_END_ELEMENT);
    else if (body->text && (type == XML_READER_TYPE_TEXT || type == XML_READER_TYPE_CDATA ||
                            type == XML_READER_TYPE_SIGNIFICANT_WHITESPACE ||
                            type == XML_READER_TYPE_WHITESPACE)) {
        const xmlChar *text = xmlTextReaderConstValue(reader);
        if (text)
            rlx_sink_text(&body->sink, (const char *)text);
    }
    return !body->sink.full && !body->sink.failed;
}

int rlx_extract_docx_xml(struct rlx_extracted *out, const char *xml, size_t length, char **whyp)
{
    struct body body = {.sink = {.ctx = out}, .skip = -1};
    bool refused = false;
    int more = 1;

    /* No network, no DTD, no entities: the defaults of libxml2 with NONET. Nesting beyond 256 is
     * refused by it. */
    xmlTextReaderPtr reader =
        xmlReaderForMemory(xml, (int)length, NULL, NULL, XML_PARSE_NONET | XML_PARSE_COMPACT);
    if (!reader)
        return -ENOMEM;
    xmlTextReaderSetStructuredErrorHandler(reader, be_quiet, NULL);
    while (!refused && (more = xmlTextReaderRead(reader)) == 1)
        refused = !node(out, &body, reader);
    xmlFreeTextReader(reader);
    if (body.sink.failed)
        return -ENOMEM;
    if (body.sink.full)
        return refuse(out, whyp,
                      "it holds more than 1000000 bytes of text; split it into smaller files");
    if (refused || more < 0)
        return refuse(out, whyp, "the file is broken: its document.xml is not what Word writes");
    out->text = body.sink.text;
    return 0;
}

int rlx_extract_docx(struct rlx_extracted *out, const char *data, size_t length, char **whyp)
{
    zip_error_t error;
    char *xml = NULL;
    size_t xml_length = 0;

    zip_error_init(&error);
    zip_source_t *source = zip_source_buffer_create(data, length, 0, &error);
    zip_t *zip = source ? zip_open_from_source(source, ZIP_RDONLY, &error) : NULL;
    zip_error_fini(&error);
    if (!zip) {
        zip_source_free(source);
        return refuse(out, whyp, "the file is broken: it is no Word document (.docx)");
    }
    int err = zip_get_num_entries(zip, 0) > ENTRIES_MAX
                  ? refuse(out, whyp, "the file holds more parts than a document has")
                  : unpack(&xml, &xml_length, out, zip, "word/document.xml", whyp);
    zip_discard(zip);
    if (err == RLX_ENOTFOUND)
        return refuse(out, whyp, "the file is a zip archive but no Word document (.docx)");
    if (!err)
        err = rlx_extract_docx_xml(out, xml, xml_length, whyp);
    talloc_free(xml);
    return err;
}
