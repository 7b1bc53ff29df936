/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* What a key file may hold. */
#include "ident/keyfile.h"

#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <tap.h>

#define SIXTEEN "0123456789abcdef"
#define LONGER "0123456789abcdef0123456789abcdef-and-more"

static apr_pool_t *pool;

/* Reads text; *count is how many keys there are then. */
static const char *read_text(const char *text, int *count, apr_size_t *shortest)
{
    upool_keys *keys = upool_keys_make(pool);
    char name[] = "/tmp/upool-keys-XXXXXX";
    apr_size_t len = strlen(text);
    const char *error = "no file";
    apr_off_t start = 0;
    apr_file_t *file;

    if (!apr_file_mktemp(&file, name, 0, pool)) {
        apr_file_write(file, text, &len);
        apr_file_seek(file, APR_SET, &start);
        error = upool_keyfile_read(keys, file, shortest);
        apr_file_close(file);
    }
    *count = upool_keys_count(keys);
    return error;
}

static void good(const char *text, int expected, apr_size_t least)
{
    apr_size_t shortest = 99;
    int count;

    tap_is_str(read_text(text, &count, &shortest), NULL, "it is taken");
    tap_is_int(count, expected, "%d keys", expected);
    tap_is_int((long long)shortest, (long long)least, "the shortest has %d",
               (int)least);
}

static void bad(const char *text, const char *why)
{
    apr_size_t shortest;
    int count;

    tap_is_str(read_text(text, &count, &shortest), why, "refused: %s", why);
}

static const char *repeat(const char *text, int times)
{
    const char *all = "";

    while (times--) {
        all = apr_pstrcat(pool, all, text, NULL);
    }
    return all;
}

/* The key that is added is the text between the blanks, nothing else. */
static void test_value(void)
{
    upool_keys *keys = upool_keys_make(pool);
    apr_size_t shortest;
    char name[] = "/tmp/upool-keys-XXXXXX";
    const char *text = "# first\n\n \t" LONGER " \r\n";
    apr_size_t len = strlen(text);
    apr_off_t start = 0;
    upool_keys *same = upool_keys_make(pool);
    char hex[65];
    char other[65];
    apr_file_t *file;

    apr_file_mktemp(&file, name, 0, pool);
    apr_file_write(file, text, &len);
    apr_file_seek(file, APR_SET, &start);
    upool_keyfile_read(keys, file, &shortest);
    apr_file_close(file);
    upool_keys_add(same, LONGER, strlen(LONGER));
    upool_keys_hmac(keys, 0, "x", 1, hex);
    upool_keys_hmac(same, 0, "x", 1, other);
    tap_is_int((long long)strlen(hex), 64, "a key");
    tap_is_str(hex, other, "blanks around a key do not count");
}

int main(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    good(SIXTEEN, 1, 16);
    good(LONGER "\n" SIXTEEN "\n", 2, 16);
    good(SIXTEEN "\n#comment\n\n   \n" LONGER, 2, 16);
    good(LONGER "\r\n", 1, strlen(LONGER));
    good(repeat(SIXTEEN "\n", 16), 16, 16);
    good(apr_pstrcat(pool, repeat(SIXTEEN, 64), "\n", NULL), 1, 1024);
    bad("", "has no key in its file");
    bad("# nothing\n\n", "has no key in its file");
    bad("short\n", "needs a secret of at least 16 bytes");
    bad(SIXTEEN "\nshort\n", "needs a secret of at least 16 bytes");
    bad(repeat(SIXTEEN "\n", 17), "has more keys than fit (16)");
    bad(apr_pstrcat(pool, repeat(SIXTEEN, 64), "x\n", NULL),
        "has a line of more than 1024 bytes");
    bad(repeat(SIXTEEN, 4096), "has a line of more than 1024 bytes");
    tap_is_str(upool_keyfile_reason(APR_SUCCESS), NULL, "no reason");
    tap_is_str(upool_keyfile_reason(APR_EGENERAL),
               "has a key that OpenSSL does not take", "OpenSSL's");
    test_value();
    apr_pool_destroy(pool);
    apr_terminate();
    return tap_done();
}
