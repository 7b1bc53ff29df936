/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_UPLOAD_CRC32_H
#define UPOOL_UPLOAD_CRC32_H

/* The CRC of IEEE 802.3 (reflected polynomial 0xEDB88320), which OpenSSL does
 * not have.  Begin with all ones; the complement of the result is the value.
 * Pure; any thread. */

#include <apr.h>

#define UPOOL_CRC32_BEGIN 0xFFFFFFFFU

/* crc after len more bytes. */
apr_uint32_t upool_crc32_update(apr_uint32_t crc, const unsigned char *at,
                                apr_size_t len);

#endif
