/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "httpd/unseen.h"

#include <string.h>
#include <apr_strings.h>

#include "httpd/handoff.h"
#include "httpd/log.h"
#include "httpd/lookup.h"
#include "httpd/slots.h"
#include "store/unread.h"

/* An upload with more files than this is not looked at. */
#define FILES_MOST 16

static int has_stored(const upool_record *record)
{
    int i;

    for (i = 0; i < record->files->nelts; i++) {
        const upool_file *file = &APR_ARRAY_IDX(record->files, i, upool_file);

        if (file->stored && file->size) {
            return 1;
        }
    }
    return 0;
}

/* 1 when neither the client nor the configuration shows knowledge of the
 * module. */
static int is_unaware(const upool_request *rq)
{
    return rq->conf->pass_as == UPOOL_UNSET && rq->minted
           && !upool_keys_count(upool_config_handoff_keys(rq->conf));
}

void upool_unseen_prepare(request_rec *r, upool_request *rq)
{
    const upool_record *record = rq->outcome.record;
    const upool_notices *notices = upool_slots_notices();
    upool_refusal refusal = UPOOL_NO_REFUSAL;
    upool_store *store;

    if (!notices || !is_unaware(rq) || !has_stored(record)
        || record->files->nelts > FILES_MOST
        || !upool_notices_is_due(notices, upool_request_section(r, rq->conf),
                                 r->request_time)) {
        return;
    }
    store = upool_known_store(r, rq, &refusal);
    if (store) {
        upool_unread_prepare(store, record, r->pool);
        rq->watches = 1;
    }
}

/* 1 for handlers that take the body from httpd before anybody reads it, or even
 * if nobody does. */
static int takes_anyway(const char *handler)
{
    static const char *const names[] = { "cgi-script", "fcgid-script",
                                         "application/x-httpd-php",
                                         "proxy-server" };
    apr_size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!strcmp(handler, names[i])) {
            return 1;
        }
    }
    return !strncmp(handler, "proxy:", 6) || !strncmp(handler, "php", 3);
}

void upool_unseen_tell(request_rec *r, const request_rec *last,
                       upool_request *rq, int status)
{
    const char *handler = last->handler ? last->handler : "";
    upool_notices *notices = upool_slots_notices();
    upool_refusal refusal = UPOOL_NO_REFUSAL;
    upool_store *store;

    if (!rq->watches || !notices || rq->claimed || status < 200 || status > 299
        || (upool_handoff_is_read(rq) && !takes_anyway(handler))) {
        return;
    }
    store = upool_known_store(r, rq, &refusal);
    if (!store || !upool_unread_still(store, rq->outcome.record, r->pool)
        || !upool_notices_take(notices, upool_request_section(r, rq->conf),
                               apr_time_now())) {
        return;
    }
    upool_rlog(
        r, WARNING, 0, 331,
        "upload %s: the application (%s) answered %d, but %s; it was"
        " handed JSON. One that knows nothing of mod_upload_pool sees its"
        " form with \"UploadPassAs form\"%s%s; if all is well,"
        " \"UploadPassAs json\" ends this warning",
        upool_log_ident(r->pool, rq->id), handler, status,
        upool_handoff_is_read(rq)
            ? "it has not touched any file of it"
            : "it has neither read the body nor touched any file of it",
        rq->conf->place ? " in " : "", rq->conf->place ? rq->conf->place : "");
}
