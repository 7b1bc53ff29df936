/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_RESUMABLE_H
#define UPOOL_STORE_RESUMABLE_H

/* resumable.json: what is known of an upload that arrives in several requests
 * while it is not complete, and where it came from once it is.
 *
 *   { "version": 1,
 *     "identifier": "ID",            equals the bucket's name
 *     "protocol": "tus",             [a-z0-9-]{1,16}
 *     "owner": null,                 opaque text, null: nobody's
 *     "created": 1732186500123456,   microseconds since 1970 (UTC)
 *     "length": 123456,              of the file; null: not known yet
 *     "file": { … },                 as one of files[] in metadata.json, with
 *                                    its stored name; size 0, no digests
 *     "uri": "/upload",              of the request that created it
 *     "args": null,                  its query, without "?"
 *     "fields": [                    of the form, in order
 *       { "name": "title", "value": "Holiday" },
 *       { "name": "raw", "base64": "/w==" } ],     not UTF-8, or holds NUL
 *     "metadata": null,              tus: Upload-Metadata, for HEAD
 *     "concat": null,                tus: "partial" or "final;…"
 *     "good": null,                  offset that can be trusted; null: the
 *                                    file's own size
 *     "ranges": null,                bytes that are there: [[a,b], …], b the
 *                                    first behind; null: from the start on
 *     "midstates": [                 digests on their way
 *       { "algorithm": "sha-256", "offset": 65536, "state": "hex" } ] }
 *
 * It belongs to the bucket's complete upload when metadata.json is there and
 * both have the same "created"; else to an upload on its way.  Completing thus
 * takes a single rename, and retries still find where the upload came from.
 *
 * Reading is strict, as for metadata.json.  No files, no state; any thread. */

#include "store/members.h"
#include "store/ranges.h"

typedef struct upool_resumable_field {
    const char *name;
    const char *value; /* len bytes, may hold NUL, NUL behind them */
    apr_size_t len;
} upool_resumable_field;

typedef struct upool_midstate {
    const char *algorithm;
    apr_off_t offset;  /* bytes of the file that went in */
    const char *state; /* lower-case hex, as upload/digester.h writes it */
} upool_midstate;

typedef struct upool_resumable {
    const char *identifier;
    const char *protocol;
    const char *owner; /* NULL: nobody's */
    apr_time_t created;
    apr_off_t length; /* -1: not known yet */
    upool_file file;
    const char *uri;
    const char *args;              /* NULL: none */
    apr_array_header_t *fields;    /* of upool_resumable_field; never NULL */
    const char *metadata;          /* NULL: none */
    const char *concat;            /* NULL: none */
    apr_off_t good;                /* -1: the file's own size */
    apr_array_header_t *ranges;    /* of upool_range; NULL: in order so far */
    apr_array_header_t *midstates; /* of upool_midstate; never NULL */
} upool_resumable;

/* An empty one in p: no length, no ranges, good -1, file all empty. */
upool_resumable *upool_resumable_make(apr_pool_t *p, const char *identifier);

/* 1 when it is a part of a concatenation. */
int upool_resumable_is_part(const upool_resumable *about);

/* As upool_metadata_encode() and _decode(). */
apr_status_t upool_resumable_encode(char **text, apr_size_t *len,
                                    const upool_resumable *resumable);
apr_status_t upool_resumable_decode(upool_resumable **resumable,
                                    const char *text, apr_size_t len,
                                    const char *identifier, apr_pool_t *p);

#endif
