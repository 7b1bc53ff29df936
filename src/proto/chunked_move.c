/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "proto/chunked.h"

#include <apr_strings.h>

#include "httpd/lookup.h"
#include "store/append.h"

/* A form whose file came before the fields that say which upload it belongs to.
 * Its bytes were made an upload of their own; if there is another they are
 * copied there, and it goes. */

static int refuse(upool_refusal *refusal, upool_reason reason,
                  const char *detail)
{
    *refusal = upool_refusal_make(reason, 0, detail);
    return 1;
}

static apr_status_t copy_bytes(void *user, const char *data, apr_size_t len)
{
    const upool_sink *sink = user;

    return upool_sink_feed(sink, data, len) || upool_sink_flush(sink)
               ? APR_EGENERAL
               : APR_SUCCESS;
}

/* All of the upload made, as the bytes of an append.  0, or 1 with the sink
 * refused. */
static int copy(upool_chunked *c, upool_sink *sink, upool_store *store,
                const char *made)
{
    upool_append *from = NULL;
    apr_status_t rv = upool_append_open(&from, store, made, c->r->pool);

    if (!rv) {
        rv = upool_append_read(from, 0, upool_append_offset(from), copy_bytes,
                               sink);
    }
    if (rv) {
        /* Where the sink has refused the bytes, its own reason stands. */
        upool_sink_refuse(sink, UPOOL_REASON_IO, rv,
                          "a chunk cannot be read again");
    }
    return rv || upool_sink_finish(sink);
}

/* The bytes of the upload that was made for them go to that of rq->id. */
static int copy_piece(upool_chunked *c, const char *made,
                      upool_refusal *refusal)
{
    const apr_array_header_t *fields = upool_chunk_fields(c->form);
    upool_store *store = upool_known_store(c->r, c->rq, refusal);
    upool_sink sink;

    if (!store || upool_chunked_enter(c, c->file, fields, &sink, refusal)) {
        return 1;
    }
    if (copy(c, &sink, store, made)) {
        *refusal = *upool_sink_refusal(&sink);
        return 1;
    }
    return 0;
}

static int move(upool_chunked *c, upool_refusal *refusal)
{
    const char *made = apr_pstrdup(c->r->pool, c->rq->id);
    upool_resume *scratch = c->resume;
    apr_off_t size = upool_resume_offset(scratch);
    int failed;

    c->late = 0;
    c->whole = 0;
    c->created = 0;
    c->resume = NULL;
    c->rq->minted = 0;
    c->rq->id[0] = '\0';
    failed = upool_chunked_place(c, refusal) || upool_chunked_name(c, refusal);
    if (!failed && c->length < 0) {
        c->length = size;
    }
    if (!failed && c->length != size) {
        failed = refuse(refusal, UPOOL_REASON_CHUNK_SIZE,
                        "a library's parameters behind the file");
    }
    failed = failed || copy_piece(c, made, refusal);
    upool_resume_abandon(scratch);
    return failed;
}

/* Nothing has named another upload: it is one of its own. */
static int settle(upool_chunked *c, upool_refusal *refusal)
{
    if (!upool_chunked_may_mint(c)) {
        upool_resume_abandon(c->resume);
        c->resume = NULL;
        *refusal = upool_proto_missing();
        return 1;
    }
    if (c->offset > 0) {
        upool_resume_abandon(c->resume);
        c->resume = NULL;
        return refuse(refusal, UPOOL_REASON_OFFSET, "of no upload");
    }
    if (upool_chunked_is_auto(c) && upool_resume_is_whole(c->resume)
        && upool_resume_complete(c->resume)) {
        *refusal = *upool_resume_refusal(c->resume);
        return 1;
    }
    return 0;
}

int upool_chunked_move(upool_chunked *c, upool_refusal *refusal)
{
    upool_family_chunk piece;
    int is_piece = !c->in_family
                   && (upool_family_settle(&c->family, &piece)
                       || upool_family_is_strange(&c->family));

    return c->named || is_piece ? move(c, refusal) : settle(c, refusal);
}
