/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "httpd/intake.h"

#include <string.h>
#include <apr_cstr.h>
#include <apr_strings.h>
#include <http_core.h>

#include "httpd/body.h"
#include "httpd/handlers.h"
#include "httpd/lookup.h"
#include "httpd/shared.h"
#include "httpd/slots.h"

/* Before anything is read, a filter behind ours that sets content (mod_deflate)
 * is a promise that the coding will be decoded. */
static int has_decoder(const upool_request *rq)
{
    const ap_filter_t *f;

    for (f = rq->body->filter->next; f; f = f->next) {
        if (f->frec->ftype == AP_FTYPE_CONTENT_SET) {
            return 1;
        }
    }
    return 0;
}

int upool_intake_is_encoded(const request_rec *r, const upool_request *rq,
                            int before)
{
    const char *coding = apr_table_get(r->headers_in, "Content-Encoding");

    if (!coding || !*coding || !ap_cstr_casecmp(coding, "identity")) {
        return 0;
    }
    return !before || !has_decoder(rq);
}

/* NULL where the field is missing, or malformed: then *malformed is 1. */
static const upool_digestfield *read_digest(const request_rec *r,
                                            const char *header, int *malformed)
{
    const char *text = apr_table_get(r->headers_in, header);
    upool_digestfield *digest;

    if (!text) {
        return NULL;
    }
    digest = apr_palloc(r->pool, sizeof(*digest));
    if (upool_digestfield_parse(text, strlen(text), digest)) {
        *malformed = 1;
        return NULL;
    }
    return digest;
}

/* Both fields describe the bytes before a content coding is undone (RFC 9530 2
 * and 3).  Where there is a coding we do not see those bytes, so the fields are
 * ignored, as the RFC allows.  Under a Content-Range the representation is more
 * than this content.  Returns 1 where one of the fields is malformed. */
int upool_intake_digests(const request_rec *r, const upool_request *rq,
                         upool_content_digests *digests)
{
    int malformed = 0;

    if (upool_intake_is_encoded(r, rq, 0)) {
        return 0;
    }
    digests->content = read_digest(r, "Content-Digest", &malformed);
    if (!apr_table_get(r->headers_in, "Content-Range")) {
        digests->repr = read_digest(r, "Repr-Digest", &malformed);
    }
    return malformed;
}

static void set_options(request_rec *r, const upool_request *rq,
                        upool_store *store, upool_upload_options *options)
{
    /* A setting that is not made here is off. */
    memset(options, 0, sizeof(*options));
    options->identifier = rq->id;
    options->minted = rq->minted;
    options->owner = rq->owner;
    /* The length of a coded body is not that of the bytes that will be
     * counted. */
    options->content_length = apr_table_get(r->headers_in, "Content-Encoding")
                                  ? -1
                                  : rq->content_length;
    options->limits = upool_config_limits(rq->conf);
    options->rules.list[0] = rq->conf->rules;
    options->rules.list[1] = rq->conf->local_rules;
    options->digest_field = rq->conf->digest_field && *rq->conf->digest_field
                                ? rq->conf->digest_field
                                : NULL;
    options->utf8_names = rq->conf->utf8_names == 1;
    options->quota = upool_config_quota(rq->conf, r->server, r->pool);
    options->store = store;
    upool_shared_account(r, rq->conf, rq->id, &options->account);
    options->now = apr_time_now;
    options->r = r;
}

/* The core filter enforces LimitRequestBody too, but only once somebody reads
 * from it; checked here, the answer comes before "100 Continue" and in our
 * form. */
static int is_over_server_limit(request_rec *r, const upool_request *rq)
{
    apr_off_t limit = ap_get_limit_req_body(r);

    return limit > 0 && rq->content_length > limit;
}

upool_reason upool_intake_judge(request_rec *r, const upool_request *rq,
                                const char **detail)
{
    *detail = NULL;
    if (!rq->boundary_len) {
        return UPOOL_REASON_BOUNDARY;
    }
    if (upool_intake_is_encoded(r, rq, 1)) {
        return UPOOL_REASON_CONTENT_CODING;
    }
    if (is_over_server_limit(r, rq)) {
        *detail = "over LimitRequestBody";
        return UPOOL_REASON_BODY_TOO_LARGE;
    }
    return UPOOL_REASON_NONE;
}

/* Finds the owner of the upload with this identifier, whatever its state,
 * unless it has expired; *owner is NULL when nobody owns it.  In r->pool.
 * After an error the owner is unknown. */
static apr_status_t find_owner(const char **owner, request_rec *r,
                               const upool_request *rq, upool_store *store)
{
    apr_time_t born = r->request_time - upool_config_expires(rq->conf);
    upool_slot_record slot;
    upool_record *record = NULL;
    apr_status_t rv;

    *owner = NULL;
    /* An upload that was removed in another way (the tool, rm) has no owner.
     * One that another machine tells of may not be visible here yet. */
    if (upool_shared_lookup(r, rq->conf, rq->id, &slot)
        && (!slot.process || !upool_bucket_is_gone(store, rq->id))) {
        if (slot.owner[0] && slot.updated >= born) {
            *owner = apr_pstrdup(r->pool, slot.owner);
        }
        return APR_SUCCESS;
    }
    rv = upool_bucket_status(&record, store, rq->id, r->pool);
    if (rv) {
        return APR_STATUS_IS_ENOENT(rv) ? APR_SUCCESS : rv;
    }
    if (record->updated >= born) {
        *owner = record->owner;
    }
    return APR_SUCCESS;
}

