/* Approved answers and passages as one match. */
#include <string.h>

#include "knowledge/find.h"

static bool is_there(const struct rlx_answer_match *match, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++)
        if (match->passages[i] == text)
            return true;
    return false;
}

void rlx_known_match(const struct rlx_known *known, const struct rlx_answers_query *query,
                     const struct rlx_found *found, struct rlx_answer_match *match)
{
    struct rlx_answer_match own;
    size_t count = 0;

    rlx_answers_match(rlx_known_answers(known), query, &own);
    *match = own;
    memset(match->passages, 0, sizeof match->passages);
    memset(match->sources, 0, sizeof match->sources);
    if (own.kind != RLX_ANSWER_NONE && own.passages[0]) {
        match->passages[count] = own.passages[0];
        match->sources[count++] = own.sources[0];
    }
    for (size_t i = 0; found && i < found->count && count < RLX_FIND_PROMPT; i++) {
        const struct rlx_found_passage *p = &found->passages[i];
        match->passages[count] = p->text;
        match->sources[count++] = (struct rlx_answer_source){
            .id = p->chunk->id,
            .title = p->chunk->title,
            .chunk = p->chunk->number,
            .score = p->score,
        };
    }
    for (size_t i = 0; i < RLX_FIND_PROMPT && count < RLX_FIND_PROMPT; i++)
        if (own.passages[i] && !is_there(match, count, own.passages[i])) {
            match->passages[count] = own.passages[i];
            match->sources[count++] = own.sources[i];
        }
}
