/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */

/* For the suite t/handler: upload handlers that write down how they are called
 * and do what the query tells them, and a content handler that calls every
 * optional function.  Uses the public headers alone.
 *
 *     ProbeDirectory dir     where they write: dir/events, a line an event,
 *                            that begins with the upload's identifier
 *     ?probe=RULE,RULE       RULE is VERDICT.FUNCTION.HANDLER[.FILENAME]
 *     ?probe-reads-first     a handler in front of all others reads the body
 *     ProbeHold file         a connection from 127.0.0.7 is held in its worker
 *                            before the MPM counts it: the file is renamed to
 *                            file.held, whose removal lets the connection go on
 *     SetHandler upload-probe, ?op=OPERATION&text=IDENTIFIER&n=NUMBER
 */

#include "mod_upload_pool.h"

#include <string.h>
#include <apr_file_io.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_connection.h>
#include <http_core.h>
#include <http_protocol.h>
#include <util_script.h>

extern module AP_MODULE_DECLARE_DATA upload_probe_module;

#define EVENT_MODE (APR_FOPEN_WRITE | APR_FOPEN_CREATE | APR_FOPEN_APPEND)

typedef struct probe_conf {
    const char *directory;
} probe_conf;

/* ProbeHold, of the whole server. */
static const char *hold_file;

/* A table with more behind it, found again through self->handler. */
typedef struct probe {
    upload_pool_handler table;
    const char *takes;    /* extension of the files that it keeps alone */
    const char *location; /* and says that they are there */
    int keeps;            /* keeps the bytes, and lets them pass too */
    int shouts;           /* passes capitals */
    int doubles;          /* passes every byte twice, and END at last */
    int sinks;            /* passes nothing */
    int unmasks;          /* every raw byte is one off */
    int parses;           /* lines "NAME text" of the raw body into a form */
} probe;

/* The current file, as one instance has seen it. */
typedef struct progress {
    apr_off_t seen;
    apr_size_t calls;
    apr_size_t largest;
    char *bytes; /* all of them, where they are kept */
    char *made;  /* what goes to the next handler */
    int takes;
    char *line; /* of the raw body, as far as it has come */
    apr_size_t line_len;
    apr_size_t raw_seen;
} progress;

static const probe *probe_of(const upload_pool_instance *self)
{
    return (const probe *)(const void *)self->handler;
}

static void event(const upload_pool_instance *self, const char *text)
{
    const upload_pool_request *request = self->request;
    const probe_conf *conf =
        ap_get_module_config(request->r->per_dir_config, &upload_probe_module);
    const char *line = apr_pstrcat(request->pool, request->identifier, " ",
                                   self->handler->name, " ", text, "\n", NULL);
    apr_size_t len = strlen(line);
    apr_file_t *file;

    if (conf->directory
        && !apr_file_open(
            &file, apr_pstrcat(request->pool, conf->directory, "/events", NULL),
            EVENT_MODE, APR_FPROT_OS_DEFAULT, request->pool)) {
        apr_file_write(file, line, &len);
        apr_file_close(file);
    }
}

/* --- What the query wants ------------------------------------------------- */

/* The verdict of the rule that is for us here, NULL: none. */
static char *find_rule(const upload_pool_instance *self, const char *function,
                       const upload_pool_file *file)
{
    apr_pool_t *p = self->request->pool;
    const char *args = self->request->r->args;
    const char *list = args ? strstr(args, "probe=") : NULL;
    char *rest = list ? apr_pstrdup(p, list + strlen("probe=")) : NULL;
    char *rule;

    while (rest && (rule = apr_strtok(rest, ",&", &rest))) {
        char *verdict = apr_strtok(rule, ".", &rule);
        const char *at = apr_strtok(NULL, ".", &rule);
        const char *who = apr_strtok(NULL, ".", &rule);

        if (verdict && at && who && !strcmp(at, function)
            && !strcmp(who, self->handler->name)
            && (!*rule || (file && !strcmp(rule, file->filename)))) {
            return verdict;
        }
    }
    return NULL;
}

