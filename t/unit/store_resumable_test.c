/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* resumable.json: what is written can be read, and nothing else can; and the
 * ranges in it, up to the largest number there is. */
#include "store/resumable.h"

#include <stdlib.h>

#include "store/resumable_state.h"
#include "store_kit.h"

#define HEX32 "0123456789abcdef0123456789abcdef"
#define STORED "0-" HEX32 ".bin"

static const char GOOD[] =
    "{\"version\":1,\"identifier\":\"ID-1\",\"protocol\":\"tus\","
    "\"owner\":null,\"created\":1000,\"length\":100,\"file\":{\"field\":"
    "\"file\",\"filename\":\"a.txt\",\"safe-filename\":\"a.txt\","
    "\"content-type\":null,\"charset\":null,\"params\":{},\"size\":0,"
    "\"stored\":\"" STORED "\",\"digests\":{}},\"uri\":\"/u\",\"args\":null,"
    "\"metadata\":null,\"concat\":null,\"good\":null,\"fields\":[{\"name\":"
    "\"a\",\"value\":\"b\"},{\"name\":\"c\",\"base64\":\"/wA=\"}],"
    "\"ranges\":[[0,10],[20,30]],\"midstates\":[{\"algorithm\":\"md5\","
    "\"offset\":10,\"state\":\"00ff\"}]}";

/* GOOD with the first from replaced by to is no document of ID-1. */
static const struct {
    const char *from;
    const char *to;
} BROKEN[] = {
    { "\"version\":1", "\"version\":2" },
    { "\"version\":1,", "" },
    { "\"version\":1", "\"version\":1,\"version\":1" },
    { "\"version\":1", "\"version\":1,\"more\":1" },
    { "ID-1", "ID-2" },
    { "\"protocol\":\"tus\"", "\"protocol\":\"\"" },
    { "\"protocol\":\"tus\"", "\"protocol\":\"TUS\"" },
    { "\"protocol\":\"tus\"", "\"protocol\":\"a/b\"" },
    { "\"protocol\":\"tus\"", "\"protocol\":\"abcdefghijklmnopq\"" },
    { "\"protocol\":\"tus\"", "\"protocol\":null" },
    { "\"owner\":null", "\"owner\":1" },
    { "\"created\":1000", "\"created\":-1" },
    { "\"created\":1000", "\"created\":null" },
    { "\"length\":100", "\"length\":-1" },
    { "\"length\":100", "\"length\":1.5" },
    { "\"length\":100", "\"length\":9223372036854775808" },
    { "\"stored\":\"" STORED "\"", "\"stored\":null" },
    { "\"stored\":\"" STORED "\"", "\"stored\":\"../x\"" },
    { "\"stored\":\"" STORED "\"", "\"stored\":\"metadata.json\"" },
    { "\"safe-filename\":\"a.txt\"", "\"safe-filename\":\"../a\"" },
    { "\"size\":0", "\"size\":-1" },
    { "\"uri\":\"/u\"", "\"uri\":null" },
    { "\"uri\":\"/u\"", "\"uri\":\"a\\u0000b\"" },
    { "\"good\":null", "\"good\":-1" },
    { "\"good\":null", "\"good\":\"1\"" },
    { "\"fields\":[", "\"fields\":[1," },
    { "\"value\":\"b\"", "\"value\":null" },
    { "\"value\":\"b\"", "\"other\":\"b\"" },
    { "\"value\":\"b\"", "\"value\":\"b\",\"base64\":\"\"" },
    { "\"base64\":\"/wA=\"", "\"base64\":\"/wA\"" },
    { "\"base64\":\"/wA=\"", "\"base64\":\"/w*=\"" },
    { "\"base64\":\"/wA=\"", "\"base64\":\"/wA= \"" },
    { "[0,10]", "[0,0]" },
    { "[0,10]", "[10,0]" },
    { "[0,10]", "[-1,10]" },
    { "[0,10]", "[0,20]" },
    { "[0,10]", "[0,25]" },
    { "[0,10]", "[0]" },
    { "[0,10]", "[0,10,11]" },
    { "[0,10]", "0" },
    { "[0,10]", "[0,\"10\"]" },
    { "[0,10],[20,30]", "[20,30],[0,10]" },
    { "[[0,10],[20,30]]", "{}" },
    { "\"offset\":10", "\"offset\":-1" },
    { "\"offset\":10", "\"offset\":null" },
    { "\"state\":\"00ff\"", "\"state\":\"00FF\"" },
    { "\"state\":\"00ff\"", "\"state\":\"\"" },
    { "\"algorithm\":\"md5\"", "\"algorithm\":\"m/5\"" },
    { "\"midstates\":[", "\"midstates\":[[]," },
    { "}]}", "}]" },
    { "}]}", "}]}x" },
};

static apr_status_t decode(apr_pool_t *p, const char *text,
                           upool_resumable **about)
{
    return upool_resumable_decode(about, text, strlen(text), "ID-1", p);
}

