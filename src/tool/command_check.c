/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <apr_escape.h>
#include <apr_strings.h>

#include "store/audit.h"
#include "store/farm.h"
#include "store/filesystem.h"
#include "store/layout.h"
#include "tool/name.h"
#include "tool/text.h"
#include "tool/output.h"
#include "tool/tool.h"
#include "upload/digester.h"

#define PIECE 65536
#define DIGESTS_MAX 8

typedef struct round {
    const upool_tool *tool;
    json_t *problems;
    json_t *remarks;
    int buckets;
    int files;   /* data files in them */
    int digests; /* compared */
    char *piece;
    apr_pool_t *p; /* for one bucket */
} round_of;

/* id NULL: about the pool itself; name "": about the bucket itself. */
static void tell(round_of *r, int is_problem, const char *id, const char *name,
                 const char *text)
{
    json_array_append_new(
        is_problem ? r->problems : r->remarks,
        json_pack("{s:o, s:o, s:s}", "identifier",
                  upool_name_json_or_null(id, r->p), "file",
                  upool_name_json_or_null(name && *name ? name : NULL, r->p),
                  "text", text));
    if (is_problem && !r->tool->json) {
        printf("%s%s%s: %s\n", id ? id : "", name && *name && id ? "/" : "",
               name ? upool_text_shown(name, r->p) : "", text);
    }
}

static void tell_all(round_of *r, int are_problems, const char *id,
                     const apr_array_header_t *notes)
{
    int i;

    for (i = 0; i < notes->nelts; i++) {
        const upool_audit_note *n = &APR_ARRAY_IDX(notes, i, upool_audit_note);

        tell(r, are_problems, id, n->name, n->text);
    }
}

/* Reads a file once for all its digests. */
static apr_status_t read_through(const round_of *r, apr_file_t *file,
                                 upool_digester *const *digesters, int count)
{
    apr_status_t rv;
    apr_size_t len;
    int i;

    for (;;) {
        len = PIECE;
        rv = apr_file_read(file, r->piece, &len);
        if (rv) {
            return APR_STATUS_IS_EOF(rv) ? APR_SUCCESS : rv;
        }
        for (i = 0; i < count; i++) {
            if (digesters[i]
                && upool_digester_update(digesters[i], r->piece, len)) {
                return APR_EGENERAL;
            }
        }
    }
}

static void compare(round_of *r, const char *id, const upool_file *file,
                    upool_digester *const *digesters, int count)
{
    unsigned char value[UPOOL_DIGESTER_MAX];
    char hex[2 * UPOOL_DIGESTER_MAX + 1];
    apr_size_t len;
    int i;

    for (i = 0; i < count; i++) {
        const upool_digest *d =
            &APR_ARRAY_IDX(file->digests, i, const upool_digest);

        len = digesters[i] ? upool_digester_end(digesters[i], value) : 0;
        if (!len) {
            tell(r, 0, id, file->stored,
                 apr_pstrcat(r->p, d->algorithm, " cannot be computed here",
                             NULL));
            continue;
        }
        apr_escape_hex(hex, value, len, 0, NULL);
        r->digests++;
        if (strcmp(hex, d->hex) != 0) {
            tell(r, 1, id, file->stored,
                 apr_pstrcat(r->p, "has another ", d->algorithm,
                             " than was recorded: its content has changed",
                             NULL));
        }
    }
}

/* A name never comes to mean other content, so the file is the one on record,
 * or is gone by now. */
static void check_file(round_of *r, const char *id, const upool_file *file)
{
    upool_digester *digesters[DIGESTS_MAX];
    int count = file->digests->nelts;
    apr_file_t *opened;
    apr_status_t rv;
    int i;

    count = count > DIGESTS_MAX ? DIGESTS_MAX : count;
    for (i = 0; i < count; i++) {
        digesters[i] = upool_digester_make(
            APR_ARRAY_IDX(file->digests, i, const upool_digest).algorithm,
            r->p);
        if (digesters[i] && upool_digester_begin(digesters[i])) {
            digesters[i] = NULL;
        }
    }
    rv =
        upool_bucket_file_open(&opened, r->tool->store, id, file->stored, r->p);
    if (rv == ENOENT || rv == APR_EACCES) {
        /* Moved away, cleared, or reported already. */
        return;
    }
    rv = rv ? rv : read_through(r, opened, digesters, count);
    if (rv) {
        tell(r, 1, id, file->stored, "cannot be read");
        return;
    }
    compare(r, id, file, digesters, count);
    apr_file_close(opened);
}

static void check_files(round_of *r, const char *id, const upool_record *record)
{
    int i;

    for (i = 0; i < record->files->nelts; i++) {
        const upool_file *file =
            &APR_ARRAY_IDX(record->files, i, const upool_file);

        if (file->stored && file->digests->nelts) {
            check_file(r, id, file);
        }
    }
}

