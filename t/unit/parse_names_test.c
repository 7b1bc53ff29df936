/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Repair of UTF-8, safe names, callbacks. */
#include "parse/names.h"
#include "parse/names_ascii.h"
#include "tap.h"

#include <stdint.h>
#include <stdlib.h>

#define BAD "\xEF\xBF\xBD"
#define TEN "abcdefghij"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static const struct {
    const char *in;
    const char *out;
} repairs[] = {
    { "", "" },
    { "plain", "plain" },
    { "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98"
                                              "\x80" },
    { "\x80", BAD },
    { "a\xE9z", "a" BAD "z" },
    { "\xC0\x80", BAD BAD },
    { "\xC1\xBF", BAD BAD },
    { "\xE0\x80\x80", BAD BAD BAD },
    { "\xE0\x9F\xBF", BAD BAD BAD },
    { "\xE0\xA0\x80", "\xE0\xA0\x80" },
    { "\xED\x9F\xBF", "\xED\x9F\xBF" },
    { "\xED\xA0\x80", BAD BAD BAD },
    { "\xF0\x8F\xBF\xBF", BAD BAD BAD BAD },
    { "\xF0\x90\x80\x80", "\xF0\x90\x80\x80" },
    { "\xF4\x8F\xBF\xBF", "\xF4\x8F\xBF\xBF" },
    { "\xF4\x90\x80\x80", BAD BAD BAD BAD },
    { "\xF5\x80", BAD BAD },
    { "\xE2\x82", BAD },
    { "\xF0\x9F\x98", BAD },
    { "\xE2\x82z", BAD "z" },
    { "\xE2\x82\xE2\x82\xAC", BAD "\xE2\x82\xAC" },
    /* The example of Unicode 3.9, table 3-8. */
    { "\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64",
      "a" BAD BAD BAD "b" BAD "c" BAD BAD "d" },
    { "\xFE\xFF", BAD BAD },
};

static const struct {
    const char *in;
    const char *out;
} safes[] = {
    /* Werkzeug's documentation. */
    { "My cool movie.mov", "My_cool_movie.mov" },
    { "../../../etc/passwd", "etc_passwd" },
    { "i contain cool \xC3\xBCml\xC3\xA4uts.txt",
      "i_contain_cool_umlauts.txt" },
    /* Its tests. */
    { "\xE2\x98\x83", "file" },
    { "COM1", "_COM1" },
    { "aux.txt", "_aux.txt" },
    { "con", "_con" },
    { "nul.tar.gz", "_nul.tar.gz" },
    { "LPT9.x", "_LPT9.x" },
    { "com\xC2\xB9", "_com1" },
    { "COM.txt", "COM.txt" },
    { "com10", "com10" },
    { "console", "console" },
    { "AUX1", "AUX1" },
    { "_con", "_con" },
    { "", "file" },
    { ".", "file" },
    { "..", "file" },
    { "...___...", "file" },
    { "/", "file" },
    { " \t\r\n", "file" },
    { ".htaccess", "htaccess" },
    { "__init__.py", "init__.py" },
    { "a.", "a" },
    { "a._._", "a" },
    { "-rf", "-rf" },
    { "a b  c\td\ve", "a_b_c_d_e" },
    { " a ", "a" },
    { "a/b\\c", "a_b_c" },
    { "a / \\ b", "a_b" },
    { "C:\\Users\\x\\photo.jpg", "C_Users_x_photo.jpg" },
    { "..\\..\\windows\\win.ini", "windows_win.ini" },
    { "a & b", "a__b" },
    { "& b", "b" },
    { "a &", "a" },
    { "a&b;c|d`e$(f)\"g'h<i>", "abcdefghi" },
    { "a\x01\x7F"
      "b\x1C"
      "c",
      "ab_c" },
    { "a\r\nb", "a_b" },
    { "x.php.png", "x.php.png" },
    { "x..png", "x..png" },
    { "na\xC3\xAFve.txt", "naive.txt" },
    { "\xC3\x9F\xC3\xB8\xC3\xA6", "file" },
    { "\xC4\x8C\xC5\xA1\xC5\xBE", "Csz" },
    { "\xE1\xBB\x87\xE1\xBA\xA0", "eA" },
    { "\xEF\xBD\x81\xEF\xBC\xA2\xEF\xBC\x91.\xEF\xBD\x94", "aB1.t" },
    { "\xEF\xAC\x81\xEF\xAC\x83\xEF\xAC\x86", "fiffist" },
    { "x\xC2\xB2\xE2\x81\xB5", "x25" },
    { "\xE2\x85\xA7.txt", "VIII.txt" },
    { "a\xC2\xA0"
      "b\xE3\x80\x80"
      "c",
      "a_b_c" },
    { "\xE2\x80\xA6/etc", "etc" },
    { "a\xEF\xBC\x8F"
      "b",
      "a_b" },
    { "a\xE2\x80\xA4txt", "a.txt" },
    { "\xE2\x80\xA5\xEF\xBC\x8F\xE2\x80\xA5\xEF\xBC\x8Fx", "x" },
    { "\xF0\x9D\x93\x90\xF0\x9D\x9F\x98", "A0" },
    { "\xF0\x9F\x98\x80.png", "png" },
    { "a\xCC\x88.txt", "a.txt" },
    { "\xD1\x84.txt", "txt" },
    { BAD "x" BAD, "x" },
    { "a\xE2\x84\x80"
      "b",
      "aa_cb" },
    /* Length. */
    { HUNDRED HUNDRED TEN TEN TEN TEN TEN "abcde",
      HUNDRED HUNDRED TEN TEN TEN TEN TEN "abcde" },
    { HUNDRED HUNDRED TEN TEN TEN TEN TEN "abcdef",
      HUNDRED HUNDRED TEN TEN TEN TEN TEN "abcde" },
    { HUNDRED HUNDRED HUNDRED ".tar.gz",
      HUNDRED HUNDRED TEN TEN TEN TEN TEN "ab.gz" },
    { HUNDRED HUNDRED HUNDRED "." HUNDRED,
      HUNDRED HUNDRED TEN TEN TEN TEN TEN "abcde" },
    { HUNDRED HUNDRED TEN TEN TEN TEN TEN "abcd." HUNDRED,
      HUNDRED HUNDRED TEN TEN TEN TEN TEN "abcd" },
    { HUNDRED HUNDRED HUNDRED "." TEN TEN TEN TEN TEN TEN "abc",
      HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN "a." TEN TEN TEN TEN TEN TEN
                                                  "abc" },
    { HUNDRED HUNDRED HUNDRED "." TEN TEN TEN TEN TEN TEN "abcd",
      HUNDRED HUNDRED TEN TEN TEN TEN TEN "abcde" },
    { "con." HUNDRED HUNDRED HUNDRED ".png",
      "_con." HUNDRED HUNDRED TEN TEN TEN TEN "abcdef.png" },
};

