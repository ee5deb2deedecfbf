/* What the words of an utterance and of an answer have in common, beyond vectors. */
#include <math.h>
#include <string.h>

#include "call/answers_private.h"
#include "call/words.h"

static bool stands_in(const char *stem, const char *const *stems, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (rlx_words_kindred(stem, stems[i]))
            return true;
    }
    return false;
}

bool rlx_entry_knows(const struct entry *entry, const char *stem)
{
    return (rlx_word_groups(stem) & entry->vocabulary.groups) ||
           stands_in(stem, entry->vocabulary.stems, entry->vocabulary.count);
}

/* The text says that "you can". */
static bool is_granted(const struct entry *entry, const struct rlx_reading *heard)
{
    bool granted = false;
    for (unsigned i = 0; i < entry->grant_count && heard->own_verb; i++)
        granted = granted || !strcmp(heard->verb, entry->grants[i]);
    return granted;
}

/* "Can I bring a cake?" is not "Can you bring a cake?", nor is "Can you cancel it for me?" "Can I
 * cancel?": what only the other side does. */
bool rlx_entry_is_reversed(const struct entry *entry, const struct rlx_reading *heard)
{
    bool theirs = false;
    if (!heard->verb || is_granted(entry, heard))
        return false;
    for (unsigned i = 0; i < entry->deed_count && !theirs; i++)
        theirs = !strcmp(heard->verb, entry->deeds[i]);
    if (theirs && !heard->own_verb)
        return false;
    for (size_t i = 0; i < entry->way_count; i++) {
        const struct rlx_reading *way = &entry->ways[i].reading;
        if (!way->verb || strcmp(heard->verb, way->verb))
            continue;
        if (way->own_verb == heard->own_verb)
            return false;
        theirs = true;
    }
    return theirs;
}

/* "Do you sell bread?" is "Do you have bread?". */
bool rlx_entry_is_offer(const struct entry *entry, const struct rlx_reading *way,
                        const struct rlx_reading *heard)
{
    return heard->verb && rlx_word_in(heard->verb, "sell|stock|carry|keep") && !heard->own_verb &&
           !rlx_entry_knows(entry, "rent") &&
           (strstr(way->bare, "you have ") || strstr(way->bare, "you got ") ||
            strstr(way->bare, "there "));
}

/* Whether a stem is of the title or of a way to ask. */
static bool is_asked_about(const struct entry *entry, const char *stem)
{
    bool found = stands_in(stem, entry->topics, entry->topic_count);
    for (size_t i = 0; i < entry->way_count && !found; i++)
        found = stands_in(stem, entry->ways[i].reading.token, entry->ways[i].reading.token_count);
    return found;
}

/* The same for a verb of money: "can I pay by card" is not "what does a card cost". */
static bool is_payment(const struct entry *entry, const char *stem)
{
    uint64_t groups = rlx_word_groups(stem) & ~RLX_GROUP_MONEY;
    bool found = (groups & entry->vocabulary.groups) != 0;
    for (size_t i = 0; i < entry->way_count; i++) {
        const struct rlx_reading *way = &entry->ways[i].reading;
        for (unsigned k = 0; k < way->token_count; k++)
            found = found || !strcmp(stem, way->token[k]);
    }
    return found;
}

bool rlx_entry_knows_verb(const struct entry *entry, const struct rlx_reading *heard)
{
    /* "What do you charge for …" */
    bool money = (rlx_word_groups(heard->verb) & RLX_GROUP_MONEY) != 0;
    if (money && heard->asks & RLX_ASKS_PRICE && rlx_entry_knows(entry, heard->verb))
        return true;
    if (is_granted(entry, heard))
        return true;
    return (money ? is_payment(entry, heard->verb) : is_asked_about(entry, heard->verb)) ||
           (heard->verb_joined && rlx_entry_knows(entry, heard->verb_joined));
}

/* Content words that the answer has no word for: what is asked may be another thing. */
unsigned rlx_entry_strangers(const struct entry *entry, const struct rlx_reading *way,
                             const struct rlx_reading *heard, unsigned *asidesp)
{
    unsigned count = 0;
    *asidesp = 0;
    for (unsigned i = 0; i < heard->token_count; i++) {
        bool stranger =
            !(heard->token[i] == heard->verb && rlx_entry_is_offer(entry, way, heard)) &&
            !rlx_entry_knows(entry, heard->token[i]) &&
            !(heard->joined[i] && rlx_entry_knows(entry, heard->joined[i])) &&
            !stands_in(heard->token[i], heard->context, heard->context_count);
        count += stranger;
        *asidesp += stranger && heard->aside[i];
    }
    return count;
}

/* "Come to my address" is not about "your address": a thing that only the other side has in the
 * ways to ask. */
bool rlx_entry_owners_agree(const struct entry *entry, const struct rlx_reading *heard)
{
    for (unsigned i = 0; i < heard->token_count; i++) {
        bool other = false, same = heard->owner[i] == RLX_OWNER_NONE;
        for (size_t w = 0; w < entry->way_count && !same; w++) {
            const struct rlx_reading *way = &entry->ways[w].reading;
            for (unsigned k = 0; k < way->token_count; k++) {
                if (strcmp(way->token[k], heard->token[i]))
                    continue;
                bool opposed = way->owner[k] && way->owner[k] != heard->owner[i];
                other = other || opposed;
                same = same || !opposed;
            }
        }
        if (other && !same)
            return false;
    }
    return true;
}

