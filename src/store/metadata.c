/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/metadata.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>
#include <jansson.h>

#include "parse/json.h"
#include "store/layout.h"

#define VERSION 1
#define SAFE_NAME_MAX 255
#define DIGEST_MAX 256
#define FIRST_BUFFER 2048

/* The safe name is what applications build paths from and what goes into
 * Content-Disposition, so it is checked again on the way in and out. */
static int is_safe_name(const char *name)
{
    const char *c;

    if (!name || !name[0] || strcmp(name, ".") == 0
        || strcmp(name, "..") == 0) {
        return 0;
    }
    for (c = name; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f || *c == '/' || *c == '\\') {
            return 0;
        }
    }
    return c - name <= SAFE_NAME_MAX;
}

static int is_digest(const upool_digest *digest)
{
    apr_size_t n;

    if (!upool_layout_is_bucket(digest->algorithm) || !digest->hex) {
        return 0;
    }
    n = strspn(digest->hex, "0123456789abcdef");
    return n > 0 && n <= DIGEST_MAX && !digest->hex[n];
}

static int is_file(const upool_file *file)
{
    int i;

    for (i = 0; i < file->digests->nelts; i++) {
        if (!is_digest(&APR_ARRAY_IDX(file->digests, i, upool_digest))) {
            return 0;
        }
    }
    return file->size >= 0 && is_safe_name(file->safe_filename)
           && (!file->stored || upool_layout_is_data(file->stored));
}

/* Encoding.  What is no text is left out and counted. */

static void write_params(upool_json *json, const apr_table_t *params)
{
    const apr_array_header_t *list = apr_table_elts(params);
    int i;

    upool_json_open(json, "params", '{');
    for (i = 0; i < list->nelts; i++) {
        const apr_table_entry_t *e =
            &APR_ARRAY_IDX(list, i, const apr_table_entry_t);

        upool_json_text(json, e->key, e->val);
    }
    upool_json_close(json, '}');
}

static void write_digests(upool_json *json, const apr_array_header_t *digests)
{
    int i;

    upool_json_open(json, "digests", '{');
    for (i = 0; i < digests->nelts; i++) {
        const upool_digest *d = &APR_ARRAY_IDX(digests, i, upool_digest);

        upool_json_text(json, d->algorithm, d->hex);
    }
    upool_json_close(json, '}');
}

static void write_file(upool_json *json, const upool_file *file)
{
    upool_json_open(json, NULL, '{');
    upool_json_text(json, "field", file->field);
    upool_json_text(json, "filename", file->filename);
    upool_json_text(json, "safe-filename", file->safe_filename);
    upool_json_text_or_null(json, "content-type", file->content_type);
    upool_json_text_or_null(json, "charset", file->charset);
    write_params(json, file->params);
    upool_json_number(json, "size", file->size);
    upool_json_text_or_null(json, "stored", file->stored);
    write_digests(json, file->digests);
    upool_json_close(json, '}');
}

/* The files of an attempt are gone, or not to be relied on. */
static int lists_files(const upool_record *record)
{
    return record->state == UPOOL_STATE_DONE;
}

static void write_files(upool_json *json, const upool_record *record)
{
    int i;

    upool_json_open(json, "files", '[');
    for (i = 0; lists_files(record) && i < record->files->nelts; i++) {
        write_file(json, &APR_ARRAY_IDX(record->files, i, const upool_file));
    }
    upool_json_close(json, ']');
}

static const char *error_of(const upool_record *record)
{
    if (record->state != UPOOL_STATE_ERROR) {
        return NULL;
    }
    return record->error ? record->error : "";
}

static void write_record(upool_json *json, const upool_record *record)
{
    upool_json_open(json, NULL, '{');
    upool_json_number(json, "version", VERSION);
    upool_json_text(json, "identifier", record->identifier);
    upool_json_text(json, "state", upool_state_name(record->state));
    upool_json_text(json, "filename", record->filename);
    upool_json_text(json, "content-type", record->content_type);
    if (record->size < 0) {
        upool_json_null(json, "size");
    }
    else {
        upool_json_number(json, "size", record->size);
    }
    upool_json_number(json, "received", record->received);
    upool_json_text_or_null(json, "error", error_of(record));
    upool_json_text_or_null(json, "owner", record->owner);
    upool_json_number(json, "created", record->created);
    upool_json_number(json, "updated", record->updated);
    write_files(json, record);
    upool_json_close(json, '}');
}

