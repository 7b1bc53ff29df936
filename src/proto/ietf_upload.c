/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "proto/ietf.h"

#include <string.h>
#include <apr_cstr.h>
#include <apr_strings.h>
#include <http_core.h>

#include "httpd/drive.h"
#include "httpd/filter.h"
#include "httpd/log.h"
#include "httpd/lookup.h"
#include "httpd/reply.h"
#include "httpd/resuming.h"
#include "parse/base64.h"
#include "parse/disposition.h"
#include "parse/tusfields.h"
#include "proto/complete.h"
#include "upload/file.h"

/* Older versions gave appends no media type. */
#define INTEROP_MEDIA_TYPE 6
/* Up to this interop version an append that is not the last is answered with
 * 201. */
#define INTEROP_CREATED 6

/* --- Begin ---------------------------------------------------------------- */

/* Two numbers for the length, or one and the length already known, must agree
 * (4.1.3).  Checked before either is recorded. */
static int lengths_agree(const upool_ietf *ietf, const upool_request *rq,
                         apr_off_t offset)
{
    apr_off_t known = upool_resume_length(ietf->resume);
    apr_off_t said = ietf->head.length;
    apr_off_t content = rq->content_length;

    if (said >= 0 && known >= 0 && said != known) {
        return 0;
    }
    if (said < 0) {
        said = known;
    }
    if (said < 0 || content < 0) {
        return 1;
    }
    return ietf->head.complete ? said - offset == content
                               : said - offset >= content;
}

/* Records what the request says of the length.  0, or 1 when refused. */
static int record_length(const upool_ietf *ietf, const upool_request *rq,
                         apr_off_t offset)
{
    if (ietf->head.length >= 0
        && upool_resume_set_length(ietf->resume, ietf->head.length)) {
        return 1;
    }
    return ietf->head.complete && rq->content_length >= 0
           && upool_resume_set_length(ietf->resume,
                                      offset + rq->content_length);
}

static const upool_digestfield *content_digest(request_rec *r, int *malformed)
{
    const char *text = apr_table_get(r->headers_in, "Content-Digest");
    upool_digestfield *digest;

    if (!text) {
        return NULL;
    }
    digest = apr_palloc(r->pool, sizeof(*digest));
    *malformed = upool_digestfield_parse(text, strlen(text), digest) != 0;
    return digest;
}

/* Checks the request before any of its content is read, and before the upload
 * is touched. */
static upool_reason judge_content(request_rec *r, const upool_request *rq,
                                  apr_off_t offset, upool_resume_append *append)
{
    apr_off_t limit = ap_get_limit_req_body(r);
    int malformed = 0;

    append->announced.content = content_digest(r, &malformed);
    if (malformed) {
        return UPOOL_REASON_DIGEST_SYNTAX;
    }
    if (limit > 0 && rq->content_length > limit) {
        return UPOOL_REASON_BODY_TOO_LARGE;
    }
    return lengths_agree(upool_ietf_of(rq), rq, offset)
               ? UPOOL_REASON_NONE
               : UPOOL_REASON_UPLOAD_LENGTH;
}

static int begin(request_rec *r, upool_request *rq, apr_off_t offset,
                 upool_refusal *refusal)
{
    upool_ietf *ietf = upool_ietf_of(rq);
    upool_resume_append append = UPOOL_RESUME_APPEND;
    upool_reason reason = judge_content(r, rq, offset, &append);

    if (reason) {
        *refusal = upool_refusal_make(reason, 0, NULL);
        return 1;
    }
    ietf->begin = offset;
    append.offset = offset;
    append.content_length = rq->content_length;
    append.last = ietf->head.complete;
    /* The last byte does not complete it: the client does (4.1.2), once the
     * whole has been compared with its digest. */
    append.stay_open = 1;
    if (record_length(ietf, rq, offset)
        || upool_resume_begin(ietf->resume, &append)) {
        *refusal = *upool_resume_refusal(ietf->resume);
        return 1;
    }
    upool_filter_keep_coded(rq);
    return 0;
}

/* --- And what comes after ------------------------------------------------- */

