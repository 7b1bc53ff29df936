/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* The name in a request's Content-Disposition, and RFC 8187 values. */
#include "parse/disposition.h"
#include "parse/extvalue.h"

#include <stdlib.h>

#include "tap.h"

static const struct {
    const char *text;
    int found;
    const char *name;
} cases[] = {
    /* As jQuery File Upload writes it. */
    { "attachment; filename=\"a.bin\"", 1, "a.bin" },
    { "attachment; filename=\"a%20b.bin\"", 1, "a b.bin" },
    { "attachment; filename=\"%C3%A4%22%25.txt\"", 1, "\xc3\xa4\"%.txt" },
    { "attachment; filename=\"%2522\"", 1, "%22" },
    /* As people write it. */
    { "attachment; filename=\"big file.bin\"", 1, "big file.bin" },
    { "attachment; filename=plain", 1, "plain" },
    { "attachment;filename=plain;x=y", 1, "plain" },
    { "inline; filename=\"in\"", 1, "in" },
    { "ATTACHMENT; FILENAME=\"Up\"", 1, "Up" },
    { "attachment; x=y; filename=\"a;b=c\"", 1, "a;b=c" },
    { "attachment; filename=\"a\\\"b\\\\c\"", 1, "a\"b\\c" },
    { "attachment; filename=\"a\\b\"", 1, "a\\b" },
    { "attachment; filename=\"\"", 1, "" },
    { "attachment; filename=\"../../etc/passwd\"", 1, "../../etc/passwd" },
    /* A % that begins nothing: the name is not encoded. */
    { "attachment; filename=\"100%\"", 1, "100%" },
    { "attachment; filename=\"50%25 of 100%\"", 1, "50%25 of 100%" },
    { "attachment; filename=\"%zz%20\"", 1, "%zz%20" },
    { "attachment; filename=\"a%00.php\"", 1, "a%00.php" },
    /* What is not UTF-8 becomes U+FFFD. */
    { "attachment; filename=\"\xe4\"", 1, "\xef\xbf\xbd" },
    { "attachment; filename=\"%E4\"", 1, "\xef\xbf\xbd" },
    { "attachment; filename=\"\xc3\xa4\"", 1, "\xc3\xa4" },
    /* filename* wins. */
    { "attachment; filename=\"a\"; filename*=UTF-8''b%20c", 1, "b c" },
    { "attachment; filename*=utf-8'de'%c3%a4; filename=\"a\"", 1, "\xc3\xa4" },
    { "attachment; filename*=ISO-8859-1''%e4", 1, "\xc3\xa4" },
    { "attachment; filename*=UTF-8''%2522", 1, "%22" },
    /* None. */
    { "attachment", 0, NULL },
    { "attachment;", 0, NULL },
    { "attachment; name=\"x\"", 0, NULL },
    { "inline; filenames=\"x\"", 0, NULL },
    /* Malformed. */
    { "", -1, NULL },
    { "; filename=a", -1, NULL },
    { "attachment filename=a", -1, NULL },
    { "attachment; filename", -1, NULL },
    { "attachment; filename=", -1, NULL },
    { "attachment; filename =a", -1, NULL },
    { "attachment; filename=\"open", -1, NULL },
    { "attachment; filename=a b", -1, NULL },
    { "attachment; filename=a; filename=a", -1, NULL },
    { "attachment; filename=a; FileName=b", -1, NULL },
    { "attachment; filename*=UTF-8''a; filename*=UTF-8''b", -1, NULL },
    { "attachment; filename*0=a; filename*1=b", -1, NULL },
    { "attachment; filename*=\"UTF-8''a\"", 0, NULL },
    { "attachment; filename*=UTF-8''%zz", 0, NULL },
    { "attachment; filename*=UTF-8''%00", 0, NULL },
    { "attachment; filename*=koi8-r''%c1", 0, NULL },
    { "attachment; filename*=a", 0, NULL },
    { "attachment; filename=b; filename*=a", 1, "b" },
    { "attachment; filename*=UTF-8''%zz; filename=b", 1, "b" },
    { "attachment; filename=b; filename*=UTF-8''", 1, "b" },
    { "attachment; filename*=UTF-8''", 1, "" },
    { "attachment; filename*=a; filename*=UTF-8''b", -1, NULL },
    { "attachment; filename=\"a\", attachment; filename=\"b\"", -1, NULL },
};

/* The room that the header promises is enough, to the byte. */
static char *read_name(const char *text, int *found)
{
    size_t len = strlen(text);
    char *copy = malloc(len + 1);
    char *out = malloc(UPOOL_DISPOSITION_ROOM(len));

    memcpy(copy, text, len + 1);
    *found = upool_disposition_filename(copy, len, out);
    free(copy);
    return out;
}

static void test_extvalue(void)
{
    char out[UPOOL_EXTVALUE_ROOM(16)];
    size_t len = 0;

    tap_ok(upool_extvalue_decode(out, &len, "utf-8''a%20b", 12),
           "an ext-value");
    tap_is_int((int)len, 3, "its length");
    tap_is_str(out, "a b", "its text");
    tap_ok(!upool_extvalue_decode(out, &len, "utf-8'a", 7), "one quote");
    tap_ok(!upool_extvalue_decode(out, &len, "utf-8''a'b", 10), "three quotes");
    tap_ok(!upool_extvalue_decode(out, &len, "x''a", 4), "a charset");
}

int main(void)
{
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int found;
        char *name = read_name(cases[i].text, &found);

        tap_is_int(found, cases[i].found, "'%s'", cases[i].text);
        if (found == 1 && cases[i].name != NULL) {
            tap_is_str(name, cases[i].name, "its name");
        }
        free(name);
    }
    test_extvalue();
    return tap_done();
}
