/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "upload/file.h"

#include <string.h>

#include <apr_strings.h>

#include "parse/names.h"
#include "upload/written.h"

static void copy_type(upool_file *file, const upool_part *part, apr_pool_t *p)
{
    apr_size_t i;

    file->content_type = apr_pstrdup(p, part->content_type);
    file->charset = apr_pstrdup(p, part->charset);
    for (i = 0; i < part->nparams; i++) {
        apr_table_add(file->params, part->params[i].name,
                      part->params[i].value);
    }
}

static upool_file make_empty(apr_pool_t *p)
{
    upool_file file;

    memset(&file, 0, sizeof(file));
    file.filename = "";
    file.params = apr_table_make(p, 1);
    file.digests = apr_array_make(p, 1, sizeof(upool_digest));
    return file;
}

upool_file upool_file_of_part(const upool_part *part, int number, apr_pool_t *p)
{
    upool_file file = make_empty(p);

    file.field = apr_pstrdup(p, part->name);
    file.filename = apr_pstrdup(p, part->filename);
    file.written = upool_written_of(part, number, p);
    copy_type(&file, part, p);
    return file;
}

static const char *repair(const char *text, apr_pool_t *p)
{
    apr_size_t len = strlen(text);
    char *out = apr_palloc(p, 3 * len + 1);

    upool_names_repair(out, text, len);
    return out;
}

void upool_file_set_name(upool_file *file, const char *filename, apr_pool_t *p)
{
    file->filename = filename ? repair(filename, p) : "";
}

/* Read as a part of a form gives it, so that both mean the same. */
void upool_file_set_type(upool_file *file, const char *type, apr_pool_t *p)
{
    const char *block =
        type ? apr_pstrcat(p,
                           "Content-Disposition: form-data; name=\"f\"\r\n"
                           "Content-Type: ",
                           type, "\r\n", NULL)
             : "";
    apr_size_t len = strlen(block);
    apr_size_t room = UPOOL_PART_SCRATCH(len);
    upool_part part;

    file->content_type = NULL;
    file->charset = NULL;
    file->params = apr_table_make(p, 1);
    if (type && !strpbrk(type, "\r\n")
        && !upool_part_parse(&part, block, len, apr_palloc(p, room), room)) {
        copy_type(file, &part, p);
    }
}

upool_file upool_file_of_head(const char *field, const char *filename,
                              const char *type, apr_pool_t *p)
{
    upool_file file = make_empty(p);

    file.field = field ? repair(field, p) : NULL;
    upool_file_set_name(&file, filename, p);
    if (type) {
        upool_file_set_type(&file, type, p);
    }
    return file;
}

void upool_file_make_safe(upool_file *file, int utf8_names, apr_pool_t *p)
{
    char safe[UPOOL_SAFE_NAME_MAX + 1];

    if (utf8_names) {
        upool_names_safe_utf8(safe, file->filename);
    }
    else {
        upool_names_safe(safe, file->filename);
    }
    file->safe_filename = apr_pstrdup(p, safe);
}

upload_pool_file *upool_file_show(const upool_file *file, apr_off_t length,
                                  apr_pool_t *p)
{
    upload_pool_file *shown = apr_pcalloc(p, sizeof(*shown));

    shown->pool = p;
    shown->field = file->field;
    shown->filename = file->filename;
    shown->safe_filename = file->safe_filename;
    shown->content_type = file->content_type;
    shown->charset = file->charset;
    shown->params = file->params;
    shown->content_length = length;
    return shown;
}

static apr_array_header_t *list_digests(const upload_pool_file *shown)
{
    apr_array_header_t *list =
        apr_array_make(shown->pool, 1, sizeof(upool_digest));
    const apr_array_header_t *table;
    int i;

    if (!shown->digests) {
        return list;
    }
    table = apr_table_elts(shown->digests);
    for (i = 0; i < table->nelts; i++) {
        const apr_table_entry_t *entry =
            &APR_ARRAY_IDX(table, i, apr_table_entry_t);
        upool_digest *digest = apr_array_push(list);

        digest->algorithm = entry->key;
        digest->hex = entry->val;
    }
    return list;
}

void upool_file_keep(upool_file *file, const upload_pool_file *shown,
                     const upload_pool_kept *kept)
{
    if (shown->field != file->field) {
        file->written.name = NULL;
    }
    if (shown->filename != file->filename) {
        file->written.filename = NULL;
    }
    if (shown->content_type != file->content_type) {
        file->written.type = NULL;
    }
    file->field = shown->field;
    file->filename = shown->filename;
    file->safe_filename = shown->safe_filename;
    file->content_type = shown->content_type;
    file->charset = shown->charset;
    file->params = apr_table_copy(shown->pool, shown->params);
    file->size = kept->size;
    file->stored = kept->stored;
    file->content = kept->content;
    file->location = kept->location;
    file->notes = shown->notes;
    file->sniffed = shown->sniffed_content_type;
    file->digests = list_digests(shown);
}