static int keep_going(request_rec *r, upool_request *rq)
{
    const upool_ietf *ietf = upool_ietf_of(rq);
    int status =
        rq->creates
                || (ietf->head.interop && ietf->head.interop <= INTEROP_CREATED)
            ? HTTP_CREATED
            : HTTP_NO_CONTENT;

    rq->intake = UPOOL_INTAKE_NONE;
    upool_ietf_set_state(r, rq);
    if (rq->creates) {
        apr_table_setn(r->headers_out, "Location", upool_proto_location(r, rq));
    }
    return upool_reply_text(r, status, NULL, "");
}

/* An upload that would exceed its client's length, or the limit, is of no more
 * use (4.4). */
static int is_beyond_repair(const upool_refusal *refusal)
{
    return refusal->reason == UPOOL_REASON_OVERRUN
           || refusal->reason == UPOOL_REASON_BODY_TOO_LARGE
           || refusal->reason == UPOOL_REASON_FILE_TOO_LARGE;
}

/* The client has given up the request, so no one waits for the rest (4.6). */
static int is_superseded(const upool_refusal *refusal)
{
    return refusal->reason == UPOOL_REASON_TAKEN
           || refusal->reason == UPOOL_REASON_CLEARED;
}

static int give_up(request_rec *r, upool_request *rq,
                   const upool_refusal *refusal)
{
    upool_ietf *ietf = upool_ietf_of(rq);
    upool_refusal told = *refusal;

    if (is_beyond_repair(refusal)) {
        upool_resume_discard(ietf->resume, refusal->reason);
        ietf->gone = 1;
    }
    if (is_superseded(refusal)) {
        told.reset = 1;
        ietf->gone = 1;
    }
    return upool_ietf_refuse(r, rq, &told);
}

static int run_target(request_rec *r, upool_request *rq)
{
    upool_ietf *ietf = upool_ietf_of(rq);

    rq->outcome.coding =
        upool_ietf_coding(upool_resume_about(ietf->resume), r->pool);
    return upool_complete_run(r, rq, ietf->resume);
}

/* The representation is all there: is it what was announced (10.1)?  If not, it
 * is not processed, and no append can mend it.  Checks of the complete file may
 * refuse it for good too; an error in them is worth another try. */
static int complete(request_rec *r, upool_request *rq)
{
    upool_ietf *ietf = upool_ietf_of(rq);
    upool_refusal refusal;

    if (upool_ietf_check_digest(ietf->resume)) {
        refusal = *upool_resume_refusal(ietf->resume);
        upool_resume_discard(ietf->resume, refusal.reason);
        ietf->gone = 1;
        return upool_ietf_refuse(r, rq, &refusal);
    }
    if (!upool_resume_complete(ietf->resume)) {
        return run_target(r, rq);
    }
    refusal = *upool_resume_refusal(ietf->resume);
    ietf->gone = refusal.status < HTTP_INTERNAL_SERVER_ERROR
                 && refusal.reason != UPOOL_REASON_BUSY;
    ietf->processed = ietf->gone;
    return upool_ietf_refuse(r, rq, &refusal);
}

static int content_is_in(request_rec *r, upool_request *rq,
                         const upool_refusal *refusal)
{
    upool_ietf *ietf = upool_ietf_of(rq);

    if (refusal) {
        return give_up(r, rq, refusal);
    }
    return ietf->head.complete ? complete(r, rq) : keep_going(r, rq);
}

static int run(request_rec *r, upool_request *rq)
{
    const upool_ietf *ietf = upool_ietf_of(rq);

    upool_rlog(r, DEBUG, 0, 75,
               "upload %s: %" APR_OFF_T_FMT
               " bytes announced at %" APR_OFF_T_FMT "%s, interop version %d",
               upool_log_ident(r->pool, rq->id), rq->content_length,
               ietf->begin, ietf->head.complete ? ", the last" : "",
               ietf->head.interop);
    upool_ietf_wrap(r, rq);
    return upool_drive_run(r, rq, content_is_in);
}

/* --- A request that creates ----------------------------------------------- */

/* tus-js-client sends a file's metadata as in its own protocol, whichever it
 * speaks.  NULL: none under that key. */
