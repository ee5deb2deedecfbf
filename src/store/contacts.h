/* Contacts, their lists, tags and fields; numbers that must not be called. See store.h for results and threads.
 *
 * A contact is {id, phone_number, name, email, time_zone, tags[], list_ids[], custom_fields{}, do_not_call, created_at,
 * updated_at}; a number is there once per user.
 */
#ifndef RLX_STORE_CONTACTS_H
#define RLX_STORE_CONTACTS_H

#include "store/store.h"

/* fields: phone_number (E.164, needed by create), name, email, time_zone, tags[], list_ids[], custom_fields{}; an update
 * takes any of them, a null clears. RLX_ECONFLICT: another contact has the number; RLX_EINVAL: a list is not the user's. */
int rlx_contact_create(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                       const json_t *fields, char **jsonp);
int rlx_contact_update(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                       const char *contact_id, const json_t *fields, char **jsonp);
int rlx_contact_get(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                    const char *contact_id, char **jsonp);
int rlx_contact_delete(struct rlx_store *store, const char *user_id, const char *contact_id);

/* What narrows a list; each may be NULL. */
struct rlx_contact_filter {
    const char *list_id, *tag;
    const char *q; /* part of the number, the name or the address; letters A-Z match small ones */
};
/* Newest first. */
int rlx_contacts_list(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                      const struct rlx_contact_filter *filter, int limit, const char *cursor,
                      char **jsonp, char **next_cursorp, int64_t *totalp);
/* The names of the custom fields that these contacts have, at most 200, sorted: an array of strings, the caller's. */
int rlx_contacts_custom_names(struct rlx_store *store, const char *user_id,
                              const struct rlx_contact_filter *filter, json_t **namesp);

/* Takes in up to some thousand rows {phone_number, name?, email?, time_zone?, tags[]?, custom_fields{}?}, each number
 * once among them, in one transaction: new numbers become contacts, known ones get what the row has (tags and fields are
 * added). list_id (may be NULL) is a list of the user's that all join. dry: only counts. *knownp: how many were known. */
int rlx_contacts_import(struct rlx_store *store, const char *user_id, const json_t *rows,
                        const char *list_id, bool dry, int64_t *knownp);

/* ---- lists: {id, name, description, contact_count, created_at, updated_at}; a name is there once per user ---- */

int rlx_contact_list_create(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                            const json_t *fields, char **jsonp);
int rlx_contact_list_update(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                            const char *list_id, const json_t *fields, char **jsonp);
int rlx_contact_list_get(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                         const char *list_id, char **jsonp);
int rlx_contact_list_list(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id, int limit,
                          const char *cursor, char **jsonp, char **next_cursorp, int64_t *totalp);
/* The contacts stay. */
int rlx_contact_list_delete(struct rlx_store *store, const char *user_id, const char *list_id);
/* Arrays of contacts' ids (may be NULL); ids that are not the user's contacts are passed over. Gives the list. */
int rlx_contact_list_change(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                            const char *list_id, const json_t *add, const json_t *remove,
                            char **jsonp);

/* ---- do not call: {phone_number, source, call_id, created_at}; adding and asking for one call: calls.h ---- */

/* By number; the cursor is the last number without its "+". */
int rlx_dnc_list(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id, int limit,
                 const char *cursor, char **jsonp, char **next_cursorp, int64_t *totalp);
int rlx_dnc_get(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                const char *phone_number, char **jsonp);
/* An array of numbers; *addedp (optional): how many were not there. */
int rlx_dnc_add_many(struct rlx_store *store, const char *user_id, const json_t *numbers,
                     const char *source, int64_t *addedp);
int rlx_dnc_delete(struct rlx_store *store, const char *user_id, const char *phone_number);

#endif
