/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Any form, handed on as a form (UploadPassAs form): who reads it finds as many
 * parts as the client sent, each a field or a file as it was, with its bytes,
 * and with its name but for what browsers leave open.  Nothing that stood in a
 * name, a type or a value has become a header or a part.
 *
 * Input: the body of a form with the boundary "b". */
#include "upload/formbody.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <apr_general.h>
#include <apr_strings.h>

#include "upload/fields.h"
#include "upload/parts.h"
#include "upload/written.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct item {
    upool_written written;
    const char *name;
    const char *filename; /* NULL: a field */
    const char *type;
    apr_table_t *params;
    char *bytes;
    apr_size_t len;
} item;

typedef struct form {
    apr_array_header_t *items;
    apr_pool_t *p;
} form;

static void must(int cond)
{
    if (!cond) {
        abort();
    }
}

static int on_begin(void *user, const upool_part *part)
{
    form *f = user;
    int number = f->items->nelts;
    item *it = apr_array_push(f->items);
    size_t i;

    it->written = upool_written_of(part, number, f->p);
    it->name = apr_pstrdup(f->p, part->name);
    it->filename = apr_pstrdup(f->p, part->filename);
    it->type = apr_pstrdup(f->p, part->content_type);
    it->params = apr_table_make(f->p, 2);
    for (i = 0; i < part->nparams; i++) {
        apr_table_set(it->params, part->params[i].name, part->params[i].value);
    }
    it->bytes = apr_pstrdup(f->p, "");
    return 0;
}

static int on_data(void *user, const char *data, apr_size_t len)
{
    form *f = user;
    item *it = &APR_ARRAY_IDX(f->items, f->items->nelts - 1, item);
    char *bytes = apr_palloc(f->p, it->len + len + 1);

    memcpy(bytes, it->bytes, it->len);
    memcpy(bytes + it->len, data, len);
    it->len += len;
    bytes[it->len] = '\0';
    it->bytes = bytes;
    return 0;
}

static int on_end(void *user)
{
    (void)user;
    return 0;
}

/* 0; 1 where the body is refused. */
static int read_form(form *f, const char *boundary, const char *body,
                     apr_size_t len, apr_pool_t *p)
{
    static const upool_parts_events events = { on_begin, on_data, on_end };
    static const upool_limits limits = UPOOL_LIMITS_DEFAULT;
    upool_refusal refusal;
    upool_parts *parts;

    memset(&refusal, 0, sizeof(refusal));
    f->p = p;
    f->items = apr_array_make(p, 4, sizeof(item));
    parts = upool_parts_make(boundary, strlen(boundary), &limits, &refusal,
                             &events, f, p);
    return upool_parts_feed(parts, body, len) || upool_parts_end(parts);
}

static void add_file(upool_record *record, const item *it)
{
    upool_file *file = apr_array_push(record->files);

    file->field = it->name;
    file->filename = it->filename;
    file->safe_filename = "file";
    file->content_type = it->type;
    file->params = it->params;
    file->size = (apr_off_t)it->len;
    file->content = it->bytes;
    file->written = it->written;
}

static void add_empty(upool_record *record, const item *it)
{
    upool_empty *empty = apr_array_push(record->empty);

    empty->field = it->name;
    empty->written = it->written;
}

static void add_field(apr_array_header_t *fields, const item *it)
{
    upool_field *field = apr_array_push(fields);

    field->name = it->name;
    field->value = it->bytes;
    field->len = it->len;
    field->written = it->written;
}

/* Nobody who wrote the body knows what it becomes. */
static const char *random_of(const char *body, apr_size_t len, apr_pool_t *p)
{
    apr_uint64_t sum = APR_UINT64_C(14695981039346656037);
    apr_size_t i;

    for (i = 0; i < len; i++) {
        sum = (sum ^ (unsigned char)body[i]) * APR_UINT64_C(1099511628211);
    }
    return apr_psprintf(
        p, "%016" APR_UINT64_T_HEX_FMT "%016" APR_UINT64_T_HEX_FMT, sum, ~sum);
}

static char *flatten(const upool_formbody *body, apr_pool_t *p)
{
    char *text = apr_palloc(p, (apr_size_t)body->length + 1);
    char *to = text;
    int i;

    for (i = 0; i < body->pieces->nelts; i++) {
        const upool_formbody_piece *piece =
            &APR_ARRAY_IDX(body->pieces, i, upool_formbody_piece);

        must(!piece->file);
        memcpy(to, piece->text, piece->len);
        to += piece->len;
    }
    must(to == text + body->length);
    return text;
}

static char *rebuild(upool_formbody *body, const form *f, const char *random,
                     apr_pool_t *p)
{
    apr_array_header_t *fields = apr_array_make(p, 4, sizeof(upool_field));
    upool_formbody_options options = { random, "/bucket", NULL };
    const char *detail = NULL;
    upool_record record;
    int i;

    memset(&record, 0, sizeof(record));
    record.identifier = "ID";
    record.files = apr_array_make(p, 4, sizeof(upool_file));
    record.empty = apr_array_make(p, 4, sizeof(upool_empty));
    for (i = 0; i < f->items->nelts; i++) {
        const item *it = &APR_ARRAY_IDX(f->items, i, item);

        if (!it->filename) {
            add_field(fields, it);
        }
        else if (!*it->filename && !it->len) {
            add_empty(&record, it);
        }
        else {
            add_file(&record, it);
        }
    }
    must(upool_formbody_make(body, &record, fields, &options, &detail, p)
         == UPOOL_REASON_NONE);
    return flatten(body, p);
}

/* See upool_formname_write(). */
static int is_the_same_name(const char *name, const char *again)
{
    return !strcmp(name, again) || strpbrk(name, "%\\") != NULL;
}

static void compare(const item *it, const item *again)
{
    must(it->len == again->len && !memcmp(it->bytes, again->bytes, it->len));
    must(is_the_same_name(it->name, again->name));
    must(!it->filename == !again->filename);
    /* A file without a name that has bytes is called by its safe name. */
    must(!it->filename || !*it->filename
         || is_the_same_name(it->filename, again->filename));
    must(!it->type || !strcmp(it->type, again->type ? again->type : ""));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static apr_pool_t *p;
    const char *body = (const char *)data;
    upool_formbody made;
    form sent;
    form read;
    char *text;
    int i;

    if (!p) {
        apr_initialize();
        apr_pool_create(&p, NULL);
    }
    if (!read_form(&sent, "b", body, size, p)) {
        text = rebuild(&made, &sent, random_of(body, size, p), p);
        must(
            !read_form(&read, made.boundary, text, (apr_size_t)made.length, p));
        must(sent.items->nelts == read.items->nelts);
        for (i = 0; i < sent.items->nelts; i++) {
            compare(&APR_ARRAY_IDX(sent.items, i, item),
                    &APR_ARRAY_IDX(read.items, i, item));
        }
    }
    apr_pool_clear(p);
    return 0;
}
