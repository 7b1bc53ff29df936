/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "proto/chunked.h"

#include <string.h>
#include <apr_cstr.h>
#include <apr_strings.h>

#include "httpd/drive.h"
#include "httpd/intake.h"
#include "httpd/reply.h"
#include "parse/disposition.h"
#include "parse/mediatype.h"
#include "proto/complete.h"
#include "upload/result.h"

#define JSON "application/json"
/* The longest header that clients and proxies accept. */
#define HEADER_MAX 4096

/* --- Errors --------------------------------------------------------------- */

/* The wording of django-chunked-upload, where it has one: its clients show
 * these texts, or look for them. */
static const char *text_of(const upool_chunked *c, const upool_refusal *refusal)
{
    upool_limits limits = upool_config_limits(c->rq->conf);
    apr_int64_t most = limits.file < limits.body ? limits.file : limits.body;

    switch ((int)refusal->reason) {
    case UPOOL_REASON_OFFSET:
        return "Offsets do not match";
    case UPOOL_REASON_EXPIRED:
        return "Upload has expired";
    case UPOOL_REASON_COMPLETE:
        return "Upload has already been marked as \"complete\"";
    case UPOOL_REASON_NOT_WHOLE:
        return "Upload is not complete";
    case UPOOL_REASON_UPLOAD_LENGTH:
    case UPOOL_REASON_OVERRUN:
        return "Size of file doesn't match the upload";
    case UPOOL_REASON_BODY_TOO_LARGE:
    case UPOOL_REASON_FILE_TOO_LARGE:
        return most == UPOOL_UNLIMITED
                   ? refusal->text
                   : apr_psprintf(
                       c->r->pool,
                       "Size of file exceeds the limit (%" APR_INT64_T_FMT
                       " bytes)",
                       most);
    default:
        return refusal->text;
    }
}

static int status_of(const upool_refusal *refusal)
{
    switch ((int)refusal->reason) {
    case UPOOL_REASON_OFFSET:
    case UPOOL_REASON_COMPLETE:
    case UPOOL_REASON_NOT_WHOLE:
    case UPOOL_REASON_UPLOAD_LENGTH:
    case UPOOL_REASON_OVERRUN:
    case UPOOL_REASON_BODY_TOO_LARGE:
    case UPOOL_REASON_FILE_TOO_LARGE:
        return HTTP_BAD_REQUEST;
    default:
        return refusal->status;
    }
}

/* A client that may not know of the upload learns nothing of it. */
static apr_off_t offset_of(const upool_chunked *c, const upool_refusal *refusal)
{
    if (refusal->reason == UPOOL_REASON_OFFSET && !c->resume) {
        return 0;
    }
    if (!c->resume || refusal->reason == UPOOL_REASON_CLEARED) {
        return -1;
    }
    return upool_resume_offset(c->resume);
}

/* Deletes an upload that this request has made and no client can continue: it
 * holds nothing, or its client has not been told its name.  A library's file
 * stays once it has its name, since other pieces of it may have come
 * meanwhile. */
static void drop_made(upool_chunked *c)
{
    int is_shared = upool_chunked_is_library(c) || c->says.session;

    if (upool_chunked_is_made(c)
        && (!is_shared || c->state == UPOOL_CHUNKED_UNNAMED)
        && !upool_resume_abandon(c->resume, c->rq->minted
                                                ? UPOOL_ABANDON_ANY
                                                : UPOOL_ABANDON_EMPTY)) {
        c->state = UPOOL_CHUNKED_NONE;
        c->resume = NULL;
    }
}

/* There was no room for a first piece beside the upload that it was to take the
 * place of: sent again, it finds that room. */
static void drop_old(upool_chunked *c)
{
    upool_refusal refusal;

    c->state = UPOOL_CHUNKED_NONE;
    c->resume = NULL;
    apr_cpystrn(c->rq->id, c->anew, sizeof(c->rq->id));
    if (!upool_chunked_open(c, &refusal)
        && !upool_resume_is_complete(c->resume)) {
        upool_resume_abandon(c->resume, UPOOL_ABANDON_ANY);
    }
    c->resume = NULL;
}

int upool_chunked_refuse(request_rec *r, upool_request *rq,
                         const upool_refusal *refusal)
{
    upool_chunked *c = rq->own;
    const char *text;

    /* It may well be a plain form, so it is refused as one. */
    if (c->kind == UPOOL_CHUNKED_MAYBE) {
        return upool_reply_refusal(r, rq, refusal);
    }
    drop_made(c);
    if (c->anew && refusal->status == HTTP_INSUFFICIENT_STORAGE) {
        drop_old(c);
    }
    text = upool_result_refusal(text_of(c, refusal), offset_of(c, refusal),
                                r->pool);
    return upool_reply_refusal_as(r, rq, refusal, status_of(refusal), JSON,
                                  text);
}

