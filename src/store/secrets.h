/* Keys of providers that users gave us: encrypted at rest (AES-256-GCM, a key made of SECRETS_KEY, bound to the user and the name),
 * read by what dials and calls providers, never shown again. See store.h for results and threads.
 *
 * SECRETS_KEY may hold several keys, with commas between them: the first one encrypts, the others still decrypt what they encrypted
 * (rlx_secrets_reseal moves that to the first).
 */
#ifndef RLX_STORE_SECRETS_H
#define RLX_STORE_SECRETS_H

#include "store/store.h"

#define RLX_SECRET_MAX 4096 /* bytes of a value */

/* The names that there are: twilio_account_sid, twilio_auth_token, twilio_phone_number, cal_api_key, groq_api_key, openai_api_key,
 * deepgram_api_key, assemblyai_api_key, fish_audio_api_key. */
bool rlx_secret_known(const char *name);

/* RLX_ECONFIG: SECRETS_KEY is not set (rlx_secrets_why says what to do); RLX_EINVAL: the name or the value can't be one. */
int rlx_secret_put(struct rlx_store *store, const struct rlx_config *config, const char *user_id,
                   const char *name, const char *value, int64_t now_ms);
/* The value, on ctx; its memory is wiped when it is freed. RLX_ENOTFOUND: none; RLX_ECONFIG: it was encrypted under a key that
 * SECRETS_KEY does not hold. */
int rlx_secret_get(struct rlx_store *store, const struct rlx_config *config, TALLOC_CTX *ctx,
                   const char *user_id, const char *name, char **valuep);
/* [{name, last4, updated_at}]; last4 is "" for a value that is too short to show any of it. The caller drops it. */
int rlx_secrets_list(struct rlx_store *store, const char *user_id, json_t **jsonp);
int rlx_secret_delete(struct rlx_store *store, const char *user_id, const char *name);
const char *rlx_secrets_why(void);

/* The configuration as it is for this user: his own keys in the places of the server's. The same one when he has none, else a copy
 * on ctx. A Twilio account counts only as a whole, sid and token; the server's caller ID is then not used. */
int rlx_user_config(struct rlx_store *store, const struct rlx_config *config, TALLOC_CTX *ctx,
                    const char *user_id, const struct rlx_config **userp);

/* The same for the user of a call; RLX_ENOTFOUND when there is no such call. */
int rlx_call_config(struct rlx_store *store, const struct rlx_config *config, TALLOC_CTX *ctx,
                    const char *call_id, const struct rlx_config **userp);

/* Encrypts what stands under older keys under the first. *countp: how many. */
int rlx_secrets_reseal(struct rlx_store *store, const struct rlx_config *config, int *countp);

#endif
