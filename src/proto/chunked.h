/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PROTO_CHUNKED_H
#define UPOOL_PROTO_CHUNKED_H

/* UploadProtocol chunked: a file in pieces, each a request that says where its
 * bytes belong.  Clients say so in several ways, which all answer the same
 * three questions:
 *
 *   which upload   upload_id in the form or the query (django-chunked-upload);
 *                  X-Progress-ID in the URL or a header; Session-ID
 *                  (nginx-upload-module); the id that a browser library gives
 *                  its file (parse/family.h); none: a new one
 *   where in it    Content-Range, X-Content-Range, the library's parameters;
 *                  none of them: it is the whole file
 *   is it the end  U/complete; or, without a request, when the last byte is
 *                  there: for libraries, sessions and raw bodies, whose clients
 *                  do not know U/complete, and for all with UploadChunkedAuto
 *
 * A library's id is made in a browser, of a file's name and size or at random;
 * it never becomes a bucket's name.  The name is a hash of the id, its owner
 * and the place it was sent to, so no user meets another user's upload.  If
 * nothing tells users apart, an id that can be guessed is refused.
 *
 * Pieces of libraries and sessions may come in any order and side by side;
 * other pieces must begin at the upload's offset, or none of their bytes is
 * taken.  plupload only counts its pieces: the first one makes the upload anew
 * and its length is the measure of those that follow, in order; bytes of a
 * piece that are there already are passed over.  Where an upload is there, it
 * goes only when the new first piece is whole: one that was cut off may be
 * taken late, after its client has sent it again and others after it.
 *
 * The answer to a piece is {"upload_id", "offset", "expires"} with the header
 * Range: 0-N (jQuery File Upload).  A piece of a session gets 201 with the
 * ranges that are there; errors are {"detail"}, and "offset" where that
 * helps. */

#include "proto/protocol.h"
#include "parse/contentrange.h"
#include "parse/family.h"
#include "upload/chunk.h"
#include "upload/fieldbody.h"
#include "upload/repeat.h"
#include "upload/resume.h"

/* How long a file whose name can be guessed counts as the same file once it is
 * complete: as long as the application's answer is kept. */
#define UPOOL_CHUNKED_REPEATS apr_time_from_sec(600)

/* The protocol of this front's uploads, as their documents call it. */
#define UPOOL_CHUNKED_PROTOCOL "chunked"

typedef enum upool_chunked_kind {
    UPOOL_CHUNKED_FORM,     /* a form with a piece in it */
    UPOOL_CHUNKED_MAYBE,    /* that, or a form that is a whole upload */
    UPOOL_CHUNKED_RAW,      /* the body is the piece */
    UPOOL_CHUNKED_ASKS,     /* Content-Range: bytes * / total: how far is it? */
    UPOOL_CHUNKED_TESTS,    /* GET with a library's parameters: is it there? */
    UPOOL_CHUNKED_COMPLETES /* POST U/complete */
} upool_chunked_kind;

/* The source that says where the piece belongs. */
typedef enum upool_chunked_by {
    UPOOL_CHUNKED_BY_NOBODY = 0, /* not asked yet */
    UPOOL_CHUNKED_BY_NOTHING,    /* nothing: the file is all of it */
    UPOOL_CHUNKED_BY_RANGE,      /* Content-Range */
    UPOOL_CHUNKED_BY_LIBRARY,    /* parameters of a library */
    UPOOL_CHUNKED_BY_COUNT       /* those, but only the piece's number */
} upool_chunked_by;

/* What is known of the upload that the piece is for.
 *
 *     NONE ──open──> FOUND ──> REPEATED       nothing of this piece is taken
 *       ├──make───────────────> CREATED
 *       ├──make, unnamed──> UNNAMED ──> CREATED, or NONE and open again
 *       └──open──> FOUND, and a first piece that is counted ──> UNNAMED */
typedef enum upool_chunked_state {
    UPOOL_CHUNKED_NONE = 0, /* not opened, or its client may not know of it */
    UPOOL_CHUNKED_FOUND,    /* it was there */
    UPOOL_CHUNKED_REPEATED, /* all is there: it wants the answer (again) */
    UPOOL_CHUNKED_CREATED,  /* made by this request */
    UPOOL_CHUNKED_UNNAMED   /* the same, before it is known which it is */
} upool_chunked_state;

/* What the client says, in the head, the query and the fields of a form. */
typedef struct upool_chunked_says {
    const upool_contentrange *range; /* NULL: none */
    int session;                     /* in the form of nginx-upload-module */
    int from_url;      /* X-Progress-ID or Session-ID names the upload */
    const char *named; /* upload_id; NULL */
    upool_family family;
} upool_chunked_says;

/* Where the bytes belong, settled by upool_chunked_place_piece(). */
typedef struct upool_chunked_place {
    upool_chunked_by by;
    upool_family_chunk piece; /* by LIBRARY and COUNT */
    apr_off_t offset;
    apr_off_t length; /* -1: as many as come */
    apr_off_t total;  /* -1: not known */
    apr_off_t skip;   /* bytes of it that are there already */
} upool_chunked_place;

/* The bytes of the piece, and what came with them. */
typedef struct upool_chunked_body {
    upool_chunk *form;      /* NULL: the body is the piece */
    const upool_file *file; /* of the form */
    int first; /* the form's first field that the upload was not made with */
    upool_fieldbody *fields;       /* of U/complete */
    upool_content_digests digests; /* announced for a raw body */
    upool_sink rest;               /* where the bytes after skip go */
} upool_chunked_body;