static upload_pool_verdict stop(upload_pool_instance *self,
                                const char *function,
                                upload_pool_verdict verdict)
{
    self->status = HTTP_UNPROCESSABLE_ENTITY;
    self->text = apr_pstrcat(self->request->pool, self->handler->name,
                             " stops in ", function, NULL);
    return verdict;
}

static upload_pool_verdict obey(upload_pool_instance *self,
                                const char *function,
                                const upload_pool_file *file)
{
    const char *verdict = find_rule(self, function, file);

    if (!verdict) {
        return UPLOAD_POOL_GO_ON;
    }
    event(self,
          apr_pstrcat(self->request->pool, verdict, " in ", function, NULL));
    if (!strcmp(verdict, "stop")) {
        return stop(self, function, UPLOAD_POOL_STOP);
    }
    if (!strcmp(verdict, "reset")) {
        return stop(self, function, UPLOAD_POOL_STOP_RESET);
    }
    if (!strcmp(verdict, "skip")) {
        return UPLOAD_POOL_SKIP_FILE;
    }
    if (!strcmp(verdict, "handled")) {
        return UPLOAD_POOL_HANDLED;
    }
    if (!strcmp(verdict, "plain")) {
        return UPLOAD_POOL_STOP;
    }
    if (!strcmp(verdict, "odd")) {
        self->status = HTTP_OK;
        self->text = "caf\xe9";
        return UPLOAD_POOL_STOP;
    }
    return (upload_pool_verdict)99;
}

/* --- The functions of a handler ------------------------------------------- */

static upload_pool_verdict probe_raw(upload_pool_instance *self)
{
    self->data = apr_pcalloc(self->request->pool, sizeof(progress));
    event(self, apr_psprintf(self->request->pool, "raw %" APR_OFF_T_FMT,
                             self->request->content_length));
    return obey(self, "handle_raw_input", NULL);
}

static int ends_in(const char *name, const char *extension)
{
    const char *dot = strrchr(name, '.');

    return dot && !strcmp(dot + 1, extension);
}

static upload_pool_verdict probe_new(upload_pool_instance *self,
                                     upload_pool_file *file)
{
    const probe *handler = probe_of(self);
    progress *at = self->data;

    at->seen = 0;
    at->calls = 0;
    at->largest = 0;
    at->bytes = NULL;
    at->takes = handler->takes && ends_in(file->safe_filename, handler->takes);
    event(self, apr_psprintf(file->pool, "new %d %s %s", file->index,
                             file->field, file->safe_filename));
    if (file->content_length >= 0) {
        event(self, apr_psprintf(file->pool, "announced %" APR_OFF_T_FMT,
                                 file->content_length));
    }
    return at->takes ? UPLOAD_POOL_HANDLED : obey(self, "new_file", file);
}

static void keep_bytes(progress *at, const char *data, apr_size_t len,
                       apr_pool_t *p)
{
    char *all = apr_palloc(p, (apr_size_t)at->seen + len);

    if (at->seen) {
        memcpy(all, at->bytes, (apr_size_t)at->seen);
    }
    memcpy(all + at->seen, data, len);
    at->bytes = all;
}

/* One buffer for the whole upload: who comes later must not rely on it when
 * this handler is called again. */
static void make_bytes(upload_pool_instance *self, const char **data,
                       apr_size_t *len)
{
    const probe *handler = probe_of(self);
    progress *at = self->data;
    apr_size_t times = handler->doubles ? 2 : 1;
    apr_size_t i;

    if (!at->made) {
        at->made = apr_palloc(self->request->pool, (apr_size_t)2 * 65536);
    }
    for (i = 0; i < times * *len; i++) {
        char c = (*data)[i / times];

        at->made[i] = handler->shouts ? (char)apr_toupper(c) : c;
    }
    *data = at->made;
    *len *= times;
}

