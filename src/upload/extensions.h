/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_UPLOAD_EXTENSIONS_H
#define UPOOL_UPLOAD_EXTENSIONS_H

/* Which extensions a file may have: UploadAllow, UploadDeny and the ext= of
 * UploadField.  Two names are judged, since an application may use either: the
 * client's without its directories, and the safe one, which may have lost a dot
 * or its letters.
 *
 *   - A deny list refuses a name with one of its extensions anywhere:
 *     x.php.png has "php" and "png".  Characters that a server or file system
 *     drops (blanks, signs, letters beyond ASCII) do not hide an extension.
 *   - An allow list must contain the last extension, and an inner extension
 *     that servers run wherever it stands (AddHandler) is refused: x.php.png,
 *     but not "invoice 12.05.2024.pdf".  A name without extension is refused.
 *
 * Pure; any thread. */

#include <apr_tables.h>

/* Lists of extensions, without dot, lower case; NULL: no such list.  The two of
 * each kind come from the server's configuration and from .htaccess, so that
 * the latter can only narrow. */
typedef struct upool_extension_lists {
    const apr_array_header_t *allow[2];
    const apr_array_header_t *deny[2];
} upool_extension_lists;

/* 1 where the lists let a file of these names pass. */
int upool_extensions_may_pass(const upool_extension_lists *lists,
                              const char *client, const char *safe);

#endif
