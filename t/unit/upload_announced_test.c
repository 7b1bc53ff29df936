/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Digests that clients announce, of the content and of files. */
#include "upload/announced.h"

#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <tap.h>

#include "upload/digester.h"

/* Of "abc", FIPS 180 and RFC 1321. */
#define ABC_256 "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="
#define ABC_512 \
    "3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9" \
    "RU1EI2Q86A4qmslPpUyknw=="
#define ABC_256_HEX \
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define ABC_MD5 "900150983cd24fb0d6963f7d28e17f72"
#define ZERO_256 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static apr_pool_t *pool;

/* --- Of the content ------------------------------------------------------ */

typedef struct content_row {
    const char *content; /* Content-Digest; NULL: none */
    const char *repr;
    int checks; /* there is something to check */
    upool_reason reason;
} content_row;

#define GOOD UPOOL_REASON_NONE
#define OTHER UPOOL_REASON_DIGEST

static const content_row content_rows[] = {
    { NULL, NULL, 0, GOOD },
    { "md5=:AA==:", NULL, 0, GOOD },
    { "", "a", 0, GOOD },
    { "sha-256=:" ABC_256 ":", NULL, 1, GOOD },
    { NULL, "sha-256=:" ABC_256 ":", 1, GOOD },
    { "sha-512=:" ABC_512 ":", NULL, 1, GOOD },
    { "sha-256=:" ABC_256 ":, sha-512=:" ABC_512 ":", NULL, 1, GOOD },
    { "sha-256=:" ABC_256 ":", "sha-512=:" ABC_512 ":", 1, GOOD },
    { "sha-256=:" ABC_256 ":", "sha-256=:" ABC_256 ":", 1, GOOD },
    { "md5=:AA==:, sha-256=:" ABC_256 ":", NULL, 1, GOOD },
    { "sha-256=:" ZERO_256 ":", NULL, 1, OTHER },
    { NULL, "sha-256=:" ZERO_256 ":", 1, OTHER },
    { "sha-256=:" ZERO_256 ":", "sha-256=:" ABC_256 ":", 1, OTHER },
    { "sha-256=:" ABC_256 ":", "sha-256=:" ZERO_256 ":", 1, OTHER },
    { "sha-512=:" ABC_512 ":, sha-256=:" ZERO_256 ":", NULL, 1, OTHER },
};

static upool_digestfield *parse(const char *text)
{
    upool_digestfield *field = apr_palloc(pool, sizeof(*field));

    if (!text) {
        return NULL;
    }
    tap_is_int(upool_digestfield_parse(text, strlen(text), field), 0,
               "a good field");
    return field;
}

static void test_content(const content_row *row)
{
    upool_refusal refusal = upool_refusal_make(UPOOL_REASON_NONE, 0, NULL);
    upool_content_digests announced;
    upool_content_check *check;
    int stop;

    announced.content = parse(row->content);
    announced.repr = parse(row->repr);
    check = upool_content_check_make(&announced, &refusal, pool);
    tap_is_int(check != NULL, row->checks, "%s | %s",
               row->content ? row->content : "-", row->repr ? row->repr : "-");
    if (!check) {
        return;
    }
    tap_ok(!upool_content_check_data(check, "a", 1)
               && !upool_content_check_data(check, "", 0)
               && !upool_content_check_data(check, "bc", 2),
           "takes the content");
    stop = upool_content_check_end(check);
    tap_is_int(stop, row->reason != GOOD, "its verdict");
    tap_is_int(refusal.reason, row->reason, "and the reason");
}

/* --- Of files ------------------------------------------------------------ */

typedef struct file_row {
    /* d=VALUE: the announcing field, f:BYTES: a file, x=VALUE: another
     * field */
    const char *parts[6];
    int stops; /* at that part, 9: at the end, -1: never */
    upool_reason reason;
} file_row;

#define DIFFERS UPOOL_REASON_FILE_DIGEST
#define SYNTAX UPOOL_REASON_FILE_DIGEST_SYNTAX

