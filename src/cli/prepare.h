/* What a program needs before its role starts: keys that are made once, the simulator's account, the local models. */
#ifndef RLX_CLI_PREPARE_H
#define RLX_CLI_PREPARE_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#include "base/config.h"

/* The database's URL: DATABASE_URL, or SQLite in the data directory. On ctx. */
char *rlx_prepare_database(const struct rlx_config *config, TALLOC_CTX *ctx);
/* True when the database is a server: then nothing secret is made up here. */
bool rlx_prepare_is_production(const struct rlx_config *config);

/* Makes the data directory, and JWT_SECRET_KEY when it is not set: read from the data directory, where it is made once (any
 * number of processes may do this at the same time). RLX_ECONFIG with *whyp on ctx. */
int rlx_prepare_keys(struct rlx_config *config, TALLOC_CTX *ctx, char **whyp)
    __attribute__((warn_unused_result));

/* True when the phone simulator stands in for the carrier: RELAYX_SIMULATOR, or no Twilio account and no other carrier's
 * URL. */
bool rlx_prepare_is_simulated(const struct rlx_config *config);
/* Sets the carrier's account, token, number and URL to those of the simulator on this machine; the account is made once in
 * the data directory. */
int rlx_prepare_simulator(struct rlx_config *config, TALLOC_CTX *ctx, char **whyp)
    __attribute__((warn_unused_result));

/* The local models; strings are NULL when they are not there. */
struct rlx_local_models {
    char *env_file;               /* models.env */
    char *speech;                 /* the program relayx-speech */
    char *stt_model, *tts_voice;  /* its files */
    char *llama_server, *llm_model, *embed_model;
};
/* Reads models.env (RELAYX_MODELS, or beside the program or up to two folders above it). Never NULL but out of memory. */
struct rlx_local_models *rlx_prepare_models(const struct rlx_config *config, TALLOC_CTX *ctx);
/* The path of this program. On ctx, NULL when it can't be found out. */
char *rlx_prepare_program(TALLOC_CTX *ctx);

/* A free TCP port of this machine's loopback address; 0 when there is none. */
uint16_t rlx_prepare_free_port(void);
/* 0 when the port can be listened on, else a negative errno. */
int rlx_prepare_try_port(const char *host, long port);

#endif
