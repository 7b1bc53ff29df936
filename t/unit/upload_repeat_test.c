/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* A file that comes again: the same bytes, or others. */
#include "upload/repeat.h"

#include <string.h>

#include <apr_general.h>

#include "upload/drop.h"

#include "tap.h"

#define CRC_OF_ABC "352441c2"

static apr_pool_t *p;

static upool_record *record_of(const char *algorithm, const char *hex)
{
    upool_record *record = upool_record_make(p, "id");
    upool_file *file = apr_array_push(record->files);

    memset(file, 0, sizeof(*file));
    file->size = 3;
    file->digests = apr_array_make(p, 2, sizeof(upool_digest));
    if (algorithm) {
        upool_digest digest = { algorithm, hex };

        APR_ARRAY_PUSH(file->digests, upool_digest) = digest;
    }
    return record;
}

static int is_same(const upool_record *record, const char *one, const char *two)
{
    upool_repeat *repeat = upool_repeat_make(record, p);

    if (!repeat) {
        return -1;
    }
    upool_repeat_data(repeat, one, strlen(one));
    upool_repeat_data(repeat, two, strlen(two));
    return upool_repeat_is_same(repeat);
}

/* What a sink that keeps nothing says in the end: 0, or why it refused. */
static upool_reason ends_as(upool_reason reason, upool_repeat *repeat,
                            const char *bytes)
{
    upool_sink sink;

    upool_drop_sink(&sink, reason, repeat, p);
    upool_sink_feed(&sink, bytes, strlen(bytes));
    upool_sink_finish(&sink);
    tap_ok(upool_drop_is(&sink)
               && upool_sink_received(&sink) == (apr_off_t)strlen(bytes),
           "a sink that keeps nothing counts %s", bytes);
    return upool_sink_refusal(&sink)->reason;
}

int main(void)
{
    upool_record *record;
    upool_digest crc = { "crc32", CRC_OF_ABC };

    apr_initialize();
    apr_pool_create(&p, NULL);
    record = record_of("sha-256", "ba7816bf8f01cfea414140de5dae2223"
                                  "b00361a396177a9cb410ff61f20015ad");
    tap_is_int(is_same(record, "ab", "c"), 1, "the same, in pieces");
    tap_is_int(is_same(record, "abc", ""), 1, "or at once");
    tap_is_int(is_same(record, "ab", "d"), 0, "others");
    tap_is_int((int)ends_as(UPOOL_REASON_NONE, NULL, "ab"), 0, "any bytes");
    tap_is_int((int)ends_as(UPOOL_REASON_OVERRUN, NULL, ""), 0, "none");
    tap_is_int((int)ends_as(UPOOL_REASON_OVERRUN, NULL, "ab"),
               UPOOL_REASON_OVERRUN, "bytes where none belong");
    tap_is_int(
        (int)ends_as(UPOOL_REASON_NONE, upool_repeat_make(record, p), "abc"), 0,
        "the file again");
    tap_is_int(
        (int)ends_as(UPOOL_REASON_NONE, upool_repeat_make(record, p), "abd"),
        UPOOL_REASON_OTHER_CONTENT, "another file");
    tap_is_int(is_same(record, "ab", ""), 0, "fewer");
    record = record_of("crc32", CRC_OF_ABC);
    tap_is_int(is_same(record, "a", "bc"), 1, "by another digest");
    tap_is_int(is_same(record, "a", "cb"), 0, "which tells as well");
    record = record_of("whirlpool", "00");
    tap_is_int(is_same(record, "a", "bc"), 1,
               "by its length, where the digest"
               " is of a kind not known");
    tap_is_int(is_same(record, "a", "b"), 0, "which tells too");
    APR_ARRAY_PUSH(APR_ARRAY_IDX(record->files, 0, upool_file).digests,
                   upool_digest) = crc;
    tap_is_int(is_same(record, "a", "bc"), 1, "but by the one behind it");
    record = record_of(NULL, NULL);
    tap_is_int(is_same(record, "a", "bc"), 1, "without any");
    tap_is_int(is_same(record, "a", "b"), 0, "fewer, without any");
    tap_is_int(is_same(record, "abc", "d"), 0, "more");
    tap_is_int(
        (int)ends_as(UPOOL_REASON_NONE, upool_repeat_make(record, p), "abcd"),
        UPOOL_REASON_OTHER_CONTENT, "more than the file has");
    tap_is_int(
        (int)ends_as(UPOOL_REASON_NONE, upool_repeat_of_length(2, p), "xy"), 0,
        "a part of the file");
    tap_is_int(
        (int)ends_as(UPOOL_REASON_NONE, upool_repeat_of_length(2, p), "x"),
        UPOOL_REASON_OTHER_CONTENT, "less of it");
    tap_is_int(is_same(upool_record_make(p, "id"), "a", "bc"), -1,
               "without a file");
    apr_pool_destroy(p);
    apr_terminate();
    return tap_done();
}