/* What a price is asked for must be what the answer is about: a word of its title, or of a way when
 * one of them asks for a price, not only of its text; a word unknown to it is another thing. */
bool rlx_entry_prices_it(const struct entry *entry, const struct rlx_reading *heard)
{
    bool priced = false;
    if (!heard->object)
        return true;
    for (size_t w = 0; w < entry->way_count; w++)
        priced = priced || (entry->ways[w].reading.asks & RLX_ASKS_PRICE);
    return priced ? is_asked_about(entry, heard->object)
                  : stands_in(heard->object, entry->topics, entry->topic_count);
}

/* Whether a content word of the way to ask has no kin in the utterance: then a stranger stands in
 * its place ("pet food" for "pet insurance") and is not just one word more. */
bool rlx_way_is_swapped(const struct rlx_reading *way, const struct rlx_reading *heard)
{
    for (unsigned i = 0; i < way->token_count; i++) {
        if (!stands_in(way->token[i], heard->token, heard->token_count))
            return true;
    }
    return false;
}

/* What a thing is without must be what the answer speaks of, on both sides. */
bool rlx_entry_lacks_agree(const struct entry *entry, const struct rlx_reading *way,
                           const struct rlx_reading *heard)
{
    bool found = heard->lack_count == 0;
    for (unsigned i = 0; i < heard->lack_count && !found; i++)
        found = stands_in(heard->lacks[i], entry->lacks, entry->lack_count) ||
                stands_in(heard->lacks[i], entry->denied, entry->denied_count);
    /* "without paying" */
    bool money = entry->gratis || (entry->vocabulary.groups & RLX_GROUP_MONEY);
    if (!found || (heard->gratis && !money))
        return false;
    /* "Do you have bread?" is not "Do you have gluten free bread?" */
    for (unsigned i = 0; i < way->lack_count && found; i++)
        found = stands_in(way->lacks[i], heard->token, heard->token_count) || heard->lack_count > 0;
    return found;
}

bool rlx_entry_numbers_agree(const struct entry *entry, const struct rlx_reading *heard)
{
    for (unsigned i = 0; i < heard->number_count; i++) {
        bool found = false;
        for (size_t w = 0; w < entry->way_count && !found; w++) {
            const struct rlx_reading *way = &entry->ways[w].reading;
            for (unsigned k = 0; k < way->number_count && !found; k++)
                found = fabs(way->number[k] - heard->number[i]) < 1e-6;
        }
        /* "one hour" is the price per hour */
        if (!found && heard->number[i] == 1 && heard->per && (heard->asks & RLX_ASKS_PRICE))
            found = strcasestr(entry->text, heard->per) != NULL;
        if (!found)
            return false;
    }
    return true;
}

bool rlx_entry_names_agree(const struct entry *entry, const struct rlx_reading *heard)
{
    if (heard->weekday && !entry->weekday)
        return false;
    for (unsigned i = 0; i < heard->names; i++) {
        if (!rlx_entry_knows(entry, heard->name[i]))
            return false;
    }
    return true;
}

/* What is asked for must be something that one of the ways asks for; open questions (what, how, yes
 * or no) go with all. */
bool rlx_entry_asks_agree(const struct entry *entry, unsigned known,
                          const struct rlx_reading *heard)
{
    unsigned specific = heard->asks & ~(unsigned)RLX_ASKS_OTHER;
    /* An answer that speaks of money or says "free" tells a price though no way asks for it. */
    if (entry->vocabulary.groups & RLX_GROUP_MONEY)
        known |= RLX_ASKS_PRICE;
    /* "How big is the deposit?" */
    if (heard->amount && (known & RLX_ASKS_PRICE))
        known |= RLX_ASKS_COUNT;
    /* "Can I freeze it?" tells how to. */
    for (size_t i = 0; i < entry->way_count; i++)
        known |= entry->ways[i].reading.own_verb ? RLX_ASKS_MANNER : 0U;
    /* A way that says neither goes with both. */
    if (!(known & (RLX_ASKS_TAKING | RLX_ASKS_LASTING)) || known & RLX_ASKS_NOTICE)
        known |= RLX_ASKS_TAKING | RLX_ASKS_LASTING;
    if (entry->limits)
        known |= RLX_ASKS_NOTICE;
    if (known & (RLX_ASKS_WHEN | RLX_ASKS_LENGTH | RLX_ASKS_NOTICE | RLX_ASKS_SPAN))
        known |= RLX_ASKS_NOTICE | RLX_ASKS_SPAN;
    if (known & RLX_ASKS_NOTICE)
        known |= RLX_ASKS_WHEN;
    return (specific & ~known) == 0;
}

/* A name of the utterance stands in the answer: the question is about it, though vectors say little
 * about names. */
bool rlx_entry_is_named(const struct entry *entry, const struct rlx_reading *heard)
{
    for (unsigned i = 0; i < heard->names; i++) {
        for (unsigned k = 0; k < entry->vocabulary.count; k++) {
            if (!strcmp(heard->name[i], entry->vocabulary.stems[k]))
                return true;
        }
    }
    return false;
}
