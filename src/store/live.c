#include "store/live.h"

#include <errno.h>

#include "store/db.h"

struct reader {
    rlx_live_h *each;
    void *arg;
};

static int take_event(struct rlx_row *row, void *arg)
{
    const struct reader *reader = arg;
    const struct rlx_live_event event = {
        .id = rlx_row_int(row, 0),
        .user_id = rlx_row_text(row, 1),
        .call_id = rlx_row_text(row, 2),
        .kind = rlx_row_text(row, 3),
        .data = rlx_row_text(row, 4),
        .at = rlx_row_text(row, 5),
        .agent_id = rlx_row_text(row, 6),
    };

    return reader->each(&event, reader->arg);
}

int rlx_live_last(struct rlx_store *store, int64_t *idp)
{
    if (!store || !idp)
        return -EINVAL;
    return RLX_ONCE(store, RLX_DB_READ, RLX_Q_EVENTS_LAST, rlx_row_take_int, idp, NULL);
}

int rlx_live_read(struct rlx_store *store, int64_t after, int limit, rlx_live_h *each, void *arg)
{
    struct reader reader = {each, arg};

    if (!store || !each || limit < 1)
        return -EINVAL;
    return RLX_ONCE(store, RLX_DB_READ, RLX_Q_EVENTS_AFTER, take_event, &reader, NULL,
                    RLX_INT(after), RLX_INT(limit));
}

int rlx_live_read_of(struct rlx_store *store, const char *user_id, const char *call_id,
                     int64_t after, int64_t until, int limit, rlx_live_h *each, void *arg)
{
    struct reader reader = {each, arg};

    if (!store || !user_id || !each || limit < 1)
        return -EINVAL;
    return RLX_ONCE(store, RLX_DB_READ,
                    call_id ? RLX_Q_EVENTS_AFTER_OF_CALL : RLX_Q_EVENTS_AFTER_OF_USER, take_event,
                    &reader, NULL, RLX_INT(after), RLX_INT(limit),
                    RLX_TEXT(call_id ? call_id : user_id), RLX_INT(until));
}