static upload_pool_verdict probe_chunk(upload_pool_instance *self,
                                       upload_pool_file *file,
                                       const char **data, apr_size_t *len,
                                       apr_off_t offset)
{
    const probe *handler = probe_of(self);
    progress *at = self->data;

    if (offset != at->seen || !*len) {
        event(self, "a gap in the bytes");
    }
    if (at->takes || handler->keeps) {
        keep_bytes(at, *data, *len, file->pool);
    }
    at->seen += (apr_off_t)*len;
    at->calls++;
    at->largest = *len > at->largest ? *len : at->largest;
    if (handler->sinks) {
        *len = 0;
    }
    if (handler->shouts || handler->doubles) {
        make_bytes(self, data, len);
    }
    return obey(self, "receive_data_chunk", file);
}

/* --- The raw body ------------------------------------------------------- */

static void unmask(upload_pool_instance *self, const char **data,
                   apr_size_t len)
{
    progress *at = self->data;
    apr_size_t i;

    if (!at->made) {
        at->made = apr_palloc(self->request->pool, 65536);
    }
    for (i = 0; i < len; i++) {
        at->made[i] = (char)((*data)[i] - 1);
    }
    *data = at->made;
}

/* A part of the form that is made of a line. */
static const char *part_of(const upload_pool_request *request, char *line)
{
    char *text = strchr(line, ' ');

    if (!text) {
        return "";
    }
    *text++ = '\0';
    return apr_psprintf(request->pool,
                        "--%s\r\nContent-Disposition: form-data;"
                        " name=\"line\"; filename=\"%s\"\r\n"
                        "Content-Length: %" APR_SIZE_T_FMT "\r\n\r\n%s\r\n",
                        request->boundary, line, strlen(text), text);
}

/* What a line is cut off of waits for the rest of it. */
static void parse_lines(upload_pool_instance *self, const char **data,
                        apr_size_t *len)
{
    progress *at = self->data;
    apr_pool_t *p = self->request->pool;
    const char *form = "";
    char *rest = apr_palloc(p, at->line_len + *len + 1);
    char *end;

    if (at->line_len) {
        memcpy(rest, at->line, at->line_len);
    }
    memcpy(rest + at->line_len, *data, *len);
    rest[at->line_len + *len] = '\0';
    while ((end = strchr(rest, '\n')) != NULL) {
        *end = '\0';
        form = apr_pstrcat(p, form, part_of(self->request, rest), NULL);
        rest = end + 1;
    }
    at->line = rest;
    at->line_len = strlen(rest);
    *data = form;
    *len = strlen(form);
}

static upload_pool_verdict probe_raw_data(upload_pool_instance *self,
                                          const char **data, apr_size_t *len,
                                          apr_off_t offset)
{
    const probe *handler = probe_of(self);
    progress *at = self->data;

    if (offset != (apr_off_t)at->raw_seen || !*len || *len > 65536) {
        event(self, "a gap in the raw bytes");
    }
    at->raw_seen += *len;
    if (handler->unmasks) {
        unmask(self, data, *len);
    }
    if (handler->parses) {
        parse_lines(self, data, len);
    }
    return obey(self, "receive_raw_data", NULL);
}

static upload_pool_verdict probe_raw_end(upload_pool_instance *self,
                                         const char **data, apr_size_t *len)
{
    const progress *at = self->data;

    event(self, apr_psprintf(self->request->pool, "raw end %" APR_SIZE_T_FMT,
                             at->raw_seen));
    if (probe_of(self)->parses) {
        *data = apr_pstrcat(self->request->pool, "--", self->request->boundary,
                            "--\r\n", NULL);
        *len = strlen(*data);
    }
    return obey(self, "end_of_raw_data", NULL);
}

static upload_pool_verdict probe_flush(upload_pool_instance *self)
{
    return obey(self, "flush", NULL);
}

static upload_pool_verdict probe_end(upload_pool_instance *self,
                                     upload_pool_file *file, const char **data,
                                     apr_size_t *len)
{
    if (probe_of(self)->doubles) {
        *data = "END";
        *len = 3;
    }
    return obey(self, "end_of_data", file);
}

