/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/resumable.h"

#include <string.h>

#include <apr_base64.h>
#include <apr_strings.h>

#include "store/layout.h"

#define VERSION 1
#define PROTOCOL_MAX 16
#define STATE_MAX 1024
#define MIDSTATES_MAX 16
/* The longest value that apr_base64, with its int, can take. */
#define VALUE_MAX ((apr_size_t)1 << 30)

upool_resumable *upool_resumable_make(apr_pool_t *p, const char *identifier)
{
    upool_resumable *r = apr_pcalloc(p, sizeof(*r));

    r->identifier = apr_pstrdup(p, identifier);
    r->protocol = "";
    r->length = -1;
    r->good = -1;
    r->uri = "";
    r->file.field = "";
    r->file.filename = "";
    r->file.safe_filename = "file";
    r->file.params = apr_table_make(p, 1);
    r->file.digests = apr_array_make(p, 1, sizeof(upool_digest));
    r->fields = apr_array_make(p, 2, sizeof(upool_resumable_field));
    r->midstates = apr_array_make(p, 1, sizeof(upool_midstate));
    return r;
}

int upool_resumable_is_part(const upool_resumable *about)
{
    return about->concat && strcmp(about->concat, "partial") == 0;
}

static int is_protocol(const char *name)
{
    apr_size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

    return n > 0 && n <= PROTOCOL_MAX && !name[n];
}

static int is_midstate(const upool_midstate *m)
{
    apr_size_t n = strspn(m->state, "0123456789abcdef");

    return upool_layout_is_bucket(m->algorithm) && m->offset >= 0 && n > 0
           && n <= STATE_MAX && !m->state[n];
}

/* The conditions for every upload, however it came about.  Other numbers are
 * checked where they are used: the length may be set later than the ranges. */
static int is_sound(const upool_resumable *r)
{
    int i;

    for (i = 0; i < r->midstates->nelts; i++) {
        if (!is_midstate(&APR_ARRAY_IDX(r->midstates, i, upool_midstate))) {
            return 0;
        }
    }
    return upool_layout_is_bucket(r->identifier) && is_protocol(r->protocol)
           && r->created >= 0 && r->length >= -1 && r->good >= -1
           && upool_layout_is_data(r->file.stored)
           && r->midstates->nelts <= MIDSTATES_MAX
           && (!r->ranges || upool_ranges_is_sound(r->ranges));
}

static json_t *encode_size(apr_off_t n)
{
    return n < 0 ? json_null() : upool_members_number(n);
}

static json_t *encode_base64(const upool_resumable_field *field)
{
    char *text;
    json_t *value;
    apr_pool_t *p;

    if (field->len > VALUE_MAX || apr_pool_create(&p, NULL)) {
        return NULL;
    }
    text = apr_palloc(p, (apr_size_t)apr_base64_encode_len((int)field->len));
    apr_base64_encode_binary(text, (const unsigned char *)field->value,
                             (int)field->len);
    value = json_string(text);
    apr_pool_destroy(p);
    return value;
}

static json_t *encode_field(const upool_resumable_field *field)
{
    json_t *o = json_object();
    json_t *text = memchr(field->value, '\0', field->len)
                       ? NULL
                       : json_stringn(field->value, field->len);
    int bad = json_object_set_new(o, "name", json_string(field->name));

    if (text) {
        bad |= json_object_set_new(o, "value", text);
    }
    else {
        bad |= json_object_set_new(o, "base64", encode_base64(field));
    }
    if (bad) {
        json_decref(o);
        return NULL;
    }
    return o;
}

static json_t *encode_range(const upool_range *range)
{
    json_t *pair = json_array();

    json_array_append_new(pair, upool_members_number(range->start));
    json_array_append_new(pair, upool_members_number(range->end));
    return pair;
}

static json_t *encode_midstate(const upool_midstate *m)
{
    json_t *o = json_object();

    json_object_set_new(o, "algorithm", json_string(m->algorithm));
    json_object_set_new(o, "offset", upool_members_number(m->offset));
    json_object_set_new(o, "state", json_string(m->state));
    return o;
}

static int encode_lists(json_t *o, const upool_resumable *r)
{
    json_t *fields = json_array();
    json_t *ranges = r->ranges ? json_array() : json_null();
    json_t *midstates = json_array();
    int bad = 0;
    int i;

    for (i = 0; i < r->fields->nelts; i++) {
        bad |= json_array_append_new(
            fields,
            encode_field(&APR_ARRAY_IDX(r->fields, i, upool_resumable_field)));
    }
    for (i = 0; r->ranges && i < r->ranges->nelts; i++) {
        bad |= json_array_append_new(
            ranges, encode_range(&APR_ARRAY_IDX(r->ranges, i, upool_range)));
    }
    for (i = 0; i < r->midstates->nelts; i++) {
        bad |= json_array_append_new(
            midstates,
            encode_midstate(&APR_ARRAY_IDX(r->midstates, i, upool_midstate)));
    }
    bad |= json_object_set_new(o, "fields", fields);
    bad |= json_object_set_new(o, "ranges", ranges);
    bad |= json_object_set_new(o, "midstates", midstates);
    return bad;
}

