/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "proto/chunked.h"

#include <string.h>
#include <apr_strings.h>

#include "httpd/resuming.h"
#include "proto/complete.h"
#include "upload/drop.h"
#include "upload/file.h"

/* Two first pieces that come at the same time both want to make the upload: the
 * second waits until it is there, and opens it. */
#define PAUSE apr_time_from_msec(10)

/* How often requests that complete one upload at the same moment may get in
 * each other's way. */
#define ENTER_TRIES 3

/* --- Which upload it is --------------------------------------------------- */

/* If pieces are counted, their size follows the tag. */
static int is_same_file(const upool_chunked *c)
{
    const char *tag = upool_chunked_tag(c);
    const char *known = upool_resume_about(c->resume)->metadata;
    apr_size_t len = tag ? strlen(tag) : 0;

    if (!tag || !known) {
        return !tag && !known;
    }
    return !strncmp(tag, known, len)
           && (!known[len]
               || (c->place.by == UPOOL_CHUNKED_BY_COUNT
                   && known[len] == '\n'));
}

static int is_chunked(const upool_chunked *c)
{
    return !strcmp(upool_resume_about(c->resume)->protocol,
                   UPOOL_CHUNKED_PROTOCOL);
}

/* Is this the last piece of what is there?  The whole file is too, if it has
 * the same name. */
static int is_end(const upool_chunked *c, const char *filename)
{
    return c->place.offset + c->place.length == upool_resume_length(c->resume)
           && (c->place.offset > 0
               || !strcmp(upool_resume_about(c->resume)->file.filename,
                          filename));
}

/* May a piece of a complete upload be one that was sent before?  An id made of
 * a file's name and size may stand for another version of the file tomorrow, so
 * such a piece is a repeat only as long as the answer is kept. */
static int is_repeated(const upool_chunked *c, const char *filename)
{
    int is_fresh =
        upool_resume_record(c->resume)->updated + UPOOL_CHUNKED_REPEATS
        > c->r->request_time;

    if (!upool_chunked_is_auto(c) || !is_chunked(c) || !is_same_file(c)
        || (c->place.by == UPOOL_CHUNKED_BY_COUNT
                ? c->place.piece.number == 0
                : c->place.total != upool_resume_length(c->resume))
        || c->place.by == UPOOL_CHUNKED_BY_NOTHING) {
        return 0;
    }
    if (upool_chunked_is_library(c)) {
        return upool_family_is_random(c->place.piece.kind) || is_fresh;
    }
    if (c->says.session) {
        return 1;
    }
    return is_end(c, filename) && (c->place.offset > 0 || is_fresh);
}

/* All of it came, but the process that was to complete it could not, or was
 * killed.  Sending the last piece again completes it, for a client has nothing
 * else to send.  The last piece may be the only one. */
static int is_end_again(const upool_chunked *c, const char *filename)
{
    return upool_chunked_is_auto(c) && !upool_chunked_is_library(c)
           && !c->says.session
           && c->place.total == upool_resume_length(c->resume)
           && is_end(c, filename) && upool_resume_is_whole(c->resume);
}

/* An identifier in the URL may be used again when its upload is complete; an
 * upload_id names only this one upload. */
static int meet_complete(upool_chunked *c, const char *filename, int *makes,
                         upool_refusal *refusal)
{
    if (is_repeated(c, filename)) {
        c->state = UPOOL_CHUNKED_REPEATED;
        return 0;
    }
    if (c->says.named
        || (c->place.offset > 0 && !upool_chunked_is_library(c))) {
        return upool_refusal_set(refusal, UPOOL_REASON_COMPLETE, 0, NULL);
    }
    *makes = 1;
    return 0;
}

static void forget(upool_chunked *c)
{
    c->resume = NULL;
    c->state = UPOOL_CHUNKED_NONE;
}

