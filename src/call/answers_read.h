/* What an utterance says besides its direction in vector space: the readings that the rules of
 * approved answers compare. Pure; any thread. Reasons: docs/internals/answers.md. */
#ifndef RLX_CALL_ANSWERS_READ_H
#define RLX_CALL_ANSWERS_READ_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#define RLX_READ_TOKENS 64
#define RLX_READ_NUMBERS 8
#define RLX_READ_LACKS 8
#define RLX_READ_DEEDS 4

/* What is asked for. */
enum rlx_asks {
    RLX_ASKS_WHY = 1 << 0,
    RLX_ASKS_WHO = 1 << 1,
    RLX_ASKS_WHERE = 1 << 2,
    RLX_ASKS_WHEN = 1 << 3,
    RLX_ASKS_PRICE = 1 << 4,
    RLX_ASKS_LENGTH = 1 << 5,   /* how long */
    RLX_ASKS_COUNT = 1 << 6,    /* how many, how often, how old */
    RLX_ASKS_NOTICE = 1 << 7,   /* how early, how many days before */
    RLX_ASKS_OTHER = 1 << 8,    /* what, how, yes or no */
    RLX_ASKS_MANNER = 1 << 10,  /* how do I: what the caller does, step by step */
    RLX_ASKS_TAKING = 1 << 11,  /* how long it takes, beside RLX_ASKS_LENGTH */
    RLX_ASKS_LASTING = 1 << 12, /* how long it lasts, the same */
    RLX_ASKS_SPAN = 1 << 9,     /* how many days: how long, how soon or how early */
};

/* Marks of meaning; each must agree with the way to ask. */
enum rlx_marks {
    RLX_MARK_PAST = 1 << 0,       /* did, was, yesterday, already */
    RLX_MARK_CONDITION = 1 << 1,  /* if, unless, suppose */
    RLX_MARK_EXCLUSION = 1 << 2,  /* except, other, else, without, instead, only */
    RLX_MARK_COMPARISON = 1 << 3, /* more, less, cheaper, than, extra */
    RLX_MARK_DOUBT = 1 << 4,      /* really, sure, true, ever, even */
    RLX_MARK_ORDER = 1 << 5,      /* before, after, during, again, last */
    RLX_MARK_STATUS = 1 << 6,     /* where is my …: about the matter of this caller */
    RLX_MARK_STATE = 1 << 7,      /* is my … ready: how that matter stands now */
};

/* Whose a thing is: "my address", "your address". */
enum rlx_owner { RLX_OWNER_NONE, RLX_OWNER_CALLER, RLX_OWNER_BUSINESS };

struct rlx_reading {
    const char *token[RLX_READ_TOKENS]; /* stems of content words */
    unsigned token_count;
    const char *joined[RLX_READ_TOKENS]; /* stem with the particle behind it ("back up" is a
                                            "backup"), or NULL */
    enum rlx_owner owner[RLX_READ_TOKENS];
    bool aside[RLX_READ_TOKENS]; /* where or whose, not what is asked about: "pets in the STUDIO",
                                    "park my CAR" */
    double number[RLX_READ_NUMBERS];
    unsigned number_count;
    unsigned names;      /* tokens from `first_name` on are names: capitals inside a sentence */
    const char *name[8]; /* their stems */
    const char *verb;    /* stem of what is to be done: "do you SELL …"; NULL when a light word */
    const char *verb_joined; /* the verb with its particle, or NULL */
    const char *object; /* stem of what a price is asked for: "how much is a new PHONE", or NULL */
    /* Tokens that say for whom or why: "my DAUGHTER", clauses before the question. They stand in
     * `token` too. */
    const char *context[RLX_READ_TOKENS];
    unsigned context_count;
    /* What a thing is without: "bread without GLUTEN", "SUGAR free cake", "who can't eat WHEAT".
     * That is a topic; `negated` is a request, a verb or a fact that is denied. */
    const char *lacks[RLX_READ_LACKS];
    unsigned lack_count;
    /* What is said not to be needed or there: "no APPOINTMENT". */
    const char *denied[RLX_READ_LACKS];
    unsigned denied_count;
    unsigned asks, marks; /* enum rlx_asks, enum rlx_marks */
    unsigned words, questions;
    bool misheard; /* no question as it stands, but it begins with what speech to text makes of a
                      question word: "With the charge" for "What do you charge" */
    bool asking, negated, hostile, accusing, weekday, pronoun, follow_up, excluded;
    const char *deeds[RLX_READ_DEEDS]; /* stems after "we": "we SELL boxes" */
    unsigned deed_count;
    bool amount;     /* "how big is the deposit" */
    bool own_verb;   /* the verb's subject is who asks: "can I BUY …" */
    const char *per; /* stem of the measure of "one hour", or NULL */
    bool gratis;     /* says "free", "without paying" */
    char *bare;
};

/* Reads `text`; everything lives on ctx. -ENOMEM. */
int rlx_reading_make(struct rlx_reading *reading, TALLOC_CTX *ctx, const char *text)
    __attribute__((warn_unused_result));

/* The stem of a lower-case word, on ctx. NULL without memory. */
char *rlx_word_stem(TALLOC_CTX *ctx, const char *word);
/* Same stem, a shared group of kindred words, or one derived from the other ("teach", "teacher").
 */
bool rlx_words_kindred(const char *a, const char *b);
/* Bits of the groups of kindred words ("price", "cost", "charge") that a stem belongs to. */
uint64_t rlx_word_groups(const char *stem);
/* Bit of rlx_word_groups: words of money. */
#define RLX_GROUP_MONEY 1ULL
/* A word that never makes a question one about another thing. */
bool rlx_word_is_light(const char *word);

#endif
