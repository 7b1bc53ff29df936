/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_RUN_H
#define UPOOL_STORE_RUN_H

/* Decides who runs the application of a complete upload, so that it runs once,
 * even if the request that completes the upload comes several times, at once or
 * one after another, on several hosts.
 *
 *   run   the process that runs the application holds this file's region
 *         (region.h), which is free again if it dies; afterwards the file says
 *         what the result was:
 *         { "created": 1732186500123456, "status": 201, "final": true }
 *         created: the upload's, so that the result of an earlier upload of
 *         that identifier does not count.  final false: it shall run again when
 *         asked.  Empty, or anything else: it has not answered.
 *
 * answer.json is written before this file, so a final answer is known whole or
 * by its status; a crash in between means "again".
 *
 * An upload is in use until its application has answered: meanwhile neither
 * sweep nor another upload of its identifier takes its files.  A clear marks it
 * with the file "cleared": from then on readers find nothing, and it is removed
 * when the run ends, or by the next sweep or upload where the run's holder has
 * died.
 *
 * A run is used by one thread at a time. */

#include "store/answer.h"
#include "store/bucket.h"
#include "store/record.h"
#include "store/store.h"

typedef struct upool_run upool_run;

/* Asks to run the application of record's complete upload.
 * APR_SUCCESS: *run is the caller's, who runs the application; the run ends
 * with upool_run_end(), or with p.
 * APR_EEXIST: it has answered finally; *answer is set (only then).
 * APR_EBUSY: somebody else runs it.
 * APR_ENOENT: the bucket is gone, or another upload's; else the system's. */
apr_status_t upool_run_take(upool_run **run, upool_answer *answer,
                            upool_store *store, const upool_record *record,
                            apr_pool_t *p);

/* The same for the upload that bucket has just committed and still holds:
 * nobody else can have its run.  The run lives in p.  After an error, the
 * system's, the upload is not marked as in use. */
apr_status_t upool_run_begin(upool_run **run, const upool_bucket *bucket,
                             const upool_record *record, apr_pool_t *p);

/* Records what the application has answered.  A final answer is kept with its
 * headers and its body where they can be written; an error says that not even
 * its status could be written. */
apr_status_t upool_run_tell(upool_run *run, const upool_answer *answer);

/* Ends the run: the next may begin, and an upload that was cleared meanwhile is
 * removed.  A second call does nothing. */
void upool_run_end(upool_run *run);

/* What is known, without asking to run it: sets status and final of *answer.
 * APR_SUCCESS; APR_EBUSY: somebody runs it; else as above. */
apr_status_t upool_run_look(upool_answer *answer, upool_store *store,
                            const upool_record *record, apr_pool_t *p);

#endif
