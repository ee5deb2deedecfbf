/* Fuzz target: a speech answer. The first byte says how the bytes are cut and what headerless ones
 * are. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "provider/tts_decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_out(const uint8_t *ulaw, size_t length, void *arg)
{
    size_t *total = arg;
    if (!length)
        abort();
    *total += length + (ulaw[0] ^ ulaw[length - 1]) * 0u;
}

static int run(size_t *total, const uint8_t *data, size_t size, size_t step, bool ulaw)
{
    struct rlx_tts_decoder *decoder;
    int err = rlx_tts_decoder_create(&decoder, NULL, ulaw, ulaw ? 8000 : 24000, on_out, total);
    for (size_t at = 0; !err && at < size; at += step)
        err = rlx_tts_decoder_feed(decoder, data + at, size - at < step ? size - at : step);
    if (!err)
        err = rlx_tts_decoder_end(decoder);
    talloc_free(decoder);
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t whole = 0, cut = 0;
    if (!size)
        return 0;
    bool ulaw = data[0] & 0x80;
    int err = run(&whole, data + 1, size - 1, size, ulaw);
    if (run(&cut, data + 1, size - 1, data[0] % 16 + 1u, ulaw) != err || (!err && cut != whole))
        abort();
    return 0;
}
