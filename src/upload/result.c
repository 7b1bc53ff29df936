/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "upload/result.h"

#include <stdlib.h>
#include <string.h>
#include <apr_base64.h>
#include <apr_cstr.h>
#include <apr_escape.h>
#include <apr_strings.h>
#include <jansson.h>

#include "parse/names.h"
#include "upload/fields.h"

/* Bytes of an answer with one file. */
#define FIRST_ROOM 1024

/* How much longer the text becomes. */
static apr_size_t markup_room(const char *text, apr_size_t len)
{
    apr_size_t extra = 0;
    apr_size_t i;

    for (i = 0; i < len; i++) {
        extra += text[i] == '<' || text[i] == '>' || text[i] == '&' ? 5 : 0;
    }
    return extra;
}

/* jansson escapes what is not ASCII; < > & can stand in strings only, so they
 * can be replaced in the finished text. */
static const char *escape_markup(char *text, apr_size_t len, apr_pool_t *p)
{
    apr_size_t extra = markup_room(text, len);
    const char *in;
    char *out;
    char *result;

    text[len] = '\0';
    if (!extra) {
        return text;
    }
    result = apr_palloc(p, len + extra + 1);
    for (in = text, out = result; *in; in++) {
        if (*in == '<' || *in == '>' || *in == '&') {
            memcpy(out, "\\u00", 4);
            apr_escape_hex(out + 4, in, 1, 0, NULL);
            out += 6;
        }
        else {
            *out++ = *in;
        }
    }
    *out = '\0';
    return result;
}

/* Takes the reference.  A buffer that is large enough for most saves jansson a
 * growing one, and us a copy; if it is too small, jansson has told the size. */
static const char *to_text(json_t *json, apr_pool_t *p)
{
    apr_size_t room = FIRST_ROOM;
    char *text = apr_palloc(p, room);
    apr_size_t len =
        json ? json_dumpb(json, text, room - 1, JSON_ENSURE_ASCII) : 0;

    if (len >= room) {
        room = len + 1;
        text = apr_palloc(p, room);
        len = json_dumpb(json, text, len, JSON_ENSURE_ASCII);
    }
    json_decref(json);
    return len ? escape_markup(text, len, p) : NULL;
}

/* A member that could not be made (no memory, or a handler's text that is not
 * UTF-8) must not be left out silently: the whole object is NULL then.  Takes
 * the reference. */
static json_t *whole(json_t *json, int bad)
{
    if (bad) {
        json_decref(json);
        return NULL;
    }
    return json;
}

/* NULL in C is null in JSON. */
static json_t *string_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

static json_t *base64(const char *data, apr_size_t len)
{
    /* apr_base64 counts in int; callers keep len below the sum of fields. */
    int room = apr_base64_encode_len((int)len);
    char *text = malloc((apr_size_t)room);
    json_t *json = NULL;

    if (text) {
        apr_base64_encode_binary(text, (const unsigned char *)data, (int)len);
        json = json_string(text);
        free(text);
    }
    return json;
}

static int is_text(const char *text)
{
    return upool_names_is_utf8(text, strlen(text));
}

/* A handler's note is left out where it is not text. */
static json_t *table_object(const apr_table_t *table)
{
    const apr_array_header_t *array = apr_table_elts(table);
    const apr_table_entry_t *entry = (const apr_table_entry_t *)array->elts;
    json_t *object = json_object();
    int bad = 0;
    int i;

    for (i = 0; i < array->nelts; i++) {
        if (is_text(entry[i].key) && is_text(entry[i].val)) {
            bad |= json_object_set_new(object, entry[i].key,
                                       json_string(entry[i].val));
        }
    }
    return whole(object, bad);
}

static json_t *digests_object(const apr_array_header_t *digests)
{
    json_t *object = json_object();
    int bad = 0;
    int i;

    for (i = 0; i < digests->nelts; i++) {
        const upool_digest *d = &APR_ARRAY_IDX(digests, i, upool_digest);

        bad |= json_object_set_new(object, d->algorithm, json_string(d->hex));
    }
    return whole(object, bad);
}

