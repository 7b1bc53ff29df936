/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "handlers/builtin.h"

#include <apr_strings.h>
#include <apr_time.h>

/* Well below the time that any scanner waits. */
#define KEEP_AGE apr_time_from_sec(5)

typedef struct clamd_data {
    upool_scan_options options;
    upool_clamd *scan;
    int unscanned; /* this file goes on without a verdict */
    upool_refusal *refusal;
} clamd_data;

void *upool_clamd_handler_make(const upool_scan_options *options,
                               upool_refusal *refusal, apr_pool_t *p)
{
    clamd_data *data = apr_pcalloc(p, sizeof(*data));

    data->options = *options;
    data->scan = upool_clamd_make(options->address, options->timeout, p);
    data->refusal = refusal;
    return data;
}

static upload_pool_verdict refuse_found(clamd_data *data, apr_pool_t *p)
{
    apr_status_t rv;
    const char *name = upool_clamd_text(data->scan, &rv);

    *data->refusal = upool_refusal_make(UPOOL_REASON_VIRUS, rv, NULL);
    data->refusal->text = apr_psprintf(p, "%s (%s)", data->refusal->text, name);
    return UPLOAD_POOL_STOP;
}

static upload_pool_verdict refuse_unscanned(clamd_data *data)
{
    apr_status_t rv;
    const char *text = upool_clamd_text(data->scan, &rv);

    *data->refusal = upool_refusal_make(UPOOL_REASON_SCANNER, rv, text);
    return UPLOAD_POOL_STOP;
}

/* The administrator has chosen to go without a scanner that cannot be reached;
 * the application is told. */
static upload_pool_verdict go_without(upload_pool_instance *self,
                                      upload_pool_file *file)
{
    clamd_data *data = self->data;
    apr_status_t rv;
    const char *text = upool_clamd_text(data->scan, &rv);

    data->unscanned = 1;
    apr_table_setn(file->notes, "scan", "failed");
    if (data->options.tell) {
        data->options.tell(self->request->r, rv, text);
    }
    return UPLOAD_POOL_GO_ON;
}

static upload_pool_verdict judge(upload_pool_instance *self,
                                 upload_pool_file *file,
                                 upool_clamd_result result)
{
    clamd_data *data = self->data;

    switch (result) {
    case UPOOL_CLAMD_CLEAN:
        return UPLOAD_POOL_GO_ON;
    case UPOOL_CLAMD_FOUND:
        return refuse_found(data, file->pool);
    case UPOOL_CLAMD_ABSENT:
        if (data->options.accept_unscanned) {
            return go_without(self, file);
        }
        break;
    case UPOOL_CLAMD_FAILED:
        break;
    }
    return refuse_unscanned(data);
}

static upload_pool_verdict clamd_new_file(upload_pool_instance *self,
                                          upload_pool_file *file)
{
    clamd_data *data = self->data;

    (void)file;
    upool_clamd_reset(data->scan);
    data->unscanned = 0;
    return UPLOAD_POOL_GO_ON;
}

static upload_pool_verdict clamd_chunk(upload_pool_instance *self,
                                       upload_pool_file *file,
                                       const char **bytes, apr_size_t *len,
                                       apr_off_t offset)
{
    clamd_data *data = self->data;

    (void)offset;
    if (data->unscanned) {
        return UPLOAD_POOL_GO_ON;
    }
    return judge(self, file, upool_clamd_feed(data->scan, *bytes, *len));
}

/* A failure is reported by the next call, which knows the file. */
static upload_pool_verdict clamd_flush(upload_pool_instance *self)
{
    clamd_data *data = self->data;

    upool_clamd_keep(data->scan, KEEP_AGE);
    return UPLOAD_POOL_GO_ON;
}

static upload_pool_verdict clamd_complete(upload_pool_instance *self,
                                          upload_pool_file *file,
                                          apr_off_t size,
                                          upload_pool_kept *kept)
{
    clamd_data *data = self->data;
    upload_pool_verdict verdict = UPLOAD_POOL_GO_ON;

    (void)size;
    (void)kept;
    if (!data->unscanned) {
        verdict = judge(self, file, upool_clamd_verdict(data->scan));
    }
    /* Its texts live in the upload's pool, so the connection can go. */
    upool_clamd_reset(data->scan);
    return verdict;
}

static void clamd_interrupted(upload_pool_instance *self,
                              upload_pool_file *file)
{
    clamd_data *data = self->data;

    (void)file;
    upool_clamd_reset(data->scan);
}

const upload_pool_handler upool_clamd_handler = {
    UPLOAD_POOL_HANDLER_STUFF("clamd"), .new_file = clamd_new_file,
    .receive_data_chunk = clamd_chunk,  .flush = clamd_flush,
    .file_complete = clamd_complete,    .upload_interrupted = clamd_interrupted,
};

static void *make(const upool_builtin_settings *settings,
                  const upool_handler_site *site)
{
    return settings->scan ? upool_clamd_handler_make(settings->scan,
                                                     site->refusal, site->p)
                          : NULL;
}

const upool_builtin upool_clamd_builtin = {
    .handler = &upool_clamd_handler,
    .make = make,
    .need = UPOOL_RESUME_NEED_ALL,
    .guards = 1,
};
