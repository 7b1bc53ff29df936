/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "proto/chunked.h"

#include <string.h>
#include <apr_strings.h>

#include "httpd/drive.h"
#include "httpd/intake.h"
#include "httpd/lookup.h"
#include "httpd/reply.h"
#include "httpd/shared.h"
#include "parse/disposition.h"
#include "proto/complete.h"
#include "store/resumable_look.h"
#include "upload/choice.h"
#include "upload/file.h"

/* Pause until we check again whether the upload in the way is decided. */
#define PAUSE apr_time_from_msec(10)

static int refuse_for(upool_chunked *c, upool_reason reason, const char *detail)
{
    upool_refusal refusal = upool_refusal_make(reason, 0, detail);

    return upool_chunked_refuse(c->r, c->rq, &refusal);
}

/* --- A file before its name ----------------------------------------------- */

/* A form whose file came before the fields that name its upload, or a first
 * piece that makes an upload anew.  The bytes were stored as a new upload; if
 * they belong to another one, they are copied there and the new one is
 * deleted. */

static apr_status_t copy_bytes(void *user, const char *data, apr_size_t len)
{
    const upool_sink *sink = user;

    return upool_sink_feed(sink, data, len) || upool_sink_flush(sink)
               ? APR_EGENERAL
               : APR_SUCCESS;
}

/* Copies all bytes of the upload made, as an append.  0, or 1 with the sink
 * refused. */
static int copy(upool_chunked *c, upool_sink *sink, upool_store *store,
                const char *made)
{
    upool_resumable_look *from = NULL;
    apr_status_t rv = upool_resumable_open(&from, store, made, c->r->pool);

    if (!rv) {
        rv = upool_resumable_read(from, 0, upool_resumable_offset(from),
                                  copy_bytes, sink);
    }
    if (rv) {
        /* If the sink has refused the bytes, its own reason stands. */
        upool_sink_refuse(sink, UPOOL_REASON_IO, rv,
                          "a chunk cannot be read again");
    }
    return rv || upool_sink_finish(sink);
}

/* Copies the bytes of the upload made for them into that of rq->id. */
static int copy_piece(upool_chunked *c, const char *made,
                      upool_refusal *refusal)
{
    const apr_array_header_t *fields =
        c->body.form ? upool_chunk_fields(c->body.form) : NULL;
    upool_store *store = upool_known_store(c->r, c->rq, refusal);
    upool_sink sink;

    if (!store
        || upool_chunked_enter(c, c->body.file, fields, &sink, refusal)) {
        return 1;
    }
    if (copy(c, &sink, store, made)) {
        *refusal = *upool_sink_refusal(&sink);
        return 1;
    }
    return 0;
}

static int move(upool_chunked *c, upool_refusal *refusal)
{
    const char *made = apr_pstrdup(c->r->pool, c->rq->id);
    upool_resume *scratch = c->resume;
    apr_off_t size = upool_resume_offset(scratch);
    int failed;

    c->state = UPOOL_CHUNKED_NONE;
    c->place.by = UPOOL_CHUNKED_BY_NOBODY;
    c->resume = NULL;
    c->rq->minted = 0;
    apr_cpystrn(c->rq->id, c->anew ? c->anew : "", sizeof(c->rq->id));
    failed =
        upool_chunked_place_piece(c, refusal) || upool_chunked_name(c, refusal);
    if (!failed && c->place.length < 0) {
        c->place.length = size;
    }
    if (!failed && c->place.length != size) {
        failed = upool_refusal_set(refusal, UPOOL_REASON_CHUNK_SIZE, 0,
                                   "a library's parameters behind the file");
    }
    failed = failed || copy_piece(c, made, refusal);
    upool_resume_abandon(scratch, UPOOL_ABANDON_ANY);
    return failed;
}

/* No other upload has been named: this one is a new upload. */
static int settle(upool_chunked *c, upool_refusal *refusal)
{
    if (!upool_chunked_may_mint(c)) {
        upool_resume_abandon(c->resume, UPOOL_ABANDON_ANY);
        c->resume = NULL;
        c->state = UPOOL_CHUNKED_NONE;
        *refusal = upool_proto_missing();
        return 1;
    }
    if (c->place.offset > 0) {
        upool_resume_abandon(c->resume, UPOOL_ABANDON_ANY);
        c->resume = NULL;
        c->state = UPOOL_CHUNKED_NONE;
        return upool_refusal_set(refusal, UPOOL_REASON_OFFSET, 0,
                                 "of no upload");
    }
    c->state = UPOOL_CHUNKED_CREATED;
    if (upool_chunked_is_auto(c) && upool_resume_is_whole(c->resume)
        && upool_resume_complete(c->resume)) {
        *refusal = *upool_resume_refusal(c->resume);
        return 1;
    }
    return 0;
}

