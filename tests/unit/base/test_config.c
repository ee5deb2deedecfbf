#include "../rlx_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/config.h"
#include "base/err.h"

static char folder[] = "/tmp/rlx-config-XXXXXX";

static void write_env_file(const char *text)
{
    FILE *file = fopen(".env", "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int open_clean(void **state)
{
    unlink(".env");
    for (int i = 0; i < RLX_CFG_COUNT; i++)
        unsetenv(rlx_config_name((enum rlx_setting)i));
    unsetenv("RELAYX_PROT");
    return rlx_test_open(state);
}

#define CLEAN_TEST(function) cmocka_unit_test_setup_teardown(function, open_clean, rlx_test_close)

static struct rlx_config *load(void *ctx, int argc, const char *const *argv)
{
    struct rlx_config *config = NULL;
    char *why = NULL;
    int err = rlx_config_load(&config, ctx, argc, (char **)(uintptr_t)argv, &why);

    if (err)
        print_message("%s\n", why ? why : "-");
    assert_int_equal(err, 0);
    return config;
}

static const char *refusal(void *ctx, int argc, const char *const *argv)
{
    struct rlx_config *config = NULL;
    char *why = NULL;

    assert_int_equal(rlx_config_load(&config, ctx, argc, (char **)(uintptr_t)argv, &why),
                     RLX_ECONFIG);
    assert_non_null(why);
    return why;
}

static void defaults(void **state)
{
    struct rlx_config *config = load(*state, 0, NULL);

    assert_string_equal(rlx_config_get(config, RLX_CFG_DATA), "data");
    assert_int_equal(rlx_config_int(config, RLX_CFG_API_PORT), 8000);
    assert_true(rlx_config_bool(config, RLX_CFG_LOCAL));
    assert_false(rlx_config_bool(config, RLX_CFG_SIMULATOR));
    assert_false(rlx_config_is_set(config, RLX_CFG_DATA));
    assert_string_equal(rlx_config_get(config, RLX_CFG_OPENAI_API_KEY), "");
}

static void flags_win_over_environment_over_file(void **state)
{
    const char *argv[] = {"--api-port", "7001"};

    write_env_file("RELAYX_API_PORT=5001\nRELAYX_GATEWAY_PORT=5002\nRELAYX_PHONE_PORT=5003\n");
    setenv("RELAYX_API_PORT", "6001", 1);
    setenv("RELAYX_GATEWAY_PORT", "6002", 1);
    struct rlx_config *config = load(*state, 2, argv);
    assert_int_equal(rlx_config_int(config, RLX_CFG_API_PORT), 7001);
    assert_int_equal(rlx_config_int(config, RLX_CFG_GATEWAY_PORT), 6002);
    assert_int_equal(rlx_config_int(config, RLX_CFG_PHONE_PORT), 5003);
}

static void flag_forms(void **state)
{
    const char *argv[] = {"+12025550123",   "--data=/x y", "--no-local",
                          "--exit",         "--simulator", "--openai-base-url",
                          "http://h:1/v1/", "--agent",     "Ann",
                          "--log-json=no",  "--",          "--data=z"};
    struct rlx_config *config = load(*state, 12, argv);
    int count;
    char **rest = rlx_config_rest(config, &count);

    assert_string_equal(rlx_config_get(config, RLX_CFG_DATA), "/x y");
    assert_false(rlx_config_bool(config, RLX_CFG_LOCAL));
    assert_true(rlx_config_bool(config, RLX_CFG_SIMULATOR));
    assert_false(rlx_config_bool(config, RLX_CFG_LOG_JSON));
    assert_string_equal(rlx_config_get(config, RLX_CFG_OPENAI_BASE_URL), "http://h:1/v1");
    assert_int_equal(count, 5);
    assert_string_equal(rest[0], "+12025550123");
    assert_string_equal(rest[1], "--exit");
    assert_string_equal(rest[2], "--agent");
    assert_string_equal(rest[3], "Ann");
    assert_string_equal(rest[4], "--data=z");
    assert_null(rest[5]);
}

static void env_file_syntax(void **state)
{
    write_env_file("\xef\xbb\xbf# a comment\n\n  export TWILIO_ACCOUNT_SID = AC1 # not this\r\n"
                   "TWILIO_AUTH_TOKEN='a # \\n b'\nOPENAI_LLM_MODEL=\"x\\ty\\\"z\" # comment\n"
                   "OPENAI_API_KEY=\nOTHER_PROGRAM=1\nSIGNUP=a#b");
    struct rlx_config *config = load(*state, 0, NULL);
    assert_string_equal(rlx_config_get(config, RLX_CFG_TWILIO_ACCOUNT_SID), "AC1");
    assert_string_equal(rlx_config_get(config, RLX_CFG_TWILIO_AUTH_TOKEN), "a # \\n b");
    assert_string_equal(rlx_config_get(config, RLX_CFG_OPENAI_LLM_MODEL), "x\ty\"z");
    assert_string_equal(rlx_config_get(config, RLX_CFG_SIGNUP), "a#b");
    assert_false(rlx_config_is_set(config, RLX_CFG_OPENAI_API_KEY));
}

static void env_file_mistakes_name_the_line(void **state)
{
    write_env_file("A=1\nnonsense\n");
    assert_non_null(strstr(refusal(*state, 0, NULL), ".env line 2"));
    write_env_file("SIGNUP=\"open\n");
    assert_non_null(strstr(refusal(*state, 0, NULL), "quote"));
    write_env_file("SIGNUP='open'x\n");
    assert_non_null(strstr(refusal(*state, 0, NULL), "quote"));
    write_env_file("RELAYX_DATE=x\n");
    assert_non_null(strstr(refusal(*state, 0, NULL), "RELAYX_DATA"));
    write_env_file("=x\n");
    assert_non_null(strstr(refusal(*state, 0, NULL), ".env line 1"));
}

static void unknown_names_suggest_the_nearest(void **state)
{
    setenv("RELAYX_PROT", "1", 1);
    assert_non_null(strstr(refusal(*state, 0, NULL), "RELAYX_PROT"));
    unsetenv("RELAYX_PROT");
    setenv("RELAYX_CACHE", "/c", 1); /* the set-up's, not this program's */
    load(*state, 0, NULL);
    unsetenv("RELAYX_CACHE");
    assert_string_equal(rlx_config_nearest_flag(*state, "--api-prot", NULL), "--api-port");
    const char *own[] = {"--exit", "--json", NULL};
    assert_string_equal(rlx_config_nearest_flag(*state, "--jsn", own), "--json");
}

static void wrong_values_are_refused(void **state)
{
    const char *port[] = {"--api-port=70000"}, *text[] = {"--api-port", "80a"},
               *none[] = {"--data"}, *next[] = {"--data", "--json"},
               *boolean[] = {"--local=perhaps"}, *url[] = {"--openai-base-url=host"},
               *key[] = {"--jwt-secret-key=short"},
               *supabase[] = {"--supabase-url=https://x.supabase.co"};

    assert_non_null(strstr(refusal(*state, 1, port), "0 to 65535"));
    assert_non_null(strstr(refusal(*state, 2, text), "RELAYX_API_PORT"));
    assert_non_null(strstr(refusal(*state, 1, none), "needs a value"));
    assert_non_null(strstr(refusal(*state, 2, next), "needs a value"));
    assert_non_null(strstr(refusal(*state, 1, boolean), "true or false"));
    assert_non_null(strstr(refusal(*state, 1, url), "URL"));
    const char *why = refusal(*state, 1, key);
    assert_non_null(strstr(why, "32"));
    assert_null(strstr(why, "short"));
    assert_non_null(strstr(refusal(*state, 1, supabase), "connection string"));
}

static void printing_masks_secrets(void **state)
{
    const char *argv[] = {"--openai-api-key=sk-very-secret",
                          "--database-url=postgresql://user:pass%40word@db.example/x"};
    struct rlx_config *config = load(*state, 2, argv);
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    rlx_config_print(config, out);
    rlx_config_help(out);
    fclose(out);
    assert_null(strstr(text, "very-secret"));
    assert_null(strstr(text, "pass%40word"));
    assert_non_null(strstr(text, "postgresql://user:********@db.example/x"));
    assert_non_null(strstr(text, "[flag]"));
    assert_non_null(strstr(text, "--api-port"));
    free(text);
}

static void set_reaches_children(void **state)
{
    struct rlx_config *config = load(*state, 0, NULL);

    assert_int_equal(rlx_config_set(config, RLX_CFG_API_PORT, "9000"), 0);
    assert_int_equal(rlx_config_int(config, RLX_CFG_API_PORT), 9000);
    assert_string_equal(getenv("RELAYX_API_PORT"), "9000");
    const char *argv[] = {"--gateway-port=9001"};
    assert_int_equal(rlx_config_export(load(*state, 1, argv)), 0);
    assert_string_equal(getenv("RELAYX_GATEWAY_PORT"), "9001");
    assert_null(getenv("RELAYX_PHONE_PORT"));
    assert_int_equal(rlx_config_set(config, RLX_CFG_API_PORT, "x"), RLX_ECONFIG);
    assert_int_equal(rlx_config_int(config, RLX_CFG_API_PORT), 9000);
}

static void directories(void **state)
{
    const char *argv[] = {"--data=a/b/c"};
    struct rlx_config *config = load(*state, 1, argv);
    struct stat status;
    char *why = NULL;

    assert_int_equal(rlx_config_make_dirs(config, *state, &why), 0);
    assert_int_equal(rlx_config_make_dirs(config, *state, &why), 0);
    assert_int_equal(stat("a/b/c/recordings", &status), 0);
    assert_int_equal(stat("a/b/c/speech", &status), 0);
    assert_int_equal(stat("a/b/c/spool", &status), 0);
    assert_string_equal(rlx_config_path(config, *state, "x.db"), "a/b/c/x.db");
    fclose(fopen("file", "w"));
    const char *bad[] = {"--data=file"};
    config = load(*state, 1, bad);
    assert_int_equal(rlx_config_make_dirs(config, *state, &why), RLX_ECONFIG);
    assert_non_null(strstr(why, "--data"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLEAN_TEST(defaults),
        CLEAN_TEST(flags_win_over_environment_over_file),
        CLEAN_TEST(flag_forms),
        CLEAN_TEST(env_file_syntax),
        CLEAN_TEST(env_file_mistakes_name_the_line),
        CLEAN_TEST(unknown_names_suggest_the_nearest),
        CLEAN_TEST(wrong_values_are_refused),
        CLEAN_TEST(printing_masks_secrets),
        CLEAN_TEST(set_reaches_children),
        CLEAN_TEST(directories),
    };

    if (!mkdtemp(folder) || chdir(folder))
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(".env");
    unlink("file");
    rmdir("a/b/c/recordings");
    rmdir("a/b/c/speech");
    rmdir("a/b/c/spool");
    rmdir("a/b/c");
    rmdir("a/b");
    rmdir("a");
    return chdir("/") || rmdir(folder) ? 1 : failed;
}
