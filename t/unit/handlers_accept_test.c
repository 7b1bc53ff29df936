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
    { "png jpg", NULL, NULL, NULL,   "x..png",           1 },
    { "png jpg", NULL, NULL, NULL,   "x.png.",           1 },
    { "png jpg", NULL, NULL, NULL,   "x.png. .",         1 },
    { "png jpg", NULL, NULL, NULL,   "Screenshot 2024-05-01 at 10.30.12.png",
      1 },
    { "pdf", NULL, NULL, NULL,       "invoice 12.05.2024.pdf", 1 },
    { "png jpg", NULL, NULL, NULL,   "x.phtml.v2.png",   0 },
    { "png jpg", NULL, NULL, NULL,   "x.asp;.jpg",       0 },
    { "png jpg php", NULL, NULL, NULL, "x.php.png",      1 },
    { "png jpg", NULL, NULL, NULL,   ".htaccess",        0 },
    { "png jpg", NULL, NULL, NULL,   ".png",             1 },
    { "png jpg", NULL, NULL, NULL,   "x.",               0 },
    { "png", "jpg", NULL, NULL,      "x.png",            0 },
    { "png", "png php", NULL, NULL,  "x.php.png",        0 },
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

/* The client's name, and what a safe name makes of it. */
static const struct {
    const char *allow;
    const char *deny;
    const char *client;
    const char *safe;
    int good;
} pairs[] = {
    { "jpg", NULL, "\xD1\x84\xD0\xBE.jpg", "jpg", 1 },
    { "jpg", NULL, "\xE7\x85\xA7.JPG", "JPG", 1 },
    { "jpg", NULL, "\xC3\x9F.jpg", "jpg", 1 },
    { "jpg", NULL, "\xD1\x84\xD0\xBE.png", "png", 0 },
    { "jpg", NULL, "\xD1\x84.php.jpg", "php.jpg", 0 },
    { "jpg", NULL, "x.jpg\xD1\x8F", "x.jpg", 0 },
    { "txt", NULL, "dir.my/file.txt", "dir.my_file.txt", 1 },
    { "txt", NULL, "C:\\dir.php\\file.txt", "Cdir.phpfile.txt", 1 },
    { "txt", NULL, "dir/file", "dir_file", 0 },
    { NULL, "php", "\xD1\x84.php", "php", 0 },
    { NULL, "php", ".php", "php", 0 },
    { NULL, "php", "!.php", "php", 0 },
    { NULL, "php", "\xD1\x84.php ", "php", 0 },
    { NULL, "php", "\xD1\x84.php. . ", "php", 0 },
    { NULL, "php", "\xD1\x84.ph\xC2\xADp", "php", 0 },
    { NULL, "php", "\xD1\x84.php.txt", "php.txt", 0 },
    { NULL, "php", "php", "php", 1 },
    { NULL, "htaccess", ".htaccess", "htaccess", 0 },
};

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
    file.filename = r->name;
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

static void test_pairs(void)
{
    size_t i;

    for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        upool_extension_lists lists = { { NULL, NULL }, { NULL, NULL } };

        lists.allow[0] = list(pairs[i].allow);
        lists.deny[0] = list(pairs[i].deny);
        tap_is_int(
            upool_extensions_may_pass(&lists, pairs[i].client, pairs[i].safe),
            pairs[i].good, "%s (%s), allow %s, deny %s", pairs[i].client,
            pairs[i].safe, shown(pairs[i].allow), shown(pairs[i].deny));
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
    test_pairs();
    tap_is_str(upool_accept_handler.name, "accept", "its name");
    apr_pool_destroy(pool);
    apr_terminate();
    return tap_done();
}