static void test_good(apr_pool_t *p)
{
    upool_resumable *about = NULL;
    const upool_resumable_field *field;
    upool_resumable *again = NULL;
    char *text;
    apr_size_t len;

    tap_is_int(decode(p, GOOD, &about), 0, "a document is read");
    tap_is_int(about->length, 100, "its length");
    tap_is_int(about->good, -1, "nothing in doubt");
    tap_is_int(about->ranges->nelts, 2, "its ranges");
    field = &APR_ARRAY_IDX(about->fields, 1, upool_resumable_field);
    tap_ok(field->len == 2 && memcmp(field->value, "\xff\0", 3) == 0,
           "a field that is no text");
    tap_is_int(upool_resumable_encode(&text, &len, about), 0, "it is written");
    tap_is_int(upool_resumable_decode(&again, text, len, "ID-1", p), 0,
               "and read again");
    tap_is_str(again->file.stored, STORED, "the same file");
    tap_is_int(again->fields->nelts, 2, "the same fields");
    free(text);
    about->ranges = NULL;
    about->good = 7;
    about->length = -1;
    upool_resumable_encode(&text, &len, about);
    tap_is_int(upool_resumable_decode(&again, text, len, "ID-1", p), 0,
               "without ranges and length");
    tap_ok(!again->ranges && again->good == 7 && again->length == -1,
           "none of them");
    free(text);
}

static void test_broken(apr_pool_t *p)
{
    size_t i;

    for (i = 0; i < sizeof(BROKEN) / sizeof(BROKEN[0]); i++) {
        const char *at = strstr(GOOD, BROKEN[i].from);
        upool_resumable *about = NULL;
        const char *text =
            apr_pstrcat(p, apr_pstrndup(p, GOOD, (apr_size_t)(at - GOOD)),
                        BROKEN[i].to, at + strlen(BROKEN[i].from), NULL);

        tap_is_int(decode(p, text, &about), APR_EGENERAL, "not with %s",
                   BROKEN[i].to);
    }
}

static void test_not_written(apr_pool_t *p)
{
    upool_resumable *about = NULL;
    char *text = NULL;
    apr_size_t len;

    decode(p, GOOD, &about);
    about->file.stored = "x";
    tap_is_int(upool_resumable_encode(&text, &len, about), APR_EINVAL,
               "what could not be read is not written");
    tap_ok(!text, "nor returned");
    decode(p, GOOD, &about);
    about->uri = "\xff";
    tap_is_int(upool_resumable_encode(&text, &len, about), APR_EINVAL,
               "nor text that is none");
    about = upool_resumable_make(p, "ID-1");
    tap_is_int(upool_resumable_encode(&text, &len, about), APR_EINVAL,
               "nor an empty one");
}

/* --- Ranges -------------------------------------------------------------- */

#define MOST APR_INT64_MAX

static const char *list(apr_pool_t *p, const apr_array_header_t *ranges)
{
    const char *text = "";
    int i;

    for (i = 0; i < ranges->nelts; i++) {
        const upool_range *r = &APR_ARRAY_IDX(ranges, i, upool_range);

        text = apr_psprintf(p, "%s[%" APR_OFF_T_FMT ",%" APR_OFF_T_FMT ")",
                            text, r->start, r->end);
    }
    return text;
}

static void test_ranges(apr_pool_t *p)
{
    apr_array_header_t *r = upool_ranges_make(p);

    upool_ranges_add(r, 10, 20);
    upool_ranges_add(r, 30, 40);
    upool_ranges_add(r, 0, 0);
    tap_is_str(list(p, r), "[10,20)[30,40)", "an empty one is none");
    upool_ranges_add(r, 20, 30);
    tap_is_str(list(p, r), "[10,40)", "one between two joins them");
    upool_ranges_add(r, 5, 10);
    upool_ranges_add(r, 12, 15);
    tap_is_str(list(p, r), "[5,40)", "one that touches, one that is inside");
    upool_ranges_add(r, 50, 60);
    upool_ranges_add(r, 70, 80);
    upool_ranges_add(r, 0, 75);
    tap_is_str(list(p, r), "[0,80)", "one over all");
    tap_is_int(upool_ranges_gap(r, 0), 80, "the first byte not there");
    tap_is_int(upool_ranges_gap(r, 80), 80, "behind the end at once");
    tap_is_int(upool_ranges_next(r, 80, 100), 100, "nothing more is there");
    upool_ranges_add(r, 90, 95);
    tap_is_int(upool_ranges_next(r, 80, 100), 90, "or it is");
    tap_is_int(upool_ranges_next(r, 80, 85), 85, "too far away");
    tap_is_int(upool_ranges_next(r, 92, 100), 92, "or at once");
    tap_is_int(upool_ranges_sum(r), 85, "so many bytes");
}

