/* Prints how approved answers fare on the labels of a folder: answers_eval FOLDER [texts|all];
 * tools/answers-eval calls it. */
#include <stdio.h>
#include <string.h>

#include "answers_fixture.h"

static void print_row(const struct fixture_utterance *u, const struct rlx_answer_match *m,
                      const char *verdict)
{
    printf("%-10s %-14s %-12s %-14s %.3f %+.3f  %-55s %s\n", verdict, u->want, u->kind,
           m->id ? m->id : "-", (double)m->score, (double)m->margin, u->text, m->why);
}

int main(int argc, char **argv)
{
    TALLOC_CTX *ctx = talloc_new(NULL);
    struct fixture *f = argc > 1 ? fixture_load(ctx, argv[1]) : NULL;
    bool all = argc > 2 && !strcmp(argv[2], "all");
    unsigned right = 0, missed = 0, wrong = 0, false_fires = 0, quiet = 0;
    if (!f) {
        fprintf(stderr, "usage: answers_eval FOLDER [texts|all]   (FOLDER has knowledge.tsv and "
                        "utterances.tsv)\n");
        return 2;
    }
    if (argc > 2 && !strcmp(argv[2], "texts")) {
        fixture_print_texts(f);
        talloc_free(ctx);
        return 0;
    }
    for (size_t i = 0; i < f->utterance_count; i++) {
        const struct fixture_utterance *u = &f->utterances[i];
        float vector[RLX_FIXTURE_DIM];
        struct rlx_answers *answers = fixture_answers(ctx, f, u->business, true);
        struct rlx_answers_query query = {
            .heard = u->text, .vector = vector, .dim = RLX_FIXTURE_DIM};
        struct rlx_answer_match m;
        if (!answers || !fixture_vector(f, u->text, vector))
            return 1;
        query.agent_asked = !strcmp(u->kind, "waiting");
        rlx_answers_match(answers, &query, &m);
        bool fire = m.kind == RLX_ANSWER_FIRE, negative = !strcmp(u->want, "-");
        bool good = fire && !strcmp(m.id, u->want);
        const char *verdict = negative ? (fire ? "FALSE" : "quiet")
                              : good   ? "right"
                              : fire   ? "WRONG"
                                       : "missed";
        right += good;
        wrong += fire && !good && !negative;
        missed += !fire && !negative;
        false_fires += fire && negative;
        quiet += !fire && negative;
        if (all || (negative ? fire : !good))
            print_row(u, &m, verdict);
        talloc_free(answers);
    }
    unsigned positives = right + wrong + missed, negatives = false_fires + quiet;
    printf("\n%u questions: %u right, %u missed, %u wrong; recall %.1f %%\n", positives, right,
           missed, wrong, 100.0 * right / (positives ? positives : 1));
    printf("%u others: %u quiet, %u false fires\n", negatives, quiet, false_fires);
    printf("false fires (wrong ones too) %.2f %% of all\n",
           100.0 * (false_fires + wrong) / (double)f->utterance_count);
    talloc_free(ctx);
    return 0;
}
