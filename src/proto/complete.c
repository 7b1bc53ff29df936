/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "proto/complete.h"

#include <string.h>
#include <apr_strings.h>
#include <http_protocol.h>

#include "httpd/drive.h"
#include "httpd/lookup.h"
#include "httpd/capture.h"
#include "httpd/handlers.h"
#include "httpd/log.h"
#include "httpd/reply.h"
#include "httpd/resuming.h"
#include "httpd/substitute.h"
#include "upload/result.h"

/* How long a request waits for the answer to another one like it. */
#define WAIT_MAX apr_time_from_sec(5)

static int refuse(request_rec *r, upool_request *rq, upool_reason reason,
                  apr_status_t rv, const char *detail)
{
    upool_refusal refusal = upool_refusal_make(reason, rv, detail);

    return rq->protocol->refuse(r, rq, &refusal);
}

/* Replaces the headers of one request among several by those of the whole
 * upload. */
static void describe_whole(request_rec *r, upool_request *rq)
{
    const upool_record *record = rq->outcome.record;
    apr_table_t *aside = apr_table_make(r->pool, 2);

    if (record->content_type && *record->content_type) {
        apr_table_setn(aside, "X-Upload-Content-Type", record->content_type);
    }
    apr_table_setn(aside, "X-Upload-Content-Length",
                   apr_off_t_toa(r->pool, record->size));
    if (rq->outcome.coding) {
        apr_table_setn(aside, "X-Upload-Content-Encoding", rq->outcome.coding);
    }
    rq->set_aside = aside;
}

static const char *target_of(request_rec *r, const upool_request *rq,
                             const upool_resumable *about)
{
    if (rq->conf->pass) {
        upool_rlog(r, DEBUG, 0, 60, "upload %s is passed to %s",
                   upool_log_ident(r->pool, rq->id), rq->conf->pass);
        return rq->conf->pass;
    }
    return about->args
               ? apr_pstrcat(r->pool, about->uri, "?", about->args, NULL)
               : about->uri;
}

/* Makes r look like the request that created the upload while the application
 * runs: REQUEST_URI and THE_REQUEST are made of the request line. */
static void redirect(request_rec *r, const char *url, const char *target)
{
    const char *method = r->method;
    int method_number = r->method_number;
    char *line = r->the_request;

    r->method = "POST";
    r->method_number = M_POST;
    r->the_request = apr_pstrcat(r->pool, "POST ", url, " ", r->protocol, NULL);
    upool_substitute_redirect(r, target);
    r->method = method;
    r->method_number = method_number;
    r->the_request = line;
}

static int run_it(request_rec *r, upool_request *rq,
                  const upool_resumable *about, upool_run *run)
{
    apr_table_t *headers = r->headers_in;
    const char *target = target_of(r, rq, about);
    const char *url =
        about->args ? apr_pstrcat(r->pool, about->uri, "?", about->args, NULL)
                    : about->uri;
    upool_refusal refusal;

    describe_whole(r, rq);
    r->headers_in = apr_table_copy(r->pool, headers);
    upool_substitute_drop_protocol(r);
    if (upool_substitute_request(r, rq, &refusal)) {
        r->headers_in = headers;
        upool_run_end(run);
        return rq->protocol->refuse(r, rq, &refusal);
    }
    apr_table_setn(r->subprocess_env, "UPLOAD_POOL_URL", about->uri);
    upool_answer_await(r, rq, rq->protocol->answer, run);
    redirect(r, url, target);
    upool_answer_end(r, rq);
    r->headers_in = headers;
    upool_rlog(r, DEBUG, 0, 62, "upload %s: its application answered %d",
               upool_log_ident(r->pool, rq->id), rq->outcome.status);
    return OK;
}

static int again(request_rec *r, upool_request *rq, const upool_answer *answer)
{
    const upool_record *record = rq->outcome.record;
    const char *status = upool_result_status(
        record, record->updated + upool_config_expires(rq->conf), r->pool);

    upool_rlog(r, DEBUG, 0, 63,
               "upload %s: its application's answer %d is given again",
               upool_log_ident(r->pool, rq->id), answer->status);
    rq->intake = UPOOL_INTAKE_NONE;
    return status
               ? upool_answer_again(r, rq, rq->protocol->answer, answer, status)
               : HTTP_INTERNAL_SERVER_ERROR;
}

/* Runs the application, if this request gets the right to; else repeats the
 * answer to the request that had it. */
