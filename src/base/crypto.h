/* Randomness, hashes, message authentication and base64, on GnuTLS. Any thread. */
#ifndef RLX_BASE_CRYPTO_H
#define RLX_BASE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#define RLX_SHA1_BYTES 20
#define RLX_SHA256_BYTES 32
#define RLX_SHA256_HEX 65 /* with the NUL */

/* Fills the buffer from the system's cryptographic generator; ends the process if there is none. */
void rlx_random(void *bytes, size_t length);

void rlx_sha1(uint8_t digest[RLX_SHA1_BYTES], const void *data, size_t length);
void rlx_sha256_hex(char hex[RLX_SHA256_HEX], const void *data, size_t length);
/* The same of a file's first `length` bytes, read from its start (its position stays). 0, a negative errno, or RLX_EINTERNAL when it is shorter. */
int rlx_sha256_file_hex(char hex[RLX_SHA256_HEX], int fd, uint64_t length)
    __attribute__((warn_unused_result));
void rlx_hmac_sha1(uint8_t mac[RLX_SHA1_BYTES], const char *key, const void *data, size_t length);
void rlx_hmac_sha256(uint8_t mac[RLX_SHA256_BYTES], const void *key, size_t key_length,
                     const void *data, size_t length);
/* Compares in a time that does not depend on where they differ. */
bool rlx_equal(const char *a, const char *b);

/* AES-256-GCM (RFC 5116) with a fresh random nonce: `sealed` gets nonce, ciphertext and tag, RLX_SEALED_SIZE(length) bytes. `about` is
 * authenticated with it but not part of it: a value that is moved to another place does not open. 0 or RLX_EINTERNAL. */
#define RLX_SEAL_KEY 32
#define RLX_SEALED_SIZE(length) ((length) + 28)
int rlx_seal(uint8_t *sealed, const uint8_t key[RLX_SEAL_KEY], const char *about, const void *data,
             size_t length) __attribute__((warn_unused_result));
/* `data` has room for length - 28 bytes. RLX_EAUTH: another key, another place, or it was changed. */
int rlx_unseal(void *data, const uint8_t key[RLX_SEAL_KEY], const char *about,
               const uint8_t *sealed, size_t length) __attribute__((warn_unused_result));

/* Base64 (RFC 4648 4), padded. `text` needs RLX_BASE64_SIZE(length) bytes; returns the length without the NUL. */
#define RLX_BASE64_SIZE(length) (((length) + 2) / 3 * 4 + 1)
size_t rlx_base64_encode(char *text, const void *bytes, size_t length);
/* Decodes strictly (padding optional, no white space): number of bytes, or -1 when the text is not base64 or does not
 * fit into `size`. */
ptrdiff_t rlx_base64_decode(void *bytes, size_t size, const char *text, size_t length);
/* Base64url without padding (RFC 4648 5) of `length` random bytes: a token. talloc child of ctx, NULL out of memory. */
char *rlx_random_token(TALLOC_CTX *ctx, size_t length);

/* A UUIDv7 (RFC 9562 5.7) as text: sorted by time of making. */
#define RLX_UUID_TEXT 37
void rlx_uuid(char text[RLX_UUID_TEXT]);
/* True when the text is a UUID in its usual form. */
bool rlx_uuid_valid(const char *text);

#endif
