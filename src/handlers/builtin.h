/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HANDLERS_BUILTIN_H
#define UPOOL_HANDLERS_BUILTIN_H

/* The built-in upload handlers, in the order in which they stand:
 *
 *   accept   refuses files by the extensions of their names
 *   sniff    compares the first bytes with the declared type; where these do
 *            not tell, a second stage behind all others looks at the file
 *   clamd    asks a virus scanner while the bytes pass
 *   digest   computes digests while the bytes pass
 *   inline   keeps small files in memory
 *   spool    keeps everything else in the bucket
 *
 * Each _make() returns the data of an instance, in p, for upool_chain_add().
 * refusal is where the handler writes its precise reason. */

#include "handlers/clamd.h"
#include "handlers/magic.h"
#include "upload/chain.h"
#include "upload/extensions.h"
#include "upload/refusal.h"
#include "upload_pool_handler.h"

extern const upload_pool_handler upool_accept_handler;
extern const upload_pool_handler upool_sniff_handler;
extern const upload_pool_handler upool_sniff_again_handler;
extern const upload_pool_handler upool_clamd_handler;
extern const upload_pool_handler upool_digest_handler;
extern const upload_pool_handler upool_inline_handler;
extern const upload_pool_handler upool_spool_handler;

void *upool_accept_make(const upool_extension_lists *lists,
                        upool_refusal *refusal, apr_pool_t *p);

/* For the log: what a handler lets pass. */
typedef void upool_tell_fn(struct request_rec *r, apr_status_t rv,
                           const char *text);

typedef enum upool_sniff_mode {
    UPOOL_SNIFF_OFF = 0,
    UPOOL_SNIFF_REPORT, /* tells of a type that does not agree */
    UPOOL_SNIFF_ON      /* refuses it */
} upool_sniff_mode;

/* For sniff and sniff_again, which share it.  magic: the process's, may be
 * NULL: every type is unknown.  bucket: where files are.  tell: of a file that
 * is accepted by REPORT alone; may be NULL. */
void *upool_sniff_make(upool_sniff_mode mode, upool_magic *magic,
                       upool_bucket *bucket, upool_tell_fn *tell,
                       upool_refusal *refusal, apr_pool_t *p);

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
