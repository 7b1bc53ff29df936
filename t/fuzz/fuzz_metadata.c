/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Whatever metadata.json holds: no crash, no name that leads outside, and what
 * is taken can be written and read again. */
#include "store/metadata.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>

#include "store/layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define IDENTIFIER "ID-1"

static void demand(int condition)
{
    if (!condition) {
        abort();
    }
}

static void check_file(const upool_file *file)
{
    demand(file->size >= 0 && file->field && file->filename && file->params);
    demand(!file->content && file->digests);
    demand(file->safe_filename[0] && !strchr(file->safe_filename, '/'));
    demand(strcmp(file->safe_filename, "..")
           && strcmp(file->safe_filename, "."));
    if (file->stored) {
        demand(upool_layout_is_data(file->stored));
        demand(!strpbrk(file->stored, "/\\") && file->stored[0] != '.');
    }
}

static void check_record(const upool_record *record)
{
    int i;

    demand(strcmp(record->identifier, IDENTIFIER) == 0);
    demand(record->state != UPOOL_STATE_STARTING);
    demand((record->state == UPOOL_STATE_ERROR) == (record->error != NULL));
    demand(record->state == UPOOL_STATE_DONE || !record->files->nelts);
    demand(record->size >= -1 && record->received >= 0);
    demand(record->created >= 0 && record->updated >= 0);
    for (i = 0; i < record->files->nelts; i++) {
        check_file(&APR_ARRAY_IDX(record->files, i, const upool_file));
    }
}

static void check_again(const upool_record *record, apr_pool_t *p)
{
    upool_record *again = NULL;
    apr_size_t len;
    char *text;

    demand(upool_metadata_encode(&text, &len, record) == APR_SUCCESS);
    demand(upool_metadata_decode(&again, text, len, IDENTIFIER, p)
           == APR_SUCCESS);
    free(text);
    demand(again->state == record->state && again->size == record->size
           && again->updated == record->updated
           && again->files->nelts == record->files->nelts
           && strcmp(again->filename, record->filename) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static apr_pool_t *p;
    upool_record *record = NULL;

    if (!p) {
        apr_initialize();
        apr_pool_create(&p, NULL);
    }
    if (upool_metadata_decode(&record, (const char *)data, size, IDENTIFIER, p)
        == APR_SUCCESS) {
        check_record(record);
        check_again(record, p);
    }
    else {
        demand(!record);
    }
    apr_pool_clear(p);
    return 0;
}
