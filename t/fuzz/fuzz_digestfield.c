/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Any bytes as a Content-Digest and as a digest of a form field: what is taken
 * has the lengths that it must have, and two fields joined by a comma are what
 * both of them say, the second where both say it. */
#include "parse/digestfield.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_joined(const char *text, size_t len)
{
    static const char more[] = ", sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                               "AAAAAAA=:";
    static const unsigned char zeros[32];
    upool_digestfield alone;
    upool_digestfield joined;
    char *copy = malloc(len + sizeof(more));
    size_t i;
    int blank = 1;

    if (copy == NULL) {
        abort();
    }
    for (i = 0; i < len; i++) {
        blank = blank && text[i] == ' ';
    }
    memcpy(copy, text, len);
    memcpy(copy + len, more, sizeof(more));
    if (!blank && upool_digestfield_parse(text, len, &alone) == 0
        && (upool_digestfield_parse(copy, len + sizeof(more) - 1, &joined) != 0
            || joined.sha256.len != 32
            || memcmp(joined.sha256.bytes, zeros, 32) != 0
            || joined.sha512.len != alone.sha512.len
            || memcmp(joined.sha512.bytes, alone.sha512.bytes, alone.sha512.len)
                   != 0)) {
        abort();
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Its own copy, so that a byte behind it is seen to be read. */
    char *text = malloc(size ? size : 1);
    upool_digestfield field;
    upool_digestfield_named named;

    if (text == NULL) {
        abort();
    }
    if (size) {
        memcpy(text, data, size);
    }
    if (upool_digestfield_parse(text, size, &field) == 0
        && ((field.sha256.len != 0 && field.sha256.len != 32)
            || (field.sha512.len != 0 && field.sha512.len != 64))) {
        abort();
    }
    if (upool_digestfield_named_parse(text, size, &named) == 0
        && (named.value.len == 0 || named.value.len > UPOOL_DIGESTFIELD_MAX
            || strlen(named.name) > UPOOL_DIGESTFIELD_NAME_MAX
            || named.name[0] == '\0')) {
        abort();
    }
    check_joined(text, size);
    free(text);
    return 0;
}
