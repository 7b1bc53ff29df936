/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/layout.h"

#include <string.h>

#include <apr_escape.h>
#include <apr_general.h>
#include <apr_strings.h>

#define BUCKET_MAX 64
#define NUMBER_DIGITS 9
#define NUMBER_LIMIT 1000000000
#define RANDOM_BYTES 16
#define RANDOM_DIGITS (2 * (apr_size_t)RANDOM_BYTES)
#define SUFFIX ".bin"
#define SERVER_SUFFIX ".lock"

static const char HEX[] = "0123456789abcdef";

/* The ctype functions ask the locale, which may let more letters through. */
static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int is_bucket_char(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || c == '-';
}

int upool_layout_is_bucket(const char *name)
{
    apr_size_t n = 0;

    if (!name) {
        return 0;
    }
    while (n <= BUCKET_MAX && is_bucket_char(name[n])) {
        n++;
    }
    return n > 0 && n <= BUCKET_MAX && !name[n];
}

/* Length of the number that name begins with, 0 when there is none. */
static apr_size_t number_span(const char *name)
{
    apr_size_t n = 0;

    while (n <= NUMBER_DIGITS && is_digit(name[n])) {
        n++;
    }
    if (n > NUMBER_DIGITS || (n > 1 && name[0] == '0')) {
        return 0;
    }
    return n;
}

int upool_layout_is_data(const char *name)
{
    apr_size_t n;

    if (!name) {
        return 0;
    }
    n = number_span(name);
    if (!n || name[n] != '-') {
        return 0;
    }
    name += n + 1;
    return strspn(name, HEX) == RANDOM_DIGITS
           && strcmp(name + RANDOM_DIGITS, SUFFIX) == 0;
}

upool_entry upool_layout_entry(const char *name)
{
    if (upool_layout_is_data(name)) {
        return UPOOL_ENTRY_DATA;
    }
    if (strcmp(name, UPOOL_LAYOUT_METADATA) == 0) {
        return UPOOL_ENTRY_METADATA;
    }
    if (strcmp(name, UPOOL_LAYOUT_ATTEMPT) == 0) {
        return UPOOL_ENTRY_ATTEMPT;
    }
    if (strcmp(name, UPOOL_LAYOUT_RESUMABLE) == 0) {
        return UPOOL_ENTRY_RESUMABLE;
    }
    if (strcmp(name, UPOOL_LAYOUT_RUN) == 0
        || strcmp(name, UPOOL_LAYOUT_ANSWER) == 0) {
        return UPOOL_ENTRY_ANSWER;
    }
    if (strcmp(name, UPOOL_LAYOUT_METADATA_NEW) == 0
        || strcmp(name, UPOOL_LAYOUT_ATTEMPT_NEW) == 0
        || strcmp(name, UPOOL_LAYOUT_RESUMABLE_NEW) == 0
        || strcmp(name, UPOOL_LAYOUT_ANSWER_NEW) == 0
        || strcmp(name, UPOOL_LAYOUT_YIELD) == 0
        || strcmp(name, UPOOL_LAYOUT_CLEARED) == 0) {
        return UPOOL_ENTRY_TEMPORARY;
    }
    if (strcmp(name, UPOOL_LAYOUT_LOCK) == 0) {
        return UPOOL_ENTRY_LOCK;
    }
    return UPOOL_ENTRY_FOREIGN;
}

apr_status_t upool_layout_name(const char **name, int n, apr_pool_t *p)
{
    unsigned char bytes[RANDOM_BYTES];
    apr_status_t rv;

    if (n < 0 || n >= NUMBER_LIMIT) {
        return APR_EINVAL;
    }
    rv = apr_generate_random_bytes(bytes, sizeof(bytes));
    if (rv) {
        return rv;
    }
    *name =
        apr_pstrcat(p, apr_itoa(p, n), "-",
                    apr_pescape_hex(p, bytes, sizeof(bytes), 0), SUFFIX, NULL);
    return APR_SUCCESS;
}

int upool_layout_is_server(const char *name)
{
    return strspn(name, HEX) == RANDOM_DIGITS
           && strcmp(name + RANDOM_DIGITS, SERVER_SUFFIX) == 0;
}

apr_status_t upool_layout_server(const char **name, apr_pool_t *p)
{
    unsigned char bytes[RANDOM_BYTES];
    apr_status_t rv = apr_generate_random_bytes(bytes, sizeof(bytes));

    if (!rv) {
        *name = apr_pstrcat(p, apr_pescape_hex(p, bytes, sizeof(bytes), 0),
                            SERVER_SUFFIX, NULL);
    }
    return rv;
}
