/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include <apr_strings.h>

#include "store/audit.h"
#include "store/quota.h"
#include "tool/name.h"
#include "tool/rows.h"
#include "tool/text.h"
#include "tool/output.h"
#include "tool/tool.h"

typedef struct totals {
    const upool_tool *tool;
    int states[UPOOL_STATE_ERROR + 1];
    int written; /* uploads with a writer */
    int files;
    apr_off_t bytes;
    int orphans;
    apr_off_t orphan_bytes;
    int problems; /* buckets that have any */
    int strangers;
    apr_time_t oldest; /* last activity; 0: no upload */
    apr_time_t newest;
    int has_ledger;
    upool_quota_sum ledger;
    apr_int64_t free; /* -1: the file system does not tell */
} totals;

static void add_bucket(totals *t, const upool_row *row, apr_pool_t *p)
{
    upool_audit audit;

    t->states[row->state]++;
    if (!t->oldest || row->updated < t->oldest) {
        t->oldest = row->updated;
    }
    if (row->updated > t->newest) {
        t->newest = row->updated;
    }
    if (!upool_audit_look(&audit, t->tool->store, row->id, p)) {
        t->written += audit.is_written;
        t->files += audit.files;
        t->bytes += audit.bytes;
        t->orphans += audit.orphans;
        t->orphan_bytes += audit.orphan_bytes;
        t->problems += audit.problems->nelts > 0;
    }
}

static apr_int64_t free_bytes(const char *dir)
{
    struct statvfs fs;
    apr_uint64_t unit;

    if (statvfs(dir, &fs) < 0) {
        return -1;
    }
    unit = fs.f_frsize ? fs.f_frsize : 1;
    return fs.f_bavail > (apr_uint64_t)APR_INT64_MAX / unit
               ? APR_INT64_MAX
               : (apr_int64_t)(fs.f_bavail * unit);
}

static apr_status_t count(totals *t, const upool_tool *tool)
{
    upool_rows *rows = upool_rows_make(tool->p);
    apr_status_t rv = upool_rows_read(rows, tool->store);
    apr_array_header_t *list;
    apr_pool_t *scratch;
    int i;

    if (rv) {
        return rv;
    }
    list = upool_rows_sorted(rows, NULL, tool->p);
    apr_pool_create(&scratch, tool->p);
    for (i = 0; i < list->nelts; i++) {
        add_bucket(t, APR_ARRAY_IDX(list, i, const upool_row *), scratch);
        apr_pool_clear(scratch);
    }
    t->strangers = rows->strangers;
    t->problems += rows->unread;
    t->has_ledger = !upool_quota_read(&t->ledger, tool->store);
    t->free = free_bytes(tool->dir);
    return APR_SUCCESS;
}

static json_t *time_or_null(apr_time_t when, apr_pool_t *p)
{
    return when ? json_string(upool_text_time(when, p)) : json_null();
}

static json_t *ledger_object(const totals *t)
{
    const upool_quota_sum *sum = &t->ledger;

    return t->has_ledger
               ? json_pack("{s:i, s:I, s:I, s:I, s:o}", "uploads", sum->uploads,
                           "stored", (json_int_t)sum->stored, "reserved",
                           (json_int_t)sum->reserved, "written",
                           (json_int_t)sum->written, "counted",
                           time_or_null(sum->counted, t->tool->p))
               : json_null();
}

static upool_exit as_json(const totals *t)
{
    apr_pool_t *p = t->tool->p;

    return upool_tool_print(json_pack(
        "{s:o, s:{s:i, s:i, s:i}, s:i, s:i, s:I, s:{s:i, s:I}, s:i, s:i, s:o,"
        " s:o, s:o, s:o}",
        "pool", upool_name_json_or_null(t->tool->dir, p), "uploads", "done",
        t->states[UPOOL_STATE_DONE], "uploading",
        t->states[UPOOL_STATE_UPLOADING], "error", t->states[UPOOL_STATE_ERROR],
        "writers", t->written, "files", t->files, "bytes", (json_int_t)t->bytes,
        "orphans", "files", t->orphans, "bytes", (json_int_t)t->orphan_bytes,
        "problems", t->problems, "strangers", t->strangers, "oldest",
        time_or_null(t->oldest, p), "newest", time_or_null(t->newest, p),
        "free", t->free < 0 ? json_null() : json_integer(t->free), "ledger",
        ledger_object(t)));
}

static void print_ledger(const totals *t)
{
    const upool_quota_sum *sum = &t->ledger;
    apr_pool_t *p = t->tool->p;

    if (!t->has_ledger) {
        puts("quota         no ledger: no quota, or nothing uploaded under it");
        return;
    }
    printf("quota         %s stored, %s reserved (%s written) by %d uploads\n",
           upool_text_size(sum->stored, p), upool_text_size(sum->reserved, p),
           upool_text_size(sum->written, p), sum->uploads);
    printf("counted       %s\n", upool_text_time(sum->counted, p));
}

static void print_totals(const totals *t)
{
    apr_pool_t *p = t->tool->p;

    printf("pool          %s\n", upool_text_shown(t->tool->dir, p));
    printf("uploads       %d done, %d uploading (%d with a writer), %d error\n",
           t->states[UPOOL_STATE_DONE], t->states[UPOOL_STATE_UPLOADING],
           t->written, t->states[UPOOL_STATE_ERROR]);
    printf("files         %d, %s\n", t->files, upool_text_size(t->bytes, p));
    printf("orphans       %d, %s\n", t->orphans,
           upool_text_size(t->orphan_bytes, p));
    printf("problems      in %d buckets%s\n", t->problems,
           t->problems ? "; see check" : "");
    printf("strangers     %d\n", t->strangers);
    printf("oldest        %s\n", upool_text_time(t->oldest, p));
    printf("newest        %s\n", upool_text_time(t->newest, p));
    printf("free          %s\n", upool_text_size(t->free, p));
    print_ledger(t);
}

upool_exit upool_tool_stat(upool_tool *tool)
{
    apr_status_t rv;
    totals t;

    memset(&t, 0, sizeof(t));
    t.tool = tool;
    rv = count(&t, tool);
    if (rv) {
        upool_tool_complain_of("the pool cannot be read", rv, tool->p);
        return UPOOL_EXIT_CANNOT;
    }
    if (tool->json) {
        return as_json(&t);
    }
    print_totals(&t);
    return UPOOL_EXIT_GOOD;
}
