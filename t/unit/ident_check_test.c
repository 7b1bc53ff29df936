/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Checking and signing of identifiers: what is taken, and that every kind of
 * forgery is not. */
#include "ident/ident.h"

#include <stdio.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <tap.h>

#define ID "0190a5b2-7c11-7def-8123-456789abcdef"

static upool_keys *keys_of(apr_pool_t *p, const char *one, const char *two)
{
    upool_keys *keys = upool_keys_make(p);

    upool_keys_add(keys, one, strlen(one));
    if (two) {
        upool_keys_add(keys, two, strlen(two));
    }
    return keys;
}

/* The verdict; and that a refused text leaves no identifier behind. */
static void is_verdict(const char *text, const upool_keys *keys, int want,
                       const char *name)
{
    char id[UPOOL_IDENT_MAX + 1] = "left over";
    int got = (int)upool_ident_check(text, keys, id);

    tap_ok(got == want && (want == UPOOL_IDENT_GOOD) == (id[0] != '\0'),
           "%s: %d", name, want);
}

static void test_pattern(apr_pool_t *p)
{
    static const char *const bad[] = {
        "",      ".",       "..",   "../../etc", "a/b",   "/",     "a\\b",
        "a.b",   ".hidden", "a b",  " a",        "a ",    "a\n",   "a\r\n",
        "a%2f",  "%2e%2e",  "a_b",  "a+b",       "a\x7f", "a\x01", "\xc3\xa9",
        "a\xff", "a;b",     "a,b",  "a'b",       "a\"b",  "a<b",   "a&b",
        "a=b",   "a*b",     "~a",   "a$b",       "a{b",   "a@b",   "[a]",
        "a|b",   ":",       ":abc", "a/:b",      "..:",   "a`b",   "a?b",
    };
    upool_keys *keys = keys_of(p, "a key of twenty-odd bytes", NULL);
    char text[UPOOL_IDENT_MAX + 8], name[80];
    size_t n;
    int c, taken = 0;

    for (n = 0; n < sizeof(bad) / sizeof(*bad); n++) {
        apr_snprintf(name, sizeof(name), "pattern %u, no key", (unsigned)n);
        is_verdict(bad[n], NULL, UPOOL_IDENT_MALFORMED, name);
        apr_snprintf(name, sizeof(name), "pattern %u, key", (unsigned)n);
        is_verdict(bad[n], keys, UPOOL_IDENT_MALFORMED, name);
    }
    is_verdict(NULL, NULL, UPOOL_IDENT_MALFORMED, "no text");
    is_verdict("a", NULL, UPOOL_IDENT_GOOD, "one letter");
    is_verdict("-", NULL, UPOOL_IDENT_GOOD, "one hyphen");
    is_verdict("AZaz09-", NULL, UPOOL_IDENT_GOOD, "the ends of the ranges");
    memset(text, 'x', sizeof(text));
    text[UPOOL_IDENT_MAX] = '\0';
    is_verdict(text, NULL, UPOOL_IDENT_GOOD, "64 letters");
    text[UPOOL_IDENT_MAX] = ':';
    text[UPOOL_IDENT_MAX + 1] = '\0';
    is_verdict(text, NULL, UPOOL_IDENT_UNEXPECTED, "64 letters and a colon");
    text[UPOOL_IDENT_MAX] = 'x';
    is_verdict(text, NULL, UPOOL_IDENT_MALFORMED, "65 letters");
    text[UPOOL_IDENT_MAX + 1] = ':';
    text[UPOOL_IDENT_MAX + 2] = '\0';
    is_verdict(text, keys, UPOOL_IDENT_MALFORMED, "65 letters and a colon");
    for (c = 1; c < 256; c++) {
        char id[UPOOL_IDENT_MAX + 1];

        text[0] = (char)c;
        text[1] = '\0';
        taken += upool_ident_check(text, NULL, id) == UPOOL_IDENT_GOOD;
    }
    tap_is_int(taken, 26 + 26 + 10 + 1, "of all bytes, those 63 are taken");
}

