/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_FRONT_API_H
#define UPOOL_FRONT_API_H

/* The optional functions of mod_upload_pool.h, which give other modules what
 * clients can ask for by URL.  The same checks apply (key, owner, expiry), so a
 * module that hands on what a client gave it opens nothing that the client
 * could not reach itself. */

/* From register_hooks. */
void upool_api_register(void);

#endif
