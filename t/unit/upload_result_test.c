/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* The JSON that goes out: to the application and to everybody else. */
#include "upload/result.h"

#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <jansson.h>
#include <tap.h>

#include "upload/fields.h"

static apr_pool_t *pool;

static upool_record *record_of(upool_state state)
{
    upool_record *record = upool_record_make(pool, "id-1");

    record->state = state;
    record->filename = "photo.jpg";
    record->content_type = "image/jpeg";
    record->size = 1000;
    record->received = 400;
    record->owner = "alice";
    return record;
}

static upool_file *add_file(upool_record *record, const char *name)
{
    upool_file *file = apr_array_push(record->files);

    memset(file, 0, sizeof(*file));
    file->field = "file";
    file->filename = name;
    file->safe_filename = "safe.txt";
    file->params = apr_table_make(pool, 1);
    file->digests = apr_array_make(pool, 1, sizeof(upool_digest));
    file->size = 12;
    file->stored = "0-0123456789abcdef0123456789abcdef.bin";
    return file;
}

static apr_array_header_t *no_fields(void)
{
    return apr_array_make(pool, 2, sizeof(upool_field));
}

static void add_field(apr_array_header_t *fields, const char *name,
                      const char *value, apr_size_t len)
{
    upool_field *field = apr_array_push(fields);

    field->name = name;
    field->value = value;
    field->len = len;
}

static json_t *body(const upool_record *record,
                    const apr_array_header_t *fields)
{
    const char *text =
        upool_result_body(record, fields, "/srv/pool/id-1", pool);

    return text
               ? json_loads(text, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL)
               : NULL;
}

