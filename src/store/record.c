/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/record.h"

#include <string.h>

#include <apr_strings.h>

/* Bytes for the members of a record, and of a file, without their texts. */
#define MEMBERS 512

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

void upool_record_name_by(upool_record *record, const upool_file *file)
{
    record->filename = file->filename;
    record->content_type =
        file->content_type ? file->content_type : "application/octet-stream";
}

int upool_record_is_open_to(const char *owner, const char *who)
{
    return !owner || !*owner || (who && strcmp(owner, who) == 0);
}

/* As JSON, escaped. */
static apr_int64_t weigh_text(const char *text)
{
    apr_int64_t n = 0;

    for (; text && *text; text++) {
        n += (unsigned char)*text < 0x20     ? 6
             : *text == '"' || *text == '\\' ? 2
                                             : 1;
    }
    return n;
}

static int weigh_param(void *baton, const char *name, const char *value)
{
    apr_int64_t *total = baton;

    *total += weigh_text(name) + weigh_text(value) + 8;
    return 1;
}

static apr_int64_t weigh_file(const upool_file *file)
{
    apr_int64_t total =
        MEMBERS + weigh_text(file->field) + weigh_text(file->filename)
        + weigh_text(file->safe_filename) + weigh_text(file->content_type)
        + weigh_text(file->charset);
    int i;

    apr_table_do(weigh_param, &total, file->params, NULL);
    for (i = 0; i < file->digests->nelts; i++) {
        const upool_digest *digest =
            &APR_ARRAY_IDX(file->digests, i, const upool_digest);

        total += weigh_text(digest->algorithm) + weigh_text(digest->hex) + 8;
    }
    return total;
}

apr_int64_t upool_record_weight(const upool_record *record)
{
    apr_int64_t total = MEMBERS + weigh_text(record->filename)
                        + weigh_text(record->content_type)
                        + weigh_text(record->owner);
    int i;

    for (i = 0; i < record->files->nelts; i++) {
        total += weigh_file(&APR_ARRAY_IDX(record->files, i, const upool_file));
    }
    return total;
}
