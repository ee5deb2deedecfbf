/* What tests ask of a simulated call when it has run. */
#include "harness.h"

#include <stdio.h>

#include "phone.h"

const struct sim_entry *sim_find(const struct sim *sim, enum rlx_conv_action_kind kind,
                                 uint32_t after)
{
    for (size_t i = 0; i < sim->log_count; i++)
        if (sim->log[i].kind == kind && sim->log[i].at >= after)
            return &sim->log[i];
    return NULL;
}

unsigned sim_count(const struct sim *sim, enum rlx_conv_action_kind kind)
{
    unsigned count = 0;

    for (size_t i = 0; i < sim->log_count; i++)
        count += sim->log[i].kind == kind;
    return count;
}

const struct sim_entry *sim_said(const struct sim *sim, const char *text)
{
    for (size_t i = 0; i < sim->log_count; i++)
        if (sim->log[i].kind == RLX_ACT_SAY && strstr(sim->log[i].text, text))
            return &sim->log[i];
    return NULL;
}

const struct sim_row *sim_row(const struct sim *sim, bool agent, unsigned n)
{
    const struct sim_row *last = NULL;

    for (unsigned i = 0; i <= n; i++) {
        const struct sim_row *next = NULL;
        for (size_t j = 0; j < sim->row_count; j++) {
            const struct sim_row *row = &sim->rows[j];
            if (row->agent == agent && row->text[0] && (!last || row->seq > last->seq) &&
                (!next || row->seq < next->seq))
                next = row;
        }
        if (!next)
            return NULL;
        last = next;
    }
    return last;
}

const struct sim_row *sim_row_with(const struct sim *sim, const char *text)
{
    for (size_t i = 0; i < sim->row_count; i++)
        if (strstr(sim->rows[i].text, text))
            return &sim->rows[i];
    return NULL;
}

static json_int_t number(json_t *root, const char *path)
{
    char name[64];
    json_t *at = root;

    for (const char *rest = path; at && *rest;) {
        size_t length = strcspn(rest, ".");
        snprintf(name, sizeof name, "%.*s", (int)length, rest);
        at = json_object_get(at, name);
        rest += length + (rest[length] == '.');
    }
    json_int_t value = json_is_boolean(at) ? json_is_true(at) : at ? json_integer_value(at) : -1;
    json_decref(root);
    return value;
}

json_int_t sim_meta(const struct sim_row *row, const char *name)
{
    return number(json_loads(row->metadata, 0, NULL), name);
}

json_int_t sim_metric(const struct sim *sim, const char *path)
{
    return number(json_loads(sim->metrics, 0, NULL), path);
}

static const struct sim_phone_heard *heard(const struct sim *sim, uint32_t epoch)
{
    static const struct sim_phone_heard NOTHING;
    const struct sim_phone_heard *found = sim_phone_heard(sim->phone, epoch);

    return found ? found : &NOTHING;
}

uint32_t sim_phone_played(const struct sim *sim, uint32_t epoch)
{
    return heard(sim, epoch)->played_ms;
}

uint32_t sim_phone_first(const struct sim *sim, uint32_t epoch)
{
    uint64_t at = heard(sim, epoch)->first_ms;
    return at ? (uint32_t)(at - SIM_START) : 0;
}

uint32_t sim_phone_last(const struct sim *sim, uint32_t epoch)
{
    uint64_t at = heard(sim, epoch)->last_ms;
    return at ? (uint32_t)(at - SIM_START) : 0;
}

uint32_t sim_phone_gap(const struct sim *sim, uint32_t epoch)
{
    return heard(sim, epoch)->longest_gap_ms;
}

unsigned sim_words_played(const struct sim *sim, uint32_t epoch)
{
    uint32_t played = sim_phone_played(sim, epoch), start = 0;
    unsigned words = 0;

    for (size_t i = 0; i < sim->log_count; i++) {
        const struct sim_entry *say = &sim->log[i];
        if (say->kind != RLX_ACT_SAY || say->epoch != epoch)
            continue;
        for (const char *at = say->text; *at;) {
            size_t length = strcspn(at, " ");
            uint32_t from = start + (uint32_t)(at - say->text) * SIM_MS_PER_CHAR;
            words += played >= from + (uint32_t)length * SIM_MS_PER_CHAR / 2;
            at += length + (at[length] == ' ');
        }
        start += (uint32_t)strlen(say->text) * SIM_MS_PER_CHAR;
    }
    return words;
}

uint32_t sim_draw(struct sim *sim, uint32_t below)
{
    sim->seed = sim->seed * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)(sim->seed >> 4) * below) >> 28);
}

void sim_print(const struct sim *sim)
{
    static const char *const KINDS[] = {
        "STATE", "STT",   "STT_CANCEL", "LOOKUP", "LLM",  "LLM_CANCEL", "SAY", "EPOCH",  "FINISH",
        "DROP",  "PAUSE", "RESUME",     "ROW",    "NOTE", "TOOL",       "DNC", "HANGUP", "END"};

    for (size_t i = 0; i < sim->log_count; i++) {
        const struct sim_entry *entry = &sim->log[i];
        print_message("%7u %-10s", entry->at, KINDS[entry->kind]);
        if (entry->kind == RLX_ACT_STATE)
            print_message(" %s", rlx_conv_state_name(entry->state));
        if (entry->job)
            print_message(" job %u purpose %d", entry->job, entry->purpose);
        if (entry->epoch)
            print_message(" %u.%u", entry->epoch, entry->piece);
        print_message(" %s\n", entry->text);
    }
    for (size_t i = 0; i < sim->row_count; i++)
        print_message(
            "row %u %s%s: %s  %s\n", sim->rows[i].seq, sim->rows[i].agent ? "agent" : "callee",
            sim->rows[i].final ? "" : " (not final)", sim->rows[i].text, sim->rows[i].metadata);
}
