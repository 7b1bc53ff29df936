/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/record.h"

#include <string.h>

#include <apr_strings.h>

const char *upool_state_name(upool_state state)
{
    switch (state) {
    case UPOOL_STATE_UPLOADING:
        return "uploading";
    case UPOOL_STATE_DONE:
        return "done";
    case UPOOL_STATE_ERROR:
        return "error";
    case UPOOL_STATE_STARTING:
        break;
    }
    return "starting";
}

upool_record *upool_record_make(apr_pool_t *p, const char *identifier)
{
    upool_record *record = apr_pcalloc(p, sizeof(*record));

    record->identifier = apr_pstrdup(p, identifier);
    record->filename = "";
    record->content_type = "";
    record->size = -1;
    record->files = apr_array_make(p, 1, sizeof(upool_file));
    return record;
}

int upool_record_is_open_to(const char *owner, const char *who)
{
    return !owner || !*owner || (who && strcmp(owner, who) == 0);
}
