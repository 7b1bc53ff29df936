/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */

/* The module record and the hooks.  Everything else is in src/, a directory for
 * each part: see "For contributors" in README. */

#include "mod_upload_pool.h"

#include <http_config.h>
#include <http_connection.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <jansson.h>
#include <mod_status.h>
#include <mpm_common.h>

#include "front/api.h"
#include "front/cors.h"
#include "front/early.h"
#include "front/fronts.h"
#include "front/route.h"
#include "httpd/capture.h"
#include "httpd/checks.h"
#include "httpd/answered.h"
#include "httpd/claimheader.h"
#include "config/config.h"
#include "httpd/content.h"
#include "config/directives.h"
#include "httpd/filter.h"
#include "httpd/log.h"
#include "httpd/machines.h"
#include "httpd/network.h"
#include "httpd/dump.h"
#include "httpd/http11.h"
#include "httpd/park.h"
#include "httpd/process.h"
#include "httpd/shared.h"
#include "httpd/slots.h"
#include "httpd/substitute.h"
#include "httpd/trailers.h"
#include "httpd/sweeper.h"
#include "httpd/wait.h"

#define UPLOAD_POOL_VERSION "1.0.0-dev"

static int post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                       server_rec *s)
{
    int result;

    (void)plog;
    (void)ptemp;
    /* The first of the two passes at start only tries the configuration. */
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG) {
        return OK;
    }
    /* Before any thread can race for it. */
    json_object_seed(0);
    result = upool_slots_make(s);
    if (result == OK) {
        result = upool_shared_start(pconf, s);
    }
    if (result != OK) {
        return result;
    }
    upool_slog(s, INFO, 0, 1, "mod_upload_pool %s, %u progress slots",
               UPLOAD_POOL_VERSION, upool_config_slots(upool_config_server(s)));
    upool_http11_check(s);
    result = upool_sweeper_start(s, pconf);
    return result == OK ? upool_machines_start(s, pconf) : result;
}

static void register_hooks(apr_pool_t *p)
{
    static const char *const readers[] = { "mod_security2.c", NULL };

    (void)p;
    upool_network_register();
    upool_filter_register();
    upool_trailers_register();
    upool_wait_register();
    upool_claim_register();
    upool_answered_register();
    upool_cors_register();
    upool_answer_register();
    upool_api_register();
    /* Before the Mutex directive is read; any order. */
    ap_hook_pre_config(upool_shared_pre_config, NULL, NULL, APR_HOOK_MIDDLE);
    /* Part of "httpd -t"; after the MPM's. */
    ap_hook_check_config(upool_checks_run, NULL, NULL, APR_HOOK_LAST);
    /* "httpd -t -D DUMP_UPLOAD_POOLS"; the order is that of what is printed. */
    ap_hook_test_config(upool_dump_pools, NULL, NULL, APR_HOOK_MIDDLE);
    /* Shared memory, before the children are forked; any order. */
    ap_hook_post_config(post_config, NULL, NULL, APR_HOOK_MIDDLE);
    /* Before the others: its cleanup runs last, after theirs. */
    ap_hook_child_init(upool_process_child_init, NULL, NULL, APR_HOOK_FIRST);
    /* A killed child must leave no upload "uploading" for ever; any order. */
    ap_hook_child_init(upool_slots_child_init, NULL, NULL, APR_HOOK_MIDDLE);
    /* After the slots, where failures of the cache are counted; any order. */
    ap_hook_child_init(upool_shared_child_init, NULL, NULL, APR_HOOK_MIDDLE);
    /* Before the threads that ask what files look like; any order. */
    ap_hook_child_init(upool_content_child_init, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_status(upool_slots_child_status, NULL, NULL, APR_HOOK_MIDDLE);
    /* Before any rule sees the new request that an upload is handed to. */
    ap_hook_post_read_request(upool_substitute_begin, NULL, NULL,
                              APR_HOOK_REALLY_FIRST);
    /* httpd's access checks must see the method that is meant, and preflights
     * come from browsers before they have credentials. */
    ap_hook_header_parser(upool_early_request, NULL, NULL,
                          APR_HOOK_REALLY_FIRST);
    /* Uploads that wait for their clients; any order. */
    ap_hook_child_init(upool_park_child_init, NULL, NULL, APR_HOOK_MIDDLE);
    /* It calls all the other hooks itself, so it has the last word. */
    ap_hook_process_connection(upool_park_process, NULL, NULL,
                               APR_HOOK_REALLY_FIRST);
    /* Puts a request into the list when no one else will use it any more, and
     * takes it out before anyone does. */
    ap_hook_suspend_connection(upool_park_suspend, NULL, NULL,
                               APR_HOOK_REALLY_LAST);
    ap_hook_resume_connection(upool_park_resume, NULL, NULL,
                              APR_HOOK_REALLY_FIRST);
    /* While there is still a connection to answer on (mod_ssl). */
    ap_hook_pre_close_connection(upool_park_pre_close, NULL, NULL,
                                 APR_HOOK_REALLY_FIRST);
    /* Authentication and authorisation are over; before mod_rewrite and
     * mod_dir turn the request into another one in their own fixups, and before
     * mod_security reads all of a body that we may refuse. */
    ap_hook_fixups(upool_route_request, NULL, readers, APR_HOOK_REALLY_FIRST);
    /* Fixups that come after ours may put another file, and its configuration,
     * in the place of what was asked for (mod_dir, mod_negotiation): if only
     * that one is in a context, this is the last moment to see it.  Before our
     * own filters, which depend on it. */
    ap_hook_insert_filter(upool_route_late, NULL, NULL, APR_HOOK_REALLY_FIRST);
    /* Among filters of one type the first to be added stands nearest to the
     * handler: what an administrator sets with SetInputFilter works on the
     * upload before we see it. */
    ap_hook_insert_filter(upool_filter_insert, NULL, NULL, APR_HOOK_FIRST);
    /* The order among output filters is that of their types.  An error page has
     * lost its filters, so they are added anew. */
    ap_hook_insert_filter(upool_claim_insert, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_insert_error_filter(upool_claim_insert, NULL, NULL,
                                APR_HOOK_MIDDLE);
    ap_hook_insert_filter(upool_cors_insert, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_insert_error_filter(upool_cors_insert, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_insert_filter(upool_answer_insert, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_insert_error_filter(upool_answer_insert_error, NULL, NULL,
                                APR_HOOK_MIDDLE);
    /* The real handler takes its variables and its framing from the request's
     * headers before it reads: we must exchange them before any handler
     * runs. */
    ap_hook_handler(upool_route_handle, NULL, NULL, APR_HOOK_REALLY_FIRST);
    /* SetHandler upload-pool; one handler among others. */
    ap_hook_handler(upool_front_standalone, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(upool_front_metrics, NULL, NULL, APR_HOOK_MIDDLE);
    /* Where mod_status is loaded; the order is that of its page's sections. */
    APR_OPTIONAL_HOOK(ap, status_hook, upool_front_live, NULL, NULL,
                      APR_HOOK_MIDDLE);
    /* The answer's status is final. */
    ap_hook_log_transaction(upool_front_clean_up, NULL, NULL, APR_HOOK_MIDDLE);
}

module AP_MODULE_DECLARE_DATA upload_pool_module = {
    STANDARD20_MODULE_STUFF,
    upool_config_dir_create,
    upool_config_dir_merge,
    upool_config_server_create,
    upool_config_server_merge,
    upool_directives,
    register_hooks,
    AP_MODULE_FLAG_NONE,
};
