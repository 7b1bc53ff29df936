/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Safe names that keep the letters of every script. */
#include "parse/names.h"
#include "parse/names_letters.h"
#include "tap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define TEN "abcdefghij"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
/* Two bytes each. */
#define E5 "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9"
#define E50 E5 E5 E5 E5 E5 E5 E5 E5 E5 E5
/* Three bytes each. */
#define CJK5 "\xE6\x97\xA5\xE6\x97\xA5\xE6\x97\xA5\xE6\x97\xA5\xE6\x97\xA5"
#define CJK25 CJK5 CJK5 CJK5 CJK5 CJK5

static const struct {
    const char *in;
    const char *out;
} safes[] = {
    /* As secure_filename has it. */
    { "My cool movie.mov", "My_cool_movie.mov" },
    { "../../../etc/passwd", "etc_passwd" },
    { "", "file" },
    { "..", "file" },
    { " ._. ", "file" },
    { ".htaccess", "htaccess" },
    { "aux.txt", "_aux.txt" },
    { "COM1", "_COM1" },
    { "C:\\Users\\me\\x.txt", "C_Users_me_x.txt" },
    { "x.txt:evil", "x.txtevil" },
    { "a\r\nb\tc", "a_b_c" },
    { "a\x01"
      "b\x7F"
      "c",
      "abc" },
    { "<\"a'>|?*&%;$`{}~!#^=+,@()[].b", "a.b" },
    /* Letters of all scripts. */
    { "i contain cool \xC3\xBCml\xC3\xA4uts.txt",
      "i_contain_cool_\xC3\xBCml\xC3\xA4uts.txt" },
    { "\xD1\x84\xD0\xBE\xD1\x82\xD0\xBE.jpg",
      "\xD1\x84\xD0\xBE\xD1\x82\xD0\xBE.jpg" },
    { "\xE6\x97\xA5\xE6\x9C\xAC \xE8\xAA\x9E.pdf",
      "\xE6\x97\xA5\xE6\x9C\xAC_\xE8\xAA\x9E.pdf" },
    { "\xE0\xA4\x95\xE0\xA5\x8D\xE0\xA4\xB7", /* with a virama */
      "\xE0\xA4\x95\xE0\xA5\x8D\xE0\xA4\xB7" },
    { "\xD9\xA1\xD9\xA2\xD9\xA3.txt", "\xD9\xA1\xD9\xA2\xD9\xA3.txt" },
    { "\xF0\xA0\x80\x80.txt", "\xF0\xA0\x80\x80.txt" },
    { "e\xCC\x81.txt", "e\xCC\x81.txt" }, /* not composed */
    { "\xEF\xAC\x81.txt", "\xEF\xAC\x81.txt" },
    { "\xC3\xA9..\xC3\xA9", "\xC3\xA9..\xC3\xA9" },
    { "._\xC3\xA9_.", "\xC3\xA9" },
    /* Everything else goes: emoji, signs, what is not assigned. */
    { "\xE2\x98\x83", "file" },
    { "\xF0\x9F\x98\x80.png", "png" },
    { "5\xE2\x82\xAC.txt", "5.txt" },
    { "\xE2\x80\xA6"
      "a",
      "a" },
    { "a\xEF\xBF\xBD"
      "b",
      "ab" },
    { "a\xEF\xBF\xBF"
      "b\xF4\x8F\xBF\xBF"
      "c\xEE\x80\x80"
      "d",
      "abcd" },
    /* White space beyond ASCII. */
    { "a\xC2\xA0"
      "b\xE3\x80\x80"
      "c\xE2\x80\xA8"
      "d",
      "a_b_c_d" },
    { "\xE2\x80\x83\xC3\xA9\xE2\x80\x83", "\xC3\xA9" },
    { "a\xC2\x85"
      "b",
      "a_b" },
    /* Controls, overrides and other things that nobody sees. */
    { "a\xC2\x80"
      "b\xC2\x9B"
      "c",
      "abc" },
    { "exe.\xE2\x80\xAEgpj", "exe.gpj" },
    { "a\xE2\x80\x8B"
      "b\xE2\x80\x8E"
      "c\xE2\x81\xA6"
      "d\xE2\x81\xA9"
      "e",
      "abcde" },
    { "a\xEF\xBB\xBF"
      "b\xC2\xAD"
      "c\xD8\x9C"
      "d",
      "abcd" },
    { "a\xE3\x85\xA4"
      "b\xEF\xBE\xA0"
      "c\xE1\x85\x9F"
      "d\xEF\xB8\x8F"
      "e",
      "abcde" },
    { "a\xF3\xA0\x81\xA1"
      "b\xF3\xA0\x84\x80"
      "c",
      "abc" },
    /* What some systems fold to a slash, a colon, a dot. */
    { "a\xEF\xBC\x8F"
      "b\xE2\x88\x95"
      "c\xE2\x81\x84"
      "d\xEF\xBC\xBC"
      "e",
      "abcde" },
    { "a\xEF\xBC\x9A"
      "b\xEF\xBC\x8E"
      "c\xE2\x80\xA4"
      "d\xE3\x80\x82"
      "e",
      "abcde" },
    { "a\xEA\x9E\x89"
      "b",
      "ab" },
    /* COM and a superscript one is a device too. */
    { "COM\xC2\xB9.txt", "COM.txt" },
    { "\xC2\xB2.txt", "txt" },
    { "a\xC2\xBD", "a" },
    /* Invalid bytes never get here, but do no harm. */
    { "a\xFF"
      "b\xC3",
      "ab" },
    /* 255 bytes, whole characters, and the last suffix. */
    { E50 E50 E5 E5 E5 E5 E5 ".jpeg", E50 E50 E5 E5 E5 E5 E5 ".jpeg" },
    { E50 E50 E5 E5 E5 E5 E5 "ab.jpg", E50 E50 E5 E5 E5 E5 E5 "a.jpg" },
    { E50 E50 E50 ".jpg", E50 E50 E5 E5 E5 E5 E5 ".jpg" },
    { "a" E50 E50 E50 ".jpg", "a" E50 E50 E5 E5 E5 E5 E5 ".jpg" },
    { "a" E50 E50 E50, "a" E50 E50 E5 E5 E5 E5 E5 "\xC3\xA9\xC3\xA9" },
    { E50 E50 E50, E50 E50 E5 E5 E5 E5 E5 "\xC3\xA9\xC3\xA9" },
    { CJK25 CJK25 CJK25 CJK25, CJK25 CJK25 CJK25 CJK5 CJK5 },
    { "a" CJK25 CJK25 CJK25 CJK25,
      "a" CJK25 CJK25 CJK25 CJK5 "\xE6\x97\xA5\xE6\x97\xA5\xE6\x97\xA5"
      "\xE6\x97\xA5" },
    { HUNDRED HUNDRED TEN TEN TEN TEN TEN "xxxx\xF0\xA0\x80\x80",
      HUNDRED HUNDRED TEN TEN TEN TEN TEN "xxxx" },
    { HUNDRED HUNDRED TEN TEN TEN TEN TEN "x\xF0\xA0\x80\x80",
      HUNDRED HUNDRED TEN TEN TEN TEN TEN "x\xF0\xA0\x80\x80" },
    { "con." E50 E50 E50 ".jpg",
      "_con." E50 E50 E5 E5 E5 E5 "\xC3\xA9\xC3\xA9\xC3\xA9.jpg" },
};

