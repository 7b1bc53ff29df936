/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "tool/name.h"

#include <string.h>

#include <apr_strings.h>

#include "ident/ident.h"
#include "parse/names.h"
#include "tool/text.h"
#include "tool/output.h"
#include "tool/tool.h"

const char *upool_name_of(const char *text, apr_pool_t *p)
{
    char *id = apr_palloc(p, UPOOL_IDENT_MAX + 1);
    const char *bare = apr_pstrmemdup(p, text, strcspn(text, ":"));

    if (upool_ident_check(bare, NULL, id) != UPOOL_IDENT_GOOD) {
        upool_tool_complain("%s is no identifier", upool_text_shown(text, p));
        return NULL;
    }
    return id;
}

json_t *upool_name_json_or_null(const char *name, apr_pool_t *p)
{
    apr_size_t len;
    char *text;

    if (!name) {
        return json_null();
    }
    len = strlen(name);
    text = apr_palloc(p, 3 * len + 1);
    upool_names_repair(text, name, len);
    return json_string(text);
}