static const char *kept_how(const upload_pool_kept *kept)
{
    return kept->stored     ? "stored"
           : kept->content  ? "content"
           : kept->location ? "location"
                            : "nobody";
}

static upload_pool_verdict probe_complete(upload_pool_instance *self,
                                          upload_pool_file *file,
                                          apr_off_t size,
                                          upload_pool_kept *kept)
{
    const probe *handler = probe_of(self);
    const progress *at = self->data;

    event(self, apr_psprintf(
                    file->pool,
                    "complete %d size=%" APR_OFF_T_FMT " calls=%" APR_SIZE_T_FMT
                    " largest=%" APR_SIZE_T_FMT " kept=%s",
                    file->index, size, at->calls, at->largest, kept_how(kept)));
    apr_table_setn(file->notes, handler->table.name, "was here");
    if (at->takes && handler->location) {
        kept->location =
            apr_psprintf(file->pool, "%s%d", handler->location, file->index);
    }
    else if (at->takes || handler->keeps) {
        kept->content = at->bytes ? at->bytes : "";
        kept->size = at->seen;
    }
    return obey(self, "file_complete", file);
}

static upload_pool_verdict probe_done(upload_pool_instance *self)
{
    event(self, "done");
    return obey(self, "upload_complete", NULL);
}

static void probe_interrupted(upload_pool_instance *self,
                              upload_pool_file *file)
{
    event(self, file ? apr_psprintf(file->pool, "cut %d", file->index)
                     : "interrupted");
}

#define FUNCTIONS \
    .handle_raw_input = probe_raw, .new_file = probe_new, \
    .receive_data_chunk = probe_chunk, .flush = probe_flush, \
    .file_complete = probe_complete, .upload_complete = probe_done, \
    .upload_interrupted = probe_interrupted, .end_of_data = probe_end

#define RAW_FUNCTIONS \
    FUNCTIONS, .receive_raw_data = probe_raw_data, \
               .end_of_raw_data = probe_raw_end

#define RAW(name) \
    { \
        UPLOAD_POOL_HANDLER_STUFF(name), RAW_FUNCTIONS \
    }
#define PROBE(name) \
    { \
        UPLOAD_POOL_HANDLER_STUFF(name), FUNCTIONS \
    }
#define SMALL(name, size) \
    { \
        UPLOAD_POOL_HANDLER_STUFF(name), .chunk_size = (size), FUNCTIONS \
    }

/* clang-format off */
static const probe probes[] = {
    { PROBE("probe-a") },
    { PROBE("probe-b") },
    { PROBE("probe-c") },
    { SMALL("probe-small", 1000) },
    { SMALL("probe-tiny", 10) },
    { PROBE("probe-upper"), .shouts = 1 },
    { PROBE("probe-double"), .doubles = 1 },
    { PROBE("probe-keep"), .keeps = 1 },
    { PROBE("probe-sink"), .sinks = 1 },
    { RAW("probe-unmask"), .unmasks = 1 },
    { RAW("probe-lines"), .parses = 1 },
    { PROBE("probe-take"), .takes = "take" },
    { PROBE("probe-away"), .takes = "away", .location = "away:" },
};
/* clang-format on */

/* What must be refused. */
static const upload_pool_handler nameless = { UPLOAD_POOL_HANDLER_STUFF(NULL) };
static const upload_pool_handler misnamed = { UPLOAD_POOL_HANDLER_STUFF(
    "probe-another") };
static const upload_pool_handler outdated = { UPLOAD_POOL_HANDLER_MAGIC, 8,
                                              "probe-outdated" };
static const upload_pool_handler no_table = { 1, 2, NULL };

/* --- The optional functions ----------------------------------------------- */

static const char *name_of(apr_status_t rv)
{
    switch (rv) {
    case APR_SUCCESS:
        return "SUCCESS";
    case APR_EINVAL:
        return "EINVAL";
    case APR_ENOENT:
        return "ENOENT";
    case APR_EACCES:
        return "EACCES";
    case APR_ENOTIMPL:
        return "ENOTIMPL";
    default:
        return "other";
    }
}

