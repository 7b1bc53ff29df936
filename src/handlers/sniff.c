/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "handlers/builtin.h"

#include <string.h>
#include <apr_strings.h>

#include "handlers/filetype.h"

typedef struct sniff_data {
    upool_sniff_mode mode;
    upool_magic *magic;
    upool_bucket *bucket;
    upool_tell_fn *tell;
    upool_refusal *refusal;
    char first[UPOOL_MAGIC_BYTES];
    apr_size_t have;
    int judged; /* this file */
    /* What the first bytes did not tell. */
    upool_look look; /* NONE: they did */
    unsigned long behind;
} sniff_data;

void *upool_sniff_make(upool_sniff_mode mode, upool_magic *magic,
                       upool_bucket *bucket, upool_tell_fn *tell,
                       upool_refusal *refusal, apr_pool_t *p)
{
    sniff_data *data = apr_pcalloc(p, sizeof(*data));

    data->mode = mode;
    data->magic = magic;
    data->bucket = bucket;
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
    data->look = UPOOL_LOOK_NONE;
    return UPLOAD_POOL_GO_ON;
}

/* Clients may have chosen the text of both types: code that logs it escapes
 * it. */
static const char *describe(const upload_pool_file *file, const char *why)
{
    const char *declared = file->content_type;
    const char *found = file->sniffed_content_type;

    return apr_pstrcat(file->pool, declared ? declared : "(no type)",
                       " declared, ", found ? found : "something unknown",
                       " found: ", why, NULL);
}

static upload_pool_verdict differ(const upload_pool_instance *self,
                                  const upload_pool_file *file, const char *why)
{
    const sniff_data *data = self->data;
    const char *text = describe(file, why);

    if (data->mode == UPOOL_SNIFF_ON) {
        *data->refusal = upool_refusal_make(UPOOL_REASON_SNIFFED, 0, text);
        return UPLOAD_POOL_STOP;
    }
    if (data->tell) {
        data->tell(self->request->r, 0, text);
    }
    return UPLOAD_POOL_GO_ON;
}

/* If the look failed (why), no type counts as confirmed. */
static upload_pool_verdict decide(const upload_pool_instance *self,
                                  const upload_pool_file *file, upool_look look,
                                  const char *why)
{
    sniff_data *data = self->data;
    upool_filetype type = { file->content_type, file->filename,
                            file->sniffed_content_type, look };
    const upool_filetype_rule *rule = upool_filetype_judge(&type);

    if (why) {
        return differ(self, file, why);
    }
    if (rule->accord == UPOOL_ACCORD_LATER) {
        data->look = look;
        return UPLOAD_POOL_GO_ON;
    }
    return rule->accord == UPOOL_ACCORD_AGREE
               ? UPLOAD_POOL_GO_ON
               : differ(self, file,
                        apr_pstrcat(file->pool, "rule ", rule->name, NULL));
}

/* A single byte looks like nothing, and an empty file is of any type. */
static upload_pool_verdict judge(upload_pool_instance *self,
                                 upload_pool_file *file)
{
    sniff_data *data = self->data;
    const char *why = NULL;
    upool_look look;

    data->judged = 1;
    if (data->have < 2) {
        return UPLOAD_POOL_GO_ON;
    }
    file->sniffed_content_type = upool_magic_type(data->magic, data->first,
                                                  data->have, &why, file->pool);
    look = upool_filetype_look(data->first, data->have, &data->behind);
    return decide(self, file, look, why);
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

/* --- The complete file ---------------------------------------------------- */

typedef struct second_look {
    sniff_data *data;
    upload_pool_file *file;
    const upload_pool_kept *kept;
    const char *why; /* libmagic failed */
} second_look;

/* Reads up to UPOOL_MAGIC_BYTES of the file, from offset, into data->first. */
static apr_status_t read_at(const second_look *look, apr_off_t offset)
{
    sniff_data *data = look->data;
    const upload_pool_kept *kept = look->kept;
    apr_off_t rest = kept->size > offset ? kept->size - offset : 0;
    apr_size_t n = sizeof(data->first);

    data->have = rest < (apr_off_t)n ? (apr_size_t)rest : n;
    if (!kept->content) {
        return upool_spool_peek(data->bucket, kept->stored, data->first,
                                data->have, offset, &data->have);
    }
    if (data->have) {
        memcpy(data->first, kept->content + offset, data->have);
    }
    return APR_SUCCESS;
}

static apr_status_t look_behind_tag(second_look *look)
{
    sniff_data *data = look->data;
    apr_status_t rv = read_at(look, (apr_off_t)data->behind);

    if (!rv && data->have > 1) {
        look->file->sniffed_content_type = upool_magic_type(
            data->magic, data->first, data->have, &look->why, look->file->pool);
    }
    return rv;
}

static apr_status_t look_for_end(second_look *look)
{
    sniff_data *data = look->data;
    apr_off_t from = look->kept->size - (apr_off_t)sizeof(data->first);
    apr_status_t rv = read_at(look, from > 0 ? from : 0);

    if (!rv && upool_filetype_ends_pdf(data->first, data->have)) {
        look->file->sniffed_content_type = "application/pdf";
    }
    return rv;
}

static void show_file(void *user, int fd)
{
    second_look *look = user;

    look->file->sniffed_content_type =
        upool_magic_file(look->data->magic, fd, &look->why, look->file->pool);
}

/* Sets *then to how what was found is to be read. */
static apr_status_t look_again(second_look *look, upool_look *then)
{
    sniff_data *data = look->data;

    *then = UPOOL_LOOK_NONE;
    if (data->look == UPOOL_LOOK_TAG) {
        *then = UPOOL_LOOK_BEHIND_TAG;
        return look_behind_tag(look);
    }
    if (data->look == UPOOL_LOOK_PDF) {
        return look_for_end(look);
    }
    if (look->kept->content) {
        *then = UPOOL_LOOK_NOWHERE;
        return APR_SUCCESS;
    }
    return upool_spool_show(data->bucket, look->kept->stored, show_file, look);
}

static upload_pool_verdict again_complete(upload_pool_instance *self,
                                          upload_pool_file *file,
                                          apr_off_t size,
                                          upload_pool_kept *kept)
{
    sniff_data *data = self->data;
    second_look look = { data, file, kept, NULL };
    upool_look then;
    apr_status_t rv;

    (void)size;
    if (data->look == UPOOL_LOOK_NONE || (!kept->stored && !kept->content)) {
        return UPLOAD_POOL_GO_ON;
    }
    rv = look_again(&look, &then);
    if (rv) {
        *data->refusal = upool_refusal_make(
            UPOOL_REASON_IO, rv, "a file cannot be read in the pool");
        return UPLOAD_POOL_STOP;
    }
    return decide(self, file, then, look.why);
}

const upload_pool_handler upool_sniff_again_handler = {
    UPLOAD_POOL_HANDLER_STUFF("sniff-again"),
    .file_complete = again_complete,
};

static void *make(const upool_builtin_settings *settings,
                  const upool_handler_site *site)
{
    return settings->sniff == UPOOL_SNIFF_OFF
               ? NULL
               : upool_sniff_make(settings->sniff, settings->magic,
                                  site->bucket, settings->tell_sniffed,
                                  site->refusal, site->p);
}

const upool_builtin upool_sniff_builtin = {
    .handler = &upool_sniff_handler,
    .make = make,
    .need = UPOOL_RESUME_NEED_HEAD,
    .guards = 1,
    .again = &upool_sniff_again_handler,
};
