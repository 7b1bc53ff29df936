/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Names between the quotes of a form: as browsers write them, and read again.
 */
#include "parse/formname.h"

#include <stdlib.h>
#include <string.h>

#include "parse/part.h"
#include <tap.h>

static void check_written(const char *name, const char *want)
{
    char out[256];
    size_t len = upool_formname_write(out, name);

    tap_is_str(out, want, "written: %s", want);
    tap_ok(len == strlen(want), "and so long");
}

/* Through the reader of part heads, which has its own idea of the end. */
static int is_read_again(const char *name)
{
    char written[1024];
    char block[2048];
    char scratch[8192];
    upool_part part;

    upool_formname_write(written, name);
    strcpy(block, "Content-Disposition: form-data; name=\"f\"; filename=\"");
    strcat(block, written);
    strcat(block, "\"\r\n");
    return !upool_part_parse(&part, block, strlen(block), scratch,
                             sizeof(scratch))
           && part.filename && !strcmp(part.filename, name);
}

static void check_read(const char *written, const char *want)
{
    char out[256];
    size_t len = upool_formname_read(out, written, written + strlen(written));

    out[len] = '\0';
    tap_is_str(out, want, "read: %s", written);
}

static void check_again(const char *name)
{
    tap_ok(is_read_again(name), "read again: %s", name);
}

/* Every name of up to six of the characters that matter, but for what is
 * announced: %22, and a Windows path that ends in a backslash. */
static void check_all(void)
{
    static const char letters[] = { 'a', '\\', '"', '%', ':', '\r' };
    char name[8];
    int bad = 0;
    int count = 0;
    int n;

    for (n = 0; n < 6 * 6 * 6 * 6 * 6 * 6; n++) {
        int rest = n;
        int i;

        for (i = 0; i < 6; i++) {
            name[i] = letters[rest % 6];
            rest /= 6;
        }
        name[6] = '\0';
        if (upool_formname_is_windows_path(name, 6) && name[5] == '\\') {
            continue;
        }
        count++;
        bad += !is_read_again(name);
    }
    tap_ok(!bad && count > 40000, "%d names read again, %d not", count, bad);
}

int main(void)
{
    check_written("", "");
    check_written("photo.jpg", "photo.jpg");
    check_written("a\"b", "a%22b");
    check_written("two\r\nlines", "two%0D%0Alines");
    check_written("100%.txt", "100%.txt");
    check_written("a\\b", "a\\b");
    check_written("a\\\\b", "a\\\\\\b");
    check_written("a\\", "a\\\\");
    check_written("\\", "\\\\");
    check_written("C:\\dir\\a.txt", "C:\\dir\\a.txt");
    check_written("\\\\host\\a.txt", "\\\\host\\a.txt");
    check_written("na\xc3\xafve", "na\xc3\xafve");
    check_read("a%22b%0d%0A", "a\"b\r\n");
    check_read("a\\\"b\\\\c\\d", "a\"b\\c\\d");
    check_read("C:\\\\d", "C:\\\\d");
    check_again("a\"b\\\"c");
    check_again("files[0][x]");
    check_again("\\a");
    check_all();
    return tap_done();
}