static int put_in_place(upool_chunked *c, upool_refusal *refusal)
{
    upool_family_chunk piece;
    int is_piece = !upool_chunked_is_library(c)
                   && (upool_family_settle(&c->says.family, &piece)
                       || upool_family_is_strange(&c->says.family));

    return c->anew || c->says.named || is_piece ? move(c, refusal)
                                                : settle(c, refusal);
}

/* --- The piece is there --------------------------------------------------- */

static int piece_is_there(upool_chunked *c)
{
    upool_refusal refusal;

    if (c->state == UPOOL_CHUNKED_UNNAMED && put_in_place(c, &refusal)) {
        return upool_chunked_refuse(c->r, c->rq, &refusal);
    }
    if (c->state == UPOOL_CHUNKED_REPEATED
        && upool_resume_complete(c->resume)) {
        return upool_chunked_refuse(c->r, c->rq,
                                    upool_resume_refusal(c->resume));
    }
    if (c->state == UPOOL_CHUNKED_REPEATED
        || upool_resume_is_complete(c->resume)) {
        return upool_complete_run(c->r, c->rq, c->resume);
    }
    return upool_chunked_keep_fields(c, &refusal)
                   || upool_chunked_measure(c, &refusal)
               ? upool_chunked_refuse(c->r, c->rq, &refusal)
               : upool_chunked_tell(c);
}

/* --- The body is the piece ------------------------------------------------ */

/* Reads what the headers say of the file.  0, or -1. */
static int read_file(const upool_chunked *c, upool_file *file)
{
    const char *text = apr_table_get(c->r->headers_in, "Content-Disposition");
    apr_size_t len = text ? strlen(text) : 0;
    char *name = apr_palloc(c->r->pool, UPOOL_DISPOSITION_ROOM(len));
    int found = text ? upool_disposition_filename(text, len, name) : 0;

    *file = upool_file_of_head(NULL, found == 1 ? name : NULL,
                               apr_table_get(c->r->headers_in, "Content-Type"),
                               c->r->pool);
    return found < 0 ? -1 : 0;
}

static int piece_is_in(request_rec *r, upool_request *rq,
                       const upool_refusal *refusal)
{
    return refusal ? upool_chunked_refuse(r, rq, refusal)
                   : piece_is_there(rq->own);
}

int upool_chunked_take_raw(upool_chunked *c)
{
    upool_request *rq = c->rq;
    upool_file *file = apr_palloc(c->r->pool, sizeof(*file));
    upool_refusal refusal;

    if (upool_intake_is_encoded(c->r, rq, 1)) {
        return refuse_for(c, UPOOL_REASON_CONTENT_CODING, NULL);
    }
    if (read_file(c, file)) {
        return refuse_for(c, UPOOL_REASON_CHUNK_HEADER, "Content-Disposition");
    }
    if (upool_chunked_place_piece(c, &refusal)) {
        return upool_chunked_refuse(c->r, rq, &refusal);
    }
    if (c->place.length >= 0 && rq->content_length >= 0
        && rq->content_length != c->place.length) {
        return refuse_for(c, UPOOL_REASON_CHUNK_SIZE, "Content-Length");
    }
    if (c->place.length < 0) {
        c->place.length = rq->content_length;
    }
    if (upool_intake_digests(c->r, rq, &c->body.digests)) {
        return refuse_for(c, UPOOL_REASON_DIGEST_SYNTAX, NULL);
    }
    if (upool_chunked_name(c, &refusal)
        || upool_chunked_enter(c, file, NULL, &rq->sink, &refusal)) {
        return upool_chunked_refuse(c->r, rq, &refusal);
    }
    c->body.file = file;
    return upool_drive_run(c->r, rq, piece_is_in);
}

static int asks(const upool_chunked *c)
{
    return c->says.range && c->says.range->first < 0;
}

/* --- A piece -------------------------------------------------------------- */

