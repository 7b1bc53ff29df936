/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "handlers/builtin.h"

#include <apr_escape.h>
#include <apr_strings.h>

#include "upload/digester.h"

typedef struct digest_data {
    apr_array_header_t *digesters; /* of upool_digester * */
    int missing;                   /* one could not be made */
    upool_refusal *refusal;
} digest_data;

const char *upool_digest_known(const char *name)
{
    return upool_digester_known(name);
}

static upool_digester *digester_at(const digest_data *data, int i)
{
    return APR_ARRAY_IDX(data->digesters, i, upool_digester *);
}

void *upool_digest_make(const apr_array_header_t *names, upool_refusal *refusal,
                        apr_pool_t *p)
{
    digest_data *data = apr_pcalloc(p, sizeof(*data));
    int i;

    data->refusal = refusal;
    data->digesters = apr_array_make(p, names->nelts, sizeof(upool_digester *));
    for (i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);
        upool_digester *digester = upool_digester_make(name, p);

        if (digester) {
            APR_ARRAY_PUSH(data->digesters, upool_digester *) = digester;
        }
        else if (upool_digester_known(name)) {
            data->missing = 1;
        }
    }
    return data;
}

static upload_pool_verdict broken(digest_data *data, const char *what)
{
    *data->refusal = upool_refusal_make(UPOOL_REASON_MEMORY, 0, what);
    return UPLOAD_POOL_STOP;
}

static upload_pool_verdict digest_new_file(upload_pool_instance *self,
                                           upload_pool_file *file)
{
    digest_data *data = self->data;
    int i;

    (void)file;
    for (i = 0; i < data->digesters->nelts && !data->missing; i++) {
        data->missing = upool_digester_begin(digester_at(data, i)) != 0;
    }
    /* Where a digest was asked for, no file may get in without it. */
    return data->missing ? broken(data, "a digest cannot be started")
                         : UPLOAD_POOL_GO_ON;
}

static upload_pool_verdict digest_chunk(upload_pool_instance *self,
                                        upload_pool_file *file,
                                        const char **bytes, apr_size_t *len,
                                        apr_off_t offset)
{
    digest_data *data = self->data;
    int i;

    (void)file;
    (void)offset;
    for (i = 0; i < data->digesters->nelts; i++) {
        if (upool_digester_update(digester_at(data, i), *bytes, *len)) {
            return broken(data, "a digest cannot be updated");
        }
    }
    return UPLOAD_POOL_GO_ON;
}

static upload_pool_verdict digest_complete(upload_pool_instance *self,
                                           upload_pool_file *file,
                                           apr_off_t size,
                                           upload_pool_kept *kept)
{
    digest_data *data = self->data;
    int i;

    /* A handler before this one has kept the file and taken bytes away: what
     * was seen here is not that file. */
    if ((kept->stored || kept->content || kept->location)
        && kept->size != size) {
        return UPLOAD_POOL_GO_ON;
    }
    for (i = 0; i < data->digesters->nelts; i++) {
        upool_digester *digester = digester_at(data, i);
        unsigned char value[UPOOL_DIGESTER_MAX];
        apr_size_t len = upool_digester_end(digester, value);

        if (!len) {
            return broken(data, "a digest cannot be finished");
        }
        apr_table_setn(file->digests, upool_digester_name(digester),
                       apr_pescape_hex(file->pool, value, len, 0));
    }
    return UPLOAD_POOL_GO_ON;
}

const upload_pool_handler upool_digest_handler = {
    UPLOAD_POOL_HANDLER_STUFF("digest"),
    .new_file = digest_new_file,
    .receive_data_chunk = digest_chunk,
    .file_complete = digest_complete,
};

static void *make(const upool_builtin_settings *settings,
                  const upool_handler_site *site)
{
    return settings->digests
               ? upool_digest_make(settings->digests, site->refusal, site->p)
               : NULL;
}

const upool_builtin upool_digest_builtin = {
    .handler = &upool_digest_handler,
    .make = make,
};
