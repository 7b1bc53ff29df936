/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* The table of the built-in handlers: who is in it, in which order, and who has
 * nothing to do where no directive speaks. */
#include "handlers/builtin.h"

#include <string.h>

#include <apr_general.h>
#include <tap.h>

static apr_pool_t *pool;

static void test_find(void)
{
    const upool_builtin *const *b;

    for (b = upool_builtins; *b; b++) {
        const char *name = (*b)->handler->name;

        tap_ok(upool_builtin_find(name) == *b, "%s is found", name);
    }
    tap_ok(upool_builtin_find("Spool") == upool_builtin_find("spool"),
           "in any letter case");
    tap_ok(!upool_builtin_find("spoo"), "and by its whole name");
}

static void test_order(void)
{
    const upool_builtin *const *b;
    int guards = 0;
    int late = 0;
    int others = 0;

    for (b = upool_builtins; *b; b++) {
        guards += (*b)->guards;
        others += !(*b)->guards;
        late += (*b)->guards && others;
    }
    tap_is_int(guards, 3, "accept, sniff and clamd guard");
    tap_is_int(late, 0, "and stand before all others");
    tap_is_str(b[-1]->handler->name, "spool", "the last one keeps every file");
}

/* Who makes an instance, by what the directives say. */
static const char *made(const upool_builtin_settings *settings)
{
    static char names[128];
    upool_refusal refusal = UPOOL_NO_REFUSAL;
    apr_int64_t memory = 1000;
    upool_handler_site site = { NULL, &refusal, &memory, NULL, pool };
    const upool_builtin *const *b;

    names[0] = '\0';
    for (b = upool_builtins; *b; b++) {
        if ((*b)->make(settings, &site)) {
            strcat(names, (*b)->handler->name);
            strcat(names, " ");
        }
    }
    return names;
}

static void test_settings(void)
{
    upool_builtin_settings settings;
    upool_extension_lists accept;
    apr_array_header_t *digests = apr_array_make(pool, 1, sizeof(char *));

    memset(&settings, 0, sizeof(settings));
    memset(&accept, 0, sizeof(accept));
    tap_is_str(made(&settings), "spool ", "without a word, spool alone");
    settings.accept = &accept;
    settings.sniff = UPOOL_SNIFF_ON;
    settings.inline_size = 1;
    tap_is_str(made(&settings), "accept sniff inline spool ",
               "who is told of has something to do");
    APR_ARRAY_PUSH(digests, const char *) = "md5";
    settings.digests = digests;
    settings.accept = NULL;
    tap_is_str(made(&settings), "sniff digest inline spool ", "each by itself");
}

int main(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    test_find();
    test_order();
    test_settings();
    apr_pool_destroy(pool);
    apr_terminate();
    return tap_done();
}
