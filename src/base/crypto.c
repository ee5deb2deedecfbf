#include "base/crypto.h"

#include <ctype.h>
#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"

#define NONCE 12
#define TAG 16

void rlx_random(void *bytes, size_t length)
{
    if (gnutls_rnd(GNUTLS_RND_KEY, bytes, length) < 0)
        abort();
}

void rlx_sha1(uint8_t digest[RLX_SHA1_BYTES], const void *data, size_t length)
{
    gnutls_hash_fast(GNUTLS_DIG_SHA1, data, length, digest);
}

static void put_hex(char hex[RLX_SHA256_HEX], const uint8_t digest[RLX_SHA256_BYTES])
{
    for (size_t i = 0; i < RLX_SHA256_BYTES; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

void rlx_sha256_hex(char hex[RLX_SHA256_HEX], const void *data, size_t length)
{
    uint8_t digest[RLX_SHA256_BYTES];

    gnutls_hash_fast(GNUTLS_DIG_SHA256, data, length, digest);
    put_hex(hex, digest);
}

int rlx_sha256_file_hex(char hex[RLX_SHA256_HEX], int fd, uint64_t length)
{
    uint8_t digest[RLX_SHA256_BYTES], block[16384];
    gnutls_hash_hd_t hash;
    uint64_t at = 0;
    int err = 0;

    if (gnutls_hash_init(&hash, GNUTLS_DIG_SHA256) < 0)
        return -ENOMEM;
    while (!err && at < length) {
        size_t want = length - at < sizeof block ? (size_t)(length - at) : sizeof block;
        ssize_t n = pread(fd, block, want, (off_t)at);
        if (n < 0)
            err = errno == EINTR ? 0 : -errno;
        else if (!n || gnutls_hash(hash, block, (size_t)n) < 0)
            err = RLX_EINTERNAL;
        else
            at += (uint64_t)n;
    }
    gnutls_hash_deinit(hash, digest);
    if (!err)
        put_hex(hex, digest);
    return err;
}

void rlx_hmac_sha1(uint8_t mac[RLX_SHA1_BYTES], const char *key, const void *data, size_t length)
{
    gnutls_hmac_fast(GNUTLS_MAC_SHA1, key, strlen(key), data, length, mac);
}

void rlx_hmac_sha256(uint8_t mac[RLX_SHA256_BYTES], const void *key, size_t key_length,
                     const void *data, size_t length)
{
    gnutls_hmac_fast(GNUTLS_MAC_SHA256, key, key_length, data, length, mac);
}

bool rlx_equal(const char *a, const char *b)
{
    size_t la = strlen(a), lb = strlen(b);

    return la == lb && gnutls_memcmp(a, b, la) == 0;
}

static int aead(gnutls_aead_cipher_hd_t *handlep, const uint8_t key[RLX_SEAL_KEY])
{
    uint8_t copy[RLX_SEAL_KEY];
    gnutls_datum_t datum = {copy, sizeof copy};

    memcpy(copy, key, sizeof copy);
    int rc = gnutls_aead_cipher_init(handlep, GNUTLS_CIPHER_AES_256_GCM, &datum);
    explicit_bzero(copy, sizeof copy);
    return rc < 0 ? RLX_EINTERNAL : 0;
}

int rlx_seal(uint8_t *sealed, const uint8_t key[RLX_SEAL_KEY], const char *about, const void *data,
             size_t length)
{
    gnutls_aead_cipher_hd_t handle;
    size_t made = length + TAG;
    int err = aead(&handle, key);

    if (err)
        return err;
    rlx_random(sealed, NONCE);
    int rc = gnutls_aead_cipher_encrypt(handle, sealed, NONCE, about, strlen(about), TAG, data,
                                        length, sealed + NONCE, &made);
    gnutls_aead_cipher_deinit(handle);
    return rc < 0 || made != length + TAG ? RLX_EINTERNAL : 0;
}

int rlx_unseal(void *data, const uint8_t key[RLX_SEAL_KEY], const char *about,
               const uint8_t *sealed, size_t length)
{
    gnutls_aead_cipher_hd_t handle;

    if (length < NONCE + TAG)
        return RLX_EAUTH;
    size_t made = length - NONCE - TAG;
    int err = aead(&handle, key);
    if (err)
        return err;
    int rc = gnutls_aead_cipher_decrypt(handle, sealed, NONCE, about, strlen(about), TAG,
                                        sealed + NONCE, length - NONCE, data, &made);
    gnutls_aead_cipher_deinit(handle);
    return rc < 0 ? RLX_EAUTH : 0;
}

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t rlx_base64_encode(char *text, const void *bytes, size_t length)
{
    const uint8_t *in = bytes;
    size_t out = 0;

    for (; length >= 3; length -= 3, in += 3) {
        uint32_t v = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
        text[out++] = alphabet[v >> 18];
        text[out++] = alphabet[v >> 12 & 63];
        text[out++] = alphabet[v >> 6 & 63];
        text[out++] = alphabet[v & 63];
    }
    if (length) {
        uint32_t v = (uint32_t)in[0] << 16 | (length == 2 ? (uint32_t)in[1] << 8 : 0);
        text[out++] = alphabet[v >> 18];
        text[out++] = alphabet[v >> 12 & 63];
        text[out++] = length == 2 ? alphabet[v >> 6 & 63] : '=';
        text[out++] = '=';
    }
    text[out] = '\0';
    return out;
}

/* Value of each base64 character + 1; 0 = not one. */
static const uint8_t values[256] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
    ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64,
};

ptrdiff_t rlx_base64_decode(void *bytes, size_t size, const char *text, size_t length)
{
    uint8_t *out = bytes;
    uint32_t bits = 0;
    size_t n = 0;

    if (length % 4 == 0)
        for (int pad = 0; pad < 2 && length && text[length - 1] == '='; pad++)
            length--;
    if (length % 4 == 1 || length / 4 * 3 + (length % 4 ? length % 4 - 1 : 0) > size)
        return -1;
    for (size_t i = 0; i < length; i++) {
        uint8_t value = values[(uint8_t)text[i]];
        if (!value)
            return -1;
        bits = bits << 6 | (uint32_t)(value - 1);
        if (i % 4 == 3) {
            out[n++] = (uint8_t)(bits >> 16);
            out[n++] = (uint8_t)(bits >> 8);
            out[n++] = (uint8_t)bits;
        }
    }
    if (length % 4 >= 2)
        out[n++] = (uint8_t)(length % 4 == 2 ? bits >> 4 : bits >> 10);
    if (length % 4 == 3)
        out[n++] = (uint8_t)(bits >> 2);
    return (ptrdiff_t)n;
}

char *rlx_random_token(TALLOC_CTX *ctx, size_t length)
{
    uint8_t bytes[64];
    char text[RLX_BASE64_SIZE(sizeof bytes)];

    rlx_random(bytes, length < sizeof bytes ? length : sizeof bytes);
    size_t n = rlx_base64_encode(text, bytes, length < sizeof bytes ? length : sizeof bytes);
    while (n && text[n - 1] == '=')
        text[--n] = '\0';
    for (size_t i = 0; i < n; i++)
        text[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
    return talloc_strdup(ctx, text);
}

void rlx_uuid(char text[RLX_UUID_TEXT])
{
    uint8_t b[16];
    uint64_t ms = (uint64_t)rlx_wall_ms();

    rlx_random(b, sizeof b);
    for (int i = 0; i < 6; i++)
        b[i] = (uint8_t)(ms >> (40 - 8 * i));
    b[6] = (uint8_t)(0x70 | (b[6] & 0x0f));
    b[8] = (uint8_t)(0x80 | (b[8] & 0x3f));
    snprintf(text, RLX_UUID_TEXT,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
             b[15]);
}

bool rlx_uuid_valid(const char *text)
{
    for (int i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
            return false;
    }
    return text[36] == '\0';
}
