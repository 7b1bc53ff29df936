/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "upload/fields.h"

#include <stdlib.h>
#include <string.h>
#include <apr_strings.h>

#define FIRST_ROOM ((apr_size_t)256)

struct upool_fields {
    const upool_limits *limits;
    apr_int64_t *memory;
    apr_pool_t *p;
    apr_array_header_t *list;
    const char *name;
    upool_written written;
    char *value; /* malloc'd, reused from field to field */
    apr_size_t len;
    apr_size_t room;
};

static apr_status_t free_value(void *arg)
{
    upool_fields *fields = arg;

    free(fields->value);
    fields->value = NULL;
    fields->len = 0;
    fields->room = 0;
    return APR_SUCCESS;
}

upool_fields *upool_fields_make(const upool_limits *limits, apr_int64_t *memory,
                                apr_pool_t *p)
{
    upool_fields *fields = apr_pcalloc(p, sizeof(*fields));

    fields->limits = limits;
    fields->memory = memory;
    fields->p = p;
    fields->list = apr_array_make(p, 1, sizeof(upool_field));
    apr_pool_cleanup_register(p, fields, free_value, apr_pool_cleanup_null);
    return fields;
}

void upool_fields_begin(upool_fields *fields, const char *name)
{
    fields->name = apr_pstrdup(fields->p, name);
    memset(&fields->written, 0, sizeof(fields->written));
    fields->len = 0;
}

void upool_fields_written(upool_fields *fields, const upool_written *written)
{
    fields->written = *written;
}

static int make_room(upool_fields *fields, apr_size_t want)
{
    apr_size_t room = fields->room ? fields->room : FIRST_ROOM;
    char *value;

    if (want <= fields->room) {
        return 1;
    }
    while (room < want) {
        room *= 2;
    }
    value = realloc(fields->value, room);
    if (!value) {
        return 0;
    }
    fields->value = value;
    fields->room = room;
    return 1;
}

upool_reason upool_fields_data(upool_fields *fields, const char *data,
                               apr_size_t len)
{
    apr_size_t total = fields->len + len;

    if (!len) {
        /* Before the first byte there is no buffer either. */
        return UPOOL_REASON_NONE;
    }
    if ((apr_int64_t)total > fields->limits->field) {
        return UPOOL_REASON_FIELD_TOO_LARGE;
    }
    if ((apr_int64_t)total > *fields->memory) {
        return UPOOL_REASON_FIELDS_TOO_LARGE;
    }
    if (!make_room(fields, total)) {
        return UPOOL_REASON_MEMORY;
    }
    if (len) { /* without a byte there may be no buffer yet */
        memcpy(fields->value + fields->len, data, len);
    }
    fields->len = total;
    return UPOOL_REASON_NONE;
}

void upool_fields_end(upool_fields *fields)
{
    upool_field *field = apr_array_push(fields->list);

    field->name = fields->name;
    field->value = apr_pstrmemdup(fields->p, fields->len ? fields->value : "",
                                  fields->len);
    field->len = fields->len;
    field->written = fields->written;
    *fields->memory -= (apr_int64_t)fields->len;
    /* A large value does not keep its buffer while files pass. */
    if (fields->room > 16 * FIRST_ROOM) {
        free_value(fields);
    }
}

const apr_array_header_t *upool_fields_list(const upool_fields *fields)
{
    return fields->list;
}
