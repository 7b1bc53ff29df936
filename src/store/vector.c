/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/vector.h"

#include <string.h>

#define MANY 64
#define BYTES_MAX ((apr_size_t)512 * 1024)

void upool_vector_init(upool_vector *vector, apr_pool_t *p)
{
    memset(vector, 0, sizeof(*vector));
    vector->vec = vector->few;
    vector->room = UPOOL_VECTOR_FEW;
    vector->p = p;
}

int upool_vector_add(upool_vector *vector, const char *data, apr_size_t len)
{
    struct iovec *next = &vector->vec[vector->count];

    vector->bytes += len;
    if (vector->count
        && (const char *)next[-1].iov_base + next[-1].iov_len == data) {
        next[-1].iov_len += len;
    }
    else {
        next->iov_base = (void *)data;
        next->iov_len = len;
        vector->count++;
    }
    if (vector->count == vector->room && vector->room < MANY) {
        vector->vec = apr_palloc(vector->p, MANY * sizeof(*vector->vec));
        memcpy(vector->vec, vector->few, sizeof(vector->few));
        vector->room = MANY;
    }
    return vector->count == vector->room || vector->bytes >= BYTES_MAX;
}

void upool_vector_clear(upool_vector *vector)
{
    vector->count = 0;
    vector->bytes = 0;
}
