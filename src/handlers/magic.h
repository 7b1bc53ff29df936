/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HANDLERS_MAGIC_H
#define UPOOL_HANDLERS_MAGIC_H

/* What bytes look like, by libmagic.  No other file uses it; without
 * UPOOL_WITH_MAGIC all bytes look unknown.
 *
 * A cookie of libmagic serves one thread at a time and takes milliseconds to
 * make, so a process keeps those that it has made: as many as were ever in use
 * at once, up to a few.  libmagic gets bytes or a descriptor, never a file's
 * name, and looks neither into archives nor into compressed data; what it may
 * spend on one look is limited.  Its database is the system's. */

#include <apr_pools.h>

/* How many bytes of a file are looked at. */
#define UPOOL_MAGIC_BYTES 2048

typedef struct upool_magic upool_magic;

/* 1 when the module was built with libmagic. */
int upool_magic_is_built(void);

/* The cookies of one process, made before its threads; a cleanup of p frees
 * them.  NULL when there is no libmagic, or no mutex. */
upool_magic *upool_magic_make(apr_pool_t *p);

/* The type/subtype that the bytes look like, in lower case, in p; NULL:
 * unknown.  Everything is unknown when libmagic fails (*why, unless NULL, is
 * then set; static or in p).  Any thread. */
const char *upool_magic_type(upool_magic *magic, const char *bytes,
                             apr_size_t len, const char **why, apr_pool_t *p);

/* The same for a file that is open for reading.  libmagic reads the first of
 * these bytes and, if it wants to, the last. */
const char *upool_magic_file(upool_magic *magic, int fd, const char **why,
                             apr_pool_t *p);

#endif
