/* The demo's files: those that are built in, and those that the user gives. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "cli/demo.h"
#ifdef RLX_HAVE_PHONE
#include "phone/script.h"
#endif

#define FILE_MAX (1u << 20)
#define KNOWLEDGE_EXAMPLE                                                                          \
    "[{\"title\": \"Hours\", \"content\": \"We are open from nine to five.\", "                    \
    "\"questions\": [\"When are you open?\", \"What are your hours?\"]}]"

/* A file of src/cli/demo/ as a text in the program. */
#define BUILT_IN(symbol, file)                                                                     \
    __asm__(".section .rodata\n.global " #symbol "\n" #symbol ":\n.incbin \"" RLX_DEMO_DIR         \
            "/" file "\"\n.byte 0\n.previous\n")

BUILT_IN(rlx_demo_agent, "agent.json");
BUILT_IN(rlx_demo_knowledge, "knowledge.json");
BUILT_IN(rlx_demo_callee, "callee.txt");

/* The file's text, or the one that is built in. */
static int read_text(const char **textp, TALLOC_CTX *ctx, const char *file, const char *built_in,
                     char **whyp)
{
    struct stat status;
    FILE *in = file ? fopen(file, "re") : NULL;
    char *text = in ? talloc_size(ctx, FILE_MAX + 1) : NULL;
    size_t n = 0;

    *textp = built_in;
    if (!file)
        return 0;
    if (in && !fstat(fileno(in), &status) && S_ISDIR(status.st_mode))
        *whyp = talloc_asprintf(ctx, "%s is a directory: give a file", file);
    else if (!text || ((n = fread(text, 1, FILE_MAX + 1, in)) == 0 && ferror(in)))
        *whyp = talloc_asprintf(ctx, "%s can't be read: %s", file, rlx_err_text(-errno));
    else if (n > FILE_MAX)
        *whyp = talloc_asprintf(ctx, "%s is larger than %u KiB", file, FILE_MAX >> 10);
    else if (memchr(text, 0, n))
        *whyp = talloc_asprintf(ctx, "%s is no text: it has a NUL byte", file);
    if (in)
        fclose(in);
    if (*whyp)
        return RLX_EINVAL;
    text[n] = '\0';
    *textp = text;
    return 0;
}

/* ---- the callee ---- */

static int check_callee(TALLOC_CTX *ctx, const char *text, char **whyp)
{
#ifdef RLX_HAVE_PHONE
    struct rlx_script *script = NULL;
    int err = rlx_script_parse(&script, ctx, text, whyp);

    talloc_free(script);
    return err;
#else
    (void)ctx;
    (void)text;
    (void)whyp;
    return 0;
#endif
}

int rlx_demo_read_callee(const char **textp, TALLOC_CTX *ctx, const char *file, char **whyp)
{
    const char *name = file ? file : "the callee's script";
    char *why = NULL;
    int err = read_text(textp, ctx, file, rlx_demo_callee, whyp);

    if (err)
        return err;
    json_t *utf8 = json_string(*textp);
    if (!(*textp)[strspn(*textp, " \t\r\n")])
        why = talloc_strdup(ctx, "it is empty");
    else if (!utf8)
        why = talloc_strdup(ctx, "it is not UTF-8");
    else
        err = check_callee(ctx, *textp, &why);
    json_decref(utf8);
    if (!why && !err)
        return 0;
    *whyp = talloc_asprintf(ctx,
                            "%s: %s; phone/README.md has all directives, for example:\n"
                            "    say Hello?\n    wait\n    say When are you open?\n    wait\n"
                            "    say Thank you, goodbye.\n    end",
                            name, why ? why : rlx_err_text(err));
    return RLX_EINVAL;
}

/* ---- the agent ---- */

