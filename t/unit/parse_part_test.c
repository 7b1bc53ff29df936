/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* The part parser as a function: room, order of errors, what lies where.  What
 * it makes of header blocks is in t/unit/vectors. */
#include "parse/part.h"
#include "tap.h"

#include <stdint.h>
#include <stdlib.h>

#include "parse/names.h"
#include "parse/percent.h"

static const char full[] =
    "X-Other: whatever\r\n"
    "Content-Disposition: form-data; name=\"f\xE9\"; filename=\"C:\\a.txt\"; "
    "filename*=iso-8859-1'en'%E4%20b.txt\r\n"
    "Content-Type: Text/Plain; CharSet=utf-8; x=\"\xFF\\\"\"\r\n"
    "Content-Transfer-Encoding: binary\r\n";

/* Parses in heap blocks of exact size. */
static upool_part_error parse(const char *text, size_t len, size_t room,
                              upool_part *part, char **scratch)
{
    char *block = malloc(len > 0 ? len : 1);
    upool_part_error error;

    *scratch = malloc(room > 0 ? room : 1);
    if (block == NULL || *scratch == NULL) {
        abort();
    }
    memcpy(block, text, len);
    error = upool_part_parse(part, block, len, *scratch, room);
    free(block);
    return error;
}

static void test_full(void)
{
    upool_part part;
    char *scratch;

    tap_is_int(parse(full, sizeof(full) - 1,
                     UPOOL_PART_SCRATCH(sizeof(full) - 1), &part, &scratch),
               UPOOL_PART_OK, "everything a part may have");
    tap_is_str(part.name, "f\xEF\xBF\xBD", "name");
    tap_is_str(part.filename, "\xC3\xA4 b.txt", "filename");
    tap_is_str(part.content_type, "text/plain", "type");
    tap_is_str(part.charset, "utf-8", "charset");
    tap_is_int(part.nparams, 2, "parameters");
    tap_is_str(part.params[0].name, "charset", "first parameter");
    tap_is_str(part.params[0].value, "utf-8", "its value");
    tap_is_str(part.params[1].name, "x", "second parameter");
    tap_is_str(part.params[1].value, "\xEF\xBF\xBD\"", "its value");
    tap_ok(part.why == NULL, "no complaint");
    free(scratch);
}

static void test_plain_field(void)
{
    static const char text[] = "Content-Disposition: form-data; name=\"a\"\r\n";
    upool_part part;
    char *scratch;

    tap_is_int(parse(text, sizeof(text) - 1, 200, &part, &scratch),
               UPOOL_PART_OK, "a field");
    tap_is_str(part.name, "a", "name");
    tap_is_str(part.filename, NULL, "no filename");
    tap_is_str(part.content_type, NULL, "no type");
    tap_is_str(part.charset, NULL, "no charset");
    tap_is_int(part.nparams, 0, "no parameters");
    free(scratch);
}

/* With every room there is either an error or the whole result. */
static void test_room(void)
{
    size_t enough = UPOOL_PART_SCRATCH(sizeof(full) - 1);
    unsigned wrong = 0;
    unsigned refused = 0;
    size_t room;

    for (room = 0; room <= enough; room++) {
        upool_part part;
        char *scratch;
        upool_part_error error =
            parse(full, sizeof(full) - 1, room, &part, &scratch);

        if (error == UPOOL_PART_NO_ROOM) {
            refused++;
            wrong += part.why == NULL;
        }
        else {
            wrong += error != UPOOL_PART_OK
                     || strcmp(part.params[1].value, "\xEF\xBF\xBD\"") != 0;
        }
        free(scratch);
    }
    tap_is_int(wrong, 0, "no room is told, never overrun");
    tap_ok(refused > 50 && refused < enough, "%u rooms were too small",
           refused);
}

/* The same where nothing before the type takes more room than it. */
static void test_room_of_type(void)
{
    static const char text[] = "Content-Type: application/octet-stream; "
                               "parameter=\"a long value\"\r\n";
    unsigned no_room = 0;
    unsigned bad = 0;
    size_t room;

    for (room = 0; room <= UPOOL_PART_SCRATCH(sizeof(text)); room++) {
        upool_part part;
        char *scratch;
        upool_part_error error =
            parse(text, sizeof(text) - 1, room, &part, &scratch);

        no_room += error == UPOOL_PART_NO_ROOM && bad == 0;
        bad += error == UPOOL_PART_BAD;
        free(scratch);
    }
    tap_ok(no_room > 60 && bad > 60, "%u rooms too small, %u enough", no_room,
           bad);
    tap_is_int(no_room + bad, UPOOL_PART_SCRATCH(sizeof(text)) + 1,
               "too small, then enough");
}

