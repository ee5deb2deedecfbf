/* TwiML: what a webhook answers, as a list of steps. One thread per object. */
#ifndef RLX_PHONE_TWIML_H
#define RLX_PHONE_TWIML_H

#include <stddef.h>
#include <talloc.h>

enum rlx_twiml_verb {
    RLX_TWIML_SAY,   /* text */
    RLX_TWIML_PAUSE, /* seconds */
    RLX_TWIML_PLAY,  /* digits, or url */
    RLX_TWIML_HANGUP,
    RLX_TWIML_REJECT,   /* text: reason */
    RLX_TWIML_REDIRECT, /* url, method */
    RLX_TWIML_DIAL,     /* text: number; url: action; method; seconds: timeout */
    RLX_TWIML_STREAM,   /* Connect/Stream: url and parameters; text: statusCallback */
};

struct rlx_twiml_parameter {
    char *name, *value;
};

struct rlx_twiml_step {
    enum rlx_twiml_verb verb;
    char *text, *url, *method, *digits; /* NULL when absent */
    double seconds;
    struct rlx_twiml_parameter *parameters;
    size_t parameter_count;
};

struct rlx_twiml {
    struct rlx_twiml_step *steps;
    size_t count;
    char **warnings; /* what was not understood and is skipped, as Twilio does */
    size_t warning_count;
};

/* Parses a document of at most 64 KB (Twilio's limit). The result is a talloc child of ctx.
 * RLX_EINVAL with a sentence that begins with Twilio's error number in *whyp (on ctx): not XML, no
 * Response, a Stream without a ws(s) URL (31920), a Parameter of 500 characters or more. -ENOMEM.
 */
int rlx_twiml_parse(struct rlx_twiml **twimlp, TALLOC_CTX *ctx, const char *xml, size_t length,
                    char **whyp) __attribute__((warn_unused_result));

#endif
