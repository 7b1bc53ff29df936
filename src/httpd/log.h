/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#ifndef UPOOL_HTTPD_LOG_H
#define UPOOL_HTTPD_LOG_H

/* httpd's error log with our own tags (httpd/logtags.h).  Text that came from
 * a client goes through ap_escape_logitem() first; keys never go here, and
 * identifiers only through upool_log_ident(). */

#include <httpd.h>
#include <http_core.h>
#include <http_log.h>

APLOG_USE_MODULE(upload_pool);

#define upool_rlog(r, level, rv, tag, fmt, ...) \
    ap_log_rerror(APLOG_MARK, APLOG_##level, rv, r, "UPL%04d: " fmt, tag, \
                  ##__VA_ARGS__)

#define upool_slog(s, level, rv, tag, fmt, ...) \
    ap_log_error(APLOG_MARK, APLOG_##level, rv, s, "UPL%04d: " fmt, tag, \
                 ##__VA_ARGS__)

/* An identifier for the log: its first half, 18 characters at most, so that a
 * reader of the log can follow an upload but not touch it.  In p. */
const char *upool_log_ident(apr_pool_t *p, const char *id);

#endif
