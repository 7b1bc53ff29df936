/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_LOGTAGS_H
#define UPOOL_HTTPD_LOGTAGS_H

/* The register of log tags, "UPL0017: …" in the error log.  Each call site
 * above trace level has its own number; a number is never used for anything
 * else, and stays registered when its site goes.
 *
 * UPL0001  start-up: version, slots
 * UPL0002  start-up: no shared memory for the progress table
 * UPL0003  start-up: a changed UploadProgressSlots waits for a full restart
 * UPL0004  configuration: a pool does not exist or is no directory
 * UPL0005  configuration: a pool that others may write to
 * UPL0006  configuration: a pool that the server's user does not own
 * UPL0007  configuration: UploadMaxSize above LimitRequestBody
 * UPL0008  configuration: a signing key that is short
 * UPL0009  sweep: a pool cannot be opened
 * UPL0010  sweep: buckets removed
 * UPL0011  watchdog: no sweep, the watchdog is missing
 * UPL0012  configuration: a key file that everybody can read
 * UPL0013  configuration: a name in UploadHandler that is no upload handler
 * UPL0020  upload: begins
 * UPL0022  upload: done
 * UPL0023  upload: the progress table is full
 * UPL0024  upload: handler accounting
 * UPL0025  upload: deleted by UploadCleanup
 * UPL0026  upload: deletion by UploadCleanup failed
 * UPL0027  upload: substituted body handed to UploadPass
 * UPL0028  filter: somebody reads the body before the upload was taken in
 * UPL0029  upload: cleared
 * UPL0030  upload: clearing failed
 * UPL0032  file: a stored file cannot be opened
 * UPL0033  mint: no random identifier
 * UPL0034  upload: another module asks for a pool that cannot be opened
 * UPL0035  upload: cleared by another module
 * UPL0036  upload: a file is accepted without a scan
 * UPL0037  upload: a file that is not what it is declared as is accepted
 * UPL0040  upload: removed, for the application has not claimed it
 * UPL0041  upload: removal of one that was not claimed failed
 * UPL0050  upload: parked for the first time
 * UPL0060  upload: substituted request handed to UploadPass
 * UPL0061  upload: the application's answer cannot be kept
 * UPL0062  upload: the application has answered
 * UPL0063  upload: a kept answer is given again
 * UPL0070  tus: an upload is terminated
 * UPL0071  tus: an upload is made of parts
 * UPL0075  resumable: content of an upload resource comes in
 * UPL0080  configuration: the cache that a farm shares cannot be prepared
 * UPL0081  farm: the shared cache does not answer
 * UPL0082  farm: the shared cache answers again
 * UPL0083  farm: a process has no way to the shared cache
 * UPL0090  status: an upload is watched
 * UPL0095  configuration: a pool that the server gives out by URL
 * UPL0320  upload: something in front collected it, as it seems
 * UPL0330  upload: a file of it cannot be read for its application
 * UPL0331  upload: its application has not seen it, as it seems
 * UPL0350  upload: neither a file nor a field was found in its body
 * UPL0385  start-up: a pool lies on FUSE
 * UPL0386  farm: a pool is unsafe, uploads are refused
 * UPL0387  farm: whether a pool is safe cannot be tried
 * UPL0388  farm: a pool is safe again
 * UPL0400  configuration: no room for children of the next generation
 * UPL0401  sweep: the pools below UploadPoolRoot cannot be looked for
 * UPL0415  http/2: an upload is asked to come again over HTTP/1.1
 * UPL0416  configuration: UploadPark Always cannot do what it says
 * UPL0430  configuration: a pool in a directory of temporary files
 * UPL0431  configuration: a pool that a pattern may give out by URL
 * UPL0432  configuration: what may be meant otherwise
 * UPL0440  configuration: an UploadPoolRoot that cannot be reached
 * UPL0441  configuration: two quotas for one UploadPoolRoot
 * UPL0442  configuration: an UploadPoolRoot below another that has a quota
 *
 * UPL0100 and up: one refusal each, 100 + its number in upload/refusal.h. */

#define UPOOL_TAG_REFUSAL 100

#endif
