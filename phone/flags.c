#include "flags.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define CALLS_MAX 5000
#define CONCURRENT_MAX 2000

/* A flag's value is the word behind it, or behind its '='. */
struct words {
    char **words;
    int count, at;
    const char *inline_value;
};

static const char *value(struct words *words)
{
    if (words->inline_value)
        return words->inline_value;
    return words->at + 1 < words->count ? words->words[++words->at] : NULL;
}

static int number(struct words *words, unsigned long least, unsigned long most,
                  unsigned long *valuep)
{
    const char *text = value(words);
    char *end = NULL;

    if (!text || *text < '0' || *text > '9')
        return RLX_ECONFIG;
    errno = 0;
    *valuep = strtoul(text, &end, 10);
    return *end || errno || *valuep < least || *valuep > most ? RLX_ECONFIG : 0;
}

static int add_callee(struct rlx_phone_flags *flags, TALLOC_CTX *ctx, struct words *words)
{
    const char *file = value(words);

    if (!file)
        return RLX_ECONFIG;
    flags->callees = talloc_realloc(ctx, flags->callees, char *, flags->callee_count + 1);
    if (!flags->callees)
        return -ENOMEM;
    flags->callees[flags->callee_count++] = talloc_strdup(ctx, file);
    return 0;
}

/* One flag (without its dashes, `length` characters); RLX_ENOTFOUND when it is none of ours. */
static int read_flag(struct rlx_phone_flags *flags, TALLOC_CTX *ctx, const char *name,
                     size_t length, struct words *words)
{
    const struct {
        const char *name;
        const char **valuep;
    } texts[] = {{"webhook", &flags->webhook},
                 {"api", &flags->api},
                 {"agent", &flags->agent},
                 {"token", &flags->token},
                 {"script", &flags->script}};
    const struct {
        const char *name;
        unsigned long least, most;
        uint32_t *valuep;
    } numbers[] = {{"ring-ms", 0, 120000, &flags->ring_ms},
                   {"cps", 0, 1000, &flags->calls_per_second},
                   {"calls", 1, CALLS_MAX, &flags->calls},
                   {"concurrent", 1, CONCURRENT_MAX, &flags->concurrent},
                   {"limit", 1, 3600, &flags->limit_s}};
    unsigned long n = 0;
    int err;

#define IS(text) (strlen(text) == length && strncmp(name, text, length) == 0)
    if (IS("kind"))
        flags->kind = true;
    else if (IS("insecure"))
        flags->insecure = true;
    else if (IS("callee"))
        return add_callee(flags, ctx, words);
    else if (IS("port")) {
        err = number(words, 1, 65535, &n);
        flags->port = (uint16_t)n;
        return err;
    } else if (IS("seed")) {
        err = number(words, 0, ULONG_MAX, &n);
        flags->seed = n;
        return err;
    } else {
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
            if (IS(texts[i].name))
                return (*texts[i].valuep = value(words)) ? 0 : RLX_ECONFIG;
        for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
            if (IS(numbers[i].name)) {
                err = number(words, numbers[i].least, numbers[i].most, &n);
                *numbers[i].valuep = (uint32_t)n;
                return err;
            }
        return RLX_ENOTFOUND;
    }
#undef IS
    return words->inline_value ? RLX_ECONFIG : 0;
}

static int read_word(struct rlx_phone_flags *flags, TALLOC_CTX *ctx, struct words *words,
                     char **whyp)
{
    const char *word = words->words[words->at];
    size_t length;
    int err;

    if (strncmp(word, "--", 2) != 0) {
        if (words->at == 0 && (strcmp(word, "serve") == 0 || strcmp(word, "load") == 0)) {
            flags->load = word[0] == 'l';
            return 0;
        }
        *whyp = talloc_asprintf(ctx,
                                "\"%s\" is not understood: relayx phone [serve|load] [flags], "
                                "see phone/README.md",
                                word);
        return RLX_ECONFIG;
    }
    length = strcspn(word + 2, "=");
    words->inline_value = word[2 + length] ? word + 3 + length : NULL;
    err = read_flag(flags, ctx, word + 2, length, words);
    if (err == RLX_ENOTFOUND)
        *whyp = talloc_asprintf(ctx, "%s is no flag of relayx phone (phone/README.md lists them)",
                                word);
    else if (err)
        *whyp = talloc_asprintf(ctx, "%s has no or a bad value", word);
    return err ? RLX_ECONFIG : 0;
}

int rlx_phone_flags_read(struct rlx_phone_flags *flags, TALLOC_CTX *ctx,
                         const struct rlx_config *config, char **whyp)
{
    struct words words = {0};
    int err = 0;

    memset(flags, 0, sizeof(*flags));
    flags->seed = 1;
    flags->ring_ms = 400;
    flags->calls = 10;
    flags->limit_s = 120;
    words.words = rlx_config_rest(config, &words.count);
    for (words.at = 0; words.at < words.count && !err; words.at++)
        err = read_word(flags, ctx, &words, whyp);
    if (!err && flags->load && !flags->webhook && !(flags->api && flags->agent && flags->token)) {
        *whyp = talloc_strdup(ctx, "load needs --webhook URL, or --api URL --agent ID --token T");
        err = RLX_ECONFIG;
    }
    if (flags->concurrent == 0)
        flags->concurrent = flags->calls < CONCURRENT_MAX ? flags->calls : CONCURRENT_MAX;
    return err;
}
