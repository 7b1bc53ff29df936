/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/answer.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <apr_base64.h>
#include <apr_strings.h>

#include "store/directory.h"
#include "store/document.h"
#include "store/layout.h"
#include "store/members.h"

#define VERSION 1

static int push_header(void *array, const char *name, const char *value)
{
    json_t *pair = json_array();

    if (json_array_append_new(pair, json_string(name))
        || json_array_append_new(pair, json_string(value))) {
        json_decref(pair);
        return 0;
    }
    return !json_array_append_new(array, pair);
}

static json_t *encode_headers(const apr_table_t *headers)
{
    json_t *array = json_array();

    if (!apr_table_do(push_header, array, headers, NULL)) {
        json_decref(array);
        return NULL;
    }
    return array;
}

static json_t *encode_body(const upool_answer *answer, apr_pool_t *p)
{
    char *text;

    if (!answer->body) {
        return json_null();
    }
    if (answer->len > UPOOL_ANSWER_BODY_MAX) {
        return NULL;
    }
    text = apr_palloc(p, (apr_size_t)apr_base64_encode_len((int)answer->len));
    apr_base64_encode_binary(text, (const unsigned char *)answer->body,
                             (int)answer->len);
    return json_string(text);
}

static int add_length(void *sum, const char *name, const char *value)
{
    *(apr_size_t *)sum += strlen(name) + strlen(value);
    return 1;
}

static int headers_fit(const apr_table_t *headers)
{
    apr_size_t sum = 0;

    apr_table_do(add_length, &sum, headers, NULL);
    return sum <= UPOOL_ANSWER_HEADERS_MAX;
}

static json_t *encode(const upool_answer *answer, apr_time_t created,
                      apr_pool_t *p)
{
    json_t *o = json_object();
    int bad = 0;

    bad |= json_object_set_new(o, "version", json_integer(VERSION));
    bad |= json_object_set_new(o, "created", upool_members_number(created));
    bad |= json_object_set_new(o, "answered",
                               upool_members_number(answer->answered));
    bad |= json_object_set_new(o, "status", json_integer(answer->status));
    bad |= json_object_set_new(o, "headers", encode_headers(answer->headers));
    bad |= json_object_set_new(o, "body", encode_body(answer, p));
    if (bad) {
        json_decref(o);
        return NULL;
    }
    return o;
}

apr_status_t upool_answer_encode(char **text, apr_size_t *len,
                                 const upool_answer *answer, apr_time_t created,
                                 apr_pool_t *p)
{
    return upool_members_dump(
        text, len,
        headers_fit(answer->headers) ? encode(answer, created, p) : NULL);
}

apr_status_t upool_answer_save(const upool_answer *answer, int directory,
                               apr_time_t created, apr_pool_t *p)
{
    char *text;
    apr_size_t len = 0;
    apr_status_t rv = upool_answer_encode(&text, &len, answer, created, p);

    return rv ? rv
              : upool_document_put(text, len, directory, UPOOL_LAYOUT_ANSWER,
                                   UPOOL_LAYOUT_ANSWER_NEW, 0, NULL);
}

/* For text that goes into a response's head: no line may end in it. */
static int is_header(const char *name, const char *value)
{
    return *name && !name[strcspn(name, ": \t\r\n")]
           && !value[strcspn(value, "\r\n")];
}

static apr_table_t *take_headers(upool_reader *in)
{
    const json_t *array = upool_reader_take(in, "headers");
    apr_table_t *headers = apr_table_make(in->p, 8);
    size_t i;

    in->bad |= !json_is_array(array);
    for (i = 0; i < json_array_size(array); i++) {
        const json_t *pair = json_array_get(array, i);
        const char *name = json_string_value(json_array_get(pair, 0));
        const char *value = json_string_value(json_array_get(pair, 1));

        if (json_array_size(pair) != 2 || !name || !value
            || !is_header(name, value)) {
            in->bad = 1;
            break;
        }
        apr_table_add(headers, name, value);
    }
    return headers;
}

static void take_body(upool_reader *in, upool_answer *answer)
{
    const char *text = upool_reader_text_or_null(in, "body");
    char *body;

    if (!text || in->bad) {
        return;
    }
    if (text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                          "0123456789+/=")]
        || strlen(text) > (apr_size_t)2 * UPOOL_ANSWER_BODY_MAX) {
        in->bad = 1;
        return;
    }
    body = apr_palloc(in->p, (apr_size_t)apr_base64_decode_len(text) + 1);
    answer->len = (apr_size_t)apr_base64_decode(body, text);
    answer->body = body;
    in->bad |= answer->len > UPOOL_ANSWER_BODY_MAX;
}

static apr_status_t take_answer(upool_answer *answer, apr_time_t *created,
                                const json_t *root, apr_pool_t *p)
{
    upool_reader in = upool_reader_of(root, p);
    apr_int64_t version = upool_reader_number(&in, "version");
    apr_int64_t status;

    *created = upool_reader_number(&in, "created");
    answer->answered = upool_reader_number(&in, "answered");
    status = upool_reader_number(&in, "status");
    answer->headers = take_headers(&in);
    take_body(&in, answer);
    if (!upool_reader_done(&in) || version != VERSION || status < 200
        || status > 599) {
        return APR_EGENERAL;
    }
    answer->status = (int)status;
    return APR_SUCCESS;
}

apr_status_t upool_answer_decode(upool_answer *answer, apr_time_t *created,
                                 const char *text, apr_size_t len,
                                 apr_pool_t *p)
{
    upool_answer found = { 0, 1, 0, NULL, NULL, 0 };
    apr_time_t of = 0;
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    apr_status_t rv = root ? take_answer(&found, &of, root, p) : APR_EGENERAL;

    json_decref(root);
    if (!rv) {
        *answer = found;
        *created = of;
    }
    return rv;
}

apr_status_t upool_answer_load(upool_answer *answer, int directory,
                               apr_time_t created, apr_time_t now,
                               apr_pool_t *p)
{
    upool_answer found;
    apr_time_t of;
    char *text;
    apr_size_t len;
    apr_status_t rv =
        upool_document_read(&text, &len, directory, UPOOL_LAYOUT_ANSWER, p);

    if (!rv) {
        rv = upool_answer_decode(&found, &of, text, len, p);
    }
    if (!rv && (of != created || found.answered < now - UPOOL_ANSWER_KEPT)) {
        rv = APR_ENOENT;
    }
    if (!rv) {
        *answer = found;
    }
    return rv;
}

void upool_answer_forget(int directory, apr_time_t before)
{
    struct stat st;

    if (fstatat(directory, UPOOL_LAYOUT_ANSWER, &st, AT_SYMLINK_NOFOLLOW) == 0
        && upool_directory_mtime(&st) < before) {
        unlinkat(directory, UPOOL_LAYOUT_ANSWER, 0);
    }
}