static const char *quoted(apr_pool_t *p, const char *text)
{
    return text ? apr_pstrcat(p, "\"", text, "\"", NULL) : "null";
}

static void tell_bucket(request_rec *r, upload_pool_bucket *bucket, int n)
{
    APR_OPTIONAL_FN_TYPE(upload_pool_get_status) *get_status =
        APR_RETRIEVE_OPTIONAL_FN(upload_pool_get_status);
    APR_OPTIONAL_FN_TYPE(upload_pool_get_filename) *get_filename =
        APR_RETRIEVE_OPTIONAL_FN(upload_pool_get_filename);
    APR_OPTIONAL_FN_TYPE(upload_pool_is_complete) *is_complete =
        APR_RETRIEVE_OPTIONAL_FN(upload_pool_is_complete);

    ap_rprintf(r, ", \"status\": %s, \"complete\": %d, \"filename\": %s",
               get_status(bucket), is_complete(bucket),
               quoted(r->pool, get_filename(bucket, n)));
}

static void tell_current(request_rec *r, int n)
{
    APR_OPTIONAL_FN_TYPE(upload_pool_current) *current =
        APR_RETRIEVE_OPTIONAL_FN(upload_pool_current);
    upload_pool_bucket *bucket = current(r);

    ap_rprintf(r, "\"current\": %d", bucket != NULL);
    if (bucket) {
        tell_bucket(r, bucket, n);
    }
}

static void tell_access(request_rec *r, const char *text, int n, int clears)
{
    APR_OPTIONAL_FN_TYPE(upload_pool_access_bucket) *access_bucket =
        APR_RETRIEVE_OPTIONAL_FN(upload_pool_access_bucket);
    APR_OPTIONAL_FN_TYPE(upload_pool_clear_upload) *clear_upload =
        APR_RETRIEVE_OPTIONAL_FN(upload_pool_clear_upload);
    upload_pool_bucket *bucket = NULL;
    apr_status_t rv = access_bucket(r, text, &bucket);

    ap_rprintf(r, "\"rv\": \"%s\", \"bucket\": %d", name_of(rv),
               bucket != NULL);
    if (bucket && clears) {
        ap_rprintf(r, ", \"cleared\": \"%s\"", name_of(clear_upload(bucket)));
    }
    if (bucket) {
        tell_bucket(r, bucket, n);
    }
}

static void tell(request_rec *r, const char *op, const char *text, int n)
{
    APR_OPTIONAL_FN_TYPE(upload_pool_create_identifier) *create =
        APR_RETRIEVE_OPTIONAL_FN(upload_pool_create_identifier);
    APR_OPTIONAL_FN_TYPE(upload_pool_verify_identifier) *verify =
        APR_RETRIEVE_OPTIONAL_FN(upload_pool_verify_identifier);
    APR_OPTIONAL_FN_TYPE(upload_pool_clear_bucket) *clear =
        APR_RETRIEVE_OPTIONAL_FN(upload_pool_clear_bucket);

    if (!strcmp(op, "create")) {
        ap_rprintf(r, "\"text\": %s", quoted(r->pool, create(r)));
    }
    else if (!strcmp(op, "verify")) {
        ap_rprintf(r, "\"good\": %d", verify(r, text));
    }
    else if (!strcmp(op, "clear")) {
        ap_rprintf(r, "\"rv\": \"%s\"", name_of(clear(r, text)));
    }
    else if (!strcmp(op, "current")) {
        tell_current(r, n);
    }
    else {
        tell_access(r, text, n, !strcmp(op, "remove"));
    }
}

static int probe_handler(request_rec *r)
{
    apr_table_t *args;
    const char *op;
    const char *n;

    if (!r->handler || strcmp(r->handler, "upload-probe")) {
        return DECLINED;
    }
    ap_args_to_table(r, &args);
    op = apr_table_get(args, "op");
    n = apr_table_get(args, "n");
    ap_set_content_type(r, "application/json");
    ap_rputs("{", r);
    tell(r, op ? op : "current", apr_table_get(args, "text"),
         n ? (int)apr_atoi64(n) : 0);
    ap_rputs("}", r);
    return OK;
}