int rlx_demo_read_agent(json_t **bodyp, TALLOC_CTX *ctx, const char *file, char **whyp)
{
    const char *text;
    json_error_t error;
    int err = read_text(&text, ctx, file, rlx_demo_agent, whyp);

    if (err)
        return err;
    *bodyp = json_loads(text, 0, &error);
    if (json_is_object(*bodyp))
        return 0;
    const char *name = file ? file : "the agent";
    if (*bodyp)
        *whyp = talloc_asprintf(ctx,
                                "%s: it must be an object: {\"name\": \"Ava\", "
                                "\"prompt_text\": \"You are …\", …}",
                                name);
    else
        *whyp = talloc_asprintf(ctx, "%s line %d: %s", name, error.line, error.text);
    json_decref(*bodyp);
    *bodyp = NULL;
    return RLX_EINVAL;
}

/* ---- the knowledge ---- */

static const json_t *first_of(const json_t *object, const char *const *keys)
{
    for (; *keys; keys++)
        if (json_object_get(object, *keys))
            return json_object_get(object, *keys);
    return NULL;
}

/* People write such files from memory: the obvious other names are understood too. */
static json_t *read_entry(const json_t *entry)
{
    static const char *const contents[] = {"content", "answer", "text", "say", NULL};
    static const char *const asks[] = {"questions", "ways_to_ask", "ways to ask", "ask", NULL};
    static const char *const titles[] = {"title", "name", "topic", NULL};
    const char *content = json_string_value(first_of(entry, contents));
    const char *title = json_string_value(first_of(entry, titles));
    json_t *questions = (json_t *)(uintptr_t)first_of(entry, asks);

    if (!content || !*content)
        return NULL;
    if (!title && json_is_array(questions))
        title = json_string_value(json_array_get(questions, 0));
    json_t *body =
        json_pack("{s:s, s:s}", "title", title ? title : "Knowledge", "content", content);
    if (body && json_is_array(questions) && json_array_size(questions)) {
        json_object_set_new(body, "source_type", json_string("answer"));
        json_object_set(body, "questions", questions);
    }
    return body;
}

int rlx_demo_read_knowledge(json_t **knowledgep, TALLOC_CTX *ctx, const char *text, char **whyp)
{
    static const char *const lists[] = {"knowledge", "entries", "answers", NULL};
    json_error_t error;
    json_t *json = json_loads(text, 0, &error), *bodies = json_array();
    const json_t *list = json_is_array(json) ? json : first_of(json, lists), *entry;
    int err = 0;
    size_t i;

    if (!json)
        *whyp = talloc_asprintf(ctx, "line %d: %s", error.line, error.text);
    else if (!json_is_array(list))
        *whyp = talloc_strdup(ctx, "it must be an array");
    else if (!json_array_size(list))
        *whyp = talloc_strdup(ctx, "it has no entry");
    if (!json_is_array(list) || !json_array_size(list))
        err = RLX_EINVAL;
    json_array_foreach (list, i, entry) {
        json_t *body = err ? NULL : read_entry(entry);
        if (body) {
            json_array_append_new(bodies, body);
        } else if (!err) {
            *whyp = talloc_asprintf(ctx, "entry %zu has no \"content\"", i + 1);
            err = RLX_EINVAL;
        }
    }
    json_decref(json);
    if (err)
        json_decref(bodies);
    else
        *knowledgep = bodies;
    return err;
}

int rlx_demo_read_entries(json_t **knowledgep, TALLOC_CTX *ctx, const char *file, char **whyp)
{
    const char *text;
    char *why = NULL;
    int err = read_text(&text, ctx, file, rlx_demo_knowledge, whyp);

    if (!err && (err = rlx_demo_read_knowledge(knowledgep, ctx, text, &why)))
        *whyp = talloc_asprintf(ctx, "%s: %s", file ? file : "the knowledge",
                                why ? why : rlx_err_text(err));
    if (err && *whyp)
        *whyp =
            talloc_asprintf(ctx, "%s; expected is a JSON file like\n    " KNOWLEDGE_EXAMPLE, *whyp);
    return err;
}
