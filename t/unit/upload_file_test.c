/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* What is known of a file: the same from the head of a part and of a request,
 * and what handlers make of it. */
#include "upload/file.h"

#include <string.h>

#include <apr_general.h>
#include <tap.h>

static apr_pool_t *pool;

static upool_file from_part(const char *block)
{
    apr_size_t len = strlen(block);
    apr_size_t room = UPOOL_PART_SCRATCH(len);
    upool_part part;

    tap_is_int(
        upool_part_parse(&part, block, len, apr_palloc(pool, room), room), 0,
        "a head");
    return upool_file_of_part(&part, 3, pool);
}

static void is_photo(const upool_file *file, const char *from)
{
    tap_is_str(file->field, "pic", "%s: field", from);
    tap_is_str(file->filename, "B\xef\xbf\xbd.JPG", "%s: filename", from);
    tap_is_str(file->content_type, "image/jpeg", "%s: type", from);
    tap_is_str(file->charset, "a\"b", "%s: charset", from);
    tap_is_int(apr_table_elts(file->params)->nelts, 2, "%s: all params", from);
    tap_is_str(apr_table_get(file->params, "x"), "Y", "%s: one", from);
    tap_is_int(file->size, 0, "%s: no bytes yet", from);
    tap_is_int(file->digests->nelts, 0, "%s: no digests", from);
}

static void test_heads(void)
{
    static const char type[] = "Image/JPEG; charset=\"a\\\"b\"; x=Y";
    upool_file file =
        from_part("Content-Disposition: form-data; name=\"pic\"; "
                  "filename=\"B\xff.JPG\"\r\n"
                  "Content-Type: Image/JPEG; charset=\"a\\\"b\"; x=Y\r\n");

    is_photo(&file, "part");
    tap_is_int(file.written.part, 3, "the fourth part");
    tap_is_str(file.written.type, type, "its own spelling");
    file = upool_file_of_head("pic", "B\xff.JPG", type, pool);
    is_photo(&file, "request");
    tap_is_str(file.written.type, NULL, "a request has no form to spell it");
    upool_file_make_safe(&file, 0, pool);
    tap_is_str(file.safe_filename, "B.JPG", "ASCII alone");
    upool_file_set_name(&file, "\xc3\xa9.txt", pool);
    upool_file_make_safe(&file, 1, pool);
    tap_is_str(file.safe_filename, "\xc3\xa9.txt", "every script");
}

static void test_silence(void)
{
    upool_file file = upool_file_of_head(NULL, NULL, NULL, pool);

    tap_is_str(file.field, NULL, "no field was named");
    tap_is_str(file.filename, "", "no file");
    tap_is_str(file.content_type, NULL, "no type");
    upool_file_make_safe(&file, 0, pool);
    tap_is_str(file.safe_filename, "file", "a safe name all the same");
    upool_file_set_type(&file, "text/plain; a=b", pool);
    upool_file_set_type(&file, "none", pool);
    tap_is_str(file.content_type, NULL, "one that does not parse is none");
    tap_is_int(apr_table_elts(file.params)->nelts, 0, "nor has parameters");
    upool_file_set_type(&file, "text/plain\r\nX-Y: z", pool);
    tap_is_str(file.content_type, NULL, "nor one of two lines");
}

static void test_upload_name(void)
{
    upool_file file = upool_file_of_head(NULL, "a.png", NULL, pool);
    upool_record *record = upool_record_make(pool, "up");

    upool_record_name_by(record, &file);
    tap_is_str(record->filename, "a.png", "an upload goes by its file");
    tap_is_str(record->content_type, "application/octet-stream",
               "a type that was not told is any");
    upool_file_set_type(&file, "image/png", pool);
    upool_record_name_by(record, &file);
    tap_is_str(record->content_type, "image/png", "or the one that was");
}

static void test_handlers(void)
{
    upool_file file = from_part("Content-Disposition: form-data; "
                                "name=\"a%41\"; filename=\"b\\\\c\"\r\n"
                                "Content-Type: Text/Plain\r\n");
    upload_pool_file *seen;
    upload_pool_kept kept = { "0-x.bin", NULL, NULL, 7 };
    const char *filename = file.written.filename;

    upool_file_make_safe(&file, 0, pool);
    seen = upool_file_show(&file, 12, pool);
    tap_is_int(seen->content_length, 12, "what the client says");
    tap_is_str(seen->safe_filename, file.safe_filename, "shown");
    seen->content_type = "text/html";
    seen->digests = apr_table_make(pool, 1);
    apr_table_setn(seen->digests, "crc32", "00000000");
    upool_file_keep(&file, seen, &kept);
    tap_is_str(file.content_type, "text/html", "a handler has changed it");
    tap_is_str(file.written.type, NULL, "the client's spelling is gone");
    tap_is_str(file.written.filename, filename, "that of the rest is not");
    tap_is_str(file.stored, "0-x.bin", "where it is");
    tap_is_int(file.size, 7, "its size");
    tap_is_int(file.digests->nelts, 1, "digests");
    tap_is_str(APR_ARRAY_IDX(file.digests, 0, upool_digest).algorithm, "crc32",
               "of that algorithm");
    tap_ok(file.params != seen->params, "parameters are copied");
}

int main(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    test_heads();
    test_silence();
    test_upload_name();
    test_handlers();
    apr_pool_destroy(pool);
    apr_terminate();
    return tap_done();
}