static void test_signed(apr_pool_t *p)
{
    upool_keys *keys = keys_of(p, "a key of twenty-odd bytes", NULL);
    upool_keys *none = upool_keys_make(p);
    char text[UPOOL_IDENT_TEXT_MAX + 1], id[UPOOL_IDENT_MAX + 1];
    char longest[UPOOL_IDENT_MAX + 2];

    tap_is_int(upool_ident_sign(text, ID, keys), APR_SUCCESS, "signed");
    tap_is_int(strlen(text), strlen(ID) + 1 + UPOOL_SIGNATURE_LEN,
               "ID, colon and 64 digits");
    tap_is_int(upool_ident_check(text, keys, id), UPOOL_IDENT_GOOD, "is good");
    tap_is_str(id, ID, "and gives the bare identifier");
    is_verdict(text, NULL, UPOOL_IDENT_UNEXPECTED, "signed, without keys");
    is_verdict(text, none, UPOOL_IDENT_UNEXPECTED, "signed, with no key");
    is_verdict(ID, keys, UPOOL_IDENT_UNSIGNED, "unsigned");
    tap_is_int(upool_ident_sign(text, ID, none), APR_SUCCESS,
               "signed with no key");
    tap_is_str(text, ID, "it is the bare identifier");
    tap_is_int(upool_ident_sign(text, "../x", keys), APR_EINVAL,
               "what is no identifier is not signed");
    tap_is_str(text, "", "and leaves no text");
    memset(longest, 'L', sizeof(longest) - 1);
    longest[UPOOL_IDENT_MAX + 1] = '\0';
    tap_is_int(upool_ident_sign(text, longest, keys), APR_EINVAL,
               "65 letters are not signed");
    longest[UPOOL_IDENT_MAX] = '\0';
    tap_is_int(upool_ident_sign(text, longest, keys), APR_SUCCESS, "64 are");
    tap_is_int(strlen(text), UPOOL_IDENT_TEXT_MAX, "the longest text there is");
    is_verdict(text, keys, UPOOL_IDENT_GOOD, "which is good");
    /* What two lines of Python give an application that holds the key. */
    is_verdict(
        "upload-1:"
        "11498bc845a68ecc7dee13d74ab22a0ff519efd61f2922f974bab24d3996c147",
        keys, UPOOL_IDENT_GOOD, "signed by an application");
}

static void test_rotation(apr_pool_t *p)
{
    upool_keys *old = keys_of(p, "the key of last month....", NULL);
    upool_keys *both =
        keys_of(p, "the key of this month....", "the key of last month....");
    upool_keys *fresh = keys_of(p, "the key of this month....", NULL);
    char text[UPOOL_IDENT_TEXT_MAX + 1];

    upool_ident_sign(text, ID, old);
    is_verdict(text, both, UPOOL_IDENT_GOOD, "the second key verifies");
    is_verdict(text, fresh, UPOOL_IDENT_FORGED, "until it is taken away");
    upool_ident_sign(text, ID, both);
    is_verdict(text, both, UPOOL_IDENT_GOOD, "the first key verifies");
    is_verdict(text, fresh, UPOOL_IDENT_GOOD, "and was the one that signed");
    is_verdict(text, old, UPOOL_IDENT_FORGED, "which the old set is without");
}

/* Every hex digit of the signature changed, every other letter of the
 * identifier, every length. */
static void test_forged(apr_pool_t *p)
{
    upool_keys *keys = keys_of(p, "a key of twenty-odd bytes",
                               "and one more, for good measure");
    char good[UPOOL_IDENT_TEXT_MAX + 1], text[UPOOL_IDENT_TEXT_MAX + 1];
    char id[UPOOL_IDENT_MAX + 1], name[80];
    size_t at, bit, len, passed = 0, tried = 0;

    upool_ident_sign(good, ID, keys);
    len = strlen(good);
    for (at = strlen(ID) + 1; at < len; at++) {
        memcpy(text, good, len + 1);
        text[at] = good[at] == '0' ? '1' : '0';
        apr_snprintf(name, sizeof(name), "digit %u changed",
                     (unsigned)(at - strlen(ID) - 1));
        is_verdict(text, keys, UPOOL_IDENT_FORGED, name);
    }
    for (at = 0; at < len; at++) {
        for (bit = 0; bit < 8; bit++) {
            memcpy(text, good, len + 1);
            text[at] = (char)(text[at] ^ (1 << bit));
            passed += upool_ident_check(text, keys, id) == UPOOL_IDENT_GOOD;
            tried++;
        }
    }
    tap_is_int(passed, 0, "none of %u flipped bits passes", (unsigned)tried);
    for (at = strlen(ID) + 1, passed = 0; at < len; at++) {
        memcpy(text, good, at);
        text[at] = '\0';
        passed += upool_ident_check(text, keys, id) != UPOOL_IDENT_FORGED;
    }
    tap_is_int(passed, 0, "no truncated signature passes");
}

