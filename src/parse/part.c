/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "parse/part.h"

#include <string.h>

#include "parse/extvalue.h"
#include "parse/formname.h"
#include "parse/names.h"
#include "parse/params.h"
#include "parse/quantity.h"

/* Digits of the largest length, APR_INT64_MAX. */
#define LENGTH_DIGITS 19

/* A block being read: what was seen of it, and the free rest of the scratch. */
typedef struct reader {
    upool_part *part;
    char *at;
    char *end;
    const char *extended; /* filename*, where it can be read */
    int starred;          /* it was there */
    int disposition;
    int type;
    int encoding;
    int length;
} reader;

static upool_part_error bad(reader *r, const char *why)
{
    r->part->why = why;
    return UPOOL_PART_BAD;
}

/* Takes room for a string whose len bytes may all need repair: three times as
 * much, the last third of it for the bytes to be repaired. */
static char *reserve(reader *r, size_t len)
{
    if ((size_t)(r->end - r->at) / 3 < len
        || (size_t)(r->end - r->at) < 3 * len + 1) {
        r->part->why = "scratch too small";
        return NULL;
    }
    return r->at;
}

/* Turns the len bytes behind string's first 2 * room into valid UTF-8 at
 * string, which reserve(r, room) gave, and keeps it. */
static const char *keep_repaired(reader *r, char *string, size_t room,
                                 size_t len)
{
    r->at += upool_names_repair(string, string + 2 * room, len) + 1;
    return string;
}

/* Keeps name or filename. */
static upool_part_error keep_name(reader *r, const upool_params_item *item,
                                  const char **kept, upool_part_bytes *written)
{
    size_t len = item->value_len;
    char *string = reserve(r, len);

    if (string == NULL) {
        return UPOOL_PART_NO_ROOM;
    }
    if (!item->quoted) {
        memcpy(string + 2 * len, item->value, len);
        *kept = keep_repaired(r, string, len, len);
        return UPOOL_PART_OK;
    }
    if (upool_formname_is_windows_path(item->value, len)
        && memchr(item->value, '"', len) != NULL) {
        return bad(r, "a quote after a backslash in a Windows path");
    }
    *kept = keep_repaired(
        r, string, len,
        upool_formname_read(string + 2 * len, item->value, item->value + len));
    written->text = item->value;
    written->len = len;
    return UPOOL_PART_OK;
}

/* Keeps filename*, which is never in quotes; one that cannot be read counts as
 * absent (RFC 6266 4.3). */
static upool_part_error keep_extended(reader *r, const upool_params_item *item)
{
    char *string = reserve(r, item->value_len);
    size_t len;

    if (string == NULL) {
        return UPOOL_PART_NO_ROOM;
    }
    r->starred = 1;
    if (!item->quoted
        && upool_extvalue_decode(string, &len, item->value, item->value_len)) {
        r->extended = string;
        r->at += len + 1;
    }
    return UPOOL_PART_OK;
}

/* 1 for word* and anything that begins with that. */
static int is_starred(const upool_params_item *item, const char *word)
{
    size_t len = strlen(word);

    return item->name_len > len && item->name[len] == '*'
           && upool_params_is(item->name, len, word);
}

static upool_part_error take_disposition_param(reader *r,
                                               const upool_params_item *item)
{
    if (upool_params_is(item->name, item->name_len, "name")) {
        return r->part->name != NULL
                   ? bad(r, "two names")
                   : keep_name(r, item, &r->part->name, &r->part->name_written);
    }
    if (upool_params_is(item->name, item->name_len, "filename")) {
        return r->part->filename != NULL
                   ? bad(r, "two filenames")
                   : keep_name(r, item, &r->part->filename,
                               &r->part->filename_written);
    }
    if (upool_params_is(item->name, item->name_len, "filename*")) {
        return r->starred ? bad(r, "two filename*") : keep_extended(r, item);
    }
    if (is_starred(item, "name") || is_starred(item, "filename")) {
        return bad(r, "a name in pieces or encoded");
    }
    return UPOOL_PART_OK;
}

