/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_UPLOAD_RESUME_H
#define UPOOL_UPLOAD_RESUME_H

/* One request's part in an upload that arrives in several: it creates it, asks
 * how far it is, appends to it, completes it or discards it.
 *
 *     create ─┐           ┌──(finish)──> kept ──┐
 *             ├─> known ──┤  appending          ├──> known, or complete
 *     open ───┘           └──(refuse)───────────┘
 *
 * A front uses it like this (an append of raw bytes, errors left out):
 *
 *     upool_resume *resume = upool_resume_open(&options, r->pool);
 *     upool_resume_append append = UPOOL_RESUME_APPEND;
 *
 *     if (upool_resume_refusal(resume)->reason) -> 404, 403, 410 …
 *     append.offset = Upload-Offset;
 *     append.content_length = Content-Length, or -1;
 *     if (upool_resume_begin(resume, &append)) -> 409 with
 *         upool_resume_offset(resume), 413, 423 …
 *     upool_resume_sink(resume, &rq->sink);
 *     upool_drive_run(r, rq, then);      feeds, flushes, finishes, may park
 *   then:
 *     refused -> upool_resume_refusal(resume); what came is kept
 *     upool_resume_is_complete(resume) -> run the application
 *     else -> 204 with upool_resume_offset(resume)
 *
 * Nothing here waits for a client.  begin, settle, complete and discard may
 * wait for another request to let go, 2 s at most; complete reads the file
 * where digests, UploadSniff, UploadScan or other modules' handlers need it.
 * No state is on the stack or bound to a thread, so any time may pass between
 * two feeds.
 *
 * The reason of a refused append decides what becomes of its bytes:
 *
 *   CHECKSUM, DIGEST, FILE_DIGEST,    they are taken back: the offset is what
 *   CHUNK_SIZE                        it was before
 *   CLEARED                           the upload is gone
 *   any other                         they are kept, up to the one that was
 *                                     too many (OVERRUN, *_TOO_LARGE, QUOTA)
 *
 * If an upload is refused when it completes, a refusal of 500 and above leaves
 * it unchanged, for another try; below 500, the upload becomes an error, and
 * its bytes are gone.
 *
 * One thread at a time.  Everything lives in the pool of create or open; its
 * cleanup ends an append as interrupted, which keeps what came. */

#include "store/resumable_look.h"
#include "store/quota.h"
#include "upload/account.h"
#include "upload/announced.h"
#include "upload/fields.h"
#include "upload/chain.h"
#include "upload/extensions.h"
#include "upload/limits.h"
#include "upload/refusal.h"
#include "upload/rules.h"
#include "upload/sink.h"

typedef struct upool_resume upool_resume;

/* How much of a complete file its handlers have to see. */
typedef enum upool_resume_need {
    UPOOL_RESUME_NEED_NAME = 0, /* what is known before its first byte */
    UPOOL_RESUME_NEED_HEAD,     /* its first 64 KiB */
    UPOOL_RESUME_NEED_ALL
} upool_resume_need;

/* What the configuration and the server say; the same for every request of an
 * upload (httpd/resuming.h fills it). */
typedef struct upool_resume_options {
    const char *identifier; /* checked, bare */
    int minted;             /* for this creation: nobody knows it yet */
    const char *owner;      /* who asks; NULL: nobody in particular */
    upool_limits limits;    /* body: of the whole upload */
    upool_quota_limits quota;
    upool_rule_lists rules;
    upool_extension_lists accept;
    const apr_array_header_t *digests; /* of const char *; NULL: none */
    int utf8_names;                    /* safe names keep every script */
    const char *file_field;            /* where the client names none; NULL:
                                          "file" */
    apr_interval_time_t expires;       /* untouched for so long: gone */
    upool_store *store;
    upool_account_options account;
    apr_time_t (*now)(void);
    struct request_rec *r; /* for handlers; may be NULL */
    /* Adds the handlers that must see a complete file, and says how much of it;
     * NULL: there are none.  If may_change is 0 these are guards, which change
     * and keep nothing: the file stays unchanged in its place. */
    upool_resume_need (*add_handlers)(void *user,
                                      const upool_handler_site *site);
    void *user;
    /* 1: some handler may change the file or keep it elsewhere (UploadInline,
     * other modules' handlers), so all are added, digest and spool included. */
    int may_change;
} upool_resume_options;

/* What the creating request says.  Everything is copied.  UPOOL_RESUME_START
 * initialises one that says nothing. */
