/* The reader of Media Streams messages against any bytes. */
#include <stddef.h>
#include <stdint.h>

#include "gateway/media.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct rlx_media_message message;
    const char *why;
    int err = rlx_media_read(&message, (const char *)data, size, &why);

    return err > 0 || message.audio_length > RLX_MEDIA_MAX_AUDIO ? __builtin_trap(), 0 : 0;
}
