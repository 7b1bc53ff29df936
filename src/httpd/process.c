/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "httpd/process.h"

#include <string.h>
#include <ap_mpm.h>

static upool_process process;

upool_process *upool_process_get(void)
{
    return &process;
}

static apr_status_t forget(void *unused)
{
    (void)unused;
    memset(&process, 0, sizeof(process));
    return APR_SUCCESS;
}

void upool_process_child_init(apr_pool_t *pchild, server_rec *s)
{
    (void)s;
    apr_pool_cleanup_register(pchild, NULL, forget, apr_pool_cleanup_null);
}

int upool_process_is_stopping(void)
{
    int state = 0;

    return ap_mpm_query(AP_MPMQ_MPM_STATE, &state) == APR_SUCCESS
           && state == AP_MPMQ_STOPPING;
}
