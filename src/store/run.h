/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_RUN_H
#define UPOOL_STORE_RUN_H

/* Who runs the application of a complete upload, so that it runs
 * once, though the request that completes the upload may come several times: at
 * once or one after another, on several hosts.
 *
 *   run   who runs the application holds its region (region.h), so that it is
 *         free again when he dies; afterwards it says what came of it:
 *         { "created": 1732186500123456, "status": 201, "final": true }
 *         created: the upload's, so that what is said of an earlier one of
 *         that identifier does not count.  final false: it shall run again
 *         when asked.  Empty, or anything else: it has not answered.
 *
 * answer.json is written before this is, so a final answer is known whole or by
 * its status; a crash in between means "again".
 *
 * An upload is in use until its application has answered: meanwhile neither
 * sweep nor another upload of its identifier takes its files.  A clear marks it
 * with the file "cleared": from then on readers find nothing, and it goes when
 * the run ends; where its holder has died, with the next sweep or upload.
 *
 * A run is used by one thread at a time. */

#include "store/answer.h"
#include "store/bucket.h"
#include "store/record.h"
#include "store/store.h"

typedef struct upool_run upool_run;

/* Asks to run the application of the complete upload that record tells of.
 * APR_SUCCESS: *run is the caller's, who runs it; that ends with
 * upool_run_end(), or with p.
 * APR_EEXIST: it has answered finally, *answer (which is untouched otherwise).
 * APR_EBUSY: somebody else runs it.
 * APR_ENOENT: the bucket is gone, or another upload's; else the system's. */
apr_status_t upool_run_take(upool_run **run, upool_answer *answer,
                            upool_store *store, const upool_record *record,
                            apr_pool_t *p);

/* The same of the upload that bucket has just committed and still holds: nobody
 * else can have it.  The run lives in p.  The system's error: it is not known
 * to be in use. */
apr_status_t upool_run_begin(upool_run **run, const upool_bucket *bucket,
                             const upool_record *record, apr_pool_t *p);

/* What the application has answered.  One that is final is kept, with its
 * headers and its body, where they can be written; an error says that not even
 * its status could be. */
apr_status_t upool_run_tell(upool_run *run, const upool_answer *answer);

/* It is over: the next one may, and an upload that was cleared meanwhile goes.
 * Twice is once. */
void upool_run_end(upool_run *run);

/* What is known without asking to run it: *answer has status and final.
 * APR_SUCCESS; APR_EBUSY: somebody runs it; else as above. */
apr_status_t upool_run_look(upool_answer *answer, upool_store *store,
                            const upool_record *record, apr_pool_t *p);

#endif