static const struct {
    const char *name;
    int good;
} callbacks[] = {
    { "f", 1 },
    { "_", 1 },
    { "$", 1 },
    { "jQuery.cb_1$", 1 },
    { "a..b", 1 },
    { "a.", 1 },
    { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 1 },
    { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", 0 },
    { "", 0 },
    { "1a", 0 },
    { ".a", 0 },
    { "alert(1)//", 0 },
    { "a b", 0 },
    { "a[0]", 0 },
    { "a-b", 0 },
    { "a;b", 0 },
    { "\xC3\xA9", 0 },
    { "a\n", 0 },
    { "a%28", 0 },
    { "a<b", 0 },
};

static void test_repair(void)
{
    size_t i;

    for (i = 0; i < sizeof(repairs) / sizeof(repairs[0]); i++) {
        size_t len = strlen(repairs[i].in);
        char *in = malloc(len + 1);
        char *out = malloc(3 * len + 1);
        size_t written;

        if (in == NULL || out == NULL) {
            abort();
        }
        memcpy(in, repairs[i].in, len);
        written = upool_names_repair(out, in, len);
        tap_is_str(out, repairs[i].out, "repair %lu", (unsigned long)i);
        tap_is_int(written, strlen(repairs[i].out), "its length");
        tap_is_int(upool_names_is_utf8(in, len),
                   strcmp(repairs[i].in, repairs[i].out) == 0,
                   "valid if and only if nothing was to be repaired");
        /* In place, the way part.c does it. */
        memcpy(out + 2 * len, in, len);
        upool_names_repair(out, out + 2 * len, len);
        tap_is_str(out, repairs[i].out, "in place");
        free(in);
        free(out);
    }
}

static void test_repair_nul(void)
{
    char out[10];

    tap_is_int(upool_names_repair(out, "a\0b", 3), 5, "a NUL");
    tap_is_str(out, "a" BAD "b", "becomes U+FFFD");
    tap_is_int(upool_names_is_utf8("a\0b", 3), 1, "and is valid UTF-8");
}

/* Every sequence of up to three bytes, and all of four with a lead of four. */
static void test_repair_all(void)
{
    unsigned long wrong = 0;
    unsigned long runs = 0;
    unsigned long i;

    for (i = 0; i < 0x1000000; i += i < 0xE00000 ? 37 : 1) {
        char in[4];
        char out[13];
        size_t written;

        in[0] = (char)(i >> 16 & 0xFF);
        in[1] = (char)(i >> 8 & 0xFF);
        in[2] = (char)(i & 0xFF);
        in[3] = (char)0xA0;
        written = upool_names_repair(out, in, 4);
        wrong += !upool_names_is_utf8(out, written) || written > 12
                 || strlen(out) != written;
        runs++;
    }
    tap_is_int(wrong, 0, "what was repaired is valid, %lu times", runs);
}

static void test_safe(void)
{
    size_t i;

    for (i = 0; i < sizeof(safes) / sizeof(safes[0]); i++) {
        char *out = malloc(UPOOL_SAFE_NAME_MAX + 1);
        size_t len;

        if (out == NULL) {
            abort();
        }
        len = upool_names_safe(out, safes[i].in);
        tap_is_str(out, safes[i].out, "safe %.60s", safes[i].out);
        tap_is_int(len, strlen(out), "its length");
        free(out);
    }
}

/* Whatever goes in, what comes out is safe, and safe names stay. */
static void test_safe_random(void)
{
    static const char *const pieces[] = { "..",
                                          "/",
                                          "\\",
                                          " ",
                                          "_",
                                          ".",
                                          "-",
                                          "a",
                                          "Z",
                                          "con",
                                          "com1",
                                          "nul",
                                          "\xC3\xBC",
                                          "\xEF\xAC\x81",
                                          "\xE2\x80\xA6",
                                          "\xE2\x82\xAC",
                                          "\x80",
                                          "\n",
                                          "&",
                                          "\xF0\x9D\x93\x90",
                                          HUNDRED,
                                          "\xEF\xBC\x8F",
                                          ".png",
                                          ":" };
    uint32_t seed = 521288629;
    unsigned wrong = 0;
    unsigned round;

    for (round = 0; round < 20000; round++) {
        char name[1200] = "";
        char out[UPOOL_SAFE_NAME_MAX + 1];
        char again[UPOOL_SAFE_NAME_MAX + 1];
        size_t len = 0;
        size_t got;
        unsigned i;

        for (i = 0; i < 10; i++) {
            const char *piece;

            seed ^= seed << 13;
            seed ^= seed >> 17;
            seed ^= seed << 5;
            piece = pieces[seed % (sizeof(pieces) / sizeof(pieces[0]))];
            memcpy(name + len, piece, strlen(piece) + 1);
            len += strlen(piece);
        }
        got = upool_names_safe(out, name);
        wrong += got == 0 || got > UPOOL_SAFE_NAME_MAX || out[0] == '.'
                 || strspn(out, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz0123456789_.-")
                        != got
                 || out[got - 1] == '.' || out[got - 1] == '_';
        upool_names_safe(again, out);
        wrong += strcmp(again, out) != 0;
    }
    tap_is_int(wrong, 0, "20000 random names are safe and stay so");
}

/* FNV-1a over "CODEPOINT=TEXT;" of all characters with a text, against the
 * same sum over the Unicode Character Database 14.0. */
static void test_ascii_table(void)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    unsigned long count = 0;
    unsigned long cp;

    for (cp = 0x80; cp < 0x110000; cp++) {
        char line[40];
        size_t len;
        const char *text = upool_names_ascii(cp, &len);
        const char *at;

        if (len == 0) {
            continue;
        }
        count++;
        snprintf(line, sizeof(line), "%lX=%.*s;", cp, (int)len, text);
        for (at = line; *at != '\0'; at++) {
            hash = (hash ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
        }
    }
    tap_is_int(count, 2130, "characters that leave something in ASCII");
    tap_ok(hash == UINT64_C(0xacefd16eb105c776), "they leave what NFKD says");
}

int main(void)
{
    size_t i;

    test_repair();
    test_repair_nul();
    test_repair_all();
    test_safe();
    test_safe_random();
    test_ascii_table();
    for (i = 0; i < sizeof(callbacks) / sizeof(callbacks[0]); i++) {
        tap_is_int(upool_names_is_callback(callbacks[i].name),
                   callbacks[i].good, "callback %lu", (unsigned long)i);
    }
    return tap_done();
}
