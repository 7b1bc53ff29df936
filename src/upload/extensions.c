/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "upload/extensions.h"

#include <string.h>
#include <apr_lib.h>

/* Suffixes by which servers run or obey a file, even if they are not the last:
 * PHP, CGI and SSI under httpd's AddHandler and AddType, those of application
 * servers, and of IIS.
 * conf/manual/directives has the same list. */
static const char *const run[] = {
    "php",   "php3", "php4", "php5", "php7", "php8",  "phps",     "pht",
    "phtml", "phar", "inc",  "cgi",  "fcgi", "pl",    "pm",       "py",
    "pyc",   "rb",   "lua",  "sh",   "bash", "jsp",   "jspx",     "jspf",
    "asp",   "aspx", "asa",  "ashx", "asmx", "cer",   "cfm",      "cfml",
    "cfc",   "shtm", "stm",  "htc",  "var",  "shtml", "htaccess", "htpasswd",
};

/* One extension of a name. */
typedef struct suffix {
    const char *at;
    apr_size_t len;
    int last;
} suffix;

static int is_plain(char c)
{
    return (c & 0x80) == 0 && (apr_isalnum(c) || c == '_' || c == '-');
}

static int is_exactly(const suffix *s, const char *word)
{
    apr_size_t i;

    for (i = 0; i < s->len; i++) {
        if (!word[i] || word[i] != apr_tolower(s->at[i])) {
            return 0;
        }
    }
    return word[s->len] == '\0';
}

/* The same, without the characters that may get lost. */
static int is_hidden_as(const suffix *s, const char *word)
{
    apr_size_t i;

    for (i = 0; i < s->len; i++) {
        if (is_plain(s->at[i])) {
            if (*word != apr_tolower(s->at[i])) {
                return 0;
            }
            word++;
        }
    }
    return *word == '\0';
}

static int is_listed(const apr_array_header_t *list, const suffix *s,
                     int is(const suffix *, const char *))
{
    int i;

    for (i = 0; list && i < list->nelts; i++) {
        if (is(s, APR_ARRAY_IDX(list, i, const char *))) {
            return 1;
        }
    }
    return 0;
}

static int is_run(const suffix *s)
{
    apr_size_t i;

    for (i = 0; i < sizeof(run) / sizeof(run[0]); i++) {
        if (is_hidden_as(s, run[i])) {
            return 1;
        }
    }
    return 0;
}

static int suffix_is_good(const upool_extension_lists *lists, const suffix *s)
{
    int i;

    for (i = 0; i < 2; i++) {
        if (is_listed(lists->deny[i], s, is_hidden_as)) {
            return 0;
        }
        if (lists->allow[i] && !is_listed(lists->allow[i], s, is_exactly)
            && (s->last || is_run(s))) {
            return 0;
        }
    }
    return 1;
}

/* Blanks and dots at the end, which Windows does not keep. */
static const char *end_of(const char *name)
{
    const char *end = name + strlen(name);

    while (end > name && (end[-1] == ' ' || end[-1] == '.')) {
        end--;
    }
    return end;
}

/* 0: one is bad; 1: all are good; -1: there is none. */
static int judge(const upool_extension_lists *lists, const char *name)
{
    const char *end = end_of(name);
    const char *dot = memchr(name, '.', (apr_size_t)(end - name));
    int found = -1;

    while (dot) {
        suffix s = { dot + 1, (apr_size_t)(end - dot) - 1, 1 };
        const char *next = memchr(s.at, '.', s.len);

        if (next) {
            s.len = (apr_size_t)(next - s.at);
            s.last = 0;
        }
        if (!suffix_is_good(lists, &s)) {
            return 0;
        }
        found = 1;
        dot = next;
    }
    return found;
}

/* Old clients send whole paths, of either kind. */
static const char *base_of(const char *name)
{
    const char *base = name;

    for (; *name; name++) {
        if (*name == '/' || *name == '\\') {
            base = name + 1;
        }
    }
    return base;
}

int upool_extensions_may_pass(const upool_extension_lists *lists,
                              const char *client, const char *safe)
{
    int named = judge(lists, base_of(client));

    return named && judge(lists, safe)
           && (named > 0 || (!lists->allow[0] && !lists->allow[1]));
}