static upool_part_error take_disposition(reader *r, const char *at,
                                         const char *end)
{
    size_t len = upool_params_token(at, end);
    upool_params params = { at + len, end };
    upool_part_error error = UPOOL_PART_OK;
    upool_params_item item;
    int more = 0;

    if (r->disposition) {
        return bad(r, "two Content-Disposition");
    }
    r->disposition = 1;
    if (!upool_params_is(at, len, "form-data")) {
        return bad(r, "Content-Disposition is not form-data");
    }
    while (error == UPOOL_PART_OK
           && (more = upool_params_next(&params, &item)) > 0) {
        error = take_disposition_param(r, &item);
    }
    if (error == UPOOL_PART_OK && more < 0) {
        return bad(r, "Content-Disposition does not parse");
    }
    return error;
}

/* Keeps len bytes in lower case; they are token characters and "/". */
static char *keep_lower(reader *r, const char *text, size_t len)
{
    char *string = reserve(r, len);
    size_t i;

    if (string != NULL) {
        for (i = 0; i < len; i++) {
            string[i] = upool_params_lower(text[i]);
        }
        string[len] = '\0';
        r->at += len + 1;
    }
    return string;
}

/* Keeps a value; RFC 9110 5.6.4: a backslash in quotes escapes anything. */
static const char *keep_value(reader *r, const upool_params_item *item)
{
    size_t room = item->value_len;
    char *string = reserve(r, room);
    size_t len = 0;
    size_t i;

    if (string == NULL) {
        return NULL;
    }
    for (i = 0; i < room; i++) {
        if (item->quoted && item->value[i] == '\\' && i + 1 < room) {
            i++;
        }
        string[2 * room + len++] = item->value[i];
    }
    return keep_repaired(r, string, room, len);
}

/* 1 where it has been kept; 0 where it makes the type one that cannot be read;
 * -1 where there is no room. */
static int take_type_param(reader *r, const upool_params_item *item)
{
    upool_part *part = r->part;
    upool_part_param *param = &part->params[part->nparams];
    size_t i;

    if (part->nparams == UPOOL_PART_PARAMS_MAX) {
        return 0;
    }
    param->name = keep_lower(r, item->name, item->name_len);
    param->value = keep_value(r, item);
    if (param->name == NULL || param->value == NULL) {
        return -1;
    }
    for (i = 0; i < part->nparams; i++) {
        if (strcmp(part->params[i].name, param->name) == 0) {
            return 0;
        }
    }
    part->nparams++;
    if (strcmp(param->name, "charset") == 0) {
        part->charset = param->value;
    }
    return 1;
}

/* As above. */
static int read_type(reader *r, const char *at, const char *end)
{
    size_t type = upool_params_token(at, end);
    const char *slash = at + type;
    size_t subtype = slash < end ? upool_params_token(slash + 1, end) : 0;
    upool_params_item item;
    upool_params params;
    int kept = 1;
    int more = 0;

    if (type == 0 || subtype == 0 || *slash != '/') {
        return 0;
    }
    r->part->content_type = keep_lower(r, at, type + 1 + subtype);
    if (r->part->content_type == NULL) {
        return -1;
    }
    params.at = slash + 1 + subtype;
    params.end = end;
    while (kept > 0 && (more = upool_params_next(&params, &item)) > 0) {
        kept = take_type_param(r, &item);
    }
    return kept > 0 && more < 0 ? 0 : kept;
}

/* RFC 2045 5.2: a type that cannot be read counts as absent.  It decides
 * nothing here, and browsers write whatever type a page has given its blob. */
