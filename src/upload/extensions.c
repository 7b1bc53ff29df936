/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "upload/extensions.h"

#include <string.h>
#include <apr_lib.h>

static int same_extension(const char *listed, const char *ext, apr_size_t len)
{
    apr_size_t i;

    for (i = 0; i < len; i++) {
        if (!listed[i] || listed[i] != apr_tolower(ext[i])) {
            return 0;
        }
    }
    return listed[len] == '\0';
}

static int in_list(const apr_array_header_t *list, const char *ext,
                   apr_size_t len)
{
    int i;

    for (i = 0; list && i < list->nelts; i++) {
        if (same_extension(APR_ARRAY_IDX(list, i, const char *), ext, len)) {
            return 1;
        }
    }
    return 0;
}

static int extension_is_good(const upool_extension_lists *lists,
                             const char *ext, apr_size_t len)
{
    int i;

    for (i = 0; i < 2; i++) {
        if (in_list(lists->deny[i], ext, len)
            || (lists->allow[i] && !in_list(lists->allow[i], ext, len))) {
            return 0;
        }
    }
    return 1;
}

/* Every suffix counts: a server that maps types by any of them (AddHandler)
 * would run x.php.png.  The part before the first dot is no extension; an
 * empty one (a..b) is in no list. */
int upool_extensions_may_pass(const upool_extension_lists *lists,
                              const char *name)
{
    const char *dot = strchr(name, '.');

    if (!dot) {
        return !lists->allow[0] && !lists->allow[1];
    }
    while (dot) {
        const char *ext = dot + 1;
        const char *next = strchr(ext, '.');
        apr_size_t len = next ? (apr_size_t)(next - ext) : strlen(ext);

        if (!extension_is_good(lists, ext, len)) {
            return 0;
        }
        dot = next;
    }
    return 1;
}
