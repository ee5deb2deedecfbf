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

/* "Can I bring a cake?" is not "Can you bring a cake?": what only the business does. */
bool rlx_entry_is_reversed(const struct entry *entry, const struct rlx_reading *heard)
{
    bool theirs = false;
    if (!heard->verb || !heard->own_verb)
        return false;
    for (unsigned i = 0; i < entry->deed_count && !theirs; i++)
        theirs = !strcmp(heard->verb, entry->deeds[i]);
    for (size_t i = 0; i < entry->way_count; i++) {
        const struct rlx_reading *way = &entry->ways[i].reading;
        if (!way->verb || strcmp(heard->verb, way->verb))
            continue;
        if (way->own_verb)
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

/* Content words that the answer has no word for: what is asked may be another thing. */
unsigned rlx_entry_strangers(const struct entry *entry, const struct rlx_reading *way,
                             const struct rlx_reading *heard)
{
    unsigned count = 0;
    for (unsigned i = 0; i < heard->token_count; i++)
        count += !(heard->token[i] == heard->verb && rlx_entry_is_offer(entry, way, heard)) &&
                 !rlx_entry_knows(entry, heard->token[i]) &&
                 !stands_in(heard->token[i], heard->context, heard->context_count);
    return count;
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
        found = stands_in(heard->lacks[i], entry->lacks, entry->lack_count);
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
    if (known & (RLX_ASKS_WHEN | RLX_ASKS_LENGTH | RLX_ASKS_NOTICE))
        known |= RLX_ASKS_NOTICE;
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
