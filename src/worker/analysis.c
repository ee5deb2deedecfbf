#include "worker/analysis.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define ITEMS_MAX 6
#define SUMMARY_MAX 1000

static const char *const outcomes[] = {"interested",  "not_interested", "callback",  "booked",
                                       "transferred", "voicemail",      "no_answer", "wrong_person",
                                       "opted_out",   "other",          NULL};
static const char *const sentiments[] = {"positive", "neutral", "negative", NULL};

/* What an outcome means in a sentence, and what is to be done next. */
static const struct {
    const char *outcome, *sentence, *follow_up;
} meanings[] = {
    {"interested", "The callee showed interest.", "Follow up with the callee."},
    {"not_interested", "The callee was not interested.", NULL},
    {"callback", "The callee asked to be called at another time.",
     "Call back at the time that the callee asked for."},
    {"booked", "An appointment was agreed.", NULL},
    {"transferred", "The call was transferred.", NULL},
    {"voicemail", "A voicemail answered.", "Try again later."},
    {"no_answer", "Nobody spoke on the other end.", "Try again later."},
    {"wrong_person", "The person that was asked for could not be reached at this number.",
     "Check the number."},
    {"opted_out", "The callee asked not to be called again.", NULL},
    {"other", "No clear result came of the call.", NULL},
};

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

static bool in_list(const char *text, const char *const *list)
{
    for (; *list; list++)
        if (!strcmp(text, *list))
            return true;
    return false;
}

/* ---- by rules ---- */

static const char *sentiment_by_rules(const struct rlx_evidence *e)
{
    bool good = rlx_evidence_positive(e), bad = rlx_evidence_negative(e);

    return bad ? "negative" : good ? "positive" : "neutral";
}

/* "pricing, opening hours and cancellation"; NULL when the callee raised fewer than two subjects. */
static char *subjects(TALLOC_CTX *ctx, const struct rlx_evidence *e)
{
    json_t *intents = rlx_evidence_intents(e);
    size_t count = json_array_size(intents);
    char *text = count < 2 ? NULL : talloc_strdup(ctx, "");

    for (size_t i = 0; i < count && text; i++)
        text = talloc_asprintf_append(text, "%s%s", i == 0 ? "" : i + 1 == count ? " and " : ", ",
                                      json_string_value(json_array_get(intents, i)));
    for (char *c = text; c && *c; c++)
        *c = *c == '_' ? ' ' : *c;
    json_decref(intents);
    return text;
}

static json_t *summary_by_rules(const struct rlx_evidence *e, const char *outcome)
{
    const char *first, *sentence = "", *failure = rlx_evidence_our_failure(e);
    size_t turns = rlx_evidence_turns(e, &first);

    if (failure && !strcmp(outcome, "other"))
        return json_sprintf("The call was answered, but failed on our side: %s.", failure);
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++)
        if (!strcmp(meanings[i].outcome, outcome))
            sentence = meanings[i].sentence;
    if (!turns)
        return json_string(sentence);
    char *about = subjects(NULL, e);
    if (about) {
        json_t *summary = json_sprintf("The callee spoke about %s. %s", about, sentence);
        talloc_free(about);
        return summary;
    }
    return json_sprintf("The callee spoke %zu time%s, first: \"%.*s\". %s", turns,
                        turns == 1 ? "" : "s", rlx_clip(first, 200), first, sentence);
}

static json_t *follow_up_by_rules(const struct rlx_evidence *e, const char *outcome)
{
    if (!strcmp(outcome, "other") && rlx_evidence_our_failure(e))
        return json_string("Try again later.");
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++)
        if (!strcmp(meanings[i].outcome, outcome) && meanings[i].follow_up)
            return json_string(meanings[i].follow_up);
    return json_null();
}

static json_t *nothing_extracted(const json_t *fields)
{
    json_t *extracted = json_object();
    const json_t *field;
    size_t i;

    json_array_foreach (fields, i, field)
        json_object_set_new(extracted, text_of(field, "name"), json_null());
    return extracted;
}

json_t *rlx_analysis_rules(const struct rlx_evidence *e, const json_t *fields)
{
    const char *outcome = rlx_evidence_outcome(e);

    return json_pack("{s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:s,s:[]}", "sentiment", sentiment_by_rules(e),
                     "outcome", outcome, "summary", summary_by_rules(e, outcome), "key_points",
                     rlx_evidence_questions(e), "intents", rlx_evidence_intents(e), "follow_up",
                     follow_up_by_rules(e, outcome), "extracted", nothing_extracted(fields),
                     "method", "rules", "notes");
}

