/* Sending a recording. */
#ifndef RLX_API_RECORDING_H
#define RLX_API_RECORDING_H

#include "base/httpd.h"

/* Answers with a WAV file, or the part of it that the Range header asks for; 404 when the file is gone. */
void rlx_api_send_recording(struct rlx_request *req, const char *path);

#endif
