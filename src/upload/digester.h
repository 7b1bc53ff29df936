/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_UPLOAD_DIGESTER_H
#define UPOOL_UPLOAD_DIGESTER_H

/* One digest, computed while bytes pass.  The algorithm is fetched from OpenSSL
 * when the digester is made, not anew for every file: the search through the
 * providers takes a lock and costs as much as some KiB of SHA-256.  One thread
 * at a time. */

#include <apr_pools.h>

#define UPOOL_DIGESTER_MAX 64 /* bytes of the longest, sha-512 */

typedef struct upool_digester upool_digester;

/* The name in lower case, static, when the algorithm is known (md5, sha-1,
 * sha-256, sha-512, crc32; any letter case), else NULL. */
const char *upool_digester_known(const char *algorithm);

/* A digester in p; NULL where the algorithm is not known, or is not available
 * (MD5 under a strict policy), or memory ran out. */
upool_digester *upool_digester_make(const char *algorithm, apr_pool_t *p);

/* Its algorithm, as upool_digester_known() tells it. */
const char *upool_digester_name(const upool_digester *digester);

/* Begins, for the first time or again.  0, or -1 when it cannot. */
int upool_digester_begin(upool_digester *digester);

/* Bytes.  0, or -1 when they cannot be taken. */
int upool_digester_update(upool_digester *digester, const char *data,
                          apr_size_t len);

/* Ends: *value gets the digest, most significant byte first.  Returns its
 * length in bytes, 0 when there is none. */
apr_size_t upool_digester_end(upool_digester *digester,
                              unsigned char value[UPOOL_DIGESTER_MAX]);

/* For midway.h: the state of a crc32 digester, to be read and set. */
apr_uint32_t upool_digester_crc(const upool_digester *digester);
void upool_digester_set_crc(upool_digester *digester, apr_uint32_t crc);

#endif