/* --- How far the upload is ------------------------------------------------ */

static const char *range_text(apr_pool_t *p, apr_off_t start, apr_off_t end,
                              const char *total)
{
    return apr_psprintf(p, "%" APR_OFF_T_FMT "-%" APR_OFF_T_FMT "/%s", start,
                        end - 1, total);
}

/* Lists the ranges received, as nginx-upload-module writes them.  One client
 * may leave thousands, so they are joined in one go, not one by one. */
static const char *list_ranges(const upool_chunked *c)
{
    apr_pool_t *p = c->r->pool;
    const apr_array_header_t *ranges = upool_resume_about(c->resume)->ranges;
    apr_off_t length = upool_resume_length(c->resume);
    const char *total = length < 0 ? "*" : apr_off_t_toa(p, length);
    apr_array_header_t *texts;
    int i;

    if (!ranges) {
        apr_off_t offset = upool_resume_offset(c->resume);

        return offset ? range_text(p, 0, offset, total) : "";
    }
    texts = apr_array_make(p, ranges->nelts, sizeof(const char *));
    for (i = 0; i < ranges->nelts; i++) {
        const upool_range *range = &APR_ARRAY_IDX(ranges, i, upool_range);

        APR_ARRAY_PUSH(texts, const char *) =
            range_text(p, range->start, range->end, total);
    }
    return apr_array_pstrcat(p, texts, ',');
}

static int tell_session(upool_chunked *c)
{
    const char *list = list_ranges(c);

    c->rq->intake = UPOOL_INTAKE_NONE;
    if (*list && strlen(list) <= HEADER_MAX) {
        apr_table_setn(c->r->headers_out, "Range", list);
    }
    return upool_reply_text(c->r, HTTP_CREATED, "text/plain", list);
}

int upool_chunked_tell(upool_chunked *c)
{
    request_rec *r = c->r;
    apr_off_t offset = upool_resume_offset(c->resume);
    const char *id = upool_proto_identifier(r, c->rq);
    upool_refusal refusal;

    if (c->says.session) {
        return tell_session(c);
    }
    if (!id) {
        refusal = upool_refusal_make(UPOOL_REASON_MEMORY, 0, "no signature");
        return upool_chunked_refuse(r, c->rq, &refusal);
    }
    c->rq->intake = UPOOL_INTAKE_NONE;
    if (offset > 0) {
        apr_table_setn(r->headers_out, "Range",
                       apr_psprintf(r->pool, "0-%" APR_OFF_T_FMT, offset - 1));
    }
    return upool_reply_text(
        r, HTTP_OK, JSON,
        upool_result_chunk(id, offset, upool_resume_expires(c->resume),
                           upool_chunked_is_library(c)
                               && c->place.piece.kind == UPOOL_FAMILY_FINE,
                           r->pool));
}

static int refuse_as(upool_chunked *c, upool_reason reason, const char *text)
{
    upool_refusal refusal = upool_refusal_make(reason, 0, NULL);

    if (text) {
        refusal.text = text;
    }
    return upool_chunked_refuse(c->r, c->rq, &refusal);
}

/* --- How far is it? ------------------------------------------------------- */

static int nothing_came(request_rec *r, upool_request *rq,
                        const upool_refusal *refusal)
{
    return refusal ? upool_chunked_refuse(r, rq, refusal)
                   : upool_chunked_tell_range(rq->own);
}

int upool_chunked_ask(upool_chunked *c)
{
    return upool_drive_empty(c->r, c->rq, UPOOL_REASON_CHUNK_SIZE,
                             nothing_came);
}

int upool_chunked_tell_range(upool_chunked *c)
{
    upool_refusal refusal;

    c->rq->intake = UPOOL_INTAKE_NONE;
    if (upool_chunked_name(c, &refusal) || upool_chunked_open(c, &refusal)) {
        return upool_chunked_refuse(c->r, c->rq, &refusal);
    }
    /* A client that asks wants to go on: a request that still writes has to
     * stop. */
    if (!upool_resume_is_complete(c->resume)
        && upool_resume_settle(c->resume)) {
        return upool_chunked_refuse(c->r, c->rq,
                                    upool_resume_refusal(c->resume));
    }
    if (upool_resume_length(c->resume) >= 0
        && upool_resume_length(c->resume) != c->says.range->total) {
        return refuse_as(c, UPOOL_REASON_UPLOAD_LENGTH, NULL);
    }
    return upool_chunked_tell(c);
}

/* --- Is that piece there? ------------------------------------------------- */

static int is_there(const upool_chunked *c)
{
    const apr_array_header_t *ranges = upool_resume_about(c->resume)->ranges;
    apr_off_t end = c->place.offset + c->place.length;
    int i;

    if (end <= upool_resume_offset(c->resume)) {
        return 1;
    }
    for (i = 0; ranges && i < ranges->nelts; i++) {
        const upool_range *range = &APR_ARRAY_IDX(ranges, i, upool_range);

        if (range->start <= c->place.offset && end <= range->end) {
            return 1;
        }
    }
    return 0;
}

