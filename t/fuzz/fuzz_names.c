/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Any bytes as a name: repair gives valid UTF-8 and changes nothing that is
 * valid, in place or not; the safe name is safe, and its own safe name. */
#include "parse/names.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char allowed[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";

static void check_safe(const char *name)
{
    char *safe = malloc(UPOOL_SAFE_NAME_MAX + 1);
    char again[UPOOL_SAFE_NAME_MAX + 1];
    size_t len;

    if (safe == NULL) {
        abort();
    }
    len = upool_names_safe(safe, name);
    if (len == 0 || len > UPOOL_SAFE_NAME_MAX || strlen(safe) != len
        || safe[0] == '.' || safe[len - 1] == '.'
        || strspn(safe, allowed) != len
        || (upool_names_safe(again, safe), strcmp(again, safe) != 0)) {
        abort();
    }
    free(safe);
}

/* Letters of every script may stay, but nothing that ASCII calls special. */
static void check_utf8(const char *name)
{
    char *safe = malloc(UPOOL_SAFE_NAME_MAX + 1);
    char again[UPOOL_SAFE_NAME_MAX + 1];
    size_t len;
    size_t i;

    if (safe == NULL) {
        abort();
    }
    len = upool_names_safe_utf8(safe, name);
    if (len == 0 || len > UPOOL_SAFE_NAME_MAX || strlen(safe) != len
        || safe[0] == '.' || safe[len - 1] == '.'
        || !upool_names_is_utf8(safe, len)
        || (upool_names_safe_utf8(again, safe), strcmp(again, safe) != 0)) {
        abort();
    }
    for (i = 0; i < len; i++) {
        if ((safe[i] & 0x80) == 0 && !strchr(allowed, safe[i])) {
            abort();
        }
    }
    free(safe);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *in = (const char *)data;
    char *out = malloc(3 * size + 1);
    char *place = malloc(3 * size + 1);
    size_t len;

    if (out == NULL || place == NULL) {
        abort();
    }
    memcpy(place + 2 * size, in, size);
    len = upool_names_repair(out, in, size);
    if (len > 3 * size || strlen(out) != len || !upool_names_is_utf8(out, len)
        || upool_names_repair(place, place + 2 * size, size) != len
        || memcmp(place, out, len + 1) != 0) {
        abort();
    }
    if (upool_names_is_utf8(in, size) && memchr(in, '\0', size) == NULL
        && (len != size || memcmp(in, out, size) != 0)) {
        abort();
    }
    check_safe(out);
    check_utf8(out);
    (void)upool_names_is_callback(out);
    free(out);
    free(place);
    return 0;
}
