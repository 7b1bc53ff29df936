/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PROTO_CHUNKED_H
#define UPOOL_PROTO_CHUNKED_H

/* UploadProtocol chunked: a file in pieces, each a request that says where its
 * bytes belong.  Several clients' ways of saying so come to the same three
 * questions:
 *
 *   which upload   upload_id in the form or the query (django-chunked-upload);
 *                  X-Progress-ID in the URL or a header; Session-ID
 *                  (nginx-upload-module); the id that a browser library gives
 *                  its file (parse/family.h); none: a new one
 *   where in it    Content-Range, X-Content-Range, the library's parameters;
 *                  none of them: it is the whole file
 *   is it the end  U/complete; or by itself, when the last byte is there: for
 *                  libraries, sessions and raw bodies, whose clients know no
 *                  U/complete, and for all with UploadChunkedAuto
 *
 * A library's id is what somebody's browser made of a file's name and size, or
 * at random: never a bucket's name.  What is made of it here, a hash with whose
 * it is and where it was sent to, is; so nobody meets another user's upload.
 * Where there is nothing to tell users apart by, an id that can be guessed is
 * refused.
 *
 * Pieces of libraries and sessions may come in any order and side by side;
 * others at the offset that the upload has, or nothing of them is taken.
 * plupload counts its pieces and says no more: the first one makes the upload
 * anew and is the measure of those that follow, in order; what of one is there
 * already is passed over.
 *
 * The answer to a piece is {"upload_id", "offset", "expires"} with the header
 * Range: 0-N (jQuery File Upload), to a piece of a session 201 with what ranges
 * are there; errors are {"detail"} and "offset" where that helps. */

#include "proto/protocol.h"
#include "parse/contentrange.h"
#include "parse/family.h"
#include "upload/chunk.h"
#include "upload/fieldbody.h"
#include "upload/repeat.h"
#include "upload/resume.h"

/* How long a file of a name that can be guessed is the same file, once it is
 * complete: as long as the application's answer is kept. */
#define UPOOL_CHUNKED_REPEATS apr_time_from_sec(600)

/* What an upload of this front is called in its document. */
#define UPOOL_CHUNKED_PROTOCOL "chunked"

typedef enum upool_chunked_kind {
    UPOOL_CHUNKED_FORM,     /* a form with a piece in it */
    UPOOL_CHUNKED_MAYBE,    /* that, or a form that is a whole upload */
    UPOOL_CHUNKED_RAW,      /* the body is the piece */
    UPOOL_CHUNKED_ASKS,     /* Content-Range: bytes * / total: how far is it? */
    UPOOL_CHUNKED_TESTS,    /* GET with a library's parameters: is it there? */
    UPOOL_CHUNKED_COMPLETES /* POST U/complete */
} upool_chunked_kind;

/* What the front keeps of a request, in rq->own. */
typedef struct upool_chunked {
    upool_chunked_kind kind;
    request_rec *r;
    upool_request *rq;
    int ranged; /* range was sent */
    upool_contentrange range;
    int session;       /* in the form of nginx-upload-module */
    int from_url;      /* X-Progress-ID or Session-ID names the upload */
    const char *named; /* upload_id; NULL */
    upool_family family;
    int in_family; /* piece is a library's */
    upool_family_chunk piece;
    /* where the bytes belong, settled by upool_chunked_place() */
    apr_off_t offset;
    apr_off_t length; /* -1: as many as come */
    apr_off_t total;  /* -1: not known */
    int whole;        /* nothing was said: the file is all of it */
    int counted;      /* the number of the piece was said, and no more */
    int last;         /* of counted ones: the file ends with it */
    apr_off_t skip;   /* bytes of it that are there already */
    upool_sink rest;  /* where those behind them go */
    /* the upload */
    upool_resume *resume; /* NULL: not opened, or not to be told of */
    int created;          /* by this request */
    int first;           /* of the form's fields that it was not created with */
    upool_repeat *again; /* what a whole file has to be then; NULL: any */
    int repeats;         /* all is there already: it wants the answer (again) */
    int late;            /* made before it was known which it is */
    /* the body */
    upool_chunk *form;
    const upool_chunk_file *file; /* of the form */
    upool_fieldbody *fields;
    upool_content_digests digests; /* announced for a raw body */
    apr_off_t passed;              /* bytes of a repeated piece */
    upool_refusal refusal;
} upool_chunked;

/* --- chunked_place.c: which upload, and where --------------------------- */

