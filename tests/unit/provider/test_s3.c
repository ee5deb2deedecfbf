/* s3:// URLs, what RECORDINGS_URL may be, and a file's hash. What goes over the wire:
 * tests/integration/test_api_s3.py. */
#include "../rlx_test.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/err.h"
#include "provider/recordings.h"
#include "provider/s3.h"

static void test_addresses(void **state)
{
    static const struct {
        const char *url, *address, *object;
    } cases[] = {
        {"s3://calls", "https://calls.s3.us-east-1.amazonaws.com/",
         "s3://calls/a.wav?region=us-east-1"},
        {"s3://calls/", "https://calls.s3.us-east-1.amazonaws.com/",
         "s3://calls/a.wav?region=us-east-1"},
        {"s3://calls/a/b_c/?region=eu-central-1",
         "https://calls.s3.eu-central-1.amazonaws.com/a/b_c",
         "s3://calls/a/b_c/a.wav?region=eu-central-1"},
        {"s3://calls?region=cn-north-1", "https://calls.s3.cn-north-1.amazonaws.com.cn/",
         "s3://calls/a.wav?region=cn-north-1"},
        {"s3://my.calls/x", "https://s3.us-east-1.amazonaws.com/my.calls/x",
         "s3://my.calls/x/a.wav?region=us-east-1"},
        {"s3://calls/x?endpoint=http://minio_1:9000/&region=r", "http://minio_1:9000/calls/x",
         "s3://calls/x/a.wav?region=r&endpoint=http://minio_1:9000"},
        {"s3://calls/x?endpoint=https%3A%2F%2fh", "https://h/calls/x",
         "s3://calls/x/a.wav?region=us-east-1&endpoint=https://h"},
        {"s3://calls/x?endpoint=http://[::1]:9000", "http://[::1]:9000/calls/x",
         "s3://calls/x/a.wav?region=us-east-1&endpoint=http://[::1]:9000"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rlx_s3_place *place = NULL, *same = NULL;
        char *why = NULL;
        assert_int_equal(rlx_s3_parse(&place, *state, cases[i].url, &why), 0);
        assert_string_equal(rlx_s3_address(place, place), cases[i].address);
        char *object = rlx_s3_object(place, place, "a.wav");
        assert_string_equal(object, cases[i].object);
        /* an object's URL says all that is needed to read it */
        assert_int_equal(rlx_s3_parse(&same, *state, object, &why), 0);
        assert_string_equal(same->bucket, place->bucket);
        assert_string_equal(same->region, place->region);
        assert_string_equal(same->endpoint ? same->endpoint : "",
                            place->endpoint ? place->endpoint : "");
    }
}

static void test_mistakes(void **state)
{
    static const struct {
        const char *url, *words;
    } cases[] = {
        {"https://calls", "begin with s3://"},
        {"s3://", "bucket's name"},
        {"s3://ab", "bucket's name"},
        {"s3://Calls", "bucket's name"},
        {"s3://-calls", "bucket's name"},
        {"s3://a..calls", "bucket's name"},
        {"s3://key:secret@calls", "AWS_ACCESS_KEY_ID"},
        {"s3://calls//x", "prefix"},
        {"s3://calls/x//", "prefix"},
        {"s3://calls/../x", "prefix"},
        {"s3://calls/x/.", "prefix"},
        {"s3://calls/x y", "prefix"},
        {"s3://calls/x%20y", "prefix"},
        {"s3://calls?region", "region=…"},
        {"s3://calls?region=", "region is not one"},
        {"s3://calls?region=a/b", "region is not one"},
        {"s3://calls?style=path", "only region and endpoint"},
        {"s3://calls?endpoint=minio:9000", "endpoint must be"},
        {"s3://calls?endpoint=https://", "endpoint must be"},
        {"s3://calls?endpoint=https://h/path", "endpoint must be"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rlx_s3_place *place = NULL;
        char *why = NULL;
        assert_int_equal(rlx_s3_parse(&place, *state, cases[i].url, &why), RLX_ECONFIG);
        if (!strstr(why, cases[i].words))
            fail_msg("%s: %s", cases[i].url, why);
        assert_null(strstr(why, "secret@"));
    }
    char *why = NULL, *key = talloc_zero_size(*state, 900);
    struct rlx_s3_place *place = NULL;
    memset(key, 'k', 899);
    assert_int_equal(
        rlx_s3_parse(&place, *state, talloc_asprintf(*state, "s3://calls/%s", key), &why),
        RLX_ECONFIG);
    assert_int_equal(rlx_s3_parse(&place, *state, NULL, &why), -EINVAL);
}

static struct rlx_config *config_of(TALLOC_CTX *ctx, const char *url, const char *key)
{
    struct rlx_config *config = NULL;
    char *why = NULL;

    assert_int_equal(rlx_config_load(&config, ctx, 0, NULL, &why), 0);
    assert_int_equal(rlx_config_override(config, RLX_CFG_DATA, "d"), 0);
    assert_int_equal(rlx_config_override(config, RLX_CFG_RECORDINGS_URL, url), 0);
    assert_int_equal(rlx_config_override(config, RLX_CFG_AWS_ACCESS_KEY_ID, key), 0);
    assert_int_equal(rlx_config_override(config, RLX_CFG_AWS_SECRET_ACCESS_KEY, key), 0);
    return config;
}

static void test_where(void **state)
{
    static const struct {
        const char *url, *key, *directory, *words;
    } cases[] = {
        {"", "", "d/recordings", NULL},
        {"file:kept", "", "kept", NULL},
        {"file:/var/kept", "", "/var/kept", NULL},
        {"file:///var/kept", "", "/var/kept", NULL},
        {"s3://calls", "k", "d/recordings", NULL},
        {"file:", "", NULL, "file:DIRECTORY"},
        {"file://host/kept", "", NULL, "file:DIRECTORY"},
        {"ftp://x", "", NULL, "file:DIRECTORY"},
        {"s3://calls", "", NULL, "AWS_SECRET_ACCESS_KEY"},
        {"s3://c", "k", NULL, "RECORDINGS_URL: s3://c: the bucket"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rlx_config *config = config_of(*state, cases[i].url, cases[i].key);
        char *directory = NULL, *why = NULL;
        int err = rlx_recordings_directory(&directory, *state, config, &why);
        assert_int_equal(err, cases[i].directory ? 0 : RLX_ECONFIG);
        if (err)
            assert_non_null(strstr(why, cases[i].words));
        else
            assert_string_equal(directory, cases[i].directory);
        assert_int_equal(rlx_recordings_remote(config), !strncmp(cases[i].url, "s3:", 3));
    }
    struct rlx_config *config = config_of(*state, "s3://calls/x", "k");
    assert_string_equal(rlx_recordings_object(*state, config, "d/recordings/1.wav"),
                        "s3://calls/x/1.wav?region=us-east-1");
    config = config_of(*state, "", "k");
    assert_null(rlx_recordings_object(*state, config, "d/recordings/1.wav"));
    assert_false(rlx_recording_is_object(NULL));
    assert_false(rlx_recording_is_object("/s3://x"));
}

static void test_client(void **state)
{
    struct rlx_s3 *s3 = NULL;
    char *why = NULL;
    uint64_t size;

    assert_int_equal(rlx_s3_open(&s3, *state, "s3://calls/x", "", "s", &why), RLX_ECONFIG);
    assert_non_null(strstr(why, "AWS_ACCESS_KEY_ID"));
    assert_int_equal(rlx_s3_open(&s3, *state, "s3://c", "k", "s", &why), RLX_ECONFIG);
    assert_int_equal(rlx_s3_open(&s3, *state, NULL, "k", "s", &why), -EINVAL);
    /* nobody listens there */
    assert_int_equal(
        rlx_s3_open(&s3, *state, "s3://calls/x?endpoint=http://127.0.0.1:1", "k", "s", &why), 0);
    assert_int_equal(rlx_s3_head(s3, &size, &why), -EHOSTUNREACH);
    assert_non_null(strstr(why, "http://127.0.0.1:1/calls/x: "));
    assert_int_equal(rlx_s3_get(s3, 0, 0, &why), -EINVAL);
    assert_int_equal(rlx_s3_read(s3, &size, sizeof size), RLX_S3_BROKEN);
    assert_int_equal(rlx_s3_put(s3, -1, 0, 1, &why), -EINVAL);
}

static void test_hash(void **state)
{
    char hex[RLX_SHA256_HEX], same[RLX_SHA256_HEX];
    char *text = talloc_zero_size(*state, 40000);
    int fd = memfd_create("hash", MFD_CLOEXEC);

    memset(text, 'x', 40000);
    assert_int_equal(write(fd, text, 40000), 40000);
    rlx_sha256_hex(same, text, 40000);
    assert_int_equal(rlx_sha256_file_hex(hex, fd, 40000), 0);
    assert_string_equal(hex, same);
    assert_int_equal(rlx_sha256_file_hex(hex, fd, 0), 0);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_int_equal(rlx_sha256_file_hex(hex, fd, 40001), RLX_EINTERNAL);
    close(fd);
    assert_int_equal(rlx_sha256_file_hex(hex, fd, 1), -EBADF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(test_addresses), RLX_TEST(test_mistakes), RLX_TEST(test_where),
        RLX_TEST(test_client),    RLX_TEST(test_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
