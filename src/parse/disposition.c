/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "parse/disposition.h"

#include <string.h>

#include "parse/extvalue.h"
#include "parse/names.h"
#include "parse/params.h"
#include "parse/percent.h"

/* The header's parameters, as written. */
typedef struct found {
    upool_params_item plain;    /* filename */
    upool_params_item extended; /* filename* */
    int has_plain;
    int has_extended;
} found;

static int keep(const upool_params_item *item, upool_params_item *kept,
                int *has)
{
    if (*has) {
        return -1;
    }
    *kept = *item;
    *has = 1;
    return 0;
}

static int take_param(const upool_params_item *item, found *names)
{
    static const char word[] = "filename*";
    size_t len = sizeof(word) - 1;

    if (upool_params_is(item->name, item->name_len, "filename")) {
        return keep(item, &names->plain, &names->has_plain);
    }
    if (upool_params_is(item->name, item->name_len, word)) {
        return keep(item, &names->extended, &names->has_extended);
    }
    /* A name in pieces (RFC 2231): some parsers would put it together. */
    return item->name_len > len && upool_params_is(item->name, len, word) ? -1
                                                                          : 0;
}

static int find_names(const char *text, size_t len, found *names)
{
    size_t type = upool_params_token(text, text + len);
    upool_params params = { text + type, text + len };
    upool_params_item item;
    int more = type > 0 ? 1 : -1;

    while (more > 0 && (more = upool_params_next(&params, &item)) > 0) {
        if (take_param(&item, names)) {
            return -1;
        }
    }
    return more;
}

static size_t unescape(char *out, const upool_params_item *item)
{
    const char *at = item->value;
    const char *end = at + item->value_len;
    size_t len = 0;

    while (at < end) {
        if (item->quoted && *at == '\\' && end - at > 1
            && (at[1] == '"' || at[1] == '\\')) {
            at++;
        }
        out[len++] = *at++;
    }
    return len;
}

/* 1 where every % begins a percent sequence, and none of those is a NUL. */
static int is_encoded(const char *at, const char *end)
{
    while ((at = memchr(at, '%', (size_t)(end - at))) != NULL) {
        if (upool_percent_byte(at, end) <= 0) {
            return 0;
        }
        at += 3;
    }
    return 1;
}

static size_t decode(char *text, size_t len)
{
    const char *at = text;
    const char *end = text + len;
    size_t written = 0;

    while (at < end) {
        int byte = upool_percent_byte(at, end);

        if (byte < 0) {
            text[written++] = *at++;
            continue;
        }
        text[written++] = (char)byte;
        at += 3;
    }
    return written;
}

static int plain_name(const upool_params_item *item, char *out)
{
    char *last_third = out + 2 * item->value_len;
    size_t len = unescape(last_third, item);

    if (is_encoded(last_third, last_third + len)) {
        len = decode(last_third, len);
    }
    upool_names_repair(out, last_third, len);
    return 1;
}

/* A filename* that cannot be read counts as absent (RFC 6266 4.3); an empty one
 * gives way to filename. */
static int extended_name(const found *names, char *out)
{
    const upool_params_item *item = &names->extended;
    size_t len;

    return names->has_extended && !item->quoted
           && upool_extvalue_decode(out, &len, item->value, item->value_len)
           && (len > 0 || !names->has_plain);
}

int upool_disposition_filename(const char *text, size_t len, char *out)
{
    found names;

    memset(&names, 0, sizeof(names));
    if (find_names(text, len, &names)) {
        return -1;
    }
    if (extended_name(&names, out)) {
        return 1;
    }
    return names.has_plain ? plain_name(&names.plain, out) : 0;
}
