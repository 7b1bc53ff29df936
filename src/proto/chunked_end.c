/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "proto/chunked.h"

#include <string.h>
#include <apr_cstr.h>
#include <apr_strings.h>

#include "proto/complete.h"
#include "httpd/drive.h"
#include "httpd/intake.h"
#include "parse/mediatype.h"

/* POST U/complete: the fields say which upload, and its digest. */

static int refuse(upool_chunked *c, upool_reason reason, const char *text)
{
    upool_refusal refusal = upool_refusal_make(reason, 0, NULL);

    if (text) {
        refusal.text = text;
    }
    return upool_chunked_refuse(c->r, c->rq, &refusal);
}

static int has_type(const char *text, const char *type)
{
    apr_size_t len = strcspn(text, "; \t");

    return len == strlen(type) && !ap_cstr_casecmpn(text, type, len);
}

/* 0, or -1 for a body of another kind. */
static int make_fields(upool_chunked *c)
{
    upool_request *rq = c->rq;
    upool_limits limits = upool_config_limits(rq->conf);
    const char *type = apr_table_get(c->r->headers_in, "Content-Type");
    upool_fieldbody_kind kind = UPOOL_FIELDBODY_QUERY;

    if (type && has_type(type, "application/json")) {
        kind = UPOOL_FIELDBODY_JSON;
    }
    else if (type
             && upool_mediatype_parse(type, strlen(type), rq->boundary,
                                      &rq->boundary_len)
                    == UPOOL_MEDIATYPE_FORM) {
        kind = UPOOL_FIELDBODY_FORM;
    }
    else if (type && !has_type(type, "application/x-www-form-urlencoded")) {
        return -1;
    }
    c->fields = upool_fieldbody_make(kind, rq->boundary, rq->boundary_len,
                                     &limits, c->r->pool);
    rq->sink = upool_fieldbody_sink(c->fields);
    return 0;
}

static int check_digest(upool_chunked *c, const char *md5)
{
    return md5 && upool_resume_check(c->resume, "md5", md5);
}

/* The length may be what has come, where nobody has said it before. */
static int is_ready(upool_chunked *c)
{
    if (upool_resume_length(c->resume) < 0
        && upool_resume_set_length(c->resume, upool_resume_offset(c->resume))) {
        return 0;
    }
    return upool_resume_is_whole(c->resume);
}

static void add_fields(upool_chunked *c)
{
    const apr_array_header_t *fields = upool_fieldbody_fields(c->fields);
    int i;

    for (i = 0; i < fields->nelts; i++) {
        const upool_field *field = &APR_ARRAY_IDX(fields, i, upool_field);

        if (strcmp(field->name, "upload_id") != 0
            && strcmp(field->name, "md5") != 0) {
            upool_resume_add_field(c->resume, field);
        }
    }
}

/* It is complete, but that may be all: whoever completed it may have died
 * before the application ran, or the application may have failed.  While it
 * runs, nobody knows. */
static int end_again(request_rec *r, upool_request *rq)
{
    upool_chunked *c = rq->own;

    switch (upool_complete_look(r, rq, upool_resume_record(c->resume), NULL)) {
    case UPOOL_COMPLETE_OPEN:
        return upool_complete_run(r, rq, c->resume);
    case UPOOL_COMPLETE_RUNS:
        return upool_complete_has_patience(rq)
                   ? upool_drive_again(r, rq, end_again)
                   : refuse(c, UPOOL_REASON_BUSY, NULL);
    case UPOOL_COMPLETE_ANSWERED:
        break;
    }
    return refuse(c, UPOOL_REASON_COMPLETE, NULL);
}

static int end_upload(upool_chunked *c, const char *md5)
{
    add_fields(c);
    if (upool_resume_is_complete(c->resume)) {
        return end_again(c->r, c->rq);
    }
    if (upool_resume_settle(c->resume)) {
        return upool_chunked_refuse(c->r, c->rq,
                                    upool_resume_refusal(c->resume));
    }
    if (!is_ready(c)) {
        return refuse(c, UPOOL_REASON_NOT_WHOLE, NULL);
    }
    if (check_digest(c, md5)) {
        return refuse(c, upool_resume_refusal(c->resume)->reason,
                      upool_resume_refusal(c->resume)->reason
                              == UPOOL_REASON_FILE_DIGEST
                          ? "md5 checksum does not match"
                          : NULL);
    }
    if (upool_resume_complete(c->resume)) {
        return upool_chunked_refuse(c->r, c->rq,
                                    upool_resume_refusal(c->resume));
    }
    /* Two that come at once: the application runs for one of them. */
    return upool_resume_completed_now(c->resume)
               ? upool_complete_run(c->r, c->rq, c->resume)
               : end_again(c->r, c->rq);
}

static int fields_are_in(request_rec *r, upool_request *rq,
                         const upool_refusal *refusal)
{
    upool_chunked *c = rq->own;
    const apr_array_header_t *fields = upool_fieldbody_fields(c->fields);
    int needs_md5 = rq->conf->chunked_md5 != 0;
    const char *md5 = refusal ? NULL : upool_fieldbody_value(fields, "md5");
    upool_refusal other;

    if (refusal) {
        return upool_chunked_refuse(r, rq, refusal);
    }
    upool_chunked_read_fields(c, fields);
    if ((!c->named && !rq->id[0]) || (needs_md5 && !md5)) {
        return refuse(c, UPOOL_REASON_FIELD_MISSING,
                      needs_md5 ? "Both 'upload_id' and 'md5' are required"
                                : "'upload_id' is required");
    }
    if (upool_chunked_name(c, &other) || upool_chunked_open(c, &other)) {
        return upool_chunked_refuse(r, rq, &other);
    }
    return end_upload(c, md5);
}

int upool_chunked_complete(upool_chunked *c)
{
    if (upool_intake_is_encoded(c->r, c->rq, 1)) {
        return refuse(c, UPOOL_REASON_CONTENT_CODING, NULL);
    }
    if (make_fields(c)) {
        return refuse(c, UPOOL_REASON_FIELDS, NULL);
    }
    return upool_drive_run(c->r, c->rq, fields_are_in);
}
