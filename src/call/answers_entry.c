/* Entries: what the words of an answer are, learnt once from its title, ways and text. */
#include <errno.h>
#include <string.h>

#include "call/answers_private.h"
#include "call/words.h"

static int learn(struct entry *entry, const struct rlx_reading *reading)
{
    struct vocabulary *v = &entry->vocabulary;
    v->stems = talloc_realloc(entry, v->stems, const char *, v->count + reading->token_count + 1);
    if (!v->stems)
        return -ENOMEM;
    for (unsigned i = 0; i < reading->token_count; i++) {
        v->stems[v->count++] = reading->token[i];
        v->groups |= rlx_word_groups(reading->token[i]);
    }
    entry->lacks = talloc_realloc(entry, entry->lacks, const char *,
                                  entry->lack_count + reading->lack_count + 1);
    if (!entry->lacks)
        return -ENOMEM;
    for (unsigned i = 0; i < reading->lack_count; i++)
        entry->lacks[entry->lack_count++] = reading->lacks[i];
    entry->gratis = entry->gratis || reading->gratis;
    entry->weekday = entry->weekday || reading->weekday;
    return 0;
}

static int learn_title(struct entry *entry, const char *title)
{
    struct rlx_reading reading;
    int err = rlx_reading_make(&reading, entry, title);
    if (err || (err = learn(entry, &reading)))
        return err;
    entry->topics = talloc_array(entry, const char *, reading.token_count + 1);
    if (!entry->topics)
        return -ENOMEM;
    memcpy(entry->topics, reading.token, reading.token_count * sizeof(*reading.token));
    entry->topic_count = reading.token_count;
    return 0;
}

/* "You may light a fire." */
static int learn_grants(struct entry *entry, const struct rlx_words *w)
{
    for (unsigned i = 0; i + 2 < w->count && entry->grant_count < RLX_READ_DEEDS; i++) {
        if (!rlx_words_match(w, i, "you can|may") || rlx_word_is_light(w->word[i + 2]))
            continue;
        char *stem = rlx_word_stem(entry, w->word[i + 2]);
        if (!stem)
            return -ENOMEM;
        entry->grants[entry->grant_count++] = stem;
    }
    return 0;
}

static int learn_text(struct entry *entry, const char *text)
{
    static const char *const limits[] = {"before", "until", "up to", "in advance", "ahead", NULL};
    struct rlx_words w;
    struct rlx_reading reading;
    int err = rlx_reading_make(&reading, entry, text);
    if (err || (err = rlx_words_make(&w, entry, text, true)) || (err = learn_grants(entry, &w)))
        return err;
    entry->limits = rlx_words_find(&w, 0, limits, NULL) >= 0;
    memcpy(entry->denied, reading.denied, sizeof(entry->denied));
    entry->denied_count = reading.denied_count;
    for (unsigned i = 0; !err && i < reading.deed_count && entry->deed_count < RLX_READ_DEEDS; i++)
        entry->deeds[entry->deed_count++] = reading.deeds[i];
    return err ? err : learn(entry, &reading);
}

int rlx_entry_set_vectors(struct entry *entry, const float *vectors, size_t count, size_t dim)
{
    if (!vectors || dim == 0 || count == 0)
        return 0;
    entry->vectors = talloc_memdup(entry, vectors, count * dim * sizeof(*vectors));
    entry->dim = dim;
    return entry->vectors ? 0 : -ENOMEM;
}

int rlx_entry_create(struct entry **entryp, TALLOC_CTX *ctx, const char *id, const char *title,
                     const char *text)
{
    struct entry *entry = talloc_zero(ctx, struct entry);
    if (!entry)
        return -ENOMEM;
    entry->id = talloc_strdup(entry, id ? id : "");
    entry->title = talloc_strdup(entry, title ? title : "");
    entry->text = talloc_strdup(entry, text ? text : "");
    if (!entry->id || !entry->title || !entry->text || learn_title(entry, entry->title) ||
        learn_text(entry, entry->text)) {
        talloc_free(entry);
        return -ENOMEM;
    }
    *entryp = entry;
    return 0;
}

int rlx_entry_add_ways(struct entry *entry, const char *const *questions, size_t count)
{
    entry->ways = talloc_zero_array(entry, struct way, (unsigned)(count ? count : 1));
    if (!entry->ways)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        struct rlx_reading *reading = &entry->ways[i].reading;
        int err = rlx_reading_make(reading, entry, questions[i]);
        if (!err)
            err = learn(entry, reading);
        if (err)
            return err;
        entry->states = entry->states || !reading->asking;
        entry->marks |= reading->marks;
    }
    entry->way_count = count;
    return 0;
}
