/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include <stdio.h>
#include <string.h>

#include "tool/name.h"
#include "tool/rows.h"
#include "tool/text.h"
#include "tool/output.h"
#include "tool/tool.h"

static upool_exit as_json(const upool_tool *tool, const upool_rows *rows,
                          const apr_array_header_t *list)
{
    json_t *uploads = json_array();
    int i;

    for (i = 0; i < list->nelts; i++) {
        const upool_row *row = APR_ARRAY_IDX(list, i, const upool_row *);

        if (json_array_append_new(uploads, upool_rows_object(row, tool->p))) {
            json_decref(uploads);
            return upool_tool_print(NULL);
        }
    }
    return upool_tool_print(json_pack(
        "{s:o, s:i, s:o}", "pool", upool_name_json_or_null(tool->dir, tool->p),
        "unreadable", rows->unread, "uploads", uploads));
}

/* An identifier may have up to 64 letters; most have 36. */
static int ident_columns(const apr_array_header_t *list)
{
    int most = 10;
    int i;

    for (i = 0; i < list->nelts; i++) {
        int len = (int)strlen(APR_ARRAY_IDX(list, i, const upool_row *)->id);

        most = len > most ? len : most;
    }
    return most;
}

static void print_row(const upool_row *row, int columns, apr_pool_t *p)
{
    const char *shown = upool_text_shown(row->filename, p);

    printf("%-*s  %-9s  %8s  %8s  %5d  %s  %s%s%s\n", columns, row->id,
           upool_state_name(row->state), upool_text_size(row->received, p),
           upool_text_size(row->size, p), row->files,
           upool_text_time(row->updated, p), shown, row->error ? "  # " : "",
           row->error ? upool_text_shown(row->error, p) : "");
}

upool_exit upool_tool_list(upool_tool *tool)
{
    upool_rows *rows = upool_rows_make(tool->p);
    apr_status_t rv = upool_rows_read(rows, tool->store);
    apr_array_header_t *list;
    apr_pool_t *line;
    int columns;
    int i;

    if (rv) {
        upool_tool_complain_of("the pool cannot be read", rv, tool->p);
        return UPOOL_EXIT_CANNOT;
    }
    list = upool_rows_sorted(rows, tool->state, tool->p);
    if (tool->json) {
        upool_exit ends = as_json(tool, rows, list);

        return ends ? ends : rows->unread ? UPOOL_EXIT_WRONG : UPOOL_EXIT_GOOD;
    }
    columns = ident_columns(list);
    if (list->nelts) {
        printf("%-*s  %-9s  %8s  %8s  %5s  %-20s  %s\n", columns, "IDENTIFIER",
               "STATE", "RECEIVED", "SIZE", "FILES", "UPDATED", "NAME");
    }
    apr_pool_create(&line, tool->p);
    for (i = 0; i < list->nelts; i++) {
        print_row(APR_ARRAY_IDX(list, i, const upool_row *), columns, line);
        apr_pool_clear(line);
    }
    if (rows->unread) {
        upool_tool_complain("%d buckets cannot be read", rows->unread);
        return UPOOL_EXIT_WRONG;
    }
    return UPOOL_EXIT_GOOD;
}
