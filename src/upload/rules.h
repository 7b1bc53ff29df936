/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_UPLOAD_RULES_H
#define UPOOL_UPLOAD_RULES_H

/* Rules for single fields of the form (UploadField).  They say what is
 * required, how many files an input may have, and which.  They are not in the
 * chain of handlers, because that sees only files and the configuration may
 * change it.  A part's header is judged before its first byte, the size as soon
 * as it is exceeded, and missing fields when the body has ended.
 *
 * There are two lists, the server's and that of .htaccess.  Each gives one rule
 * at most for a field, and both rules must be met, so that .htaccess can only
 * narrow.  Refusals name the field as the configuration writes it, never as the
 * client did.
 *
 * One thread at a time.  Functions that return int return 0 to go on, 1 when
 * the upload is refused (*refusal of make() says why). */

#include <apr_pools.h>
#include <apr_tables.h>
#include "upload/refusal.h"
#include "upload_pool_handler.h"

/* Longest name of a field with a rule, so that a refusal stays short. */
#define UPOOL_RULE_NAME_MAX 64

/* One rule.  The name "*" stands for every field that the list does not
 * name. */
typedef struct upool_rule {
    const char *name;
    int required;                  /* a file, or a value that is not empty */
    apr_int64_t max;               /* files, UPOOL_UNLIMITED */
    apr_int64_t size;              /* of one file, UPOOL_UNLIMITED */
    const apr_array_header_t *ext; /* of const char *, as of UploadAllow */
    /* of const char *, lower case: "type/subtype", or the start of types with a
     * star behind it */
    const apr_array_header_t *types;
    /* Extensions that tell the type of a file where the client gives none;
     * NULL: there are none. */
    const apr_array_header_t *type_ext;
} upool_rule;

/* Arrays of upool_rule, the server's and that of .htaccess; NULL: none. */
typedef struct upool_rule_lists {
    const apr_array_header_t *list[2];
} upool_rule_lists;

typedef struct upool_rules upool_rules;

/* Rules at work on one upload, in p; NULL where there are none. */
upool_rules *upool_rules_make(const upool_rule_lists *lists,
                              upool_refusal *refusal, apr_pool_t *p);

/* A file begins; its field and names live as long as the upload. */
int upool_rules_file_begin(upool_rules *rules, const upload_pool_file *file);

/* It has size bytes so far. */
int upool_rules_file_size(upool_rules *rules, apr_off_t size);

/* It is complete, and the application gets it. */
void upool_rules_file_kept(upool_rules *rules);

/* A text field of len bytes; name lives as long as the upload. */
void upool_rules_text(upool_rules *rules, const char *name, apr_size_t len);

/* The body has ended. */
int upool_rules_end(upool_rules *rules);

#endif
