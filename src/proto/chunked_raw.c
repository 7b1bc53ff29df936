/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "proto/chunked.h"

#include <string.h>
#include <apr_strings.h>

#include "httpd/drive.h"
#include "httpd/intake.h"
#include "httpd/reply.h"
#include "parse/disposition.h"

static int refuse(upool_chunked *c, upool_reason reason, const char *detail)
{
    upool_refusal refusal = upool_refusal_make(reason, 0, detail);

    return upool_chunked_refuse(c->r, c->rq, &refusal);
}

/* --- The body is the piece ------------------------------------------------ */

/* What the headers say of the file.  0, or -1. */
static int read_file(const upool_chunked *c, upool_chunk_file *file)
{
    const char *text = apr_table_get(c->r->headers_in, "Content-Disposition");
    apr_size_t len = text ? strlen(text) : 0;
    char *name = apr_palloc(c->r->pool, UPOOL_DISPOSITION_ROOM(len));
    int found = text ? upool_disposition_filename(text, len, name) : 0;

    file->field = NULL;
    file->filename = found == 1 ? name : "";
    file->content_type = apr_table_get(c->r->headers_in, "Content-Type");
    return found < 0 ? -1 : 0;
}

static int piece_is_in(request_rec *r, upool_request *rq,
                       const upool_refusal *refusal)
{
    return refusal ? upool_chunked_refuse(r, rq, refusal)
                   : upool_chunked_taken(rq->own);
}

int upool_chunked_take_raw(upool_chunked *c)
{
    upool_request *rq = c->rq;
    upool_chunk_file file;
    upool_refusal refusal;

    if (upool_intake_is_encoded(c->r, rq, 1)) {
        return refuse(c, UPOOL_REASON_CONTENT_CODING, NULL);
    }
    if (read_file(c, &file)) {
        return refuse(c, UPOOL_REASON_CHUNK_HEADER, "Content-Disposition");
    }
    if (upool_chunked_place(c, &refusal)) {
        return upool_chunked_refuse(c->r, rq, &refusal);
    }
    if (c->length >= 0 && rq->content_length >= 0
        && rq->content_length != c->length) {
        return refuse(c, UPOOL_REASON_CHUNK_SIZE, "Content-Length");
    }
    if (c->length < 0) {
        c->length = rq->content_length;
    }
    if (upool_intake_digests(c->r, rq, &c->digests)) {
        return refuse(c, UPOOL_REASON_DIGEST_SYNTAX, NULL);
    }
    if (upool_chunked_name(c, &refusal)
        || upool_chunked_enter(c, &file, NULL, &rq->sink, &refusal)) {
        return upool_chunked_refuse(c->r, rq, &refusal);
    }
    return upool_drive_run(c->r, rq, piece_is_in);
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
    /* Whoever asks wants to go on: a request that still writes has to stop. */
    if (!upool_resume_is_complete(c->resume)
        && upool_resume_settle(c->resume)) {
        return upool_chunked_refuse(c->r, c->rq,
                                    upool_resume_refusal(c->resume));
    }
    if (upool_resume_length(c->resume) >= 0
        && upool_resume_length(c->resume) != c->range.total) {
        return refuse(c, UPOOL_REASON_UPLOAD_LENGTH, NULL);
    }
    return upool_chunked_tell(c);
}

/* --- Is that piece there? ------------------------------------------------- */

static int is_there(const upool_chunked *c)
{
    const apr_array_header_t *ranges = upool_resume_about(c->resume)->ranges;
    apr_off_t end = c->offset + c->length;
    int i;

    if (end <= upool_resume_offset(c->resume)) {
        return 1;
    }
    for (i = 0; ranges && i < ranges->nelts; i++) {
        const upool_range *range = &APR_ARRAY_IDX(ranges, i, upool_range);

        if (range->start <= c->offset && end <= range->end) {
            return 1;
        }
    }
    return 0;
}

/* Of a complete upload whose name can be guessed from the file's a piece is no
 * longer there when its answer is forgotten: the same name tomorrow is another
 * file's, which is to be sent. */
static int is_current(const upool_chunked *c)
{
    return !upool_resume_is_complete(c->resume)
           || upool_family_is_random(c->piece.kind)
           || upool_resume_record(c->resume)->updated + UPOOL_CHUNKED_REPEATS
                  > c->r->request_time;
}

int upool_chunked_test(upool_chunked *c)
{
    upool_refusal refusal;
    int status = HTTP_NO_CONTENT;

    if (upool_chunked_place(c, &refusal) || upool_chunked_name(c, &refusal)) {
        return upool_chunked_refuse(c->r, c->rq, &refusal);
    }
    if (!upool_chunked_open(c, &refusal)
        && upool_resume_length(c->resume) == c->total && is_current(c)
        && is_there(c)) {
        status = HTTP_OK;
    }
    return upool_reply_text(c->r, status, NULL, "");
}
