/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "httpd/content.h"

#include <string.h>
#include <apr_cstr.h>
#include <apr_strings.h>

#include "httpd/log.h"
#include "httpd/process.h"
#include "config/settings.h"

#define SCAN_TIMEOUT_DEFAULT apr_time_from_sec(30)

void upool_content_child_init(apr_pool_t *pchild, server_rec *s)
{
    (void)s;
    upool_process_get()->magic = upool_magic_make(pchild);
}

const char *upool_set_scan(cmd_parms *cmd, void *conf_, const char *arg)
{
    static const char scheme[] = "clamd:";
    apr_size_t len = sizeof(scheme) - 1;
    upool_dir_conf *conf = conf_;
    upool_clamd_address *address = apr_pcalloc(cmd->pool, sizeof(*address));
    const char *error;

    conf->scan = address;
    if (!ap_cstr_casecmp(arg, "off")) {
        return NULL;
    }
    if (ap_cstr_casecmpn(arg, scheme, len)) {
        return upool_settings_complain(
            cmd, "takes clamd:unix:/path, clamd:host:port or Off");
    }
    error = upool_clamd_resolve(address, arg + len, cmd->pool);
    return error ? upool_settings_complain(cmd, error) : NULL;
}

const char *upool_set_scan_failure(cmd_parms *cmd, void *conf_, const char *arg)
{
    upool_dir_conf *conf = conf_;
    int accept = !ap_cstr_casecmp(arg, "accept");

    if (!accept && ap_cstr_casecmp(arg, "refuse")) {
        return upool_settings_complain(cmd, "must be refuse or accept");
    }
    if (!upool_settings_is_local(cmd)) {
        conf->scan_accept = accept;
        return NULL;
    }
    if (accept) {
        return upool_settings_complain(cmd, "may only be refuse in .htaccess");
    }
    conf->local_scan_refuse = 1;
    return NULL;
}

const char *upool_set_sniff(cmd_parms *cmd, void *conf_, const char *arg)
{
    upool_dir_conf *conf = conf_;
    int *mode =
        upool_settings_is_local(cmd) ? &conf->local_sniff : &conf->sniff;

    if (!ap_cstr_casecmp(arg, "off")) {
        *mode = UPOOL_SNIFF_OFF;
        return NULL;
    }
    if (!ap_cstr_casecmp(arg, "on")) {
        *mode = UPOOL_SNIFF_ON;
    }
    else if (!ap_cstr_casecmp(arg, "report")) {
        *mode = UPOOL_SNIFF_REPORT;
    }
    else {
        return upool_settings_complain(cmd, "must be On, Off or report");
    }
    return upool_magic_is_built()
               ? NULL
               : upool_settings_complain(
                   cmd, "cannot be switched on: the module was built"
                        " without libmagic");
}

static void tell_sniffed(request_rec *r, apr_status_t rv, const char *text)
{
    upool_rlog(r, INFO, rv, 37, "upload has a file of another type: %s",
               ap_escape_logitem(r->pool, text));
}

static void tell_unscanned(request_rec *r, apr_status_t rv, const char *text)
{
    upool_rlog(r, WARNING, rv, 36, "upload has a file that was not scanned: %s",
               ap_escape_logitem(r->pool, text));
}

void upool_content_settings(const upool_dir_conf *conf,
                            upool_builtin_settings *settings,
                            upool_scan_options *scan)
{
    settings->sniff = upool_config_sniff(conf);
    settings->magic = upool_process_get()->magic;
    settings->tell_sniffed = tell_sniffed;
    if (!conf->scan || !conf->scan->first) {
        return;
    }
    scan->address = conf->scan;
    scan->timeout = conf->scan_timeout == UPOOL_UNSET ? SCAN_TIMEOUT_DEFAULT
                                                      : conf->scan_timeout;
    scan->accept_unscanned =
        conf->scan_accept == 1 && conf->local_scan_refuse != 1;
    scan->tell = tell_unscanned;
    settings->scan = scan;
}