static void test_forms(apr_pool_t *p)
{
    upool_keys *keys = keys_of(p, "a key of twenty-odd bytes", NULL);
    upool_keys *other = keys_of(p, "the key of another pool..", NULL);
    char good[UPOOL_IDENT_TEXT_MAX + 1];
    const char *sig = good + strlen(ID) + 1;
    char *text;

    upool_ident_sign(good, ID, other);
    is_verdict(good, keys, UPOOL_IDENT_FORGED, "another pool's key");
    upool_ident_sign(good, ID, keys);
    text = apr_pstrdup(p, good);
    for (text = text + strlen(ID); *text; text++) {
        if (*text >= 'a' && *text <= 'f') {
            *text = (char)(*text - 'a' + 'A');
        }
    }
    text -= strlen(good);
    is_verdict(text, keys, UPOOL_IDENT_FORGED, "upper-case hex");
    is_verdict(ID ":", keys, UPOOL_IDENT_FORGED, "empty signature");
    is_verdict(apr_pstrcat(p, good, "0", NULL), keys, UPOOL_IDENT_FORGED,
               "a digit more");
    is_verdict(apr_pstrcat(p, good, " ", NULL), keys, UPOOL_IDENT_FORGED,
               "a blank after it");
    is_verdict(apr_pstrcat(p, good, "\n", NULL), keys, UPOOL_IDENT_FORGED,
               "a line end after it");
    is_verdict(apr_pstrcat(p, good, ":", NULL), keys, UPOOL_IDENT_FORGED,
               "a colon after it");
    is_verdict(apr_pstrcat(p, good, ",", good, NULL), keys, UPOOL_IDENT_FORGED,
               "doubled with a comma");
    is_verdict(apr_pstrcat(p, good, ":", sig, NULL), keys, UPOOL_IDENT_FORGED,
               "two signatures");
    is_verdict(apr_pstrcat(p, ID, "::", sig, NULL), keys, UPOOL_IDENT_FORGED,
               "two colons");
    is_verdict(apr_pstrcat(p, ID, ": ", sig, NULL), keys, UPOOL_IDENT_FORGED,
               "a blank before it");
    is_verdict(apr_pstrcat(p, ID, ":0x", sig, NULL), keys, UPOOL_IDENT_FORGED,
               "0x before it");
    is_verdict(apr_pstrcat(p, ID, ":", ID, NULL), keys, UPOOL_IDENT_FORGED,
               "the identifier itself");
    is_verdict(apr_pstrcat(p, ID, ":sha256=", sig, NULL), keys,
               UPOOL_IDENT_FORGED, "the form of the other header");
    is_verdict(apr_pstrcat(p, "x", good, NULL), keys, UPOOL_IDENT_FORGED,
               "a letter before the identifier");
    is_verdict(apr_pstrcat(p, ID "-", ":", sig, NULL), keys, UPOOL_IDENT_FORGED,
               "a letter after the identifier");
    is_verdict(apr_pstrcat(p, "0190A5B2", good + 8, NULL), keys,
               UPOOL_IDENT_FORGED, "the identifier in upper case");
    is_verdict(apr_pstrcat(p, "../", good, NULL), keys, UPOOL_IDENT_MALFORMED,
               "a path before a good one");
    is_verdict(sig, keys, UPOOL_IDENT_UNSIGNED, "the signature alone");
    is_verdict(sig - 1, keys, UPOOL_IDENT_MALFORMED, "no identifier");
    is_verdict(ID ":0000000000000000000000000000000000000000000000000000000000"
                  "000000",
               keys, UPOOL_IDENT_FORGED, "zeros");
    is_verdict(apr_psprintf(p, "%s:%0500000d", ID, 0), keys, UPOOL_IDENT_FORGED,
               "half a megabyte");
}

/* I1: Every byte counts. */
int main(void)
{
    apr_pool_t *p;

    apr_initialize();
    apr_pool_create(&p, NULL);
    test_pattern(p);
    test_signed(p);
    test_rotation(p);
    test_forged(p);
    test_forms(p);
    apr_pool_destroy(p);
    apr_terminate();
    return tap_done();
}
