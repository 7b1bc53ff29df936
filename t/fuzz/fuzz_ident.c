/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* upool_ident_check() on any text, without keys and with two: whatever is
 * good is an identifier by the pattern, and is good again once signed; with
 * keys nothing is good that was not signed. */
#include "ident/ident.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Made anew for each input: that they are freed with their pool is one of the
 * things that the leak checker is to see. */
static upool_keys *keys_make(apr_pool_t **p)
{
    upool_keys *keys;

    apr_initialize();
    apr_pool_create(p, NULL);
    keys = upool_keys_make(*p);
    upool_keys_add(keys, "the fuzzer's own first key", 26);
    upool_keys_add(keys, "the fuzzer's own second key", 27);
    return keys;
}

static void must(int cond)
{
    if (!cond) {
        abort();
    }
}

static void is_pattern(const char *id)
{
    size_t len =
        strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                   "0123456789-");

    must(len >= 1 && len <= UPOOL_IDENT_MAX && id[len] == '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *p;
    const upool_keys *keys = keys_make(&p);
    char id[UPOOL_IDENT_MAX + 1], again[UPOOL_IDENT_MAX + 1];
    char signed_text[UPOOL_IDENT_TEXT_MAX + 1];
    char *text = malloc(size + 1);
    upool_ident_verdict bare, keyed;

    must(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    bare = upool_ident_check(text, NULL, id);
    keyed = upool_ident_check(text, keys, again);
    must((bare == UPOOL_IDENT_MALFORMED) == (keyed == UPOOL_IDENT_MALFORMED));
    must((bare == UPOOL_IDENT_GOOD) == (keyed == UPOOL_IDENT_UNSIGNED));
    must((again[0] != '\0') == (keyed == UPOOL_IDENT_GOOD));
    if (bare == UPOOL_IDENT_GOOD) {
        is_pattern(id);
        must(strcmp(id, text) == 0);
        must(upool_ident_sign(signed_text, id, keys) == APR_SUCCESS);
        must(upool_ident_check(signed_text, keys, again) == UPOOL_IDENT_GOOD);
        must(strcmp(id, again) == 0);
        must(upool_ident_time(id) >= 0);
    }
    else {
        must(id[0] == '\0');
    }
    if (keyed == UPOOL_IDENT_GOOD) {
        is_pattern(again);
        must(upool_ident_sign(signed_text, again, keys) == APR_SUCCESS);
        /* Good under the second key would differ from this by its digits. */
        must(strncmp(signed_text, text, strlen(again) + 1) == 0);
        must(strlen(signed_text) == strlen(text));
    }
    free(text);
    apr_pool_destroy(p);
    apr_terminate();
    return 0;
}
