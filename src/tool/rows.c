/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "tool/rows.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "store/audit.h"
#include "tool/text.h"

/* No file system's clock ticks more slowly than this. */
#define TICK apr_time_from_sec(1)

typedef struct walk {
    upool_rows *rows;
    upool_store *store;
    apr_pool_t *scratch;
} walk;

upool_rows *upool_rows_make(apr_pool_t *p)
{
    upool_rows *rows = apr_pcalloc(p, sizeof(*rows));

    rows->p = p;
    rows->known = apr_hash_make(p);
    return rows;
}

/* 1 if the row still holds: nothing has begun or ended since. */
static int is_fresh(const upool_row *row, apr_time_t changed)
{
    return row->read && row->state != UPOOL_STATE_UPLOADING
           && row->changed == changed && changed + TICK < row->read;
}

/* Rows last through the rounds of a watch: a text that is the same is not
 * copied. */
static const char *keep(const char *old, const char *text, apr_pool_t *p)
{
    return old && text && strcmp(old, text) == 0 ? old : apr_pstrdup(p, text);
}

static void fill(upool_row *row, const upool_record *record, apr_time_t changed,
                 apr_pool_t *p)
{
    row->before = row->read;
    row->since = row->received;
    row->read = apr_time_now();
    row->changed = changed;
    row->state = record->state;
    row->filename = keep(row->filename, record->filename, p);
    row->error = record->state == UPOOL_STATE_ERROR
                     ? keep(row->error, record->error, p)
                     : NULL;
    row->size = record->size;
    row->received = record->received;
    row->files = record->files->nelts;
    row->created = record->created;
    row->updated = record->updated;
}

static upool_row *row_of(upool_rows *rows, const char *id)
{
    upool_row *row = apr_hash_get(rows->known, id, APR_HASH_KEY_STRING);

    if (!row) {
        row = apr_pcalloc(rows->p, sizeof(*row));
        row->id = apr_pstrdup(rows->p, id);
        apr_hash_set(rows->known, row->id, APR_HASH_KEY_STRING, row);
    }
    return row;
}

static apr_status_t visit(void *baton, const char *name, int may_be)
{
    walk *w = baton;
    apr_time_t changed = may_be ? upool_audit_changed(w->store, name) : 0;
    upool_row *row = apr_hash_get(w->rows->known, name, APR_HASH_KEY_STRING);
    upool_record *record = NULL;
    apr_status_t rv;

    if (!changed) {
        w->rows->strangers++;
        return APR_SUCCESS;
    }
    if (row && is_fresh(row, changed)) {
        row->is_seen = 1;
        return APR_SUCCESS;
    }
    apr_pool_clear(w->scratch);
    rv = upool_bucket_status(&record, w->store, name, w->scratch);
    if (!rv) {
        row = row_of(w->rows, name);
        fill(row, record, changed, w->rows->p);
        row->is_seen = 1;
    }
    else if (!APR_STATUS_IS_ENOENT(rv)) {
        w->rows->unread++;
    }
    return APR_SUCCESS;
}

static void forget_unseen(const upool_rows *rows, apr_pool_t *scratch)
{
    apr_hash_index_t *i;

    for (i = apr_hash_first(scratch, rows->known); i; i = apr_hash_next(i)) {
        upool_row *row = apr_hash_this_val(i);

        if (!row->is_seen) {
            apr_hash_set(rows->known, row->id, APR_HASH_KEY_STRING, NULL);
        }
        row->is_seen = 0;
    }
}

apr_status_t upool_rows_read(upool_rows *rows, upool_store *store)
{
    walk w = { rows, store, NULL };
    apr_status_t rv;

    rows->strangers = 0;
    rows->unread = 0;
    apr_pool_create(&w.scratch, rows->p);
    rv = upool_audit_each(store, visit, &w);
    forget_unseen(rows, w.scratch);
    apr_pool_destroy(w.scratch);
    return rv;
}

static int compare(const void *a, const void *b)
{
    const upool_row *one = *(const upool_row *const *)a;
    const upool_row *other = *(const upool_row *const *)b;

    if (one->updated != other->updated) {
        return one->updated < other->updated ? -1 : 1;
    }
    return strcmp(one->id, other->id);
}

apr_array_header_t *upool_rows_sorted(const upool_rows *rows, const char *state,
                                      apr_pool_t *p)
{
    apr_array_header_t *list = apr_array_make(
        p, (int)apr_hash_count(rows->known) + 1, sizeof(const upool_row *));
    apr_hash_index_t *i;

    for (i = apr_hash_first(p, rows->known); i; i = apr_hash_next(i)) {
        const upool_row *row = apr_hash_this_val(i);

        if (!state || strcmp(state, upool_state_name(row->state)) == 0) {
            APR_ARRAY_PUSH(list, const upool_row *) = row;
        }
    }
    qsort(list->elts, (size_t)list->nelts, sizeof(const upool_row *), compare);
    return list;
}

json_t *upool_rows_object(const upool_row *row, apr_pool_t *p)
{
    json_t *size = row->size < 0 ? json_null() : json_integer(row->size);
    json_t *object = json_pack(
        "{s:s, s:s, s:s, s:o, s:I, s:i, s:s, s:s}", "identifier", row->id,
        "state", upool_state_name(row->state), "filename", row->filename,
        "size", size, "received", (json_int_t)row->received, "files",
        row->files, "created", upool_text_time(row->created, p), "updated",
        upool_text_time(row->updated, p));

    if (object && row->error
        && json_object_set_new(object, "error", json_string(row->error))) {
        json_decref(object);
        return NULL;
    }
    return object;
}
