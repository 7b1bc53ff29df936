/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Any bytes as an item and as a dictionary: integers keep to 15 digits, what is
 * pointed to lies within the text, and two dictionaries joined by a comma have
 * the members of both. */
#include "parse/structured.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_value(const upool_structured_value *value, const char *text,
                        size_t len)
{
    unsigned char bytes[8];

    if (value->number > 999999999999999LL || value->number < -999999999999999LL
        || value->text < text || value->text + value->len > text + len
        || value->type < UPOOL_STRUCTURED_INTEGER
        || value->type > UPOOL_STRUCTURED_LIST) {
        abort();
    }
    if (value->type == UPOOL_STRUCTURED_BYTES
        && upool_structured_bytes(value, bytes, sizeof(bytes)) > len) {
        abort();
    }
}

/* How many members there are; -1: no dictionary. */
static int count(const char *text, size_t len)
{
    upool_structured reader;
    upool_structured_member member;
    int n = 0;
    int found;

    upool_structured_open(&reader, text, len);
    while ((found = upool_structured_next(&reader, &member)) > 0) {
        check_value(&member.value, text, len);
        if (member.key < text || member.key_len == 0
            || member.key + member.key_len > text + len) {
            abort();
        }
        n++;
    }
    return found ? -1 : n;
}

static void check_joined(const char *text, size_t len)
{
    int alone = count(text, len);
    char *both;

    if (alone <= 0) {
        return;
    }
    both = malloc(2 * len + 1);
    if (both == NULL) {
        abort();
    }
    memcpy(both, text, len);
    both[len] = ',';
    memcpy(both + len + 1, text, len);
    if (count(both, 2 * len + 1) != 2 * alone) {
        abort();
    }
    free(both);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Its own copy, so that a byte behind it is seen to be read. */
    char *text = malloc(size ? size : 1);
    upool_structured_value value;

    if (text == NULL) {
        abort();
    }
    if (size) {
        memcpy(text, data, size);
    }
    if (upool_structured_item(text, size, &value) == 0) {
        check_value(&value, text, size);
    }
    check_joined(text, size);
    free(text);
    return 0;
}
