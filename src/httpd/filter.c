/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "httpd/filter.h"

#include <http_protocol.h>

#include "httpd/body.h"
#include "httpd/handoff.h"
#include "httpd/log.h"
#include "httpd/trailers.h"

/* Situations to contend with:
 *
 * 1. The drive takes the upload in: it pulls from f->next itself, so this
 *    function is not called.
 * 2. The handler, or a filter in front of it, reads: it gets what stands in
 *    for the upload, in the read mode that it asks for, then end of stream as
 *    often as it asks.
 * 3. mod_rewrite in .htaccess, DirectoryIndex or UploadPass redirect
 *    internally: the new request has no resource filters, so the filter is
 *    added again, on the same state; it goes on where the first one stopped.
 * 4. An ErrorDocument is such a redirect too, but must not get the body of
 *    the request that failed, whoever refused it: httpd leaves it what was not
 *    read.  There the filter has no state and gives nothing.
 * 5. The upload was refused: httpd discards what is left of the body, through
 *    this filter.
 * 6. A handler that runs before our own reads the body of a pending upload:
 *    it would see the multipart bytes past every limit, so it gets an error. */

/* For a stream of HTTP/2 it is worth reading this much of an unwanted body. */
#define SHORT_BODY 65536

/* Gives the next bytes, at most that many; keep: as a copy. */
static apr_status_t give_bytes(apr_bucket_brigade *bb, apr_bucket_brigade *rest,
                               apr_off_t bytes, int keep)
{
    apr_bucket *end = NULL;
    apr_bucket *b;
    apr_status_t rv = apr_brigade_partition(rest, bytes, &end);

    if (rv != APR_SUCCESS && rv != APR_INCOMPLETE) {
        return rv;
    }
    b = APR_BRIGADE_FIRST(rest);
    while (b != APR_BRIGADE_SENTINEL(rest) && b != end) {
        apr_bucket *next = APR_BUCKET_NEXT(b);

        if (keep) {
            apr_bucket *copy;

            rv = apr_bucket_copy(b, &copy);
            if (rv) {
                return rv;
            }
            b = copy;
        }
        else {
            APR_BUCKET_REMOVE(b);
        }
        APR_BRIGADE_INSERT_TAIL(bb, b);
        b = next;
    }
    return APR_SUCCESS;
}

/* Gives the part of rest that mode asks for. */
static apr_status_t give(apr_bucket_brigade *bb, apr_bucket_brigade *rest,
                         ap_input_mode_t mode, apr_read_type_e block,
                         apr_off_t bytes)
{
    switch (mode) {
    case AP_MODE_READBYTES:
        return give_bytes(bb, rest, bytes, 0);
    case AP_MODE_SPECULATIVE:
        return give_bytes(bb, rest, bytes, 1);
    case AP_MODE_EXHAUSTIVE:
        APR_BRIGADE_CONCAT(bb, rest);
        return APR_SUCCESS;
    case AP_MODE_GETLINE:
        return apr_brigade_split_line(bb, rest, block, HUGE_STRING_LEN);
    case AP_MODE_EATCRLF:
    case AP_MODE_INIT:
        break;
    }
    return APR_SUCCESS;
}

static apr_status_t nothing(ap_filter_t *f, apr_bucket_brigade *bb,
                            ap_input_mode_t mode, apr_read_type_e block,
                            apr_off_t bytes)
{
    if (mode == AP_MODE_INIT || mode == AP_MODE_EATCRLF) {
        return ap_get_brigade(f->next, bb, mode, block, bytes);
    }
    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_eos_create(f->c->bucket_alloc));
    return APR_SUCCESS;
}

/* How many bytes one read gets: a line is read as httpd's core would, and a
 * reader of everything gets the files whole. */
static apr_off_t bytes_for(ap_input_mode_t mode, apr_off_t asked)
{
    if (mode == AP_MODE_EXHAUSTIVE) {
        return 0;
    }
    if (mode == AP_MODE_GETLINE) {
        return HUGE_STRING_LEN;
    }
    return asked < UPOOL_HANDOFF_MOST ? asked : UPOOL_HANDOFF_MOST;
}