/* 0 with the upload in c->resume, or 1 if none was found. */
static int find(upool_chunked *c, upool_refusal *refusal)
{
    c->resume = upool_resuming_open(c->r, c->rq, refusal);
    c->state = c->resume ? UPOOL_CHUNKED_FOUND : UPOOL_CHUNKED_NONE;
    return !c->resume;
}

/* No client has chosen the name that is made of a library's id, so an expired
 * upload does not block it. */
static int may_begin_anew(const upool_chunked *c, upool_reason reason)
{
    return !c->says.named
           && (reason == UPOOL_REASON_NOT_FOUND
               || (reason == UPOOL_REASON_EXPIRED && upool_chunked_is_library(c)
                   && !c->says.from_url));
}

static int open_upload(upool_chunked *c, const char *filename, int *makes,
                       upool_refusal *refusal)
{
    *makes = 0;
    if (find(c, refusal)) {
        *makes = may_begin_anew(c, refusal->reason);
        return !*makes;
    }
    if (upool_resume_is_complete(c->resume)) {
        return meet_complete(c, filename, makes, refusal);
    }
    if (is_chunked(c) && is_same_file(c)) {
        if (is_end_again(c, filename)) {
            /* The only piece brings all bytes with it, and they may be others
             * by now; but the request that has brought those may be about to
             * complete them. */
            if (c->place.offset == 0) {
                return upool_chunked_begin_anew(c, UPOOL_ABANDON_UNWRITTEN,
                                                makes, refusal);
            }
            c->state = UPOOL_CHUNKED_REPEATED;
        }
        return c->place.by == UPOOL_CHUNKED_BY_COUNT
                   ? upool_chunked_count(c, makes, refusal)
                   : 0;
    }
    forget(c);
    return upool_refusal_set(refusal, UPOOL_REASON_BUSY, 0,
                             "another file goes by the same identifier");
}

int upool_chunked_is_begun(upool_chunked *c, upool_refusal *refusal)
{
    int begun = find(c, refusal) ? refusal->reason == UPOOL_REASON_EXPIRED
                                 : !upool_resume_is_complete(c->resume);

    forget(c);
    if (refusal->reason && refusal->status >= HTTP_INTERNAL_SERVER_ERROR) {
        return 1;
    }
    *refusal = upool_refusal_make(UPOOL_REASON_NONE, 0, NULL);
    return begun;
}

int upool_chunked_open(upool_chunked *c, upool_refusal *refusal)
{
    if (!c->rq->id[0]) {
        return upool_refusal_set(refusal, UPOOL_REASON_NOT_FOUND, 0,
                                 "no identifier");
    }
    c->resume = upool_proto_open(c->r, c->rq, refusal);
    c->state = c->resume ? UPOOL_CHUNKED_FOUND : UPOOL_CHUNKED_NONE;
    return !c->resume;
}

/* --- A new one ------------------------------------------------------------ */

static int mint(upool_chunked *c, upool_refusal *refusal)
{
    upool_request *rq = c->rq;

    if (upool_ident_mint(rq->id, c->r->request_time)) {
        return upool_refusal_set(refusal, UPOOL_REASON_IO, 0, "no randomness");
    }
    rq->minted = 1;
    return 0;
}

static int judge_new(const upool_chunked *c, upool_refusal *refusal)
{
    apr_time_t born = c->rq->minted ? 0 : upool_ident_time(c->rq->id);

    if (born
        && born + upool_config_lifetime(c->rq->conf) < c->r->request_time) {
        return upool_refusal_set(refusal, UPOOL_REASON_EXPIRED, 0, NULL);
    }
    if (c->place.by == UPOOL_CHUNKED_BY_COUNT
            ? c->place.piece.number > 0
            : c->place.offset > 0 && c->state != UPOOL_CHUNKED_UNNAMED
                  && !(upool_chunked_is_library(c) || c->says.session)) {
        return upool_refusal_set(refusal, UPOOL_REASON_OFFSET, 0,
                                 "nothing is there yet");
    }
    return 0;
}

