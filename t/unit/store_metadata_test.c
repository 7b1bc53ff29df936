/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* metadata.json: what is written can be read, and nothing else can. */
#include "store/metadata.h"

#include <errno.h>
#include <stdlib.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "store_kit.h"

#define HEX32 "0123456789abcdef0123456789abcdef"
#define STORED "0-" HEX32 ".bin"

static const char GOOD[] =
    "{\"version\":1,\"identifier\":\"ID-1\",\"state\":\"done\","
    "\"filename\":\"photo.jpg\",\"content-type\":\"image/jpeg\","
    "\"size\":123456,\"received\":123456,\"error\":null,\"owner\":null,"
    "\"created\":1000,\"updated\":2000,\"files\":[{\"field\":\"file\","
    "\"filename\":\"photo.jpg\",\"safe-filename\":\"photo.jpg\","
    "\"content-type\":\"image/jpeg\",\"charset\":null,"
    "\"params\":{\"a\":\"b\"},\"size\":123210,\"stored\":\"" STORED "\","
    "\"digests\":{\"sha-256\":\"00ff\"}}]}";

/* GOOD with the first from replaced by to is no record of ID-1. */
static const struct {
    const char *from;
    const char *to;
} BROKEN[] = {
    { "\"version\":1", "\"version\":2" },
    { "\"version\":1", "\"version\":0" },
    { "\"version\":1", "\"version\":\"1\"" },
    { "\"version\":1", "\"version\":1.0" },
    { "\"version\":1,", "" },
    { "\"version\":1", "\"version\":1,\"version\":1" },
    { "ID-1", "ID-2" },
    { "ID-1", "../ID-1" },
    { "\"ID-1\"", "null" },
    { "\"ID-1\"", "[\"ID-1\"]" },
    { "\"identifier\":\"ID-1\",", "" },
    { "\"done\"", "\"starting\"" },
    { "\"done\"", "\"DONE\"" },
    { "\"done\"", "\"uploading\"" },
    { "\"done\"", "\"error\"" },
    { "\"done\"", "true" },
    { "\"filename\":\"photo.jpg\"", "\"filename\":null" },
    { "\"filename\":\"photo.jpg\"", "\"filename\":\"a\\u0000b\"" },
    { "\"filename\":\"photo.jpg\"", "\"filename\":\"\xff\"" },
    { "\"filename\":\"photo.jpg\"", "\"filename\":\"\\ud800\"" },
    { "\"filename\":\"photo.jpg\"", "\"filename\":\"a\nb\"" },
    { "\"content-type\":\"image/jpeg\"", "\"content-type\":1" },
    { "\"size\":123456", "\"size\":-1" },
    { "\"size\":123456", "\"size\":\"123456\"" },
    { "\"size\":123456", "\"size\":1e5" },
    { "\"size\":123456", "\"size\":9223372036854775808" },
    { "\"size\":123456", "\"size\":99999999999999999999999999999" },
    { "\"size\":123456", "\"size\":01" },
    { "\"received\":123456", "\"received\":null" },
    { "\"received\":123456", "\"received\":-5" },
    { "\"error\":null", "\"error\":\"text\"" },
    { "\"error\":null", "\"error\":0" },
    { "\"error\":null,", "" },
    { "\"owner\":null", "\"owner\":false" },
    { "\"owner\":null", "\"owner\":{}" },
    { "\"created\":1000", "\"created\":-1" },
    { "\"created\":1000", "\"created\":\"2024-11-21T10:00:00Z\"" },
    { "\"updated\":2000,", "" },
    { "\"updated\":2000", "\"updated\":null" },
    { "\"updated\":2000", "\"updated\":2000,\"extra\":1" },
    { "[{", "{\"0\":{" },
    { "[{", "[1,{" },
    { "[{", "[[],{" },
    { "}]}", "},{}]}" },
    { "}]}", "},null]}" },
    { "}]}", "}]" },
    { "}]}", "}]}}" },
    { "}]}", "}]} x" },
    { "\"field\":\"file\",", "" },
    { "\"field\":\"file\"", "\"field\":null" },
    { "\"safe-filename\":\"photo.jpg\"", "\"safe-filename\":\"\"" },
    { "\"safe-filename\":\"photo.jpg\"", "\"safe-filename\":\".\"" },
    { "\"safe-filename\":\"photo.jpg\"", "\"safe-filename\":\"..\"" },
    { "\"safe-filename\":\"photo.jpg\"", "\"safe-filename\":\"a/b\"" },
    { "\"safe-filename\":\"photo.jpg\"", "\"safe-filename\":\"a\\\\b\"" },
    { "\"safe-filename\":\"photo.jpg\"", "\"safe-filename\":\"a\\nb\"" },
    { "\"safe-filename\":\"photo.jpg\"", "\"safe-filename\":null" },
    { "\"charset\":null", "\"charset\":[]" },
    { "{\"a\":\"b\"}", "[]" },
    { "{\"a\":\"b\"}", "null" },
    { "{\"a\":\"b\"}", "{\"a\":1}" },
    { "{\"a\":\"b\"}", "{\"a\":\"b\",\"a\":\"c\"}" },
    { "\"size\":123210", "\"size\":null" },
    { "\"size\":123210", "\"size\":-123210" },
    { "\"stored\":\"0-", "\"stored\":\"" },
    { "\"stored\":\"0-", "\"stored\":\"00-" },
    { "\"stored\":\"0-", "\"stored\":\"-1-" },
    { "\"stored\":\"0-", "\"stored\":\"../0-" },
    { "\"stored\":\"0-", "\"stored\":\"/0-" },
    { "\"stored\":\"0-", "\"stored\":\"sub/0-" },
    { "\"stored\":\"0-", "\"stored\":\"0-0" },
    { "\"stored\":\"0-", "\"stored\":\"1234567890-" },
    { HEX32, "0123456789ABCDEF0123456789ABCDEF" },
    { HEX32, "0123456789abcdef" },
    { ".bin", ".php" },
    { ".bin", ".bin.php" },
    { ".bin", ".bin/" },
    { ".bin", "" },
    { "\"" STORED "\"", "\"metadata.json\"" },
    { "\"" STORED "\"", "\"/etc/passwd\"" },
    { "\"" STORED "\"", "7" },
    { "\"digests\":{", "\"digests\":{\"md5\":null," },
    { "\"digests\":{", "\"digests\":{\"md5\":\"\"," },
    { "\"digests\":{", "\"digests\":{\"\":\"00\"," },
    { "\"digests\":{", "\"digests\":{\"m d\":\"00\"," },
    { "\"00ff\"", "\"00FF\"" },
    { "\"00ff\"", "\"00fg\"" },
    { "\"digests\"", "\"digest\"" },
    { "{\"version\"", "[{\"version\"" },
    { "{\"version\"", "\xef\xbb\xbf{\"version\"" },
    { "{\"version\"", "// comment\n{\"version\"" },
    { "{\"version\"", "{,\"version\"" },
};

