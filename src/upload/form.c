/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "upload/form.h"

#include <apr_strings.h>

#include "parse/names.h"
#include "upload/parts.h"

typedef enum part_kind {
    PART_FIELD,
    PART_FILE,
    PART_NAMELESS /* filename="": a file only if a byte comes */
} part_kind;

struct upool_form {
    upool_parts *parser;
    upool_form_parts parts;
    part_kind kind;
    int has_parts;
    upload_pool_file *file;
    apr_off_t file_size;
};

static int refuse(upool_form *form, upool_reason reason, const char *detail)
{
    if (form->parts.refusal->reason == UPOOL_REASON_NONE) {
        *form->parts.refusal = upool_refusal_make(reason, 0, detail);
    }
    return 1;
}

static const char *copy_or_null(apr_pool_t *p, const char *text)
{
    return text ? apr_pstrdup(p, text) : NULL;
}

static upload_pool_file *make_file(upool_form *form, const upool_part *part)
{
    apr_pool_t *p = form->parts.p;
    upload_pool_file *file = apr_pcalloc(p, sizeof(*file));
    apr_table_t *params = apr_table_make(p, 1);
    char safe[UPOOL_SAFE_NAME_MAX + 1];
    apr_size_t i;

    for (i = 0; i < part->nparams; i++) {
        apr_table_add(params, part->params[i].name, part->params[i].value);
    }
    if (form->parts.utf8_names) {
        upool_names_safe_utf8(safe, part->filename);
    }
    else {
        upool_names_safe(safe, part->filename);
    }
    file->pool = p;
    file->index = form->parts.record->files->nelts;
    file->field = apr_pstrdup(p, part->name);
    file->filename = apr_pstrdup(p, part->filename);
    file->safe_filename = apr_pstrdup(p, safe);
    file->content_type = copy_or_null(p, part->content_type);
    file->charset = copy_or_null(p, part->charset);
    file->params = params;
    return file;
}

/* The first file names the upload for everybody who polls. */
static int file_begins(upool_form *form)
{
    upool_record *record = form->parts.record;
    const upload_pool_file *file = form->file;

    form->kind = PART_FILE;
    form->file_size = 0;
    if ((form->parts.rules && upool_rules_file_begin(form->parts.rules, file))
        || (form->parts.check && upool_file_check_begin(form->parts.check))) {
        return 1;
    }
    if (record->files->nelts == 0) {
        record->filename = file->filename;
        record->content_type = file->content_type ? file->content_type
                                                  : "application/octet-stream";
        form->parts.named(form->parts.user);
    }
    return upool_chain_file_begin(form->parts.chain, form->file);
}

static int on_part_begin(void *user, const upool_part *part)
{
    upool_form *form = user;

    form->has_parts = 1;
    if (!part->filename) {
        form->kind = PART_FIELD;
        upool_fields_begin(form->parts.fields, part->name);
        return 0;
    }
    form->file = make_file(form, part);
    if (!part->filename[0]) {
        form->kind = PART_NAMELESS;
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

    if (form->kind == PART_FIELD) {
        reason = upool_fields_data(form->parts.fields, data, len);
        return reason ? refuse(form, reason, NULL) : 0;
    }
    if (form->kind == PART_NAMELESS && file_begins(form)) {
        return 1;
    }
    return file_data(form, data, len);
}

static apr_array_header_t *digest_list(const upload_pool_file *file)
{
    apr_array_header_t *list =
        apr_array_make(file->pool, 1, sizeof(upool_digest));
    const apr_array_header_t *table;
    const apr_table_entry_t *entry;
    int i;

    if (!file->digests) {
        return list;
    }
    table = apr_table_elts(file->digests);
    entry = (const apr_table_entry_t *)table->elts;
    for (i = 0; i < table->nelts; i++) {
        upool_digest *digest = apr_array_push(list);

        digest->algorithm = entry[i].key;
        digest->hex = entry[i].val;
    }
    return list;
}

static int file_ends(upool_form *form)
{
    const upload_pool_file *file = form->file;
    upload_pool_kept kept;
    upool_file *done;
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
    done = apr_array_push(form->parts.record->files);
    done->field = file->field;
    done->filename = file->filename;
    done->safe_filename = file->safe_filename;
    done->content_type = file->content_type;
    done->charset = file->charset;
    done->params = apr_table_copy(file->pool, file->params);
    done->size = kept.size;
    done->stored = kept.stored;
    done->content = kept.content;
    done->location = kept.location;
    done->notes = file->notes;
    done->sniffed = file->sniffed_content_type;
    done->digests = digest_list(file);
    return 0;
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
    case PART_FIELD:
        return field_ends(form);
    case PART_FILE:
        return file_ends(form);
    case PART_NAMELESS:
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
           || (form->parts.rules && upool_rules_end(form->parts.rules))
           || (form->parts.check && upool_file_check_finish(form->parts.check));
}

int upool_form_has_parts(const upool_form *form)
{
    return form->has_parts;
}