static int is_record(const upool_record *record)
{
    int i;

    for (i = 0; lists_files(record) && i < record->files->nelts; i++) {
        if (!is_file(&APR_ARRAY_IDX(record->files, i, const upool_file))) {
            return 0;
        }
    }
    return upool_layout_is_bucket(record->identifier) && record->received >= 0
           && record->created >= 0 && record->updated >= 0;
}

apr_status_t upool_metadata_encode(char **text, apr_size_t *len,
                                   const upool_record *record)
{
    apr_size_t room = FIRST_BUFFER;
    upool_json json;

    *text = NULL;
    if (!is_record(record)) {
        return APR_EINVAL;
    }
    for (;;) {
        *text = malloc(room);
        if (!*text) {
            return APR_ENOMEM;
        }
        upool_json_begin(&json, *text, room, UPOOL_JSON_COMPACT);
        write_record(&json, record);
        if (!json.bad && json.len <= room) {
            *len = json.len;
            return APR_SUCCESS;
        }
        free(*text);
        *text = NULL;
        if (json.bad || json.len > UPOOL_METADATA_MAX) {
            return json.bad ? APR_EINVAL : EFBIG;
        }
        room = json.len;
    }
}

/* Decoding.  A reader takes the members of one object by name; the first that
 * is not as it should be makes it bad, and a member that nobody took shows in
 * the count. */
typedef struct reader {
    const json_t *object;
    apr_pool_t *p;
    size_t taken;
    int bad;
} reader;

static reader reader_of(const json_t *object, apr_pool_t *p)
{
    reader in = { object, p, 0, !json_is_object(object) };

    return in;
}

static int reader_done(const reader *in)
{
    return !in->bad && in->taken == json_object_size(in->object);
}

static const json_t *take(reader *in, const char *key)
{
    const json_t *value = json_object_get(in->object, key);

    in->taken++;
    in->bad |= !value;
    return value;
}

static const char *take_text(reader *in, const char *key)
{
    const json_t *value = take(in, key);

    if (!json_is_string(value)) {
        in->bad = 1;
        return "";
    }
    return apr_pstrdup(in->p, json_string_value(value));
}

static const char *take_text_or_null(reader *in, const char *key)
{
    if (json_is_null(json_object_get(in->object, key))) {
        in->taken++;
        return NULL;
    }
    return take_text(in, key);
}

/* Counts and times: nothing here is negative. */
static apr_int64_t take_number(reader *in, const char *key)
{
    const json_t *value = take(in, key);
    json_int_t n = json_is_integer(value) ? json_integer_value(value) : -1;

    in->bad |= n < 0;
    return n;
}

static apr_off_t take_size(reader *in, const char *key)
{
    if (json_is_null(json_object_get(in->object, key))) {
        in->taken++;
        return -1;
    }
    return take_number(in, key);
}

static upool_state take_state(reader *in)
{
    const char *name = take_text(in, "state");

    if (strcmp(name, "done") == 0) {
        return UPOOL_STATE_DONE;
    }
    if (strcmp(name, "error") == 0) {
        return UPOOL_STATE_ERROR;
    }
    /* "starting" is the absence of a record, never the content of one. */
    in->bad |= strcmp(name, "uploading") != 0;
    return UPOOL_STATE_UPLOADING;
}

static apr_table_t *take_params(reader *in)
{
    apr_table_t *params = apr_table_make(in->p, 2);
    json_t *object = json_object_get(in->object, "params");
    const char *key;
    json_t *value;

    in->taken++;
    in->bad |= !json_is_object(object);
    json_object_foreach(object, key, value)
    {
        in->bad |= !json_is_string(value);
        if (!in->bad) {
            apr_table_addn(params, apr_pstrdup(in->p, key),
                           apr_pstrdup(in->p, json_string_value(value)));
        }
    }
    return params;
}