/* The fields from the first-th on, without those that only describe the piece:
 * they do not concern the application. */
static const apr_array_header_t *fields_for_application(
    const upool_chunked *c, const apr_array_header_t *fields, int first)
{
    apr_array_header_t *kept =
        apr_array_make(c->r->pool, 4, sizeof(upool_field));
    int i;

    for (i = first; fields && i < fields->nelts; i++) {
        const upool_field *field = &APR_ARRAY_IDX(fields, i, upool_field);

        if (!upool_chunked_is_ours(c, field->name)) {
            APR_ARRAY_PUSH(kept, upool_field) = *field;
        }
    }
    return kept;
}

/* The part may be called "blob" if a library has cut the file. */
static const char *filename_of(const upool_chunked *c, const upool_file *file)
{
    return upool_chunked_is_library(c) && c->place.piece.name_len
               ? apr_pstrmemdup(c->r->pool, c->place.piece.name,
                                c->place.piece.name_len)
               : file->filename;
}

/* What is known of the file when *file is what the head of its piece says.  A
 * slice of a file has no type: the library's word counts, or else no type was
 * given. */
static upool_file whole_file(const upool_chunked *c, const upool_file *file)
{
    const upool_family_chunk *piece = &c->place.piece;
    apr_pool_t *p = c->r->pool;
    upool_file whole = *file;

    if (!upool_chunked_is_library(c)) {
        return whole;
    }
    upool_file_set_name(&whole, filename_of(c, file), p);
    if (piece->type_len) {
        upool_file_set_type(&whole,
                            apr_pstrmemdup(p, piece->type, piece->type_len), p);
    }
    else if (file->content_type
             && !strcmp(file->content_type, "application/octet-stream")) {
        upool_file_set_type(&whole, NULL, p);
    }
    return whole;
}

/* found: the result of opening it. */
static int create(upool_chunked *c, const upool_file *file,
                  const apr_array_header_t *fields, upool_reason found,
                  upool_refusal *refusal)
{
    upool_resume_start start = UPOOL_RESUME_START;

    if (judge_new(c, refusal)) {
        return 1;
    }
    c->place.offset =
        c->place.by == UPOOL_CHUNKED_BY_COUNT ? 0 : c->place.offset;
    start.protocol = UPOOL_CHUNKED_PROTOCOL;
    /* It is not known yet whether this is the beginning of the upload. */
    start.length = c->state == UPOOL_CHUNKED_UNNAMED && c->place.offset > 0
                       ? -1
                       : c->place.total;
    start.file = whole_file(c, file);
    upool_proto_target(c->r, &start.uri, &start.args);
    start.fields = fields_for_application(c, fields, 0);
    c->body.first = fields ? fields->nelts : 0;
    start.metadata = upool_chunked_tag(c);
    start.replaces = upool_resume_replaces(c->resume, found);
    c->resume = upool_resuming_create(c->r, c->rq, &start, refusal);
    if (!c->resume) {
        forget(c);
        return 1;
    }
    if (c->state != UPOOL_CHUNKED_UNNAMED) {
        c->state = UPOOL_CHUNKED_CREATED;
    }
    return 0;
}

static int open_or_create(upool_chunked *c, const upool_file *file,
                          const apr_array_header_t *fields,
                          upool_refusal *refusal)
{
    apr_time_t deadline = apr_time_now() + UPOOL_RESUMABLE_PATIENCE;
    int makes;

    for (;;) {
        if (open_upload(c, filename_of(c, file), &makes, refusal)) {
            return 1;
        }
        if (!makes || !create(c, file, fields, refusal->reason, refusal)) {
            return 0;
        }
        if (refusal->reason != UPOOL_REASON_BUSY
            || apr_time_now() >= deadline) {
            return 1;
        }
        apr_sleep(PAUSE);
    }
}