static int run_or_repeat(request_rec *r, upool_request *rq)
{
    upool_answer answer = { 0, 0, 0, NULL, NULL, 0 };
    upool_run *run;
    apr_status_t rv =
        upool_run_take(&run, &answer, rq->store, rq->outcome.record, r->pool);

    switch (rv) {
    case APR_SUCCESS:
        return run_it(r, rq, upool_resume_about(rq->completes), run);
    case APR_EEXIST:
        return again(r, rq, &answer);
    case APR_EBUSY:
        return upool_complete_has_patience(rq)
                   ? upool_drive_again(r, rq, run_or_repeat)
                   : refuse(r, rq, UPOOL_REASON_BUSY, 0,
                            "its application runs");
    case APR_ENOENT:
        return refuse(r, rq, UPOOL_REASON_NOT_FOUND, 0, NULL);
    default:
        return refuse(r, rq, upool_refusal_of_errno(rv), rv, "who runs it");
    }
}

int upool_complete_has_patience(const upool_request *rq)
{
    return rq->awaited < WAIT_MAX
           && !(rq->awaited && upool_sink_refusal(&rq->sink)->reason);
}

int upool_complete_run(request_rec *r, upool_request *rq,
                       const upool_resume *resume)
{
    upool_refusal refusal = UPOOL_NO_REFUSAL;

    upool_drive_discard(r, rq);
    rq->completes = resume;
    rq->outcome.record = upool_resume_record(resume);
    rq->outcome.fields = upool_resume_fields(resume);
    rq->outcome.path = upool_resume_path(resume, NULL, r->pool);
    return upool_known_store(r, rq, &refusal)
               ? run_or_repeat(r, rq)
               : rq->protocol->refuse(r, rq, &refusal);
}

upool_complete_state upool_complete_look(request_rec *r, upool_request *rq,
                                         const upool_record *record,
                                         int *status)
{
    upool_refusal refusal = UPOOL_NO_REFUSAL;
    upool_answer answer = { 0, 0, 0, NULL, NULL, 0 };
    upool_store *store = upool_known_store(r, rq, &refusal);
    apr_status_t rv =
        store ? upool_run_look(&answer, store, record, r->pool) : refusal.rv;

    if (status) {
        *status = answer.status;
    }
    if (rv == APR_EBUSY) {
        return UPOOL_COMPLETE_RUNS;
    }
    return answer.final ? UPOOL_COMPLETE_ANSWERED : UPOOL_COMPLETE_OPEN;
}

upool_repeat *upool_complete_repeat(request_rec *r, const upool_request *rq,
                                    const upool_resume *resume)
{
    return upool_handlers_may_change(rq->conf)
               ? NULL
               : upool_repeat_make(upool_resume_record(resume), r->pool);
}

static int is_same(const char *a, const char *b)
{
    return !strcmp(a ? a : "", b ? b : "");
}

static int says_the_same(const upool_resume_start *start,
                         const upool_resume *resume)
{
    const upool_resumable *about = upool_resume_about(resume);
    const char *type = start->file.content_type;

    /* A concatenation takes its length from its parts. */
    return (start->concat || start->length == upool_resume_length(resume))
           && is_same(start->protocol, about->protocol)
           && is_same(start->file.filename, about->file.filename)
           && is_same(start->metadata, about->metadata)
           && is_same(start->concat, about->concat)
           && is_same(start->uri, about->uri)
           && is_same(start->args, about->args)
           && (!type || !about->file.content_type
               || !strcmp(type, about->file.content_type));
}

/* The complete upload that start would make again; NULL: start makes a new one,
 * and start->replaces says what was there. */
static upool_resume *find_repeated(request_rec *r, upool_request *rq,
                                   upool_resume_start *start)
{
    upool_refusal refusal = UPOOL_NO_REFUSAL;
    upool_resume *resume =
        rq->minted ? NULL : upool_resuming_open(r, rq, &refusal);
    const upool_record *record = resume && upool_resume_is_complete(resume)
                                     ? upool_resume_record(resume)
                                     : NULL;

    start->replaces = upool_resume_replaces(resume, refusal.reason);
    return record && record->updated + UPOOL_COMPLETE_REPEATS > r->request_time
                   && says_the_same(start, resume)
               ? resume
               : NULL;
}

/* Two that come at once both find nothing at first; the slower one may find
 * that the other has completed it meanwhile, so it looks again. */
upool_resume *upool_complete_create(request_rec *r, upool_request *rq,
                                    upool_resume_start *start, int *repeated,
                                    upool_refusal *refusal)
{
    upool_resume *resume = find_repeated(r, rq, start);

    if (!resume) {
        resume = upool_resuming_create(r, rq, start, refusal);
        if (refusal->reason != UPOOL_REASON_BUSY) {
            *repeated = 0;
            return resume;
        }
        resume = find_repeated(r, rq, start);
    }
    *repeated = resume != NULL;
    if (resume) {
        *refusal = upool_refusal_make(UPOOL_REASON_NONE, 0, NULL);
    }
    return resume;
}
