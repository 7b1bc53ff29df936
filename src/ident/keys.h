/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_IDENT_KEYS_H
#define UPOOL_IDENT_KEYS_H

/* The keys of a context: the first signs, all verify (rotation).
 *
 * When a secret is added it is handed to OpenSSL as a keyed HMAC context and
 * kept nowhere else; a cleanup of the pool frees those contexts, and OpenSSL
 * wipes them when it frees them.  Each HMAC runs in a duplicate of its keyed
 * context, so fetching the algorithm and absorbing the key are paid once per
 * key and not per identifier (0.41 us against 1.1 us for HMAC()), and any
 * number of threads may use one set of keys at once.  Only one thread may add
 * keys, before the set is shared.
 *
 * Every HMAC can fail (no memory): the hex is then empty, which no comparison
 * in this directory takes for a signature. */

#include <apr_errno.h>
#include <apr_pools.h>

#define UPOOL_KEYS_MAX 16
#define UPOOL_KEY_LEAST 16 /* bytes: shorter is refused */
#define UPOOL_KEY_GOOD 32  /* bytes: shorter earns a warning */

typedef struct upool_keys upool_keys;

/* An empty set; it and all that is added to it live as long as p.  NULL: the
 * OpenSSL at hand has no HMAC-SHA256 (or no memory). */
upool_keys *upool_keys_make(apr_pool_t *p);

/* Adds a secret; the caller has to wipe its own copy.  APR_SUCCESS; APR_EINVAL:
 * too short; APR_ENOSPC: too many; APR_EGENERAL: OpenSSL failed. */
apr_status_t upool_keys_add(upool_keys *keys, const char *secret,
                            apr_size_t len);

/* Number of keys; 0 for NULL.  Any thread. */
int upool_keys_count(const upool_keys *keys);

/* Lower-case hex HMAC-SHA256 of data under key number n (0 first) into
 * hex[65].  APR_SUCCESS; APR_EINVAL: no such key; APR_EGENERAL: OpenSSL failed.
 * On failure hex is the empty string.  Any thread. */
apr_status_t upool_keys_hmac(const upool_keys *keys, int n, const void *data,
                             apr_size_t len, char *hex);

#endif
