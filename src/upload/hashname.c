/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "upload/hashname.h"

#include <string.h>
#include <apr_escape.h>
#include <apr_strings.h>

#include "upload/digester.h"

/* Each part follows its length, so no other split of the bytes gives the same
 * text. */
static int add_part(upool_digester *digester, const upool_hashname_part *part,
                    apr_pool_t *p)
{
    const char *length = apr_psprintf(p, "%" APR_SIZE_T_FMT ":", part->len);

    return upool_digester_update(digester, length, strlen(length))
           || upool_digester_update(digester, part->bytes, part->len);
}

int upool_hashname_make(char name[UPOOL_HASHNAME_LEN + 1],
                        const upool_hashname_part *parts, int count,
                        apr_pool_t *p)
{
    unsigned char value[UPOOL_DIGESTER_MAX];
    upool_digester *digester = upool_digester_make("sha-256", p);
    apr_size_t len;
    int n;

    name[0] = '\0';
    if (!digester || upool_digester_begin(digester)) {
        return -1;
    }
    for (n = 0; n < count; n++) {
        if (add_part(digester, &parts[n], p)) {
            return -1;
        }
    }
    len = upool_digester_end(digester, value);
    if (2 * len != UPOOL_HASHNAME_LEN) {
        return -1;
    }
    apr_escape_hex(name, value, len, 0, NULL);
    return 0;
}
