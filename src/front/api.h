/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_FRONT_API_H
#define UPOOL_FRONT_API_H

/* The optional functions of mod_upload_pool.h: what clients can ask for by
 * URL, for other modules.  The same checks apply to them (key, owner,
 * expiry), so that a module which hands on what a client gave it opens nothing
 * that the client could not reach itself. */

/* From register_hooks. */
void upool_api_register(void);

#endif
