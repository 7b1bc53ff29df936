/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* The writer of JSON: what it writes is JSON, whatever it is given. */
#include "parse/json.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <tap.h>

#define ROOM 4096

static char buffer[ROOM];

static const char *end(upool_json *json)
{
    buffer[json->len < ROOM ? json->len : ROOM - 1] = '\0';
    return buffer;
}

static void write_all(upool_json *json)
{
    upool_json_open(json, NULL, '{');
    upool_json_text(json, "a", "x<\xc3\xa9");
    upool_json_number(json, "n", -12);
    upool_json_null(json, "z");
    upool_json_open(json, "list", '[');
    upool_json_text_or_null(json, NULL, NULL);
    upool_json_open(json, NULL, '{');
    upool_json_close(json, '}');
    upool_json_text_or_null(json, NULL, "");
    upool_json_close(json, ']');
    upool_json_close(json, '}');
}

static void test_styles(void)
{
    upool_json json;

    upool_json_begin(&json, buffer, ROOM, UPOOL_JSON_COMPACT);
    write_all(&json);
    tap_is_str(end(&json),
               "{\"a\":\"x<\xc3\xa9\",\"n\":-12,\"z\":null,"
               "\"list\":[null,{},\"\"]}",
               "compact");
    upool_json_begin(&json, buffer, ROOM, UPOOL_JSON_SHOWN);
    write_all(&json);
    tap_is_str(end(&json),
               "{\"a\": \"x\\u003c\\u00e9\", \"n\": -12, \"z\": null, "
               "\"list\": [null, {}, \"\"]}",
               "shown");
    tap_is_int(json.bad, 0, "nothing left out");
}

/* Every room from nothing up: counted right, nothing behind it touched. */
static void test_room(void)
{
    upool_json json;
    size_t whole;
    size_t room;
    int bad = 0;

    upool_json_begin(&json, NULL, 0, UPOOL_JSON_SHOWN);
    write_all(&json);
    whole = json.len;
    for (room = 0; room <= whole; room++) {
        char *exact = malloc(room + 1);

        exact[room] = '#';
        upool_json_begin(&json, exact, room, UPOOL_JSON_SHOWN);
        write_all(&json);
        bad += json.len != whole || exact[room] != '#';
        free(exact);
    }
    tap_ok(!bad && whole > 40, "in rooms of 0 to %d bytes", (int)whole);
    json.len = (size_t)-2;
    upool_json_null(&json, "long");
    upool_json_null(&json, "longer");
    tap_ok(json.len == (size_t)-1, "what cannot be counted says so");
}

static json_t *value(upool_json *json)
{
    json_t *root;

    upool_json_close(json, ']');
    root = json_loadb(json->out, json->len,
                      JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    return root;
}

/* Each character of Unicode, read back by somebody else's parser. */
static size_t utf8_of(char *out, unsigned int c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 63));
        out[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 63));
    out[2] = (char)(0x80 | (c >> 6 & 63));
    out[3] = (char)(0x80 | (c & 63));
    return 4;
}

static int is_shown(const upool_json *json)
{
    size_t i;

    for (i = 0; i < json->len; i++) {
        if (json->out[i] < ' ' || strchr("<>&", json->out[i])) {
            return 0;
        }
    }
    return 1;
}

static void test_characters(upool_json_style style, const char *name)
{
    unsigned int c;
    unsigned int wrong = 0;
    unsigned int seen = 0;

    for (c = 0; c <= 0x10FFFF; c++) {
        char text[8] = "";
        size_t len = utf8_of(text, c);
        const json_t *read;
        upool_json json;
        json_t *root;

        if (c >= 0xD800 && c <= 0xDFFF) {
            continue;
        }
        upool_json_begin(&json, buffer, ROOM, style);
        upool_json_open(&json, NULL, '[');
        upool_json_bytes(&json, NULL, text, len);
        root = value(&json);
        read = json_array_get(root, 0);
        wrong += json_string_length(read) != len
                 || memcmp(json_string_value(read), text, len) != 0
                 || (style == UPOOL_JSON_SHOWN && !is_shown(&json));
        seen++;
        json_decref(root);
    }
    tap_ok(!wrong, "%u characters, %s", seen, name);
}

static void test_bad(void)
{
    static const char *const texts[] = {
        "\xe9",    "a\x80", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
        "\xe2\x82"
    };
    upool_json json;
    size_t i;

    upool_json_begin(&json, buffer, ROOM, UPOOL_JSON_SHOWN);
    upool_json_open(&json, NULL, '{');
    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        upool_json_text(&json, "bad", texts[i]);
    }
    upool_json_text(&json, "\xff", "a bad key");
    upool_json_text(&json, "good", "text");
    upool_json_text(&json, "none", NULL);
    upool_json_close(&json, '}');
    tap_is_str(end(&json), "{\"good\": \"text\"}",
               "what is no text is left out");
    tap_is_int(json.bad, 8, "and counted");
}

static void test_numbers(void)
{
    upool_json json;

    upool_json_begin(&json, buffer, ROOM, UPOOL_JSON_COMPACT);
    upool_json_open(&json, NULL, '[');
    upool_json_number(&json, NULL, 0);
    upool_json_number(&json, NULL, INT64_MAX);
    upool_json_number(&json, NULL, INT64_MIN);
    upool_json_close(&json, ']');
    tap_is_str(end(&json), "[0,9223372036854775807,-9223372036854775808]",
               "the numbers at the ends");
}

/* RFC 4648 10, and bytes that are no text. */
static void test_base64(void)
{
    upool_json json;

    upool_json_begin(&json, buffer, ROOM, UPOOL_JSON_COMPACT);
    upool_json_open(&json, NULL, '[');
    upool_json_base64(&json, NULL, "", 0);
    upool_json_base64(&json, NULL, "f", 1);
    upool_json_base64(&json, NULL, "fo", 2);
    upool_json_base64(&json, NULL, "foo", 3);
    upool_json_base64(&json, NULL, "foob", 4);
    upool_json_base64(&json, NULL, "fooba", 5);
    upool_json_base64(&json, NULL, "foobar", 6);
    upool_json_base64(&json, NULL, "\xff\xef\0\xfe", 4);
    upool_json_close(&json, ']');
    tap_is_str(end(&json),
               "[\"\",\"Zg==\",\"Zm8=\",\"Zm9v\",\"Zm9vYg==\",\"Zm9vYmE=\","
               "\"Zm9vYmFy\",\"/+8A/g==\"]",
               "base64");
}

int main(void)
{
    test_styles();
    test_room();
    test_characters(UPOOL_JSON_COMPACT, "compact");
    test_characters(UPOOL_JSON_SHOWN, "shown");
    test_bad();
    test_numbers();
    test_base64();
    return tap_done();
}
