#include "twiml.h"

#include <errno.h>
#include <expat.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"

#define DOCUMENT_MAX (64 << 10)
#define STEPS_MAX 64
#define PARAMETERS_MAX 64
#define PARAMETER_MAX 500
#define DEPTH_MAX 8
#define TEXT_MAX 4096

struct parse {
    XML_Parser parser;
    struct rlx_twiml *twiml;
    const char *path[DEPTH_MAX]; /* element names from Response down; owned by the twiml */
    int depth;
    int skip;                    /* inside an element that is not understood: how deep */
    struct rlx_twiml_step *open; /* the step whose text is being collected */
    char text[TEXT_MAX];
    size_t text_length;
    int err;
    char *why;
};

static const char *attribute(const char **attributes, const char *name)
{
    for (; attributes[0]; attributes += 2)
        if (strcmp(attributes[0], name) == 0)
            return attributes[1];
    return NULL;
}

static void fail(struct parse *parse, int err, const char *why)
{
    if (parse->err)
        return;
    parse->err = err;
    parse->why = talloc_strdup(parse->twiml, why);
    XML_StopParser(parse->parser, XML_FALSE);
}

static void warn(struct parse *parse, const char *element)
{
    struct rlx_twiml *twiml = parse->twiml;
    char **more;

    if (twiml->warning_count >= STEPS_MAX)
        return;
    more = talloc_realloc(twiml, twiml->warnings, char *, (unsigned)twiml->warning_count + 1);
    if (!more)
        return;
    twiml->warnings = more;
    twiml->warnings[twiml->warning_count++] =
        talloc_asprintf(twiml, "12200: <%.40s> is not understood here", element);
}

static char *copy(struct parse *parse, const char *text)
{
    char *result = text ? talloc_strdup(parse->twiml, text) : NULL;

    if (text && !result)
        fail(parse, -ENOMEM, "out of memory");
    return result;
}

static struct rlx_twiml_step *add_step(struct parse *parse, enum rlx_twiml_verb verb)
{
    struct rlx_twiml *twiml = parse->twiml;
    struct rlx_twiml_step *step;

    if (twiml->count == STEPS_MAX) {
        fail(parse, RLX_EINVAL, "12100: too many verbs");
        return NULL;
    }
    step = &twiml->steps[twiml->count++];
    step->verb = verb;
    return step;
}

static const struct {
    const char *name;
    enum rlx_twiml_verb verb;
    bool has_text;
} verbs[] = {
    {"Say", RLX_TWIML_SAY, true},        {"Pause", RLX_TWIML_PAUSE, false},
    {"Play", RLX_TWIML_PLAY, true},      {"Hangup", RLX_TWIML_HANGUP, false},
    {"Reject", RLX_TWIML_REJECT, false}, {"Redirect", RLX_TWIML_REDIRECT, true},
    {"Dial", RLX_TWIML_DIAL, true},
};

static void open_verb(struct parse *parse, const char *name, const char **attributes)
{
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        struct rlx_twiml_step *step;
        const char *seconds;

        if (strcmp(verbs[i].name, name) != 0)
            continue;
        step = add_step(parse, verbs[i].verb);
        if (!step)
            return;
        step->method = copy(parse, attribute(attributes, "method"));
        step->digits = copy(parse, attribute(attributes, "digits"));
        if (step->verb == RLX_TWIML_REJECT)
            step->text = copy(parse, attribute(attributes, "reason"));
        if (step->verb == RLX_TWIML_DIAL)
            step->url = copy(parse, attribute(attributes, "action"));
        seconds = attribute(attributes, step->verb == RLX_TWIML_DIAL ? "timeout" : "length");
        step->seconds = seconds ? strtod(seconds, NULL) : step->verb == RLX_TWIML_DIAL ? 30 : 1;
        if (!(step->seconds >= 0 && step->seconds <= 600))
            step->seconds = 1;
        if (verbs[i].has_text)
            parse->open = step;
        parse->text_length = 0;
        return;
    }
    if (strcmp(name, "Connect") == 0)
        return;
    warn(parse, name);
    parse->skip = 1;
}

static void open_stream(struct parse *parse, const char **attributes)
{
    const char *url = attribute(attributes, "url");
    struct rlx_twiml_step *step;

    if (!url || (strncmp(url, "wss://", 6) != 0 && strncmp(url, "ws://", 5) != 0)) {
        fail(parse, RLX_EINVAL,
             "31920: a Stream needs a url that begins with wss:// (or ws:// here)");
        return;
    }
    if (strchr(url, '?')) {
        /* Twilio doesn't support query strings here; to accept one would hide a mistake. */
        fail(parse, RLX_EINVAL, "31920: a Stream's url can't have a query string: use Parameter");
        return;
    }
    step = add_step(parse, RLX_TWIML_STREAM);
    if (!step)
        return;
    step->url = copy(parse, url);
    step->text = copy(parse, attribute(attributes, "statusCallback"));
    step->parameters = talloc_zero_array(parse->twiml, struct rlx_twiml_parameter, PARAMETERS_MAX);
    if (!step->parameters)
        fail(parse, -ENOMEM, "out of memory");
}

