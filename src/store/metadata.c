/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/metadata.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>
#include <jansson.h>

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

/* Encoding.  A string that is not UTF-8 makes jansson return NULL, and setting
 * a member to NULL fails: every error ends up in the sum of the results. */

static json_t *text_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

static json_t *number(apr_int64_t n)
{
    return json_integer((json_int_t)n);
}

static json_t *encode_params(const apr_table_t *params)
{
    const apr_array_header_t *list = apr_table_elts(params);
    json_t *object = json_object();
    int bad = 0;
    int i;

    for (i = 0; i < list->nelts; i++) {
        const apr_table_entry_t *e =
            &APR_ARRAY_IDX(list, i, const apr_table_entry_t);

        bad |= json_object_set_new(object, e->key, json_string(e->val));
    }
    if (bad) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static json_t *encode_digests(const apr_array_header_t *digests)
{
    json_t *object = json_object();
    int bad = 0;
    int i;

    for (i = 0; i < digests->nelts; i++) {
        const upool_digest *d = &APR_ARRAY_IDX(digests, i, const upool_digest);

        bad |= json_object_set_new(object, d->algorithm, json_string(d->hex));
    }
    if (bad) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static json_t *encode_file(const upool_file *file)
{
    json_t *o = json_object();
    int bad = !is_file(file);

    bad |= json_object_set_new(o, "field", json_string(file->field));
    bad |= json_object_set_new(o, "filename", json_string(file->filename));
    bad |= json_object_set_new(o, "safe-filename",
                               json_string(file->safe_filename));
    bad |= json_object_set_new(o, "content-type",
                               text_or_null(file->content_type));
    bad |= json_object_set_new(o, "charset", text_or_null(file->charset));
    bad |= json_object_set_new(o, "params", encode_params(file->params));
    bad |= json_object_set_new(o, "size", number(file->size));
    bad |= json_object_set_new(o, "stored", text_or_null(file->stored));
    bad |= json_object_set_new(o, "digests", encode_digests(file->digests));
    if (bad) {
        json_decref(o);
        return NULL;
    }
    return o;
}

static json_t *encode_files(const upool_record *record)
{
    json_t *list = json_array();
    int bad = 0;
    int i;

    /* The files of an attempt are gone, or not to be relied on. */
    if (record->state != UPOOL_STATE_DONE) {
        return list;
    }
    for (i = 0; i < record->files->nelts; i++) {
        const upool_file *file =
            &APR_ARRAY_IDX(record->files, i, const upool_file);

        bad |= json_array_append_new(list, encode_file(file));
    }
    if (bad) {
        json_decref(list);
        return NULL;
    }
    return list;
}

static json_t *encode_error(const upool_record *record)
{
    if (record->state != UPOOL_STATE_ERROR) {
        return json_null();
    }
    return json_string(record->error ? record->error : "");
}

static json_t *encode_record(const upool_record *record)
{
    json_t *o = json_object();
    int bad =
        !upool_layout_is_bucket(record->identifier) || record->received < 0;

    bad |= json_object_set_new(o, "version", number(VERSION));
    bad |=
        json_object_set_new(o, "identifier", json_string(record->identifier));
    bad |= json_object_set_new(o, "state",
                               json_string(upool_state_name(record->state)));
    bad |= json_object_set_new(o, "filename", json_string(record->filename));
    bad |= json_object_set_new(o, "content-type",
                               json_string(record->content_type));
    bad |= json_object_set_new(
        o, "size", record->size < 0 ? json_null() : number(record->size));
    bad |= json_object_set_new(o, "received", number(record->received));
    bad |= json_object_set_new(o, "error", encode_error(record));
    bad |= json_object_set_new(o, "owner", text_or_null(record->owner));
    bad |= json_object_set_new(o, "created", number(record->created));
    bad |= json_object_set_new(o, "updated", number(record->updated));
    bad |= json_object_set_new(o, "files", encode_files(record));
    if (bad || record->created < 0 || record->updated < 0) {
        json_decref(o);
        return NULL;
    }
    return o;
}

/* Makes *text larger until root fits. */
static apr_status_t dump(char **text, apr_size_t *len, const json_t *root)
{
    apr_size_t room = FIRST_BUFFER;

    for (;;) {
        *text = malloc(room);
        if (!*text) {
            return APR_ENOMEM;
        }
        *len = json_dumpb(root, *text, room, JSON_COMPACT);
        if (*len && *len <= room) {
            return APR_SUCCESS;
        }
        free(*text);
        *text = NULL;
        if (!*len || *len > UPOOL_METADATA_MAX) {
            return *len ? EFBIG : APR_ENOMEM;
        }
        room = *len;
    }
}

apr_status_t upool_metadata_encode(char **text, apr_size_t *len,
                                   const upool_record *record)
{
    json_t *root = encode_record(record);
    apr_status_t rv;

    *text = NULL;
    if (!root) {
        return APR_EINVAL;
    }
    rv = dump(text, len, root);
    json_decref(root);
    return rv;
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
