/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_AUDIT_H
#define UPOOL_STORE_AUDIT_H

/* Looks through a pool for anything that this room would not have left there:
 * for people who look after a pool.  Nothing here changes the disk or keeps
 * anybody waiting.
 *
 * Uploads go on meanwhile.  An entry that looks wrong is looked at again some
 * milliseconds later before it is called a problem; a bucket that a writer is
 * changing may look like anything and is not a problem.
 * Content is not read; names come from the disk and may be any bytes.
 *
 * No state; any thread. */

#include <apr_tables.h>

#include "store/record.h"
#include "store/resumable.h"
#include "store/store.h"

typedef struct upool_audit_note {
    const char *name; /* of the file in the bucket; "" for the bucket itself */
    const char *text;
} upool_audit_note;

typedef struct upool_audit {
    upool_record *complete;       /* metadata.json; NULL: none readable */
    const upool_resumable *about; /* an unfinished resumable upload; or NULL */
    apr_off_t offset;             /* bytes of about that have arrived */
    int is_written;               /* a writer is there */
    int files;                    /* data files */
    apr_off_t bytes;              /* in them (apparent size) */
    int orphans;                  /* data files that no record names */
    apr_off_t orphan_bytes;
    apr_array_header_t *problems; /* of upool_audit_note; never NULL */
    apr_array_header_t *remarks;  /* odd, but no problem; likewise */
} upool_audit;

/* Looks at the bucket id, into p.  APR_ENOENT: there is none (any more);
 * APR_ENOTDIR: something other than a bucket has that name; APR_EINVAL: no
 * bucket can have such a name; else the system's error. */
apr_status_t upool_audit_look(upool_audit *audit, upool_store *store,
                              const char *id, apr_pool_t *p);

/* The walk below calls this for every name in the pool except those of the
 * room's own files.  may_be: a bucket may have such a name.  Anything but
 * APR_SUCCESS ends the walk. */
typedef apr_status_t upool_audit_visit(void *baton, const char *name,
                                       int may_be);

/* Walks the pool, in no particular order.  Returns the visit's or the system's
 * error. */
apr_status_t upool_audit_each(upool_store *store, upool_audit_visit *visit,
                              void *baton);

/* When the list of files in bucket id last changed, as it does when an upload
 * begins and when it ends.  0: there is no such bucket. */
apr_time_t upool_audit_changed(upool_store *store, const char *id);

#endif
