/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef MOD_UPLOAD_POOL_H
#define MOD_UPLOAD_POOL_H

/**
 * @file  mod_upload_pool.h
 * @brief What other modules may use of mod_upload_pool.
 */

#include <httpd.h>
#include "upload_pool_handler.h"

#endif
