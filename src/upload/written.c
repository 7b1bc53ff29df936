/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "upload/written.h"

#include <string.h>
#include <apr_strings.h>

#include "parse/formname.h"

const char *upool_written_name(const char *name, apr_pool_t *p)
{
    char *out = apr_palloc(p, UPOOL_FORMNAME_ROOM(strlen(name)));

    upool_formname_write(out, name);
    return out;
}

/* NULL where a browser would have written the same; "" means that the client
 * left it empty, not that it is missing. */
static const char *keep_name(const upool_part_bytes *written, const char *name,
                             apr_pool_t *p)
{
    const char *usual;

    if (!name || (*name && !written->text)) {
        return NULL;
    }
    if (!*name) {
        return "";
    }
    usual = upool_written_name(name, p);
    return strlen(usual) == written->len
                   && !memcmp(usual, written->text, written->len)
               ? NULL
               : apr_pstrmemdup(p, written->text, written->len);
}

upool_written upool_written_of(const upool_part *part, int number,
                               apr_pool_t *p)
{
    upool_written written;

    written.part = number;
    written.name = keep_name(&part->name_written, part->name, p);
    written.filename = keep_name(&part->filename_written, part->filename, p);
    written.type =
        part->type_written.text
            ? apr_pstrmemdup(p, part->type_written.text, part->type_written.len)
            : NULL;
    return written;
}

/* RFC 9110 5.6.2. */
static int is_token(const char *text)
{
    return *text
           && !text[strspn(text, "!#$%&'*+-.^_`|~0123456789"
                                 "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz")];
}

/* RFC 9110 5.6.4; a value that was read from a header has no CR or LF. */
static const char *quote(const char *value, apr_pool_t *p)
{
    char *out = apr_palloc(p, 2 * strlen(value) + 3);
    char *to = out;

    *to++ = '"';
    for (; *value; value++) {
        if (*value == '"' || *value == '\\') {
            *to++ = '\\';
        }
        *to++ = *value;
    }
    *to++ = '"';
    *to = '\0';
    return out;
}

const char *upool_written_type(const char *type, const apr_table_t *params,
                               apr_pool_t *p)
{
    const apr_array_header_t *list = apr_table_elts(params);
    int i;

    for (i = 0; type && i < list->nelts; i++) {
        const apr_table_entry_t *e =
            &APR_ARRAY_IDX(list, i, const apr_table_entry_t);

        type = apr_pstrcat(p, type, "; ", e->key, "=",
                           is_token(e->val) ? e->val : quote(e->val, p), NULL);
    }
    return type;
}
