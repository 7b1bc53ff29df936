/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "upload/form.h"

#include <stdlib.h>
#include <string.h>
#include <apr_strings.h>

#include "parse/multipart.h"
#include "parse/names.h"
#include "parse/part.h"

/* The sum of all header blocks, in units of the largest single one. */
#define HEADERS_FACTOR 64
/* Preamble and epilogue: nobody sends one, so the limit is small. */
#define PADDING_LIMIT 65536

typedef enum part_kind {
    PART_FIELD,
    PART_FILE,
    PART_NAMELESS /* filename="": a file only if a byte comes */
} part_kind;

struct upool_form {
    upool_multipart parser;
    upool_form_parts parts;
    part_kind kind;
    upload_pool_file *file;
    apr_off_t file_size;
    char *held; /* malloc'd header block in pieces */
};

static int refuse(upool_form *form, upool_reason reason, const char *detail)
{
    if (form->parts.refusal->reason == UPOOL_REASON_NONE) {
        *form->parts.refusal = upool_refusal_make(reason, 0, detail);
    }
    return 1;
}

/* What the parser refuses is told by its own error; the text of the first
 * refusal, made in a callback, stands. */
static int refuse_body(upool_form *form, upool_multipart_error error)
{
    static const upool_reason reasons[] = {
        [UPOOL_MULTIPART_OK] = UPOOL_REASON_NONE,
        [UPOOL_MULTIPART_DELIMITER] = UPOOL_REASON_DELIMITER,
        [UPOOL_MULTIPART_NO_DELIMITER] = UPOOL_REASON_NO_DELIMITER,
        [UPOOL_MULTIPART_TRUNCATED] = UPOOL_REASON_TRUNCATED,
        [UPOOL_MULTIPART_HEADER] = UPOOL_REASON_HEADER,
        [UPOOL_MULTIPART_HEADER_TOO_LARGE] = UPOOL_REASON_HEADER_TOO_LARGE,
        [UPOOL_MULTIPART_TOO_MANY_PARTS] = UPOOL_REASON_TOO_MANY_PARTS,
        [UPOOL_MULTIPART_PADDING] = UPOOL_REASON_PADDING,
        [UPOOL_MULTIPART_NO_MEMORY] = UPOOL_REASON_MEMORY,
        [UPOOL_MULTIPART_STOPPED] = UPOOL_REASON_INTERRUPTED,
    };

    return refuse(
        form, reasons[error],
        apr_psprintf(form->parts.p, "at byte %" APR_UINT64_T_FMT,
                     (apr_uint64_t)upool_multipart_offset(&form->parser)));
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

static int part_kinds(upool_form *form, const upool_part *part)
{
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

static int on_part_begin(void *user, const char *block, size_t len)
{
    upool_form *form = user;
    apr_pool_t *scratch;
    upool_part part;
    upool_part_error error;
    size_t room = UPOOL_PART_SCRATCH(len);
    int stop;

    apr_pool_create(&scratch, form->parts.p);
    error =
        upool_part_parse(&part, block, len, apr_palloc(scratch, room), room);
    if (error == UPOOL_PART_OK) {
        stop = part_kinds(form, &part);
    }
    else if (error == UPOOL_PART_ENCODED) {
        stop = refuse(form, UPOOL_REASON_PART_CODING, part.why);
    }
    else {
        stop = refuse(form, UPOOL_REASON_HEADER, part.why);
    }
    apr_pool_destroy(scratch);
    return stop;
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

static int on_part_data(void *user, const char *data, size_t len)
{
    upool_form *form = user;
    upool_reason reason;

    if (!len) {
        return 0;
    }
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
    const apr_array_header_t *table = apr_table_elts(file->digests);
    const apr_table_entry_t *entry = (const apr_table_entry_t *)table->elts;
    apr_array_header_t *list =
        apr_array_make(file->pool, table->nelts + 1, sizeof(upool_digest));
    int i;

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

static char *on_hold(void *user, char *old, size_t have, size_t want)
{
    upool_form *form = user;
    int first = !form->held;
    char *held;

    if (!want) {
        free(form->held);
        form->held = NULL;
        return NULL;
    }
    held = realloc(form->held, want);
    if (!held) {
        return NULL;
    }
    if (first && have) {
        memcpy(held, old, have);
    }
    form->held = held;
    return held;
}

static apr_status_t free_held(void *arg)
{
    upool_form *form = arg;

    free(form->held);
    form->held = NULL;
    return APR_SUCCESS;
}

static const upool_multipart_events events = {
    .part_begin = on_part_begin,
    .part_data = on_part_data,
    .part_end = on_part_end,
    .hold = on_hold,
};

upool_form *upool_form_make(const char *boundary, apr_size_t boundary_len,
                            const upool_form_parts *parts)
{
    upool_form *form = apr_pcalloc(parts->p, sizeof(*form));
    upool_multipart_limits limits;

    form->parts = *parts;
    limits.parts = (size_t)parts->limits->parts;
    limits.header = (size_t)parts->limits->header;
    limits.headers = limits.header > (size_t)-1 / HEADERS_FACTOR
                         ? (size_t)-1
                         : limits.header * HEADERS_FACTOR;
    limits.padding = PADDING_LIMIT;
    upool_multipart_init(&form->parser, boundary, boundary_len, &limits,
                         &events, form);
    apr_pool_cleanup_register(parts->p, form, free_held, apr_pool_cleanup_null);
    return form;
}

int upool_form_feed(upool_form *form, const char *data, apr_size_t len)
{
    upool_multipart_error error =
        upool_multipart_feed(&form->parser, data, len);

    return error ? refuse_body(form, error) : 0;
}

int upool_form_end(upool_form *form)
{
    upool_multipart_error error = upool_multipart_end(&form->parser);

    if (error) {
        return refuse_body(form, error);
    }
    return (form->parts.rules && upool_rules_end(form->parts.rules))
           || (form->parts.check && upool_file_check_finish(form->parts.check));
}
