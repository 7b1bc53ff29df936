/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "handlers/builtin.h"

#include <stdlib.h>
#include <string.h>
#include <apr_strings.h>

typedef struct inline_data {
    apr_int64_t size;    /* largest file to keep */
    apr_int64_t *memory; /* what the upload may still keep in memory */
    upool_refusal *refusal;
    char *held; /* malloc'd: the current file so far */
    apr_size_t len;
    int over; /* the current file grew too large */
} inline_data;

static apr_status_t drop_held(void *arg)
{
    inline_data *data = arg;

    free(data->held);
    data->held = NULL;
    data->len = 0;
    return APR_SUCCESS;
}

void *upool_inline_make(apr_int64_t size, apr_int64_t *memory,
                        upool_refusal *refusal, apr_pool_t *p)
{
    inline_data *data = apr_pcalloc(p, sizeof(*data));

    data->size = size;
    data->memory = memory;
    data->refusal = refusal;
    apr_pool_cleanup_register(p, data, drop_held, apr_pool_cleanup_null);
    return data;
}

static upload_pool_verdict inline_new_file(upload_pool_instance *self,
                                           upload_pool_file *file)
{
    inline_data *data = self->data;

    (void)file;
    drop_held(data);
    data->over = 0;
    return UPLOAD_POOL_GO_ON;
}

static upload_pool_verdict inline_chunk(upload_pool_instance *self,
                                        upload_pool_file *file,
                                        const char **bytes, apr_size_t *len,
                                        apr_off_t offset)
{
    inline_data *data = self->data;
    char *held;

    (void)file;
    (void)offset;
    if (data->over) {
        /* What the last call passed on has been used by now. */
        drop_held(data);
        return UPLOAD_POOL_GO_ON;
    }
    held = realloc(data->held, data->len + *len);
    if (!held) {
        *data->refusal = upool_refusal_make(UPOOL_REASON_MEMORY, 0,
                                            "no memory for an inline file");
        return UPLOAD_POOL_STOP;
    }
    memcpy(held + data->len, *bytes, *len);
    data->held = held;
    data->len += *len;
    if ((apr_int64_t)data->len > data->size
        || (apr_int64_t)data->len > *data->memory) {
        /* Too large after all: the next handler gets everything so far. */
        data->over = 1;
        *bytes = data->held;
        *len = data->len;
        return UPLOAD_POOL_GO_ON;
    }
    *len = 0;
    return UPLOAD_POOL_GO_ON;
}

static upload_pool_verdict inline_complete(upload_pool_instance *self,
                                           upload_pool_file *file,
                                           apr_off_t size,
                                           upload_pool_kept *kept)
{
    inline_data *data = self->data;

    (void)size;
    if (!data->over && !kept->stored && !kept->content && !kept->location) {
        kept->content =
            data->len ? apr_pmemdup(file->pool, data->held, data->len) : "";
        kept->size = (apr_off_t)data->len;
        *data->memory -= (apr_int64_t)data->len;
    }
    drop_held(data);
    return UPLOAD_POOL_GO_ON;
}

static void inline_interrupted(upload_pool_instance *self,
                               upload_pool_file *file)
{
    (void)file;
    drop_held(self->data);
}

const upload_pool_handler upool_inline_handler = {
    UPLOAD_POOL_HANDLER_STUFF("inline"),      .new_file = inline_new_file,
    .receive_data_chunk = inline_chunk,       .file_complete = inline_complete,
    .upload_interrupted = inline_interrupted,
};

static void *make(const upool_builtin_settings *settings,
                  const upool_handler_site *site)
{
    return settings->inline_size > 0 ? upool_inline_make(
               settings->inline_size, site->memory, site->refusal, site->p)
                                     : NULL;
}

const upool_builtin upool_inline_builtin = {
    .handler = &upool_inline_handler,
    .make = make,
};
