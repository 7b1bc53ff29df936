/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Whatever resumable.json holds: no crash, no name that leads outside, no range
 * that is none, and what is taken can be written and read again. */
#include "store/resumable.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>

#include "store/resumable_state.h"
#include "store/layout.h"
#include "upload/midway.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define IDENTIFIER "ID-1"

static void demand(int condition)
{
    if (!condition) {
        abort();
    }
}

static void check_fields(const upool_resumable *about)
{
    int i;

    for (i = 0; i < about->fields->nelts; i++) {
        const upool_resumable_field *field =
            &APR_ARRAY_IDX(about->fields, i, upool_resumable_field);

        demand(field->name && field->value && !field->value[field->len]);
    }
}

static void check_midstates(const upool_resumable *about, apr_pool_t *p)
{
    int i;

    for (i = 0; i < about->midstates->nelts; i++) {
        const upool_midstate *m =
            &APR_ARRAY_IDX(about->midstates, i, upool_midstate);
        upool_midway *midway = upool_midway_make(m->algorithm, p);

        if (midway && !upool_midway_take_up(midway, m->state, m->offset)) {
            demand(upool_midway_offset(midway) == m->offset);
            demand(strcmp(upool_midway_put_down(midway, p), m->state) == 0);
        }
    }
}

static void check(const upool_resumable *about, apr_pool_t *p)
{
    static const apr_off_t sizes[] = { 0, 1, 1000, APR_INT64_MAX };
    size_t i;

    demand(strcmp(about->identifier, IDENTIFIER) == 0);
    demand(upool_layout_is_data(about->file.stored));
    demand(!strpbrk(about->file.safe_filename, "/\\"));
    demand(about->created >= 0 && about->length >= -1 && about->good >= -1);
    demand(!about->ranges || upool_ranges_is_sound(about->ranges));
    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        apr_off_t offset = upool_resumable_state_offset(about, sizes[i]);

        demand(offset >= 0 && offset <= sizes[i]);
        demand(about->length < 0 || offset <= about->length);
        demand(upool_resumable_state_held(about, sizes[i]) >= 0);
    }
    check_fields(about);
    check_midstates(about, p);
}

static void check_again(const upool_resumable *about, apr_pool_t *p)
{
    upool_resumable *again = NULL;
    apr_size_t len;
    char *text;

    demand(upool_resumable_encode(&text, &len, about) == APR_SUCCESS);
    demand(upool_resumable_decode(&again, text, len, IDENTIFIER, p)
           == APR_SUCCESS);
    free(text);
    demand(again->length == about->length && again->good == about->good
           && again->fields->nelts == about->fields->nelts
           && again->midstates->nelts == about->midstates->nelts
           && !again->ranges == !about->ranges
           && strcmp(again->uri, about->uri) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static apr_pool_t *p;
    upool_resumable *about = NULL;

    if (!p) {
        apr_initialize();
        apr_pool_create(&p, NULL);
    }
    if (upool_resumable_decode(&about, (const char *)data, size, IDENTIFIER, p)
        == APR_SUCCESS) {
        check(about, p);
        check_again(about, p);
    }
    apr_pool_clear(p);
    return 0;
}
