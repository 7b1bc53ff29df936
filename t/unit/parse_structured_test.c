/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Structured fields (RFC 9651): items and dictionaries. */
#include "parse/structured.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>

#define BAD 0 /* no such type: the field is none */

static const struct {
    const char *text;
    int type;
    long long number;
} items[] = {
    /* Upload-Complete */
    { "?1", UPOOL_STRUCTURED_BOOLEAN, 1 },
    { "?0", UPOOL_STRUCTURED_BOOLEAN, 0 },
    { "  ?1  ", UPOOL_STRUCTURED_BOOLEAN, 1 },
    { "?1;a=2;b", UPOOL_STRUCTURED_BOOLEAN, 1 },
    { "?2", BAD, 0 },
    { "?", BAD, 0 },
    { "?1 ?1", BAD, 0 },
    { "?1, ?1", BAD, 0 },
    { "?1,", BAD, 0 },
    { "?10", BAD, 0 },
    { "? 1", BAD, 0 },
    { "\t?1", BAD, 0 },
    { "?1\t", BAD, 0 },
    { "true", UPOOL_STRUCTURED_TOKEN, 0 },
    { "\"?1\"", UPOOL_STRUCTURED_STRING, 0 },
    /* Upload-Offset, Upload-Length */
    { "0", UPOOL_STRUCTURED_INTEGER, 0 },
    { "-0", UPOOL_STRUCTURED_INTEGER, 0 },
    { "1", UPOOL_STRUCTURED_INTEGER, 1 },
    { "-1", UPOOL_STRUCTURED_INTEGER, -1 },
    { "007", UPOOL_STRUCTURED_INTEGER, 7 },
    { "100;x=y", UPOOL_STRUCTURED_INTEGER, 100 },
    { "999999999999999", UPOOL_STRUCTURED_INTEGER, 999999999999999LL },
    { "-999999999999999", UPOOL_STRUCTURED_INTEGER, -999999999999999LL },
    { "000000000000001", UPOOL_STRUCTURED_INTEGER, 1 },
    { "1000000000000000", BAD, 0 },
    { "0000000000000001", BAD, 0 },
    { "9223372036854775807", BAD, 0 },
    { "9223372036854775808", BAD, 0 },
    { "18446744073709551616", BAD, 0 },
    { "+5", BAD, 0 },
    { "--5", BAD, 0 },
    { "-", BAD, 0 },
    { "5, 5", BAD, 0 },
    { "5,5", BAD, 0 },
    { "5 5", BAD, 0 },
    { "5;", BAD, 0 },
    { "5;a=", BAD, 0 },
    { "5 ;a", BAD, 0 },
    { "5;A=1", BAD, 0 },
    { "5x", BAD, 0 },
    { "0x5", BAD, 0 },
    { "5e3", BAD, 0 },
    { "", BAD, 0 },
    { "   ", BAD, 0 },
    { "5.0", UPOOL_STRUCTURED_DECIMAL, 0 },
    { "5.", BAD, 0 },
    { ".5", BAD, 0 },
    { "5.1234", BAD, 0 },
    { "1234567890123.1", BAD, 0 },
    { "(5)", BAD, 0 },
    /* The other types */
    { "\"5\"", UPOOL_STRUCTURED_STRING, 0 },
    { "\"a \\\"b\\\" \\\\\"", UPOOL_STRUCTURED_STRING, 0 },
    { "\"a", BAD, 0 },
    { "\"\\a\"", BAD, 0 },
    { "five", UPOOL_STRUCTURED_TOKEN, 0 },
    { "*a/b:c", UPOOL_STRUCTURED_TOKEN, 0 },
    { ":YQ==:", UPOOL_STRUCTURED_BYTES, 0 },
    { ":YQ", BAD, 0 },
    { "@1700000000", UPOOL_STRUCTURED_DATE, 1700000000LL },
    { "@-1", UPOOL_STRUCTURED_DATE, -1 },
    { "@1.5", BAD, 0 },
    { "@", BAD, 0 },
    { "%\"f%c3%bc\"", UPOOL_STRUCTURED_DISPLAY, 0 },
    { "%\"f%C3\"", BAD, 0 },
    { "%\"f%c3%bC\"", BAD, 0 },
    { "%\"f%c3", BAD, 0 },
    { "%\"f\x01\"", BAD, 0 },
    { "%\"f\x7f\"", BAD, 0 },
    { "%\"f", BAD, 0 },
    { "%f", BAD, 0 },
    { "\"f\x7f\"", BAD, 0 },
    { "\"f\x01\"", BAD, 0 },
    { "\xC3\xBC", BAD, 0 },
};