/* clang-format off */
static const file_row file_rows[] = {
    { { NULL }, -1, GOOD },
    { { "f:abc" }, -1, GOOD },
    { { "d=sha-256=" ABC_256_HEX, "f:abc" }, -1, GOOD },
    { { "d=SHA-256=:" ABC_256 ":\r\n", "f:abc" }, -1, GOOD },
    { { "d=md5=" ABC_MD5, "f:abc" }, -1, GOOD },
    { { "f:abc", "d=sha-256=" ABC_256_HEX }, -1, GOOD },
    { { "f:abc", "x=y", "d=md5=" ABC_MD5 }, -1, GOOD },
    { { "d=md5=" ABC_MD5, "x=md5=00", "f:abc" }, -1, GOOD },
    { { "d=sha-256=" ABC_256_HEX, "f:abd" }, 1, DIFFERS },
    { { "d=md5=" ABC_MD5, "f:" }, 1, DIFFERS },
    { { "f:abd", "d=md5=" ABC_MD5 }, 1, DIFFERS },
    { { "f:ab", "d=sha-256=" ABC_256_HEX }, 1, DIFFERS },
    /* Several, in order. */
    { { "d=md5=" ABC_MD5, "d=sha-256=" ABC_256_HEX, "f:abc", "f:abc" }, -1, GOOD },
    { { "d=md5=" ABC_MD5, "f:abc", "f:anything" }, -1, GOOD },
    { { "f:abc", "f:abc", "d=md5=" ABC_MD5, "d=md5=" ABC_MD5 }, -1, GOOD },
    { { "f:abc", "d=md5=" ABC_MD5, "f:abc", "d=sha-256=" ABC_256_HEX }, -1, GOOD },
    { { "f:abc", "d=md5=" ABC_MD5, "d=sha-256=" ABC_256_HEX, "f:abc" }, -1, GOOD },
    { { "f:abc", "f:x", "d=md5=" ABC_MD5, "d=md5=" ABC_MD5 }, 3, DIFFERS },
    { { "d=md5=" ABC_MD5, "d=md5=" ABC_MD5, "f:abc", "f:x" }, 3, DIFFERS },
    { { "f:x", "f:abc", "d=md5=" ABC_MD5 }, 2, DIFFERS },
    { { "d=", "f:x" }, -1, GOOD },
    { { "d=", "d=md5=" ABC_MD5, "f:abc" }, -1, GOOD },
    /* Announced, but it never came. */
    { { "d=md5=" ABC_MD5 }, 9, DIFFERS },
    { { "f:abc", "d=md5=" ABC_MD5, "d=md5=" ABC_MD5 }, 9, DIFFERS },
    /* No digest. */
    { { "d=x", "f:abc" }, 0, SYNTAX },
    { { "d=sha-512=:" ABC_512 ":", "f:abc" }, 0, SYNTAX },
    { { "d=" ABC_256_HEX, "f:abc" }, 0, SYNTAX },
    { { "d=sha-256=" ABC_MD5, "f:abc" }, 0, SYNTAX },
    { { "d=md5=" ABC_256_HEX, "f:abc" }, 0, SYNTAX },
    { { "f:abc", "d= " }, 1, SYNTAX },
};
/* clang-format on */

static int bring(upool_file_check *check, const char *part)
{
    upool_field field;

    if (part[1] == ':') {
        const char *at;
        int stop = upool_file_check_begin(check);

        for (at = part + 2; *at && !stop; at++) {
            stop = upool_file_check_data(check, at, 1);
        }
        return stop || upool_file_check_end(check);
    }
    field.name = apr_pstrmemdup(pool, part, 1);
    field.value = part + 2;
    field.len = strlen(part + 2);
    return upool_file_check_field(check, &field);
}

/* TAP has one line for a test. */
static const char *one_line(const char *text)
{
    char *copy = apr_pstrdup(pool, text);
    char *c;

    for (c = copy; *c; c++) {
        *c = *c < ' ' ? '.' : *c;
    }
    return copy;
}

static void test_files(const file_row *row)
{
    upool_refusal refusal = upool_refusal_make(UPOOL_REASON_NONE, 0, NULL);
    upool_file_check *check = upool_file_check_make("d", &refusal, pool);
    const char *all = "";
    int stopped = -1;
    int i;

    for (i = 0; i < 6 && row->parts[i] && stopped < 0; i++) {
        all = apr_pstrcat(pool, all, " ", row->parts[i], NULL);
        if (bring(check, row->parts[i])) {
            stopped = i;
        }
    }
    if (stopped < 0 && upool_file_check_finish(check)) {
        stopped = 9;
    }
    tap_is_int(stopped, row->stops, "%.120s", one_line(all));
    tap_is_int(refusal.reason, row->reason, "and why");
}

/* --- One digest ---------------------------------------------------------- */

static void test_digester(void)
{
    static const char text[] = "123456789";
    upool_digester *d = upool_digester_make("CRC32", pool);
    unsigned char value[UPOOL_DIGESTER_MAX];
    apr_size_t split;

    tap_is_str(upool_digester_name(d), "crc32", "its name");
    tap_ok(!upool_digester_make("sha-3", pool), "not known");
    tap_is_str(upool_digester_known("Sha-512"), "sha-512", "known");
    /* The check value of the polynomial, cut at every place. */
    for (split = 0; split <= 9; split++) {
        tap_ok(!upool_digester_begin(d)
                   && !upool_digester_update(d, text, split)
                   && !upool_digester_update(d, text + split, 9 - split)
                   && upool_digester_end(d, value) == 4
                   && !memcmp(value, "\xCB\xF4\x39\x26", 4),
               "crc32, cut at %d", (int)split);
    }
    d = upool_digester_make("md5", pool);
    tap_ok(!upool_digester_begin(d) && !upool_digester_update(d, "x", 1)
               && !upool_digester_begin(d) && upool_digester_end(d, value) == 16
               && !memcmp(value, "\xD4\x1D\x8C\xD9", 4),
           "begun again it has forgotten everything");
}

int main(void)
{
    upool_refusal refusal = upool_refusal_make(UPOOL_REASON_NONE, 0, NULL);
    size_t i;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    for (i = 0; i < sizeof(content_rows) / sizeof(content_rows[0]); i++) {
        test_content(&content_rows[i]);
    }
    for (i = 0; i < sizeof(file_rows) / sizeof(file_rows[0]); i++) {
        test_files(&file_rows[i]);
    }
    tap_ok(!upool_file_check_make(NULL, &refusal, pool), "no field, no check");
    test_digester();
    apr_pool_destroy(pool);
    apr_terminate();
    return tap_done();
}
