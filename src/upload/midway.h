/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_UPLOAD_MIDWAY_H
#define UPOOL_UPLOAD_MIDWAY_H

/* A digest of a file that arrives in several requests: it is put down at the
 * end of one request and taken up at the next, by another process, perhaps on
 * another machine.
 *
 * The state that is put down is the chaining value and the bytes that do not
 * fill a block yet, in hex (most significant byte first), with the number of
 * bytes that went in:
 *
 *     sha-256   8 words of 4 bytes, then offset % 64 bytes
 *
 * EVP does not give these out, so the older functions of OpenSSL are used, in
 * midway.c and nowhere else.  EVP is still asked whether an algorithm may be
 * used: one that a strict policy withholds cannot be put down, and the file is
 * read again for the digest.  One thread at a time. */

#include <apr_pools.h>

#include "upload/digester.h"

typedef struct upool_midway upool_midway;

/* A digest at the beginning of a file, in p.  NULL: there is no such algorithm,
 * or it cannot be put down. */
upool_midway *upool_midway_make(const char *algorithm, apr_pool_t *p);

/* Its algorithm, as upool_digester_known() tells it. */
const char *upool_midway_name(const upool_midway *midway);

/* How many bytes went in. */
apr_off_t upool_midway_offset(const upool_midway *midway);

/* Takes up the state that was put down after offset bytes.  0; -1: state is not
 * one, and midway is at the beginning. */
int upool_midway_take_up(upool_midway *midway, const char *state,
                         apr_off_t offset);

/* The state, in p. */
const char *upool_midway_put_down(const upool_midway *midway, apr_pool_t *p);

/* Bytes. */
void upool_midway_update(upool_midway *midway, const char *data,
                         apr_size_t len);

/* Ends: the digest, and how many bytes it has. */
apr_size_t upool_midway_end(upool_midway *midway,
                            unsigned char value[UPOOL_DIGESTER_MAX]);

#endif
