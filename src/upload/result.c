/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "upload/result.h"

#include <string.h>
#include <apr_strings.h>

#include "parse/json.h"
#include "parse/names.h"
#include "upload/fields.h"

/* Enough for a file or two. */
#define FIRST_ROOM ((apr_size_t)1024)

/* What an answer is made of, to be written twice where the first buffer turns
 * out too small. */
typedef struct source {
    const upool_record *record;
    const apr_array_header_t *fields;
    const char *bucket;
    apr_time_t expires;
    const char *const *pairs; /* names and values, up to NULL */
    apr_pool_t *p;
} source;

typedef void write_fn(upool_json *json, const source *from);

/* NULL: longer than memory; or a member (a handler's text) that is no UTF-8,
 * which must not silently be missing. */
static const char *to_text(write_fn *write, const source *from)
{
    apr_size_t room = FIRST_ROOM;
    upool_json json;
    char *text;

    for (;;) {
        text = apr_palloc(from->p, room + 1);
        upool_json_begin(&json, text, room, UPOOL_JSON_SHOWN);
        upool_json_open(&json, NULL, '{');
        write(&json, from);
        upool_json_close(&json, '}');
        if (json.bad || json.len == (apr_size_t)-1) {
            return NULL;
        }
        if (json.len <= room) {
            text[json.len] = '\0';
            return text;
        }
        room = json.len;
    }
}

static int is_text(const char *text)
{
    return upool_names_is_utf8(text, strlen(text));
}

/* What a handler notes is left out where it is no text. */
static void write_table(upool_json *json, const char *key,
                        const apr_table_t *table)
{
    const apr_array_header_t *array = apr_table_elts(table);
    const apr_table_entry_t *entry = (const apr_table_entry_t *)array->elts;
    int i;

    upool_json_open(json, key, '{');
    for (i = 0; i < array->nelts; i++) {
        if (is_text(entry[i].key) && is_text(entry[i].val)) {
            upool_json_text(json, entry[i].key, entry[i].val);
        }
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

static void write_place(upool_json *json, const upool_file *file,
                        const source *from)
{
    if (file->stored) {
        upool_json_text(
            json, "path",
            apr_pstrcat(from->p, from->bucket, "/", file->stored, NULL));
    }
    else if (file->content) {
        upool_json_base64(json, "content", file->content,
                          (apr_size_t)file->size);
    }
    else {
        upool_json_text(json, "location", file->location);
    }
}

static void write_file(upool_json *json, const upool_file *file,
                       const source *from)
{
    upool_json_open(json, NULL, '{');
    upool_json_text(json, "field", file->field);
    upool_json_text(json, "filename", file->filename);
    upool_json_text(json, "safe-filename", file->safe_filename);
    upool_json_text_or_null(json, "content-type", file->content_type);
    if (file->sniffed) {
        upool_json_text(json, "sniffed-content-type", file->sniffed);
    }
    upool_json_text_or_null(json, "charset", file->charset);
    write_table(json, "params", file->params);
    upool_json_number(json, "size", file->size);
    write_place(json, file, from);
    if (file->notes && !apr_is_empty_table(file->notes)) {
        write_table(json, "notes", file->notes);
    }
    write_digests(json, file->digests);
    upool_json_close(json, '}');
}

/* A value that is not text is kept whole all the same (contract 3). */
static void write_field(upool_json *json, const upool_field *field)
{
    upool_json_open(json, NULL, '{');
    upool_json_text(json, "name", field->name);
    if (upool_names_is_utf8(field->value, field->len)) {
        upool_json_bytes(json, "value", field->value, field->len);
    }
    else {
        upool_json_base64(json, "value", field->value, field->len);
        upool_json_text(json, "encoding", "base64");
    }
    upool_json_close(json, '}');
}

static void write_summary(upool_json *json, const upool_record *record)
{
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
}

static void write_body(upool_json *json, const source *from)
{
    const apr_array_header_t *files = from->record->files;
    const apr_array_header_t *fields = from->fields;
    int i;

    write_summary(json, from->record);
    upool_json_open(json, "files", '[');
    for (i = 0; i < files->nelts; i++) {
        write_file(json, &APR_ARRAY_IDX(files, i, upool_file), from);
    }
    upool_json_close(json, ']');
    upool_json_open(json, "fields", '[');
    for (i = 0; i < fields->nelts; i++) {
        write_field(json, &APR_ARRAY_IDX(fields, i, upool_field));
    }
    upool_json_close(json, ']');
}

const char *upool_result_body(const upool_record *record,
                              const apr_array_header_t *fields,
                              const char *bucket, apr_pool_t *p)
{
    source from = { record, fields, bucket, 0, NULL, p };

    return to_text(write_body, &from);
}

/* RFC 3339 in UTC, whole seconds. */
static const char *rfc3339(apr_time_t when, apr_pool_t *p)
{
    apr_time_exp_t t;

    apr_time_exp_gmt(&t, when);
    return apr_psprintf(p, "%04d-%02d-%02dT%02d:%02d:%02dZ", t.tm_year + 1900,
                        t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec);
}

static void write_status(upool_json *json, const source *from)
{
    const upool_record *record = from->record;

    if (!record || record->state == UPOOL_STATE_STARTING) {
        upool_json_text(json, "state", "starting");
        return;
    }
    write_summary(json, record);
    if (record->state == UPOOL_STATE_ERROR) {
        upool_json_text(json, "error", record->error ? record->error : "");
    }
    if (from->expires) {
        upool_json_text(json, "expires", rfc3339(from->expires, from->p));
    }
}

const char *upool_result_status(const upool_record *record, apr_time_t expires,
                                apr_pool_t *p)
{
    source from = { record, NULL, NULL, expires, NULL, p };

    return to_text(write_status, &from);
}

static void write_pairs(upool_json *json, const source *from)
{
    const char *const *pair;

    for (pair = from->pairs; *pair; pair += 2) {
        upool_json_text(json, pair[0], pair[1]);
    }
}

static const char *pairs_to_text(const char *const *pairs, apr_pool_t *p)
{
    source from = { NULL, NULL, NULL, 0, NULL, NULL };

    from.pairs = pairs;
    from.p = p;
    return to_text(write_pairs, &from);
}

const char *upool_result_error(const char *text, apr_pool_t *p)
{
    const char *pairs[] = { "state", "error", "error", text, NULL };

    return pairs_to_text(pairs, p);
}

const char *upool_result_success(apr_pool_t *p)
{
    return apr_pstrdup(p, "{\"success\": true}");
}

const char *upool_result_minted(const char *identifier, const char *upload_url,
                                const char *status_url, apr_pool_t *p)
{
    const char *pairs[] = { "identifier", identifier, "upload_url", upload_url,
                            "status_url", status_url, NULL };

    return pairs_to_text(pairs, p);
}