/* ---- reading a model's answer ---- */

static bool texts_only(const json_t *array)
{
    const json_t *item;
    size_t i;

    if (!json_is_array(array))
        return false;
    json_array_foreach (array, i, item)
        if (!json_is_string(item))
            return false;
    return true;
}

static const char *wrong_with(const json_t *model)
{
    const json_t *follow_up = json_object_get(model, "follow_up");
    const json_t *extracted = json_object_get(model, "extracted");

    if (!json_is_object(model))
        return "the answer is no object";
    if (!in_list(text_of(model, "sentiment"), sentiments))
        return "sentiment is none of the allowed values";
    if (!in_list(text_of(model, "outcome"), outcomes))
        return "outcome is none of the allowed values";
    if (!*text_of(model, "summary"))
        return "summary is missing";
    if (!texts_only(json_object_get(model, "key_points")))
        return "key_points is no array of texts";
    if (!texts_only(json_object_get(model, "intents")))
        return "intents is no array of texts";
    if (follow_up && !json_is_null(follow_up) && !json_is_string(follow_up))
        return "follow_up is no text";
    if (extracted && !json_is_object(extracted))
        return "extracted is no object";
    return NULL;
}

int rlx_analysis_parse(json_t **modelp, const char *text, const char **whyp)
{
    const char *begin = strchr(text, '{');
    json_t *model = begin ? json_loads(begin, JSON_DISABLE_EOF_CHECK, NULL) : NULL;

    *whyp = model ? wrong_with(model) : "the answer is no JSON";
    if (*whyp) {
        json_decref(model);
        return RLX_EJSON;
    }
    *modelp = model;
    return 0;
}

/* ---- holding it against the transcript ---- */

struct check {
    const struct rlx_evidence *e;
    const json_t *model, *fields;
    json_t *notes;
};

static void note(struct check *c, json_t *text)
{
    if (json_array_size(c->notes) < 20)
        json_array_append_new(c->notes, text);
    else
        json_decref(text);
}

static const char *check_outcome(struct check *c)
{
    const char *given = text_of(c->model, "outcome"), *certain = rlx_evidence_certain(c->e);
    const char *outcome = given;

    if (certain)
        outcome = certain;
    else if (!rlx_evidence_supports(c->e, given) || !strcmp(given, "other") ||
             !strcmp(given, "interested"))
        outcome = rlx_evidence_outcome(c->e); /* made up, or it missed what is plainer */
    if (strcmp(outcome, given) != 0)
        note(c, json_sprintf("outcome %s: the transcript says %s", given, outcome));
    return outcome;
}

static const char *check_sentiment(struct check *c, const char *outcome)
{
    const char *given = text_of(c->model, "sentiment"), *sentiment = given;
    bool good = rlx_evidence_positive(c->e), bad = rlx_evidence_negative(c->e);

    if (!strcmp(given, "positive") && (!good || !strcmp(outcome, "opted_out")))
        sentiment = bad ? "negative" : "neutral";
    else if (!strcmp(given, "negative") && !bad)
        sentiment = good ? "positive" : "neutral";
    if (strcmp(sentiment, given) != 0)
        note(c, json_sprintf("sentiment %s: no words of the callee bear it", given));
    return sentiment;
}

/* The end of a sentence: . ! ? before white space or the end, with what closes it. */
static size_t sentence_length(const char *text)
{
    size_t i = 0;

    while (text[i]) {
        char c = text[i++];
        if (c != '.' && c != '!' && c != '?')
            continue;
        i += strspn(text + i, ".!?\"')");
        if (!text[i] || isspace((unsigned char)text[i]))
            break;
    }
    return i;
}

static json_t *check_summary(struct check *c, const char *outcome)
{
    const char *p = text_of(c->model, "summary");
    char *kept = talloc_strdup(NULL, "");
    json_t *summary;

    for (p += strspn(p, " \t\r\n"); *p; p += strspn(p, " \t\r\n")) {
        size_t n = sentence_length(p);
        char *sentence = talloc_strndup(kept, p, n);
        if (sentence && rlx_evidence_reports(sentence) && rlx_evidence_heard(c->e, sentence))
            kept = talloc_asprintf_append(kept, "%s%s", *kept ? " " : "", sentence);
        else
            note(c, json_sprintf("left out of the summary (not borne by the transcript): %.*s",
                                 rlx_clip(p, n < 200 ? n : 200), p));
        p += n;
        if (!kept || strlen(kept) > SUMMARY_MAX)
            break;
    }
    summary = kept && *kept ? json_string(kept) : summary_by_rules(c->e, outcome);
    talloc_free(kept);
    return summary;
}

