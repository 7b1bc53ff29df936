/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* The part parser on any header block: with the announced room it never runs
 * out of it, with less it says so, and what comes out is valid UTF-8 in the
 * scratch. */
#include "parse/names.h"
#include "parse/part.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_string(const char *text, const char *scratch, size_t room)
{
    if (text == NULL) {
        return;
    }
    if (text < scratch || text >= scratch + room
        || memchr(text, '\0', room - (size_t)(text - scratch)) == NULL
        || !upool_names_is_utf8(text, strlen(text))) {
        abort();
    }
}

static upool_part_error parse(const char *block, size_t size, size_t room)
{
    char *scratch = malloc(room > 0 ? room : 1);
    upool_part_error error;
    upool_part part;
    size_t i;

    if (scratch == NULL) {
        abort();
    }
    error = upool_part_parse(&part, block, size, scratch, room);
    if ((error != UPOOL_PART_OK) != (part.why != NULL)) {
        abort();
    }
    if (error == UPOOL_PART_OK) {
        if (part.name == NULL || part.nparams > UPOOL_PART_PARAMS_MAX) {
            abort();
        }
        check_string(part.name, scratch, room);
        check_string(part.filename, scratch, room);
        check_string(part.content_type, scratch, room);
        check_string(part.charset, scratch, room);
        for (i = 0; i < part.nparams; i++) {
            check_string(part.params[i].name, scratch, room);
            check_string(part.params[i].value, scratch, room);
        }
    }
    free(scratch);
    return error;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *block = (const char *)data;
    upool_part_error error = parse(block, size, UPOOL_PART_SCRATCH(size));
    upool_part_error tight = parse(block, size, size / 2);

    if (error == UPOOL_PART_NO_ROOM
        || (tight != error && tight != UPOOL_PART_NO_ROOM)) {
        abort();
    }
    return 0;
}
