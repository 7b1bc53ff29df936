/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_UPLOAD_EXTENSIONS_H
#define UPOOL_UPLOAD_EXTENSIONS_H

/* Which extensions a file may have: UploadAllow, UploadDeny and the ext= of
 * UploadField. */

#include <apr_tables.h>

/* Lists of extensions, without dot, lower case; NULL: no such list.  Every
 * suffix of the safe name counts: x.php.png has the two "php" and "png".  A
 * file is refused when one of its extensions is in a deny list, and, for each
 * allow list, when one is not in it or when the file has none.  The two of
 * each kind come from the server's configuration and from .htaccess, so that
 * the latter can only narrow. */
typedef struct upool_extension_lists {
    const apr_array_header_t *allow[2];
    const apr_array_header_t *deny[2];
} upool_extension_lists;

/* 1 where the lists let a file of that safe name pass. */
int upool_extensions_may_pass(const upool_extension_lists *lists,
                              const char *name);

#endif
