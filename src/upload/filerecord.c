/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "upload/filerecord.h"

static apr_array_header_t *list_digests(const upload_pool_file *file)
{
    apr_array_header_t *list =
        apr_array_make(file->pool, 1, sizeof(upool_digest));
    const apr_array_header_t *table;
    int i;

    if (!file->digests) {
        return list;
    }
    table = apr_table_elts(file->digests);
    for (i = 0; i < table->nelts; i++) {
        const apr_table_entry_t *entry =
            &APR_ARRAY_IDX(table, i, apr_table_entry_t);
        upool_digest *digest = apr_array_push(list);

        digest->algorithm = entry->key;
        digest->hex = entry->val;
    }
    return list;
}

void upool_filerecord_kept(upool_file *done, const upload_pool_file *file,
                           const upload_pool_kept *kept)
{
    done->size = kept->size;
    done->stored = kept->stored;
    done->content = kept->content;
    done->location = kept->location;
    done->notes = file->notes;
    done->sniffed = file->sniffed_content_type;
    done->digests = list_digests(file);
}
