/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Which Content-Type is a form, which must be refused, which passes. */
#include "parse/mediatype.h"
#include "parse/params.h"
#include "tap.h"

#include <stdlib.h>

#define OTHER UPOOL_MEDIATYPE_OTHER
#define FORM UPOOL_MEDIATYPE_FORM
#define BROKEN UPOOL_MEDIATYPE_BROKEN

#define TEN "aaaaaaaaaa"
#define SEVENTY TEN TEN TEN TEN TEN TEN TEN

static const struct {
    const char *value;
    upool_mediatype type;
    const char *boundary;
} cases[] = {
    { "multipart/form-data; boundary=x", FORM, "x" },
    { "multipart/form-data;boundary=x", FORM, "x" },
    { "Multipart/Form-Data; BOUNDARY=xY", FORM, "xY" },
    { "MULTIPART/FORM-DATA; boundary=x", FORM, "x" },
    { " \tmultipart/form-data; boundary=x\t ", FORM, "x" },
    { "multipart/form-data ; \t boundary=x ;", FORM, "x" },
    { "multipart/form-data;; boundary=x", FORM, "x" },
    { "multipart/form-data; boundary=\"x\"", FORM, "x" },
    { "multipart/form-data; boundary=\"a b:c/d=e?f,g(h)\"", FORM,
      "a b:c/d=e?f,g(h)" },
    { "multipart/form-data; boundary=\" a\"", FORM, " a" },
    { "multipart/form-data; boundary='x'", FORM, "'x'" },
    { "multipart/form-data; boundary=a'+_-.b", FORM, "a'+_-.b" },
    { "multipart/form-data; charset=utf-8; boundary=x", FORM, "x" },
    { "multipart/form-data; boundary=x; charset=\"utf-8\"", FORM, "x" },
    { "multipart/form-data; x=\"; boundary=z\"; boundary=y", FORM, "y" },
    { "multipart/form-data; x=\"\\\"; boundary=z\"; boundary=y", FORM, "y" },
    { "multipart/form-data; xboundary=z; boundary=y; boundaries=w", FORM, "y" },
    { "multipart/form-data; boundary=" SEVENTY, FORM, SEVENTY },
    { "multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW",
      FORM, "----WebKitFormBoundary7MA4YWxkTrZu0gW" },

    { "multipart/form-data; boundary=" SEVENTY "a", BROKEN, NULL },
    { "multipart/form-data", BROKEN, NULL },
    { "multipart/form-data;", BROKEN, NULL },
    { "multipart/form-data; boundary", BROKEN, NULL },
    { "multipart/form-data; boundary=", BROKEN, NULL },
    { "multipart/form-data; boundary=\"\"", BROKEN, NULL },
    { "multipart/form-data; boundary=\"x", BROKEN, NULL },
    { "multipart/form-data; boundary=\"x\\\"", BROKEN, NULL },
    { "multipart/form-data; boundary=\"x \"", BROKEN, NULL },
    { "multipart/form-data; boundary=\"x\\y\"", BROKEN, NULL },
    { "multipart/form-data; boundary=\"x\"y", BROKEN, NULL },
    { "multipart/form-data; boundary=x y", BROKEN, NULL },
    { "multipart/form-data; boundary=x/y", BROKEN, NULL },
    { "multipart/form-data; boundary=x!y", BROKEN, NULL },
    { "multipart/form-data; boundary=\"x;y\"", BROKEN, NULL },
    { "multipart/form-data; boundary=\"x\xE9\"", BROKEN, NULL },
    { "multipart/form-data; boundary=\"x\ty\"", BROKEN, NULL },
    { "multipart/form-data; boundary = x", BROKEN, NULL },
    { "multipart/form-data; boundary =x", BROKEN, NULL },
    { "multipart/form-data; boundary= x", BROKEN, NULL },
    { "multipart/form-data; boundary=x; boundary=x", BROKEN, NULL },
    { "multipart/form-data; boundary=x; Boundary=y", BROKEN, NULL },
    { "multipart/form-data; boundary*=utf-8''x", BROKEN, NULL },
    { "multipart/form-data; boundary=x; boundary*0=y", BROKEN, NULL },
    { "multipart/form-data; BOUNDARY*0=y; boundary=x", BROKEN, NULL },
    { "multipart/form-data boundary=x", BROKEN, NULL },
    { "multipart/form-data, boundary=x", BROKEN, NULL },
    { "multipart/form-data, x", BROKEN, NULL },
    { "multipart/form-data; boundary=x, boundary=y", BROKEN, NULL },
    { "multipart/form-data; boundary=x, text/plain", BROKEN, NULL },
    { "multipart/form-data; boundary=x; charset", BROKEN, NULL },
    { "multipart/form-data; boundary=x; =y", BROKEN, NULL },
    { "multipart/form-data: boundary=x", BROKEN, NULL },
    { "multipart/form-data/x; boundary=x", BROKEN, NULL },
    { "multipart/form-data(comment); boundary=x", BROKEN, NULL },
    { "multipart/form-data\"; boundary=x", BROKEN, NULL },
    { "multipart/form-data\xE9; boundary=x", BROKEN, NULL },
    { "multipart/form-data\v; boundary=x", BROKEN, NULL },
    { "multipart/form-data; boundary=x\r\n", BROKEN, NULL },

    { "", OTHER, NULL },
    { "   ", OTHER, NULL },
    { "multipart/form-dat", OTHER, NULL },
    { "multipart/form-datax; boundary=x", OTHER, NULL },
    { "multipart/form-data-x; boundary=x", OTHER, NULL },
    { "multipart/form-data*; boundary=x", OTHER, NULL },
    { "multipart/mixed; boundary=x", OTHER, NULL },
    { "xmultipart/form-data; boundary=x", OTHER, NULL },
    { "multipart /form-data; boundary=x", OTHER, NULL },
    { "application/x-www-form-urlencoded", OTHER, NULL },
    { "text/plain; x=multipart/form-data; boundary=x", OTHER, NULL },
};

