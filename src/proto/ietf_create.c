/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "proto/ietf.h"

#include <string.h>
#include <apr_strings.h>

#include "proto/complete.h"
#include "proto/ietf_kept.h"
#include "httpd/drive.h"
#include "httpd/lookup.h"
#include "httpd/resuming.h"
#include "parse/base64.h"
#include "parse/disposition.h"
#include "parse/tusfields.h"

/* tus-js-client sends what it knows of a file as it does in its own protocol,
 * whichever it speaks.  NULL: nothing of that key. */
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

/* 4.2.1: Content-Disposition, of any type, may tell the name.  0, or 1 where it
 * is malformed. */
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

    /* Of a part of the representation this is no type of it. */
    if (type && !upool_ietf_is_partial(type)) {
        return type;
    }
    return from_metadata(r, "filetype");
}

static upool_reason describe(request_rec *r, const upool_request *rq,
                             upool_resume_start *start)
{
    const upool_ietf_head *head = &upool_ietf_of(rq)->head;

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
    if (find_filename(r, &start->filename)) {
        return UPOOL_REASON_UPLOAD_HEADER;
    }
    start->content_type = find_type(r);
    upool_proto_target(r, &start->uri, &start->args);
    return upool_ietf_keep(r, &start->metadata);
}

static int repeat_is_in(request_rec *r, upool_request *rq,
                        const upool_refusal *refusal)
{
    return refusal ? upool_ietf_refuse(r, rq, refusal)
                   : upool_ietf_run_target(r, rq);
}

/* Of one whose length nobody knows nothing tells that it has come again.  0, or
 * 1 with *refusal set. */
static int make(request_rec *r, upool_request *rq, upool_resume_start *start,
                int *repeated, upool_refusal *refusal)
{
    upool_ietf *ietf = upool_ietf_of(rq);

    ietf->resume = ietf->head.complete && start->length >= 0
                       ? upool_complete_create(r, rq, start, repeated, refusal)
                       : upool_resuming_create(r, rq, start, refusal);
    return refusal->reason != UPOOL_REASON_NONE;
}

/* 4.2.2.  Whoever is refused before the resource was announced has nothing to
 * come back to. */
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
        return upool_drive_drop(
            r, rq, upool_complete_repeat(r, rq, ietf->resume), repeat_is_in);
    }
    if (upool_ietf_begin(r, rq, 0, &refusal)) {
        upool_resume_abandon(ietf->resume);
        ietf->resume = NULL;
        return upool_ietf_refuse(r, rq, &refusal);
    }
    upool_ietf_announce(r, rq, location);
    return upool_ietf_run(r, rq);
}