static const char *replace(apr_pool_t *p, const char *from, const char *to)
{
    const char *at = strstr(GOOD, from);

    return at ? apr_pstrcat(p, apr_pstrndup(p, GOOD, (size_t)(at - GOOD)), to,
                            at + strlen(from), NULL)
              : NULL;
}

static apr_status_t decode(upool_record **record, const char *text,
                           apr_pool_t *p)
{
    *record = NULL;
    return upool_metadata_decode(record, text, strlen(text), "ID-1", p);
}

static void test_broken(apr_pool_t *p)
{
    upool_record *record;
    const char *text;
    size_t i;

    tap_is_int(decode(&record, GOOD, p), APR_SUCCESS, "the good one is good");
    tap_ok(record && record->files->nelts == 1, "and has a file");
    for (i = 0; i < sizeof(BROKEN) / sizeof(*BROKEN); i++) {
        text = replace(p, BROKEN[i].from, BROKEN[i].to);
        tap_ok(text && decode(&record, text, p) == APR_EGENERAL && !record,
               "broken %d: %s", (int)i, BROKEN[i].from);
    }
    tap_is_int(decode(&record, "", p), APR_EGENERAL, "nothing");
    tap_is_int(decode(&record, "null", p), APR_EGENERAL, "null");
    tap_is_int(decode(&record, "[]", p), APR_EGENERAL, "an array");
    tap_is_int(decode(&record, "{}", p), APR_EGENERAL, "an empty object");
    tap_is_int(decode(&record, "\"done\"", p), APR_EGENERAL, "a string");
}

