/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Bytes that wait to be written together. */
#include "store/vector.h"

#include <stdlib.h>

#include <apr_general.h>
#include <tap.h>

static void test_joins(upool_vector *v, const char *bytes)
{
    tap_is_int(upool_vector_add(v, bytes, 10), 0, "some bytes");
    tap_is_int(upool_vector_add(v, bytes + 10, 5), 0, "those behind them");
    tap_is_int(v->count, 1, "are one piece");
    tap_is_int(v->vec[0].iov_len, 15, "with all of them");
    tap_is_int(upool_vector_add(v, bytes + 16, 1), 0, "others");
    tap_is_int(v->count, 2, "are another");
    tap_is_int(v->bytes, 16, "all count");
    upool_vector_clear(v);
    tap_is_int(v->count, 0, "nothing is left");
    tap_is_int(upool_vector_add(v, bytes + 17, 1), 0, "those that come next");
    tap_is_int(v->count, 1, "join nothing that is gone");
    upool_vector_clear(v);
}

static void test_pieces(upool_vector *v, const char *bytes)
{
    int i;
    int full = 0;

    for (i = 0; i < 64 && !full; i++) {
        full = upool_vector_add(v, bytes + 2 * i, 1);
    }
    tap_is_int(full, 1, "it is full");
    tap_is_int(i, 64, "with so many pieces");
    for (i = 0; i < 64 && v->vec[i].iov_base == bytes + 2 * i; i++) {
    }
    tap_is_int(i, 64, "each of which is there");
    upool_vector_clear(v);
    tap_is_int(upool_vector_add(v, bytes, 1), 0, "then it takes more");
    upool_vector_clear(v);
}

static void test_bytes(upool_vector *v, const char *bytes)
{
    tap_is_int(upool_vector_add(v, bytes, 524287), 0, "many bytes");
    tap_is_int(upool_vector_add(v, bytes + 524287, 1), 1,
               "half a megabyte is enough");
    tap_is_int(v->count, 1, "in one piece");
}

int main(void)
{
    char *bytes = calloc(1, 524288);
    upool_vector v;
    apr_pool_t *p;

    apr_initialize();
    apr_pool_create(&p, NULL);
    upool_vector_init(&v, p);
    test_joins(&v, bytes);
    test_pieces(&v, bytes);
    test_bytes(&v, bytes);
    apr_pool_destroy(p);
    apr_terminate();
    free(bytes);
    return tap_done();
}