/* Parses in heap blocks of exact size. */
static upool_mediatype parse(const char *text, size_t len, char *boundary,
                             size_t *boundary_len)
{
    char *value = malloc(len > 0 ? len : 1);
    char *room = malloc(UPOOL_BOUNDARY_MAX + 1);
    upool_mediatype type;

    if (value == NULL || room == NULL) {
        abort();
    }
    memcpy(value, text, len);
    *boundary_len = 0;
    type = upool_mediatype_parse(value, len, room, boundary_len);
    memcpy(boundary, type == FORM ? room : "",
           type == FORM ? *boundary_len + 1 : 1);
    free(value);
    free(room);
    return type;
}

static void test_bytes(void)
{
    char text[] = "multipart/form-data; boundary=\"a?b\"";
    char boundary[UPOOL_BOUNDARY_MAX + 1];
    unsigned forms = 0;
    size_t len;
    unsigned byte;

    for (byte = 0; byte < 256; byte++) {
        text[32] = (char)byte;
        forms += parse(text, sizeof(text) - 1, boundary, &len) == FORM;
    }
    /* RFC 2046 5.1.1: 62 letters and digits, '()+_,-./:=? and space. */
    tap_is_int(forms, 62 + 13, "bytes that a boundary may have");
}

static void test_token(void)
{
    unsigned tokens = 0;
    unsigned byte;

    for (byte = 0; byte < 256; byte++) {
        tokens += upool_params_is_token((char)byte) != 0;
    }
    tap_is_int(tokens, 77, "bytes that a token may have (RFC 9110 5.6.2)");
}

/* Slow parsers take minutes for these (CVE-2024-24762). */
static void test_long(void)
{
    static const char begin[] = "multipart/form-data; boundary=x";
    static char text[65536 + sizeof(begin)];
    char boundary[UPOOL_BOUNDARY_MAX + 1];
    size_t len;
    size_t at;

    memcpy(text, begin, sizeof(begin));
    for (at = sizeof(begin) - 1; at + 6 < sizeof(text); at += 5) {
        memcpy(text + at, ";x=\"\\", 5);
    }
    tap_is_int(parse(text, at, boundary, &len), BROKEN, "64 KiB of ;x=\"\\");
    for (at = sizeof(begin) - 1; at + 5 < sizeof(text); at += 4) {
        memcpy(text + at, ";x=y", 4);
    }
    tap_is_int(parse(text, at, boundary, &len), FORM, "64 KiB of parameters");
}

int main(void)
{
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char boundary[UPOOL_BOUNDARY_MAX + 1];
        size_t len;

        tap_is_int(
            parse(cases[i].value, strlen(cases[i].value), boundary, &len),
            cases[i].type, "%s", cases[i].value);
        if (cases[i].boundary != NULL) {
            tap_is_str(boundary, cases[i].boundary, "its boundary");
            tap_is_int(len, strlen(cases[i].boundary), "its length");
        }
    }
    test_bytes();
    test_token();
    test_long();
    return tap_done();
}
