/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Any bytes as each header field of tus: what is taken says the same when it is
 * written anew from what was read, and stays within its bounds. */
#include "parse/base64.h"
#include "parse/tusfields.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *take(size_t size)
{
    void *block = malloc(size ? size : 1);

    if (block == NULL) {
        abort();
    }
    return block;
}

static void check(int cond)
{
    if (!cond) {
        abort();
    }
}

static char *put(char *at, const char *text, size_t len)
{
    memcpy(at, text, len);
    return at + len;
}

/* Without the blanks that may stand round a comma. */
static void check_metadata(const char *text, size_t len)
{
    upool_tus_reader reader = { text, text + len };
    upool_tus_pair pair;
    char *again = take(4 * len + 4);
    char *end = again;
    size_t n;

    if (upool_tus_metadata_is_good(text, len)) {
        for (n = 0; upool_tus_pair_next(&reader, &pair) == 1; n++) {
            end = n ? put(end, ",", 1) : end;
            end = put(end, pair.key, pair.key_len);
            end = put(end, " ", 1);
            end = put(end, pair.value, pair.value_len);
        }
        check(n > 0 && n <= UPOOL_TUS_PAIRS_MAX);
        check((size_t)(end - again) > UPOOL_TUS_FIELD_MAX
              || upool_tus_metadata_is_good(again, (size_t)(end - again)));
        /* A second time no key is its own. */
        end = put(put(end, ",", 1), again, (size_t)(end - again));
        check(!upool_tus_metadata_is_good(again, (size_t)(end - again)));
    }
    free(again);
}

static void check_concat(const char *text, size_t len)
{
    upool_tus_reader reader;
    const char *url;
    size_t url_len;
    size_t sum = 0;
    char name[64];

    if (upool_tus_concat_parse(text, len, &reader) != UPOOL_TUS_CONCAT_FINAL) {
        return;
    }
    while (upool_tus_url_next(&reader, &url, &url_len)) {
        sum += url_len;
        check(memchr(url, ' ', url_len) == NULL);
        if (!upool_tus_url_name(url, url_len, name, sizeof(name))) {
            check(name[0] != '\0' && strlen(name) <= url_len);
        }
    }
    check(sum > 0 && sum <= len);
}

static void check_checksum(const char *text, size_t len)
{
    upool_digestfield_named sum;
    unsigned char *bytes = take(len);

    if (!upool_tus_checksum_parse(text, len, &sum)) {
        size_t skip = strlen(sum.name) + 1;

        check(upool_base64_decode(bytes, len, text + skip, len - skip)
              == sum.value.len);
        check(!memcmp(bytes, sum.value.bytes, sum.value.len));
    }
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = take(size);
    char name[32];

    if (size) {
        memcpy(text, data, size);
    }
    check_metadata(text, size);
    check_concat(text, size);
    check_checksum(text, size);
    if (!upool_tus_url_name(text, size, name, sizeof(name))) {
        check(strlen(name) <= size);
    }
    free(text);
    return 0;
}