static void test_truncated(apr_pool_t *p)
{
    upool_record *record = NULL;
    size_t len = strlen(GOOD);
    size_t bad = 0;
    size_t i;

    for (i = 0; i < len; i++) {
        char *copy = malloc(i ? i : 1);

        /* Of its exact length, so that a checker sees a byte too far. */
        memcpy(copy, GOOD, i);
        bad +=
            upool_metadata_decode(&record, copy, i, "ID-1", p) != APR_EGENERAL;
        free(copy);
    }
    tap_is_int(bad, 0, "cut at each of %d bytes", (int)len);
}

static void test_deep(apr_pool_t *p)
{
    enum { DEEP = 200000 };
    upool_record *record = NULL;
    char *text = apr_palloc(p, DEEP + 1);

    memset(text, '[', DEEP);
    text[DEEP] = '\0';
    tap_is_int(decode(&record, text, p), APR_EGENERAL, "200,000 arrays deep");
}

static void test_twice(apr_pool_t *p)
{
    const char *file = strchr(GOOD, '[') + 1;
    const char *text = apr_pstrcat(p, replace(p, "]}", ""), ",", file, NULL);
    upool_record *record;

    tap_is_int(decode(&record, text, p), APR_EGENERAL,
               "one stored file in two entries");
}

static upool_record *full_record(apr_pool_t *p)
{
    upool_record *record = kit_record(p, "ID-1", UPOOL_STATE_DONE, 12345);
    upool_file *file = kit_add_file(record, p, STORED, 77);
    upool_digest *digest = apr_array_push(file->digests);

    record->filename = "\xe2\x82\xac\"\\\r\n<&.jpg";
    record->size = 9223372036854775807LL;
    record->received = 99;
    record->owner = "user:j\xc3\xbcrgen";
    record->updated = 23456;
    file->filename = record->filename;
    file->charset = "utf-8";
    apr_table_set(file->params, "charset", "utf-8");
    apr_table_set(file->params, "x", "\xf0\x9f\x98\x80");
    digest->algorithm = "md5";
    digest->hex = "d41d8cd98f00b204e9800998ecf8427e";
    kit_add_file(record, p, NULL, 3)->content = "abc";
    APR_ARRAY_IDX(record->files, 1, upool_file).content_type = NULL;
    return record;
}

static void test_round_trip(apr_pool_t *p)
{
    upool_record *in = full_record(p);
    upool_record *out = NULL;
    upool_file *file;
    apr_size_t len;
    char *text;

    tap_is_int(upool_metadata_encode(&text, &len, in), APR_SUCCESS, "encode");
    tap_is_int(upool_metadata_decode(&out, text, len, "ID-1", p), APR_SUCCESS,
               "decode");
    free(text);
    tap_is_str(out->identifier, "ID-1", "identifier");
    tap_is_int(out->state, UPOOL_STATE_DONE, "state");
    tap_is_str(out->filename, in->filename, "filename");
    tap_is_str(out->content_type, "image/jpeg", "content type");
    tap_is_int(out->size, in->size, "size");
    tap_is_int(out->received, 99, "received");
    tap_is_str(out->error, NULL, "error");
    tap_is_str(out->owner, in->owner, "owner");
    tap_is_int(out->created, 12345, "created");
    tap_is_int(out->updated, 23456, "updated");
    tap_is_int(out->files->nelts, 2, "files");
    file = &APR_ARRAY_IDX(out->files, 0, upool_file);
    tap_is_str(file->field, "file", "field");
    tap_is_str(file->filename, in->filename, "file's name");
    tap_is_str(file->safe_filename, "photo.jpg", "safe name");
    tap_is_str(file->charset, "utf-8", "charset");
    tap_is_str(apr_table_get(file->params, "x"), "\xf0\x9f\x98\x80", "param");
    tap_is_int(file->size, 77, "file's size");
    tap_is_str(file->stored, STORED, "stored");
    tap_is_str(APR_ARRAY_IDX(file->digests, 0, upool_digest).hex,
               "d41d8cd98f00b204e9800998ecf8427e", "digest");
    file = &APR_ARRAY_IDX(out->files, 1, upool_file);
    tap_is_str(file->content_type, NULL, "no content type");
    tap_is_str(file->stored, NULL, "not stored");
    tap_is_str(file->content, NULL, "content in memory is not kept");
}

