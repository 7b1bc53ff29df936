/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/members.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "store/layout.h"

#define SAFE_NAME_MAX 255
#define DIGEST_MAX 256
#define FIRST_BUFFER 2048

/* The safe name is what applications build paths from and what goes into
 * Content-Disposition, so it is checked again on the way in and out. */
static int is_safe_name(const char *name)
{
    const char *c;

    if (!name || !name[0] || strcmp(name, ".") == 0
        || strcmp(name, "..") == 0) {
        return 0;
    }
    for (c = name; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f || *c == '/' || *c == '\\') {
            return 0;
        }
    }
    return c - name <= SAFE_NAME_MAX;
}

static int is_digest(const upool_digest *digest)
{
    apr_size_t n;

    if (!upool_layout_is_bucket(digest->algorithm) || !digest->hex) {
        return 0;
    }
    n = strspn(digest->hex, "0123456789abcdef");
    return n > 0 && n <= DIGEST_MAX && !digest->hex[n];
}

static int is_file(const upool_file *file)
{
    int i;

    for (i = 0; i < file->digests->nelts; i++) {
        if (!is_digest(&APR_ARRAY_IDX(file->digests, i, upool_digest))) {
            return 0;
        }
    }
    return file->size >= 0 && is_safe_name(file->safe_filename)
           && (!file->stored || upool_layout_is_data(file->stored));
}

/* Encoding.  A string that is not UTF-8 makes jansson return NULL, and setting
 * a member to NULL fails: every error ends up in the sum of the results. */

json_t *upool_members_text_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

json_t *upool_members_number(apr_int64_t n)
{
    return json_integer((json_int_t)n);
}