static int begins(void *user, const upool_file *file, upool_sink *inner,
                  apr_off_t *length, upool_refusal *refusal)
{
    upool_chunked *c = user;
    const apr_array_header_t *fields = upool_chunk_fields(c->body.form);

    upool_chunked_read_fields(c, fields);
    if (asks(c)) {
        return upool_refusal_set(refusal, UPOOL_REASON_CHUNK_SIZE, 0,
                                 "a file that asks");
    }
    if (upool_chunked_place_piece(c, refusal) || upool_chunked_name(c, refusal)
        || upool_chunked_enter(c, file, fields, inner, refusal)) {
        return 1;
    }
    c->body.file = file;
    *length = c->place.length;
    return 0;
}

/* The fields after the file must not contradict what was done with it. */
static int agree(upool_chunked *c, upool_refusal *refusal)
{
    upool_family_chunk piece;

    if (c->state == UPOOL_CHUNKED_UNNAMED) {
        return 0; /* put_in_place() looks at all the fields */
    }
    if (!upool_chunked_is_library(c) && !c->says.range
        && (upool_family_settle(&c->says.family, &piece)
            || upool_family_is_strange(&c->says.family))) {
        return upool_refusal_set(refusal, UPOOL_REASON_CHUNK_HEADER, 0,
                                 "a library's parameters behind the file");
    }
    return c->says.named && upool_chunked_name(c, refusal);
}

static int ends(void *user, int has_file, upool_refusal *refusal)
{
    upool_chunked *c = user;

    upool_chunked_read_fields(c, upool_chunk_fields(c->body.form));
    if (!has_file) {
        return asks(c) ? 0
                       : upool_refusal_set(refusal, UPOOL_REASON_CHUNK_NONE, 0,
                                           NULL);
    }
    upool_chunked_add_fields(c);
    return agree(c, refusal);
}

static int make_chunk(upool_chunked *c, upool_sink *sink)
{
    const upool_request *rq = c->rq;
    upool_chunk_options options;

    memset(&options, 0, sizeof(options));
    options.boundary = rq->boundary;
    options.boundary_len = rq->boundary_len;
    options.limits = upool_config_limits(rq->conf);
    options.begins = begins;
    options.ends = ends;
    options.user = c;
    if (upool_intake_digests(c->r, rq, &options.digests)) {
        return -1;
    }
    c->body.form = upool_chunk_make(&options, c->r->pool);
    *sink = upool_chunk_sink(c->body.form);
    return 0;
}

static int chunk_is_in(request_rec *r, upool_request *rq,
                       const upool_refusal *refusal)
{
    upool_chunked *c = rq->own;

    if (refusal) {
        return upool_chunked_refuse(r, rq, refusal);
    }
    return asks(c) ? upool_chunked_tell_range(c) : piece_is_there(c);
}

/* --- A piece, or an upload ------------------------------------------------ */

/* Until the fields say otherwise the request is a form, and is refused as one:
 * enabling chunked must not weaken any check that multipart makes by the
 * head. */
static void take_for_form(upool_request *rq)
{
    rq->front = UPOOL_FRONT_FORM;
    rq->protocol = NULL;
}

static void take_for_piece(upool_chunked *c)
{
    upool_request *rq = c->rq;

    if (rq->upload) {
        upool_intake_withdraw(rq);
    }
    if (rq->minted) {
        rq->minted = 0;
        rq->id[0] = '\0';
    }
    rq->front = UPOOL_FRONT_PROTOCOL;
    rq->protocol = c->protocol;
    c->kind = UPOOL_CHUNKED_FORM;
}

/* Settles the identifier as the route does for a form. */
static int settle_form(upool_chunked *c, upool_refusal *refusal)
{
    upool_request *rq = c->rq;
    apr_time_t born;

    if (!rq->id[0] && upool_keys_count(upool_config_ident_keys(rq->conf))) {
        *refusal = upool_proto_missing();
        return 1;
    }
    if (!rq->id[0]) {
        rq->minted = 1;
        return upool_ident_mint(rq->id, c->r->request_time) ? upool_refusal_set(
                   refusal, UPOOL_REASON_IO, 0, "no randomness")
                                                            : 0;
    }
    born = upool_ident_time(rq->id);
    return born && born + upool_config_lifetime(rq->conf) < c->r->request_time
               ? upool_refusal_set(refusal, UPOOL_REASON_EXPIRED, 0, NULL)
               : 0;
}

/* The request was a form all along: this front has no further part in it. */
static int become_form(upool_chunked *c, upool_sink *inner,
                       upool_refusal *refusal)
{
    upool_request *rq = c->rq;
    upool_sink chooser = rq->sink;
    int refused;

    refused = (!rq->upload && settle_form(c, refusal))
              || upool_proto_form_begin(c->r, rq, refusal);
    if (!refused) {
        upool_upload_sink(rq->upload, inner);
    }
    rq->sink = chooser;
    return refused;
}

