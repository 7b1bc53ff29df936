/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "ident/keyfile.h"

#include <string.h>

#include <apr_lib.h>
#include <openssl/crypto.h>

#define LINE_MAX_BYTES 1024

static char *trim(char *line)
{
    char *end = line + strlen(line);

    while (end > line && apr_isspace(end[-1])) {
        *--end = '\0';
    }
    while (apr_isspace(*line)) {
        line++;
    }
    return line;
}

const char *upool_keyfile_reason(apr_status_t rv)
{
    if (!rv) {
        return NULL;
    }
    return rv == APR_ENOSPC   ? "has more keys than fit (16)"
           : rv == APR_EINVAL ? "needs a secret of at least 16 bytes"
                              : "has a key that OpenSSL does not take";
}

static const char *add_secret(upool_keys *keys, const char *secret,
                              apr_size_t *shortest)
{
    apr_size_t len = strlen(secret);
    const char *error = upool_keyfile_reason(upool_keys_add(keys, secret, len));

    if (!error && (!*shortest || len < *shortest)) {
        *shortest = len;
    }
    return error;
}

const char *upool_keyfile_read(upool_keys *keys, apr_file_t *file,
                               apr_size_t *shortest)
{
    char line[LINE_MAX_BYTES + 2];
    const char *error = NULL;

    *shortest = 0;
    while (!error && !apr_file_gets(line, sizeof(line), file)) {
        char *secret = trim(line);

        if (strlen(line) > LINE_MAX_BYTES) {
            error = "has a line of more than 1024 bytes";
        }
        else if (*secret && *secret != '#') {
            error = add_secret(keys, secret, shortest);
        }
    }
    OPENSSL_cleanse(line, sizeof(line));
    return error || *shortest ? error : "has no key in its file";
}
