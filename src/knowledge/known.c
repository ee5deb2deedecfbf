#include "knowledge/known.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/err.h"

#define KEPT 8            /* agents whose knowledge stays loaded between calls */
#define KEPT_CHUNKS 40000 /* of all of them together: some 150 MB */

struct rlx_known {
    atomic_int users;
    char *agent_id, *mode, *stamp;
    struct rlx_answers *answers;
    const char **in_prompt;
    char **says;
    struct rlx_known_chunk *chunks;
    size_t chunk_count;
    float *vectors; /* chunk_count × dim; a row of zeros is none */
    size_t dim;
    struct rlx_word_index *words;
};

static struct {
    pthread_mutex_t lock;
    struct rlx_known *known[KEPT]; /* newest first */
} kept = {.lock = PTHREAD_MUTEX_INITIALIZER};

struct rlx_known *rlx_known_keep(struct rlx_known *known)
{
    if (known)
        atomic_fetch_add(&known->users, 1);
    return known;
}

void rlx_known_drop(struct rlx_known *known)
{
    if (known && atomic_fetch_sub(&known->users, 1) == 1)
        talloc_free(known);
}

void rlx_known_forget(void)
{
    pthread_mutex_lock(&kept.lock);
    for (size_t i = 0; i < KEPT; i++) {
        rlx_known_drop(kept.known[i]);
        kept.known[i] = NULL;
    }
    pthread_mutex_unlock(&kept.lock);
}

static bool is_of(const struct rlx_known *known, const char *agent_id, const char *mode)
{
    return known && !strcmp(known->agent_id, agent_id) && !strcmp(known->mode, mode);
}

static struct rlx_known *kept_take(const char *agent_id, const char *mode, const char *stamp)
{
    struct rlx_known *found = NULL;

    pthread_mutex_lock(&kept.lock);
    for (size_t i = 0; i < KEPT && !found; i++)
        if (is_of(kept.known[i], agent_id, mode) && !strcmp(kept.known[i]->stamp, stamp))
            found = rlx_known_keep(kept.known[i]);
    pthread_mutex_unlock(&kept.lock);
    return found;
}

/* Puts it first; an older one of the same agent goes, and so do the last while they are too much.
 */
static void kept_put(struct rlx_known *known)
{
    struct rlx_known *next[KEPT] = {rlx_known_keep(known)};
    size_t count = 1, chunks = known->chunk_count;

    pthread_mutex_lock(&kept.lock);
    for (size_t i = 0; i < KEPT; i++) {
        struct rlx_known *old = kept.known[i];
        if (!old)
            continue;
        chunks += old->chunk_count;
        if (count < KEPT && chunks <= KEPT_CHUNKS && !is_of(old, known->agent_id, known->mode))
            next[count++] = old;
        else
            rlx_known_drop(old);
    }
    memcpy(kept.known, next, sizeof next);
    pthread_mutex_unlock(&kept.lock);
}

/* ---- what a row becomes ---- */

enum use { USE_NOT, USE_ANSWER, USE_PASSAGE };

static enum use use_of(const struct rlx_knowledge_row *row, const char *mode)
{
    bool answer = !strcmp(row->source_type, "answer");

    if (!strcmp(mode, "off"))
        return USE_NOT;
    if (!strcmp(mode, "passages"))
        return USE_PASSAGE;
    if (answer)
        return USE_ANSWER;
    return strcmp(mode, "answers") ? USE_PASSAGE : USE_NOT;
}

static int add_answer(struct rlx_known *known, const struct rlx_knowledge_row *row)
{
    size_t questions = 0;

    while (row->questions[questions])
        questions++;
    return rlx_answers_add(known->answers, row->id, row->title, row->content,
                           (const char *const *)row->questions, questions,
                           row->vector_count == questions ? row->vectors : NULL, row->dim);
}

static void normalise(float *vector, size_t dim)
{
    double sum = 0;

    for (size_t i = 0; i < dim; i++)
        sum += (double)vector[i] * (double)vector[i];
    float length = (float)sqrt(sum);
    for (size_t i = 0; i < dim && length > 0; i++)
        vector[i] /= length;
}

/* A chunk's own vector; an answer that is given as a passage has the mean of its ways to ask. */
static void take_vector(float *out, const struct rlx_knowledge_row *row, size_t chunk)
{
    bool answer = row->questions[0] != NULL;

    if (!answer && row->vector_count == row->chunk_count) {
        memcpy(out, row->vectors + chunk * row->dim, row->dim * sizeof *out);
        return;
    }
    for (size_t i = 0; answer && i < row->vector_count; i++)
        for (size_t k = 0; k < row->dim; k++)
            out[k] += row->vectors[i * row->dim + k];
    normalise(out, row->dim);
}

/* A chunk's title counts twice; so do the ways to ask of an answer. */
static int index_words(struct rlx_known *known, size_t at, const struct rlx_knowledge_row *row)
{
    int err = rlx_word_index_add(known->words, at, known->chunks[at].text, 1);

    if (!err)
        err = rlx_word_index_add(known->words, at, known->chunks[at].title, 2);
    for (char **question = row->questions; *question && !err; question++)
        err = rlx_word_index_add(known->words, at, *question, 2);
    return err;
}

