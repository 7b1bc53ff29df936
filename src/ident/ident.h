/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_IDENT_IDENT_H
#define UPOOL_IDENT_IDENT_H

/* Upload identifiers: ID, or ID:SIGNATURE where keys are configured (contract
 * 1).  ID is [A-Za-z0-9-]{1,64}; SIGNATURE is the lower-case hex HMAC-SHA256
 * of ID.  An identifier becomes a path component and a table key, so every
 * identifier must first pass upool_ident_check().
 *
 * Nothing here keeps state or allocates: every function may run in any number
 * of threads at once, and all memory is the caller's. */

#include <apr_errno.h>
#include <apr_pools.h>
#include <apr_time.h>
#include "ident/keys.h"

#define UPOOL_IDENT_MAX 64
#define UPOOL_SIGNATURE_LEN 64
#define UPOOL_IDENT_TEXT_MAX (UPOOL_IDENT_MAX + 1 + UPOOL_SIGNATURE_LEN)

typedef enum upool_ident_verdict {
    UPOOL_IDENT_GOOD = 0,
    UPOOL_IDENT_MALFORMED, /* the text before any ':' is not an ID */
    UPOOL_IDENT_UNSIGNED,  /* keys are configured, no signature */
    UPOOL_IDENT_FORGED,    /* not a signature by a configured key */
    UPOOL_IDENT_UNEXPECTED /* signed, but no key is configured */
} upool_ident_verdict;

/* Checks text (NULL: malformed) under keys (NULL or empty: none).  On GOOD id
 * (room for UPOOL_IDENT_MAX + 1) gets the bare identifier; on every other
 * verdict it is the empty string, so that a caller who forgets to check cannot
 * use a refused identifier.  Every key is compared over the full length in
 * constant time (CRYPTO_memcmp), whatever the length of the signature. */
upool_ident_verdict upool_ident_check(const char *text, const upool_keys *keys,
                                      char *id);

/* A fresh time-ordered identifier (UUID version 7, RFC 9562 5.7): the
 * milliseconds of now, then 74 random bits; it tells nothing about the host.
 * APR_SUCCESS; APR_EINVAL: now does not fit 48 bits of milliseconds;
 * APR_EGENERAL: no randomness available.  On failure id is empty. */
apr_status_t upool_ident_mint(char id[UPOOL_IDENT_MAX + 1], apr_time_t now);

/* ID, or ID:SIGNATURE with the first key, into text (room for
 * UPOOL_IDENT_TEXT_MAX + 1).  APR_SUCCESS; APR_EINVAL: id is not an ID;
 * APR_EGENERAL: OpenSSL failed.  On failure text is empty. */
apr_status_t upool_ident_sign(char *text, const char *id,
                              const upool_keys *keys);

/* When a time-ordered UUID (version 1, 6 or 7, in either letter case) was
 * made; 0 for anything else.  A UUID that claims to date from 1970 or before
 * gives 1, so that a forged age cannot pass for no age. */
apr_time_t upool_ident_time(const char *id);

#endif
