/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "httpd/log.h"

#include <string.h>
#include <apr_strings.h>

#define SHOWN_MAX 18

const char *upool_log_ident(apr_pool_t *p, const char *id)
{
    apr_size_t shown;

    if (!id || !*id) {
        return "(none)";
    }
    shown = (strlen(id) + 1) / 2;
    if (shown > SHOWN_MAX) {
        shown = SHOWN_MAX;
    }
    return apr_pstrcat(p, apr_pstrmemdup(p, id, shown), "..", NULL);
}
