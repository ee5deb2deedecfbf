/* The set of answers, and the match of an utterance with all of them. */
#include "call/answers.h"

#include <errno.h>
#include <string.h>

#include "call/answers_private.h"

#define SCORE_PASSAGE 0.35f
#define RANKED 4 /* answers whose words are looked at */
#define ENTRIES_MAX 10000

struct rlx_answers {
    struct entry **entries;
    size_t count;
    size_t vector_count;
};

int rlx_answers_create(struct rlx_answers **answersp, TALLOC_CTX *ctx)
{
    if (!answersp)
        return -EINVAL;
    *answersp = talloc_zero(ctx, struct rlx_answers);
    return *answersp ? 0 : -ENOMEM;
}

size_t rlx_answers_count(const struct rlx_answers *answers)
{
    size_t count = 0;
    for (size_t i = 0; answers && i < answers->count; i++)
        count += answers->entries[i]->ways != NULL;
    return count;
}

static int push(struct rlx_answers *answers, struct entry *entry)
{
    struct entry **entries =
        talloc_realloc(answers, answers->entries, struct entry *, (unsigned)(answers->count + 1));
    if (!entries)
        return -ENOMEM;
    answers->entries = entries;
    answers->entries[answers->count++] = entry;
    return 0;
}

int rlx_answers_add(struct rlx_answers *answers, const char *id, const char *title,
                    const char *text, const char *const *questions, size_t count,
                    const float *vectors, size_t dim)
{
    struct entry *entry;
    if (!answers || !text || (count && !questions))
        return -EINVAL;
    if (answers->vector_count + count > ENTRIES_MAX || answers->count >= ENTRIES_MAX)
        return -ENOSPC;
    int err = rlx_entry_create(&entry, answers, id, title, text);
    if (err)
        return err;
    if ((err = rlx_entry_add_ways(entry, questions, count)) ||
        (err = rlx_entry_set_vectors(entry, vectors, count, dim)) || (err = push(answers, entry))) {
        talloc_free(entry);
        return err;
    }
    answers->vector_count += count;
    return 0;
}

int rlx_answers_add_passage(struct rlx_answers *answers, const char *id, const char *title,
                            const char *text, const float *vector, size_t dim)
{
    struct entry *entry;
    if (!answers || !text)
        return -EINVAL;
    if (answers->vector_count + 1 > ENTRIES_MAX || answers->count >= ENTRIES_MAX)
        return -ENOSPC;
    int err = rlx_entry_create(&entry, answers, id, title, text);
    if (err)
        return err;
    if ((err = rlx_entry_set_vectors(entry, vector, 1, dim)) || (err = push(answers, entry))) {
        talloc_free(entry);
        return err;
    }
    answers->vector_count++;
    return 0;
}

static void keep_best(struct candidate *top, size_t size, struct candidate next)
{
    for (size_t i = 0; i < size; i++) {
        if (top[i].entry && top[i].score >= next.score)
            continue;
        struct candidate pushed = top[i];
        top[i] = next;
        next = pushed;
    }
}

static void add_source(struct rlx_answer_match *match, size_t *countp, const struct entry *entry,
                       float score)
{
    match->passages[*countp] = entry->text;
    match->sources[(*countp)++] = (struct rlx_answer_source){
        .id = entry->id,
        .title = entry->title,
        .chunk = entry->ways ? -1 : 0,
        .score = score,
    };
}

/* What the model gets: a near answer first, then the best of the rest. */
static void collect(struct rlx_answer_match *match, const struct entry *best,
                    const struct candidate top[3])
{
    size_t count = 0;

    if (match->kind != RLX_ANSWER_NONE)
        add_source(match, &count, best, match->score);
    for (size_t i = 0; i < 3 && count < 3; i++) {
        bool useful = top[i].entry && top[i].score >= SCORE_PASSAGE;
        if (useful && !(count > 0 && top[i].entry->text == match->passages[0]))
            add_source(match, &count, top[i].entry, top[i].score);
    }
}

void rlx_answers_match(const struct rlx_answers *answers, const struct rlx_answers_query *query,
                       struct rlx_answer_match *match)
{
    struct rlx_reading heard;
    struct candidate top[3] = {{0}}, answer[RANKED] = {{0}};
    memset(match, 0, sizeof(*match));
    match->why = "no answers";
    TALLOC_CTX *tmp = talloc_new(NULL);
    if (!tmp || !answers || !query || !query->heard || rlx_reading_make(&heard, tmp, query->heard))
        goto out;
    for (size_t i = 0; i < answers->count; i++) {
        struct candidate next = rlx_candidate_judge(answers->entries[i], query, &heard);
        keep_best(top, 3, next);
        if (next.way)
            keep_best(answer, RANKED, next);
    }
    rlx_candidates_rank(answer, RANKED, query, &heard);
    if (answer[0].entry) {
        answer[0].margin = answer[0].rank - (answer[1].entry ? answer[1].rank : 0.0f);
        rlx_candidate_decide(&answer[0], &heard, query, match);
    }
    collect(match, answer[0].entry, top);
out:
    talloc_free(tmp);
}