static const char *from_metadata(request_rec *r, const char *key)
{
    const char *text = apr_table_get(r->headers_in, "Upload-Metadata");
    apr_size_t len = text ? strlen(text) : 0;
    upool_tus_reader reader;
    upool_tus_pair pair;
    char *value;

    if (!text || !upool_tus_metadata_is_good(text, len)) {
        return NULL;
    }
    reader.at = text;
    reader.end = text + len;
    while (upool_tus_pair_next(&reader, &pair) > 0) {
        if (pair.key_len == strlen(key)
            && !strncmp(pair.key, key, pair.key_len)) {
            value = apr_pcalloc(r->pool, pair.value_len + 1);
            upool_base64_decode((unsigned char *)value, pair.value_len,
                                pair.value, pair.value_len);
            return value;
        }
    }
    return NULL;
}

/* 4.2.1: Content-Disposition, of any type, may give the name.  0, or 1 if it is
 * malformed. */
static int find_filename(request_rec *r, const char **filename)
{
    const char *text = apr_table_get(r->headers_in, "Content-Disposition");
    apr_size_t len = text ? strlen(text) : 0;
    char *name = apr_palloc(r->pool, UPOOL_DISPOSITION_ROOM(len));

    *filename = NULL;
    switch (text ? upool_disposition_filename(text, len, name) : 0) {
    case 1:
        *filename = name;
        return 0;
    case 0:
        *filename = from_metadata(r, "filename");
        return 0;
    default:
        return 1;
    }
}

static const char *find_type(request_rec *r)
{
    const char *type = apr_table_get(r->headers_in, "Content-Type");

    /* The type of a partial body is not that of the representation. */
    if (type && !upool_ietf_is_partial(type)) {
        return type;
    }
    return from_metadata(r, "filetype");
}

static upool_reason describe(request_rec *r, const upool_request *rq,
                             upool_resume_start *start)
{
    const upool_ietf_head *head = &upool_ietf_of(rq)->head;
    const char *filename = NULL;

    start->protocol = UPOOL_IETF_PROTOCOL;
    start->length = head->length;
    if (head->complete && rq->content_length >= 0) {
        if (head->length >= 0 && head->length != rq->content_length) {
            return UPOOL_REASON_UPLOAD_LENGTH;
        }
        start->length = rq->content_length;
    }
    if (start->length >= 0 && rq->content_length > start->length) {
        return UPOOL_REASON_UPLOAD_LENGTH;
    }
    if (find_filename(r, &filename)) {
        return UPOOL_REASON_UPLOAD_HEADER;
    }
    start->file = upool_file_of_head(NULL, filename, find_type(r), r->pool);
    upool_proto_target(r, &start->uri, &start->args);
    return upool_ietf_keep(r, &start->metadata);
}

static int repeat_is_in(request_rec *r, upool_request *rq,
                        const upool_refusal *refusal)
{
    return refusal ? upool_ietf_refuse(r, rq, refusal) : run_target(r, rq);
}

/* A repeat cannot be recognised while the length is unknown.  0, or 1 with
 * *refusal set. */
static int make(request_rec *r, upool_request *rq, upool_resume_start *start,
                int *repeated, upool_refusal *refusal)
{
    upool_ietf *ietf = upool_ietf_of(rq);

    ietf->resume = ietf->head.complete && start->length >= 0
                       ? upool_complete_create(r, rq, start, repeated, refusal)
                       : upool_resuming_create(r, rq, start, refusal);
    return refusal->reason != UPOOL_REASON_NONE;
}

/* 4.2.2.  A client that is refused before the resource was announced has
 * nothing to come back to. */
int upool_ietf_create(request_rec *r, upool_request *rq)
{
    upool_ietf *ietf = upool_ietf_of(rq);
    upool_resume_start start = UPOOL_RESUME_START;
    upool_reason reason = describe(r, rq, &start);
    upool_refusal refusal = upool_refusal_make(reason, 0, NULL);
    const char *location = upool_proto_location(r, rq);
    int repeated = 0;

    if (!location) {
        refusal = upool_refusal_make(UPOOL_REASON_IO, 0, "cannot sign");
    }
    if (refusal.reason) {
        return upool_ietf_refuse(r, rq, &refusal);
    }
    if (make(r, rq, &start, &repeated, &refusal)) {
        ietf->resume = NULL;
        return upool_ietf_refuse(r, rq, &refusal);
    }
    if (repeated) {
        upool_ietf_announce(r, rq, location);
        /* The bytes on record are coded, too. */
        upool_filter_keep_coded(rq);
        return upool_drive_drop(
            r, rq, upool_complete_repeat(r, rq, ietf->resume), repeat_is_in);
    }
    if (begin(r, rq, 0, &refusal)) {
        upool_resume_abandon(ietf->resume, UPOOL_ABANDON_EMPTY);
        ietf->resume = NULL;
        return upool_ietf_refuse(r, rq, &refusal);
    }
    upool_ietf_announce(r, rq, location);
    return run(r, rq);
}