/* If a complete upload's name can be guessed from its file, its pieces count as
 * there only until its answer is forgotten: tomorrow another file may have the
 * same name, and must be sent. */
static int is_current(const upool_chunked *c)
{
    return !upool_resume_is_complete(c->resume)
           || upool_family_is_random(c->place.piece.kind)
           || upool_resume_record(c->resume)->updated + UPOOL_CHUNKED_REPEATS
                  > c->r->request_time;
}

int upool_chunked_test(upool_chunked *c)
{
    upool_refusal refusal;
    int status = HTTP_NO_CONTENT;

    if (upool_chunked_place_piece(c, &refusal)
        || upool_chunked_name(c, &refusal)) {
        return upool_chunked_refuse(c->r, c->rq, &refusal);
    }
    if (!upool_chunked_open(c, &refusal)
        && upool_resume_length(c->resume) == c->place.total && is_current(c)
        && is_there(c)) {
        status = HTTP_OK;
    }
    return upool_reply_text(c->r, status, NULL, "");
}

/* --- POST U/complete ------------------------------------------------------ */

/* POST U/complete: the fields say which upload, and its digest. */

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
    c->body.fields = upool_fieldbody_make(kind, rq->boundary, rq->boundary_len,
                                          &limits, c->r->pool);
    rq->sink = upool_fieldbody_sink(c->body.fields);
    return 0;
}

static int check_digest(upool_chunked *c, const char *md5)
{
    return md5 && upool_resume_check(c->resume, "md5", md5);
}

/* Where no one has given the length before, it is what has come. */
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
    const apr_array_header_t *fields = upool_fieldbody_fields(c->body.fields);
    int i;

    for (i = 0; i < fields->nelts; i++) {
        const upool_field *field = &APR_ARRAY_IDX(fields, i, upool_field);

        if (strcmp(field->name, "upload_id") != 0
            && strcmp(field->name, "md5") != 0) {
            upool_resume_add_field(c->resume, field);
        }
    }
}

/* The upload is complete, but perhaps not its application: the process that
 * completed it may have died before the application ran, or the application may
 * have failed.  While it runs, its outcome is not known. */
static int end_again(request_rec *r, upool_request *rq)
{
    upool_chunked *c = rq->own;

    switch (upool_complete_look(r, rq, upool_resume_record(c->resume), NULL)) {
    case UPOOL_COMPLETE_OPEN:
        return upool_complete_run(r, rq, c->resume);
    case UPOOL_COMPLETE_RUNS:
        return upool_complete_has_patience(rq)
                   ? upool_drive_again(r, rq, end_again)
                   : refuse_as(c, UPOOL_REASON_BUSY, NULL);
    case UPOOL_COMPLETE_ANSWERED:
        break;
    }
    return refuse_as(c, UPOOL_REASON_COMPLETE, NULL);
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
        return refuse_as(c, UPOOL_REASON_NOT_WHOLE, NULL);
    }
    if (check_digest(c, md5)) {
        return refuse_as(c, upool_resume_refusal(c->resume)->reason,
                         upool_resume_refusal(c->resume)->reason
                                 == UPOOL_REASON_FILE_DIGEST
                             ? "md5 checksum does not match"
                             : NULL);
    }
    if (upool_resume_complete(c->resume)) {
        return upool_chunked_refuse(c->r, c->rq,
                                    upool_resume_refusal(c->resume));
    }
    /* Two requests may come at once: the application runs for one of them. */
    return upool_resume_completed_now(c->resume)
               ? upool_complete_run(c->r, c->rq, c->resume)
               : end_again(c->r, c->rq);
}

static int fields_are_in(request_rec *r, upool_request *rq,
                         const upool_refusal *refusal)
{
    upool_chunked *c = rq->own;
    const apr_array_header_t *fields = upool_fieldbody_fields(c->body.fields);
    int needs_md5 = rq->conf->chunked_md5 != 0;
    const char *md5 = refusal ? NULL : upool_fieldbody_value(fields, "md5");
    upool_refusal other;

    if (refusal) {
        return upool_chunked_refuse(r, rq, refusal);
    }
    upool_chunked_read_fields(c, fields);
    if ((!c->says.named && !rq->id[0]) || (needs_md5 && !md5)) {
        return refuse_as(c, UPOOL_REASON_FIELD_MISSING,
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
        return refuse_as(c, UPOOL_REASON_CONTENT_CODING, NULL);
    }
    if (make_fields(c)) {
        return refuse_as(c, UPOOL_REASON_FIELDS, NULL);
    }
    return upool_drive_run(c->r, c->rq, fields_are_in);
}
