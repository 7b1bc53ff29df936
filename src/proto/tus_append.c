/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "proto/tus.h"

#include <http_protocol.h>

#include "proto/complete.h"
#include "httpd/drive.h"
#include "httpd/reply.h"

int upool_tus_is_final(const upool_resume *resume)
{
    const char *concat = upool_resume_about(resume)->concat;

    return concat && ap_strchr_c(concat, ';') != NULL;
}

static int is_partial(const upool_resume *resume)
{
    return upool_resume_about(resume)->concat && !upool_tus_is_final(resume);
}

int upool_tus_settle(request_rec *r, upool_request *rq)
{
    const upool_resume *resume = upool_tus_of(r, rq)->resume;

    rq->intake = UPOOL_INTAKE_NONE;
    if (upool_resume_is_complete(resume)) {
        return upool_complete_run(r, rq, resume);
    }
    upool_tus_tell_expires(r, resume);
    if (upool_tus_has_bytes(r)) {
        upool_tus_tell_offset(r, resume);
    }
    return upool_reply_text(r, rq->creates ? HTTP_CREATED : HTTP_NO_CONTENT,
                            NULL, "");
}

/* Where the bytes would have belonged helps a client that has lost count. */
static int refuse_append(request_rec *r, upool_request *rq,
                         const upool_refusal *refusal)
{
    if (refusal->reason == UPOOL_REASON_OFFSET) {
        upool_tus_tell_offset(r, upool_tus_of(r, rq)->resume);
    }
    return upool_tus_refuse(r, rq, refusal);
}

static int bytes_are_in(request_rec *r, upool_request *rq,
                        const upool_refusal *refusal)
{
    return refusal ? upool_tus_refuse(r, rq, refusal) : upool_tus_settle(r, rq);
}

/* 0, or -1 where the digest is not known. */
static int expect(upool_resume *resume, const upool_tus_append *append)
{
    return append->algorithm ? upool_resume_expect(resume, append->algorithm,
                                                   append->checksum.value.bytes,
                                                   append->checksum.value.len)
                             : 0;
}

/* A digest that came behind the bytes, before they count. */
static upool_reason verify_trailer(void *user, upool_resume *resume)
{
    request_rec *r = user;
    upool_tus_append *append = &upool_tus_of(r, upool_request_get(r))->append;

    /* One that came before them has been said already. */
    if (append->algorithm) {
        return UPOOL_REASON_NONE;
    }
    return upool_tus_trailer_read(r, append) || expect(resume, append)
               ? UPOOL_REASON_DIGEST_SYNTAX
               : UPOOL_REASON_NONE;
}

int upool_tus_take(request_rec *r, upool_request *rq)
{
    upool_tus *tus = upool_tus_of(r, rq);
    upool_resume_append append = UPOOL_RESUME_APPEND;

    append.offset = tus->append.offset;
    append.content_length = rq->content_length;
    append.stay_open = is_partial(tus->resume);
    if (tus->append.trailer) {
        append.verify = verify_trailer;
        append.user = r;
    }
    append.may_be_refused = tus->append.trailer || tus->append.algorithm;
    if (upool_resume_begin(tus->resume, &append)) {
        return refuse_append(r, rq, upool_resume_refusal(tus->resume));
    }
    expect(tus->resume, &tus->append);
    upool_resume_sink(tus->resume, &rq->sink);
    return upool_drive_run(r, rq, bytes_are_in);
}

/* A length that comes late must change nothing where the offset is wrong, so
 * the offset is looked at before: with nobody writing who could move it. */
static int set_length(upool_tus *tus)
{
    if (tus->append.length < 0) {
        return 0;
    }
    if (upool_resume_settle(tus->resume)) {
        return 1;
    }
    return tus->append.offset == upool_resume_offset(tus->resume)
           && upool_resume_set_length(tus->resume, tus->append.length);
}

/* Of an upload that is complete the one PATCH that is right is the last one
 * again, with nothing in it: for its answer, which got lost. */
static int patch_complete(request_rec *r, upool_request *rq,
                          const upool_tus *tus)
{
    if (tus->append.offset != upool_resume_offset(tus->resume)) {
        upool_tus_tell_offset(r, tus->resume);
        return upool_tus_refuse_for(r, rq, UPOOL_REASON_OFFSET, NULL);
    }
    return upool_drive_empty(r, rq, UPOOL_REASON_OVERRUN, bytes_are_in);
}

int upool_tus_patch(request_rec *r, upool_request *rq)
{
    int answer;
    const char *bad;
    upool_tus *tus;

    if (!upool_tus_has_bytes(r)) {
        return upool_tus_refuse_for(r, rq, UPOOL_REASON_NOT_AN_UPLOAD,
                                    "not " UPOOL_TUS_MEDIA_TYPE);
    }
    bad = upool_tus_append_read(r, &upool_tus_of(r, rq)->append);
    if (bad) {
        return upool_tus_refuse_field(r, rq, bad);
    }
    tus = upool_tus_open(r, rq, &answer);
    if (!tus) {
        return answer;
    }
    if (upool_tus_is_final(tus->resume)) {
        return upool_tus_refuse_for(r, rq, UPOOL_REASON_FINAL, NULL);
    }
    if (upool_resume_is_complete(tus->resume)) {
        return patch_complete(r, rq, tus);
    }
    if (set_length(tus)) {
        return upool_tus_refuse(r, rq, upool_resume_refusal(tus->resume));
    }
    return upool_tus_take(r, rq);
}
