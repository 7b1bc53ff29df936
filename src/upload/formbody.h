/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_UPLOAD_FORMBODY_H
#define UPOOL_UPLOAD_FORMBODY_H

/* An upload written as a multipart/form-data body again (UploadPassAs form and
 * fields; RFC 7578): fields, empty file inputs and files in the order in which
 * they came, with the names under which they came.  If the upload's bytes did
 * not come in a form, fields stand first.
 *
 * The body is a list of pieces: text in memory, and files of the bucket, which
 * the sender of the body reads from there.  One thread at a time; everything in
 * p. */

#include "store/record.h"
#include "upload/facts.h"
#include "upload/refusal.h"

/* Hexadecimal digits of the boundary's random part. */
#define UPOOL_FORMBODY_RANDOM 32

typedef struct upool_formbody_piece {
    const upool_file *file; /* stored: its bytes belong here; NULL: text does */
    const char *text;
    apr_size_t len;
} upool_formbody_piece;

typedef struct upool_formbody {
    apr_array_header_t *pieces; /* of upool_formbody_piece */
    apr_off_t length;           /* of the whole */
    const char *boundary;
} upool_formbody;

typedef struct upool_formbody_options {
    const char *random; /* UPOOL_FORMBODY_RANDOM digits that nobody could know
                           when the upload came in */
    const char *bucket; /* absolute path of the bucket's directory */
    /* NULL: files with their bytes.  Else, of upool_facts_pair: each file is
     * replaced by fields that describe it, and empty file inputs are left out;
     * so is a client's own field that could be taken for one with a path. */
    const apr_array_header_t *facts;
} upool_formbody_options;

/* fields: of upool_field. NONE; CONFIGURATION, with *detail for the log: a file
 * is kept elsewhere by its handler, so its bytes cannot be sent. */
upool_reason upool_formbody_make(upool_formbody *body,
                                 const upool_record *record,
                                 const apr_array_header_t *fields,
                                 const upool_formbody_options *options,
                                 const char **detail, apr_pool_t *p);

#endif
