/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "upload/repeat.h"

#include <string.h>
#include <apr_escape.h>

#include "upload/digester.h"

struct upool_repeat {
    apr_off_t left;           /* below 0: more came than the file has */
    upool_digester *digester; /* NULL: no digest is known */
    const char *hex;          /* of the file on record */
    apr_pool_t *p;
    int broken;
};

upool_repeat *upool_repeat_of_length(apr_off_t length, apr_pool_t *p)
{
    upool_repeat *repeat = apr_pcalloc(p, sizeof(*repeat));

    repeat->left = length;
    repeat->p = p;
    return repeat;
}

upool_repeat *upool_repeat_make(const upool_record *record, apr_pool_t *p)
{
    upool_repeat *repeat;
    const upool_file *file;
    int i;

    if (record->files->nelts != 1) {
        return NULL;
    }
    file = &APR_ARRAY_IDX(record->files, 0, upool_file);
    repeat = upool_repeat_of_length(file->size, p);
    for (i = 0; !repeat->digester && i < file->digests->nelts; i++) {
        const upool_digest *digest =
            &APR_ARRAY_IDX(file->digests, i, upool_digest);

        repeat->digester = upool_digester_make(digest->algorithm, p);
        repeat->hex = digest->hex;
        if (repeat->digester && upool_digester_begin(repeat->digester)) {
            repeat->digester = NULL;
        }
    }
    return repeat;
}

int upool_repeat_data(upool_repeat *repeat, const char *data, apr_size_t len)
{
    if (repeat->left < 0 || (apr_off_t)len > repeat->left) {
        repeat->left = -1;
        return 1;
    }
    repeat->left -= (apr_off_t)len;
    if (repeat->digester) {
        repeat->broken |=
            upool_digester_update(repeat->digester, data, len) != 0;
    }
    return 0;
}

int upool_repeat_is_same(upool_repeat *repeat)
{
    unsigned char value[UPOOL_DIGESTER_MAX];
    apr_size_t len;

    if (repeat->left || !repeat->digester) {
        return !repeat->left;
    }
    len = upool_digester_end(repeat->digester, value);
    return !repeat->broken && len
           && !strcmp(apr_pescape_hex(repeat->p, value, len, 0), repeat->hex);
}
