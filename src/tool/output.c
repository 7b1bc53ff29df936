/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "tool/output.h"

#include <stdarg.h>
#include <stdio.h>

#include "tool/text.h"

void upool_tool_complain(const char *text, ...)
{
    va_list list;

    /* What was printed so far must come first. */
    fflush(stdout);
    fputs(UPOOL_TOOL_NAME ": ", stderr);
    va_start(list, text);
    vfprintf(stderr, text, list);
    va_end(list);
    fputc('\n', stderr);
}

void upool_tool_complain_of(const char *what, apr_status_t rv, apr_pool_t *p)
{
    char text[256];

    upool_tool_complain(
        "%s: %s", what,
        upool_text_shown(apr_strerror(rv, text, sizeof(text)), p));
}

upool_exit upool_tool_print(json_t *object)
{
    int rc =
        object ? json_dumpf(object, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII)
               : -1;

    json_decref(object);
    if (rc < 0) {
        upool_tool_complain("the answer cannot be written");
        return UPOOL_EXIT_CANNOT;
    }
    putchar('\n');
    return UPOOL_EXIT_GOOD;
}
