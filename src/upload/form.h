/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_UPLOAD_FORM_H
#define UPOOL_UPLOAD_FORM_H

/* Takes in a multipart/form-data body: turns the parser's events into files for
 * the handler chain and fields in memory, within the limits, and fills the
 * record's list of files.
 *
 * One thread at a time.  Functions that return int return 0 to go on, 1 when
 * the body is refused (*refusal says why). */

#include "store/record.h"
#include "upload/announced.h"
#include "upload/chain.h"
#include "upload/fields.h"
#include "upload/rules.h"

typedef struct upool_form upool_form;

typedef struct upool_form_parts {
    upool_chain *chain;
    upool_fields *fields;
    upool_record *record; /* files are appended; the first names it */
    upool_refusal *refusal;
    const upool_limits *limits;
    upool_rules *rules;        /* NULL: none */
    upool_file_check *check;   /* NULL: nothing is announced for files */
    int utf8_names;            /* safe names keep every script */
    apr_pool_t *p;             /* the upload's */
    void (*named)(void *user); /* the record's names have become known */
    void *user;
} upool_form_parts;

/* boundary: UPOOL_BOUNDARY_MAX bytes at most. */
upool_form *upool_form_make(const char *boundary, apr_size_t boundary_len,
                            const upool_form_parts *parts);

/* Bytes of the body; they must stay valid until upool_chain_flush(). */
int upool_form_feed(upool_form *form, const char *data, apr_size_t len);

/* The body has ended. */
int upool_form_end(upool_form *form);

/* 0 when no part has been found so far; that of an empty input counts as
 * one. */
int upool_form_has_parts(const upool_form *form);

#endif
