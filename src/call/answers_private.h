/* What the files of approved answers share; nobody else includes it. */
#ifndef RLX_CALL_ANSWERS_PRIVATE_H
#define RLX_CALL_ANSWERS_PRIVATE_H

#include "call/answers.h"
#include "call/answers_read.h"

struct way {
    struct rlx_reading reading;
};

struct vocabulary {
    const char **stems;
    unsigned count;
    uint64_t groups;
};

struct entry {
    const char *id, *title, *text;
    struct way *ways; /* NULL for a passage */
    size_t way_count;
    float *vectors; /* way_count × dim (a passage: 1 × dim), or NULL */
    size_t dim;
    struct vocabulary vocabulary; /* of title, ways and text */
    unsigned marks;               /* of all ways */
    bool weekday;                 /* a day of the week stands in it */
    const char **lacks;           /* "gluten free": what the things of the answer are without */
    unsigned lack_count;
    const char *denied[RLX_READ_LACKS]; /* "no appointment" in the text */
    unsigned denied_count;
    const char **topics; /* stems of the title */
    unsigned topic_count;
    bool limits;                       /* its text says until when: "up to two days before" */
    bool gratis;                       /* speaks of something free */
    const char *deeds[RLX_READ_DEEDS]; /* what its text says that "we" do */
    unsigned deed_count;
    const char *grants[RLX_READ_DEEDS]; /* what its text says that "you can" do */
    unsigned grant_count;
    bool states; /* one of its ways is no question ("I'd like to book a table") */
};

struct candidate {
    const struct entry *entry;
    const struct way *way;
    float score;
    float rank;       /* score less what strangers cost: the order of answers */
    float margin;     /* rank less the next answer's */
    unsigned unknown; /* strangers */
    unsigned asides;  /* those of them that are not asked about */
    unsigned asks;    /* what the ways about as near as the best ask for */
    bool negated;     /* one of the ways about as near as the best is negated */
    bool plain;       /* one of them is not */
};

/* ---- entries (answers_entry.c) ---- */

/* A new entry on ctx that has learnt its title and text. */
int rlx_entry_create(struct entry **entryp, TALLOC_CTX *ctx, const char *id, const char *title,
                     const char *text) __attribute__((warn_unused_result));
int rlx_entry_add_ways(struct entry *entry, const char *const *questions, size_t count)
    __attribute__((warn_unused_result));
int rlx_entry_set_vectors(struct entry *entry, const float *vectors, size_t count, size_t dim)
    __attribute__((warn_unused_result));

/* ---- nearness (answers_judge.c) ---- */

/* The best way to ask of an entry. */
struct candidate rlx_candidate_judge(const struct entry *entry,
                                     const struct rlx_answers_query *query,
                                     const struct rlx_reading *heard);
/* Puts the answers first that know the words of the question and are of the kind asked for, and
 * fills what else a candidate holds but its margin. */
void rlx_candidates_rank(struct candidate *answer, size_t count,
                         const struct rlx_answers_query *query, const struct rlx_reading *heard);

/* ---- words (answers_agree.c) ---- */

bool rlx_entry_knows(const struct entry *entry, const char *stem);
/* "Can I bring a cake?" is not "Can you bring a cake?". */
bool rlx_entry_is_reversed(const struct entry *entry, const struct rlx_reading *heard);
/* "Do you sell bread?" is "Do you have bread?". */
bool rlx_entry_is_offer(const struct entry *entry, const struct rlx_reading *way,
                        const struct rlx_reading *heard);
/* Content words that the answer has no word for; *asidesp: those that are not asked about. */
unsigned rlx_entry_strangers(const struct entry *entry, const struct rlx_reading *way,
                             const struct rlx_reading *heard, unsigned *asidesp);
bool rlx_entry_knows_verb(const struct entry *entry, const struct rlx_reading *heard);
/* "My address" is not "your address". */
bool rlx_entry_owners_agree(const struct entry *entry, const struct rlx_reading *heard);
/* What a price is asked for is what the answer is about. */
bool rlx_entry_prices_it(const struct entry *entry, const struct rlx_reading *heard);
/* A content word of the way to ask has no kin in the utterance. */
bool rlx_way_is_swapped(const struct rlx_reading *way, const struct rlx_reading *heard);
bool rlx_entry_lacks_agree(const struct entry *entry, const struct rlx_reading *way,
                           const struct rlx_reading *heard);
bool rlx_entry_numbers_agree(const struct entry *entry, const struct rlx_reading *heard);
bool rlx_entry_names_agree(const struct entry *entry, const struct rlx_reading *heard);
/* known: what the ways ask for. */
bool rlx_entry_asks_agree(const struct entry *entry, unsigned known,
                          const struct rlx_reading *heard);
/* A name of the utterance stands in the answer. */
bool rlx_entry_is_named(const struct entry *entry, const struct rlx_reading *heard);

/* ---- the decision (answers_decide.c) ---- */

void rlx_candidate_decide(const struct candidate *best, const struct rlx_reading *heard,
                          const struct rlx_answers_query *query, struct rlx_answer_match *match);

#endif
