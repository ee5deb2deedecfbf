#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "provider/meter.h"

static void sums(void **state)
{
    TALLOC_CTX *ctx = talloc_new(NULL);
    struct rlx_meter *meter = NULL;
    const struct rlx_metered chat = {
        .stage = RLX_STAGE_LLM, .provider = "groq", .model = "m", .tokens_in = 10, .tokens_out = 3};

    (void)state;
    assert_int_equal(rlx_meter_create(&meter, ctx), 0);
    assert_null(rlx_meter_json(ctx, meter));
    assert_null(rlx_meter_json(ctx, NULL));
    rlx_meter_own(meter, "groq");
    rlx_meter_add(NULL, &chat);
    rlx_meter_add(meter, &chat);
    rlx_meter_add(meter, &chat);
    rlx_meter_add(meter, &(struct rlx_metered){.stage = RLX_STAGE_TTS, .provider = "local"});
    assert_string_equal(
        rlx_meter_json(ctx, meter),
        "[{\"stage\":\"llm\",\"provider\":\"groq\",\"model\":\"m\",\"own\":true,\"requests\":2,"
        "\"audio_ms\":0,\"characters\":0,\"tokens_in\":20,\"tokens_out\":6},"
        "{\"stage\":\"tts\",\"provider\":\"local\",\"model\":\"\",\"own\":false,\"requests\":1,"
        "\"audio_ms\":0,\"characters\":0,\"tokens_in\":0,\"tokens_out\":0}]");
    talloc_free(ctx);
}

static void guesses(void **state)
{
    (void)state;
    assert_int_equal(rlx_meter_characters("Grüße 👋"), 7);
    assert_int_equal(rlx_meter_tokens(0), 0);
    assert_int_equal(rlx_meter_tokens(5), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sums), cmocka_unit_test(guesses)};

    return cmocka_run_group_tests_name("meter", tests, NULL, NULL);
}
