/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* What chunked uploads say of themselves: any text as Content-Range and as
 * Content-Disposition, any form of "name=value&…" as a library's parameters.
 * Whatever is accepted lies within its total, and no sum of it overflows. */
#include "parse/contentrange.h"
#include "parse/disposition.h"
#include "parse/family.h"
#include "parse/names.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int cond)
{
    if (!cond) {
        abort();
    }
}

static void check_range(const char *text, size_t len)
{
    upool_contentrange range;
    long long length;

    if (upool_contentrange_parse(text, len, &range)) {
        return;
    }
    length = upool_contentrange_length(&range);
    must(length >= 0 && range.total >= -1);
    if (range.first < 0) {
        must(length == 0 && range.total >= 0);
        return;
    }
    must(length > 0 && range.first <= LLONG_MAX - length);
    must(range.total < 0 || range.first + length <= range.total);
}

static void check_disposition(const char *text, size_t len)
{
    char *out = malloc(UPOOL_DISPOSITION_ROOM(len));

    must(out != NULL);
    if (upool_disposition_filename(text, len, out) == 1) {
        must(strlen(out) < UPOOL_DISPOSITION_ROOM(len));
        must(upool_names_is_utf8(out, strlen(out)));
    }
    free(out);
}

static void check_family(char *text)
{
    upool_family family;
    upool_family_chunk chunk;
    char *at = text;

    upool_family_init(&family);
    while (at != NULL) {
        char *next = strchr(at, '&');
        char *equals;

        if (next != NULL) {
            *next++ = '\0';
        }
        equals = strchr(at, '=');
        if (equals != NULL) {
            *equals = '\0';
            upool_family_param(&family, at, equals + 1, strlen(equals + 1));
        }
        at = next;
    }
    (void)upool_family_is_strange(&family);
    if (upool_family_settle(&family, &chunk) != 1) {
        return;
    }
    must(chunk.kind > UPOOL_FAMILY_NONE && chunk.kind < UPOOL_FAMILY_COUNT);
    must(chunk.id_len > 0 && chunk.id_len <= UPOOL_FAMILY_ID_MAX);
    if (chunk.kind == UPOOL_FAMILY_PLUPLOAD) {
        must(chunk.number >= 0 && chunk.number < chunk.chunks);
        must(chunk.offset == -1 && chunk.length == -1 && chunk.total == -1);
        return;
    }
    must(chunk.offset >= 0 && chunk.length >= 0);
    must(chunk.offset <= chunk.total);
    must(chunk.length <= chunk.total - chunk.offset);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    must(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    check_range(text, size);
    check_disposition(text, size);
    check_family(text);
    free(text);
    return 0;
}
