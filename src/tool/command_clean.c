/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include <stdio.h>

#include <apr_strings.h>

#include "store/sweep.h"
#include "tool/text.h"
#include "tool/output.h"
#include "tool/tool.h"

#define STEPS 512

typedef struct account {
    const upool_tool *tool;
    json_t *deeds;
    int buckets;
    int files;
    apr_off_t bytes;
    int failures;
    apr_pool_t *line; /* cleared after each */
} account;

static void add_deed(account *a, const upool_sweep_deed *deed)
{
    if (deed->error) {
        a->failures++;
        upool_tool_complain_of(deed->id, deed->error, a->line);
        return;
    }
    a->buckets += deed->removed;
    a->files += deed->files;
    a->bytes += deed->bytes;
    if (a->tool->json) {
        json_array_append_new(
            a->deeds,
            json_pack("{s:s, s:s, s:i, s:I}", "identifier", deed->id, "what",
                      deed->removed ? "expired" : "orphans", "files",
                      deed->files, "bytes", (json_int_t)deed->bytes));
        return;
    }
    printf("%s: %s%d %s, %s\n", deed->id,
           deed->removed ? "expired, " : "named by no record, ", deed->files,
           deed->files == 1 ? "file" : "files",
           upool_text_size(deed->bytes, a->line));
}

static void on_deed(void *baton, const upool_sweep_deed *deed)
{
    account *a = baton;

    add_deed(a, deed);
    apr_pool_clear(a->line);
}

static apr_status_t sweep_all(account *a, apr_time_t deadline)
{
    upool_sweep_result result = { 0, 0, 0 };
    upool_sweep *sweep;
    apr_status_t rv = upool_sweep_begin(&sweep, a->tool->store, a->tool->p);

    if (rv) {
        return rv;
    }
    upool_sweep_report(sweep, on_deed, a, a->tool->dry);
    while (!rv && !result.finished) {
        rv = upool_sweep_step(sweep, STEPS, deadline, &result);
    }
    return rv;
}

static upool_exit tell(const account *a)
{
    if (a->tool->json) {
        return upool_tool_print(
            json_pack("{s:b, s:i, s:i, s:I, s:i, s:O}", "dry-run", a->tool->dry,
                      "buckets", a->buckets, "files", a->files, "bytes",
                      (json_int_t)a->bytes, "failures", a->failures, "uploads",
                      a->deeds));
    }
    printf("%d %s, %d %s, %s %s\n", a->buckets,
           a->buckets == 1 ? "upload" : "uploads", a->files,
           a->files == 1 ? "file" : "files", upool_text_size(a->bytes, a->line),
           a->tool->dry ? "would go" : "gone");
    return UPOOL_EXIT_GOOD;
}

upool_exit upool_tool_clean(upool_tool *tool)
{
    account a = { tool, json_array(), 0, 0, 0, 0, NULL };
    upool_exit ends;
    apr_status_t rv;

    apr_pool_create(&a.line, tool->p);
    rv = sweep_all(&a, apr_time_now() - tool->expires);
    ends = tell(&a);
    json_decref(a.deeds);
    if (rv) {
        upool_tool_complain_of("the pool cannot be read", rv, tool->p);
        return UPOOL_EXIT_CANNOT;
    }
    return ends ? ends : a.failures ? UPOOL_EXIT_WRONG : UPOOL_EXIT_GOOD;
}
