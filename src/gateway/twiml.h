/* TwiML, the answers to Twilio's voice webhooks. Pure; any thread. */
#ifndef RLX_GATEWAY_TWIML_H
#define RLX_GATEWAY_TWIML_H

#include <talloc.h>

/* <Connect><Stream> to the URL with one parameter "token", and a <Hangup> behind it, since Connect holds the rest of the document
 * back until the stream's socket closes. Texts are escaped. NULL out of memory. */
char *rlx_twiml_stream(TALLOC_CTX *ctx, const char *stream_url, const char *token);
/* <Hangup>. */
const char *rlx_twiml_hangup(void);

#endif
