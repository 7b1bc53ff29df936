/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "upload/formbody.h"

#include <string.h>
#include <apr_strings.h>

#include "upload/fields.h"
#include "upload/written.h"

#define BOUNDARY_PREFIX "----UploadPool"

/* A body being made. */
typedef struct writer {
    upool_formbody *body;
    const upool_record *record;
    const upool_formbody_options *options;
    apr_pool_t *p;
    const char *detail;
    int parts;
} writer;

static void put(writer *w, const char *text, apr_size_t len)
{
    upool_formbody_piece *piece;

    if (len) {
        piece = apr_array_push(w->body->pieces);
        piece->file = NULL;
        piece->text = text;
        piece->len = len;
        w->body->length += (apr_off_t)len;
    }
}

static void put_file(writer *w, const upool_file *file)
{
    upool_formbody_piece *piece;

    if (file->size && file->stored) {
        piece = apr_array_push(w->body->pieces);
        piece->file = file;
        piece->text = NULL;
        piece->len = 0;
        w->body->length += file->size;
    }
    else {
        put(w, file->content, (apr_size_t)file->size);
    }
}

/* The head of a part, with the end of the one before it.  filename NULL: a
 * field; type NULL: it has none. */
static void put_head(writer *w, const char *name, const char *filename,
                     const char *type)
{
    const char *head =
        apr_pstrcat(w->p, w->parts++ ? "\r\n--" : "--", w->body->boundary,
                    "\r\nContent-Disposition: form-data; name=\"", name,
                    filename ? "\"; filename=\"" : "", filename ? filename : "",
                    "\"\r\n", type ? "Content-Type: " : "", type ? type : "",
                    type ? "\r\n" : "", "\r\n", NULL);

    put(w, head, strlen(head));
}

static const char *name_of(const writer *w, const char *written,
                           const char *name)
{
    return written ? written : upool_written_name(name, w->p);
}

static void write_field(writer *w, const upool_field *field)
{
    const upool_written *written = &field->written;

    if (!w->options->facts) {
        put_head(w, name_of(w, written->name, field->name), NULL,
                 written->type);
    }
    else if (upool_facts_is_forged(field->name, w->options->facts)) {
        return;
    }
    else {
        put_head(w, upool_written_name(field->name, w->p), NULL, NULL);
    }
    put(w, field->value, field->len);
}

static void write_empty(writer *w, const upool_empty *empty)
{
    const upool_written *written = &empty->written;

    if (!w->options->facts) {
        put_head(w, name_of(w, written->name, empty->field), "", written->type);
    }
}

/* A file without bytes may be anywhere. */
static int has_bytes(const upool_file *file)
{
    return file->stored || file->content;
}

static upool_reason write_file(writer *w, const upool_file *file)
{
    const upool_written *written = &file->written;

    if (!has_bytes(file)) {
        w->detail = apr_psprintf(
            w->p,
            "an upload handler keeps the file of field \"%s\" elsewhere;"
            " UploadPassAs form has no bytes of it",
            file->field);
        return UPOOL_REASON_CONFIGURATION;
    }
    put_head(w, name_of(w, written->name, file->field),
             name_of(w, written->filename,
                     *file->filename ? file->filename : file->safe_filename),
             written->type
                 ? written->type
                 : upool_written_type(file->content_type, file->params, w->p));
    put_file(w, file);
    return UPOOL_REASON_NONE;
}

static void write_facts(writer *w, const upool_file *file, int number)
{
    const apr_array_header_t *pairs = w->options->facts;
    upool_facts_of of;
    apr_size_t len;
    int i;

    of.file = file;
    of.number = number;
    of.identifier = w->record->identifier;
    of.bucket = w->options->bucket;
    if (!pairs->nelts) {
        pairs = upool_facts_default(file, w->p);
    }
    for (i = 0; i < pairs->nelts; i++) {
        const upool_facts_pair *pair =
            &APR_ARRAY_IDX(pairs, i, upool_facts_pair);
        const char *text = upool_facts_text(pair->name, &of, &len, w->p);

        put_head(w, upool_written_name(text, w->p), NULL, NULL);
        text = upool_facts_text(pair->value, &of, &len, w->p);
        put(w, text, len);
    }
}

/* --- In order ------------------------------------------------------------- */

/* The part number at an index of a list; behind its end there is none. */
#define PART_AT(list, n, type) \
    ((list) && (n) < (list)->nelts ? APR_ARRAY_IDX(list, n, type).written.part \
                                   : APR_INT32_MAX)

static upool_reason write_parts(writer *w, const apr_array_header_t *fields)
{
    const apr_array_header_t *files = w->record->files;
    const apr_array_header_t *empty = w->record->empty;
    int left = fields->nelts + files->nelts + (empty ? empty->nelts : 0);
    upool_reason reason = UPOOL_REASON_NONE;
    int a = 0, b = 0, c = 0;

    for (; left && !reason; left--) {
        int field = PART_AT(fields, a, upool_field);
        int gap = PART_AT(empty, b, upool_empty);
        int file = PART_AT(files, c, upool_file);

        if (a < fields->nelts && field <= gap && field <= file) {
            write_field(w, &APR_ARRAY_IDX(fields, a++, upool_field));
        }
        else if (gap <= file && empty && b < empty->nelts) {
            write_empty(w, &APR_ARRAY_IDX(empty, b++, upool_empty));
        }
        else if (w->options->facts) {
            write_facts(w, &APR_ARRAY_IDX(files, c, upool_file), c);
            c++;
        }
        else {
            reason = write_file(w, &APR_ARRAY_IDX(files, c++, upool_file));
        }
    }
    return reason;
}

upool_reason upool_formbody_make(upool_formbody *body,
                                 const upool_record *record,
                                 const apr_array_header_t *fields,
                                 const upool_formbody_options *options,
                                 const char **detail, apr_pool_t *p)
{
    writer w = { body, record, options, p, NULL, 0 };
    upool_reason reason;
    const char *tail;

    body->pieces = apr_array_make(p, 2 * (fields->nelts + 1),
                                  sizeof(upool_formbody_piece));
    body->length = 0;
    body->boundary = apr_pstrcat(p, BOUNDARY_PREFIX, options->random, NULL);
    reason = write_parts(&w, fields);
    *detail = w.detail;
    tail = apr_pstrcat(p, w.parts ? "\r\n--" : "--", body->boundary, "--\r\n",
                       NULL);
    put(&w, tail, strlen(tail));
    return reason;
}
