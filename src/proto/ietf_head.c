/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "proto/ietf_head.h"

#include <string.h>

#include "parse/structured.h"

/* 1 with *number where the field is an item of that type. */
static int read_item(const apr_table_t *headers, const char *name,
                     upool_structured_type type, long long *number)
{
    const char *text = apr_table_get(headers, name);
    upool_structured_value value;

    if (!text || upool_structured_item(text, strlen(text), &value)
        || value.type != type) {
        return 0;
    }
    *number = value.number;
    return 1;
}

static long long read_count(const apr_table_t *headers, const char *name)
{
    long long number;

    return read_item(headers, name, UPOOL_STRUCTURED_INTEGER, &number)
                   && number >= 0
               ? number
               : -1;
}

/* -1, 0, 1. */
static int read_flag(const apr_table_t *headers, const char *name)
{
    long long number;

    return read_item(headers, name, UPOOL_STRUCTURED_BOOLEAN, &number)
               ? (int)number
               : -1;
}

static int read_interop(const apr_table_t *headers)
{
    long long number = read_count(headers, "Upload-Draft-Interop-Version");

    return number >= UPOOL_IETF_INTEROP_MIN && number <= UPOOL_IETF_INTEROP_MAX
               ? (int)number
               : 0;
}

void upool_ietf_head_read(const apr_table_t *headers, upool_ietf_head *head)
{
    int incomplete;

    head->interop = read_interop(headers);
    head->complete = read_flag(headers, "Upload-Complete");
    if (head->interop == UPOOL_IETF_INTEROP_MIN) {
        incomplete = read_flag(headers, "Upload-Incomplete");
        head->complete = incomplete < 0 ? -1 : !incomplete;
    }
    head->offset = read_count(headers, "Upload-Offset");
    head->length = read_count(headers, "Upload-Length");
}