/* No prefix of a block with whole lines needs more room than announced. */
static void test_prefixes(void)
{
    unsigned wrong = 0;
    size_t len;

    for (len = 0; len < sizeof(full); len++) {
        upool_part part;
        char *scratch;
        upool_part_error error =
            parse(full, len, UPOOL_PART_SCRATCH(len), &part, &scratch);
        int whole = len > 0 && full[len - 1] == '\n' && len > 50;

        wrong += error != (whole ? UPOOL_PART_OK : UPOOL_PART_BAD);
        wrong += error != UPOOL_PART_OK && part.why == NULL;
        free(scratch);
    }
    tap_is_int(wrong, 0, "a block cut in a line is refused");
}

/* The worst case for the room: nothing but bytes that need repair. */
static void test_worst_room(void)
{
    static const char begin[] = "Content-Disposition:form-data;name=\"";
    char text[600];
    unsigned wrong = 0;
    size_t bad;

    for (bad = 0; bad < 500; bad++) {
        size_t len = sizeof(begin) - 1;
        upool_part part;
        char *scratch;

        memcpy(text, begin, len);
        memset(text + len, 0xFF, bad);
        len += bad;
        memcpy(text + len, "\"\r\n", 3);
        len += 3;
        wrong += parse(text, len, UPOOL_PART_SCRATCH(len), &part, &scratch)
                     != UPOOL_PART_OK
                 || strlen(part.name) != 3 * bad;
        free(scratch);
    }
    tap_is_int(wrong, 0, "names of bytes that need repair");
}

static void test_bytes(void)
{
    static const char line[] =
        "Content-Disposition: form-data; name=\"a?\"\r\n";
    unsigned accepted = 0;
    unsigned valid = 0;
    unsigned byte;

    for (byte = 0; byte < 256; byte++) {
        char text[sizeof(line)];
        upool_part part;
        char *scratch;

        memcpy(text, line, sizeof(line));
        text[39] = (char)byte;
        if (parse(text, sizeof(line) - 1, 300, &part, &scratch)
            == UPOOL_PART_OK) {
            accepted++;
            valid += upool_names_is_utf8(part.name, strlen(part.name)) != 0;
        }
        free(scratch);
    }
    /* Not NUL, CR, LF, the quote (text behind it) and the backslash (it
     * keeps the quote open). */
    tap_is_int(accepted, 251, "bytes that a quoted name may have");
    tap_is_int(valid, accepted, "all give valid UTF-8");
}

static void test_lines(void)
{
    static const struct {
        const char *text;
        upool_part_error error;
    } cases[] = {
        { "Content-Disposition: form-data; name=a\n", UPOOL_PART_BAD },
        { "Content-Disposition: form-data; name=a", UPOOL_PART_BAD },
        { "Content-Disposition: form-data; name=a\r", UPOOL_PART_BAD },
        { "\r\nContent-Disposition: form-data; name=a\r\n", UPOOL_PART_BAD },
        { "\nContent-Disposition: form-data; name=a\r\n", UPOOL_PART_BAD },
        { "X: a\rb\r\nContent-Disposition: form-data; name=a\r\n",
          UPOOL_PART_BAD },
        { "Content-Disposition: form-data; name=a\r\n\r\n", UPOOL_PART_BAD },
        { "Content-Transfer-Encoding: base64\r\n", UPOOL_PART_ENCODED },
        { "X\r\nContent-Transfer-Encoding: base64\r\n", UPOOL_PART_BAD },
        { "Content-Transfer-Encoding: base64\r\nX\r\n", UPOOL_PART_ENCODED },
        { "", UPOOL_PART_BAD },
    };
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        upool_part part;
        char *scratch;

        tap_is_int(
            parse(cases[i].text, strlen(cases[i].text), 1000, &part, &scratch),
            cases[i].error, "lines %lu", (unsigned long)i);
        free(scratch);
    }
}

static void test_percent(void)
{
    static const char text[] = "%4a%4A%g0%0g%%41%4";
    const char *end = text + sizeof(text) - 1;

    tap_is_int(upool_percent_byte(text, end), 'J', "lower case");
    tap_is_int(upool_percent_byte(text + 3, end), 'J', "upper case");
    tap_is_int(upool_percent_byte(text + 6, end), -1, "no hex first");
    tap_is_int(upool_percent_byte(text + 9, end), -1, "no hex second");
    tap_is_int(upool_percent_byte(text + 12, end), -1, "a second %%");
    tap_is_int(upool_percent_byte(text + 13, end), 'A', "behind it");
    tap_is_int(upool_percent_byte(text + 16, end), -1, "too short");
    tap_is_int(upool_percent_byte(text + 1, end), -1, "no %%");
    tap_is_int(upool_percent_byte(end, end), -1, "nothing");
}

int main(void)
{
    test_full();
    test_plain_field();
    test_room();
    test_room_of_type();
    test_prefixes();
    test_worst_room();
    test_bytes();
    test_lines();
    test_percent();
    return tap_done();
}
