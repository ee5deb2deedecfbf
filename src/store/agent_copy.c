/* An agent's knowledge for its copy. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "store/agents_db.h"

struct ids {
    TALLOC_CTX *ctx;
    char (*items)[37];
    unsigned count;
};

static int take_id(struct rlx_row *row, void *arg)
{
    struct ids *ids = arg;
    char(*items)[37] = talloc_realloc_size(ids->ctx, ids->items, (ids->count + 1) * sizeof *items);

    if (!items)
        return -ENOMEM;
    ids->items = items;
    snprintf(items[ids->count++], sizeof *items, "%s", rlx_row_text(row, 0));
    return 0;
}

static int embed_job(struct rlx_db *db, const char *id)
{
    char job_id[RLX_UUID_TEXT], key[64], payload[80];

    rlx_uuid(job_id);
    snprintf(key, sizeof key, "embed:%s", id);
    snprintf(payload, sizeof payload, "{\"knowledge_id\":\"%s\"}", id);
    return RLX_RUN(db, RLX_Q_JOB_ADD, NULL, NULL, NULL, RLX_TEXT(job_id), RLX_TEXT("embed"),
                   RLX_TEXT(key), RLX_TEXT(payload), RLX_INT(rlx_wall_ms()));
}

static int copy_entry(struct rlx_db *db, const char *from, const char *agent_id, const char *scope)
{
    char id[RLX_UUID_TEXT];
    int vectors = 0;

    rlx_uuid(id);
    int err = RLX_RUN(db, RLX_Q_KNOWLEDGE_COPY, NULL, NULL, NULL, RLX_TEXT(id), RLX_TEXT(from),
                      RLX_TEXT(agent_id));
    if (!err)
        err = RLX_RUN(db, RLX_Q_KNOWLEDGE_COPY_CHUNKS, NULL, NULL, NULL, RLX_TEXT(id),
                      RLX_TEXT(from), RLX_TEXT(scope));
    if (!err)
        err = RLX_RUN(db, RLX_Q_KNOWLEDGE_COPY_VECTORS, NULL, NULL, &vectors, RLX_TEXT(id),
                      RLX_TEXT(from));
    return err || vectors ? err : embed_job(db, id);
}

int rlx_db_knowledge_copy(struct rlx_db *db, const char *user_id, const char *from_agent,
                          const char *to_agent)
{
    struct ids ids = {.ctx = talloc_new(NULL)};
    char scope[37] = "", *out = scope;
    int err = RLX_RUN(db, RLX_Q_KNOWLEDGE_COPY_IDS, take_id, &ids, NULL, RLX_TEXT(from_agent),
                      RLX_TEXT(user_id));

    for (const char *p = to_agent; *p; p++) /* the id as one word of the index */
        if (*p != '-')
            *out++ = *p;
    for (unsigned i = 0; i < ids.count && !err; i++)
        err = copy_entry(db, ids.items[i], to_agent, scope);
    talloc_free(ids.ctx);
    return err;
}