typedef struct upool_resume_start {
    const char *protocol; /* "chunked", "tus", "resumable" */
    apr_off_t length;     /* of the file; -1 not known yet */
    upool_file file; /* what the client says of it (upload/file.h); field NULL:
                        it has named none; params NULL: it says nothing */
    const char *uri; /* of the request: what completes runs there */
    const char *args;
    const apr_array_header_t *fields; /* of upool_field; NULL: none */
    const char *metadata;             /* tus: Upload-Metadata */
    const char *concat;               /* tus: Upload-Concat */
    /* 1: its name comes later, with upool_resume_set_name(), or never, if it
     * will be a part of another upload: the name is not checked now */
    int name_follows;
    /* created of the complete upload of several requests with this identifier
     * that the caller has seen: no other such upload is replaced (BUSY).
     * UPOOL_REPLACES_NONE: there was none; UPOOL_REPLACES_ANY: the caller has
     * not looked */
    apr_time_t replaces;
} upool_resume_start;

#define UPOOL_RESUME_START \
    { \
        .length = -1, .replaces = UPOOL_REPLACES_ANY \
    }

/* What an append says.  UPOOL_RESUME_APPEND initialises a plain one. */
typedef struct upool_resume_append {
    apr_off_t offset;         /* where its bytes belong; -1: at the end */
    apr_off_t content_length; /* bytes that will come; -1 unknown */
    /* 1: the bytes are the part [offset, offset + content_length), and others
     * may come before or beside it; content_length and the upload's length must
     * be known */
    int out_of_order;
    /* 1: its end is the upload's end (Upload-Complete: ?1), whatever the
     * length */
    int last;
    /* 1: finish() does not complete the upload even when all of it is there:
     * upool_resume_complete() will */
    int stay_open;
    /* Digests of this append's bytes: all must agree, or it is taken back. */
    upool_content_digests announced; /* Content-Digest, as content; and
                                        Repr-Digest, when this is all */
    /* 1: a checksum has been announced, or may follow the body; it will be
     * given with upool_resume_expect() */
    int may_be_refused;
    /* Called in finish() when the body has ended, before the bytes count
     * (trailers are known by then); may call upool_resume_expect().  NONE, or
     * the reason why the bytes must go.  NULL: no such call. */
    upool_reason (*verify)(void *user, upool_resume *resume);
    void *user;
} upool_resume_append;

#define UPOOL_RESUME_APPEND \
    { \
        -1, -1, 0, 0, 0, { NULL, NULL }, 0, NULL, NULL \
    }

/* Makes the upload, with no bytes yet.  Never NULL; look at its refusal: BUSY
 * (another upload of that identifier is on its way), OWNER, EXTENSION, FIELD_*,
 * BODY_TOO_LARGE, FILE_TOO_LARGE, QUOTA, FULL, IO.  A complete upload of that
 * identifier stays until this one is complete.  An upload of length 0 is not
 * completed by this call, but by complete(). */
upool_resume *upool_resume_create(const upool_resume_options *options,
                                  const upool_resume_start *start,
                                  apr_pool_t *p);

/* Finds the upload.  Never NULL; refusals: NOT_FOUND (also for an upload that
 * ended as an error), OWNER, EXPIRED, IO. */
upool_resume *upool_resume_open(const upool_resume_options *options,
                                apr_pool_t *p);

/* The value of start.replaces for a creation, from the result of opening:
 * found, or NULL and the reason.  UPOOL_REPLACES_ANY for an upload that may not
 * be looked at, since it has been judged all the same; UPOOL_REPLACES_NONE
 * where nothing was there. */
apr_time_t upool_resume_replaces(const upool_resume *found,
                                 upool_reason reason);

/* The first refusal; reason NONE: none so far. */
const upool_refusal *upool_resume_refusal(const upool_resume *resume);

/* What is known.  Not after NOT_FOUND. */
const upool_resumable *upool_resume_about(const upool_resume *resume);
apr_off_t upool_resume_offset(const upool_resume *resume); /* the end of what
                                         is there without a gap */
apr_off_t upool_resume_length(const upool_resume *resume); /* -1 unknown */
/* Bytes that are there, gaps not counted. */
apr_off_t upool_resume_held(const upool_resume *resume);
/* 1: every byte is there (not the same as complete). */
int upool_resume_is_whole(const upool_resume *resume);
/* 1: it is done, by this request or an earlier one. */
int upool_resume_is_complete(const upool_resume *resume);
/* 1: this request has completed it, so its application must run. */
int upool_resume_completed_now(const upool_resume *resume);
/* When it expires, if nothing happens; 0: never, or together with its siblings
 * if it is a part that waits for them. */
