#include "flags.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "phone.h"

#define CALLS_MAX 5000
#define CONCURRENT_MAX 2000

/* A flag's value is the word behind it, or behind its '='. */
struct words {
    char **words;
    int count, at;
    const char *inline_value;
    /* of the flag that is read now, for messages */
    const char *given;         /* its value, NULL = it has none */
    unsigned long least, most; /* of a number; most 0 = it is none */
};

static const char *value(struct words *words)
{
    if (words->inline_value)
        words->given = words->inline_value;
    else if (words->at + 1 < words->count)
        words->given = words->words[++words->at];
    return words->given;
}

static int number(struct words *words, unsigned long least, unsigned long most,
                  unsigned long *valuep)
{
    const char *text = value(words);
    char *end = NULL;

    words->least = least;
    words->most = most;
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
    words->given = words->inline_value;
    return words->inline_value ? RLX_ECONFIG : 0;
}

/* What is wrong with the flag that was read last. */
static char *explain(TALLOC_CTX *ctx, const struct words *words, const char *name, size_t length)
{
    const char *given = words->given;

    if (!words->most && given)
        return talloc_asprintf(ctx, "--%.*s takes no value, but \"%s\" is given", (int)length, name,
                               given);
    if (!words->most)
        return talloc_asprintf(ctx, "--%.*s needs a value", (int)length, name);
    char *range = words->most == ULONG_MAX
                      ? talloc_strdup(ctx, "a whole number")
                      : talloc_asprintf(ctx, "a number from %lu to %lu", words->least, words->most);
    if (!given)
        return talloc_asprintf(ctx, "--%.*s needs a value: %s", (int)length, name, range);
    return talloc_asprintf(ctx, "--%.*s \"%s\" is not understood: it must be %s", (int)length, name,
                           given, range);
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
                                "see `relayx phone --help`",
                                word);
        return RLX_ECONFIG;
    }
    length = strcspn(word + 2, "=");
    words->inline_value = word[2 + length] ? word + 3 + length : NULL;
    words->given = NULL;
    words->least = words->most = 0;
    err = read_flag(flags, ctx, word + 2, length, words);
    if (err == RLX_ENOTFOUND)
        *whyp = talloc_asprintf(
            ctx, "%s is no flag of relayx phone; `relayx phone --help` lists them", word);
    else if (err == RLX_ECONFIG)
        *whyp = explain(ctx, words, word + 2, length);
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

void rlx_phone_help(FILE *out)
{
    fputs("flags of both:\n"
          "  --kind               a perfect line for all calls\n"
          "  --seed N             all randomness of the line follows from it (1)\n"
          "  --ring-ms N          ring time when a script names none (400)\n"
          "  --cps N              calls started per second; 0 = no limit (0)\n"
          "  --port N             same as --phone-port\n"
          "  --insecure           accept any certificate of a wss server\n"
          "flags of serve (the default; it prints one line that begins with `ready`):\n"
          "  --callee FILE        registers a callee's script at the start; may be repeated\n"
          "flags of load (places calls and prints one JSON object of figures):\n"
          "  --webhook URL        asks the gateway for TwiML; {n} in it is the call's number; or\n"
          "  --api URL --agent ID --token T\n"
          "                       places them through POST /calls/outbound\n"
          "  --script FILE        the callee of all calls\n"
          "  --calls N            how many, at most 5000 (10)\n"
          "  --concurrent N       at a time, at most 2000 (all)\n"
          "  --limit S            hangs a call up after so many seconds (120)\n\n",
          out);
}
