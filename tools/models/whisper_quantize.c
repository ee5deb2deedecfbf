/* Quantizes the matrices of a whisper.cpp fp16 model file to Q8_0, tensor by tensor. Uses ggml only.
 *
 * usage: whisper_quantize IN OUT
 *
 * The file: magic, 11 hyperparameters (the last is the type), mel filters, vocabulary, then tensors (dimensions, name
 * length, type; extents; name; data). Only two-dimensional fp16 tensors are quantized, as whisper.cpp expects.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ggml.h"

enum { HEADER_WORDS = 12, TYPE_WORD = 11, MAX_NAME = 256, MAX_TOKEN = 1024 };

static FILE *in, *out;

static void fail(const char *why)
{
    fprintf(stderr, "whisper_quantize: %s\n", why);
    exit(1);
}

static void *alloc(size_t size)
{
    void *p = malloc(size ? size : 1);

    if (!p)
        fail("out of memory");
    return p;
}

static void get(void *p, size_t size)
{
    if (fread(p, 1, size, in) != size)
        fail("the model file is cut short");
}

static void put(const void *p, size_t size)
{
    if (fwrite(p, 1, size, out) != size)
        fail("writing failed: is the disk full?");
}

static void copy(size_t size)
{
    char *p = alloc(size);

    get(p, size);
    put(p, size);
    free(p);
}

static void copy_vocabulary(void)
{
    int32_t count, length;

    get(&count, sizeof count);
    put(&count, sizeof count);
    for (int32_t i = 0; i < count; i++) {
        get(&length, sizeof length);
        if (length < 0 || length > MAX_TOKEN)
            fail("a token of the vocabulary has an absurd length");
        put(&length, sizeof length);
        copy((size_t)length);
    }
}

static void put_quantized(const ggml_fp16_t *half, int32_t columns, int32_t rows)
{
    size_t n = (size_t)columns * (size_t)rows;
    size_t size = ggml_row_size(GGML_TYPE_Q8_0, columns) * (size_t)rows;
    float *full = alloc(n * sizeof *full);
    void *quantized = alloc(size);

    ggml_fp16_to_fp32_row(half, full, (int64_t)n);
    ggml_quantize_chunk(GGML_TYPE_Q8_0, full, quantized, 0, rows, columns, NULL);
    put(quantized, size);
    free(full);
    free(quantized);
}

/* Copies or quantizes one tensor; false at the end of the file. */
static bool tensor(void)
{
    int32_t head[3], extent[4] = {1, 1, 1, 1};
    char name[MAX_NAME] = "";
    size_t got = fread(head, 1, sizeof head, in);

    if (got == 0)
        return false;
    if (got != sizeof head || head[0] < 1 || head[0] > 4 || head[1] < 1 || head[1] >= MAX_NAME)
        fail("a tensor's header is not valid");
    get(extent, (size_t)head[0] * sizeof extent[0]);
    get(name, (size_t)head[1]);
    size_t n = (size_t)extent[0] * (size_t)extent[1] * (size_t)extent[2] * (size_t)extent[3];
    size_t size = n * (head[2] == GGML_TYPE_F16 ? sizeof(ggml_fp16_t) : sizeof(float));
    bool quantize = head[0] == 2 && head[2] == GGML_TYPE_F16 && !strstr(name, "positional");
    void *data = alloc(size);

    get(data, size);
    if (quantize)
        head[2] = GGML_TYPE_Q8_0;
    put(head, sizeof head);
    put(extent, (size_t)head[0] * sizeof extent[0]);
    put(name, (size_t)head[1]);
    if (quantize)
        put_quantized(data, extent[0], extent[1]);
    else
        put(data, size);
    free(data);
    return true;
}

int main(int argc, char **argv)
{
    int32_t header[HEADER_WORDS], mel[2];

    if (argc != 3)
        fail("usage: whisper_quantize IN OUT");
    in = fopen(argv[1], "rb");
    out = fopen(argv[2], "wb");
    if (!in || !out)
        fail("a file can't be opened");
    /* ggml fills its fp16 tables when a context is made. */
    struct ggml_init_params params = {.mem_size = 1 << 20, .no_alloc = true};
    struct ggml_context *ggml = ggml_init(params);

    get(header, sizeof header);
    header[TYPE_WORD] = GGML_FTYPE_MOSTLY_Q8_0 + GGML_QNT_VERSION * GGML_QNT_VERSION_FACTOR;
    put(header, sizeof header);
    get(mel, sizeof mel);
    put(mel, sizeof mel);
    copy((size_t)mel[0] * (size_t)mel[1] * sizeof(float));
    copy_vocabulary();
    while (tensor())
        continue;
    ggml_free(ggml);
    if (fclose(out) != 0)
        fail("writing failed: is the disk full?");
    fclose(in);
    return 0;
}
