/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include <errno.h>
#include <stdio.h>

#include <apr_strings.h>

#include "store/audit.h"
#include "tool/name.h"
#include "tool/output.h"
#include "tool/tool.h"

/* An upload that is not there is as good as deleted (contract 2). */
static const char *clear_one(const upool_tool *tool, const char *id,
                             apr_status_t *rv)
{
    int is_there = upool_audit_changed(tool->store, id) != 0;

    *rv = APR_SUCCESS;
    if (!is_there) {
        return "not there";
    }
    if (tool->dry) {
        return "would go";
    }
    *rv = upool_bucket_remove(tool->store, id, tool->p);
    if (*rv) {
        return "still there";
    }
    return upool_audit_changed(tool->store, id)
               ? "still there: it holds what is not ours"
               : "gone";
}

upool_exit upool_tool_clear(upool_tool *tool)
{
    const char **ids =
        apr_palloc(tool->p, (apr_size_t)tool->nargs * sizeof(*ids));
    upool_exit ends = UPOOL_EXIT_GOOD;
    upool_exit printed;
    json_t *uploads = json_array();
    int i;

    /* All or none: a slip of the hand deletes nothing. */
    for (i = 0; i < tool->nargs; i++) {
        ids[i] = upool_name_of(tool->args[i], tool->p);
        if (!ids[i]) {
            json_decref(uploads);
            return UPOOL_EXIT_USAGE;
        }
    }
    for (i = 0; i < tool->nargs; i++) {
        apr_status_t rv;
        const char *result = clear_one(tool, ids[i], &rv);

        if (rv) {
            upool_tool_complain_of(ids[i], rv, tool->p);
        }
        if (result[0] == 's') {
            ends = UPOOL_EXIT_WRONG;
        }
        if (!tool->json) {
            printf("%s: %s\n", ids[i], result);
        }
        json_array_append_new(uploads, json_pack("{s:s, s:s}", "identifier",
                                                 ids[i], "result", result));
    }
    if (!tool->json) {
        json_decref(uploads);
        return ends;
    }
    printed = upool_tool_print(json_pack(
        "{s:b, s:o}", "success", ends == UPOOL_EXIT_GOOD, "uploads", uploads));
    return printed ? printed : ends;
}
