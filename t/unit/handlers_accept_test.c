/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Which names the lists of extensions let pass. */
#include "handlers/builtin.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <tap.h>

static apr_pool_t *pool;

/* "a b c" as a list; NULL: no list. */
static const apr_array_header_t *list(const char *words)
{
    apr_array_header_t *array;
    char *copy;
    char *last;
    char *word;

    if (!words) {
        return NULL;
    }
    array = apr_array_make(pool, 4, sizeof(const char *));
    copy = apr_pstrdup(pool, words);
    for (word = apr_strtok(copy, " ", &last); word;
         word = apr_strtok(NULL, " ", &last)) {
        APR_ARRAY_PUSH(array, const char *) = word;
    }
    return array;
}

typedef struct row {
    const char *allow; /* the server's */
    const char *local_allow;
    const char *deny;
    const char *local_deny;
    const char *name;
    int good;
} row;

/* clang-format off */
static const row rows[] = {
    { NULL, NULL, NULL, NULL,        "x.exe",            1 },
    { NULL, NULL, NULL, NULL,        "noextension",      1 },
    { "png jpg", NULL, NULL, NULL,   "x.png",            1 },
    { "png jpg", NULL, NULL, NULL,   "X.PNG",            1 },
    { "png jpg", NULL, NULL, NULL,   "x.gif",            0 },
    { "png jpg", NULL, NULL, NULL,   "png",              0 },
    { "png jpg", NULL, NULL, NULL,   "x.php.png",        0 },
    { "png jpg", NULL, NULL, NULL,   "x.png.php",        0 },
    { "png jpg", NULL, NULL, NULL,   "x.jpg.png",        1 },
    { "png jpg", NULL, NULL, NULL,   "x.pn",             0 },
    { "png jpg", NULL, NULL, NULL,   "x.pngg",           0 },
    { "png jpg", NULL, NULL, NULL,   "x..png",           0 },
    { "png jpg", NULL, NULL, NULL,   "x.png.",           0 },
    { "", NULL, NULL, NULL,          "x.png",            0 },
    { NULL, NULL, "php cgi", NULL,   "x.php",            0 },
    { NULL, NULL, "php cgi", NULL,   "x.PhP",            0 },
    { NULL, NULL, "php cgi", NULL,   "x.php.png",        0 },
    { NULL, NULL, "php cgi", NULL,   "x.png.cgi.txt",    0 },
    { NULL, NULL, "php cgi", NULL,   "php",              1 },
    { NULL, NULL, "php cgi", NULL,   "x.php5",           1 },
    { NULL, NULL, "php cgi", NULL,   "x..png",           1 },
    { "png", "png gif", NULL, NULL,  "x.gif",            0 },
    { "png gif", "png", NULL, NULL,  "x.gif",            0 },
    { "png gif", "png", NULL, NULL,  "x.png",            1 },
    { NULL, "png", NULL, NULL,       "x.gif",            0 },
    { NULL, "png", NULL, NULL,       "plain",            0 },
    { NULL, NULL, "php", "cgi",      "x.php",            0 },
    { NULL, NULL, "php", "cgi",      "x.cgi",            0 },
    { NULL, NULL, NULL, "cgi",       "x.cgi",            0 },
    { "png php", NULL, "php", NULL,  "x.php",            0 },
    { "png php", NULL, "php", NULL,  "x.png",            1 },
};
/* clang-format on */

static const char *shown(const char *text)
{
    return text ? text : "-";
}

static void test_row(const row *r)
{
    upool_refusal refusal = upool_refusal_make(UPOOL_REASON_NONE, 0, NULL);
    upload_pool_instance self = { .handler = &upool_accept_handler };
    upload_pool_file file = { .pool = pool };
    upool_extension_lists lists;
    upload_pool_verdict verdict;

    lists.allow[0] = list(r->allow);
    lists.allow[1] = list(r->local_allow);
    lists.deny[0] = list(r->deny);
    lists.deny[1] = list(r->local_deny);
    self.data = upool_accept_make(&lists, &refusal, pool);
    file.safe_filename = r->name;
    /* What the client sent is not what is judged. */
    file.filename = "ignored.exe";
    verdict = upool_accept_handler.new_file(&self, &file);
    tap_is_int(verdict, r->good ? UPLOAD_POOL_GO_ON : UPLOAD_POOL_STOP,
               "%s, allow %s|%s, deny %s|%s", r->name, shown(r->allow),
               shown(r->local_allow), shown(r->deny), shown(r->local_deny));
    tap_is_int(refusal.reason,
               r->good ? UPOOL_REASON_NONE : UPOOL_REASON_EXTENSION,
               "and its reason");
    if (!r->good) {
        tap_is_str(refusal.detail, r->name, "the log learns the name");
    }
}

int main(void)
{
    size_t i;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        test_row(&rows[i]);
    }
    tap_is_str(upool_accept_handler.name, "accept", "its name");
    apr_pool_destroy(pool);
    apr_terminate();
    return tap_done();
}
