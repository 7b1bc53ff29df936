/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_TOOL_OUTPUT_H
#define UPOOL_TOOL_OUTPUT_H

/* What the tool says: objects on standard output, complaints on standard
 * error. */

#include "tool/tool.h"

#define UPOOL_TOOL_NAME "upload-pool"

/* Prints a line on standard error, after the tool's name.  Text read from disk
 * or from arguments has to be shown() before. */
__attribute__((format(printf, 1, 2))) void upool_tool_complain(const char *text,
                                                               ...);

/* Prints an error in the same way: "what: why". */
void upool_tool_complain_of(const char *what, apr_status_t rv, apr_pool_t *p);

/* Prints object (NULL: no memory) in ASCII, and releases it.  GOOD or
 * CANNOT. */
upool_exit upool_tool_print(json_t *object);

#endif
