#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cli/cli.h"

#define OWN_MAX 16

int rlx_cli_fail(const char *format, ...)
{
    va_list args;

    fputs("relayx: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return 1;
}

static const struct rlx_cli_flag *find(const struct rlx_cli_flag *flags, const char *argument,
                                       size_t length)
{
    for (; flags && flags->name; flags++)
        if (strlen(flags->name) == length && !strncmp(flags->name, argument, length))
            return flags;
    return NULL;
}

static void say_unknown(const struct rlx_config *config, const struct rlx_cli_flag *flags,
                        const char *argument)
{
    const char *own[OWN_MAX + 1] = {NULL};
    TALLOC_CTX *ctx = talloc_new(config);

    for (int i = 0; flags && flags[i].name && i < OWN_MAX; i++)
        own[i] = flags[i].name;
    rlx_cli_fail("there is no flag %.*s here; did you mean %s? `relayx --help` lists all",
                 (int)strcspn(argument, "="), argument,
                 rlx_config_nearest_flag(ctx, argument, own));
    talloc_free(ctx);
}

bool rlx_cli_arguments(const struct rlx_config *config, const struct rlx_cli_flag *flags,
                       const char **words, int max, int *countp)
{
    char **rest = rlx_config_rest(config, NULL);
    int count = 0;

    for (; *rest; rest++) {
        size_t length = strcspn(*rest, "=");
        const struct rlx_cli_flag *flag = find(flags, *rest, length);
        if (flag && flag->setp && !(*rest)[length]) {
            *flag->setp = true;
        } else if (flag && flag->valuep && (*rest)[length]) {
            *flag->valuep = *rest + length + 1;
        } else if (flag && flag->valuep && rest[1]) {
            *flag->valuep = *++rest;
        } else if (flag) {
            rlx_cli_fail(flag->setp ? "%s takes no value" : "%s needs a value", flag->name);
            return false;
        } else if (**rest == '-' && (*rest)[1]) {
            say_unknown(config, flags, *rest);
            return false;
        } else if (count == max) {
            rlx_cli_fail("\"%s\" is one argument too many", *rest);
            return false;
        } else {
            words[count++] = *rest;
        }
    }
    if (countp)
        *countp = count;
    return true;
}

char *rlx_cli_password(TALLOC_CTX *ctx, const char *prompt)
{
    struct termios before, quiet;
    char line[256];
    bool hidden = isatty(STDIN_FILENO) && !tcgetattr(STDIN_FILENO, &before);

    if (hidden) {
        fprintf(stderr, "%s: ", prompt);
        quiet = before;
        quiet.c_lflag &= (tcflag_t)~ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    }
    char *got = fgets(line, sizeof line, stdin);
    if (hidden) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        fputc('\n', stderr);
    }
    if (!got)
        return NULL;
    line[strcspn(line, "\r\n")] = '\0';
    return talloc_strdup(ctx, line);
}
