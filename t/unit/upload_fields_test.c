/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Form fields in memory: order, bytes, limits to the byte. */
#include "upload/fields.h"

#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <tap.h>

typedef struct bench {
    apr_pool_t *p;
    upool_limits limits;
    apr_int64_t memory;
    upool_fields *fields;
} bench;

static void bench_start(bench *t, apr_int64_t field, apr_int64_t all)
{
    upool_limits limits = UPOOL_LIMITS_DEFAULT;

    apr_pool_create(&t->p, NULL);
    t->limits = limits;
    t->limits.field = field;
    t->memory = all;
    t->fields = upool_fields_make(&t->limits, &t->memory, t->p);
}

/* A whole field in pieces of that size; what the last piece was told. */
static upool_reason put(bench *t, const char *name, const char *value,
                        apr_size_t len, apr_size_t piece)
{
    upool_reason reason = UPOOL_REASON_NONE;
    apr_size_t at;

    upool_fields_begin(t->fields, name);
    for (at = 0; at < len && !reason; at += piece) {
        reason = upool_fields_data(t->fields, value + at,
                                   len - at < piece ? len - at : piece);
    }
    if (!reason) {
        upool_fields_end(t->fields);
    }
    return reason;
}

static const upool_field *get(const bench *t, int n)
{
    return &APR_ARRAY_IDX(upool_fields_list(t->fields), n, upool_field);
}

/* As the query of a form tells an empty value: no bytes, and that at once. */
static void test_no_bytes(void)
{
    bench t;

    bench_start(&t, 100, 1000);
    upool_fields_begin(t.fields, "empty");
    tap_is_int(upool_fields_data(t.fields, "", 0), UPOOL_REASON_NONE,
               "no bytes are taken");
    upool_fields_end(t.fields);
    tap_is_int((long)get(&t, 0)->len, 0, "as none");
    tap_is_str(get(&t, 0)->value, "", "and end in NUL");
    apr_pool_destroy(t.p);
}

static void test_order(void)
{
    bench t;
    char name[] = "tag";

    bench_start(&t, 100, 1000);
    tap_is_int(upool_fields_list(t.fields)->nelts, 0, "none at first");
    put(&t, name, "one", 3, 1);
    put(&t, "empty", "", 0, 1);
    put(&t, name, "two", 3, 3);
    name[0] = 'X';
    put(&t, "", "nul\0inside", 10, 4);
    tap_is_int(upool_fields_list(t.fields)->nelts, 4, "four fields");
    tap_is_str(get(&t, 0)->name, "tag", "names are copied");
    tap_is_str(get(&t, 0)->value, "one", "a value in pieces");
    tap_is_str(get(&t, 1)->value, "", "an empty value");
    tap_is_int(get(&t, 1)->len, 0, "of no bytes");
    tap_is_str(get(&t, 2)->name, "tag", "a repeated name is kept");
    tap_is_str(get(&t, 2)->value, "two", "with its own value");
    tap_is_str(get(&t, 3)->name, "", "an empty name");
    tap_is_int(get(&t, 3)->len, 10, "NUL inside counts");
    tap_ok(!memcmp(get(&t, 3)->value, "nul\0inside", 11), "all its bytes");
    tap_is_int(t.memory, 1000 - 16, "memory is used up by the bytes kept");
    apr_pool_destroy(t.p);
}

static void test_limits(void)
{
    bench t;

    bench_start(&t, 8, 20);
    tap_is_int(put(&t, "a", "12345678", 8, 3), UPOOL_REASON_NONE,
               "a field of exactly the limit");
    tap_is_int(put(&t, "b", "123456789", 9, 9), UPOOL_REASON_FIELD_TOO_LARGE,
               "one byte over");
    tap_is_int(put(&t, "b", "123456789", 9, 1), UPOOL_REASON_FIELD_TOO_LARGE,
               "one byte over, byte by byte");
    tap_is_int(t.memory, 12, "a refused one costs nothing");
    tap_is_int(put(&t, "c", "12345678", 8, 8), UPOOL_REASON_NONE, "a second");
    tap_is_int(put(&t, "d", "1234", 4, 2), UPOOL_REASON_NONE,
               "all together exactly their limit");
    tap_is_int(t.memory, 0, "nothing is left");
    tap_is_int(put(&t, "e", "", 0, 1), UPOOL_REASON_NONE, "an empty one fits");
    tap_is_int(put(&t, "f", "1", 1, 1), UPOOL_REASON_FIELDS_TOO_LARGE,
               "one more byte does not");
    tap_is_int(upool_fields_list(t.fields)->nelts, 4, "four were kept");
    apr_pool_destroy(t.p);
    bench_start(&t, 0, 10);
    tap_is_int(put(&t, "a", "x", 1, 1), UPOOL_REASON_FIELD_TOO_LARGE,
               "a limit of nothing");
    apr_pool_destroy(t.p);
    bench_start(&t, UPOOL_UNLIMITED, UPOOL_UNLIMITED);
    tap_is_int(put(&t, "a", "xyz", 3, 2), UPOOL_REASON_NONE, "no limit at all");
    apr_pool_destroy(t.p);
}

/* Every length around the sizes at which the buffer grows. */
static void test_growth(void)
{
    static const apr_size_t sizes[] = { 255,  256,  257,  511,   512,   513,
                                        4095, 4096, 4097, 65536, 300001 };
    char *value;
    bench t;
    size_t i;

    bench_start(&t, 1000000, 10000000);
    value = apr_palloc(t.p, 300001);
    for (i = 0; i < 300001; i++) {
        value[i] = (char)(i * 7 + i / 251);
    }
    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        apr_size_t piece = i % 2 ? 8000 : 13;

        put(&t, "big", value, sizes[i], piece);
        put(&t, "small", "s", 1, 1);
        tap_ok(get(&t, (int)(2 * i))->len == sizes[i]
                   && !memcmp(get(&t, (int)(2 * i))->value, value, sizes[i])
                   && !get(&t, (int)(2 * i))->value[sizes[i]],
               "%d bytes in pieces of %d", (int)sizes[i], (int)piece);
        tap_is_str(get(&t, (int)(2 * i + 1))->value, "s",
                   "a small one after it");
    }
    /* Ends in the middle of a value: its memory goes with the pool, which
     * valgrind and the sanitizers watch. */
    upool_fields_begin(t.fields, "cut");
    tap_is_int(upool_fields_data(t.fields, value, 70000), UPOOL_REASON_NONE,
               "a value that never ends");
    apr_pool_destroy(t.p);
}

int main(void)
{
    apr_initialize();
    test_order();
    test_no_bytes();
    test_limits();
    test_growth();
    apr_terminate();
    return tap_done();
}
