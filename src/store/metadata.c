/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/metadata.h"

#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "store/layout.h"
#include "store/members.h"

#define VERSION 1

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

        bad |= json_array_append_new(list, upool_members_file(file));
    }
    if (bad) {
        json_decref(list);
        return NULL;
    }
    return list;
}

static json_t *encode_empty(const upool_record *record)
{
    json_t *list = json_array();
    int bad = 0;
    int i;

    for (i = 0; i < record->empty->nelts; i++) {
        const upool_empty *empty =
            &APR_ARRAY_IDX(record->empty, i, const upool_empty);

        bad |= json_array_append_new(list, json_string(empty->field));
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

    bad |= json_object_set_new(o, "version", upool_members_number(VERSION));
    bad |=
        json_object_set_new(o, "identifier", json_string(record->identifier));
    bad |= json_object_set_new(o, "state",
                               json_string(upool_state_name(record->state)));
    bad |= json_object_set_new(o, "filename", json_string(record->filename));
    bad |= json_object_set_new(o, "content-type",
                               json_string(record->content_type));
    bad |= json_object_set_new(
        o, "size",
        record->size < 0 ? json_null() : upool_members_number(record->size));
    bad |= json_object_set_new(o, "received",
                               upool_members_number(record->received));
    bad |= json_object_set_new(o, "error", encode_error(record));
    bad |= json_object_set_new(o, "owner",
                               upool_members_text_or_null(record->owner));
    bad |= json_object_set_new(o, "created",
                               upool_members_number(record->created));
    bad |= json_object_set_new(o, "updated",
                               upool_members_number(record->updated));
    bad |= json_object_set_new(o, "files", encode_files(record));
    if (record->empty && record->state == UPOOL_STATE_DONE) {
        bad |= json_object_set_new(o, "empty", encode_empty(record));
    }
    if (bad || record->created < 0 || record->updated < 0) {
        json_decref(o);
        return NULL;
    }
    return o;
}

apr_status_t upool_metadata_encode(char **text, apr_size_t *len,
                                   const upool_record *record)
{
    return upool_members_dump(text, len, encode_record(record));
}

static upool_state take_state(upool_reader *in)
{
    const char *name = upool_reader_text(in, "state");

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

/* Two entries for one stored file would count its bytes twice; we never write
 * that. */
static int decode_files(apr_array_header_t *files, const json_t *list,
                        apr_pool_t *p)
{
    apr_hash_t *seen = apr_hash_make(p);
    size_t i;

    for (i = 0; i < json_array_size(list); i++) {
        upool_file *file = apr_array_push(files);

        if (!upool_reader_file(file, json_array_get(list, i), p)) {
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

/* It is missing in records of forms without empty inputs, and in those of
 * earlier versions. */
static void decode_empty(upool_record *record, upool_reader *in)
{
    const json_t *list = json_object_get(in->object, "empty");
    size_t i;

    if (!list) {
        return;
    }
    in->taken++;
    in->bad |= !json_array_size(list) || record->state != UPOOL_STATE_DONE;
    record->empty = apr_array_make(in->p, 2, sizeof(upool_empty));
    for (i = 0; i < json_array_size(list); i++) {
        const json_t *name = json_array_get(list, i);
        upool_empty *empty = apr_array_push(record->empty);

        memset(empty, 0, sizeof(*empty));
        in->bad |= !json_is_string(name);
        empty->field = json_is_string(name)
                           ? apr_pstrdup(in->p, json_string_value(name))
                           : "";
    }
}

static int decode_record(upool_record *record, const json_t *root,
                         apr_pool_t *p)
{
    upool_reader in = upool_reader_of(root, p);
    const json_t *files;

    in.bad |= upool_reader_number(&in, "version") != VERSION;
    in.bad |=
        strcmp(upool_reader_text(&in, "identifier"), record->identifier) != 0;
    record->state = take_state(&in);
    record->filename = upool_reader_text(&in, "filename");
    record->content_type = upool_reader_text(&in, "content-type");
    record->size = upool_reader_size(&in, "size");
    record->received = upool_reader_number(&in, "received");
    record->error = upool_reader_text_or_null(&in, "error");
    in.bad |= (record->state == UPOOL_STATE_ERROR) != (record->error != NULL);
    record->owner = upool_reader_text_or_null(&in, "owner");
    record->created = upool_reader_number(&in, "created");
    record->updated = upool_reader_number(&in, "updated");
    files = upool_reader_take(&in, "files");
    in.bad |= !json_is_array(files);
    in.bad |= record->state != UPOOL_STATE_DONE && json_array_size(files);
    decode_empty(record, &in);
    return upool_reader_done(&in) && decode_files(record->files, files, p);
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