/* What the front keeps of a request, in rq->own. */
typedef struct upool_chunked {
    upool_chunked_kind kind;
    const upool_protocol *protocol;
    request_rec *r;
    upool_request *rq;
    upool_chunked_says says;
    upool_chunked_place place;
    upool_chunked_state state;
    const char *anew;     /* UNNAMED is to take the place of this one; NULL */
    upool_resume *resume; /* NULL in NONE, and before UNNAMED is made */
    upool_chunked_body body;
} upool_chunked;

/* 1: a library says where the piece belongs. */
static inline int upool_chunked_is_library(const upool_chunked *c)
{
    return c->place.by >= UPOOL_CHUNKED_BY_LIBRARY;
}

/* 1: this request has made the upload. */
static inline int upool_chunked_is_made(const upool_chunked *c)
{
    return c->resume && c->state >= UPOOL_CHUNKED_CREATED;
}

/* --- chunked_head.c: which upload, and where ---------------------------- */

/* Takes parameters of the query: upload_id and a library's. */
void upool_chunked_read_query(upool_chunked *c);

/* Fields of a form (of upool_field) that say the same. */
void upool_chunked_read_fields(upool_chunked *c,
                               const apr_array_header_t *fields);

/* Settles where the bytes belong, from all that was read.  0, or 1 with
 * *refusal. */
int upool_chunked_place_piece(upool_chunked *c, upool_refusal *refusal);

/* Settles which upload it is: rq->id, empty if nothing tells.  0, or 1 with
 * *refusal. */
int upool_chunked_name(upool_chunked *c, upool_refusal *refusal);

/* Checks the head of a form with a piece before the form is read: it may
 * announce neither more than the upload may hold nor more than the piece can
 * need.  0, or 1 with *refusal. */
int upool_chunked_judge_head(const upool_chunked *c, upool_refusal *refusal);

/* 1: the upload is complete as soon as its last byte is there. */
int upool_chunked_is_auto(const upool_chunked *c);

/* 1: the client may create an upload although the application has given it no
 * identifier. */
int upool_chunked_may_mint(const upool_chunked *c);

/* 1 for fields that describe the piece, which no application asks for. */
int upool_chunked_is_ours(const upool_chunked *c, const char *field);

/* --- chunked_upload.c: into the upload ---------------------------------- */

/* 1: an upload in pieces, by the identifier in the URL, has begun and is not
 * complete, so this may be a piece of it; or this cannot be found out, and
 * *refusal says why. */
int upool_chunked_is_begun(upool_chunked *c, upool_refusal *refusal);

/* Opens the upload for a request that brings no bytes.  0, or 1 with
 * *refusal. */
int upool_chunked_open(upool_chunked *c, upool_refusal *refusal);

/* Opens the upload, or makes it, and begins the piece: *inner takes its bytes.
 * fields: those of the form so far.  0, or 1 with *refusal. */
int upool_chunked_enter(upool_chunked *c, const upool_file *file,
                        const apr_array_header_t *fields, upool_sink *inner,
                        upool_refusal *refusal);

/* For an upload that this request has made: the fields after the file belong to
 * it too.  add: if this request completes it; keep: if it does not (0, or 1
 * with *refusal). */
void upool_chunked_add_fields(upool_chunked *c);
int upool_chunked_keep_fields(upool_chunked *c, upool_refusal *refusal);

/* chunked_count.c: pieces that are only counted.  count() settles where the
 * piece belongs in an upload that was there, or with *makes that the upload is
 * to be made anew (0, or 1 with *refusal); measure() writes down the length of
 * the first piece after its end (0, or 1 with *refusal). */
int upool_chunked_count(upool_chunked *c, int *makes, upool_refusal *refusal);
/* Takes back the upload that was found, so that it is made anew: *makes is 1,
 * or 0 where it stays because of which.  0, or 1 with *refusal. */
int upool_chunked_begin_anew(upool_chunked *c, upool_abandon which, int *makes,
                             upool_refusal *refusal);
int upool_chunked_measure(upool_chunked *c, upool_refusal *refusal);
/* Puts a sink that passes over the bytes to be skipped in front of *inner. */
void upool_chunked_pass_over(upool_chunked *c, upool_sink *inner);
/* The library's id of the file, so that two files are not mistaken for one if
 * the URL names the upload; NULL: no library sends it. */
const char *upool_chunked_tag(const upool_chunked *c);

/* --- chunked_reply.c ------------------------------------------------------ */

/* Answers a refusal, in the words of django-chunked-upload where it has some:
 * {"detail"}, and "offset" if the client may know of the upload.  Deletes an
 * upload that this request has made and no client can continue. */
int upool_chunked_refuse(request_rec *r, upool_request *rq,
                         const upool_refusal *refusal);

/* Tells how far the upload is. */
int upool_chunked_tell(upool_chunked *c);

/* ASKS: also from a body or a form that brought nothing; TESTS; COMPLETES.  As
 * handle(). */
int upool_chunked_ask(upool_chunked *c);
int upool_chunked_tell_range(upool_chunked *c);
int upool_chunked_test(upool_chunked *c);
int upool_chunked_complete(upool_chunked *c);

/* --- chunked_body.c: as handle() ------------------------------------------ */

/* FORM and MAYBE; RAW. */
int upool_chunked_take_form(upool_chunked *c);
int upool_chunked_take_raw(upool_chunked *c);

#endif
