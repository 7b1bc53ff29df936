/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_UPLOAD_REASONS_H
#define UPOOL_UPLOAD_REASONS_H

/* Names of the reasons of upload/refusal.h for programs: the labels of the
 * metrics.  Graphs rely on these names, so a name is never changed and never
 * given to another reason. */

#include "upload/refusal.h"

/* Lower-case letters and underscores, static. */
const char *upool_reason_name(upool_reason reason);

#endif