static int pick(void *user, const apr_array_header_t *fields, upool_sink *inner,
                upool_refusal *refusal)
{
    upool_chunked *c = user;
    upool_family_chunk piece;

    upool_chunked_read_fields(c, fields);
    if (!c->says.named && !upool_family_settle(&c->says.family, &piece)
        && !upool_family_is_strange(&c->says.family)) {
        return become_form(c, inner, refusal);
    }
    take_for_piece(c);
    return make_chunk(c, inner)
               ? upool_refusal_set(refusal, UPOOL_REASON_DIGEST_SYNTAX, 0, NULL)
               : 0;
}

static int choice_is_in(request_rec *r, upool_request *rq,
                        const upool_refusal *refusal)
{
    return rq->front == UPOOL_FRONT_FORM ? upool_proto_form_end(r, rq, refusal)
                                         : chunk_is_in(r, rq, refusal);
}

/* The upload in the way may be as undecided as this one, when two first pieces
 * come at once.  It has a name once its file begins. */
static int is_undecided(const upool_chunked *c)
{
    upool_slot_record slot;

    return upool_shared_lookup(c->r, c->rq->conf, c->rq->id, &slot)
           && slot.state == UPOOL_SLOT_UPLOADING && !slot.filename[0];
}

/* It may have become an upload in pieces a moment ago. */
static int is_begun_by_now(upool_chunked *c)
{
    upool_refusal refusal;

    apr_sleep(PAUSE);
    return upool_chunked_is_begun(c, &refusal) && !refusal.reason;
}

/* Takes identifier and room as an upload would, unless the request can only be
 * a piece (of an upload that has begun), or its fields have to name the upload.
 * 0, or 1 with *refusal. */
static int hold(upool_chunked *c, upool_refusal *refusal)
{
    upool_request *rq = c->rq;
    apr_time_t deadline = apr_time_now() + UPOOL_RESUMABLE_PATIENCE;

    if (!rq->id[0] && upool_keys_count(upool_config_ident_keys(rq->conf))) {
        return 0;
    }
    for (;;) {
        if (rq->id[0] && upool_chunked_is_begun(c, refusal)) {
            return refusal->reason != UPOOL_REASON_NONE;
        }
        if (settle_form(c, refusal)) {
            return 1;
        }
        if (!upool_intake_hold(c->r, rq, refusal)) {
            return 0;
        }
        if (refusal->reason != UPOOL_REASON_BUSY || apr_time_now() >= deadline
            || (!is_undecided(c) && !is_begun_by_now(c))) {
            return 1;
        }
        rq->upload = NULL;
        apr_sleep(PAUSE);
    }
}

/* Judges the request when hold() has taken nothing. */
static int judge(upool_chunked *c, upool_refusal *refusal)
{
    upool_reason reason = upool_intake_judge(c->r, c->rq, &refusal->detail);

    if (reason) {
        return upool_refusal_set(refusal, reason, 0, refusal->detail);
    }
    return upool_chunked_judge_head(c, refusal);
}

static int choose(upool_chunked *c)
{
    upool_request *rq = c->rq;
    upool_limits limits = upool_config_limits(rq->conf);
    upool_refusal refusal = UPOOL_NO_REFUSAL;

    take_for_form(rq);
    if (hold(c, &refusal) || (!rq->upload && judge(c, &refusal))) {
        return upool_reply_refusal(c->r, rq, &refusal);
    }
    rq->sink = upool_choice_sink(
        upool_choice_make(rq->boundary, rq->boundary_len, &limits,
                          rq->upload ? &rq->sink : NULL, pick, c, c->r->pool));
    return upool_drive_run(c->r, rq, choice_is_in);
}

int upool_chunked_take_form(upool_chunked *c)
{
    upool_request *rq = c->rq;
    upool_refusal refusal = UPOOL_NO_REFUSAL;

    if (c->kind == UPOOL_CHUNKED_MAYBE) {
        return choose(c);
    }
    if (judge(c, &refusal)) {
        return upool_chunked_refuse(c->r, rq, &refusal);
    }
    if (make_chunk(c, &rq->sink)) {
        refusal = upool_refusal_make(UPOOL_REASON_DIGEST_SYNTAX, 0, NULL);
        return upool_chunked_refuse(c->r, rq, &refusal);
    }
    return upool_drive_run(c->r, rq, chunk_is_in);
}