/* --- Its bytes ------------------------------------------------------------ */

/* RFC 9110 14.4 lets a total be unknown, but not change: a client that could
 * change it would pass every limit. */
static int settle_total(upool_chunked *c, upool_refusal *refusal)
{
    if (c->place.total < 0 || c->state == UPOOL_CHUNKED_REPEATED
        || !upool_resume_set_length(c->resume, c->place.total)) {
        return 0;
    }
    *refusal = *upool_resume_refusal(c->resume);
    return 1;
}

/* Checks for a body that ended properly, but with fewer bytes than its range.
 * (For a form the chunk has checked that already.)  mod_http2 may end the body
 * of a stream that was reset in the same way: the bytes that came stay. */
static upool_reason verify(void *user, upool_resume *resume)
{
    const upool_chunked *c = user;

    if (c->place.length < 0
        || upool_resume_offset(resume) - c->place.offset >= c->place.length) {
        return UPOOL_REASON_NONE;
    }
    return c->r->connection->master ? UPOOL_REASON_INCOMPLETE
                                    : UPOOL_REASON_CHUNK_SIZE;
}

static int begin(upool_chunked *c, upool_sink *inner, upool_refusal *refusal)
{
    upool_resume_append append = UPOOL_RESUME_APPEND;

    append.offset = c->state == UPOOL_CHUNKED_UNNAMED ? 0 : c->place.offset;
    append.content_length = c->place.length;
    append.announced.content = c->body.digests.content;
    append.announced.repr =
        c->place.by == UPOOL_CHUNKED_BY_NOTHING ? c->body.digests.repr : NULL;
    append.out_of_order =
        (upool_chunked_is_library(c) || c->says.session) && c->place.total >= 0;
    append.last = c->place.by == UPOOL_CHUNKED_BY_NOTHING
                  || (c->place.by == UPOOL_CHUNKED_BY_COUNT
                      && c->place.piece.number + 1 == c->place.piece.chunks);
    append.verify = c->kind == UPOOL_CHUNKED_RAW ? verify : NULL;
    append.user = c;
    append.stay_open =
        c->state == UPOOL_CHUNKED_UNNAMED || !upool_chunked_is_auto(c);
    if (upool_resume_begin(c->resume, &append)) {
        *refusal = *upool_resume_refusal(c->resume);
        return 1;
    }
    upool_resume_sink(c->resume, inner);
    if (c->place.skip) {
        upool_chunked_pass_over(c, inner);
    }
    return 0;
}

/* Digests are recorded for whole files only, not for one piece of several. */
static int brings_all(const upool_chunked *c)
{
    return upool_resume_is_complete(c->resume) && c->place.offset == 0
           && c->place.length == upool_resume_length(c->resume);
}

static int enter_minted(upool_chunked *c, const upool_file *file,
                        const apr_array_header_t *fields, upool_sink *inner,
                        upool_refusal *refusal)
{
    return mint(c, refusal)
           || create(c, file, fields, UPOOL_REASON_NOT_FOUND, refusal)
           || (c->state != UPOOL_CHUNKED_UNNAMED && settle_total(c, refusal))
           || begin(c, inner, refusal);
}

static int is_counted_first(const upool_chunked *c)
{
    return c->state == UPOOL_CHUNKED_FOUND
           && c->place.by == UPOOL_CHUNKED_BY_COUNT
           && c->place.piece.number == 0;
}

/* Puts a first piece aside until it is whole.  Where there is no room for both,
 * the upload that it begins anew goes at once. */
