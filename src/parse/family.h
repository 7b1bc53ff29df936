/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PARSE_FAMILY_H
#define UPOOL_PARSE_FAMILY_H

/* The parameters by which browser libraries say which piece of which file a
 * request brings, in fields of the form or in the query:
 *
 *   Dropzone       dzuuid dzchunkbyteoffset dzchunkindex dzchunksize
 *                  dztotalfilesize
 *   Fine Uploader  qquuid qqpartbyteoffset qqchunksize qqtotalfilesize
 *   Flow.js        flowIdentifier flowChunkNumber flowChunkSize
 *                  flowCurrentChunkSize flowTotalSize flowTotalChunks
 *   Resumable.js   resumable… as flow…
 *   simple-uploader.js   the same names with nothing before them: identifier,
 *                  chunkNumber, …
 *   plupload       name chunk chunks; WebUploader too
 *
 * All but the last amount to (id, offset, length, total); plupload tells only
 * the number of the piece and the number of pieces.  A library's parameters
 * must be complete, each a plain number, and must agree with each other;
 * parameters of two libraries in one request are refused.  A value given twice
 * must be the same both times (Resumable.js writes its own into the query and
 * into the form).
 *
 * Other libraries are "strangers": all that is known of them is the parameters
 * by which a request says that it is a piece, so that the piece is not taken
 * for a whole file.
 *
 * Pure; any thread. */

#include <stddef.h>

typedef enum upool_family_kind {
    UPOOL_FAMILY_NONE = 0,
    UPOOL_FAMILY_DROPZONE,
    UPOOL_FAMILY_FINE,
    UPOOL_FAMILY_FLOW,
    UPOOL_FAMILY_RESUMABLE,
    UPOOL_FAMILY_SIMPLE,
    UPOOL_FAMILY_PLUPLOAD,
    UPOOL_FAMILY_COUNT
} upool_family_kind;

/* Longest id; one that is longer is refused. */
#define UPOOL_FAMILY_ID_MAX 1024

typedef enum upool_family_value {
    UPOOL_FAMILY_OFFSET = 0,
    UPOOL_FAMILY_NUMBER,  /* of the chunk: from 0 or from 1 */
    UPOOL_FAMILY_SIZE,    /* of a chunk */
    UPOOL_FAMILY_CURRENT, /* of this chunk */
    UPOOL_FAMILY_TOTAL,   /* of the file */
    UPOOL_FAMILY_CHUNKS,  /* of the file */
    UPOOL_FAMILY_VALUES
} upool_family_value;

/* Libraries that are known by their parameters alone. */
#define UPOOL_FAMILY_STRANGERS 13

/* The parameters of one library that were seen.  The members are for the files
 * of this directory alone. */
typedef struct upool_family_set {
    const char *id;
    size_t id_len;
    long long values[UPOOL_FAMILY_VALUES];
    unsigned seen; /* bit n: values[n] */
    int broken;
    int wordy;        /* a value is no number */
    const char *name; /* of the file; NULL */
    size_t name_len;
    const char *type;
    size_t type_len;
} upool_family_set;

typedef struct upool_family {
    upool_family_set sets[UPOOL_FAMILY_COUNT];
    /* Bit n is for stranger n: parts, it told which piece this is; counts, of
     * how many; wholes, of one. */
    unsigned parts;
    unsigned counts;
    unsigned wholes;
} upool_family;

typedef struct upool_family_chunk {
    upool_family_kind kind;
    const char *id; /* what the client calls the file, id_len bytes */
    size_t id_len;
    long long offset;
    long long length;
    long long total; /* offset + length <= total */
    /* Where those three are -1: the piece's number, from 0, and how many pieces
     * there are. */
    long long number;
    long long chunks;
    const char
        *name; /* of the file, since the part's own may be "blob"; NULL */
    size_t name_len;
    const char *type; /* of the file; NULL: the library does not tell */
    size_t type_len;
} upool_family_chunk;

/* Nothing seen yet. */
void upool_family_init(upool_family *family);

/* Takes in a parameter of any name; value has len bytes and must live as long
 * as *family and what is made from it. */
void upool_family_param(upool_family *family, const char *name,
                        const char *value, size_t len);

/* 1 with *chunk set; 0: no library's parameters were seen; -1: the parameters
 * are incomplete or do not agree. */
int upool_family_settle(const upool_family *family, upool_family_chunk *chunk);

/* 1 where a stranger's parameters say that it is a piece. */
int upool_family_is_strange(const upool_family *family);

/* 1 where the library makes up a random id for every file, so that nobody knows
 * an id without being told; 0 where anybody can guess it from the file. */
int upool_family_is_random(upool_family_kind kind);

/* 1 where name is one of the parameters by which the library says which piece
 * it brings; the library's other parameters (the file's path) do not count. */
int upool_family_owns(upool_family_kind kind, const char *name);

#endif
