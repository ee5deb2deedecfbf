/* One-use tickets for what sends no header. */
#include "api/private.h"

int rlx_ticket_take(struct rlx_api *api, const char *ticket, const char *path, char user_id[37])
{
    (void)api, (void)ticket, (void)path, (void)user_id;
    return RLX_EAUTH;
}