static json_t *file_object(const upool_file *file, const char *bucket,
                           apr_pool_t *p)
{
    json_t *object = json_object();
    int bad = 0;

    bad |= json_object_set_new(object, "field", json_string(file->field));
    bad |= json_object_set_new(object, "filename", json_string(file->filename));
    bad |= json_object_set_new(object, "safe-filename",
                               json_string(file->safe_filename));
    bad |= json_object_set_new(object, "content-type",
                               string_or_null(file->content_type));
    if (file->sniffed) {
        bad |= json_object_set_new(object, "sniffed-content-type",
                                   json_string(file->sniffed));
    }
    bad |=
        json_object_set_new(object, "charset", string_or_null(file->charset));
    bad |= json_object_set_new(object, "params", table_object(file->params));
    bad |= json_object_set_new(object, "size", json_integer(file->size));
    if (file->stored) {
        bad |= json_object_set_new(
            object, "path",
            json_string(apr_pstrcat(p, bucket, "/", file->stored, NULL)));
    }
    else if (file->content) {
        bad |= json_object_set_new(
            object, "content", base64(file->content, (apr_size_t)file->size));
    }
    else {
        bad |= json_object_set_new(object, "location",
                                   json_string(file->location));
    }
    if (file->notes && !apr_is_empty_table(file->notes)) {
        bad |= json_object_set_new(object, "notes", table_object(file->notes));
    }
    bad |=
        json_object_set_new(object, "digests", digests_object(file->digests));
    return whole(object, bad);
}

/* A value that is not text is kept whole all the same (contract 3). */
static json_t *field_object(const upool_field *field)
{
    json_t *object = json_object();
    int bad = 0;

    bad |= json_object_set_new(object, "name", json_string(field->name));
    if (upool_names_is_utf8(field->value, field->len)) {
        bad |= json_object_set_new(object, "value",
                                   json_stringn(field->value, field->len));
    }
    else {
        bad |= json_object_set_new(object, "value",
                                   base64(field->value, field->len));
        bad |= json_object_set_new(object, "encoding", json_string("base64"));
    }
    return whole(object, bad);
}

static int add_summary(json_t *object, const upool_record *record)
{
    int bad = 0;

    bad |= json_object_set_new_nocheck(object, "identifier",
                                       json_string(record->identifier));
    bad |= json_object_set_new_nocheck(
        object, "state", json_string(upool_state_name(record->state)));
    bad |= json_object_set_new_nocheck(object, "filename",
                                       json_string(record->filename));
    bad |= json_object_set_new_nocheck(object, "content-type",
                                       json_string(record->content_type));
    bad |= json_object_set_new_nocheck(
        object, "size",
        record->size < 0 ? json_null() : json_integer(record->size));
    bad |= json_object_set_new_nocheck(object, "received",
                                       json_integer(record->received));
    return bad;
}

static json_t *empty_array(const apr_array_header_t *empty)
{
    json_t *list = json_array();
    int bad = 0;
    int i;

    for (i = 0; i < empty->nelts; i++) {
        const upool_empty *one = &APR_ARRAY_IDX(empty, i, upool_empty);

        bad |= json_array_append_new(list, json_string(one->field));
    }
    return whole(list, bad);
}

const char *upool_result_body(const upool_record *record,
                              const apr_array_header_t *fields,
                              const char *bucket, apr_pool_t *p)
{
    json_t *object = json_object();
    int bad = 0;
    json_t *list = json_array();
    int i;

    bad |= add_summary(object, record);
    for (i = 0; i < record->files->nelts; i++) {
        bad |= json_array_append_new(
            list, file_object(&APR_ARRAY_IDX(record->files, i, upool_file),
                              bucket, p));
    }
    bad |= json_object_set_new_nocheck(object, "files", list);
    list = json_array();
    for (i = 0; i < fields->nelts; i++) {
        bad |= json_array_append_new(
            list, field_object(&APR_ARRAY_IDX(fields, i, upool_field)));
    }
    bad |= json_object_set_new_nocheck(object, "fields", list);
    if (record->empty) {
        bad |= json_object_set_new_nocheck(object, "empty",
                                           empty_array(record->empty));
    }
    return to_text(whole(object, bad), p);
}

/* RFC 3339 in UTC, whole seconds. */
static const char *rfc3339(apr_time_t when, apr_pool_t *p)
{
    apr_time_exp_t t;

    apr_time_exp_gmt(&t, when);
    return apr_psprintf(p, "%04d-%02d-%02dT%02d:%02d:%02dZ", t.tm_year + 1900,
                        t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec);
}