/* EATCRLF is about the connection between two requests, not about a body. */
static apr_status_t replay(ap_filter_t *f, apr_bucket_brigade *bb,
                           upool_request *rq, ap_input_mode_t mode,
                           apr_read_type_e block, apr_off_t bytes)
{
    apr_bucket_brigade *rest;
    apr_status_t rv;

    if (f->r->eos_sent) {
        /* The answer is out: httpd discards what the application has not read,
         * and we need not read it for that. */
        return nothing(f, bb, mode, block, bytes);
    }
    if (mode == AP_MODE_EATCRLF) {
        return ap_get_brigade(f->next, bb, mode, block, bytes);
    }
    if (mode == AP_MODE_INIT) {
        return APR_SUCCESS;
    }
    bytes = bytes_for(mode, bytes);
    rest = upool_handoff_rest(f->r, rq, bytes);
    if (!rest) {
        return APR_EGENERAL;
    }
    rv = give(bb, rest, mode, block, bytes);
    if (rv == APR_SUCCESS && mode != AP_MODE_SPECULATIVE) {
        rest = upool_handoff_rest(f->r, rq, 0);
    }
    /* End of stream: nothing was left to give, or this was the last of it. */
    if (rv == APR_SUCCESS && rest
        && (APR_BRIGADE_EMPTY(bb)
            || (mode != AP_MODE_SPECULATIVE && APR_BRIGADE_EMPTY(rest)))) {
        APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_eos_create(f->c->bucket_alloc));
    }
    return rv;
}

static apr_status_t filter_body(ap_filter_t *f, apr_bucket_brigade *bb,
                                ap_input_mode_t mode, apr_read_type_e block,
                                apr_off_t bytes)
{
    upool_request *rq = f->ctx;

    if (!rq) {
        return nothing(f, bb, mode, block, bytes);
    }
    switch (rq->intake) {
    case UPOOL_INTAKE_SUBSTITUTED:
        return replay(f, bb, rq, mode, block, bytes);
    case UPOOL_INTAKE_PENDING:
    case UPOOL_INTAKE_TAKING:
        if (mode == AP_MODE_INIT || mode == AP_MODE_EATCRLF) {
            break;
        }
        upool_rlog(f->r, ERR, 0, 28,
                   "a handler wants the body of upload %s before it was taken"
                   " in; it gets none",
                   upool_log_ident(f->r->pool, rq->id));
        return APR_EGENERAL;
    case UPOOL_INTAKE_NONE:
    case UPOOL_INTAKE_REFUSED:
        break;
    }
    return ap_get_brigade(f->next, bb, mode, block, bytes);
}

void upool_filter_register(void)
{
    /* It stands nearer to the handler than any resource filter, even one that a
     * module has added before us (mod_upload_progress does so in fixups): such
     * a filter is to see the upload, not what stands in for it. */
    ap_register_input_filter(UPOOL_FILTER_NAME, filter_body, NULL,
                             (ap_filter_type)(AP_FTYPE_RESOURCE - 1));
}

/* Our filter where it stands nearest to the handler, else NULL. */
static ap_filter_t *find_ours(const request_rec *r)
{
    ap_filter_t *f = r->input_filters;

    return f && f->frec == ap_get_input_filter_handle(UPOOL_FILTER_NAME) ? f
                                                                         : NULL;
}

void upool_filter_settle(request_rec *r)
{
    ap_filter_t *ours = find_ours(r);
    const upool_request *rq = ours ? ours->ctx : NULL;

    if (rq && rq->intake == UPOOL_INTAKE_SUBSTITUTED) {
        r->proto_input_filters = ours;
    }
}

/* The upload whose failure r answers; NULL when there is none. */
static const upool_request *failed_upload(const request_rec *r)
{
    const request_rec *prev;
    const upool_request *rq;

    for (prev = r->prev; prev && r->status != HTTP_OK; prev = prev->prev) {
        rq = upool_request_get(prev);
        if (rq
            && (rq->intake == UPOOL_INTAKE_REFUSED
                || rq->intake == UPOOL_INTAKE_SUBSTITUTED
                || rq->intake == UPOOL_INTAKE_PENDING)) {
            return rq;
        }
    }
    return NULL;
}

