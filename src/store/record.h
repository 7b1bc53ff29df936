/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_STORE_RECORD_H
#define UPOOL_STORE_RECORD_H

/* What is known of one upload, as it is kept on disk and told to the
 * outside. */

#include <apr_pools.h>
#include <apr_time.h>
#include <apr_tables.h>

typedef enum upool_state {
    UPOOL_STATE_STARTING = 0, /* nothing known (yet) */
    UPOOL_STATE_UPLOADING,
    UPOOL_STATE_DONE,
    UPOOL_STATE_ERROR
} upool_state;

/* "starting", "uploading", "done", "error". */
const char *upool_state_name(upool_state state);

typedef struct upool_digest {
    const char *algorithm; /* "sha-256", … */
    const char *hex;
} upool_digest;

/* Where a part stood in its form, and how the client wrote its head if a
 * browser would write it otherwise: not UTF-8, other escapes, another letter
 * case.  Used for the form that an application is handed; not kept on disk. */
typedef struct upool_written {
    int part;             /* its number among the parts, from 0 */
    const char *name;     /* between the quotes; NULL: as browsers write it */
    const char *filename; /* the same */
    const char *type;     /* value of Content-Type; NULL: type and params */
} upool_written;

/* One file.  Strings are valid UTF-8. */
typedef struct upool_file {
    const char *field;
    const char *filename; /* as the client sent it */
    const char *safe_filename;
    const char *content_type; /* NULL where the part had none */
    const char *charset;      /* NULL where none */
    apr_table_t *params;      /* of Content-Type; never NULL */
    apr_off_t size;
    const char *stored;          /* name inside the bucket; NULL: elsewhere */
    const char *content;         /* the bytes, for files kept in memory */
    apr_array_header_t *digests; /* of upool_digest; may be empty, never NULL */
    const char *location;        /* where else it is; not kept on disk */
    const apr_table_t *notes;    /* of handlers; not kept on disk; or NULL */
    const char *sniffed; /* type by its bytes; not kept on disk; or NULL */
    upool_written written;
} upool_file;

/* A file input that was left empty. */
typedef struct upool_empty {
    const char *field;
    upool_written written;
} upool_empty;

typedef struct upool_record {
    const char *identifier; /* bare, without signature */
    upool_state state;
    const char *filename;     /* first file's; "" while unknown */
    const char *content_type; /* first file's; "" while unknown */
    apr_off_t size;           /* of the request body; -1 unknown */
    apr_off_t received;
    const char *error; /* with UPOOL_STATE_ERROR */
    const char *owner; /* opaque text that compares equal for the
                                    same owner; NULL: nobody's */
    apr_time_t created;
    apr_time_t updated; /* last activity: expiry counts from it */
    int waits; /* for its siblings; only a sweep ends that; not kept on disk */
    apr_array_header_t *files; /* of upool_file; never NULL */
    apr_array_header_t *empty; /* of upool_empty; NULL: none */
} upool_record;

/* 1 when the user who may touch what belongs to owner: owner is nobody (NULL or
 * "") or equals who.  who: NULL for nobody in particular. */
int upool_record_is_open_to(const char *owner, const char *who);

/* An empty record in p. */
upool_record *upool_record_make(apr_pool_t *p, const char *identifier);

/* The upload goes by the name and type of file, its first. */
void upool_record_name_by(upool_record *record, const upool_file *file);

/* The greatest length of record's document in bytes, with the names in it that
 * clients choose. */
apr_int64_t upool_record_weight(const upool_record *record);

#endif
