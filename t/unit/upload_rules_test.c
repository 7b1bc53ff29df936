/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Rules for single fields: which files, how many, what is missing. */
#include "upload/rules.h"

#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <tap.h>

#include "handlers/builtin.h"
#include "upload/limits.h"

#define MANY UPOOL_UNLIMITED

static apr_pool_t *pool;

/* "a,b" as a list; NULL: none. */
static const apr_array_header_t *words(const char *text)
{
    apr_array_header_t *list;
    char *last;
    char *word;

    if (!text) {
        return NULL;
    }
    list = apr_array_make(pool, 2, sizeof(const char *));
    for (word = apr_strtok(apr_pstrdup(pool, text), ",", &last); word;
         word = apr_strtok(NULL, ",", &last)) {
        APR_ARRAY_PUSH(list, const char *) = word;
    }
    return list;
}

typedef struct plan {
    const char *name; /* NULL: the list ends */
    int required;
    apr_int64_t max;
    apr_int64_t size;
    const char *ext;
    const char *types;
    const char *type_ext;
} plan;

static const apr_array_header_t *list_of(const plan *plans)
{
    apr_array_header_t *list = apr_array_make(pool, 4, sizeof(upool_rule));

    for (; plans && plans->name; plans++) {
        upool_rule *rule = apr_array_push(list);

        rule->name = plans->name;
        rule->required = plans->required;
        rule->max = plans->max;
        rule->size = plans->size;
        rule->ext = words(plans->ext);
        rule->types = words(plans->types);
        rule->type_ext = words(plans->type_ext);
    }
    return plans ? list : NULL;
}

/* What the form brings: "name=TEXT" is a text field, "name:FILE:TYPE:SIZE" a
 * file; ":" behind it, one that no handler keeps. */
static int bring(upool_rules *rules, const char *part)
{
    upload_pool_file file = { .pool = pool };
    char *copy = apr_pstrdup(pool, part);
    char *equals = strchr(copy, '=');
    char *word[5] = { NULL, NULL, NULL, NULL, NULL };
    char *at = copy;
    int i;

    if (equals) {
        *equals = '\0';
        upool_rules_text(rules, copy, strlen(equals + 1));
        return 0;
    }
    for (i = 0; i < 5 && at; i++) {
        char *colon = strchr(at, ':');

        word[i] = at;
        if (colon) {
            *colon++ = '\0';
        }
        at = colon;
    }
    file.field = word[0];
    file.filename = word[1];
    file.safe_filename = word[1];
    file.content_type = word[2] && *word[2] ? word[2] : NULL;
    if (upool_rules_file_begin(rules, &file) || upool_rules_file_size(rules, 1)
        || upool_rules_file_size(rules,
                                 word[3] ? strtol(word[3], NULL, 10) : 1)) {
        return 1;
    }
    if (!word[4]) {
        upool_rules_file_kept(rules);
    }
    return 0;
}

static const plan photo[] = { { "photo", 1, 2, 100, "jpg,png",
                                "image/*,application/pdf" },
                              { "title", 1, MANY, MANY, NULL, NULL },
                              { "note", 0, 0, MANY, NULL, NULL },
                              { NULL } };
static const plan images[] = {
    { "f", 0, MANY, MANY, NULL, "image/png,image/heic", "png,heic" }, { NULL }
};
static const plan named_only[] = { { "a", 0, MANY, MANY, NULL, NULL },
                                   { "*", 0, 0, MANY, NULL, NULL },
                                   { NULL } };
static const plan one_each[] = { { "*", 0, 1, 10, "txt", "text/plain" },
                                 { NULL } };
static const plan any_file[] = { { "f", 1, MANY, MANY, NULL, NULL }, { NULL } };
static const plan small[] = { { "f", 0, MANY, 10, NULL, NULL },
                              { "g", 1, MANY, MANY, NULL, NULL },
                              { NULL } };

typedef struct row {
    const plan *server;
    const plan *local;
    const char *parts; /* with blanks between them */
    upool_reason reason;
    const char *text; /* NULL: that of the reason */
} row;

#define GOOD UPOOL_REASON_NONE

