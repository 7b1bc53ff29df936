/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_IDENT_KEYS_H
#define UPOOL_IDENT_KEYS_H

/* The keys of a context: the first signs, all verify (rotation). */

#include <apr_pools.h>

#define UPOOL_KEYS_MAX 16
#define UPOOL_KEY_LEAST 16     /* bytes: shorter is refused */
#define UPOOL_KEY_GOOD 32      /* bytes: shorter earns a warning */

typedef struct upool_keys upool_keys;

upool_keys *upool_keys_make(apr_pool_t *p);

/* Copies the secret.  APR_EINVAL: too short; APR_ENOSPC: too many. */
apr_status_t upool_keys_add(upool_keys *keys, const char *secret,
                            apr_size_t len);

/* Number of keys; 0 for NULL. */
int upool_keys_count(const upool_keys *keys);

/* Lower-case hex HMAC-SHA256 of data under key number n into hex[65]. */
void upool_keys_hmac(const upool_keys *keys, int n, const void *data,
                     apr_size_t len, char *hex);

#endif
