/* How long a look-up takes: an agent of 10,000 chunks in a store (argv[1]), questions of a few
 * words. Prints one line of JSON. bench/knowledge.py gives it a store of each kind. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "knowledge/find.h"
#include "store/agents.h"
#include "store/users.h"

#define ENTRIES 50
#define CHUNKS 200
#define DIM 384
#define QUESTIONS 300

static const char *const words[] = {
    "brake",  "price",   "winter",   "tire",   "engine", "oil",     "filter",  "window",
    "door",   "service", "repair",   "monday", "hour",   "parking", "invoice", "payment",
    "card",   "cash",    "warranty", "return", "color",  "leather", "seat",    "battery",
    "charge", "light",   "mirror",   "paint",  "rust",   "glass"};
#define WORDS (sizeof words / sizeof words[0])

static unsigned next(unsigned *seed)
{
    *seed = *seed * 1103515245u + 12345u;
    return *seed >> 8;
}

/* 150 words: every fifth is one of thirty that stand everywhere, the others are rare, as in real
 * texts. */
static char *chunk(TALLOC_CTX *ctx, unsigned *seed)
{
    char *text = talloc_strdup(ctx, "");

    for (int i = 0; i < 150; i++)
        text = i % 5 ? talloc_asprintf_append_buffer(text, "w%u%s", next(seed) % 20000,
                                                     i % 12 == 11 ? ". " : " ")
                     : talloc_asprintf_append_buffer(text, "%s ", words[next(seed) % WORDS]);
    return text;
}

static void vector(float *out, unsigned *seed)
{
    for (int i = 0; i < DIM; i++)
        out[i] = ((float)(next(seed) % 2000) - 1000.0f) / 11300.0f; /* about unit length */
}

static void fail(const char *what, int err)
{
    fprintf(stderr, "%s: %s\n", what, rlx_err_text(err));
    exit(1);
}

static char *id_of(TALLOC_CTX *ctx, const char *json)
{
    json_t *object = json_loads(json, 0, NULL);
    char *id = talloc_strdup(ctx, json_string_value(json_object_get(object, "id")));

    json_decref(object);
    return id;
}

static void fill(struct rlx_store *store, TALLOC_CTX *ctx, const char *user, const char *agent,
                 unsigned *seed)
{
    float *vectors = talloc_array(ctx, float, CHUNKS *DIM);
    char **chunks = talloc_array(ctx, char *, CHUNKS), *json = NULL;

    for (int e = 0; e < ENTRIES; e++) {
        for (int i = 0; i < CHUNKS; i++) {
            chunks[i] = chunk(chunks, seed);
            vector(vectors + i * DIM, seed);
        }
        json_t *fields = json_pack("{s:s, s:s, s:s}", "agent_id", agent, "title", "Handbook",
                                   "content", chunks[0]);
        const struct rlx_knowledge_parts parts = {chunks, CHUNKS, vectors, CHUNKS, DIM};
        int err = rlx_knowledge_create(store, ctx, user, fields, &parts, &json);
        if (err)
            fail("create", err);
        json_decref(fields);
    }
    talloc_free(vectors);
    talloc_free(chunks);
}

/* CPU time of the process: what it takes however busy the machine is. */
static double cpu_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1000 + (double)t.tv_nsec / 1e6;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static void ask(const struct rlx_known *known, unsigned *seed, double load_ms)
{
    static double whole[QUESTIONS];
    double found_total = 0, began_cpu = cpu_ms();

    for (int q = 0; q < QUESTIONS; q++) {
        TALLOC_CTX *ctx = talloc_new(NULL);
        struct rlx_found found;
        float heard[DIM];
        char *text = talloc_asprintf(ctx, "How much is the %s %s for a w%u on %s?",
                                     words[next(seed) % WORDS], words[next(seed) % WORDS],
                                     next(seed) % 20000, words[next(seed) % WORDS]);
        vector(heard, seed);
        uint64_t began = rlx_now_us();
        rlx_find(&found, ctx, known, text, heard, DIM);
        whole[q] = (double)(rlx_now_us() - began) / 1000;
        found_total += (double)found.count;
        talloc_free(ctx);
    }
    qsort(whole, QUESTIONS, sizeof whole[0], by_size);
    printf("{\"chunks\": %d, \"questions\": %d, \"found\": %.1f, \"load_cpu_ms\": %.0f, "
           "\"cpu_ms\": %.2f, \"p50_ms\": %.2f, \"p99_ms\": %.2f, "
           "\"max_ms\": %.2f}\n",
           ENTRIES * CHUNKS, QUESTIONS, found_total / QUESTIONS, load_ms,
           (cpu_ms() - began_cpu) / QUESTIONS, whole[QUESTIONS / 2], whole[QUESTIONS * 99 / 100],
           whole[QUESTIONS - 1]);
}

int main(int argc, char **argv)
{
    TALLOC_CTX *ctx = talloc_new(NULL);
    struct rlx_store *store = NULL;
    struct rlx_known *known = NULL;
    char *why = NULL, *user = NULL, *json = NULL;
    unsigned seed = 7;

    if (argc != 2)
        return 2;
    if (rlx_store_open(&store, ctx, argv[1], &why)) {
        fprintf(stderr, "%s\n", why);
        return 1;
    }
    int err = rlx_store_migrate(store, NULL, &why);
    if (!err)
        err = rlx_user_create(store, ctx, "bench@example.com", "x", "Bench", &user);
    if (err)
        fail("set up", err);
    for (int a = 0; a < 2; a++) { /* another agent's knowledge is in the same index */
        json_t *fields = json_pack("{s:s, s:s}", "name", "Bench", "prompt_text", "p");
        err = rlx_agent_create(store, ctx, user, fields, &json);
        if (err)
            fail("agent", err);
        json_decref(fields);
        fill(store, ctx, user, id_of(ctx, json), &seed);
    }
    double began = cpu_ms();
    err = rlx_known_load(&known, store, id_of(ctx, json), "auto");
    if (err)
        fail("load", err);
    ask(known, &seed, cpu_ms() - began);
    rlx_known_drop(known);
    rlx_known_forget();
    talloc_free(ctx);
    return 0;
}