/* clang-format off */
static const row rows[] = {
    { photo, NULL, "photo:a.jpg:image/jpeg:100 title=x", GOOD, NULL },
    { photo, NULL, "title=x photo:a.PNG:image/png:0 photo:b.jpg:application/pdf:1", GOOD, NULL },
    { photo, NULL, "photo:a.jpg:image/jpeg:101 title=x", UPOOL_REASON_FILE_TOO_LARGE,
      "Form field photo has a file that is too large" },
    { photo, NULL, "photo:a.gif:image/gif:1 title=x", UPOOL_REASON_EXTENSION,
      "Form field photo does not take files of this type" },
    { photo, NULL, "photo:a.php.jpg:image/jpeg:1 title=x", UPOOL_REASON_EXTENSION,
      "Form field photo does not take files of this type" },
    { photo, NULL, "photo:jpg:image/jpeg:1 title=x", UPOOL_REASON_EXTENSION,
      "Form field photo does not take files of this type" },
    { photo, NULL, "photo:a.jpg:text/html:1 title=x", UPOOL_REASON_FIELD_TYPE,
      "Form field photo does not take files of this type" },
    { photo, NULL, "photo:a.jpg::1 title=x", UPOOL_REASON_FIELD_TYPE,
      "Form field photo does not take files of this type" },
    { photo, NULL, "photo:a.jpg:imagex/jpeg:1 title=x", UPOOL_REASON_FIELD_TYPE,
      "Form field photo does not take files of this type" },
    { photo, NULL, "photo:a.jpg:application/pdfx:1 title=x", UPOOL_REASON_FIELD_TYPE,
      "Form field photo does not take files of this type" },
    { photo, NULL, "photo:a.jpg:image/x:1 photo:a.jpg:image/x:1 photo:a.jpg:image/x:1 title=x",
      UPOOL_REASON_FIELD_FILES, "Form field photo has too many files" },
    { photo, NULL, "title=x note:a:b/c:1", UPOOL_REASON_FIELD_FILES, "Form field note takes no file" },
    { photo, NULL, "title=x", UPOOL_REASON_FIELD_MISSING, "Form field photo is required" },
    { photo, NULL, "title=x photo=text", UPOOL_REASON_FIELD_MISSING, "Form field photo is required" },
    { photo, NULL, "title=x photo:a.jpg:image/jpeg:1:", UPOOL_REASON_FIELD_MISSING,
      "Form field photo is required" },
    { photo, NULL, "photo:a.jpg:image/jpeg:1", UPOOL_REASON_FIELD_MISSING, "Form field title is required" },
    { photo, NULL, "photo:a.jpg:image/jpeg:1 title=", UPOOL_REASON_FIELD_MISSING,
      "Form field title is required" },
    { photo, NULL, "photo:a.jpg:image/jpeg:1 Title=x", UPOOL_REASON_FIELD_MISSING,
      "Form field title is required" },
    { photo, NULL, "photo:a.jpg:image/jpeg:1 title= title=x", GOOD, NULL },
    /* Text is not asked for, but nothing says that a file will not do. */
    { photo, NULL, "photo:a.jpg:image/jpeg:1 title:a:b/c:1", GOOD, NULL },
    { photo, NULL, "photo:a.jpg:image/jpeg:1 title=x other:x.exe:a/b:1000", GOOD, NULL },
    { any_file, NULL, "f:x:a/b:1", GOOD, NULL },
    { any_file, NULL, "f=x", GOOD, NULL },
    { any_file, NULL, "", UPOOL_REASON_FIELD_MISSING, "Form field f is required" },
    /* What "*" says is said without the client's name. */
    { named_only, NULL, "a:x:y/z:1 a:x:y/z:1 b=text", GOOD, NULL },
    { named_only, NULL, "b:x:y/z:1", UPOOL_REASON_FIELD_FILES, NULL },
    { images, NULL, "f:x.png:image/png:1", GOOD, NULL },
    { images, NULL, "f:x.heic::1", GOOD, NULL },
    { images, NULL, "f:x.HEIC:application/octet-stream:1", GOOD, NULL },
    { images, NULL, "f:x.exe:application/octet-stream:1", UPOOL_REASON_FIELD_TYPE,
      "Form field f does not take files of this type" },
    { images, NULL, "f:x::1", UPOOL_REASON_FIELD_TYPE,
      "Form field f does not take files of this type" },
    { images, NULL, "f:x.png:text/html:1", UPOOL_REASON_FIELD_TYPE,
      "Form field f does not take files of this type" },
    { images, NULL, "f:x.php.png::1", UPOOL_REASON_FIELD_TYPE,
      "Form field f does not take files of this type" },
    { one_each, NULL, "a:x.txt:text/plain:10 b:x.txt:text/plain:10", GOOD, NULL },
    { one_each, NULL, "a:x.txt:text/plain:1 a:x.txt:text/plain:1", UPOOL_REASON_FIELD_FILES, NULL },
    { one_each, NULL, "a:x.txt:text/plain:11", UPOOL_REASON_FILE_TOO_LARGE, NULL },
    { one_each, NULL, "a:x.exe:text/plain:1", UPOOL_REASON_EXTENSION, NULL },
    { one_each, NULL, "a:x.txt:text/html:1", UPOOL_REASON_FIELD_TYPE, NULL },
    /* .htaccess: both must be kept. */
    { NULL, small, "f:x:y/z:11", UPOOL_REASON_FILE_TOO_LARGE, "Form field f has a file that is too large" },
    { any_file, small, "f:x:y/z:11 g=x", UPOOL_REASON_FILE_TOO_LARGE, "Form field f has a file that is too large" },
    { any_file, small, "g=x", UPOOL_REASON_FIELD_MISSING, "Form field f is required" },
    { any_file, small, "f=x", UPOOL_REASON_FIELD_MISSING, "Form field g is required" },
    { any_file, small, "f:x:y/z:10 g=x", GOOD, NULL },
    { small, any_file, "f:x:y/z:11 g=x", UPOOL_REASON_FILE_TOO_LARGE, "Form field f has a file that is too large" },
    { one_each, named_only, "b:x.txt:text/plain:1", UPOOL_REASON_FIELD_FILES, NULL },
    { one_each, named_only, "a:x.txt:text/plain:1", GOOD, NULL },
    { one_each, named_only, "a:x.txt:text/plain:1 a:x.txt:text/plain:1", UPOOL_REASON_FIELD_FILES, NULL },
};
/* clang-format on */

