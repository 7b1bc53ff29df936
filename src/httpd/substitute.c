/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "httpd/substitute.h"

#include <string.h>
#include <apr_cstr.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <http_request.h>

#include "httpd/handoff.h"
#include "httpd/log.h"
#include "httpd/unseen.h"

/* Headers that describe the original content (RFC 9110 8), which is no longer
 * there: they are set aside under another name. */
typedef struct aside {
    const char *header;
    const char *kept;
} aside;

static const aside described[] = {
    { "Content-Type", "X-Upload-Content-Type" },
    { "Content-Length", "X-Upload-Content-Length" },
    { "Content-Encoding", "X-Upload-Content-Encoding" },
    { "Content-Range", "X-Upload-Content-Range" },
    { "Transfer-Encoding", "X-Upload-Transfer-Encoding" },
};
/* These headers are dropped altogether: they describe the original bytes (RFC
 * 9530, RFC 1864) or a wait that is over. */
static const char *const dropped[] = { "Content-MD5", "Content-Digest",
                                       "Repr-Digest", "Digest",
                                       "Trailer",     "Expect" };
static const char *const marks[] = { "X-Upload-Identifier", "X-Upload-State",
                                     "X-Upload-Signature" };
static const char *const variables[] = {
    "UPLOAD_POOL_STATE",          "UPLOAD_POOL_IDENTIFIER", "UPLOAD_POOL_PATH",
    "UPLOAD_POOL_SIZE",           "UPLOAD_POOL_FILES",      "UPLOAD_POOL_URL",
    "UPLOAD_POOL_NEW_IDENTIFIER",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char canonical(char c)
{
    return (char)(c == '_' ? '-' : apr_tolower(c));
}

/* Many application servers turn "-" and "_" into the same variable name, so
 * X_Upload_Identifier would be taken for ours. */
static int same_name(const char *a, const char *b)
{
    while (*a && canonical(*a) == canonical(*b)) {
        a++;
        b++;
    }
    return canonical(*a) == canonical(*b);
}

static int is_ours(const char *name)
{
    apr_size_t i;

    for (i = 0; i < COUNT(described); i++) {
        if (same_name(name, described[i].kept)) {
            return 1;
        }
    }
    for (i = 0; i < COUNT(marks); i++) {
        if (same_name(name, marks[i])) {
            return 1;
        }
    }
    return 0;
}

static void strip_headers(request_rec *r)
{
    const apr_array_header_t *array = apr_table_elts(r->headers_in);
    int i;

    /* Unsetting an entry moves those behind it. */
    for (i = array->nelts - 1; i >= 0; i--) {
        const char *name = APR_ARRAY_IDX(array, i, const apr_table_entry_t).key;

        if (is_ours(name)) {
            apr_table_unset(r->headers_in, name);
            i = array->nelts;
        }
    }
}

/* CGI variables of headers may come from a module that makes them too early
 * (mod_ext_filter and mod_authnz_fcgi do): they stay when the header goes. */
static int is_stale(const char *variable)
{
    apr_size_t i;

    if (strncmp(variable, "HTTP_", 5) != 0) {
        return 0;
    }
    variable += 5;
    for (i = 0; i < COUNT(described); i++) {
        if (same_name(variable, described[i].header)) {
            return 1;
        }
    }
    for (i = 0; i < COUNT(dropped); i++) {
        if (same_name(variable, dropped[i])) {
            return 1;
        }
    }
    return 0;
}

static void strip_variables(request_rec *r, int stale_too)
{
    const apr_array_header_t *array = apr_table_elts(r->subprocess_env);
    int i;

    for (i = array->nelts - 1; i >= 0; i--) {
        const char *name = APR_ARRAY_IDX(array, i, const apr_table_entry_t).key;

        if ((!strncmp(name, "HTTP_", 5) && is_ours(name + 5))
            || (stale_too && is_stale(name))) {
            apr_table_unset(r->subprocess_env, name);
            i = array->nelts;
        }
    }
}

void upool_substitute_strip(request_rec *r)
{
    apr_size_t i;

    strip_headers(r);
    strip_variables(r, 0);
    for (i = 0; i < COUNT(variables); i++) {
        apr_table_unset(r->subprocess_env, variables[i]);
    }
}

void upool_substitute_set_aside(request_rec *r, upool_request *rq)
{
    apr_table_t *kept = apr_table_make(r->pool, (int)COUNT(described));
    apr_size_t i;

    for (i = 0; i < COUNT(described); i++) {
        const char *value = apr_table_get(r->headers_in, described[i].header);

        if (value) {
            apr_table_set(kept, described[i].kept, value);
        }
    }
    rq->set_aside = kept;
}

static int is_of_protocol(const char *name)
{
    static const char *const names[] = {
        "Content-Disposition",
        "If-Match",
        "If-Modified-Since",
        "If-None-Match",
        "If-Range",
        "If-Unmodified-Since",
        "Range",
        "Session-ID",
        "Want-Content-Digest",
        "Want-Repr-Digest",
        "X-Content-Range",
        "X-HTTP-Method",
        "X-HTTP-Method-Override",
        "X-Method-Override",
        "X-Session-ID",
    };
    apr_size_t i;

    for (i = 0; i < COUNT(names); i++) {
        if (same_name(name, names[i])) {
            return 1;
        }
    }
    return !apr_cstr_casecmpn(name, "Upload-", 7)
           || !apr_cstr_casecmpn(name, "Tus-", 4);
}

void upool_substitute_drop_protocol(request_rec *r)
{
    const apr_array_header_t *array = apr_table_elts(r->headers_in);
    int i;

    for (i = array->nelts - 1; i >= 0; i--) {
        const char *name = APR_ARRAY_IDX(array, i, const apr_table_entry_t).key;

        if (is_of_protocol(name)) {
            apr_table_unset(r->headers_in, name);
            i = array->nelts;
        }
    }
}

/* 1 for the headers that this file exchanges or sets. */
static int is_exchanged(const char *name)
{
    apr_size_t i;

    for (i = 0; i < COUNT(described); i++) {
        if (same_name(name, described[i].header)) {
            return 1;
        }
    }
    return is_ours(name);
}

/* A proxy removes the headers that Connection names (RFC 9110 7.6.1).  If it
 * named our marks, or the type and length of the body, a client could make the
 * application take the module's word for a stranger's.  The list is shortened
 * in place: what is left of it is never longer than it was. */
static void keep_unnamed(request_rec *r)
{
    const char *named = apr_table_get(r->headers_in, "Connection");
    char *list = apr_pstrdup(r->pool, named ? named : "");
    char *out = list, *state = NULL;
    char *name = apr_strtok(list, ", \t", &state);

    for (; name; name = apr_strtok(NULL, ", \t", &state)) {
        apr_size_t len = strlen(name);

        if (!is_exchanged(name)) {
            if (out != list) {
                *out++ = ',';
            }
            memmove(out, name, len);
            out += len;
        }
    }
    *out = '\0';
    if (named) {
        apr_table_setn(r->headers_in, "Connection", list);
    }
}

/* 0 when it could not be signed: then it must not go out. */
static int sign(request_rec *r, const upool_dir_conf *conf,
                const upool_handoff_head *head)
{
    const upool_keys *keys = upool_config_handoff_keys(conf);
    char hex[UPOOL_SIGNATURE_LEN + 1];

    if (!upool_keys_count(keys)) {
        return 1;
    }
    if (upool_keys_hmac(keys, 0, head->signed_text, head->signed_len, hex)) {
        return 0;
    }
    apr_table_set(r->headers_in, "X-Upload-Signature",
                  apr_pstrcat(r->pool, "sha256=", hex, NULL));
    return 1;
}

/* Trailers may have been merged into the headers while the body was read
 * (MergeTrailers), so forged marks are stripped once more before ours are
 * set. */
static int exchange_headers(request_rec *r, const upool_request *rq,
                            const upool_handoff_head *head)
{
    apr_size_t i;

    strip_headers(r);
    strip_variables(r, 1);
    keep_unnamed(r);
    for (i = 0; i < COUNT(described); i++) {
        apr_table_unset(r->headers_in, described[i].header);
    }
    for (i = 0; i < COUNT(dropped); i++) {
        apr_table_unset(r->headers_in, dropped[i]);
    }
    apr_table_overlap(r->headers_in, rq->set_aside, APR_OVERLAP_TABLES_SET);
    apr_table_setn(r->headers_in, "Content-Type", head->type);
    apr_table_setn(r->headers_in, "Content-Length", head->length);
    apr_table_setn(r->headers_in, "X-Upload-Identifier", rq->id);
    apr_table_setn(r->headers_in, "X-Upload-State", "done");
    r->expecting_100 = 0;
    return sign(r, rq->conf, head);
}

void upool_substitute_export(request_rec *r, const upool_request *rq)
{
    const upool_record *record = rq->outcome.record;
    const upool_file *first = record->files->nelts
                                  ? &APR_ARRAY_IDX(record->files, 0, upool_file)
                                  : NULL;

    apr_table_setn(r->subprocess_env, "UPLOAD_POOL_STATE", "done");
    apr_table_setn(r->subprocess_env, "UPLOAD_POOL_IDENTIFIER", rq->id);
    if (first && first->stored) {
        apr_table_setn(
            r->subprocess_env, "UPLOAD_POOL_PATH",
            apr_pstrcat(r->pool, rq->outcome.path, "/", first->stored, NULL));
    }
    apr_table_setn(r->subprocess_env, "UPLOAD_POOL_SIZE",
                   apr_off_t_toa(r->pool, record->received));
    apr_table_setn(r->subprocess_env, "UPLOAD_POOL_FILES",
                   apr_itoa(r->pool, record->files->nelts));
}

/* The earlier request of a redirect that was in a context of ours; NULL when
 * there is none. */
static const request_rec *before_redirect(const request_rec *r)
{
    for (r = r->prev; r; r = r->prev) {
        const upool_dir_conf *conf = upool_config_of(r);

        if (conf->on == 1 || conf->url) {
            return r;
        }
    }
    return NULL;
}

static void inherit(request_rec *r, const request_rec *from,
                    const char *variable)
{
    const char *value = apr_table_get(from->subprocess_env, variable);

    if (value) {
        apr_table_setn(r->subprocess_env, variable, value);
    }
}

void upool_substitute_export_context(request_rec *r, const upool_dir_conf *conf)
{
    const request_rec *from = before_redirect(r);
    char id[UPOOL_IDENT_MAX + 1];
    char text[UPOOL_IDENT_TEXT_MAX + 1];

    /* A front controller is reached by a redirect, and so is an Action: their
     * forms still post to the URL that the client knows. */
    if (from) {
        inherit(r, from, "UPLOAD_POOL_URL");
        inherit(r, from, "UPLOAD_POOL_NEW_IDENTIFIER");
        return;
    }
    if (conf->on != 1 && !conf->url) {
        return;
    }
    apr_table_setn(r->subprocess_env, "UPLOAD_POOL_URL",
                   conf->url ? conf->url : ap_escape_uri(r->pool, r->uri));
    if (conf->mint == 1 && !upool_ident_mint(id, r->request_time)
        && !upool_ident_sign(text, id, upool_config_ident_keys(conf))) {
        apr_table_set(r->subprocess_env, "UPLOAD_POOL_NEW_IDENTIFIER", text);
    }
}

/* 0 where nobody reads the body that stands in: making it is a good part of
 * what a small upload costs. */
static int is_read(const request_rec *r, const upool_request *rq)
{
    /* An upload in several requests is handled by the handler of another
     * URL. */
    return rq->protocol || rq->conf->pass || r->kept_body || rq->keeps_body
           || !r->handler || strcmp(r->handler, UPOOL_HANDLER_NAME) != 0;
}

int upool_substitute_request(request_rec *r, upool_request *rq,
                             upool_refusal *refusal)
{
    upool_handoff_head head;

    if (upool_handoff_make(r, rq, is_read(r, rq), &head, refusal)) {
        return 1;
    }
    if (!exchange_headers(r, rq, &head)) {
        *refusal = upool_refusal_make(UPOOL_REASON_MEMORY, 0,
                                      "the upload is done, but what its"
                                      " application is told cannot be signed");
        return 1;
    }
    upool_substitute_export(r, rq);
    rq->intake = UPOOL_INTAKE_SUBSTITUTED;
    if (is_read(r, rq)) {
        upool_unseen_prepare(r, rq);
    }
    return 0;
}

/* A rule with END leaves this in the request's pool, where the redirect would
 * find it, although the rules for the target have not been asked yet. */
#define REWRITE_IS_OVER "rewrite_really_last"

void upool_substitute_redirect(request_rec *r, const char *target)
{
    upool_request_get(r)->redirects = 1;
    apr_pool_userdata_setn(NULL, REWRITE_IS_OVER, NULL, r->pool);
    ap_internal_redirect(target, r);
}

int upool_substitute_begin(request_rec *r)
{
    const upool_request *rq = r->prev ? upool_request_get(r->prev) : NULL;

    if (rq && rq->redirects) {
        apr_table_unset(r->subprocess_env, "REDIRECT_STATUS");
    }
    return DECLINED;
}
