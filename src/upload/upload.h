/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_UPLOAD_UPLOAD_H
#define UPOOL_UPLOAD_UPLOAD_H

/* The life of one upload, from its identifier to done or error:
 *
 *     start ──> receiving ──(finish)──> done
 *       │          │
 *       └──────────┴──(refuse, pool cleanup)──> error
 *
 * start takes the slot and the bucket's lock; feed and flush move bytes;
 * finish commits: files first, metadata.json last, then the slot says done.
 * Any failure in between ends in error: the attempt's files are removed, and
 * the slot and attempt.json say why.  Nothing here blocks on the client and no
 * state is on the stack, so an upload may wait any time between two feeds, and
 * go on in another thread.
 *
 * One thread at a time.  Everything lives in the pool of start; its cleanup
 * ends an unfinished upload as interrupted. */

#include "store/bucket.h"
#include "upload/account.h"
#include "upload/announced.h"
#include "store/quota.h"
#include "upload/chain.h"
#include "upload/fields.h"
#include "upload/limits.h"
#include "upload/refusal.h"
#include "upload/rules.h"
#include "upload/sink.h"

typedef struct upool_upload upool_upload;

typedef struct upool_upload_options {
    const char *identifier;   /* checked, bare */
    int minted;               /* for this very upload: nobody knows it yet */
    const char *owner;        /* NULL: nobody's */
    apr_off_t content_length; /* -1 unknown */
    upool_limits limits;
    upool_quota_limits quota; /* none set: costs nothing */
    upool_rule_lists rules;
    upool_content_digests digests; /* announced, live as long as the upload */
    const char *digest_field;      /* form field with files' digests; NULL:
                                      none */
    int utf8_names;                /* safe names keep every script */
    upool_store *store;
    upool_account_options account; /* name NULL: the identifier */
    apr_time_t (*now)(void);
    struct request_rec *r; /* for handlers; may be NULL */
    /* 1: open() or withdraw() will tell whether it is a whole upload */
    int undecided;
} upool_upload_options;

/* Takes the identifier: slot, then bucket and lock.  Never NULL; look at
 * upool_upload_refusal(). */
upool_upload *upool_upload_start(const upool_upload_options *options,
                                 apr_pool_t *p);

/* The chain, to which handlers may be added between start and open. */
upool_chain *upool_upload_chain(upool_upload *upload);
upool_bucket *upool_upload_bucket(upool_upload *upload);
upool_refusal *upool_upload_refusal(upool_upload *upload);
/* How many bytes may still be kept in memory (fields, inline files). */
apr_int64_t *upool_upload_memory(upool_upload *upload);

/* 0 when the progress table was full: status then comes from the bucket. */
int upool_upload_has_slot(const upool_upload *upload);

/* Its request waits without a thread (1), or has one again (0); for the
 * metrics. */
void upool_upload_park(upool_upload *upload, int parked);

/* Checks its length and the quota before a byte is read, and reserves its room.
 * 0, or 1 when refused. */
int upool_upload_admit(upool_upload *upload);

/* To be called instead of open() when it turns out to be only a piece of an
 * upload: leaves no trace, as if it had not been started; an upload that was
 * complete before stays. */
void upool_upload_withdraw(upool_upload *upload);

/* Opens the handler chain for a multipart body with that boundary; calls
 * admit() first if nobody has.  0, or 1 when refused. */
int upool_upload_open(upool_upload *upload, const char *boundary,
                      apr_size_t boundary_len);

/* Bytes of the body, valid until the next flush.  0, or 1 when refused; this
 * and the functions below also return 1 for an upload that has ended, or was
 * not opened. */
int upool_upload_feed(upool_upload *upload, const char *data, apr_size_t len);

/* The bytes fed are about to become invalid: writes them, publishes progress,
 * and learns whether somebody cleared the upload.  0, or 1 when refused. */
int upool_upload_flush(upool_upload *upload);

/* The body has ended: commits.  0: the upload is done; 1 when refused. */
int upool_upload_finish(upool_upload *upload);

/* The upload's application has answered.  Until then, or the end of the pool,
 * an upload that is done is in use (store/run.h).  A second call does
 * nothing. */
void upool_upload_answered(upool_upload *upload);

/* The upload as the sink of its request's body, to be used from open on. */
void upool_upload_sink(upool_upload *upload, upool_sink *sink);

/* Ends the upload as an error, unless it has ended already; the first refusal
 * stands. */
void upool_upload_refuse(upool_upload *upload, upool_reason reason,
                         apr_status_t rv, const char *detail);

/* 0 where the upload is done and its body had no part at all. */
int upool_upload_has_parts(const upool_upload *upload);

const upool_record *upool_upload_record(const upool_upload *upload);
const apr_array_header_t *upool_upload_fields(const upool_upload *upload);
/* Absolute path of the bucket's file, or of the bucket for NULL, in p. */
const char *upool_upload_path(const upool_upload *upload, const char *stored,
                              apr_pool_t *p);

#endif
