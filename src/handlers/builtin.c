/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "handlers/builtin.h"

#include <apr_cstr.h>

extern const upool_builtin upool_accept_builtin;
extern const upool_builtin upool_sniff_builtin;
extern const upool_builtin upool_clamd_builtin;
extern const upool_builtin upool_digest_builtin;
extern const upool_builtin upool_inline_builtin;
extern const upool_builtin upool_spool_builtin;

/* The order in which they run if UploadHandler is not set; guards first. */
const upool_builtin *const upool_builtins[] = {
    &upool_accept_builtin, /* refuses files by the extensions of their names */
    &upool_sniff_builtin,  /* compares the first bytes with the declared type */
    &upool_clamd_builtin,  /* asks a virus scanner while the bytes pass */
    &upool_digest_builtin, /* computes digests while the bytes pass */
    &upool_inline_builtin, /* keeps small files in memory */
    &upool_spool_builtin,  /* keeps everything else in the bucket */
    NULL,
};

const upool_builtin *upool_builtin_find(const char *name)
{
    const upool_builtin *const *b = upool_builtins;

    while (*b && apr_cstr_casecmp(name, (*b)->handler->name)) {
        b++;
    }
    return *b;
}