/* Room is reserved for a record before it is written. */
static void test_weight(apr_pool_t *p)
{
    upool_record *record = full_record(p);
    char *name = apr_palloc(p, 3000);
    apr_size_t len;
    char *text;
    int i;

    upool_metadata_encode(&text, &len, record);
    free(text);
    tap_ok(upool_record_weight(record) >= (apr_int64_t)len,
           "a record is no longer than its weight");
    for (i = 0; i < 2999; i++) {
        name[i] = "\1\"\\x"[i % 4];
    }
    name[i] = '\0';
    for (i = 0; i < 50; i++) {
        kit_add_file(record, p, STORED, 7)->filename = name;
    }
    upool_metadata_encode(&text, &len, record);
    free(text);
    tap_ok(upool_record_weight(record) >= (apr_int64_t)len
               && upool_record_weight(record) < (apr_int64_t)len * 5 / 4,
           "nor much shorter, whatever is in its names");
}

static void test_attempts(apr_pool_t *p)
{
    upool_record *in = full_record(p);
    upool_record *out = NULL;
    apr_size_t len;
    char *text;

    in->state = UPOOL_STATE_ERROR;
    in->error = NULL;
    in->size = -1;
    upool_metadata_encode(&text, &len, in);
    tap_is_int(upool_metadata_decode(&out, text, len, "ID-1", p), APR_SUCCESS,
               "an error without text");
    free(text);
    tap_is_str(out->error, "", "reads as empty text");
    tap_is_int(out->size, -1, "unknown size");
    tap_is_int(out->files->nelts, 0, "no files in an attempt");
    in->state = UPOOL_STATE_UPLOADING;
    in->error = "stale";
    upool_metadata_encode(&text, &len, in);
    tap_is_int(upool_metadata_decode(&out, text, len, "ID-1", p), APR_SUCCESS,
               "uploading");
    free(text);
    tap_is_str(out->error, NULL, "a stale error text is not written");
}

static int refused(upool_record *record)
{
    apr_size_t len;
    char *text;
    apr_status_t rv = upool_metadata_encode(&text, &len, record);
    int none = !text;

    free(text);
    return rv == APR_EINVAL && none;
}

static void test_unwritable(apr_pool_t *p)
{
    upool_record *r = full_record(p);
    upool_file *file = &APR_ARRAY_IDX(r->files, 0, upool_file);

    r->filename = "\xff";
    tap_ok(refused(r), "a name that is not UTF-8");
    r->filename = "x";
    r->identifier = "../x";
    tap_ok(refused(r), "an identifier that is none");
    r->identifier = "ID-1";
    r->received = -1;
    tap_ok(refused(r), "negative received");
    r->received = 0;
    r->created = -1;
    tap_ok(refused(r), "negative time");
    r->created = 0;
    file->safe_filename = "a/b";
    tap_ok(refused(r), "an unsafe safe name");
    file->safe_filename = NULL;
    tap_ok(refused(r), "no safe name");
    file->safe_filename = "ok";
    file->stored = "../../etc/passwd";
    tap_ok(refused(r), "a stored path");
    file->stored = STORED;
    file->size = -1;
    tap_ok(refused(r), "a negative file");
    file->size = 1;
    file->field = NULL;
    tap_ok(refused(r), "no field");
    file->field = "f";
    apr_table_set(file->params, "x", "\xc0\x80");
    tap_ok(refused(r), "a parameter that is not UTF-8");
    apr_table_clear(file->params);
    APR_ARRAY_IDX(file->digests, 0, upool_digest).hex = "XY";
    tap_ok(refused(r), "a digest that is not hex");
    APR_ARRAY_IDX(file->digests, 0, upool_digest).hex = "00";
    tap_ok(!refused(r), "and nothing else was wrong");
}

