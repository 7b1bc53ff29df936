/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Records on their way through a cache that others write to. */
#include "progress/wire.h"

#include <stdlib.h>
#include <string.h>

#include <tap.h>

/* Where things are in the form. */
#define AT_STATE 4
#define AT_SIZE 5
#define AT_RECEIVED 13
#define AT_UPDATED 29
#define AT_TEXTS 37

static upool_slot_record sample(void)
{
    upool_slot_record r;

    memset(&r, 0, sizeof(r));
    strcpy(r.identifier, "not sent");
    r.state = UPOOL_SLOT_UPLOADING;
    r.size = 123456789012;
    r.received = 4711;
    r.created = 1700000000000001;
    r.updated = 1700000000000002;
    r.process = 99;
    strcpy(r.owner, "{SHA}owner");
    strcpy(r.filename, "Gr\303\274\303\237e \"<>.jpg");
    strcpy(r.content_type, "image/jpeg");
    return r;
}

static void test_there_and_back(void)
{
    unsigned char wire[UPOOL_WIRE_MAX];
    upool_slot_record in = sample(), out;
    apr_size_t len = upool_wire_write(wire, &in);

    tap_ok(len > AT_TEXTS && len <= UPOOL_WIRE_MAX, "it has %lu bytes",
           (unsigned long)len);
    tap_ok(upool_wire_read(wire, len, &out), "and is read");
    tap_is_int(out.state, in.state, "state");
    tap_ok(out.size == in.size && out.received == in.received, "sizes");
    tap_ok(out.created == in.created && out.updated == in.updated, "times");
    tap_is_str(out.owner, in.owner, "owner");
    tap_is_str(out.filename, in.filename, "filename");
    tap_is_str(out.content_type, in.content_type, "type");
    tap_is_str(out.error, "", "no error");
    tap_is_str(out.identifier, "", "the identifier stays at home");
    tap_is_int(out.process, 0, "and so does the process");
    tap_ok(!memcmp(wire, "UPP1\001\000\000\000\034\276\231\032\024", 13),
           "numbers are big-endian");
}

static void test_extremes(void)
{
    unsigned char wire[UPOOL_WIRE_MAX];
    upool_slot_record in = sample(), out;
    apr_size_t len;

    in.state = UPOOL_SLOT_ERROR_STATE;
    in.size = -1;
    in.received = 0;
    memset(in.owner, 'o', UPOOL_SLOT_OWNER);
    memset(in.filename, 'f', UPOOL_SLOT_FILENAME);
    memset(in.content_type, 't', UPOOL_SLOT_TYPE);
    memset(in.error, 'e', UPOOL_SLOT_ERROR);
    len = upool_wire_write(wire, &in);
    tap_is_int(len, UPOOL_WIRE_MAX, "the longest");
    tap_ok(upool_wire_read(wire, len, &out), "is read");
    tap_ok(out.size == -1 && strlen(out.error) == UPOOL_SLOT_ERROR
               && strlen(out.filename) == UPOOL_SLOT_FILENAME,
           "as it was");
    strcpy(in.filename, "\377");
    tap_is_int(upool_wire_write(wire, &in), 0, "no text but UTF-8 is sent");
}

/* Whatever is cut off or added, it is none. */
static void test_lengths(void)
{
    unsigned char wire[UPOOL_WIRE_MAX + 1];
    upool_slot_record in = sample(), out;
    apr_size_t len = upool_wire_write(wire, &in), n;
    unsigned wrong = 0;

    for (n = 0; n < len; n++) {
        /* Memory of that length, so that a reader past its end is caught. */
        unsigned char *cut = malloc(n ? n : 1);

        memcpy(cut, wire, n);
        wrong += (unsigned)upool_wire_read(cut, n, &out);
        free(cut);
    }
    tap_is_int(wrong, 0, "none that is cut short");
    wire[len] = 0;
    tap_ok(!upool_wire_read(wire, len + 1, &out), "none with more behind it");
}

typedef struct damage {
    const char *name;
    apr_size_t at;
    const char *bytes;
    apr_size_t len;
} damage;

#define BYTES(text) text, sizeof(text) - 1

static void test_damage(void)
{
    static const damage table[] = {
        { "another form", 3, BYTES("2") },
        { "no state", AT_STATE, BYTES("\0") },
        { "a state that is none", AT_STATE, BYTES("\4") },
        { "a negative size", AT_SIZE,
          BYTES("\377\377\377\377\377\377\377\376") },
        { "the least number", AT_SIZE, BYTES("\200\0\0\0\0\0\0\0") },
        { "more than a slot can count", AT_SIZE, BYTES("\0\1\0\0\0\0\0\0") },
        { "the greatest number", AT_RECEIVED,
          BYTES("\177\377\377\377\377\377\377\377") },
        { "unknown received", AT_RECEIVED,
          BYTES("\377\377\377\377\377\377\377\377") },
        { "the end of time", AT_UPDATED,
          BYTES("\177\377\377\377\377\377\377\377") },
        { "before time", AT_UPDATED,
          BYTES("\377\377\377\377\377\377\377\377") },
        { "an owner that is too long", AT_TEXTS, BYTES("\0\101") },
        { "text of 64 KiB", AT_TEXTS, BYTES("\377\377") },
        { "a NUL in a text", AT_TEXTS + 4, BYTES("\0") },
        { "a byte that is not UTF-8", AT_TEXTS + 4, BYTES("\200") },
        { "half a character", AT_TEXTS + 11, BYTES("\303") },
    };
    apr_size_t n;

    for (n = 0; n < sizeof(table) / sizeof(table[0]); n++) {
        unsigned char wire[UPOOL_WIRE_MAX];
        upool_slot_record in = sample(), out;
        apr_size_t len = upool_wire_write(wire, &in);

        memcpy(wire + table[n].at, table[n].bytes, table[n].len);
        tap_ok(!upool_wire_read(wire, len, &out), "refused: %s", table[n].name);
    }
}

/* Any single byte changed: refused, or a record that could have been sent. */
static void test_every_byte(void)
{
    unsigned char wire[UPOOL_WIRE_MAX], again[UPOOL_WIRE_MAX];
    upool_slot_record in = sample(), out;
    apr_size_t len = upool_wire_write(wire, &in), n;
    unsigned wrong = 0, read = 0, value;

    for (n = 0; n < len; n++) {
        unsigned char was = wire[n];

        for (value = 0; value < 256; value++) {
            wire[n] = (unsigned char)value;
            if (upool_wire_read(wire, len, &out)) {
                read++;
                wrong += upool_wire_write(again, &out) != len
                         || memcmp(wire, again, len) != 0;
            }
        }
        wire[n] = was;
    }
    tap_ok(read > 1000, "%u changed ones are read", read);
    tap_is_int(wrong, 0, "and written again byte for byte");
}

int main(void)
{
    test_there_and_back();
    test_extremes();
    test_lengths();
    test_damage();
    test_every_byte();
    return tap_done();
}
