/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_PROTO_TUS_HEAD_H
#define UPOOL_PROTO_TUS_HEAD_H

/* Reads the header fields of a tus request.  It is strict: a field that is
 * malformed, or was sent twice although it is no list, makes the request a bad
 * one (400), whatever the others say; fields that the method does not use are
 * not looked at.  Nothing here reads a body or asks a pool. */

#include <httpd.h>

#include "parse/tusfields.h"

/* The one version that we speak, and the extensions that are on. */
#define UPOOL_TUS_VERSION "1.0.0"
#define UPOOL_TUS_EXTENSIONS \
    "creation,creation-with-upload,creation-defer-length,expiration," \
    "checksum,checksum-trailer,termination,concatenation"
#define UPOOL_TUS_CHECKSUMS "sha1,sha256,md5"
#define UPOOL_TUS_MEDIA_TYPE "application/offset+octet-stream"

/* 1 if Content-Type is that of the bytes of an upload, with or without
 * parameters, in any letter case. */
int upool_tus_has_bytes(const request_rec *r);

/* A new upload, as POST announces it.  Strings are those of the request. */
typedef struct upool_tus_creation {
    apr_off_t length;      /* -1: deferred, or that of a final upload's parts */
    const char *metadata;  /* NULL: none */
    const char *concat;    /* NULL: none */
    upool_tus_concat kind; /* BAD: neither partial nor final */
    upool_tus_reader parts; /* of a final upload */
} upool_tus_creation;

/* NULL, or the name of the field that is wrong. */
const char *upool_tus_creation_read(const request_rec *r,
                                    upool_tus_creation *creation);

/* Bytes to append, as PATCH, or POST with bytes, announces them. */
typedef struct upool_tus_append {
    apr_off_t offset;
    apr_off_t length;      /* Upload-Length that was deferred; -1: not sent */
    const char *algorithm; /* of checksum; NULL: none announced */
    upool_digestfield_named checksum;
    int trailer; /* a checksum is to follow the body */
} upool_tus_append;

/* NULL, or the name of the field that is wrong.  POST has no Upload-Offset:
 * offset is 0 there. */
const char *upool_tus_append_read(const request_rec *r,
                                  upool_tus_append *append);

/* Reads the checksum that followed the body into append; NULL if there is none
 * or a good one, else the field's name. */
const char *upool_tus_trailer_read(const request_rec *r,
                                   upool_tus_append *append);

/* 1 where the request need not say its version, or says one that we speak. */
int upool_tus_is_understood(const request_rec *r);

#endif