static void test_row(const row *r)
{
    upool_refusal refusal = upool_refusal_make(UPOOL_REASON_NONE, 0, NULL);
    upool_rule_lists lists;
    upool_rules *rules;
    char *last;
    char *part;
    int stop = 0;

    lists.list[0] = list_of(r->server);
    lists.list[1] = list_of(r->local);
    rules = upool_rules_make(&lists, &refusal, pool);
    for (part = apr_strtok(apr_pstrdup(pool, r->parts), " ", &last);
         part && !stop; part = apr_strtok(NULL, " ", &last)) {
        stop = bring(rules, part);
    }
    stop = stop || upool_rules_end(rules);
    tap_is_int(refusal.reason, r->reason, "%s", r->parts);
    tap_is_int(stop, r->reason != UPOOL_REASON_NONE, "says so");
    if (r->reason) {
        tap_is_str(refusal.text,
                   r->text ? r->text
                           : upool_refusal_make(r->reason, 0, NULL).text,
                   "and why");
    }
}

int main(void)
{
    upool_refusal refusal = upool_refusal_make(UPOOL_REASON_NONE, 0, NULL);
    upool_rule_lists none = { { NULL, NULL } };
    upool_extension_lists lists = { { NULL, NULL }, { NULL, NULL } };
    size_t i;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        test_row(&rows[i]);
    }
    tap_ok(!upool_rules_make(&none, &refusal, pool), "no rules cost nothing");
    tap_ok(upool_extensions_may_pass(&lists, "x.exe", "x.exe"),
           "no list takes everything");
    lists.allow[0] = words("png");
    tap_ok(!upool_extensions_may_pass(&lists, "x.php.png", "x.php.png"),
           "an inner one that servers run counts");
    apr_pool_destroy(pool);
    apr_terminate();
    return tap_done();
}
