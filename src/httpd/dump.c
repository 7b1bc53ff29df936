/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "httpd/dump.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_core.h>

#include "config/config.h"
#include "config/settings.h"

extern module AP_MODULE_DECLARE_DATA upload_pool_module;

static const struct {
    const char *name;
    int bit;
} protocols[] = {
    { "multipart", UPOOL_PROTOCOL_MULTIPART },
    { "chunked", UPOOL_PROTOCOL_CHUNKED },
    { "tus", UPOOL_PROTOCOL_TUS },
    { "resumable", UPOOL_PROTOCOL_RESUMABLE },
};

static const char *protocols_of(apr_pool_t *p, const upool_dir_conf *conf)
{
    const char *text = "";
    apr_size_t i;

    for (i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
        if (upool_config_speaks(conf, protocols[i].bit)) {
            text = apr_pstrcat(p, text, " ", protocols[i].name, NULL);
        }
    }
    return text;
}

static void print_limit(apr_file_t *out, const char *name, apr_int64_t value)
{
    if (value == UPOOL_UNSET || value >= UPOOL_UNLIMITED) {
        apr_file_printf(out, "    %-14s none\n", name);
    }
    else {
        apr_file_printf(out, "    %-14s %" APR_INT64_T_FMT " bytes\n", name,
                        value);
    }
}

/* The section's own settings merged over those of its virtual host, as a
 * request finds them where no other section changes them. */
static const upool_dir_conf *conf_of(apr_pool_t *p, const upool_pool_mention *m)
{
    void *host =
        ap_get_module_config(m->server->lookup_defaults, &upload_pool_module);
    void *section = ap_get_module_config(m->section, &upload_pool_module);

    return host == section || !host ? section
                                    : upool_config_dir_merge(p, host, section);
}

static void print_pool(apr_file_t *out, apr_pool_t *p,
                       const upool_pool_mention *m)
{
    const upool_dir_conf *conf = conf_of(p, m);
    upool_limits limits = upool_config_limits(conf);
    const char *name =
        m->server->server_hostname ? m->server->server_hostname : "-";

    apr_file_printf(out, "%s (%s:%d)\n", m->path, m->file, m->line);
    apr_file_printf(out, "    %-14s %s\n", "server", name);
    apr_file_printf(out, "    %-14s%s\n", "protocols", protocols_of(p, conf));
    print_limit(out, "request", limits.body);
    print_limit(out, "file", limits.file);
    apr_file_printf(out, "    %-14s %d\n", "keys",
                    upool_keys_count(conf->keys));
    apr_file_printf(out, "    %-14s %s\n", "mints",
                    conf->mint == 1 ? "yes" : "no");
    apr_file_printf(out, "    %-14s %s\n", "serves",
                    conf->serve == 1 ? "yes" : "no");
    apr_file_printf(out, "    %-14s %" APR_INT64_T_FMT " s\n", "expires after",
                    (apr_int64_t)apr_time_sec(upool_config_expires(conf)));
    if (conf->pass) {
        apr_file_printf(out, "    %-14s %s\n", "passes to", conf->pass);
    }
    if (upool_config_pass_as(conf) != UPOOL_PASS_JSON) {
        apr_file_printf(
            out, "    %-14s %s\n", "passes as",
            upool_config_pass_as(conf) == UPOOL_PASS_FORM ? "form" : "fields");
    }
}

void upool_dump_pools(apr_pool_t *pconf, server_rec *s)
{
    const apr_array_header_t *mentions = upool_settings_mentions(pconf);
    apr_file_t *out = NULL;
    int i;

    (void)s;
    if (!ap_exists_config_define("DUMP_UPLOAD_POOLS")
        || apr_file_open_stdout(&out, pconf)) {
        return;
    }
    apr_file_printf(out, "Upload pools: %d\n", mentions->nelts);
    for (i = 0; i < mentions->nelts; i++) {
        print_pool(out, pconf,
                   APR_ARRAY_IDX(mentions, i, const upool_pool_mention *));
    }
}
