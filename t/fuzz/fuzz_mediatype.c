/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Any Content-Type: a boundary comes out only in the promised shape, and what
 * begins with the token never passes. */
#include "parse/mediatype.h"
#include "parse/params.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Written anew here: the first token, in any case. */
static int begins_with_token(const char *value, size_t len)
{
    static const char token[] = "multipart/form-data";
    size_t i = 0;
    size_t j;

    while (i < len && (value[i] == ' ' || value[i] == '\t')) {
        i++;
    }
    for (j = 0; j < sizeof(token) - 1; j++) {
        if (i + j >= len
            || (value[i + j] != token[j]
                && !(value[i + j] >= 'A' && value[i + j] <= 'Z'
                     && value[i + j] + 32 == token[j]))) {
            return 0;
        }
    }
    return i + j == len || !upool_params_is_token(value[i + j]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *value = (const char *)data;
    char *boundary = malloc(UPOOL_BOUNDARY_MAX + 1);
    size_t len = 0;
    upool_mediatype type;

    if (boundary == NULL) {
        abort();
    }
    type = upool_mediatype_parse(value, size, boundary, &len);
    if (type == UPOOL_MEDIATYPE_FORM
        && (len == 0 || len > UPOOL_BOUNDARY_MAX || strlen(boundary) != len
            || strpbrk(boundary, "\r\n\"\\;\t") != NULL
            || boundary[len - 1] == ' ')) {
        abort();
    }
    if ((type == UPOOL_MEDIATYPE_OTHER) == begins_with_token(value, size)) {
        abort();
    }
    free(boundary);
    return 0;
}