static const struct {
    const char *text;
    const char *want; /* key=type:number each; NULL: no dictionary */
} dictionaries[] = {
    { "", "" },
    { "   ", "" },
    { "max-size=10", "max-size=1:10 " },
    { "max-size=10, min-size=0,\tmax-age=3600 ",
      "max-size=1:10 min-size=1:0 max-age=1:3600 " },
    { "a;x=1, b=?0;y, c", "a=6:1 b=6:0 c=6:1 " },
    { "a=1, a=2", "a=1:1 a=1:2 " },
    { "a=(1 \"b=2\" c);d, *e=@5", "a=9:0 *e=7:5 " },
    { "a=:YQ==:, b=1.5, c=t", "a=5:0 b=2:0 c=4:0 " },
    { "a=1,", NULL },
    { "a=1, ", NULL },
    { "a=1,,b=2", NULL },
    { ",a=1", NULL },
    { "a=1 b=2", NULL },
    { "a =1", NULL },
    { "a= 1", NULL },
    { "A=1", NULL },
    { "1=a", NULL },
    { "a=", NULL },
    { "a=(1", NULL },
    { "a=(1,2)", NULL },
    { "a=((1))", NULL },
    { "a=1000000000000000", NULL },
    { "a=1, b=\xFF", NULL },
};

/* A copy without a byte behind it, so that a sanitizer sees every byte too
 * many that is read. */
static char *exact(const char *text, size_t len)
{
    char *copy = malloc(len ? len : 1);

    memcpy(copy, text, len);
    return copy;
}

static void test_items(void)
{
    size_t i;

    for (i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
        size_t len = strlen(items[i].text);
        char *copy = exact(items[i].text, len);
        upool_structured_value value;
        int error = upool_structured_item(copy, len, &value);

        if (tap_is_int(error, items[i].type ? 0 : -1, "item '%s'",
                       items[i].text)
            && !error) {
            tap_is_int((int)value.type, items[i].type, "its type");
            tap_ok(value.number == items[i].number, "its number");
        }
        free(copy);
    }
}

static int read_all(const char *text, size_t len, char *out, size_t size)
{
    upool_structured reader;
    upool_structured_member member;
    size_t at = 0;
    int found;

    out[0] = '\0';
    upool_structured_open(&reader, text, len);
    while ((found = upool_structured_next(&reader, &member)) > 0) {
        at += (size_t)snprintf(out + at, size - at, "%.*s=%d:%lld ",
                               (int)member.key_len, member.key,
                               (int)member.value.type, member.value.number);
    }
    return found;
}

static void test_dictionaries(void)
{
    size_t i;

    for (i = 0; i < sizeof(dictionaries) / sizeof(dictionaries[0]); i++) {
        const char *text = dictionaries[i].text;
        const char *want = dictionaries[i].want;
        size_t len = strlen(text);
        char *copy = exact(text, len);
        char got[200];
        int error = read_all(copy, len, got, sizeof(got));

        tap_is_int(error, want ? 0 : -1, "dictionary '%s'", text);
        if (want) {
            tap_is_str(got, want, "its members");
        }
        free(copy);
    }
}

static void test_key(void)
{
    upool_structured reader;
    upool_structured_member member;

    upool_structured_open(&reader, "max-size=1", 10);
    tap_is_int(upool_structured_next(&reader, &member), 1, "one member");
    tap_ok(upool_structured_key_is(&member, "max-size"), "is max-size");
    tap_ok(!upool_structured_key_is(&member, "max-siz"), "not a part of it");
    tap_ok(!upool_structured_key_is(&member, "max-size1"), "nor more");
}

static void test_bytes(void)
{
    upool_structured_value value;
    unsigned char bytes[4] = { 0, 0, 0, '!' };

    upool_structured_item(":YWJj:", 6, &value);
    tap_is_int((int)upool_structured_bytes(&value, bytes, 3), 3, "three bytes");
    tap_ok(memcmp(bytes, "abc!", 4) == 0, "and which");
    memset(bytes, 0, sizeof(bytes));
    upool_structured_item(":YWI=:", 6, &value);
    tap_is_int((int)upool_structured_bytes(&value, bytes, 4), 2,
               "with padding");
    tap_ok(memcmp(bytes, "ab", 3) == 0, "and which");
    upool_structured_item(":YWI:", 5, &value);
    tap_is_int((int)upool_structured_bytes(&value, bytes, 4), 2, "without");
    upool_structured_item("::", 2, &value);
    tap_is_int((int)upool_structured_bytes(&value, bytes, 4), 0, "none");
    memset(bytes, '!', sizeof(bytes));
    upool_structured_item(":YWJjZGVm:", 10, &value);
    tap_is_int((int)upool_structured_bytes(&value, bytes, 2), 6, "too many");
    tap_ok(memcmp(bytes, "ab!!", 4) == 0, "nothing behind the room");
}

int main(void)
{
    test_items();
    test_dictionaries();
    test_key();
    test_bytes();
    return tap_done();
}
