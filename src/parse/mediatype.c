/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "parse/mediatype.h"

#include <string.h>

#include "parse/params.h"

static const char form_type[] = "multipart/form-data";

/* RFC 2046 5.1.1: bchars; a space must not be the last. */
static int is_boundary(const char *text, size_t len)
{
    size_t i;

    if (len == 0 || len > UPOOL_BOUNDARY_MAX || text[len - 1] == ' ') {
        return 0;
    }
    for (i = 0; i < len; i++) {
        char lower = upool_params_lower(text[i]);

        if (!(lower >= 'a' && lower <= 'z') && !(lower >= '0' && lower <= '9')
            && (lower == '\0' || strchr("'()+_,-./:=? ", lower) == NULL)) {
            return 0;
        }
    }
    return 1;
}

/* 1 for boundary*, boundary*0 and the like (RFC 2231): some parsers would put
 * a boundary together from these. */
static int is_split_boundary(const upool_params_item *item)
{
    return item->name_len > 8 && item->name[8] == '*'
           && upool_params_is(item->name, 8, "boundary");
}

upool_mediatype upool_mediatype_parse(const char *value, size_t len,
                                      char *boundary, size_t *boundary_len)
{
    const size_t type_len = sizeof(form_type) - 1;
    const char *end = value + len;
    const char *at = upool_params_skip_blanks(value, end);
    upool_params_item item;
    upool_params params;
    size_t found = 0;
    int more;

    if ((size_t)(end - at) < type_len
        || !upool_params_is(at, type_len, form_type)
        || upool_params_token(at + type_len, end) > 0) {
        return UPOOL_MEDIATYPE_OTHER;
    }
    params.at = at + type_len;
    params.end = end;
    while ((more = upool_params_next(&params, &item)) > 0) {
        if (is_split_boundary(&item)) {
            return UPOOL_MEDIATYPE_BROKEN;
        }
        if (upool_params_is(item.name, item.name_len, "boundary")) {
            if (found > 0 || !is_boundary(item.value, item.value_len)) {
                return UPOOL_MEDIATYPE_BROKEN;
            }
            found = item.value_len;
            memcpy(boundary, item.value, found);
        }
    }
    if (more < 0 || found == 0) {
        return UPOOL_MEDIATYPE_BROKEN;
    }
    boundary[found] = '\0';
    *boundary_len = found;
    return UPOOL_MEDIATYPE_FORM;
}
