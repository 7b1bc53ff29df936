/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "httpd/resuming.h"

#include <string.h>

#include "httpd/handlers.h"
#include "httpd/shared.h"

static upool_resume_need add_handlers(void *user,
                                      const upool_handler_site *site)
{
    return upool_handlers_add_stored(user, site);
}

static void set_options(request_rec *r, upool_request *rq,
                        upool_resume_options *options)
{
    const upool_dir_conf *conf = rq->conf;

    /* A setting that is not made here is off. */
    memset(options, 0, sizeof(*options));
    options->identifier = rq->id;
    options->minted = rq->minted;
    options->owner = rq->owner;
    options->limits = upool_config_limits(conf);
    options->quota = upool_config_quota(conf, r->server, r->pool);
    options->rules.list[0] = conf->rules;
    options->rules.list[1] = conf->local_rules;
    options->accept = upool_config_accept(conf);
    options->digests = conf->digests;
    options->utf8_names = conf->utf8_names == 1;
    options->file_field = upool_config_file_field(conf);
    options->expires = upool_config_expires(conf);
    options->now = apr_time_now;
    options->r = r;
    options->add_handlers = add_handlers;
    options->user = rq;
    options->may_change = upool_handlers_may_change(conf);
    upool_shared_account(r, conf, rq->id, &options->account);
}

/* Fills options for rq's identifier and owner; opens the pool.  0; or 1 with
 * *refusal set. */
static int make_options(request_rec *r, upool_request *rq,
                        upool_resume_options *options, upool_refusal *refusal)
{
    if (upool_handlers_refuse(r->pool, rq->conf, refusal)) {
        return 1;
    }
    if (!rq->store) {
        rq->store = upool_request_store(r, rq->conf, refusal);
    }
    if (!rq->store) {
        return 1;
    }
    set_options(r, rq, options);
    options->store = rq->store;
    return 0;
}

static upool_resume *unless_refused(upool_resume *resume,
                                    upool_refusal *refusal)
{
    *refusal = *upool_resume_refusal(resume);
    return refusal->reason ? NULL : resume;
}

upool_resume *upool_resuming_create(request_rec *r, upool_request *rq,
                                    const upool_resume_start *start,
                                    upool_refusal *refusal)
{
    upool_resume_options options;

    return make_options(r, rq, &options, refusal)
               ? NULL
               : unless_refused(upool_resume_create(&options, start, r->pool),
                                refusal);
}

upool_resume *upool_resuming_open(request_rec *r, upool_request *rq,
                                  upool_refusal *refusal)
{
    upool_resume_options options;

    return make_options(r, rq, &options, refusal)
               ? NULL
               : unless_refused(upool_resume_open(&options, r->pool), refusal);
}