static int put_aside(upool_chunked *c, const upool_file *file,
                     const apr_array_header_t *fields, upool_sink *inner,
                     upool_refusal *refusal)
{
    upool_request *rq = c->rq;

    c->anew = apr_pstrdup(c->r->pool, rq->id);
    forget(c);
    c->state = UPOOL_CHUNKED_UNNAMED;
    if (!enter_minted(c, file, fields, inner, refusal)) {
        return 0;
    }
    if (c->resume) {
        upool_resume_abandon(c->resume, UPOOL_ABANDON_ANY);
    }
    forget(c);
    rq->minted = 0;
    apr_cpystrn(rq->id, c->anew, sizeof(rq->id));
    if (refusal->status != HTTP_INSUFFICIENT_STORAGE
        || open_or_create(c, file, fields, refusal)) {
        return 1;
    }
    c->anew = NULL;
    return begin(c, inner, refusal);
}

/* What the bytes of a repeated piece have to equal; NULL: nothing. */
static upool_repeat *repeat_of(const upool_chunked *c)
{
    if (brings_all(c)) {
        return upool_complete_repeat(c->r, c->rq, c->resume);
    }
    return c->place.length < 0
               ? NULL
               : upool_repeat_of_length(c->place.length, c->r->pool);
}

static int enter_named(upool_chunked *c, const upool_file *file,
                       const apr_array_header_t *fields, upool_sink *inner,
                       upool_refusal *refusal)
{
    if (open_or_create(c, file, fields, refusal)) {
        return 1;
    }
    if (c->state == UPOOL_CHUNKED_REPEATED) {
        /* Its client wants the answer, which got lost. */
        upool_drop_sink(inner, UPOOL_REASON_NONE, repeat_of(c), c->r->pool);
        return 0;
    }
    if (is_counted_first(c)) {
        return put_aside(c, file, fields, inner, refusal);
    }
    return settle_total(c, refusal) || begin(c, inner, refusal);
}

/* Requests like this one may complete the upload, or take it back, between two
 * looks of this one: then it looks again, and finds itself to be a repeat, or
 * the first. */
static int enter_found(upool_chunked *c, const upool_file *file,
                       const apr_array_header_t *fields, upool_sink *inner,
                       upool_refusal *refusal)
{
    int tries;

    for (tries = 0; tries < ENTER_TRIES; tries++) {
        if (!enter_named(c, file, fields, inner, refusal)) {
            return 0;
        }
        if (refusal->reason != UPOOL_REASON_COMPLETE
            && refusal->reason != UPOOL_REASON_NOT_FOUND) {
            break;
        }
    }
    return 1;
}

int upool_chunked_enter(upool_chunked *c, const upool_file *file,
                        const apr_array_header_t *fields, upool_sink *inner,
                        upool_refusal *refusal)
{
    if (c->rq->id[0]) {
        return enter_found(c, file, fields, inner, refusal);
    }
    /* The fields after the file may still name the upload, so minting is
     * checked again later. */
    if (c->kind != UPOOL_CHUNKED_RAW) {
        c->state = UPOOL_CHUNKED_UNNAMED;
    }
    else if (!upool_chunked_may_mint(c)) {
        *refusal = upool_proto_missing();
        return 1;
    }
    return enter_minted(c, file, fields, inner, refusal);
}

static const apr_array_header_t *fields_behind(const upool_chunked *c)
{
    return fields_for_application(c,
                                  upool_chunked_is_made(c) && c->body.form
                                      ? upool_chunk_fields(c->body.form)
                                      : NULL,
                                  c->body.first);
}

void upool_chunked_add_fields(upool_chunked *c)
{
    const apr_array_header_t *fields = fields_behind(c);
    int i;

    for (i = 0; i < fields->nelts; i++) {
        upool_resume_add_field(c->resume,
                               &APR_ARRAY_IDX(fields, i, upool_field));
    }
}

int upool_chunked_keep_fields(upool_chunked *c, upool_refusal *refusal)
{
    const apr_array_header_t *fields = fields_behind(c);

    if (!fields->nelts || !upool_resume_keep_fields(c->resume, fields)) {
        return 0;
    }
    *refusal = *upool_resume_refusal(c->resume);
    return 1;
}