static const char *str(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void test_status(void)
{
    upool_record *record = record_of(UPOOL_STATE_UPLOADING);
    const char *text;

    tap_is_str(upool_result_status(NULL, 5, pool), "{\"state\": \"starting\"}",
               "nothing known");
    tap_is_str(upool_result_status(record_of(UPOOL_STATE_STARTING), 0, pool),
               "{\"state\": \"starting\"}", "nor is anything of one starting");
    tap_is_str(upool_result_status(record, 0, pool),
               "{\"identifier\": \"id-1\", \"state\": \"uploading\", "
               "\"filename\": \"photo.jpg\", \"content-type\": \"image/jpeg\", "
               "\"size\": 1000, \"received\": 400}",
               "uploading");
    record->size = -1;
    tap_ok(strstr(upool_result_status(record, 0, pool), "\"size\": null,")
               != NULL,
           "an unknown size is null");
    record = record_of(UPOOL_STATE_DONE);
    add_file(record, "a");
    text = upool_result_status(record, apr_time_from_sec(1700000000), pool);
    tap_ok(strstr(text, "\"state\": \"done\"") != NULL, "done");
    tap_ok(strstr(text, "\"expires\": \"2023-11-14T22:13:20Z\"") != NULL,
           "when it expires, in UTC");
    tap_ok(!strstr(text, "files") && !strstr(text, ".bin"), "no files");
    tap_ok(!strstr(text, "alice"), "no owner");
    record = record_of(UPOOL_STATE_ERROR);
    record->error = "Upload timed out";
    tap_ok(strstr(upool_result_status(record, 0, pool),
                  "\"error\": \"Upload timed out\"")
               != NULL,
           "an error has its text");
    record->error = NULL;
    tap_ok(strstr(upool_result_status(record, 0, pool), "\"error\": \"\"")
               != NULL,
           "or an empty one");
}

static void test_big_numbers(void)
{
    upool_record *record = record_of(UPOOL_STATE_DONE);
    json_t *json;

    record->size = APR_INT64_C(9007199254740993);
    record->received = APR_INT64_MAX;
    add_file(record, "a")->size = APR_INT64_C(5000000000);
    json = body(record, no_fields());
    tap_is_int(json_integer_value(json_object_get(json, "size")),
               9007199254740993LL, "beyond what a double holds");
    tap_is_int(json_integer_value(json_object_get(json, "received")),
               APR_INT64_MAX, "the largest");
    tap_is_int(json_integer_value(json_object_get(
                   json_array_get(json_object_get(json, "files"), 0), "size")),
               5000000000LL, "a file over 4 GiB");
    json_decref(json);
}

static void test_body(void)
{
    upool_record *record = record_of(UPOOL_STATE_DONE);
    upool_file *file = add_file(record, "a.txt");
    upool_digest *digest = apr_array_push(file->digests);
    apr_array_header_t *fields = no_fields();
    const json_t *one;
    json_t *json;

    digest->algorithm = "crc32";
    digest->hex = "cbf43926";
    file->content_type = "text/plain";
    file->charset = "utf-8";
    apr_table_add(file->params, "charset", "utf-8");
    file = add_file(record, "b");
    file->stored = NULL;
    file->content = "in\0memory!!!";
    add_field(fields, "tag", "one", 3);
    add_field(fields, "tag", "two", 3);
    json = body(record, fields);
    tap_ok(json != NULL, "it is JSON");
    tap_is_int(json_object_size(json), 8, "eight members");
    tap_is_str(str(json, "identifier"), "id-1", "identifier");
    tap_is_str(str(json, "state"), "done", "state");
    tap_is_str(str(json, "filename"), "photo.jpg", "filename");
    tap_is_str(str(json, "content-type"), "image/jpeg", "content-type");
    one = json_array_get(json_object_get(json, "files"), 0);
    tap_is_int(json_object_size(one), 9, "nine members of a file");
    tap_is_str(str(one, "field"), "file", "its field");
    tap_is_str(str(one, "filename"), "a.txt", "its name");
    tap_is_str(str(one, "safe-filename"), "safe.txt", "its safe name");
    tap_is_str(str(one, "content-type"), "text/plain", "its type");
    tap_is_str(str(one, "charset"), "utf-8", "its charset");
    tap_is_str(str(one, "path"),
               "/srv/pool/id-1/0-0123456789abcdef0123456789abcdef.bin",
               "its path");
    tap_is_str(str(json_object_get(one, "digests"), "crc32"), "cbf43926",
               "its digest");
    tap_is_str(str(json_object_get(one, "params"), "charset"), "utf-8",
               "its parameters");
    one = json_array_get(json_object_get(json, "files"), 1);
    tap_is_str(str(one, "content"), "aW4AbWVtb3J5ISEh", "content in base64");
    tap_ok(!json_object_get(one, "path"), "and no path beside it");
    tap_ok(json_is_null(json_object_get(one, "charset")), "no charset is null");
    one = json_array_get(json_object_get(json, "fields"), 1);
    tap_is_str(str(one, "name"), "tag", "a repeated field's name");
    tap_is_str(str(one, "value"), "two", "its value");
    tap_is_int(json_object_size(one), 2, "nothing else of it");
    json_decref(json);
}

/* What upload handlers say of a file. */
static void test_handlers(void)
{
    upool_record *record = record_of(UPOOL_STATE_DONE);
    upool_file *file = add_file(record, "a.txt");
    apr_table_t *notes = apr_table_make(pool, 1);
    const json_t *one;
    json_t *json;

    file->notes = apr_table_make(pool, 1);
    file = add_file(record, "b.txt");
    file->stored = NULL;
    file->location = "s3://bucket/key";
    file->notes = notes;
    apr_table_add(notes, "lines", "3");
    apr_table_add(notes, "bad", "caf\xe9");
    json = body(record, no_fields());
    one = json_array_get(json_object_get(json, "files"), 0);
    tap_ok(!json_object_get(one, "notes"), "no notes, no member");
    tap_ok(!json_object_get(one, "location"), "stored here, not elsewhere");
    one = json_array_get(json_object_get(json, "files"), 1);
    tap_is_str(str(one, "location"), "s3://bucket/key", "kept elsewhere");
    tap_ok(!json_object_get(one, "path") && !json_object_get(one, "content"),
           "and nowhere here");
    one = json_object_get(one, "notes");
    tap_is_str(str(one, "lines"), "3", "a note");
    tap_is_int(json_object_size(one), 1, "what is no text is left out");
    json_decref(json);
}

static int is_harmless(const char *text)
{
    for (; *text; text++) {
        if (*text < ' ' || *text > '~' || strchr("<>&", *text)) {
            return 0;
        }
    }
    return 1;
}

static void test_escapes(void)
{
    static const char name[] = "</script><!--&\xe2\x80\xa8\xe2\x80\xa9"
                               "\x01\x1f\x7f\"\\\r\n\t\xf0\x9f\x98\x80";
    upool_record *record = record_of(UPOOL_STATE_DONE);
    apr_array_header_t *fields = no_fields();
    const char *text;
    json_t *json;

    record->filename = name;
    add_file(record, name)->safe_filename = "script";
    add_field(fields, name, name, strlen(name));
    text = upool_result_body(record, fields, "/srv/pool/id-1", pool);
    json = json_loads(text, 0, NULL);
    /* DEL is allowed in JSON and harmless; all else is ASCII and printable. */
    tap_ok(strstr(text, "\\u003c/script\\u003e\\u003c!--\\u0026\\u2028\\u2029")
               != NULL,
           "< > & and the line separators are escaped");
    tap_ok(!strpbrk(text, "<>&\r\n\t"), "none of them stands bare");
    tap_is_str(str(json, "filename"), name, "read back the same");
    tap_is_str(str(json_array_get(json_object_get(json, "fields"), 0), "value"),
               name, "as a field too");
    json_decref(json);
    record->filename = "<\xc3\xa9&>";
    tap_ok(is_harmless(upool_result_status(record, 0, pool)),
           "the status is plain ASCII");
    tap_ok(is_harmless(upool_result_refusal("<b>&\xe2\x80\xa8", -1, pool)),
           "so is an error");
}

static void test_not_utf8(void)
{
    upool_record *record = record_of(UPOOL_STATE_DONE);
    apr_array_header_t *fields = no_fields();
    const json_t *list;
    json_t *json;

    add_field(fields, "latin", "caf\xe9", 4);
    add_field(fields, "half", "\xe2\x80", 2);
    add_field(fields, "nul", "a\0b", 3);
    add_field(fields, "surrogate", "\xed\xa0\x80", 3);
    json = body(record, fields);
    list = json_object_get(json, "fields");
    tap_is_int(json_array_size(list), 4, "all fields are there");
    tap_is_str(str(json_array_get(list, 0), "value"),
               "Y2Fm6Q==", "what is not UTF-8 comes in base64");
    tap_is_str(str(json_array_get(list, 0), "encoding"), "base64",
               "and says so");
    tap_is_str(str(json_array_get(list, 1), "value"), "4oA=", "half a letter");
    tap_is_int(
        json_string_length(json_object_get(json_array_get(list, 2), "value")),
        3, "NUL is text");
    tap_ok(!json_object_get(json_array_get(list, 2), "encoding"), "as it is");
    tap_is_str(str(json_array_get(list, 3), "encoding"), "base64",
               "a surrogate is not UTF-8");
    json_decref(json);
}

/* An object that lacks a member would be taken for whole. */
static void test_not_whole(void)
{
    upool_record *record = record_of(UPOOL_STATE_DONE);
    upool_file *file = add_file(record, "a.txt");

    tap_ok(upool_result_body(record, no_fields(), "/pool/ID", pool) != NULL,
           "a file");
    file->stored = NULL;
    file->location = "s3://caf\xe9";
    tap_ok(!upool_result_body(record, no_fields(), "/pool/ID", pool),
           "a handler's location that is no UTF-8");
    file->location = "s3://cafe";
    tap_ok(upool_result_body(record, no_fields(), "/pool/ID", pool) != NULL,
           "one that is");
    record->filename = "caf\xe9";
    tap_ok(!upool_result_status(record, 0, pool), "nor is there half a status");
}

static apr_array_header_t *words(const char *text)
{
    apr_array_header_t *list = apr_array_make(pool, 2, sizeof(char *));
    char *last;
    char *word = apr_strtok(apr_pstrdup(pool, text), " ", &last);

    for (; word; word = apr_strtok(NULL, " ", &last)) {
        APR_ARRAY_PUSH(list, const char *) = word;
    }
    return list;
}

static void told(const upool_result_limits *limits, const char *expected,
                 const char *name)
{
    json_t *json = json_loads(
        upool_result_minted("ID", "/u", "/s", limits, pool), 0, NULL);
    char *text = json_dumps(json_object_get(json, "limits"), JSON_SORT_KEYS);

    tap_is_str(text, expected, "%s", name);
    free(text);
    json_decref(json);
}

static void test_limits(void)
{
    upool_result_limits limits = { UPOOL_LIMITS_DEFAULT,
                                   0,
                                   { { NULL, NULL }, { NULL, NULL } } };

    told(&limits, "{}", "limits: none to tell");
    limits.limits.body = 4096;
    limits.limits.file = 2048;
    limits.request = 1024;
    told(&limits,
         "{\"max-file-size\": 2048, \"max-request-size\": 1024, "
         "\"max-size\": 4096}",
         "limits: bytes");
    limits.limits = (upool_limits)UPOOL_LIMITS_DEFAULT;
    limits.request = 0;
    limits.accept.allow[1] = words("png");
    limits.accept.deny[0] = words("php cgi");
    told(&limits, "{\"allow\": [\"png\"], \"deny\": [\"php\", \"cgi\"]}",
         "limits: extensions");
    limits.accept.allow[0] = words("jpg png gif");
    limits.accept.allow[1] = words("gif webp jpg");
    limits.accept.deny[1] = words("cgi sh");
    told(&limits,
         "{\"allow\": [\"jpg\", \"gif\"], "
         "\"deny\": [\"php\", \"cgi\", \"sh\"]}",
         "limits: .htaccess allows less and denies more");
    limits.accept.allow[1] = words("");
    limits.accept.deny[0] = limits.accept.deny[1] = NULL;
    told(&limits, "{\"allow\": []}", "limits: nothing at all is allowed");
}

static void test_others(void)
{
    upool_result_limits limits = { UPOOL_LIMITS_DEFAULT,
                                   0,
                                   { { NULL, NULL }, { NULL, NULL } } };
    json_t *json;

    tap_is_str(upool_result_success(pool), "{\"success\": true}", "success");
    tap_is_str(upool_result_refusal("a \"b\" <c>", -1, pool),
               "{\"state\": \"error\", "
               "\"error\": \"a \\\"b\\\" \\u003cc\\u003e\", "
               "\"detail\": \"a \\\"b\\\" \\u003cc\\u003e\"}",
               "a refusal");
    tap_is_str(upool_result_refusal("no", 0, pool),
               "{\"state\": \"error\", \"error\": \"no\", "
               "\"detail\": \"no\", \"offset\": 0}",
               "with its offset");
    tap_is_str(upool_result_chunk("ID:SIG", 5, 0, 0, pool),
               "{\"upload_id\": \"ID:SIG\", \"offset\": 5}", "a chunk");
    tap_is_str(
        upool_result_chunk("ID", APR_INT64_MAX, apr_time_from_sec(1), 1, pool),
        "{\"upload_id\": \"ID\", \"offset\": 9223372036854775807, "
        "\"expires\": \"1970-01-01T00:00:01Z\", \"success\": true}",
        "one that expires, for Fine Uploader");
    json = json_loads(upool_result_minted("ID:SIG", "/u?a=1&b=2", "/u/status?x",
                                          &limits, pool),
                      0, NULL);
    tap_is_str(str(json, "identifier"), "ID:SIG", "a minted identifier");
    tap_is_str(str(json, "upload_url"), "/u?a=1&b=2", "where to upload");
    tap_is_str(str(json, "status_url"), "/u/status?x", "where to ask");
    json_decref(json);
}

int main(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    test_status();
    test_big_numbers();
    test_body();
    test_handlers();
    test_escapes();
    test_not_utf8();
    test_not_whole();
    test_limits();
    test_others();
    apr_pool_destroy(pool);
    apr_terminate();
    return tap_done();
}
