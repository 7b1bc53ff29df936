/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "handlers/builtin.h"

#include <string.h>
#include <apr_strings.h>

#include "handlers/filetype.h"

typedef struct sniff_data {
    upool_sniff_mode mode;
    upool_magic *magic;
    upool_tell_fn *tell;
    upool_refusal *refusal;
    char first[UPOOL_MAGIC_BYTES];
    apr_size_t have;
    int judged; /* this file */
} sniff_data;

void *upool_sniff_make(upool_sniff_mode mode, upool_magic *magic,
                       upool_tell_fn *tell, upool_refusal *refusal,
                       apr_pool_t *p)
{
    sniff_data *data = apr_pcalloc(p, sizeof(*data));

    data->mode = mode;
    data->magic = magic;
    data->tell = tell;
    data->refusal = refusal;
    return data;
}

static upload_pool_verdict sniff_new_file(upload_pool_instance *self,
                                          upload_pool_file *file)
{
    sniff_data *data = self->data;

    (void)file;
    data->have = 0;
    data->judged = 0;
    return UPLOAD_POOL_GO_ON;
}

/* Both types are client text: whoever logs this escapes it. */
static const char *describe(const upload_pool_file *file, const char *why)
{
    const char *declared = file->content_type;
    const char *found = file->sniffed_content_type;

    return apr_pstrcat(file->pool, declared ? declared : "(no type)",
                       " declared, ", found ? found : "something unknown",
                       " found", why ? ": " : NULL, why, NULL);
}

/* A single byte looks like nothing, an empty file is of any type. */
static upload_pool_verdict judge(upload_pool_instance *self,
                                 upload_pool_file *file)
{
    sniff_data *data = self->data;
    const char *why = NULL;

    data->judged = 1;
    if (data->have < 2) {
        return UPLOAD_POOL_GO_ON;
    }
    file->sniffed_content_type = upool_magic_type(data->magic, data->first,
                                                  data->have, &why, file->pool);
    /* Whatever fails: with no look taken, no type is confirmed. */
    if (!why
        && upool_sniff_agrees(file->content_type, file->sniffed_content_type)) {
        return UPLOAD_POOL_GO_ON;
    }
    why = describe(file, why);
    if (data->mode == UPOOL_SNIFF_ON) {
        *data->refusal = upool_refusal_make(UPOOL_REASON_SNIFFED, 0, why);
        return UPLOAD_POOL_STOP;
    }
    if (data->tell) {
        data->tell(self->request->r, 0, why);
    }
    return UPLOAD_POOL_GO_ON;
}

static upload_pool_verdict sniff_chunk(upload_pool_instance *self,
                                       upload_pool_file *file,
                                       const char **bytes, apr_size_t *len,
                                       apr_off_t offset)
{
    sniff_data *data = self->data;
    apr_size_t room = sizeof(data->first) - data->have;
    apr_size_t n = *len < room ? *len : room;

    (void)offset;
    memcpy(data->first + data->have, *bytes, n);
    data->have += n;
    return data->have == sizeof(data->first) && !data->judged
               ? judge(self, file)
               : UPLOAD_POOL_GO_ON;
}

static upload_pool_verdict sniff_end(upload_pool_instance *self,
                                     upload_pool_file *file, const char **bytes,
                                     apr_size_t *len)
{
    const sniff_data *data = self->data;

    (void)bytes;
    (void)len;
    return data->judged ? UPLOAD_POOL_GO_ON : judge(self, file);
}

const upload_pool_handler upool_sniff_handler = {
    UPLOAD_POOL_HANDLER_STUFF("sniff"),
    .new_file = sniff_new_file,
    .receive_data_chunk = sniff_chunk,
    .end_of_data = sniff_end,
};
