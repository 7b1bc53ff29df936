/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "store/audit.h"
#include "tool/name.h"
#include "tool/text.h"
#include "tool/output.h"
#include "tool/tool.h"

typedef struct facts {
    const upool_tool *tool;
    const char *id;
    const upool_record *record; /* NULL: no such upload */
    upool_audit audit;          /* all zero where it is gone by now */
    apr_pool_t *p;
} facts;

static json_t *text_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

static json_t *digests_object(const upool_file *file)
{
    json_t *object = json_object();
    int i;

    for (i = 0; i < file->digests->nelts; i++) {
        const upool_digest *d =
            &APR_ARRAY_IDX(file->digests, i, const upool_digest);

        json_object_set_new(object, d->algorithm, json_string(d->hex));
    }
    return object;
}

static const char *path_of(const facts *f, const char *stored)
{
    return stored
               ? apr_pstrcat(f->p, f->tool->dir, "/", f->id, "/", stored, NULL)
               : NULL;
}

static json_t *file_object(const facts *f, const upool_file *file)
{
    const char *path = path_of(f, file->stored);

    return json_pack(
        "{s:s, s:s, s:s, s:o, s:I, s:o, s:o}", "field", file->field, "filename",
        file->filename, "safe-filename", file->safe_filename, "content-type",
        text_or_null(file->content_type), "size", (json_int_t)file->size,
        "path", upool_name_json_or_null(path, f->p), "digests",
        digests_object(file));
}

static json_t *files_array(const facts *f)
{
    json_t *list = json_array();
    int i;

    for (i = 0; i < f->record->files->nelts; i++) {
        json_array_append_new(list,
                              file_object(f, &APR_ARRAY_IDX(f->record->files, i,
                                                            const upool_file)));
    }
    return list;
}

static int add_incomplete(json_t *object, const facts *f)
{
    const upool_resumable *about = f->audit.about;

    return json_object_set_new(object, "protocol", json_string(about->protocol))
           | json_object_set_new(
               object, "path",
               upool_name_json_or_null(path_of(f, about->file.stored), f->p));
}

static json_t *status_object(const facts *f)
{
    const upool_record *record = f->record;
    json_t *size = record->size < 0 ? json_null() : json_integer(record->size);
    json_t *object = json_pack(
        "{s:s, s:s, s:s, s:s, s:o, s:I, s:o, s:s, s:s, s:b, s:o}", "identifier",
        f->id, "state", upool_state_name(record->state), "filename",
        record->filename, "content-type", record->content_type, "size", size,
        "received", (json_int_t)record->received, "owner",
        text_or_null(record->owner), "created",
        upool_text_time(record->created, f->p), "updated",
        upool_text_time(record->updated, f->p), "writer", f->audit.is_written,
        "files", files_array(f));
    int bad = !object;

    if (!bad && record->error) {
        bad |= json_object_set_new(object, "error", json_string(record->error));
    }
    if (!bad && f->audit.about) {
        bad |= add_incomplete(object, f);
    }
    if (bad) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static void print_pair(const facts *f, const char *key, const char *value)
{
    if (value) {
        printf("%-14s%s\n", key, upool_text_shown(value, f->p));
    }
}

static void print_file(const facts *f, const upool_file *file)
{
    int i;

    putchar('\n');
    print_pair(f, "field", file->field);
    print_pair(f, "filename", file->filename);
    print_pair(f, "safe-filename", file->safe_filename);
    print_pair(f, "content-type", file->content_type);
    print_pair(f, "size", apr_off_t_toa(f->p, file->size));
    print_pair(f, "path", path_of(f, file->stored));
    for (i = 0; i < file->digests->nelts; i++) {
        const upool_digest *d =
            &APR_ARRAY_IDX(file->digests, i, const upool_digest);

        print_pair(f, d->algorithm, d->hex);
    }
}

static void print_status(const facts *f)
{
    const upool_record *record = f->record;
    int i;

    print_pair(f, "identifier", f->id);
    print_pair(f, "state", upool_state_name(record->state));
    print_pair(f, "error", record->error);
    print_pair(f, "filename", record->filename);
    print_pair(f, "content-type", record->content_type);
    print_pair(f, "received", apr_off_t_toa(f->p, record->received));
    print_pair(f, "size",
               record->size < 0 ? NULL : apr_off_t_toa(f->p, record->size));
    print_pair(f, "owner", record->owner);
    print_pair(f, "created", upool_text_time(record->created, f->p));
    print_pair(f, "updated", upool_text_time(record->updated, f->p));
    print_pair(f, "writer", f->audit.is_written ? "yes" : NULL);
    if (f->audit.about) {
        print_pair(f, "protocol", f->audit.about->protocol);
        print_pair(f, "path", path_of(f, f->audit.about->file.stored));
    }
    for (i = 0; i < record->files->nelts; i++) {
        print_file(f, &APR_ARRAY_IDX(record->files, i, const upool_file));
    }
}

/* Answers as the status object does for an unknown upload (contract 4). */
static upool_exit tell_unknown(const facts *f)
{
    upool_exit ends = UPOOL_EXIT_GOOD;

    if (f->tool->json) {
        ends = upool_tool_print(
            json_pack("{s:s, s:s}", "identifier", f->id, "state", "starting"));
    }
    else {
        upool_tool_complain("there is no upload %s", f->id);
    }
    return ends ? ends : UPOOL_EXIT_WRONG;
}

upool_exit upool_tool_status(upool_tool *tool)
{
    upool_record *record = NULL;
    upool_exit ends = UPOOL_EXIT_GOOD;
    apr_status_t rv;
    facts f;

    memset(&f, 0, sizeof(f));
    f.tool = tool;
    f.p = tool->p;
    f.id = upool_name_of(tool->args[0], tool->p);
    if (!f.id) {
        return UPOOL_EXIT_USAGE;
    }
    rv = upool_bucket_status(&record, tool->store, f.id, tool->p);
    if (rv == APR_ENOENT) {
        return tell_unknown(&f);
    }
    if (rv) {
        upool_tool_complain_of(f.id, rv, tool->p);
        return UPOOL_EXIT_CANNOT;
    }
    f.record = record;
    if (upool_audit_look(&f.audit, tool->store, f.id, tool->p)) {
        memset(&f.audit, 0, sizeof(f.audit));
    }
    if (tool->json) {
        ends = upool_tool_print(status_object(&f));
    }
    else {
        print_status(&f);
    }
    return ends                                 ? ends
           : record->state == UPOOL_STATE_ERROR ? UPOOL_EXIT_WRONG
                                                : UPOOL_EXIT_GOOD;
}
