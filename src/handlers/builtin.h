/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HANDLERS_BUILTIN_H
#define UPOOL_HANDLERS_BUILTIN_H

/* The built-in upload handlers.  Each is one file, which ends with its
 * upool_builtin; builtin.c lists them in a table, in the order in which they
 * run.  A new handler needs a file and a line in that table.
 *
 * Tests use what is declared below the table: each _make() returns the data of
 * an instance, in p, for upool_chain_add().  refusal is where the handler
 * writes its precise reason. */

#include "handlers/clamd.h"
#include "handlers/magic.h"
#include "upload/chain.h"
#include "upload/extensions.h"
#include "upload/refusal.h"
#include "upload/resume.h"
#include "upload_pool_handler.h"

/* Logs what a handler lets pass. */
typedef void upool_tell_fn(struct request_rec *r, apr_status_t rv,
                           const char *text);

typedef enum upool_sniff_mode {
    UPOOL_SNIFF_OFF = 0,
    UPOOL_SNIFF_REPORT, /* tells of a type that does not agree */
    UPOOL_SNIFF_ON      /* refuses it */
} upool_sniff_mode;

typedef struct upool_scan_options {
    const upool_clamd_address *address;
    apr_interval_time_t timeout;
    /* take a file when the scanner is not there; never one that it did not
     * find clean */
    int accept_unscanned;
    upool_tell_fn *tell; /* of such a file; may be NULL */
} upool_scan_options;

/* What the directives of a context set for all handlers, and what the process
 * has for them. */
typedef struct upool_builtin_settings {
    const upool_extension_lists *accept; /* NULL: every name may pass */
    upool_sniff_mode sniff;
    upool_magic *magic; /* the process's; NULL: every type is unknown */
    upool_tell_fn *tell_sniffed;
    const upool_scan_options *scan;    /* NULL: no scanner is asked */
    const apr_array_header_t *digests; /* of const char *; NULL: none */
    apr_int64_t inline_size;           /* 0: no file stays in memory */
} upool_builtin_settings;

typedef struct upool_builtin {
    const upload_pool_handler *handler;
    /* The data of an instance at site; NULL: nothing to do by settings. */
    void *(*make)(const upool_builtin_settings *settings,
                  const upool_handler_site *site);
    upool_resume_need need; /* of a complete file: of a guard alone */
    int guards; /* refuses what must not get in, so it stands first */
    /* A second stage with the same data, after the handler that keeps the file:
     * looks at the file where it is stored.  NULL: none. */
    const upload_pool_handler *again;
} upool_builtin;

/* All of them, with NULL at the end. */
extern const upool_builtin *const upool_builtins[];

/* The one of that name, in any letter case; NULL: none. */
const upool_builtin *upool_builtin_find(const char *name);

/* --- One by one ----------------------------------------------------------- */

extern const upload_pool_handler upool_accept_handler;
extern const upload_pool_handler upool_sniff_handler;
extern const upload_pool_handler upool_sniff_again_handler;
extern const upload_pool_handler upool_clamd_handler;
extern const upload_pool_handler upool_digest_handler;
extern const upload_pool_handler upool_inline_handler;
extern const upload_pool_handler upool_spool_handler;

void *upool_accept_make(const upool_extension_lists *lists,
                        upool_refusal *refusal, apr_pool_t *p);

/* For sniff and sniff_again, which share it.  magic: the process's, or NULL:
 * every type is unknown.  bucket: where files are.  tell: reports a file that
 * REPORT alone accepts; may be NULL. */
void *upool_sniff_make(upool_sniff_mode mode, upool_magic *magic,
                       upool_bucket *bucket, upool_tell_fn *tell,
                       upool_refusal *refusal, apr_pool_t *p);

/* Blocks on the network, each time for options->timeout at most. */
void *upool_clamd_handler_make(const upool_scan_options *options,
                               upool_refusal *refusal, apr_pool_t *p);

/* algorithms: array of const char *, names that upool_digest_known() knows. */
void *upool_digest_make(const apr_array_header_t *algorithms,
                        upool_refusal *refusal, apr_pool_t *p);

/* The name in lower case if the algorithm is known (md5, sha-1, sha-256,
 * sha-512, crc32), else NULL. */
const char *upool_digest_known(const char *name);

/* Files up to size bytes stay in memory while *memory lasts, which is what the
 * upload may still keep in memory, shared with the form fields. */
void *upool_inline_make(apr_int64_t size, apr_int64_t *memory,
                        upool_refusal *refusal, apr_pool_t *p);

void *upool_spool_make(upool_bucket *bucket, upool_refusal *refusal,
                       apr_pool_t *p);

#endif
