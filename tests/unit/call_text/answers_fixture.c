#include "answers_fixture.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "call/phrases.h"

#define RECORD (8 + 4 + RLX_FIXTURE_DIM)

static char *read_file(TALLOC_CTX *ctx, const char *folder, const char *name, size_t *sizep)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *data = talloc_size(ctx, (size_t)size + 1);
    size_t got = fread(data, 1, (size_t)size, file);
    fclose(file);
    data[got] = '\0';
    *sizep = got;
    return data;
}

static void add_answer(struct fixture *f, char *line)
{
    f->answers =
        talloc_realloc(f, f->answers, struct fixture_answer, (unsigned)f->answer_count + 1);
    struct fixture_answer *a = &f->answers[f->answer_count++];
    memset(a, 0, sizeof(*a));
    a->business = strsep(&line, "\t");
    a->id = strsep(&line, "\t");
    a->title = strsep(&line, "\t");
    a->text = strsep(&line, "\t");
    while (line && a->way_count < RLX_FIXTURE_WAYS) {
        char *bar = strstr(line, " | ");
        a->ways[a->way_count++] = line;
        if (bar)
            *bar = '\0';
        line = bar ? bar + 3 : NULL;
    }
}

static void add_utterance(struct fixture *f, char *line)
{
    f->utterances = talloc_realloc(f, f->utterances, struct fixture_utterance,
                                   (unsigned)f->utterance_count + 1);
    struct fixture_utterance *u = &f->utterances[f->utterance_count++];
    u->business = strsep(&line, "\t");
    u->want = strsep(&line, "\t");
    u->kind = strsep(&line, "\t");
    u->text = line;
}

static bool read_lines(struct fixture *f, const char *folder, const char *name,
                       void (*add)(struct fixture *f, char *line))
{
    size_t size;
    char *rest = read_file(f, folder, name, &size);
    if (!rest)
        return false;
    for (char *line; (line = strsep(&rest, "\n"));) {
        if (*line && *line != '#')
            add(f, line);
    }
    return true;
}

struct fixture *fixture_load(TALLOC_CTX *ctx, const char *folder)
{
    struct fixture *f = talloc_zero(ctx, struct fixture);
    size_t size = 0;
    if (!read_lines(f, folder, "knowledge.tsv", add_answer) ||
        !read_lines(f, folder, "utterances.tsv", add_utterance)) {
        talloc_free(f);
        return NULL;
    }
    f->vectors = (unsigned char *)read_file(f, folder, "vectors.bin", &size);
    f->vector_count = f->vectors ? size / RECORD : 0;
    return f;
}

static uint64_t fnv1a(const char *text)
{
    uint64_t hash = 14695981039346656037ULL;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 1099511628211ULL;
    return hash;
}

bool fixture_vector(const struct fixture *f, const char *text, float *vector)
{
    char *bare = rlx_text_bare(NULL, text);
    uint64_t want = fnv1a(bare);
    talloc_free(bare);
    for (size_t i = 0; i < f->vector_count; i++) {
        const unsigned char *record = f->vectors + i * RECORD;
        uint64_t hash;
        float norm = 0;
        memcpy(&hash, record, 8);
        if (hash != want)
            continue;
        for (size_t k = 0; k < RLX_FIXTURE_DIM; k++) {
            vector[k] = (float)(signed char)record[12 + k];
            norm += vector[k] * vector[k];
        }
        for (size_t k = 0; k < RLX_FIXTURE_DIM; k++)
            vector[k] /= sqrtf(norm);
        return true;
    }
    return false;
}

struct rlx_answers *fixture_answers(TALLOC_CTX *ctx, const struct fixture *f, const char *business,
                                    bool vectors)
{
    struct rlx_answers *answers;
    static float block[RLX_FIXTURE_WAYS * RLX_FIXTURE_DIM];
    if (rlx_answers_create(&answers, ctx))
        return NULL;
    for (size_t i = 0; i < f->answer_count; i++) {
        const struct fixture_answer *a = &f->answers[i];
        if (strcmp(a->business, business))
            continue;
        for (size_t w = 0; vectors && w < a->way_count; w++) {
            if (!fixture_vector(f, a->ways[w], block + w * RLX_FIXTURE_DIM)) {
                fprintf(stderr, "no stored vector for \"%s\": run tools/answers-eval\n",
                        a->ways[w]);
                return NULL;
            }
        }
        if (rlx_answers_add(answers, a->id, a->title, a->text, (const char *const *)a->ways,
                            a->way_count, vectors ? block : NULL, RLX_FIXTURE_DIM))
            return NULL;
    }
    return answers;
}

static void print_bare(const char *text)
{
    char *bare = rlx_text_bare(NULL, text);
    puts(bare);
    talloc_free(bare);
}

void fixture_print_texts(const struct fixture *f)
{
    for (size_t i = 0; i < f->answer_count; i++) {
        for (size_t w = 0; w < f->answers[i].way_count; w++)
            print_bare(f->answers[i].ways[w]);
    }
    for (size_t i = 0; i < f->utterance_count; i++)
        print_bare(f->utterances[i].text);
}
