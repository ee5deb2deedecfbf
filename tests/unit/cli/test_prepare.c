/* Keys and accounts that are made once, the models file, the commands' own flags. */
#include "../rlx_test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/cli.h"
#include "cli/prepare.h"

static char folder[] = "/tmp/rlx-prepare-XXXXXX";

static int open_clean(void **state)
{
    for (int i = 0; i < RLX_CFG_COUNT; i++)
        unsetenv(rlx_config_name((enum rlx_setting)i));
    return rlx_test_open(state);
}

#define CLEAN_TEST(function) cmocka_unit_test_setup_teardown(function, open_clean, rlx_test_close)

static struct rlx_config *load(void *ctx, const char *const *argv)
{
    struct rlx_config *config = NULL;
    char *why = NULL;
    int argc = 0;

    while (argv[argc])
        argc++;
    assert_int_equal(rlx_config_load(&config, ctx, argc, (char **)(uintptr_t)argv, &why), 0);
    return config;
}

static void the_key_is_made_once(void **state)
{
    const char *argv[] = {"--data=d", NULL};
    char *why = NULL;
    struct stat status;
    struct rlx_config *config = load(*state, argv);

    assert_int_equal(rlx_prepare_keys(config, *state, &why), 0);
    const char *key = talloc_strdup(*state, rlx_config_get(config, RLX_CFG_JWT_SECRET_KEY));
    assert_true(strlen(key) >= 32);
    assert_int_equal(stat("d/jwt.key", &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    unsetenv("JWT_SECRET_KEY");
    config = load(*state, argv);
    assert_int_equal(rlx_prepare_keys(config, *state, &why), 0);
    assert_string_equal(rlx_config_get(config, RLX_CFG_JWT_SECRET_KEY), key);
    unsetenv("JWT_SECRET_KEY");
    FILE *file = fopen("d/jwt.key", "w");
    fputs("short\n", file);
    fclose(file);
    config = load(*state, argv);
    assert_int_equal(rlx_prepare_keys(config, *state, &why), RLX_ECONFIG);
    assert_non_null(strstr(why, "remove it"));
    unlink("d/jwt.key");
}

static void a_server_database_needs_a_given_key(void **state)
{
    const char *argv[] = {"--data=d", "--database-url=postgresql://db/x", NULL};
    struct rlx_config *config = load(*state, argv);
    char *why = NULL;

    assert_true(rlx_prepare_is_production(config));
    assert_int_equal(rlx_prepare_keys(config, *state, &why), RLX_ECONFIG);
    assert_non_null(strstr(why, "JWT_SECRET_KEY"));
}

static void the_simulator_stands_in(void **state)
{
    const char *argv[] = {"--data=d", "--phone-port=9", NULL};
    const char *real[] = {"--data=d", "--twilio-account-sid=AC1", NULL};
    const char *other[] = {"--data=d", "--twilio-api-url=http://h", NULL};
    const char *forced[] = {"--data=d", "--twilio-account-sid=AC1", "--simulator", NULL};
    struct rlx_config *config = load(*state, argv);
    char *why = NULL;

    assert_false(rlx_prepare_is_simulated(load(*state, real)));
    assert_false(rlx_prepare_is_simulated(load(*state, other)));
    assert_true(rlx_prepare_is_simulated(load(*state, forced)));
    assert_true(rlx_prepare_is_simulated(config));
    assert_int_equal(rlx_config_make_dirs(config, *state, &why), 0);
    assert_int_equal(rlx_prepare_simulator(config, *state, &why), 0);
    const char *sid = rlx_config_get(config, RLX_CFG_TWILIO_ACCOUNT_SID);
    assert_int_equal(strlen(sid), 34);
    assert_int_equal(strspn(sid + 2, "0123456789abcdef"), 32);
    assert_string_equal(rlx_config_get(config, RLX_CFG_TWILIO_API_URL), "http://127.0.0.1:9");
    assert_true(strlen(rlx_config_get(config, RLX_CFG_TWILIO_AUTH_TOKEN)) >= 32);
    assert_string_equal(getenv("TWILIO_ACCOUNT_SID"), sid);
    unlink("d/simulator.key");
}

static void models_are_found(void **state)
{
    const char *argv[] = {"--models=.", NULL}, *none[] = {"--models=nowhere", NULL};
    FILE *file = fopen("models.env", "w");

    fputs("# x\nRLX_STT_MODEL=models.env\nRLX_LLM_MODEL=absent\n", file);
    fclose(file);
    struct rlx_local_models *models = rlx_prepare_models(load(*state, argv), *state);
    assert_string_equal(models->env_file, "./models.env");
    assert_string_equal(models->stt_model, "models.env");
    assert_null(models->llm_model);
    assert_null(rlx_prepare_models(load(*state, none), *state)->env_file);
    unlink("models.env");
}

static void ports(void **state)
{
    uint16_t port = rlx_prepare_free_port();

    (void)state;
    assert_true(port > 0);
    assert_int_equal(rlx_prepare_try_port("127.0.0.1", port), 0);
}

static void own_flags(void **state)
{
    const char *argv[] = {"+12025550123", "--agent",  "Ann", "--exit",
                          "--token=t",    "--data=d", NULL};
    const char *words[1] = {NULL}, *agent = NULL, *token = NULL;
    bool leave = false, json = false;
    const struct rlx_cli_flag flags[] = {{"--agent", &agent, NULL},
                                         {"--token", &token, NULL},
                                         {"--exit", NULL, &leave},
                                         {"--json", NULL, &json},
                                         {NULL, NULL, NULL}};
    int count = 0;

    assert_true(rlx_cli_arguments(load(*state, argv), flags, words, 1, &count));
    assert_int_equal(count, 1);
    assert_string_equal(words[0], "+12025550123");
    assert_string_equal(agent, "Ann");
    assert_string_equal(token, "t");
    assert_true(leave && !json);
    const char *unknown[] = {"--agnet", "Ann", NULL}, *many[] = {"a", "b", NULL},
               *missing[] = {"--agent", NULL}, *value[] = {"--exit=1", NULL};
    assert_false(rlx_cli_arguments(load(*state, unknown), flags, words, 1, &count));
    assert_false(rlx_cli_arguments(load(*state, many), flags, words, 1, &count));
    assert_false(rlx_cli_arguments(load(*state, missing), flags, words, 1, &count));
    assert_false(rlx_cli_arguments(load(*state, value), flags, words, 1, &count));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLEAN_TEST(the_key_is_made_once),
        CLEAN_TEST(a_server_database_needs_a_given_key),
        CLEAN_TEST(the_simulator_stands_in),
        CLEAN_TEST(models_are_found),
        CLEAN_TEST(ports),
        CLEAN_TEST(own_flags),
    };

    if (!mkdtemp(folder) || chdir(folder))
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir("d/recordings");
    rmdir("d/speech");
    rmdir("d/spool");
    rmdir("d");
    return chdir("/") || rmdir(folder) ? 1 : failed;
}
