/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "upload/fieldbody.h"

#include <stdlib.h>
#include <string.h>
#include <apr_strings.h>
#include <jansson.h>

#include "parse/names.h"
#include "parse/query.h"
#include "upload/parts.h"

struct upool_fieldbody {
    upool_fieldbody_kind kind;
    upool_limits limits;
    apr_int64_t memory;
    apr_pool_t *p;
    upool_fields *fields;
    upool_fields *whole; /* of a QUERY or JSON: the text, as one value */
    upool_parts *parser; /* of a FORM */
    int in_file;
    upool_refusal refusal;
    apr_off_t received;
};

static int refuse(upool_fieldbody *body, upool_reason reason,
                  const char *detail)
{
    if (body->refusal.reason == UPOOL_REASON_NONE) {
        body->refusal = upool_refusal_make(reason, 0, detail);
    }
    return 1;
}

static int on_begin(void *user, const upool_part *part)
{
    upool_fieldbody *body = user;

    body->in_file = part->filename != NULL;
    if (!body->in_file) {
        upool_fields_begin(body->fields, part->name);
    }
    return 0;
}

static int on_data(void *user, const char *data, apr_size_t len)
{
    upool_fieldbody *body = user;
    upool_reason reason = body->in_file
                              ? UPOOL_REASON_NONE
                              : upool_fields_data(body->fields, data, len);

    return reason ? refuse(body, reason, NULL) : 0;
}

static int on_end(void *user)
{
    upool_fieldbody *body = user;

    if (!body->in_file) {
        upool_fields_end(body->fields);
    }
    return 0;
}

static const upool_parts_events events = {
    .begin = on_begin,
    .data = on_data,
    .end = on_end,
};

/* name: any bytes; a field's is valid UTF-8. */
static int add_field(upool_fieldbody *body, const char *name, const char *value,
                     apr_size_t len)
{
    apr_size_t name_len = strlen(name);
    char *repaired = apr_palloc(body->p, 3 * name_len + 1);
    upool_reason reason;

    upool_names_repair(repaired, name, name_len);
    upool_fields_begin(body->fields, repaired);
    reason = upool_fields_data(body->fields, value, len);
    if (reason) {
        return refuse(body, reason, NULL);
    }
    upool_fields_end(body->fields);
    return 0;
}

static int read_query(upool_fieldbody *body, const char *text, apr_size_t len)
{
    char *copy = apr_pstrmemdup(body->p, text, len);
    upool_query_pair pair;
    char *at = copy;
    int more;

    while ((more = upool_query_take(&at, copy + len, &pair)) > 0) {
        if (add_field(body, pair.name, pair.value, pair.value_len)) {
            return 1;
        }
    }
    return more ? refuse(body, UPOOL_REASON_FIELDS, "a form as a query") : 0;
}

static int add_member(upool_fieldbody *body, const char *name,
                      const json_t *value)
{
    char *text;
    int refused;

    if (json_is_string(value)) {
        return add_field(body, name, json_string_value(value),
                         json_string_length(value));
    }
    text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    if (!text) {
        return refuse(body, UPOOL_REASON_MEMORY, NULL);
    }
    refused = add_field(body, name, text, strlen(text));
    free(text);
    return refused;
}

static int read_json(upool_fieldbody *body, const char *text, apr_size_t len)
{
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    int refused = 0;
    void *at;

    if (!json_is_object(root)) {
        json_decref(root);
        return refuse(body, UPOOL_REASON_FIELDS, "a form as JSON");
    }
    for (at = json_object_iter(root); at && !refused;
         at = json_object_iter_next(root, at)) {
        refused = add_member(body, json_object_iter_key(at),
                             json_object_iter_value(at));
    }
    json_decref(root);
    return refused;
}

static int body_feed(void *self, const char *data, apr_size_t len)
{
    upool_fieldbody *body = self;
    upool_reason reason;

    if (body->refusal.reason) {
        return 1;
    }
    body->received += (apr_off_t)len;
    if (body->received > body->limits.fields) {
        return refuse(body, UPOOL_REASON_FIELDS_TOO_LARGE, NULL);
    }
    if (body->parser) {
        return upool_parts_feed(body->parser, data, len);
    }
    reason = upool_fields_data(body->whole, data, len);
    return reason ? refuse(body, reason, NULL) : 0;
}

static int read_whole(upool_fieldbody *body)
{
    const upool_field *text;

    upool_fields_end(body->whole);
    text = &APR_ARRAY_IDX(upool_fields_list(body->whole), 0, upool_field);
    return body->kind == UPOOL_FIELDBODY_JSON
               ? read_json(body, text->value, text->len)
               : read_query(body, text->value, text->len);
}

static int body_finish(void *self)
{
    upool_fieldbody *body = self;

    if (body->refusal.reason) {
        return 1;
    }
    return body->parser ? upool_parts_end(body->parser) : read_whole(body);
}

static void body_refuse(void *self, upool_reason reason, apr_status_t rv,
                        const char *detail)
{
    upool_fieldbody *body = self;

    refuse(body, reason, detail);
    body->refusal.rv = rv;
}

static int body_is_refused(void *self)
{
    const upool_fieldbody *body = self;

    return body->refusal.reason != UPOOL_REASON_NONE;
}

static apr_off_t body_received(const void *self)
{
    const upool_fieldbody *body = self;

    return body->received;
}

static const upool_refusal *body_refusal(void *self)
{
    upool_fieldbody *body = self;

    return &body->refusal;
}

static const upool_sink_ops ops = {
    .feed = body_feed,
    .flush = body_is_refused,
    .finish = body_finish,
    .refuse = body_refuse,
    .is_unwanted = body_is_refused,
    .received = body_received,
    .refusal = body_refusal,
};

upool_fieldbody *upool_fieldbody_make(upool_fieldbody_kind kind,
                                      const char *boundary,
                                      apr_size_t boundary_len,
                                      const upool_limits *limits, apr_pool_t *p)
{
    upool_fieldbody *body = apr_pcalloc(p, sizeof(*body));

    body->kind = kind;
    body->limits = *limits;
    body->p = p;
    /* The text and the fields in it: each within the limit. */
    body->memory = limits->fields > UPOOL_UNLIMITED / 2 ? UPOOL_UNLIMITED
                                                        : 2 * limits->fields;
    body->fields = upool_fields_make(&body->limits, &body->memory, p);
    if (kind == UPOOL_FIELDBODY_FORM) {
        body->parser = upool_parts_make(boundary, boundary_len, &body->limits,
                                        &body->refusal, &events, body, p);
        return body;
    }
    body->whole = upool_fields_make(&body->limits, &body->memory, p);
    upool_fields_begin(body->whole, "");
    return body;
}

upool_sink upool_fieldbody_sink(upool_fieldbody *body)
{
    upool_sink sink;

    sink.ops = &ops;
    sink.self = body;
    return sink;
}

const apr_array_header_t *upool_fieldbody_fields(const upool_fieldbody *body)
{
    return upool_fields_list(body->fields);
}

const char *upool_fieldbody_value(const apr_array_header_t *fields,
                                  const char *name)
{
    const upool_field *found = NULL;
    int i;

    for (i = 0; i < fields->nelts; i++) {
        const upool_field *field = &APR_ARRAY_IDX(fields, i, upool_field);

        if (strcmp(field->name, name) != 0) {
            continue;
        }
        if (found) {
            return NULL;
        }
        found = field;
    }
    return found && !memchr(found->value, '\0', found->len) ? found->value
                                                            : NULL;
}