apr_time_t upool_resume_expires(const upool_resume *resume);
/* The record of a complete upload (never NULL then), for upool_result_body()
 * with the fields (of upool_field) and path. */
const upool_record *upool_resume_record(const upool_resume *resume);
const apr_array_header_t *upool_resume_fields(const upool_resume *resume);
const char *upool_resume_path(const upool_resume *resume, const char *stored,
                              apr_pool_t *p);

/* To be called before telling the offset: ends the request that is writing, and
 * looks anew.  0; 1 when that request goes on (BUSY) or the upload is gone
 * (NOT_FOUND).  Parts that come out of order are left alone. */
int upool_resume_settle(upool_resume *resume);

/* Sets the length, which has become known.  0; 1: another length was known, or
 * it is less than what is there (UPLOAD_LENGTH), or more than the limits and
 * the quota allow.  To be called before begin(). */
int upool_resume_set_length(upool_resume *resume, apr_off_t length);

/* Replaces the metadata that the upload was made with by text, valid UTF-8.  0,
 * or 1 when refused. */
int upool_resume_set_metadata(upool_resume *resume, const char *text);

/* Names a file that has no name so far; a file with a name keeps it.  0; 1:
 * EXTENSION, FIELD_*, or the name cannot be written.  To be called before
 * begin(). */
int upool_resume_set_name(upool_resume *resume, const char *filename);

/* Adds a field of the form behind those of the creating request (chunked: of
 * the completing one). */
void upool_resume_add_field(upool_resume *resume, const upool_field *field);

/* Stores fields (of upool_field) that came behind the file of the creating
 * request with those that came before it.  Not while appending.  0, or 1. */
int upool_resume_keep_fields(upool_resume *resume,
                             const apr_array_header_t *fields);

/* Begins an append, which is the only writer of its bytes from now on.  0, or
 * 1: COMPLETE, OFFSET (upool_resume_offset() gives the right one), OVERRUN
 * (beyond the upload's length), UPLOAD_LENGTH, *_TOO_LARGE, QUOTA, BUSY (the
 * present writer does not let go), NOT_FOUND, IO. */
int upool_resume_begin(upool_resume *resume, const upool_resume_append *append);

/* Gives a digest of this append's bytes, which must agree at finish().  To be
 * called after begin(), before the first byte (the digest is computed as the
 * bytes pass) or in verify() (they are read again).  Only for an append with
 * may_be_refused; the last call counts.  value is copied.  0; -1: no such
 * algorithm. */
int upool_resume_expect(upool_resume *resume, const char *algorithm,
                        const unsigned char *value, apr_size_t len);

/* The sink for the append's bytes.  finish() keeps them, and completes the
 * upload when they were the rest of it (and stay_open is 0). */
void upool_resume_sink(upool_resume *resume, upool_sink *sink);

/* Completes an upload that has all its bytes, without another append: length 0,
 * U/complete.  0: it is complete, by this or another request; 1: INCOMPLETE,
 * BUSY, or the handlers' reason. */
int upool_resume_complete(upool_resume *resume);

/* Checks a digest of the whole file, before complete(): 0; 1: FILE_DIGEST, it
 * does not agree (the upload stays unchanged).  The digest is computed already
 * when UploadDigest names it.  hex: any letter case. */
int upool_resume_check(upool_resume *resume, const char *algorithm,
                       const char *hex);

/* Ends the upload for good; a writer learns of it within 500 ms.  reason: NONE
 * leaves no trace (DELETE), any other leaves an error for pollers.  0; 1:
 * IO. */
int upool_resume_discard(upool_resume *resume, upool_reason reason);

/* Takes back a creation that came to nothing: it leaves no trace, but a
 * complete upload of the identifier stays as it was.  0; 1: as discard(), or
 * without a refusal where the upload stays because of which. */
int upool_resume_abandon(upool_resume *resume, upool_abandon which);

/* Makes the file of this new upload out of those of others (bare identifiers,
 * const char *), in order; they stay.  Every one must be of protocol and
 * concat "partial", of the same owner, and whole: else NOT_FOUND, OWNER,
 * EXPIRED, NOT_WHOLE; *_TOO_LARGE and so on as begin().  Sets the length;
 * complete() must follow.  0, or 1. */
int upool_resume_concat(upool_resume *resume, const apr_array_header_t *parts);

#endif
