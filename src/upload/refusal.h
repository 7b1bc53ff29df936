/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_UPLOAD_REFUSAL_H
#define UPOOL_UPLOAD_REFUSAL_H

/* Why an upload ends without being done: one table from reason to HTTP status
 * and to the text that the client and every poller may see (never a path, a
 * key or another user's name; details belong into the error log). */

#include "store/quota.h"

typedef enum upool_reason {
    UPOOL_REASON_NONE = 0,
    UPOOL_REASON_BODY_TOO_LARGE,
    UPOOL_REASON_FILE_TOO_LARGE,
    UPOOL_REASON_TOO_MANY_PARTS,
    UPOOL_REASON_FIELD_TOO_LARGE,
    UPOOL_REASON_FIELDS_TOO_LARGE,
    UPOOL_REASON_HEADER_TOO_LARGE,
    UPOOL_REASON_BOUNDARY, /* no or bad boundary parameter */
    UPOOL_REASON_NO_DELIMITER,
    UPOOL_REASON_DELIMITER,
    UPOOL_REASON_TRUNCATED,
    UPOOL_REASON_HEADER,
    UPOOL_REASON_PADDING,
    UPOOL_REASON_LENGTH,     /* Content-Length is not a number */
    UPOOL_REASON_INCOMPLETE, /* body shorter than announced */
    UPOOL_REASON_CONTENT_CODING,
    UPOOL_REASON_PART_CODING,
    UPOOL_REASON_EXTENSION,
    UPOOL_REASON_NOT_AN_UPLOAD, /* UploadRequire multipart */
    UPOOL_REASON_IDENT_MALFORMED,
    UPOOL_REASON_IDENT_DOUBLED,
    UPOOL_REASON_IDENT_REFUSED, /* unsigned, forged */
    UPOOL_REASON_OWNER,
    UPOOL_REASON_BUSY,
    UPOOL_REASON_EXPIRED,
    UPOOL_REASON_CLEARED, /* cleared while in flight */
    UPOOL_REASON_POOL,    /* pool missing or unusable */
    UPOOL_REASON_CONFIGURATION,
    UPOOL_REASON_IO,
    UPOOL_REASON_FULL, /* disk full, or too little left free */
    UPOOL_REASON_MEMORY,
    UPOOL_REASON_TIMEOUT,
    UPOOL_REASON_GONE,          /* client went away */
    UPOOL_REASON_SERVER_LIMIT,  /* refused by httpd below us */
    UPOOL_REASON_INTERRUPTED,   /* process ended, server stopped */
    UPOOL_REASON_HANDLER,       /* an upload handler said stop */
    UPOOL_REASON_CALLBACK,      /* JSONP name */
    UPOOL_REASON_QUOTA,         /* of the pool or of the owner */
    UPOOL_REASON_FIELD_MISSING, /* UploadField: required */
    UPOOL_REASON_FIELD_FILES,   /* UploadField: max */
    UPOOL_REASON_FIELD_TYPE,    /* UploadField: type */
    UPOOL_REASON_DIGEST,        /* of the request's content */
    UPOOL_REASON_DIGEST_SYNTAX,
    UPOOL_REASON_FILE_DIGEST, /* UploadDigestField */
    UPOOL_REASON_FILE_DIGEST_SYNTAX,
    UPOOL_REASON_VIRUS,         /* UploadScan: found */
    UPOOL_REASON_SCANNER,       /* UploadScan: no verdict */
    UPOOL_REASON_SNIFFED,       /* UploadSniff: not of the declared type */
    UPOOL_REASON_CHUNK_SIZE,    /* a chunk that is not as long as it says */
    UPOOL_REASON_CHUNK_FILES,   /* a form with more chunks than one */
    UPOOL_REASON_CHUNK_NONE,    /* a form without a chunk */
    UPOOL_REASON_CHUNK_HEADER,  /* where a chunk belongs: unreadable */
    UPOOL_REASON_FIELDS,        /* a body of fields alone that does not parse */
    UPOOL_REASON_TOO_SLOW,      /* UploadMinRate */
    UPOOL_REASON_NOT_FOUND,     /* of several requests: no such upload */
    UPOOL_REASON_OFFSET,        /* not where the upload is */
    UPOOL_REASON_COMPLETE,      /* nothing can be appended any more */
    UPOOL_REASON_UPLOAD_LENGTH, /* contradicts the known length or bytes */
    UPOOL_REASON_OVERRUN,       /* more bytes than the upload's length */
    UPOOL_REASON_CHECKSUM,      /* of the bytes of an append */
    UPOOL_REASON_TAKEN,         /* a newer request has taken over */
    UPOOL_REASON_NOT_WHOLE,     /* cannot complete: bytes are missing */
    UPOOL_REASON_UPLOAD_HEADER, /* of a protocol: bad, or out of place */
    UPOOL_REASON_VERSION,       /* of the protocol: not one we speak */
    UPOOL_REASON_FINAL,         /* a concatenated upload takes no bytes */
    UPOOL_REASON_WATCHERS,      /* too many watch uploads (UploadWatchers) */
    UPOOL_REASON_PIECE,         /* a piece of an unknown file */
    UPOOL_REASON_IDENT_MISSING, /* none was given, under a key */
    UPOOL_REASON_PROTOCOL,      /* one that is not open here */
    UPOOL_REASON_OTHER_CONTENT, /* a repeat, but with other bytes */
    UPOOL_REASON_COUNT
} upool_reason;

/* A refusal that happened.  reason NONE: there is none. */
typedef struct upool_refusal {
    upool_reason reason;
    int status;         /* HTTP */
    const char *text;   /* for the client */
    const char *detail; /* for the error log; NULL where text says it all */
    apr_status_t rv;    /* of the system, 0 where none */
    int reset;          /* close the connection instead of draining it */
} upool_refusal;

/* Initialises one with reason NONE. */
#define UPOOL_NO_REFUSAL \
    { \
        UPOOL_REASON_NONE, 0, NULL, NULL, 0, 0 \
    }

/* A refusal with the status and text that belong to reason.
 * @param detail static, or in a pool that lives as long as the refusal */
upool_refusal upool_refusal_make(upool_reason reason, apr_status_t rv,
                                 const char *detail);

/* The same into *refusal, overwriting it; returns 1, for the caller to
 * return. */
int upool_refusal_set(upool_refusal *refusal, upool_reason reason,
                      apr_status_t rv, const char *detail);

/* The reason behind a failed write: FULL for ENOSPC and EDQUOT, else IO. */
upool_reason upool_refusal_of_errno(apr_status_t rv);

/* What an answer of the quota means; reason NONE where it is granted.
 * @param error upool_quota_error(); used with UPOOL_QUOTA_FAILED only */
upool_refusal upool_refusal_of_quota(upool_quota_answer answer,
                                     apr_status_t error);

#endif
