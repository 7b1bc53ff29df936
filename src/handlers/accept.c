/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "handlers/builtin.h"

typedef struct accept_data {
    upool_extension_lists lists;
    upool_refusal *refusal;
} accept_data;

void *upool_accept_make(const upool_extension_lists *lists,
                        upool_refusal *refusal, apr_pool_t *p)
{
    accept_data *data = apr_palloc(p, sizeof(*data));

    data->lists = *lists;
    data->refusal = refusal;
    return data;
}

static upload_pool_verdict accept_new_file(upload_pool_instance *self,
                                           upload_pool_file *file)
{
    const accept_data *data = self->data;

    if (upool_extensions_may_pass(&data->lists, file->filename,
                                  file->safe_filename)) {
        return UPLOAD_POOL_GO_ON;
    }
    *data->refusal =
        upool_refusal_make(UPOOL_REASON_EXTENSION, 0, file->safe_filename);
    return UPLOAD_POOL_STOP;
}

const upload_pool_handler upool_accept_handler = {
    UPLOAD_POOL_HANDLER_STUFF("accept"),
    .new_file = accept_new_file,
};

static void *make(const upool_builtin_settings *settings,
                  const upool_handler_site *site)
{
    return settings->accept
               ? upool_accept_make(settings->accept, site->refusal, site->p)
               : NULL;
}

const upool_builtin upool_accept_builtin = {
    .handler = &upool_accept_handler,
    .make = make,
    .need = UPOOL_RESUME_NEED_NAME,
    .guards = 1,
};
