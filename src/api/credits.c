/* GET /api-credits: usage and cost of this month and of today. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "api/prices.h"
#include "api/private.h"
#include "base/clock.h"
#include "store/usage.h"

struct rlx_prices {
    json_t *table;
};

static int prices_destructor(struct rlx_prices *prices)
{
    json_decref(prices->table);
    return 0;
}

static bool is_table(const json_t *table)
{
    const json_t *list = json_object_get(table, "prices"), *price;
    size_t i;

    if (!json_is_array(list) || !json_is_string(json_object_get(table, "currency")))
        return false;
    json_array_foreach (list, i, price) {
        const char *name;
        json_t *value;
        if (!json_is_string(json_object_get(price, "provider")) ||
            !json_is_string(json_object_get(price, "stage")))
            return false;
        json_object_foreach ((json_t *)price, name, value)
            if (!strncmp(name, "per_", 4) && !(json_number_value(value) >= 0))
                return false;
    }
    return true;
}

int rlx_prices_create(struct rlx_prices **pricesp, TALLOC_CTX *ctx, const char *path, char **whyp)
{
    struct rlx_prices *prices = talloc_zero(ctx, struct rlx_prices);
    json_error_t error = {.text = "it holds no list \"prices\" of {provider, stage, per_…}, or no "
                                  "\"currency\""};

    if (!prices)
        return -ENOMEM;
    talloc_set_destructor(prices, prices_destructor);
    prices->table =
        *path ? json_load_file(path, JSON_REJECT_DUPLICATES, &error)
              : json_loadb((const char *)rlx_asset_prices, rlx_asset_prices_length, 0, &error);
    if (prices->table && is_table(prices->table)) {
        *pricesp = prices;
        return 0;
    }
    *whyp = talloc_asprintf(ctx, "RELAYX_PRICES: %s is no table of prices: %s",
                            *path ? path : "the built-in file",
                            prices->table ? "each price needs provider, stage and numbers per_… "
                                            "from 0 on, and the table a currency"
                                          : error.text);
    talloc_free(prices);
    return RLX_ECONFIG;
}

const char *rlx_prices_currency(const struct rlx_prices *prices)
{
    return json_string_value(json_object_get(prices->table, "currency"));
}

static bool is(const json_t *a, const json_t *b, const char *name)
{
    const char *x = json_string_value(json_object_get(a, name));
    const char *y = json_string_value(json_object_get(b, name));

    return x && y && !strcmp(x, y);
}

/* The model's price, else the first of its provider and stage; NULL = none. */
static const json_t *price_of(const struct rlx_prices *prices, const json_t *sum)
{
    const json_t *price, *first = NULL;
    size_t i;

    json_array_foreach (json_object_get(prices->table, "prices"), i, price) {
        if (!is(price, sum, "provider") || !is(price, sum, "stage"))
            continue;
        if (is(price, sum, "model"))
            return price;
        first = first ? first : price;
    }
    return first;
}

static double number(const json_t *object, const char *name)
{
    return json_number_value(json_object_get(object, name));
}

static double cost_of(const struct rlx_prices *prices, const json_t *sum)
{
    const json_t *price = price_of(prices, sum);

    if (!price || json_is_true(json_object_get(sum, "own")))
        return 0;
    return number(sum, "audio_ms") / 3600000 * number(price, "per_hour") +
           number(sum, "audio_ms") / 60000 * number(price, "per_minute") +
           number(sum, "characters") / 1e6 * number(price, "per_million_characters") +
           number(sum, "tokens_in") / 1e6 * number(price, "per_million_in") +
           number(sum, "tokens_out") / 1e6 * number(price, "per_million_out") +
           number(sum, "requests") * number(price, "per_request");
}

/* Millionths of the currency are exact enough, and print without a tail. */
static double rounded(double money)
{
    return round(money * 1e6) / 1e6;
}

static void add(json_t *to, const char *name, double by)
{
    if (by > 0)
        json_object_set_new(to, name, json_integer((json_int_t)(number(to, name) + by)));
}

static void add_units(json_t *to, const json_t *sum)
{
    static const struct {
        const char *stage, *from, *name;
        double divisor;
    } units[] = {
        {"stt", "audio_ms", "stt_seconds", 1000},
        {"carrier", "audio_ms", "carrier_minutes", 60000},
        {"llm", "tokens_in", "llm_tokens_in", 1},
        {"llm", "tokens_out", "llm_tokens_out", 1},
        {"embed", "tokens_in", "embed_tokens", 1},
        {"tts", "characters", "tts_characters", 1},
    };
    const char *stage = json_string_value(json_object_get(sum, "stage"));

    add(to, "requests", number(sum, "requests"));
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (!strcmp(stage, units[i].stage))
            add(to, units[i].name, ceil(number(sum, units[i].from) / units[i].divisor));
}

static void add_limits(const struct rlx_prices *prices, json_t *providers)
{
    const json_t *limits = json_object_get(prices->table, "limits");
    const char *name;
    json_t *limit;

    json_object_foreach ((json_t *)limits, name, limit) {
        json_t *provider = json_object_get(providers, name);
        if (!json_is_number(limit))
            continue;
        if (!provider) {
            provider = json_pack("{s:f}", "cost", 0.0);
            json_object_set_new(providers, name, provider);
        }
        double left = json_number_value(limit) - number(provider, "cost");
        json_object_set(provider, "limit", limit);
        json_object_set_new(provider, "remaining", json_real(rounded(left > 0 ? left : 0)));
    }
}

json_t *rlx_prices_report(const struct rlx_prices *prices, const json_t *sums, const char *from_day,
                          bool limits)
{
    json_t *providers = json_object(), *sum, *provider;
    double total = 0;
    const char *name;
    size_t i;

    json_array_foreach (sums, i, sum) {
        if (strcmp(json_string_value(json_object_get(sum, "day")), from_day) < 0)
            continue;
        name = json_string_value(json_object_get(sum, "provider"));
        provider = json_object_get(providers, name);
        if (!provider) {
            provider = json_pack("{s:f}", "cost", 0.0);
            json_object_set_new(providers, name, provider);
        }
        double cost = cost_of(prices, sum);
        total += cost;
        json_object_set_new(provider, "cost", json_real(number(provider, "cost") + cost));
        add_units(provider, sum);
    }
    json_object_foreach (providers, name, provider)
        json_object_set_new(provider, "cost", json_real(rounded(number(provider, "cost"))));
    if (limits)
        add_limits(prices, providers);
    return json_pack("{s:o,s:f}", "providers", providers, "total_cost", rounded(total));
}

void rlx_api_credits(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    char today[RLX_TIME_TEXT], first[RLX_TIME_TEXT];
    json_t *sums = NULL;

    rlx_usage_day(today, rlx_wall_ms());
    memcpy(first, today, sizeof first);
    memcpy(first + 8, "01", 2);
    int err = rlx_usage_sums(api->store, rlx_api_user(req), first, today, &sums);
    if (err) {
        rlx_api_reply_store(req, err, "user");
        return;
    }
    json_t *month = rlx_prices_report(api->prices, sums, first, true);
    json_t *day = rlx_prices_report(api->prices, sums, today, false);
    json_object_set_new(day, "period", json_string(today));
    json_object_set_new(month, "today", day);
    first[7] = '\0';
    json_object_set_new(month, "period", json_string(first));
    json_object_set_new(month, "currency", json_string(rlx_prices_currency(api->prices)));
    json_decref(sums);
    rlx_reply_json(req, 200, month);
}
