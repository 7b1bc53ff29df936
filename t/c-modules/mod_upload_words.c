/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */

/* An upload handler to copy from: counts the lines and words of text files
 * while they come in, and refuses those with too many lines.
 *
 *     apxs -i -a -c mod_upload_words.c
 *
 *     <Location "/upload">
 *         UploadPool /var/lib/upload_pool
 *         UploadHandler accept words digest spool
 *         UploadWordsMaxLines 10000
 *     </Location>
 *
 * The application then finds, in the JSON of each text file,
 *
 *     "notes": {"lines": "12", "words": "99"}
 */

#include "mod_upload_pool.h"

#include <string.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <http_config.h>

extern module AP_MODULE_DECLARE_DATA upload_words_module;

typedef struct words_conf {
    apr_int64_t max_lines; /* 0: not set */
} words_conf;

/* What one upload needs.  Files come one after the other, so there is one of
 * these for all of them. */
typedef struct words_state {
    apr_int64_t max_lines;
    apr_int64_t lines;
    apr_int64_t words;
    int in_word;
    int counts; /* the current file is text */
} words_state;

/* The directives that hold for an upload are those of its request. */
static upload_pool_verdict words_begin(upload_pool_instance *self)
{
    const words_conf *conf = ap_get_module_config(
        self->request->r->per_dir_config, &upload_words_module);
    words_state *state = apr_pcalloc(self->request->pool, sizeof(*state));

    state->max_lines = conf->max_lines;
    self->data = state;
    return UPLOAD_POOL_GO_ON;
}

static upload_pool_verdict words_file(upload_pool_instance *self,
                                      upload_pool_file *file)
{
    words_state *state = self->data;

    state->lines = 0;
    state->words = 0;
    state->in_word = 0;
    /* What the client says of its file is not true just because it says so;
     * counting does no harm. */
    state->counts =
        file->content_type && !strncmp(file->content_type, "text/", 5);
    return UPLOAD_POOL_GO_ON;
}

/* Bytes come in pieces of any size: a word may begin in one and end in the
 * next.  *data and *len stay as they are, so the next handler gets the same. */
static upload_pool_verdict words_data(upload_pool_instance *self,
                                      upload_pool_file *file, const char **data,
                                      apr_size_t *len, apr_off_t offset)
{
    words_state *state = self->data;
    apr_size_t i;

    (void)file;
    (void)offset;
    for (i = 0; state->counts && i < *len; i++) {
        int blank = apr_isspace((*data)[i]);

        state->lines += (*data)[i] == '\n';
        state->words += !blank && !state->in_word;
        state->in_word = !blank;
    }
    if (state->max_lines && state->lines > state->max_lines) {
        self->status = HTTP_REQUEST_ENTITY_TOO_LARGE;
        self->text = "A text has too many lines";
        return UPLOAD_POOL_STOP;
    }
    return UPLOAD_POOL_GO_ON;
}

static upload_pool_verdict words_complete(upload_pool_instance *self,
                                          upload_pool_file *file,
                                          apr_off_t size,
                                          upload_pool_kept *kept)
{
    const words_state *state = self->data;

    (void)size;
    (void)kept; /* somebody else's */
    if (state->counts) {
        apr_table_setn(
            file->notes, "lines",
            apr_psprintf(file->pool, "%" APR_INT64_T_FMT, state->lines));
        apr_table_setn(
            file->notes, "words",
            apr_psprintf(file->pool, "%" APR_INT64_T_FMT, state->words));
    }
    return UPLOAD_POOL_GO_ON;
}

static const upload_pool_handler words = {
    UPLOAD_POOL_HANDLER_STUFF("words"),
    .handle_raw_input = words_begin,
    .new_file = words_file,
    .receive_data_chunk = words_data,
    .file_complete = words_complete,
};

static void *make_conf(apr_pool_t *p, char *dir)
{
    (void)dir;
    return apr_pcalloc(p, sizeof(words_conf));
}

static void *merge_conf(apr_pool_t *p, void *base, void *add)
{
    (void)p;
    return ((words_conf *)add)->max_lines ? add : base;
}

static const char *set_max_lines(cmd_parms *cmd, void *conf, const char *arg)
{
    char *end;
    apr_int64_t lines = apr_strtoi64(arg, &end, 10);

    if (*end || lines < 1) {
        return apr_pstrcat(cmd->pool, cmd->cmd->name, " takes a number above 0",
                           NULL);
    }
    ((words_conf *)conf)->max_lines = lines;
    return NULL;
}

static const command_rec directives[] = {
    AP_INIT_TAKE1("UploadWordsMaxLines", set_max_lines, NULL,
                  RSRC_CONF | ACCESS_CONF, "the most lines of a text file"),
    { NULL }
};

static void register_hooks(apr_pool_t *p)
{
    ap_register_provider(p, UPLOAD_POOL_HANDLER_GROUP, "words",
                         UPLOAD_POOL_HANDLER_VERSION, &words);
}

module AP_MODULE_DECLARE_DATA upload_words_module = {
    STANDARD20_MODULE_STUFF,
    make_conf,
    merge_conf,
    NULL,
    NULL,
    directives,
    register_hooks,
    AP_MODULE_FLAG_NONE,
};