static void test_large(apr_pool_t *p)
{
    upool_record *r = kit_record(p, "ID-1", UPOOL_STATE_DONE, 1);
    upool_record *out = NULL;
    apr_size_t len;
    char *text;
    char *name = apr_palloc(p, 1024 * 1024 + 1);
    int i;

    memset(name, 'n', 1024 * 1024);
    name[1024 * 1024] = '\0';
    for (i = 0; i < 20; i++) {
        kit_add_file(r, p, NULL, 1)->filename = name;
    }
    tap_is_int(upool_metadata_encode(&text, &len, r), APR_SUCCESS, "20 MiB");
    tap_is_int(upool_metadata_decode(&out, text, len, "ID-1", p), APR_SUCCESS,
               "can be read");
    free(text);
    for (i = 0; i < 20; i++) {
        kit_add_file(r, p, NULL, 1)->filename = name;
    }
    tap_is_int(upool_metadata_encode(&text, &len, r), EFBIG,
               "40 MiB is too large to be read, so it is not written");
}

/* The text of a record with two empty file inputs, with "from" in it made "to".
 */
static const char *text_with(apr_pool_t *p, const char *from, const char *to)
{
    upool_record *in = full_record(p);
    upool_empty *empty;
    apr_size_t len;
    const char *text;
    const char *at;
    char *raw;

    in->empty = apr_array_make(p, 2, sizeof(upool_empty));
    empty = apr_array_push(in->empty);
    empty->field = "a[]";
    empty = apr_array_push(in->empty);
    empty->field = "b";
    upool_metadata_encode(&raw, &len, in);
    text = apr_pstrmemdup(p, raw, len);
    free(raw);
    at = strstr(text, from);
    return at ? apr_pstrcat(p, apr_pstrmemdup(p, text, (apr_size_t)(at - text)),
                            to, at + strlen(from), NULL)
              : "";
}

static void test_empty(apr_pool_t *p)
{
    static const char *const bad[] = { "[]",    "[1]",  "{}",
                                       "\"a\"", "null", "[\"a\",null]" };
    const char *list = "[\"a[]\",\"b\"]";
    const char *text = text_with(p, list, list);
    upool_record *out = NULL;
    apr_size_t i;

    tap_is_int(upool_metadata_decode(&out, text, strlen(text), "ID-1", p),
               APR_SUCCESS, "empty file inputs");
    tap_ok(out && out->empty && out->empty->nelts == 2, "two of them");
    tap_is_str(APR_ARRAY_IDX(out->empty, 0, upool_empty).field, "a[]",
               "the first");
    tap_is_str(APR_ARRAY_IDX(out->empty, 1, upool_empty).field, "b",
               "the second");
    text = text_with(p, ",\"empty\":[\"a[]\",\"b\"]", "");
    tap_is_int(upool_metadata_decode(&out, text, strlen(text), "ID-1", p),
               APR_SUCCESS, "a record without, as before");
    tap_ok(!out->empty, "has none");
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        text = text_with(p, list, bad[i]);
        tap_is_int(upool_metadata_decode(&out, text, strlen(text), "ID-1", p),
                   APR_EGENERAL, "refused: %s", bad[i]);
    }
}

int main(void)
{
    apr_pool_t *p;

    apr_initialize();
    apr_pool_create(&p, NULL);
    test_empty(p);
    test_broken(p);
    test_truncated(p);
    test_deep(p);
    test_twice(p);
    test_round_trip(p);
    test_weight(p);
    test_attempts(p);
    test_unwritable(p);
    test_large(p);
    apr_pool_destroy(p);
    apr_terminate();
    return tap_done();
}