static upool_part_error take_type(reader *r, const char *at, const char *end)
{
    char *free_from = r->at;
    int kept;

    if (r->type) {
        return bad(r, "two Content-Type");
    }
    r->type = 1;
    /* A type that cannot be read here may mean something to applications; and
     * some parsers take a part without a type for a field. */
    if (at < end) {
        r->part->type_written.text = at;
        r->part->type_written.len = (size_t)(end - at);
    }
    kept = read_type(r, at, end);
    if (kept == 0) {
        r->part->content_type = NULL;
        r->part->charset = NULL;
        r->part->nparams = 0;
        r->at = free_from;
    }
    return kept < 0 ? UPOOL_PART_NO_ROOM : UPOOL_PART_OK;
}

/* RFC 7578 4.7 deprecates this header; values that need no decoding do no
 * harm. */
static upool_part_error take_encoding(reader *r, const char *at,
                                      const char *end)
{
    size_t len = (size_t)(end - at);

    if (r->encoding) {
        return bad(r, "two Content-Transfer-Encoding");
    }
    r->encoding = 1;
    if (!upool_params_is(at, len, "7bit") && !upool_params_is(at, len, "8bit")
        && !upool_params_is(at, len, "binary")) {
        r->part->why = "Content-Transfer-Encoding";
        return UPOOL_PART_ENCODED;
    }
    return UPOOL_PART_OK;
}

static void take_length(reader *r, const char *at, const char *end)
{
    char digits[LENGTH_DIGITS + 1] = "";

    r->part->content_length = -1;
    if (!r->length && (size_t)(end - at) < sizeof(digits)) {
        memcpy(digits, at, (size_t)(end - at));
        upool_quantity_decimal(digits, &r->part->content_length);
    }
    r->length = 1;
}

/* One line, without its CRLF. */
static upool_part_error take_line(reader *r, const char *line, size_t len)
{
    const char *end = line + len;
    size_t name = upool_params_token(line, end);
    const char *value;

    if (name == 0 || name == len || line[name] != ':') {
        return bad(r, "a header line without a name");
    }
    if (memchr(line, '\0', len) != NULL || memchr(line, '\r', len) != NULL) {
        return bad(r, "a NUL or bare CR in a header");
    }
    value = upool_params_skip_blanks(line + name + 1, end);
    while (end > value && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    if (upool_params_is(line, name, "content-disposition")) {
        return take_disposition(r, value, end);
    }
    if (upool_params_is(line, name, "content-type")) {
        return take_type(r, value, end);
    }
    if (upool_params_is(line, name, "content-transfer-encoding")) {
        return take_encoding(r, value, end);
    }
    if (upool_params_is(line, name, "content-length")) {
        take_length(r, value, end);
    }
    return UPOOL_PART_OK;
}

static upool_part_error take_block(reader *r, const char *at, const char *end)
{
    upool_part_error error = UPOOL_PART_OK;

    while (at < end && error == UPOOL_PART_OK) {
        const char *lf = memchr(at, '\n', (size_t)(end - at));

        if (lf == NULL || lf == at || lf[-1] != '\r') {
            return bad(r, "a header line without CRLF");
        }
        error = take_line(r, at, (size_t)(lf - at) - 1);
        at = lf + 1;
    }
    return error;
}

upool_part_error upool_part_parse(upool_part *part, const char *block,
                                  size_t len, char *scratch, size_t room)
{
    reader r = { part, scratch, scratch + room, NULL, 0, 0, 0, 0, 0 };
    upool_part_error error;

    memset(part, 0, sizeof(*part));
    part->content_length = -1;
    error = take_block(&r, block, block + len);
    if (error != UPOOL_PART_OK) {
        return error;
    }
    if (!r.disposition) {
        return bad(&r, "no Content-Disposition");
    }
    if (part->name == NULL) {
        return bad(&r, "no name");
    }
    if (r.extended != NULL && (r.extended[0] || part->filename == NULL)) {
        part->filename = r.extended;
        part->filename_written.text = NULL;
    }
    return UPOOL_PART_OK;
}