static bool holds(const json_t *array, const char *text)
{
    const json_t *item;
    size_t i;

    json_array_foreach (array, i, item)
        if (!strcmp(json_string_value(item), text))
            return true;
    return false;
}

static json_t *check_points(struct check *c)
{
    const json_t *points = json_object_get(c->model, "key_points"), *point;
    json_t *kept = json_array();
    size_t i;

    json_array_foreach (points, i, point) {
        const char *text = json_string_value(point);
        if (!*text || json_array_size(kept) >= ITEMS_MAX)
            continue;
        if (rlx_evidence_reports(text) && rlx_evidence_heard(c->e, text) && !holds(kept, text))
            json_array_append_new(kept, json_sprintf("%.*s", rlx_clip(text, 300), text));
        else
            note(c, json_sprintf("left out of key_points (not borne by the transcript): %.*s",
                                 rlx_clip(text, 200), text));
    }
    if (!json_array_size(kept)) {
        json_decref(kept);
        return rlx_evidence_questions(c->e);
    }
    return kept;
}

static json_t *check_intents(struct check *c)
{
    const json_t *intents = json_object_get(c->model, "intents"), *intent;
    json_t *kept = json_array();
    size_t i;

    json_array_foreach (intents, i, intent) {
        const char *text = json_string_value(intent);
        if (*text && strlen(text) <= 80 && json_array_size(kept) < ITEMS_MAX &&
            rlx_evidence_touches(c->e, text))
            json_array_append_new(kept, json_string(text));
    }
    if (json_array_size(kept))
        return kept;
    json_decref(kept);
    return rlx_evidence_intents(c->e);
}

static json_t *check_follow_up(struct check *c, const char *outcome)
{
    const char *text = text_of(c->model, "follow_up");

    if (!strcmp(outcome, "opted_out"))
        return json_null(); /* whatever a model proposes */
    if (strlen(text) <= 300 && rlx_evidence_reports(text) && rlx_evidence_heard(c->e, text))
        return json_string(text);
    return follow_up_by_rules(c->e, outcome);
}

static bool value_said(const struct rlx_evidence *e, const json_t *value, const char *type)
{
    if (!strcmp(type, "number"))
        return json_is_number(value) && rlx_evidence_callee_number(e, json_number_value(value));
    if (!strcmp(type, "boolean"))
        return (json_is_true(value) && rlx_evidence_said_yes(e)) ||
               (json_is_false(value) && rlx_evidence_said_no(e));
    return json_is_string(value) && rlx_evidence_callee_said(e, json_string_value(value));
}

static json_t *check_extracted(struct check *c)
{
    const json_t *given = json_object_get(c->model, "extracted"), *field;
    json_t *extracted = nothing_extracted(c->fields);
    size_t i;

    json_array_foreach (c->fields, i, field) {
        const char *name = text_of(field, "name"), *type = text_of(field, "type");
        json_t *value = json_object_get(given, name);
        if (!value || json_is_null(value))
            continue;
        if (value_said(c->e, value, *type ? type : "string"))
            json_object_set(extracted, name, value);
        else
            note(c, json_sprintf("extracted %s: the callee did not say it", name));
    }
    return extracted;
}

json_t *rlx_analysis_check(const struct rlx_evidence *e, const json_t *model, const json_t *fields)
{
    struct check c = {.e = e, .model = model, .fields = fields, .notes = json_array()};
    const char *outcome = check_outcome(&c);
    const char *sentiment = check_sentiment(&c, outcome);
    json_t *summary = check_summary(&c, outcome), *points = check_points(&c);
    json_t *intents = check_intents(&c), *follow_up = check_follow_up(&c, outcome);
    json_t *extracted = check_extracted(&c);

    return json_pack("{s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:s,s:o}", "sentiment", sentiment, "outcome",
                     outcome, "summary", summary, "key_points", points, "intents", intents,
                     "follow_up", follow_up, "extracted", extracted, "method", "model", "notes",
                     c.notes);
}