static void test_safes(void)
{
    size_t i;

    for (i = 0; i < sizeof(safes) / sizeof(safes[0]); i++) {
        char out[UPOOL_SAFE_NAME_MAX + 1];
        char again[UPOOL_SAFE_NAME_MAX + 1];
        size_t len = upool_names_safe_utf8(out, safes[i].in);

        tap_is_str(out, safes[i].out, "row %d", (int)i);
        tap_ok(len == strlen(out) && len <= UPOOL_SAFE_NAME_MAX
                   && upool_names_is_utf8(out, len),
               "its length, and it is UTF-8");
        upool_names_safe_utf8(again, out);
        tap_is_str(again, out, "and safe already");
    }
}

/* The table, whole: FNV-1a over the three bytes of every code point. */
static void test_letters(void)
{
    uint32_t hash = 2166136261u;
    unsigned long count = 0;
    unsigned long code;
    unsigned long blanks = 0;
    int shift;

    for (code = 0x80; code < 0x110000; code++) {
        blanks += (unsigned long)upool_names_is_blank(code);
        if (!upool_names_is_letter(code)) {
            continue;
        }
        count++;
        for (shift = 16; shift >= 0; shift -= 8) {
            hash = (hash ^ (uint32_t)(code >> shift & 255)) * 16777619u;
        }
    }
    tap_is_int(count, 136617, "letters");
    tap_ok(hash == 0x47662AD0u, "their checksum, %#lx", (unsigned long)hash);
    tap_is_int(blanks, 19, "blanks");
}

int main(void)
{
    test_safes();
    test_letters();
    return tap_done();
}