/* --- A handler in front ------------------------------------------------- */

/* ?probe-reads-first: what a handler reads that stands before every other, as
 * "X-Probe-Read: STATUS, N bytes". */
static int read_first(request_rec *r)
{
    apr_bucket_brigade *bb;
    apr_off_t bytes = 0;
    apr_status_t rv;

    if (!r->args || !strstr(r->args, "probe-reads-first") || r->prev) {
        return DECLINED;
    }
    bb = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    rv = ap_get_brigade(r->input_filters, bb, AP_MODE_READBYTES, APR_BLOCK_READ,
                        8192);
    apr_brigade_length(bb, 1, &bytes);
    apr_brigade_destroy(bb);
    apr_table_setn(r->err_headers_out, "X-Probe-Read",
                   apr_psprintf(r->pool, "%d, %d bytes", rv, (int)bytes));
    return DECLINED;
}

/* --- The module ----------------------------------------------------------- */

static void *make_conf(apr_pool_t *p, char *dir)
{
    (void)dir;
    return apr_pcalloc(p, sizeof(probe_conf));
}

static void *merge_conf(apr_pool_t *p, void *base, void *add)
{
    (void)p;
    return ((probe_conf *)add)->directory ? add : base;
}

static const char *set_hold(cmd_parms *cmd, void *conf, const char *arg)
{
    (void)conf;
    hold_file = apr_pstrdup(cmd->pool, arg);
    return NULL;
}

static conn_rec *hold(apr_pool_t *p, server_rec *s, apr_socket_t *socket,
                      long id, void *sbh, apr_bucket_alloc_t *alloc)
{
    apr_sockaddr_t *client;
    char address[INET_ADDRSTRLEN];
    const char *held;
    apr_finfo_t info;

    (void)s;
    (void)id;
    (void)sbh;
    (void)alloc;
    if (!hold_file || apr_socket_addr_get(&client, APR_REMOTE, socket)
        || apr_sockaddr_ip_getbuf(address, sizeof(address), client)
        || strcmp(address, "127.0.0.7")) {
        return NULL;
    }
    held = apr_pstrcat(p, hold_file, ".held", NULL);
    if (apr_file_rename(hold_file, held, p) == APR_SUCCESS) {
        while (apr_stat(&info, held, APR_FINFO_TYPE, p) == APR_SUCCESS) {
            apr_sleep(apr_time_from_msec(20));
        }
    }
    return NULL;
}

static const command_rec directives[] = {
    AP_INIT_TAKE1("ProbeDirectory", ap_set_string_slot,
                  (void *)APR_OFFSETOF(probe_conf, directory),
                  RSRC_CONF | ACCESS_CONF, "where upload probes write"),
    AP_INIT_TAKE1("ProbeHold", set_hold, NULL, RSRC_CONF,
                  "a file that has the next connection held"),
    { NULL }
};

static void add(apr_pool_t *p, const char *name,
                const upload_pool_handler *handler)
{
    ap_register_provider(p, UPLOAD_POOL_HANDLER_GROUP, name,
                         UPLOAD_POOL_HANDLER_VERSION, handler);
}

static void register_hooks(apr_pool_t *p)
{
    apr_size_t i;

    for (i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
        add(p, probes[i].table.name, &probes[i].table);
    }
    add(p, "probe-nameless", &nameless);
    add(p, "probe-misnamed", &misnamed);
    add(p, "probe-outdated", &outdated);
    add(p, "probe-no-table", &no_table);
    ap_hook_handler(probe_handler, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(read_first, NULL, NULL, APR_HOOK_REALLY_FIRST - 1);
    ap_hook_create_connection(hold, NULL, NULL, APR_HOOK_FIRST);
}

module AP_MODULE_DECLARE_DATA upload_probe_module = {
    STANDARD20_MODULE_STUFF,
    make_conf,
    merge_conf,
    NULL,
    NULL,
    directives,
    register_hooks,
    AP_MODULE_FLAG_NONE,
};
