/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Any query string, and any text as a quantity or an origin.  Adding a
 * parameter of another name must change nothing; adding the one that was found
 * must double it.  What CORS repeats in an answer ends no line of it. */
#include "parse/origin.h"
#include "parse/quantity.h"
#include "parse/query.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_quantity(const char *text)
{
    long long value = -1;

    if ((upool_quantity_size(text, &value) == UPOOL_QUANTITY_OK)
        != (value >= 0)) {
        abort();
    }
    value = -1;
    if ((upool_quantity_decimal(text, &value) == UPOOL_QUANTITY_OK)
        != (value >= 0)) {
        abort();
    }
}

static void check_origin(const char *text)
{
    if ((upool_origin_is_valid(text) || upool_origin_is_names(text))
        && strpbrk(text, "\r\n") != NULL) {
        abort();
    }
    if (upool_origin_is_valid(text) && strpbrk(text, " \t,\"<>") != NULL) {
        abort();
    }
}

/* Decoding in place never leaves the text, and every pair ends in a NUL. */
static void check_pairs(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    char *at = text;
    upool_query_pair pair;

    if (text == NULL) {
        abort();
    }
    memcpy(text, data, size);
    while (upool_query_take(&at, text + size, &pair) > 0) {
        if (pair.value[pair.value_len] != '\0' || strlen(pair.name) > size) {
            abort();
        }
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *query = malloc(size + 16);
    char *out = malloc(24);
    upool_query_found found;

    if (query == NULL || out == NULL) {
        abort();
    }
    memcpy(query, data, size);
    query[size] = '\0';
    check_quantity(query);
    check_origin(query);
    check_pairs(data, size);
    found = upool_query_find(query, "id", out, 24);
    if (found == UPOOL_QUERY_ONCE && strlen(out) > 23) {
        abort();
    }
    memcpy(query + strlen(query), "&x%69d=1&ida", 13);
    if (upool_query_find(query, "id", out, 24) != found) {
        abort();
    }
    query[strlen(query) - 1] = '\0';
    if (found == UPOOL_QUERY_ONCE
        && upool_query_find(query, "id", out, 24) != UPOOL_QUERY_DOUBLED) {
        abort();
    }
    free(query);
    free(out);
    return 0;
}