/* Where another module has refused the request (mod_security, mod_rewrite),
 * nothing about its connection is settled: the body may be long, or the client
 * may not send it before we ask for it. */
static int is_worth_reading(const request_rec *r, const upool_request *rq)
{
    return rq->intake != UPOOL_INTAKE_PENDING
           || (r->connection->master && !r->expecting_100
               && rq->content_length >= 0 && rq->content_length <= SHORT_BODY);
}

/* A filter that hides the rest of the body from the document also hides it from
 * httpd, which discards it afterwards: unless it is read here, the rest would
 * be taken for the next request of the connection.  Either it is short, or the
 * refusal has settled that the connection closes, as it does where nothing is
 * read. */
static void hide_body(request_rec *r, const upool_request *rq)
{
    ap_filter_t *ours = find_ours(r);

    if (ours) {
        ap_remove_input_filter(ours);
    }
    if (!is_worth_reading(r, rq) || ap_discard_request_body(r) != OK
        || ap_status_drops_connection(r->status)) {
        r->connection->keepalive = AP_CONN_CLOSE;
    }
    r->headers_in = apr_table_copy(r->pool, r->headers_in);
    apr_table_unset(r->headers_in, "Content-Length");
    apr_table_unset(r->headers_in, "Transfer-Encoding");
    ap_add_input_filter(UPOOL_FILTER_NAME, NULL, r, r->connection);
}

void upool_filter_insert(request_rec *r)
{
    upool_request *rq = upool_request_get(r);
    const upool_request *failed;

    if (rq && rq->intake == UPOOL_INTAKE_PENDING) {
        rq->body->filter =
            ap_add_input_filter(UPOOL_FILTER_NAME, rq, r, r->connection);
        upool_trailers_insert(r, rq);
        return;
    }
    if (r->main) {
        return;
    }
    /* The request for an ErrorDocument has the status of the error; a redirect
     * that continues the request has not. */
    rq = r->prev ? upool_request_substituted(r->prev) : NULL;
    if (rq && r->status == HTTP_OK) {
        /* A settled filter has come along with the redirect. */
        if (find_ours(r)) {
            return;
        }
        ap_add_input_filter(UPOOL_FILTER_NAME, rq, r, r->connection);
    }
    else {
        failed = failed_upload(r);
        if (failed) {
            hide_body(r, failed);
        }
    }
}

/* Takes the filter out of the request's filters behind ours.  1 where there was
 * one. */
static int take_out(const upool_request *rq, const char *name)
{
    const ap_filter_rec_t *rec = ap_get_input_filter_handle(name);
    ap_filter_t *f = rq->body->filter->next;
    int found = 0;

    while (rec && f) {
        ap_filter_t *next = f->next;

        if (f->frec == rec) {
            ap_remove_input_filter(f);
            found = 1;
        }
        f = next;
    }
    return found;
}

/* mod_request's filter that keeps a body for sub-requests (KeptBodySize) takes
 * a non-blocking read that finds nothing for an error: it drops what it has,
 * and writes through a null pointer when more comes.  Nobody wants it to keep
 * the upload anyway: a sub-request inherits what the application reads. */
void upool_filter_replace_keeper(upool_request *rq)
{
    rq->keeps_body |= take_out(rq, "KEEP_BODY");
}

void upool_filter_keep_coded(const upool_request *rq)
{
    take_out(rq, "DEFLATE");
}

int upool_filter_only_blocks(const upool_request *rq)
{
    const ap_filter_rec_t *perl =
        ap_get_input_filter_handle("MODPERL_REQUEST_INPUT");
    const ap_filter_t *f = perl ? rq->body->filter->next : NULL;

    while (f && f->frec != perl) {
        f = f->next;
    }
    return f != NULL;
}

apr_status_t upool_filter_pull(upool_request *rq, apr_read_type_e block,
                               apr_off_t bytes)
{
    return ap_get_brigade(rq->body->filter->next, rq->body->pulled,
                          AP_MODE_READBYTES, block, bytes);
}