const char *upool_result_status(const upool_record *record, apr_time_t expires,
                                apr_pool_t *p)
{
    json_t *object = json_object();
    int bad = 0;

    if (!record || record->state == UPOOL_STATE_STARTING) {
        bad |= json_object_set_new_nocheck(object, "state",
                                           json_string("starting"));
        return to_text(whole(object, bad), p);
    }
    bad |= add_summary(object, record);
    if (record->state == UPOOL_STATE_ERROR) {
        bad |= json_object_set_new(
            object, "error", json_string(record->error ? record->error : ""));
    }
    if (expires) {
        bad |= json_object_set_new_nocheck(object, "expires",
                                           json_string(rfc3339(expires, p)));
    }
    return to_text(whole(object, bad), p);
}

const char *upool_result_chunk(const char *identifier, apr_off_t offset,
                               apr_time_t expires, int success, apr_pool_t *p)
{
    json_t *object = json_object();
    int bad = 0;

    bad |= json_object_set_new(object, "upload_id", json_string(identifier));
    bad |= json_object_set_new(object, "offset", json_integer(offset));
    if (expires) {
        bad |= json_object_set_new(object, "expires",
                                   json_string(rfc3339(expires, p)));
    }
    if (success) {
        bad |= json_object_set_new(object, "success", json_true());
    }
    return to_text(whole(object, bad), p);
}

const char *upool_result_refusal(const char *text, apr_off_t offset,
                                 apr_pool_t *p)
{
    json_t *object = json_pack("{s:s, s:s, s:s}", "state", "error", "error",
                               text, "detail", text);
    int bad = object == NULL;

    if (offset >= 0) {
        bad |= json_object_set_new(object, "offset", json_integer(offset));
    }
    return to_text(whole(object, bad), p);
}

const char *upool_result_success(apr_pool_t *p)
{
    return to_text(json_pack("{s:b}", "success", 1), p);
}

static void add_bytes(json_t *object, const char *name, apr_int64_t bytes)
{
    if (bytes > 0 && bytes != UPOOL_UNLIMITED) {
        json_object_set_new(object, name, json_integer((json_int_t)bytes));
    }
}

/* The words of one list that are, or are not, in the other as well. */
static void add_words(json_t *words, const apr_array_header_t *list,
                      const apr_array_header_t *other, int wanted)
{
    int i;

    for (i = 0; list && i < list->nelts; i++) {
        const char *word = APR_ARRAY_IDX(list, i, const char *);

        if (!other || !apr_cstr_match_list(word, other) == !wanted) {
            json_array_append_new(words, json_string(word));
        }
    }
}

/* An allowed extension must be in both allow lists; one deny list is enough to
 * deny it. */
static void add_extensions(json_t *object, const upool_extension_lists *accept)
{
    const apr_array_header_t *const *allow = accept->allow;
    const apr_array_header_t *const *deny = accept->deny;
    json_t *words = json_array();

    if (allow[0] || allow[1]) {
        add_words(words, allow[0] ? allow[0] : allow[1],
                  allow[0] ? allow[1] : NULL, 1);
        json_object_set(object, "allow", words);
    }
    json_decref(words);
    words = json_array();
    if (deny[0] || deny[1]) {
        add_words(words, deny[0], NULL, 1);
        add_words(words, deny[1], deny[0], 0);
        json_object_set(object, "deny", words);
    }
    json_decref(words);
}

static json_t *told_before(const upool_result_limits *limits)
{
    json_t *object = json_object();

    add_bytes(object, "max-size", limits->limits.body);
    add_bytes(object, "max-file-size", limits->limits.file);
    add_bytes(object, "max-request-size", limits->request);
    add_extensions(object, &limits->accept);
    return object;
}

const char *upool_result_minted(const char *identifier, const char *upload_url,
                                const char *status_url,
                                const upool_result_limits *limits,
                                apr_pool_t *p)
{
    return to_text(json_pack("{s:s, s:s, s:s, s:o}", "identifier", identifier,
                             "upload_url", upload_url, "status_url", status_url,
                             "limits", told_before(limits)),
                   p);
}