/* --- One that appends ----------------------------------------------------- */

static upool_reason judge_head(const request_rec *r, const upool_ietf *ietf)
{
    int interop = ietf->head.interop;

    if (!upool_ietf_is_partial(apr_table_get(r->headers_in, "Content-Type"))
        && (!interop || interop >= INTEROP_MEDIA_TYPE)) {
        return UPOOL_REASON_NOT_AN_UPLOAD;
    }
    return ietf->head.offset < 0 || ietf->head.complete < 0
               ? UPOOL_REASON_UPLOAD_HEADER
               : UPOOL_REASON_NONE;
}

static int nothing_came(request_rec *r, upool_request *rq,
                        const upool_refusal *refusal)
{
    upool_refusal late = upool_refusal_make(UPOOL_REASON_COMPLETE, 0, NULL);

    if (!refusal && upool_ietf_of(rq)->head.complete) {
        return run_target(r, rq);
    }
    return upool_ietf_refuse(r, rq, refusal ? refusal : &late);
}

/* The client has lost the final answer, and completes the complete upload
 * again: it gets the answer again.  Any other append is too late (4.4.2). */
static int append_to_complete(request_rec *r, upool_request *rq)
{
    upool_ietf *ietf = upool_ietf_of(rq);
    upool_reason reason = UPOOL_REASON_NONE;
    upool_refusal refusal;

    if (ietf->head.offset != upool_resume_offset(ietf->resume)) {
        reason = UPOOL_REASON_OFFSET;
    }
    else if (ietf->head.length >= 0 && ietf->head.length != ietf->head.offset) {
        reason = UPOOL_REASON_UPLOAD_LENGTH;
    }
    if (!reason) {
        return upool_drive_empty(r, rq, UPOOL_REASON_UPLOAD_LENGTH,
                                 nothing_came);
    }
    refusal = upool_refusal_make(reason, 0, NULL);
    return upool_ietf_refuse(r, rq, &refusal);
}

/* 0, or 1 with *refusal set. */
static int look(upool_request *rq, upool_refusal *refusal)
{
    const upool_ietf *ietf = upool_ietf_of(rq);

    if (upool_ietf_settle(rq, refusal)) {
        return 1;
    }
    if (upool_resume_is_complete(ietf->resume)
        || ietf->head.offset == upool_resume_offset(ietf->resume)) {
        return 0;
    }
    *refusal = upool_refusal_make(UPOOL_REASON_OFFSET, 0, NULL);
    return 1;
}

/* A request that still writes is ended first: the offset that counts is the one
 * after that.  Another request may have completed the upload by the time that
 * we begin, so we look again. */
int upool_ietf_append(request_rec *r, upool_request *rq)
{
    upool_ietf *ietf = upool_ietf_of(rq);
    upool_refusal refusal = UPOOL_NO_REFUSAL;
    upool_reason reason = judge_head(r, ietf);

    if (reason) {
        refusal = upool_refusal_make(reason, 0, NULL);
        return upool_ietf_refuse(r, rq, &refusal);
    }
    do {
        if (upool_ietf_open(r, rq, &refusal) || look(rq, &refusal)) {
            return upool_ietf_refuse(r, rq, &refusal);
        }
        if (upool_resume_is_complete(ietf->resume)) {
            return append_to_complete(r, rq);
        }
        if (!begin(r, rq, ietf->head.offset, &refusal)) {
            return run(r, rq);
        }
    } while (refusal.reason == UPOOL_REASON_COMPLETE);
    return upool_ietf_refuse(r, rq, &refusal);
}
