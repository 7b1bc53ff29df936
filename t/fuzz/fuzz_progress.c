/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* A record out of a cache that anybody may have written to: whatever is
 * believed can be written again, byte for byte. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "parse/names.h"
#include "progress/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned char again[UPOOL_WIRE_MAX];
    upool_slot_record record;

    if (!upool_wire_read(data, size, &record)) {
        return 0;
    }
    if (upool_wire_write(again, &record) != size
        || memcmp(again, data, size) != 0 || record.received < 0
        || !upool_names_is_utf8(record.filename, strlen(record.filename))) {
        abort();
    }
    return 0;
}
