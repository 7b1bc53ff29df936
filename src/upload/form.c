/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "upload/form.h"

#include <string.h>

#include "parse/family.h"
#include "upload/file.h"
#include "upload/parts.h"
#include "upload/written.h"

struct upool_form {
    upool_parts *parser;
    upool_form_parts parts;
    upool_part_kind kind;
    int count;              /* of parts so far */
    upool_file file;        /* the current one */
    upload_pool_file *seen; /* the same, as its handlers see it */
    apr_off_t file_size;
    apr_int64_t kept; /* bytes of what the record says of files */
    int has_file;     /* one has begun */
};

static int refuse(upool_form *form, upool_reason reason, const char *detail)
{
    if (form->parts.refusal->reason == UPOOL_REASON_NONE) {
        *form->parts.refusal = upool_refusal_make(reason, 0, detail);
    }
    return 1;
}

static int weigh_param(void *kept, const char *name, const char *value)
{
    *(apr_int64_t *)kept += (apr_int64_t)(strlen(name) + strlen(value));
    return 1;
}

/* Names may be 16 KiB each, and there may be a thousand. */
static int keep_names(upool_form *form)
{
    const upool_file *file = &form->file;

    form->kept += (apr_int64_t)(strlen(file->field) + strlen(file->filename));
    form->kept +=
        file->content_type ? (apr_int64_t)strlen(file->content_type) : 0;
    apr_table_do(weigh_param, &form->kept, file->params, NULL);
    return form->kept > UPOOL_KEPT_MAX
               ? refuse(form, UPOOL_REASON_HEADER_TOO_LARGE, "names of files")
               : 0;
}

/* Do the client's fields so far say that the file is a piece of one?  Pieces
 * that we put together do not come here. */
static int judge_pieces(upool_form *form)
{
    const apr_array_header_t *list = upool_fields_list(form->parts.fields);
    upool_family family;
    upool_family_chunk piece;
    int i;

    upool_family_init(&family);
    for (i = 0; i < list->nelts; i++) {
        const upool_field *field = &APR_ARRAY_IDX(list, i, upool_field);

        upool_family_param(&family, field->name, field->value, field->len);
    }
    return upool_family_settle(&family, &piece)
                   || upool_family_is_strange(&family)
               ? refuse(form, UPOOL_REASON_PIECE, "by the form's fields")
               : 0;
}

/* The first file names the upload for all pollers. */
static int file_begins(upool_form *form)
{
    upool_record *record = form->parts.record;

    form->kind = UPOOL_PART_FILE;
    form->file_size = 0;
    if (keep_names(form)
        || (form->parts.rules
            && upool_rules_file_begin(form->parts.rules, form->seen))
        || (form->parts.check && upool_file_check_begin(form->parts.check))) {
        return 1;
    }
    if (!form->has_file && judge_pieces(form)) {
        return 1;
    }
    form->has_file = 1;
    if (record->files->nelts == 0) {
        upool_record_name_by(record, &form->file);
        form->parts.named(form->parts.user);
    }
    return upool_chain_file_begin(form->parts.chain, form->seen);
}

static int on_part_begin(void *user, const upool_part *part)
{
    upool_form *form = user;
    apr_pool_t *p = form->parts.p;
    int number = form->count++;

    if (!part->filename) {
        upool_written written = upool_written_of(part, number, p);

        form->kind = UPOOL_PART_FIELD;
        upool_fields_begin(form->parts.fields, part->name);
        upool_fields_written(form->parts.fields, &written);
        return 0;
    }
    form->file = upool_file_of_part(part, number, p);
    upool_file_make_safe(&form->file, form->parts.utf8_names, p);
    form->seen = upool_file_show(&form->file, part->content_length, p);
    form->seen->index = form->parts.record->files->nelts;
    if (!part->filename[0]) {
        form->kind = UPOOL_PART_NAMELESS;
        return 0;
    }
    return file_begins(form);
}

static int file_data(upool_form *form, const char *data, size_t len)
{
    form->file_size += (apr_off_t)len;
    if (form->file_size > form->parts.limits->file) {
        return refuse(form, UPOOL_REASON_FILE_TOO_LARGE, NULL);
    }
    if ((form->parts.rules
         && upool_rules_file_size(form->parts.rules, form->file_size))
        || (form->parts.check
            && upool_file_check_data(form->parts.check, data, len))) {
        return 1;
    }
    return upool_chain_data(form->parts.chain, data, len);
}

static int on_part_data(void *user, const char *data, apr_size_t len)
{
    upool_form *form = user;
    upool_reason reason;

    if (form->kind == UPOOL_PART_FIELD) {
        reason = upool_fields_data(form->parts.fields, data, len);
        return reason ? refuse(form, reason, NULL) : 0;
    }
    if (form->kind == UPOOL_PART_NAMELESS && file_begins(form)) {
        return 1;
    }
    return file_data(form, data, len);
}

static int file_ends(upool_form *form)
{
    upload_pool_kept kept;
    int skipped = 0;

    /* Before a handler keeps the file for good. */
    if (form->parts.check && upool_file_check_end(form->parts.check)) {
        return 1;
    }
    if (upool_chain_file_end(form->parts.chain, &kept, &skipped)) {
        return 1;
    }
    if (skipped) {
        return 0;
    }
    if (form->parts.rules) {
        upool_rules_file_kept(form->parts.rules);
    }
    upool_file_keep(&form->file, form->seen, &kept);
    APR_ARRAY_PUSH(form->parts.record->files, upool_file) = form->file;
    return 0;
}

static void keep_empty(upool_form *form)
{
    upool_record *record = form->parts.record;
    upool_empty *empty;

    if (!record->empty) {
        record->empty = apr_array_make(form->parts.p, 2, sizeof(upool_empty));
    }
    empty = apr_array_push(record->empty);
    empty->field = form->file.field;
    empty->written = form->file.written;
}

static int field_ends(upool_form *form)
{
    const apr_array_header_t *list;
    const upool_field *field;

    upool_fields_end(form->parts.fields);
    list = upool_fields_list(form->parts.fields);
    field = &APR_ARRAY_IDX(list, list->nelts - 1, upool_field);
    if (form->parts.rules) {
        upool_rules_text(form->parts.rules, field->name, field->len);
    }
    return form->parts.check
           && upool_file_check_field(form->parts.check, field);
}

static int on_part_end(void *user)
{
    upool_form *form = user;

    switch (form->kind) {
    case UPOOL_PART_FIELD:
        return field_ends(form);
    case UPOOL_PART_FILE:
        return file_ends(form);
    case UPOOL_PART_NAMELESS:
        keep_empty(form);
        return 0;
    }
    return 1;
}

static const upool_parts_events events = {
    .begin = on_part_begin,
    .data = on_part_data,
    .end = on_part_end,
};

upool_form *upool_form_make(const char *boundary, apr_size_t boundary_len,
                            const upool_form_parts *parts)
{
    upool_form *form = apr_pcalloc(parts->p, sizeof(*form));

    form->parts = *parts;
    form->parser = upool_parts_make(boundary, boundary_len, parts->limits,
                                    parts->refusal, &events, form, parts->p);
    return form;
}

int upool_form_feed(upool_form *form, const char *data, apr_size_t len)
{
    return upool_parts_feed(form->parser, data, len);
}

int upool_form_end(upool_form *form)
{
    return upool_parts_end(form->parser)
           || (form->has_file && judge_pieces(form))
           || (form->parts.rules && upool_rules_end(form->parts.rules))
           || (form->parts.check && upool_file_check_finish(form->parts.check));
}

int upool_form_has_parts(const upool_form *form)
{
    return form->count > 0;
}