static json_t *encode(const upool_resumable *r)
{
    json_t *o = json_object();
    int bad = !is_sound(r);

    bad |= json_object_set_new(o, "version", upool_members_number(VERSION));
    bad |= json_object_set_new(o, "identifier", json_string(r->identifier));
    bad |= json_object_set_new(o, "protocol", json_string(r->protocol));
    bad |=
        json_object_set_new(o, "owner", upool_members_text_or_null(r->owner));
    bad |= json_object_set_new(o, "created", upool_members_number(r->created));
    bad |= json_object_set_new(o, "length", encode_size(r->length));
    bad |= json_object_set_new(o, "file", upool_members_file(&r->file));
    bad |= json_object_set_new(o, "uri", json_string(r->uri));
    bad |= json_object_set_new(o, "args", upool_members_text_or_null(r->args));
    bad |= json_object_set_new(o, "metadata",
                               upool_members_text_or_null(r->metadata));
    bad |=
        json_object_set_new(o, "concat", upool_members_text_or_null(r->concat));
    bad |= json_object_set_new(o, "good", encode_size(r->good));
    bad |= encode_lists(o, r);
    if (bad) {
        json_decref(o);
        return NULL;
    }
    return o;
}

apr_status_t upool_resumable_encode(char **text, apr_size_t *len,
                                    const upool_resumable *resumable)
{
    return upool_members_dump(text, len, encode(resumable));
}

/* Decoding. */

/* apr_base64_decode_binary() stops at the first strange byte: what it makes of
 * a text is believed only when it encodes to the same. */
static int decode_base64(upool_resumable_field *field, const char *text,
                         apr_pool_t *p)
{
    char *value = apr_palloc(p, (apr_size_t)apr_base64_decode_len(text) + 1);
    int len = apr_base64_decode(value, text);
    char *again = apr_palloc(p, (apr_size_t)apr_base64_encode_len(len));

    apr_base64_encode_binary(again, (const unsigned char *)value, len);
    value[len] = '\0';
    field->value = value;
    field->len = (apr_size_t)len;
    return strcmp(again, text) == 0;
}

static int decode_field(upool_resumable_field *field, const json_t *object,
                        apr_pool_t *p)
{
    upool_reader in = upool_reader_of(object, p);

    field->name = upool_reader_text(&in, "name");
    if (json_object_get(object, "base64")) {
        in.bad |= !decode_base64(field, upool_reader_text(&in, "base64"), p);
    }
    else {
        field->value = upool_reader_text(&in, "value");
        field->len = strlen(field->value);
    }
    return upool_reader_done(&in);
}

static void decode_fields(upool_resumable *r, upool_reader *in)
{
    const json_t *list = upool_reader_take(in, "fields");
    size_t i;

    in->bad |= !json_is_array(list);
    for (i = 0; !in->bad && i < json_array_size(list); i++) {
        in->bad |= !decode_field(apr_array_push(r->fields),
                                 json_array_get(list, i), in->p);
    }
}

static int decode_range(upool_range *range, const json_t *pair)
{
    const json_t *start = json_array_get(pair, 0);
    const json_t *end = json_array_get(pair, 1);

    range->start = json_integer_value(start);
    range->end = json_integer_value(end);
    return json_array_size(pair) == 2 && json_is_integer(start)
           && json_is_integer(end);
}

static void decode_ranges(upool_resumable *r, upool_reader *in)
{
    const json_t *list = upool_reader_take(in, "ranges");
    size_t i;

    if (json_is_null(list)) {
        return;
    }
    in->bad |= !json_is_array(list);
    r->ranges = upool_ranges_make(in->p);
    for (i = 0; !in->bad && i < json_array_size(list); i++) {
        in->bad |=
            !decode_range(apr_array_push(r->ranges), json_array_get(list, i));
    }
}

static void decode_midstates(upool_resumable *r, upool_reader *in)
{
    const json_t *list = upool_reader_take(in, "midstates");
    size_t i;

    in->bad |= !json_is_array(list);
    for (i = 0; !in->bad && i < json_array_size(list); i++) {
        upool_reader one = upool_reader_of(json_array_get(list, i), in->p);
        upool_midstate *m = apr_array_push(r->midstates);

        m->algorithm = upool_reader_text(&one, "algorithm");
        m->offset = upool_reader_number(&one, "offset");
        m->state = upool_reader_text(&one, "state");
        in->bad |= !upool_reader_done(&one);
    }
}

static int decode(upool_resumable *r, const json_t *root, apr_pool_t *p)
{
    upool_reader in = upool_reader_of(root, p);

    in.bad |= upool_reader_number(&in, "version") != VERSION;
    in.bad |= strcmp(upool_reader_text(&in, "identifier"), r->identifier) != 0;
    r->protocol = upool_reader_text(&in, "protocol");
    r->owner = upool_reader_text_or_null(&in, "owner");
    r->created = upool_reader_number(&in, "created");
    r->length = upool_reader_size(&in, "length");
    in.bad |= !upool_reader_file(&r->file, upool_reader_take(&in, "file"), p);
    r->uri = upool_reader_text(&in, "uri");
    r->args = upool_reader_text_or_null(&in, "args");
    r->metadata = upool_reader_text_or_null(&in, "metadata");
    r->concat = upool_reader_text_or_null(&in, "concat");
    r->good = upool_reader_size(&in, "good");
    decode_fields(r, &in);
    decode_ranges(r, &in);
    decode_midstates(r, &in);
    return upool_reader_done(&in) && is_sound(r);
}

apr_status_t upool_resumable_decode(upool_resumable **resumable,
                                    const char *text, apr_size_t len,
                                    const char *identifier, apr_pool_t *p)
{
    upool_resumable *read;
    json_t *root;
    int good;

    if (len > UPOOL_MEMBERS_MAX) {
        return APR_EGENERAL;
    }
    root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    if (!root) {
        return APR_EGENERAL;
    }
    read = upool_resumable_make(p, identifier);
    good = decode(read, root, p);
    json_decref(root);
    if (!good) {
        return APR_EGENERAL;
    }
    *resumable = read;
    return APR_SUCCESS;
}