static int add_passage(struct rlx_known *known, const struct rlx_knowledge_row *row)
{
    bool vectors = row->vectors && row->dim == known->dim;
    char *id = talloc_strdup(known, row->id), *title = talloc_strdup(known, row->title);

    if (!id || !title)
        return -ENOMEM;
    for (size_t i = 0; i < row->chunk_count; i++) {
        size_t at = known->chunk_count++;
        known->chunks[at] = (struct rlx_known_chunk){
            .id = id,
            .title = title,
            .text = talloc_strdup(known, row->chunks[i]),
            .number = (int)i,
        };
        if (!known->chunks[at].text)
            return -ENOMEM;
        if (vectors)
            take_vector(known->vectors + at * known->dim, row, i);
        int err = index_words(known, at, row);
        if (err)
            return err;
    }
    return 0;
}

/* Room for all chunks, and the length of a vector: that of the newest entry that has some. */
static int make_room(struct rlx_known *known, const struct rlx_knowledge_row *rows, size_t count)
{
    size_t chunks = 0;

    for (size_t i = 0; i < count; i++) {
        chunks += rows[i].chunk_count;
        if (rows[i].vectors)
            known->dim = rows[i].dim;
    }
    known->chunks = talloc_zero_size(known, (chunks + 1) * sizeof *known->chunks);
    known->in_prompt = talloc_zero_size(known, (count + 1) * sizeof *known->in_prompt);
    known->says = talloc_zero_size(known, (count + 1) * sizeof *known->says);
    if (known->dim)
        known->vectors = talloc_zero_size(known, (chunks + 1) * known->dim * sizeof(float));
    return known->chunks && known->in_prompt && known->says && (known->vectors || !known->dim)
               ? 0
               : -ENOMEM;
}

static int build(struct rlx_known *known, const struct rlx_knowledge_row *rows, size_t count)
{
    size_t length = 0, chunks = 0, in_prompt = 0, says = 0;
    int err = make_room(known, rows, count);

    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; use_of(&rows[i], known->mode) == USE_PASSAGE && k < rows[i].chunk_count;
             k++) {
            length += strlen(rows[i].chunks[k]);
            chunks++;
        }
    if (!err)
        err = rlx_word_index_create(&known->words, known, chunks);
    for (size_t i = 0; i < count && !err; i++) {
        enum use use = use_of(&rows[i], known->mode);
        if (use == USE_ANSWER) {
            known->says[says++] = talloc_strdup(known->says, rows[i].content);
            err = add_answer(known, &rows[i]);
        } else if (use == USE_PASSAGE && length <= RLX_KNOWN_INLINE) {
            known->in_prompt[in_prompt++] = talloc_strdup(known, rows[i].content);
        } else if (use == USE_PASSAGE) {
            err = add_passage(known, &rows[i]);
        }
    }
    if (!err)
        rlx_word_index_finish(known->words);
    return err;
}

static int load(struct rlx_known **knownp, struct rlx_store *store, const char *agent_id,
                const char *mode, const char *stamp)
{
    struct rlx_known *known = talloc_zero(NULL, struct rlx_known);
    struct rlx_knowledge_row *rows = NULL;
    size_t count = 0;

    if (!known)
        return -ENOMEM;
    atomic_init(&known->users, 1);
    known->agent_id = talloc_strdup(known, agent_id);
    known->mode = talloc_strdup(known, mode);
    known->stamp = talloc_strdup(known, stamp);
    int err = known->agent_id && known->mode && known->stamp
                  ? rlx_answers_create(&known->answers, known)
                  : -ENOMEM;
    if (!err)
        err = rlx_knowledge_load(store, known, agent_id, &rows, &count);
    if (!err)
        err = build(known, rows, count);
    talloc_free(rows);
    if (err) {
        talloc_free(known);
        return err;
    }
    *knownp = known;
    return 0;
}

int rlx_known_load(struct rlx_known **knownp, struct rlx_store *store, const char *agent_id,
                   const char *mode)
{
    char *stamp = NULL;

    if (!knownp || !store || !agent_id)
        return -EINVAL;
    mode = mode && *mode ? mode : "auto";
    /* The stamp is taken first: what changes meanwhile is loaded anew next time. */
    int err = rlx_knowledge_stamp(store, NULL, agent_id, &stamp);
    if (!err && !(*knownp = kept_take(agent_id, mode, stamp))) {
        err = load(knownp, store, agent_id, mode, stamp);
        if (!err)
            kept_put(*knownp);
    }
    talloc_free(stamp);
    return err;
}

/* ---- what it holds ---- */

const char *rlx_known_agent(const struct rlx_known *known)
{
    return known->agent_id;
}

const struct rlx_answers *rlx_known_answers(const struct rlx_known *known)
{
    return known->answers;
}

const char *const *rlx_known_inline(const struct rlx_known *known)
{
    return known->in_prompt;
}

char **rlx_known_says(const struct rlx_known *known)
{
    return known->says;
}

const struct rlx_known_chunk *rlx_known_chunks(const struct rlx_known *known, size_t *countp)
{
    *countp = known->chunk_count;
    return known->chunks;
}

const float *rlx_known_vector(const struct rlx_known *known, size_t chunk, size_t *dimp)
{
    *dimp = known->dim;
    return known->vectors ? known->vectors + chunk * known->dim : NULL;
}

const struct rlx_word_index *rlx_known_words(const struct rlx_known *known)
{
    return known->words;
}

bool rlx_known_can_look_up(const struct rlx_known *known)
{
    return known && (rlx_answers_count(known->answers) > 0 || known->chunk_count > 0);
}
