/* s3:// URLs. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "provider/s3.h"

#define REGION "us-east-1"
#define KEY_MAX 800 /* S3 takes 1024 bytes */

static bool only(const char *text, const char *more)
{
    for (; *text; text++)
        if (!isalnum((unsigned char)*text) && !strchr(more, *text))
            return false;
    return true;
}

/* docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
static bool is_bucket(const char *name)
{
    size_t n = strlen(name);

    for (const char *p = name; *p; p++)
        if (!islower((unsigned char)*p) && !isdigit((unsigned char)*p) && *p != '-' && *p != '.')
            return false;
    return n >= 3 && n <= 63 && isalnum((unsigned char)name[0]) &&
           isalnum((unsigned char)name[n - 1]) && !strstr(name, "..");
}

/* No empty segment and none that a path would swallow. */
static bool is_key(const char *key)
{
    for (const char *p = key; *key; p = strchr(p, '/') + 1) {
        size_t n = strcspn(p, "/");
        if (!n || (n <= 2 && !strncmp(p, "..", n)))
            return false;
        if (!p[n])
            break;
    }
    return strlen(key) <= KEY_MAX && only(key, "-_.~/");
}

/* "https://host[:port]" */
static const char *endpoint_trouble(char *endpoint)
{
    size_t n = strlen(endpoint);
    const char *host = !strncmp(endpoint, "https://", 8)  ? endpoint + 8
                       : !strncmp(endpoint, "http://", 7) ? endpoint + 7
                                                          : NULL;

    if (n && endpoint[n - 1] == '/')
        endpoint[n - 1] = '\0';
    if (!host || !*host || !only(host, "-_.:[]"))
        return "endpoint must be https://HOST or http://HOST[:PORT], without a path";
    return NULL;
}

/* Takes one "name=value" of the query, whose %3A and %2F (as in an encoded endpoint) are decoded.
 */
static const char *take_option(struct rlx_s3_place *place, char *option)
{
    char *value = strchr(option, '='), *out;

    if (!value)
        return "what follows ? must be region=… and endpoint=…";
    *value++ = '\0';
    out = value;
    for (char *p = value; *p; p++) {
        bool colon = !strncasecmp(p, "%3A", 3), slash = !strncasecmp(p, "%2F", 3);
        *out++ = colon ? ':' : slash ? '/' : *p;
        p += colon || slash ? 2 : 0;
    }
    *out = '\0';
    if (!strcmp(option, "region")) {
        place->region = value;
        return *value && only(value, "-") ? NULL : "region is not one, e.g. eu-central-1";
    }
    if (strcmp(option, "endpoint") != 0)
        return "only region and endpoint may follow ?";
    place->endpoint = value;
    return endpoint_trouble(value);
}

static const char *take(struct rlx_s3_place *place, char *text)
{
    char *query = strchr(text, '?'), *option;
    const char *trouble = NULL;

    if (query)
        *query++ = '\0';
    place->bucket = text;
    place->key = text + strcspn(text, "/");
    if (*place->key)
        *place->key++ = '\0';
    size_t n = strlen(place->key);
    if (n && place->key[n - 1] == '/')
        place->key[n - 1] = '\0';
    if (strchr(text, '@'))
        return "keys don't belong into it: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
    if (!is_bucket(text))
        return "the bucket's name has 3 to 63 lower-case letters, digits, dots and dashes";
    if (!is_key(place->key))
        return "the prefix may have letters, digits and -_.~ between its slashes";
    while (!trouble && query && (option = strsep(&query, "&")))
        trouble = take_option(place, option);
    return trouble;
}

int rlx_s3_parse(struct rlx_s3_place **placep, TALLOC_CTX *ctx, const char *url, char **whyp)
{
    if (!placep || !url || !whyp)
        return -EINVAL;
    bool scheme = !strncmp(url, "s3://", 5);
    struct rlx_s3_place *place = talloc_zero(ctx, struct rlx_s3_place);
    char *text = place ? talloc_strdup(place, scheme ? url + 5 : "") : NULL;

    if (!text) {
        talloc_free(place);
        return -ENOMEM;
    }
    const char *trouble = scheme ? take(place, text) : "it does not begin with s3://";
    if (!trouble && !place->region && !(place->region = talloc_strdup(place, REGION)))
        trouble = "out of memory";
    if (trouble) {
        *whyp = talloc_asprintf(ctx, "%s: %s", strchr(url, '@') ? "the s3:// URL" : url, trouble);
        talloc_free(place);
        return RLX_ECONFIG;
    }
    *placep = place;
    return 0;
}

char *rlx_s3_object(TALLOC_CTX *ctx, const struct rlx_s3_place *place, const char *name)
{
    return talloc_asprintf(ctx, "s3://%s/%s%s%s?region=%s%s%s", place->bucket, place->key,
                           *place->key ? "/" : "", name, place->region,
                           place->endpoint ? "&endpoint=" : "",
                           place->endpoint ? place->endpoint : "");
}

char *rlx_s3_address(TALLOC_CTX *ctx, const struct rlx_s3_place *place)
{
    const char *china = !strncmp(place->region, "cn-", 3) ? ".cn" : "";

    if (place->endpoint)
        return talloc_asprintf(ctx, "%s/%s/%s", place->endpoint, place->bucket, place->key);
    if (strchr(place->bucket, '.'))
        return talloc_asprintf(ctx, "https://s3.%s.amazonaws.com%s/%s/%s", place->region, china,
                               place->bucket, place->key);
    return talloc_asprintf(ctx, "https://%s.s3.%s.amazonaws.com%s/%s", place->bucket, place->region,
                           china, place->key);
}
