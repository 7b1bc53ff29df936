/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* What may reach a terminal, whatever bytes a name has. */
#include "tool/text.h"

#include <locale.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <tap.h>

static apr_pool_t *pool;

static void shown(const char *bytes, const char *expected)
{
    tap_is_str(upool_text_shown(bytes, pool), expected, "shown as %s",
               expected);
}

static void test_utf8(void)
{
    tap_ok(setlocale(LC_CTYPE, "C.UTF-8") != NULL, "the locale");
    tap_ok(upool_text_is_utf8(), "is UTF-8");
    shown("photo.jpg", "photo.jpg");
    shown("gr\xc3\xbc\xc3\x9f \xe5\x86\x99\xe7\x9c\x9f", "grüß 写真");
    shown("\xf0\x9f\x98\x80", "😀");
    shown("a\nb\tc\rd\x7f", "a\\x0ab\\x09c\\x0dd\\x7f");
    shown("\033[2J", "\\x1b[2J");
    shown("back\\x1b", "back\\\\x1b");
    /* C1: CSI as UTF-8, and as a byte. */
    shown("\xc2\x9b"
          "2J",
          "\\u{9B}2J");
    shown("\x9b"
          "2J",
          "\\x9b2J");
    /* From right to left, no width, invisible. */
    shown("\xe2\x80\xae"
          "gpj",
          "\\u{202E}gpj");
    shown("\xe2\x80\x8b", "\\u{200B}");
    shown("\xe2\x81\xa6", "\\u{2066}");
    shown("\xef\xbb\xbf", "\\u{FEFF}");
    shown("\xf3\xa0\x81\x81", "\\u{E0041}");
    shown("\xe2\x80\xa8", "\\u{2028}");
    /* Not UTF-8: cut off, too long a form, a surrogate, beyond the end. */
    shown("\xc3", "\\xc3");
    shown("\xe5\x86", "\\xe5\\x86");
    shown("\xc0\xaf", "\\xc0\\xaf");
    shown("\xe0\x80\xaf", "\\xe0\\x80\\xaf");
    shown("\xed\xa0\x80", "\\xed\\xa0\\x80");
    shown("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");
    shown("\xff\xfe", "\\xff\\xfe");
    shown("", "");
    shown(NULL, "-");
}

/* Every byte that a terminal of whatever charset may obey is gone. */
static void test_plain(void)
{
    char all[256];
    const char *text;
    int bad = 0;
    int i;

    setlocale(LC_CTYPE, "C");
    tap_ok(!upool_text_is_utf8(), "a locale without UTF-8");
    shown("gr\xc3\xbc\xc3\x9f", "gr\\xc3\\xbc\\xc3\\x9f");
    for (i = 1; i < 256; i++) {
        all[i - 1] = (char)i;
    }
    all[255] = '\0';
    for (text = upool_text_shown(all, pool); *text; text++) {
        bad += *text < 0x20 || *text > 0x7e;
    }
    tap_is_int(bad, 0, "255 bytes, and all that is shown is ASCII");
    tap_is_str(upool_text_fitted("abcdef", 4, pool), "abc~", "cut");
}

static void test_widths(void)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    tap_is_str(upool_text_fitted("写真", 6, pool), "写真  ",
               "wide letters count twice");
    tap_is_str(upool_text_fitted("ab", 4, pool), "ab  ", "padded");
    tap_is_str(upool_text_fitted("abcd", 4, pool), "abcd", "just fits");
    tap_is_str(upool_text_fitted("abcde", 4, pool), "abc…", "cut");
    tap_is_str(upool_text_fitted("写真写", 4, pool), "写… ",
               "a wide letter is not halved");
    tap_is_str(upool_text_fitted("ab", 0, pool), "", "no room at all");
}

static void test_numbers(void)
{
    tap_is_str(upool_text_size(-1, pool), "-", "not known");
    tap_is_str(upool_text_size(0, pool), "0", "nothing");
    tap_is_str(upool_text_size(1023, pool), "1023", "bytes");
    tap_is_str(upool_text_size(1024, pool), "1.0K", "a KiB");
    tap_is_str(upool_text_size(1535, pool), "1.4K", "cut off, not rounded");
    tap_is_str(upool_text_size(1048575, pool), "1023.9K", "nearly a MiB");
    tap_is_str(upool_text_size(APR_INT64_C(5) << 30, pool), "5.0G", "GiB");
    tap_is_str(upool_text_size(APR_INT64_MAX, pool), "7.9E", "the most");
    tap_is_str(upool_text_time(0, pool), "-", "no time");
    tap_is_str(upool_text_time(apr_time_from_sec(86400), pool),
               "1970-01-02T00:00:00Z", "a time");
}

static void reads(const char *text, long long seconds)
{
    apr_interval_time_t t = -1;

    tap_is_int(upool_text_read_time(text, &t), 1, "%s is a time", text);
    tap_is_int(t, seconds * APR_USEC_PER_SEC, "of %lld s", seconds);
}

static void test_times(void)
{
    static const char *const none[] = { "",
                                        "0",
                                        "0s",
                                        "s",
                                        "-1",
                                        "1x",
                                        "1 s",
                                        "+1",
                                        "1.5h",
                                        "1dd",
                                        "0x10",
                                        "99999999999999999999",
                                        "999999999999999" };
    apr_interval_time_t t;
    size_t i;

    reads("90", 90);
    reads("90s", 90);
    reads("2min", 120);
    reads("2m", 120);
    reads("3h", 10800);
    reads("7d", 604800);
    for (i = 0; i < sizeof(none) / sizeof(*none); i++) {
        tap_is_int(upool_text_read_time(none[i], &t), 0, "'%s' is no time",
                   none[i]);
    }
}

int main(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    test_utf8();
    test_plain();
    test_widths();
    test_numbers();
    test_times();
    apr_pool_destroy(pool);
    apr_terminate();
    return tap_done();
}
