/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "proto/tus.h"

#include <string.h>

#include "httpd/drive.h"

static int has(const request_rec *r, const char *name)
{
    return apr_table_get(r->headers_in, name) != NULL;
}

/* A request that can only be tus, though it does not give its version: it must
 * not reach the application like any other request, and count as done. */
static int is_evident(const request_rec *r)
{
    if (r->method_number == M_PATCH) {
        return upool_tus_has_bytes(r);
    }
    return r->method_number == M_POST
           && (upool_tus_has_bytes(r) || has(r, "Upload-Defer-Length")
               || has(r, "Upload-Concat"));
}

static const char *evident(request_rec *r, upool_request *rq)
{
    (void)rq;
    return is_evident(r)
                   || (has(r, "Tus-Resumable") && r->method_number == M_POST)
               ? "Uploads by tus are not taken here"
               : NULL;
}

static void recognise_resource(request_rec *r, upool_request *rq)
{
    if (!upool_proto_resource(r, rq)) {
        upool_proto_refuse(rq, UPOOL_REASON_NOT_FOUND);
    }
}

static void adopt(request_rec *r, upool_request *rq)
{
    (void)rq;
    upool_tus_mark(r);
}

static int recognise(request_rec *r, upool_request *rq)
{
    int is_head = !strcmp(r->method, "HEAD");

    if (r->method_number != M_OPTIONS && !has(r, "Tus-Resumable")
        && !is_evident(r)) {
        return 0;
    }
    upool_tus_mark(r);
    switch (r->method_number) {
    case M_OPTIONS:
        return 1;
    case M_POST:
        rq->creates = 1;
        rq->takes_body = upool_tus_has_bytes(r) || upool_drive_may_bring(r);
        return 1;
    case M_PATCH:
        rq->takes_body = 1;
        recognise_resource(r, rq);
        return 1;
    default:
        if (!is_head && r->method_number != M_DELETE) {
            return 0;
        }
        recognise_resource(r, rq);
        return 1;
    }
}

static int handle(request_rec *r, upool_request *rq)
{
    if (r->method_number == M_OPTIONS) {
        return upool_tus_tell_options(r, rq);
    }
    if (!upool_tus_is_understood(r)) {
        return upool_tus_refuse_for(r, rq, UPOOL_REASON_VERSION, NULL);
    }
    switch (r->method_number) {
    case M_POST:
        return upool_tus_create(r, rq);
    case M_PATCH:
        return upool_tus_patch(r, rq);
    case M_DELETE:
        return upool_tus_terminate(r, rq);
    default:
        return upool_tus_tell_state(r, rq);
    }
}

const upool_protocol upool_tus_protocol = {
    .bit = UPOOL_PROTOCOL_TUS,
    .kind = UPOOL_TUS_PROTOCOL,
    .recognise = recognise,
    .evident = evident,
    .adopt = adopt,
    .handle = handle,
    .refuse = upool_tus_refuse,
    .answer = upool_tus_answer,
};