static void test_large_ranges(apr_pool_t *p)
{
    apr_array_header_t *r = upool_ranges_make(p);
    int i;

    tap_is_int(upool_ranges_add(r, -1, 3), -1, "none before the beginning");
    tap_is_int(upool_ranges_add(r, 3, 2), -1, "none backwards");
    tap_is_int(upool_ranges_add(r, MOST - 1, MOST), 0, "the very last byte");
    tap_is_int(upool_ranges_add(r, 0, 1), 0, "and the first");
    tap_is_int(upool_ranges_gap(r, MOST - 1), MOST, "no gap behind it");
    tap_is_int(upool_ranges_gap(r, MOST), MOST, "nor from the end");
    tap_is_int(upool_ranges_next(r, 1, MOST), MOST - 1, "far apart");
    tap_is_int(upool_ranges_sum(r), 2, "two bytes");
    tap_is_int(upool_ranges_add(r, 0, MOST), 0, "all of it");
    tap_is_int(upool_ranges_sum(r), MOST, "as much as there can be");
    tap_ok(upool_ranges_is_sound(r), "is sound");
    r = upool_ranges_make(p);
    for (i = 0; i < UPOOL_RANGES_MAX; i++) {
        if (upool_ranges_add(r, 2 * i, 2 * i + 1)) {
            break;
        }
    }
    tap_is_int(i, UPOOL_RANGES_MAX, "many gaps");
    tap_is_int(upool_ranges_add(r, MOST - 1, MOST), -1, "but not any number");
    tap_is_int(upool_ranges_add(r, 1, 2), 0, "filling one is no new one");
}

/* Any order of any pieces comes to the same as a table of bytes. */
static void test_random_ranges(apr_pool_t *p)
{
    int round;
    int wrong = 0;

    for (round = 0; round < 2000; round++) {
        apr_array_header_t *r = upool_ranges_make(p);
        char table[64] = { 0 };
        int n;

        for (n = 0; n < 8; n++) {
            int start = rand() % 64;
            int end = start + rand() % (65 - start);

            upool_ranges_add(r, start, end);
            memset(table + start, 1, (size_t)(end - start));
        }
        wrong += !upool_ranges_is_sound(r);
        for (n = 0; n < 64; n++) {
            wrong += (upool_ranges_gap(r, n) > n) != (table[n] == 1);
            wrong +=
                (upool_ranges_next(r, n, 64) == n) != (table[n] == 1) && n < 64;
        }
    }
    tap_is_int(wrong, 0, "2,000 heaps of ranges are what a table says");
}

/* --- What it means ------------------------------------------------------- */

static void test_offset(apr_pool_t *p)
{
    upool_resumable *about = upool_resumable_make(p, "ID-1");
    upool_record *record = upool_record_make(p, "ID-1");

    tap_is_int(upool_resumable_state_offset(about, 7), 7,
               "the size is the offset");
    about->length = 5;
    tap_is_int(upool_resumable_state_offset(about, 7), 5, "up to the length");
    about->good = 3;
    tap_is_int(upool_resumable_state_offset(about, 7), 3,
               "or what can be trusted");
    tap_is_int(upool_resumable_state_offset(about, 2), 2,
               "as far as it is there");
    about->length = 100;
    about->ranges = upool_ranges_make(p);
    upool_ranges_add(about->ranges, 20, 30);
    tap_is_int(upool_resumable_state_offset(about, 30), 0, "nothing in order");
    tap_is_int(upool_resumable_state_held(about, 30), 10, "but ten bytes");
    upool_ranges_add(about->ranges, 0, 5);
    tap_is_int(upool_resumable_state_offset(about, 30), 5,
               "up to the first gap");
    tap_is_int(upool_resumable_state_offset(about, 4), 4,
               "but not behind the file's end");
    about->created = record->created = 17;
    tap_ok(upool_resumable_state_is_past(about, record),
           "complete by its time");
    record->created = 18;
    tap_ok(!upool_resumable_state_is_past(about, record), "or another's");
    tap_ok(!upool_resumable_state_is_past(about, NULL), "or nobody's");
}

/* Whatever lies there, nobody crashes, and it is no upload. */
static void test_damaged(kit *k)
{
    static const char *const TEXTS[] = { "", "{", "null", "[]", "{}", GOOD };
    size_t i;

    for (i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++) {
        upool_resumable_state found;
        apr_status_t rv;
        upool_bucket *bucket;

        mkdir(kit_in(k, "ID-1", NULL), 0700);
        kit_write_file(kit_in(k, "ID-1", "resumable.json"), TEXTS[i]);
        rv = upool_resumable_state_look(
            &found, open(kit_in(k, "ID-1", NULL), O_RDONLY | O_DIRECTORY),
            "ID-1", NULL, k->p);
        tap_is_int(rv, APR_EGENERAL, "'%.8s' is damaged", TEXTS[i]);
        tap_ok(strncmp(kit_status(k, "ID-1"), "error: ", 7) == 0,
               "pollers get an error");
        bucket = kit_begin(k, "ID-1", k->p, &rv);
        tap_is_int(rv, 0, "it keeps nobody out");
        upool_bucket_end(bucket);
        tap_ok(!kit_exists(kit_in(k, "ID-1", "resumable.json")), "and goes");
    }
}

int main(void)
{
    kit k;

    kit_start(&k);
    test_good(k.p);
    test_broken(k.p);
    test_not_written(k.p);
    test_ranges(k.p);
    test_large_ranges(k.p);
    test_random_ranges(k.p);
    test_offset(k.p);
    test_damaged(&k);
    return kit_done(&k);
}
