/* Configuration: flags, then environment, then a .env file, then defaults; one table (config_table.h) names everything.
 *
 * A flag is the setting's name in lower case with dashes and without RELAYX_ (RELAYX_API_PORT = --api-port, OPENAI_BASE_URL =
 * --openai-base-url); a BOOL takes --name, --no-name or --name=false. Values are checked by their kind when they are
 * read. An empty value means "not set". Unknown RELAYX_* variables are an error that names the nearest known setting;
 * flags that are no setting are the command's own (rlx_config_rest), which refuses those that it does not know with the
 * help of rlx_config_nearest_flag.
 */
#ifndef RLX_BASE_CONFIG_H
#define RLX_BASE_CONFIG_H

#include <stdbool.h>
#include <stdio.h>
#include <talloc.h>

#include "base/config_table.h"

enum rlx_setting {
#define RLX_SETTING_ENUM(id, name, kind, fallback, help) RLX_CFG_##id,
    RLX_CONFIG_TABLE(RLX_SETTING_ENUM)
#undef RLX_SETTING_ENUM
        RLX_CFG_COUNT
};

struct rlx_config;

/* Reads everything. `argv` holds the arguments after the command; those that are no setting's flag are kept and come
 * back from rlx_config_rest in order. On RLX_ECONFIG *whyp (on ctx) says what is wrong and how to mend it. */
int rlx_config_load(struct rlx_config **configp, TALLOC_CTX *ctx, int argc, char **argv,
                    char **whyp) __attribute__((warn_unused_result));

/* The value as text: never NULL, "" when it is not set and has no default. Owned by the configuration. Any thread. */
const char *rlx_config_get(const struct rlx_config *config, enum rlx_setting setting);
long rlx_config_int(const struct rlx_config *config, enum rlx_setting setting);
bool rlx_config_bool(const struct rlx_config *config, enum rlx_setting setting);
bool rlx_config_is_set(const struct rlx_config *config, enum rlx_setting setting);

/* Changes a value in this process and, for children, in its environment. Before threads start. */
int rlx_config_set(struct rlx_config *config, enum rlx_setting setting, const char *value);

/* A copy on ctx (without the command's arguments), and a value changed in one such copy alone: not in the environment. `value` is
 * not checked; "" = not set. */
int rlx_config_copy(struct rlx_config **copyp, TALLOC_CTX *ctx, const struct rlx_config *config)
    __attribute__((warn_unused_result));
int rlx_config_override(struct rlx_config *copy, enum rlx_setting setting, const char *value)
    __attribute__((warn_unused_result));

/* Puts every setting that is set into the environment, so that programs started from here get the same configuration as
 * this one, its flags included. Before threads start. */
int rlx_config_export(const struct rlx_config *config);

/* Arguments that were no setting (positional words and the command's own flags), NULL-terminated. */
char **rlx_config_rest(const struct rlx_config *config, int *countp);

/* "--api-port" for "--api-prot": the setting's flag, or the one of `own` (NULL-terminated, may be NULL), that is nearest
 * by edit distance. On ctx. */
char *rlx_config_nearest_flag(TALLOC_CTX *ctx, const char *flag, const char *const *own);

/* Takes the settings of a .env file's text in, as rlx_config_load does: NAME=value lines, "export " before them, # for
 * comments, '…' as it stands, "…" with \n \t \r \" \\. RLX_ECONFIG with *whyp names the line. */
int rlx_config_parse_env(struct rlx_config *config, const char *text, TALLOC_CTX *ctx, char **whyp);

/* Prints every setting with its value (secrets masked) and where it came from. */
void rlx_config_print(const struct rlx_config *config, FILE *out);
/* Prints the table for --help. */
void rlx_config_help(FILE *out);
/* The setting's environment name. */
const char *rlx_config_name(enum rlx_setting setting);

/* Makes sure that the data directory and its parts exist (recordings/, speech/, spool/); on RLX_ECONFIG *whyp says why. */
int rlx_config_make_dirs(const struct rlx_config *config, TALLOC_CTX *ctx, char **whyp);
/* A path inside the data directory, on ctx. */
char *rlx_config_path(const struct rlx_config *config, TALLOC_CTX *ctx, const char *relative);

#endif