static void open_parameter(struct parse *parse, const char **attributes)
{
    struct rlx_twiml_step *step = &parse->twiml->steps[parse->twiml->count - 1];
    const char *name = attribute(attributes, "name");
    const char *value = attribute(attributes, "value");

    if (!name || !value) {
        warn(parse, "Parameter");
    } else if (strlen(name) + strlen(value) >= PARAMETER_MAX) {
        fail(parse, RLX_EINVAL,
             "31920: a Parameter's name and value together must stay under 500 characters");
    } else if (step->parameter_count < PARAMETERS_MAX) {
        step->parameters[step->parameter_count].name = copy(parse, name);
        step->parameters[step->parameter_count++].value = copy(parse, value);
    }
}

static void on_start(void *arg, const char *name, const char **attributes)
{
    struct parse *parse = arg;
    int depth = parse->depth;

    if (parse->err)
        return;
    if (parse->skip > 0) {
        parse->skip++;
        return;
    }
    if (depth == DEPTH_MAX) {
        fail(parse, RLX_EINVAL, "12100: the document is nested too deep");
        return;
    }
    parse->path[depth] = copy(parse, name);
    parse->depth++;
    if (depth == 0) {
        if (strcmp(name, "Response") != 0)
            fail(parse, RLX_EINVAL, "12100: the document's root must be Response");
    } else if (depth == 1) {
        open_verb(parse, name, attributes);
    } else if (depth == 2 && strcmp(parse->path[1], "Connect") == 0 &&
               strcmp(name, "Stream") == 0) {
        open_stream(parse, attributes);
    } else if (depth == 3 && strcmp(parse->path[1], "Connect") == 0 &&
               strcmp(name, "Parameter") == 0) {
        open_parameter(parse, attributes);
    } else if (depth == 2 && strcmp(parse->path[1], "Dial") == 0 && strcmp(name, "Number") == 0) {
        parse->text_length = 0;
    } else {
        warn(parse, name);
        parse->skip = 1;
    }
    if (parse->skip > 0)
        parse->depth--;
}

/* Gives the collected text, trimmed, to the step that waits for it. */
static void take_text(struct parse *parse)
{
    struct rlx_twiml_step *step = parse->open;
    char *text = parse->text, *end = parse->text + parse->text_length;

    while (text < end && strchr(" \t\r\n", *text))
        text++;
    while (end > text && strchr(" \t\r\n", end[-1]))
        end--;
    *end = '\0';
    if (step->verb == RLX_TWIML_REDIRECT || (step->verb == RLX_TWIML_PLAY && *text))
        step->url = copy(parse, text);
    else
        step->text = copy(parse, text);
    parse->open = NULL;
}

static void on_end(void *arg, const char *name)
{
    struct parse *parse = arg;

    (void)name;
    if (parse->err)
        return;
    if (parse->skip > 0) {
        parse->skip--;
        return;
    }
    parse->depth--;
    if (parse->depth == 1 && parse->open)
        take_text(parse);
}

static void on_text(void *arg, const char *text, int length)
{
    struct parse *parse = arg;

    if (parse->err || !parse->open || parse->skip > 0)
        return;
    if (parse->text_length + (size_t)length >= TEXT_MAX) {
        fail(parse, RLX_EINVAL, "12100: a text is longer than 4096 bytes");
        return;
    }
    memcpy(parse->text + parse->text_length, text, (size_t)length);
    parse->text_length += (size_t)length;
}

static void on_doctype(void *arg, const char *name, const char *system, const char *public,
                       int internal)
{
    (void)name;
    (void)system;
    (void)public;
    (void)internal;
    fail(arg, RLX_EINVAL, "12100: a document type is not allowed");
}

static int run_parser(struct parse *parse, const char *xml, size_t length)
{
    char why[128];

    XML_SetUserData(parse->parser, parse);
    XML_SetElementHandler(parse->parser, on_start, on_end);
    XML_SetCharacterDataHandler(parse->parser, on_text);
    XML_SetStartDoctypeDeclHandler(parse->parser, on_doctype);
    if (XML_Parse(parse->parser, xml, (int)length, XML_TRUE) == XML_STATUS_OK || parse->err)
        return parse->err;
    (void)snprintf(why, sizeof(why), "12100: the document is not XML: %s in line %lu",
                   XML_ErrorString(XML_GetErrorCode(parse->parser)),
                   XML_GetCurrentLineNumber(parse->parser));
    fail(parse, RLX_EINVAL, why);
    return parse->err;
}

int rlx_twiml_parse(struct rlx_twiml **twimlp, TALLOC_CTX *ctx, const char *xml, size_t length,
                    char **whyp)
{
    struct parse *parse;
    int err = -ENOMEM;

    if (!twimlp || !xml)
        return RLX_EINVAL;
    if (length > DOCUMENT_MAX) {
        if (whyp)
            *whyp = talloc_strdup(ctx, "11700: the document is larger than 64 KB");
        return RLX_EINVAL;
    }
    parse = talloc_zero(ctx, struct parse);
    if (!parse)
        return -ENOMEM;
    parse->twiml = talloc_zero(parse, struct rlx_twiml);
    parse->parser = XML_ParserCreate("UTF-8");
    if (parse->twiml && parse->parser) {
        parse->twiml->steps = talloc_zero_array(parse->twiml, struct rlx_twiml_step, STEPS_MAX);
        if (parse->twiml->steps)
            err = run_parser(parse, xml, length);
    }
    if (parse->parser)
        XML_ParserFree(parse->parser);
    if (err == 0)
        *twimlp = talloc_steal(ctx, parse->twiml);
    else if (whyp && parse->why)
        *whyp = talloc_steal(ctx, parse->why);
    talloc_free(parse);
    return err;
}
