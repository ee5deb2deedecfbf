#include "../rlx_test.h"

#include <stdlib.h>
#include <string.h>

#include "audio/wav.h"
#include "base/err.h"

static struct rlx_wav *read_ok(TALLOC_CTX *ctx, const void *data, size_t length)
{
    struct rlx_wav *wav = NULL;

    assert_int_equal(rlx_wav_read(&wav, ctx, data, length, NULL), 0);
    return wav;
}

static void read_bad(TALLOC_CTX *ctx, const void *data, size_t length, const char *part)
{
    struct rlx_wav *wav = NULL;
    char *why = NULL;

    assert_int_equal(rlx_wav_read(&wav, ctx, data, length, &why), RLX_EINVAL);
    assert_null(wav);
    assert_non_null(strstr(why, part));
}

static size_t make(uint8_t *file, uint32_t said_bytes)
{
    static const int16_t samples[4] = {1, -2, 300, -32768};

    rlx_wav_header(file, 8000, 2, said_bytes);
    for (int i = 0; i < 4; i++) {
        file[RLX_WAV_HEADER + 2 * i] = (uint8_t)samples[i];
        file[RLX_WAV_HEADER + 2 * i + 1] = (uint8_t)((uint16_t)samples[i] >> 8);
    }
    return RLX_WAV_HEADER + 8;
}

static void what_is_written_is_read(void **state)
{
    uint8_t file[64];
    struct rlx_wav *wav = read_ok(*state, file, make(file, 8));

    assert_int_equal(wav->rate_hz, 8000);
    assert_int_equal(wav->channels, 2);
    assert_int_equal(wav->frames, 2);
    assert_int_equal(wav->samples[1], -2);
    assert_int_equal(wav->samples[3], -32768);
}

static void a_wrong_data_size_is_taken_to_the_end(void **state)
{
    uint8_t file[64];

    assert_int_equal(read_ok(*state, file, make(file, UINT32_MAX))->frames, 2);
    assert_int_equal(read_ok(*state, file, make(file, 4))->frames, 1);
    assert_int_equal(read_ok(*state, file, make(file, 0))->frames, 0);
    assert_int_equal(read_ok(*state, file, make(file, UINT32_MAX) - 1)->frames, 1);
    assert_int_equal(read_ok(*state, file, RLX_WAV_HEADER)->frames, 0);
}

static void ulaw_and_unknown_chunks(void **state)
{
    static const uint8_t file[] = "RIFF\0\0\0\0WAVELIST\3\0\0\0abc\0"
                                  "fmt \x12\0\0\0\7\0\1\0\x40\x1f\0\0\x40\x1f\0\0\1\0\x08\0\0\0"
                                  "data\4\0\0\0\xff\x80\x00\xff";
    struct rlx_wav *wav = read_ok(*state, file, sizeof(file) - 1);

    assert_int_equal(wav->frames, 4);
    assert_int_equal(wav->samples[0], 0);
    assert_int_equal(wav->samples[1], 32124);
    assert_int_equal(wav->samples[2], -32124);
}

static void bad_files_say_why(void **state)
{
    uint8_t file[64];
    size_t length = make(file, 8);

    read_bad(*state, "RIFX", 4, "no WAV");
    read_bad(*state, file, 11, "no WAV");
    read_bad(*state, file, 12, "no data");
    read_bad(*state, file, 43, "no data");
    file[34] = 24;
    read_bad(*state, file, length, "16-bit PCM");
    file[34] = 16;
    file[22] = 3;
    read_bad(*state, file, length, "channels");
    file[22] = 1;
    file[24] = 0, file[25] = 0;
    read_bad(*state, file, length, "sample rate");
    memcpy(file + 12, "xxxx", 4);
    read_bad(*state, file, length, "format chunk");
}

/* Every prefix and every single-byte change either reads or is refused; the sanitizer watches the
 * rest. */
static void mangled_files_do_no_harm(void **state)
{
    uint8_t file[64];
    size_t length = make(file, 8);

    for (size_t i = 0; i < length; i++) {
        for (int change = 0; change < 256; change += 5) {
            TALLOC_CTX *ctx = talloc_new(*state);
            uint8_t *copy = talloc_memdup(ctx, file, (unsigned)length);
            struct rlx_wav *wav;
            int err;

            copy[i] = (uint8_t)change;
            err = rlx_wav_read(&wav, ctx, copy, length, NULL);
            assert_true(err == 0 || err == RLX_EINVAL);
            copy = talloc_memdup(ctx, file, (unsigned)i + 1);
            err = rlx_wav_read(&wav, ctx, copy, i, NULL);
            assert_true(err == 0 || err == RLX_EINVAL);
            talloc_free(ctx);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(what_is_written_is_read),  RLX_TEST(a_wrong_data_size_is_taken_to_the_end),
        RLX_TEST(ulaw_and_unknown_chunks),  RLX_TEST(bad_files_say_why),
        RLX_TEST(mangled_files_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
