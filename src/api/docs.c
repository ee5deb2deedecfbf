/* GET /docs: Swagger UI, built in, over /openapi.json. Nothing comes from elsewhere, and the page
 * may load nothing else. */
#include <string.h>

#include "api/private.h"

static const char html[] =
    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<title>RelayX API</title>\n<link rel=\"stylesheet\" href=\"/docs/swagger-ui.css\">\n</head>\n"
    "<body>\n<div id=\"swagger-ui\"><p>The description itself: "
    "<a href=\"/openapi.json\">/openapi.json</a></p></div>\n"
    "<script src=\"/docs/swagger-ui-bundle.js\"></script>\n<script "
    "src=\"/docs/start.js\"></script>\n"
    "</body>\n</html>\n";

static const char start[] =
    "if (window.SwaggerUIBundle)\n"
    "    SwaggerUIBundle({url: '/openapi.json', dom_id: '#swagger-ui', deepLinking: true,\n"
    "        validatorUrl: null, docExpansion: 'none', defaultModelsExpandDepth: 0});\n";

/* Styles stand in attributes of the viewer's elements. */
static const char policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' "
    "data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

void rlx_api_docs(struct rlx_request *req, void *arg)
{
    (void)arg;
    rlx_reply_header(req, "Content-Security-Policy", policy);
    rlx_reply_header(req, "Cache-Control", "no-cache");
    rlx_reply(req, 200, "text/html; charset=utf-8", html, sizeof html - 1);
}

void rlx_api_docs_file(struct rlx_request *req, void *arg)
{
    const char *name = rlx_request_path(req) + strlen("/docs/");

    (void)arg;
    rlx_reply_header(req, "Cache-Control", "public, max-age=3600");
    if (!strcmp(name, "swagger-ui-bundle.js"))
        rlx_reply(req, 200, "text/javascript; charset=utf-8", rlx_asset_viewer_js,
                  rlx_asset_viewer_js_length);
    else if (!strcmp(name, "swagger-ui.css"))
        rlx_reply(req, 200, "text/css; charset=utf-8", rlx_asset_viewer_css,
                  rlx_asset_viewer_css_length);
    else if (!strcmp(name, "start.js"))
        rlx_reply(req, 200, "text/javascript; charset=utf-8", start, sizeof start - 1);
    else
        rlx_reply_error(req, RLX_ENOTFOUND, NULL);
}