/* Asked before the slot and the bucket could be taken over.  1 when they may
 * not be. */
static int is_strangers(request_rec *r, const upool_request *rq,
                        upool_store *store, upool_refusal *refusal)
{
    const char *owner;
    apr_status_t rv = find_owner(&owner, r, rq, store);

    if (rv) {
        *refusal = upool_refusal_make(upool_refusal_of_errno(rv), rv,
                                      "the upload cannot be looked at");
    }
    else if (!upool_record_is_open_to(owner, rq->owner)) {
        *refusal =
            upool_refusal_make(UPOOL_REASON_OWNER, 0, "owned by another user");
    }
    return refusal->reason != UPOOL_REASON_NONE;
}

/* The head is judged only when the upload has begun, so that a poller sees the
 * refusal. */
static int hold(request_rec *r, upool_request *rq, int undecided,
                upool_refusal *refusal)
{
    upool_upload_options options;
    upool_store *store;
    upool_reason reason;
    const char *detail;
    int malformed;

    if (upool_handlers_refuse(r->pool, rq->conf, refusal)) {
        return 1;
    }
    store = upool_request_store(r, rq->conf, refusal);
    if (!store) {
        return 1;
    }
    if (!rq->minted && is_strangers(r, rq, store, refusal)) {
        return 1;
    }
    set_options(r, rq, store, &options);
    options.undecided = undecided;
    malformed = upool_intake_digests(r, rq, &options.digests);
    rq->upload = upool_upload_start(&options, r->pool);
    *refusal = *upool_upload_refusal(rq->upload);
    if (refusal->reason) {
        return 1;
    }
    if (!upool_upload_has_slot(rq->upload)) {
        upool_slots_tell_full(r);
    }
    upool_handlers_add(rq, r->pool);
    upool_upload_sink(rq->upload, &rq->sink);
    rq->intake = UPOOL_INTAKE_TAKING;
    reason = upool_intake_judge(r, rq, &detail);
    if (!reason && malformed) {
        reason = UPOOL_REASON_DIGEST_SYNTAX;
    }
    if (reason) {
        upool_upload_refuse(rq->upload, reason, 0, detail);
    }
    else {
        upool_upload_admit(rq->upload);
    }
    *refusal = *upool_upload_refusal(rq->upload);
    return refusal->reason != UPOOL_REASON_NONE;
}

int upool_intake_open(upool_request *rq, upool_refusal *refusal)
{
    upool_upload_open(rq->upload, rq->boundary, rq->boundary_len);
    *refusal = *upool_upload_refusal(rq->upload);
    return refusal->reason != UPOOL_REASON_NONE;
}

int upool_intake_begin(request_rec *r, upool_request *rq,
                       upool_refusal *refusal)
{
    return hold(r, rq, 0, refusal) || upool_intake_open(rq, refusal);
}

int upool_intake_hold(request_rec *r, upool_request *rq, upool_refusal *refusal)
{
    return hold(r, rq, 1, refusal);
}

void upool_intake_withdraw(upool_request *rq)
{
    upool_upload_withdraw(rq->upload);
    rq->upload = NULL;
}

/* 1 for a refusal of the upload itself; other refusals concern the identifier,
 * the server, or an upload that goes on. */
static int is_of_upload(const upool_refusal *refusal)
{
    switch ((int)refusal->reason) {
    case UPOOL_REASON_IDENT_MALFORMED:
    case UPOOL_REASON_IDENT_DOUBLED:
    case UPOOL_REASON_IDENT_REFUSED:
    case UPOOL_REASON_IDENT_MISSING:
    case UPOOL_REASON_OWNER:
    case UPOOL_REASON_BUSY:
    case UPOOL_REASON_EXPIRED:
    case UPOOL_REASON_NOT_FOUND:
    case UPOOL_REASON_VERSION:
    case UPOOL_REASON_POOL:
    case UPOOL_REASON_CONFIGURATION:
    case UPOOL_REASON_COMPLETE:
    case UPOOL_REASON_OTHER_CONTENT:
    case UPOOL_REASON_OFFSET:
    case UPOOL_REASON_CLEARED:
    case UPOOL_REASON_TAKEN:
        return 0;
    default:
        return 1;
    }
}

/* 1 when this would have been the first request of an upload that the client
 * has named by X-Progress-ID, at U itself: nothing exists under that name but,
 * at most, an earlier failure. */
static int is_first(request_rec *r, upool_request *rq)
{
    upool_refusal refusal = UPOOL_NO_REFUSAL;
    const upool_record *record;

    if (rq->front != UPOOL_FRONT_PROTOCOL || !(rq->creates || rq->takes_body)
        || rq->is_resource || rq->base != r->uri || !rq->id[0] || rq->minted) {
        return 0;
    }
    record = upool_known_find(r, rq, &refusal);
    return !refusal.reason
           && (!record
               || (record->state == UPOOL_STATE_ERROR
                   && upool_known_is_mine(record, rq)));
}

int upool_intake_leave_error(request_rec *r, upool_request *rq,
                             const upool_refusal *refusal)
{
    upool_refusal none = UPOOL_NO_REFUSAL;
    upool_upload_options options;
    upool_upload *upload;

    if (!is_of_upload(refusal) || !is_first(r, rq)) {
        return 0;
    }
    set_options(r, rq, upool_known_store(r, rq, &none), &options);
    upload = upool_upload_start(&options, r->pool);
    upool_upload_refuse(upload, refusal->reason, refusal->rv, refusal->detail);
    return 1;
}