/* Takes parameters of the query: upload_id and a library's. */
void upool_chunked_read_query(upool_chunked *c);

/* Fields of a form (of upool_field) that say the same. */
void upool_chunked_read_fields(upool_chunked *c,
                               const apr_array_header_t *fields);

/* Settles where the bytes belong, from all that was read.  0, or 1 with
 * *refusal. */
int upool_chunked_place(upool_chunked *c, upool_refusal *refusal);

/* Settles which upload: rq->id, empty where there is nothing to go by.  0, or 1
 * with *refusal. */
int upool_chunked_name(upool_chunked *c, upool_refusal *refusal);

/* What the head of a form with a piece tells against it, before the form is
 * asked for: more than the upload may be, more than the piece can need.  0, or
 * 1 with *refusal. */
int upool_chunked_judge_head(const upool_chunked *c, upool_refusal *refusal);

/* 1: it is complete as soon as its last byte is there. */
int upool_chunked_is_auto(const upool_chunked *c);

/* 1: whoever sends this may have an upload that the application has given no
 * identifier for. */
int upool_chunked_may_mint(const upool_chunked *c);

/* 1 for fields that say what a piece is, which no application asks for. */
int upool_chunked_is_ours(const upool_chunked *c, const char *field);

/* --- chunked_enter.c: into the upload ----------------------------------- */

/* 1: an upload in pieces by the identifier that the URL gives has begun and is
 * not complete, so that this may be a piece of it. */
int upool_chunked_is_begun(upool_chunked *c);

/* Opens the upload, for those who send nothing.  0, or 1 with *refusal. */
int upool_chunked_open(upool_chunked *c, upool_refusal *refusal);

/* Opens the upload, or makes it, and begins the piece: *inner is where its
 * bytes go.  fields: of the form, so far.  0, or 1 with *refusal. */
int upool_chunked_enter(upool_chunked *c, const upool_chunk_file *file,
                        const apr_array_header_t *fields, upool_sink *inner,
                        upool_refusal *refusal);

/* Of an upload that this request has made: the fields behind the file belong to
 * it too.  add: should this request complete it; keep: should it not (0, or 1
 * with *refusal). */
void upool_chunked_add_fields(upool_chunked *c);
int upool_chunked_keep_fields(upool_chunked *c, upool_refusal *refusal);

/* chunked_count.c: pieces that are only counted.  Settles where in the upload,
 * which was there, the piece belongs, or that it is to be made anew (0, or 1
 * with *refusal); and after the first, writes down how long it was (0, or 1
 * with *refusal). */
int upool_chunked_count(upool_chunked *c, int *makes, upool_refusal *refusal);
int upool_chunked_measure(upool_chunked *c, upool_refusal *refusal);
/* Puts what passes over c->skip bytes in front of *inner. */
void upool_chunked_pass_over(upool_chunked *c, upool_sink *inner);
/* What a library calls the file, so that two files are not taken for one where
 * the URL names the upload; NULL: it is no library's. */
const char *upool_chunked_tag(const upool_chunked *c);

/* chunked_move.c: the form said behind its file which upload it is, or did not:
 * moves the piece there.  0, or 1 with *refusal. */
int upool_chunked_move(upool_chunked *c, upool_refusal *refusal);

/* --- chunked_reply.c ------------------------------------------------------ */

/* Answers a refusal, in the words of django-chunked-upload where it has some:
 * {"detail"}, and "offset" where the upload may be told of.  What this request
 * has made and nobody can go on with is deleted. */
int upool_chunked_refuse(request_rec *r, upool_request *rq,
                         const upool_refusal *refusal);

/* How far the upload is. */
int upool_chunked_tell(upool_chunked *c);

/* --- the kinds of request ------------------------------------------------- */

/* chunked_form.c: FORM and MAYBE.  chunked_raw.c: RAW, ASKS, TESTS.
 * chunked_end.c: COMPLETES. */
int upool_chunked_take_form(upool_chunked *c);
int upool_chunked_take_raw(upool_chunked *c);
int upool_chunked_ask(upool_chunked *c);
/* The answer to ASKS, from a body or a form that brought nothing. */
int upool_chunked_tell_range(upool_chunked *c);
int upool_chunked_test(upool_chunked *c);
int upool_chunked_complete(upool_chunked *c);

/* Whoever brought the body in: the piece is there.  What the handler hook
 * returns. */
int upool_chunked_taken(upool_chunked *c);

#endif