static apr_status_t check_bucket(round_of *r, const char *id)
{
    upool_audit audit;
    apr_status_t rv = upool_audit_look(&audit, r->tool->store, id, r->p);

    if (rv == APR_ENOENT) {
        return rv;
    }
    if (rv == APR_ENOTDIR) {
        tell(r, 0, NULL, id, "is no bucket");
        return APR_SUCCESS;
    }
    r->buckets++;
    if (rv) {
        tell(r, 1, id, "", "cannot be read");
        return APR_SUCCESS;
    }
    r->files += audit.files;
    tell_all(r, 1, id, audit.problems);
    tell_all(r, 0, id, audit.remarks);
    if (audit.complete) {
        check_files(r, id, audit.complete);
    }
    return APR_SUCCESS;
}

static apr_status_t visit(void *baton, const char *name, int may_be)
{
    round_of *r = baton;

    if (may_be) {
        /* A bucket that is gone by now was cleared. */
        check_bucket(r, name);
    }
    else {
        tell(r, 0, NULL, name, "is no bucket");
    }
    apr_pool_clear(r->p);
    return APR_SUCCESS;
}

static upool_exit check_named(round_of *r)
{
    int i;

    for (i = 0; i < r->tool->nargs; i++) {
        const char *id = upool_name_of(r->tool->args[i], r->tool->p);

        if (!id) {
            return UPOOL_EXIT_USAGE;
        }
        if (check_bucket(r, id)) {
            tell(r, 1, id, "", "there is no such upload");
        }
        apr_pool_clear(r->p);
    }
    return UPOOL_EXIT_GOOD;
}

/* Checks what the pool's file system promises, as far as one machine can see,
 * and what the servers that share it have found. */
static void check_file_system(round_of *r)
{
    const upool_store *store = r->tool->store;
    const char *unsafe = upool_farm_unsafe(store, r->p);
    apr_status_t rv;
    const char *found = upool_farm_try(store, &rv, r->p);
    char text[128];

    if (unsafe) {
        tell(r, 1, NULL, UPOOL_LAYOUT_FARM,
             apr_pstrcat(r->p, "servers take no uploads: ", unsafe, NULL));
    }
    if (found) {
        tell(r, 1, NULL, UPOOL_LAYOUT_FARM,
             apr_pstrcat(r->p, "the file system is no good: ", found, NULL));
    }
    else if (rv) {
        tell(r, 0, NULL, UPOOL_LAYOUT_FARM,
             apr_pstrcat(r->p, "the file system cannot be tried: ",
                         apr_strerror(rv, text, sizeof(text)), NULL));
    }
    if (upool_filesystem_of(upool_store_fd(store), NULL)
        == UPOOL_FILESYSTEM_FUSE) {
        tell(r, 0, NULL, UPOOL_LAYOUT_FARM,
             "the file system is one of FUSE: only two servers can tell whether"
             " locks keep other machines out");
    }
    apr_pool_clear(r->p);
}

static upool_exit tell_sum(const round_of *r)
{
    int problems = (int)json_array_size(r->problems);
    int remarks = (int)json_array_size(r->remarks);
    upool_exit ends = UPOOL_EXIT_GOOD;

    if (r->tool->json) {
        ends = upool_tool_print(
            json_pack("{s:i, s:i, s:i, s:O, s:O}", "buckets", r->buckets,
                      "files", r->files, "digests", r->digests, "problems",
                      r->problems, "remarks", r->remarks));
    }
    else {
        printf("%d buckets, %d files, %d digests: %d problems, %d remarks%s\n",
               r->buckets, r->files, r->digests, problems, remarks,
               remarks ? " (--json shows them)" : "");
    }
    return ends ? ends : problems ? UPOOL_EXIT_WRONG : UPOOL_EXIT_GOOD;
}

upool_exit upool_tool_check(upool_tool *tool)
{
    round_of r = { tool, json_array(), json_array(), 0, 0, 0, NULL, NULL };
    upool_exit ends = UPOOL_EXIT_GOOD;
    apr_status_t rv = APR_SUCCESS;

    r.piece = apr_palloc(tool->p, PIECE);
    apr_pool_create(&r.p, tool->p);
    if (tool->nargs) {
        ends = check_named(&r);
    }
    else {
        check_file_system(&r);
        rv = upool_audit_each(tool->store, visit, &r);
    }
    if (!ends && !rv) {
        ends = tell_sum(&r);
    }
    json_decref(r.problems);
    json_decref(r.remarks);
    if (rv) {
        upool_tool_complain_of("the pool cannot be read", rv, tool->p);
        return UPOOL_EXIT_CANNOT;
    }
    return ends;
}
