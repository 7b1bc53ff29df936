/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_UPLOAD_HANDLERS_H
#define UPOOL_UPLOAD_HANDLERS_H

/* The built-in upload handlers, in the order in which they stand:
 *
 *   accept   refuses files by the extensions of their safe name
 *   sniff    compares the first bytes with the declared type
 *   clamd    asks a virus scanner while the bytes pass
 *   digest   computes digests while the bytes pass
 *   inline   keeps small files in memory
 *   spool    keeps everything else in the bucket
 *
 * Each _make() returns the data of an instance, in p, for upool_chain_add().
 * refusal is where the handler writes its precise reason. */

#include "store/bucket.h"
#include "upload/chain.h"
#include "upload/clamd.h"
#include "upload/magic.h"
#include "upload/refusal.h"
#include "upload_pool_handler.h"

/* Where handlers are put to work. */
typedef struct upool_handler_site {
    upool_chain *chain;
    upool_refusal *refusal;
    apr_int64_t *memory;  /* what the upload may still keep in memory */
    upool_bucket *bucket; /* open for writing */
    apr_pool_t *p;        /* the upload's */
} upool_handler_site;

extern const upload_pool_handler upool_accept_handler;
extern const upload_pool_handler upool_sniff_handler;
extern const upload_pool_handler upool_clamd_handler;
extern const upload_pool_handler upool_digest_handler;
extern const upload_pool_handler upool_inline_handler;
extern const upload_pool_handler upool_spool_handler;

/* Lists of extensions, without dot, lower case; NULL: no such list.  Every
 * suffix of the safe name counts: x.php.png has the two "php" and "png".  A
 * file is refused when one of its extensions is in a deny list, and, for each
 * allow list, when one is not in it or when the file has none.  The two of
 * each kind come from the server's configuration and from .htaccess, so that
 * the latter can only narrow. */
typedef struct upool_accept_lists {
    const apr_array_header_t *allow[2];
    const apr_array_header_t *deny[2];
} upool_accept_lists;

/* 1 where the lists let a file of that safe name pass. */
int upool_accept_takes(const upool_accept_lists *lists, const char *name);

void *upool_accept_make(const upool_accept_lists *lists, upool_refusal *refusal,
                        apr_pool_t *p);

/* For the log: what a handler lets pass. */
typedef void upool_tell_fn(struct request_rec *r, apr_status_t rv,
                           const char *text);

typedef enum upool_sniff_mode {
    UPOOL_SNIFF_OFF = 0,
    UPOOL_SNIFF_REPORT, /* tells of a type that does not agree */
    UPOOL_SNIFF_ON      /* refuses it */
} upool_sniff_mode;

/* magic: the process's, may be NULL: every type is unknown.  tell: of a file
 * that is accepted by REPORT alone; may be NULL. */
void *upool_sniff_make(upool_sniff_mode mode, upool_magic *magic,
                       upool_tell_fn *tell, upool_refusal *refusal,
                       apr_pool_t *p);

typedef struct upool_scan_options {
    const upool_clamd_address *address;
    apr_interval_time_t timeout;
    /* take a file when the scanner is not there; never one that it did not
     * find clean */
    int accept_unscanned;
    upool_tell_fn *tell; /* of such a file; may be NULL */
} upool_scan_options;

/* Blocks on the network, each time for options->timeout at most. */
void *upool_clamd_handler_make(const upool_scan_options *options,
                               upool_refusal *refusal, apr_pool_t *p);

/* algorithms: array of const char *, names that upool_digest_known() knows. */
void *upool_digest_make(const apr_array_header_t *algorithms,
                        upool_refusal *refusal, apr_pool_t *p);

/* The name in lower case when the algorithm is known (md5, sha-1, sha-256,
 * sha-512, crc32), else NULL. */
const char *upool_digest_known(const char *name);

/* Files up to size bytes stay in memory as long as *memory (what the upload
 * may still keep in memory, shared with the form fields) lasts. */
void *upool_inline_make(apr_int64_t size, apr_int64_t *memory,
                        upool_refusal *refusal, apr_pool_t *p);

void *upool_spool_make(upool_bucket *bucket, upool_refusal *refusal,
                       apr_pool_t *p);

#endif