static apr_array_header_t *take_digests(reader *in)
{
    apr_array_header_t *list = apr_array_make(in->p, 1, sizeof(upool_digest));
    json_t *object = json_object_get(in->object, "digests");
    const char *key;
    json_t *value;

    in->taken++;
    in->bad |= !json_is_object(object);
    json_object_foreach(object, key, value)
    {
        in->bad |= !json_is_string(value);
        if (!in->bad) {
            upool_digest *d = apr_array_push(list);

            d->algorithm = apr_pstrdup(in->p, key);
            d->hex = apr_pstrdup(in->p, json_string_value(value));
        }
    }
    return list;
}

static int decode_file(upool_file *file, const json_t *object, apr_pool_t *p)
{
    reader in = reader_of(object, p);

    file->field = take_text(&in, "field");
    file->filename = take_text(&in, "filename");
    file->safe_filename = take_text(&in, "safe-filename");
    file->content_type = take_text_or_null(&in, "content-type");
    file->charset = take_text_or_null(&in, "charset");
    file->params = take_params(&in);
    file->size = take_number(&in, "size");
    file->stored = take_text_or_null(&in, "stored");
    file->content = NULL;
    file->location = NULL;
    file->notes = NULL;
    file->sniffed = NULL;
    file->digests = take_digests(&in);
    return reader_done(&in) && is_file(file);
}

/* Two entries for one stored file would be two uploads' worth of bytes out of
 * one: nothing that we have written says so. */
static int decode_files(apr_array_header_t *files, const json_t *list,
                        apr_pool_t *p)
{
    apr_hash_t *seen = apr_hash_make(p);
    size_t i;

    for (i = 0; i < json_array_size(list); i++) {
        upool_file *file = apr_array_push(files);

        if (!decode_file(file, json_array_get(list, i), p)) {
            return 0;
        }
        if (file->stored) {
            if (apr_hash_get(seen, file->stored, APR_HASH_KEY_STRING)) {
                return 0;
            }
            apr_hash_set(seen, file->stored, APR_HASH_KEY_STRING, file);
        }
    }
    return 1;
}

static int decode_record(upool_record *record, const json_t *root,
                         apr_pool_t *p)
{
    reader in = reader_of(root, p);
    const json_t *files;

    in.bad |= take_number(&in, "version") != VERSION;
    in.bad |= strcmp(take_text(&in, "identifier"), record->identifier) != 0;
    record->state = take_state(&in);
    record->filename = take_text(&in, "filename");
    record->content_type = take_text(&in, "content-type");
    record->size = take_size(&in, "size");
    record->received = take_number(&in, "received");
    record->error = take_text_or_null(&in, "error");
    in.bad |= (record->state == UPOOL_STATE_ERROR) != (record->error != NULL);
    record->owner = take_text_or_null(&in, "owner");
    record->created = take_number(&in, "created");
    record->updated = take_number(&in, "updated");
    files = take(&in, "files");
    in.bad |= !json_is_array(files);
    in.bad |= record->state != UPOOL_STATE_DONE && json_array_size(files);
    return reader_done(&in) && decode_files(record->files, files, p);
}

apr_status_t upool_metadata_decode(upool_record **record, const char *text,
                                   apr_size_t len, const char *identifier,
                                   apr_pool_t *p)
{
    upool_record *read;
    json_t *root;
    int good;

    if (len > UPOOL_METADATA_MAX) {
        return APR_EGENERAL;
    }
    /* U+0000 in a string is refused by default: it would end a C string
     * early. */
    root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    if (!root) {
        return APR_EGENERAL;
    }
    read = upool_record_make(p, identifier);
    good = decode_record(read, root, p);
    json_decref(root);
    if (!good) {
        return APR_EGENERAL;
    }
    *record = read;
    return APR_SUCCESS;
}