static json_t *encode_params(const apr_table_t *params)
{
    const apr_array_header_t *list = apr_table_elts(params);
    json_t *object = json_object();
    int bad = 0;
    int i;

    for (i = 0; i < list->nelts; i++) {
        const apr_table_entry_t *e =
            &APR_ARRAY_IDX(list, i, const apr_table_entry_t);

        bad |= json_object_set_new(object, e->key, json_string(e->val));
    }
    if (bad) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static json_t *encode_digests(const apr_array_header_t *digests)
{
    json_t *object = json_object();
    int bad = 0;
    int i;

    for (i = 0; i < digests->nelts; i++) {
        const upool_digest *d = &APR_ARRAY_IDX(digests, i, const upool_digest);

        bad |= json_object_set_new(object, d->algorithm, json_string(d->hex));
    }
    if (bad) {
        json_decref(object);
        return NULL;
    }
    return object;
}

json_t *upool_members_file(const upool_file *file)
{
    json_t *o = json_object();
    int bad = !is_file(file);

    bad |= json_object_set_new(o, "field", json_string(file->field));
    bad |= json_object_set_new(o, "filename", json_string(file->filename));
    bad |= json_object_set_new(o, "safe-filename",
                               json_string(file->safe_filename));
    bad |= json_object_set_new(o, "content-type",
                               upool_members_text_or_null(file->content_type));
    bad |= json_object_set_new(o, "charset",
                               upool_members_text_or_null(file->charset));
    bad |= json_object_set_new(o, "params", encode_params(file->params));
    bad |= json_object_set_new(o, "size", upool_members_number(file->size));
    bad |= json_object_set_new(o, "stored",
                               upool_members_text_or_null(file->stored));
    bad |= json_object_set_new(o, "digests", encode_digests(file->digests));
    if (bad) {
        json_decref(o);
        return NULL;
    }
    return o;
}

/* Makes *text larger until root fits. */
static apr_status_t print(char **text, apr_size_t *len, const json_t *root)
{
    apr_size_t room = FIRST_BUFFER;

    for (;;) {
        *text = malloc(room);
        if (!*text) {
            return APR_ENOMEM;
        }
        *len = json_dumpb(root, *text, room, JSON_COMPACT);
        if (*len && *len <= room) {
            return APR_SUCCESS;
        }
        free(*text);
        *text = NULL;
        if (!*len || *len > UPOOL_MEMBERS_MAX) {
            return *len ? EFBIG : APR_ENOMEM;
        }
        room = *len;
    }
}

apr_status_t upool_members_dump(char **text, apr_size_t *len, json_t *root)
{
    apr_status_t rv = APR_EINVAL;

    *text = NULL;
    if (root) {
        rv = print(text, len, root);
        json_decref(root);
    }
    return rv;
}

upool_reader upool_reader_of(const json_t *object, apr_pool_t *p)
{
    upool_reader in = { object, p, 0, !json_is_object(object) };

    return in;
}

int upool_reader_done(const upool_reader *in)
{
    return !in->bad && in->taken == json_object_size(in->object);
}

const json_t *upool_reader_take(upool_reader *in, const char *key)
{
    const json_t *value = json_object_get(in->object, key);

    in->taken++;
    in->bad |= !value;
    return value;
}

const char *upool_reader_text(upool_reader *in, const char *key)
{
    const json_t *value = upool_reader_take(in, key);

    if (!json_is_string(value)) {
        in->bad = 1;
        return "";
    }
    return apr_pstrdup(in->p, json_string_value(value));
}

const char *upool_reader_text_or_null(upool_reader *in, const char *key)
{
    if (json_is_null(json_object_get(in->object, key))) {
        in->taken++;
        return NULL;
    }
    return upool_reader_text(in, key);
}

/* Counts and times: nothing here is negative. */
apr_int64_t upool_reader_number(upool_reader *in, const char *key)
{
    const json_t *value = upool_reader_take(in, key);
    json_int_t n = json_is_integer(value) ? json_integer_value(value) : -1;

    in->bad |= n < 0;
    return n;
}

apr_off_t upool_reader_size(upool_reader *in, const char *key)
{
    if (json_is_null(json_object_get(in->object, key))) {
        in->taken++;
        return -1;
    }
    return upool_reader_number(in, key);
}

static apr_table_t *take_params(upool_reader *in)
{
    apr_table_t *params = apr_table_make(in->p, 2);
    json_t *object = json_object_get(in->object, "params");
    const char *key;
    json_t *value;

    in->taken++;
    in->bad |= !json_is_object(object);
    json_object_foreach(object, key, value)
    {
        in->bad |= !json_is_string(value);
        if (!in->bad) {
            apr_table_addn(params, apr_pstrdup(in->p, key),
                           apr_pstrdup(in->p, json_string_value(value)));
        }
    }
    return params;
}

static apr_array_header_t *take_digests(upool_reader *in)
{
    apr_array_header_t *list = apr_array_make(in->p, 1, sizeof(upool_digest));
    json_t *object = json_object_get(in->object, "digests");
    const char *key;
    json_t *value;

    in->taken++;
    in->bad |= !json_is_object(object);
    json_object_foreach(object, key, value)
    {
        in->bad |= !json_is_string(value);
        if (!in->bad) {
            upool_digest *d = apr_array_push(list);

            d->algorithm = apr_pstrdup(in->p, key);
            d->hex = apr_pstrdup(in->p, json_string_value(value));
        }
    }
    return list;
}

int upool_reader_file(upool_file *file, const json_t *object, apr_pool_t *p)
{
    upool_reader in = upool_reader_of(object, p);

    file->field = upool_reader_text(&in, "field");
    file->filename = upool_reader_text(&in, "filename");
    file->safe_filename = upool_reader_text(&in, "safe-filename");
    file->content_type = upool_reader_text_or_null(&in, "content-type");
    file->charset = upool_reader_text_or_null(&in, "charset");
    file->params = take_params(&in);
    file->size = upool_reader_number(&in, "size");
    file->stored = upool_reader_text_or_null(&in, "stored");
    file->content = NULL;
    file->location = NULL;
    file->notes = NULL;
    file->sniffed = NULL;
    memset(&file->written, 0, sizeof(file->written));
    file->digests = take_digests(&in);
    return upool_reader_done(&in) && is_file(file);
}
