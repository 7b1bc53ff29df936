/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_METADATA_H
#define UPOOL_STORE_METADATA_H

/* A record as JSON text: what metadata.json and attempt.json hold.
 *
 *   { "version": 1,
 *     "identifier": "ID",            equals the bucket's name
 *     "state": "done",               attempt.json: "uploading" or "error"
 *     "filename": "photo.jpg",
 *     "content-type": "image/jpeg",
 *     "size": 123456,                of the request body; null: unknown
 *     "received": 123456,
 *     "error": null,                 text exactly with state "error"
 *     "owner": null,                 opaque text, null: nobody's
 *     "created": 1732186500123456,   microseconds since 1970 (UTC)
 *     "updated": 1732186501123456,
 *     "files": [                     empty unless the state is "done"
 *       { "field": "file",
 *         "filename": "photo.jpg",
 *         "safe-filename": "photo.jpg",
 *         "content-type": "image/jpeg",            or null
 *         "charset": null,                         or text
 *         "params": { "name": "value" },
 *         "size": 123210,
 *         "stored": "0-<32 hex digits>.bin",       null: it was in memory
 *         "digests": { "sha-256": "hex" } } ],
 *     "empty": ["file"] }            file inputs that were left empty; no such
 *                                    member where there are none
 *
 * Reading is strict: exactly these members, each once, each of its type and
 * range.  The text is not trusted: somebody who can write into the pool must
 * gain no path, no crash and no endless work from it.  Everything written here
 * can be read here.  The content of files in memory is not kept.
 *
 * No files, no state; any thread. */

#include "store/members.h"

/* Longest text that is written or read. */
#define UPOOL_METADATA_MAX UPOOL_MEMBERS_MAX

/* The text of record, len bytes and no NUL behind it, from malloc(): the caller
 * frees *text, which is NULL on failure.  (It is not in a pool, which would
 * only grow: attempts are noted again and again over hours.)  APR_EINVAL: the
 * record is not one that could be read back (no identifier, a text that is not
 * UTF-8, a stored or safe name outside its pattern, a negative number); EFBIG:
 * longer than UPOOL_METADATA_MAX; APR_ENOMEM. */
apr_status_t upool_metadata_encode(char **text, apr_size_t *len,
                                   const upool_record *record);

/* Reads the record from text, all of it into p.  identifier: the upload whose
 * record it must be.  APR_EGENERAL: not such a text, or out of memory (jansson
 * cannot always tell), so it is not a reason to throw anything away.  Only this
 * and APR_SUCCESS are returned. */
apr_status_t upool_metadata_decode(upool_record **record, const char *text,
                                   apr_size_t len, const char *identifier,
                                   apr_pool_t *p);

#endif
