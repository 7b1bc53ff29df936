/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* The delimiter search: the vector and the portable path against a naive one,
 * on windows that end where the memory ends. */
#include "parse/scan.h"
#include "tap.h"

#include <stdint.h>
#include <stdlib.h>

static uint32_t seed = 88172645;

static size_t below(size_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % n;
}

static size_t naive(const char *data, size_t len, const char *needle,
                    size_t nlen)
{
    size_t i;

    for (i = 0; i + nlen <= len; i++) {
        if (memcmp(data + i, needle, nlen) == 0) {
            return i;
        }
    }
    return len;
}

/* A naive upool_scan_tail(): tries every place. */
static size_t naive_tail(const char *data, size_t len, const char *delimiter,
                         size_t dlen, size_t *from)
{
    size_t i;

    *from = 0;
    for (i = 0; i < len; i++) {
        size_t left = len - i;

        if (left < dlen && memcmp(data + i, delimiter, left) == 0) {
            return left;
        }
        if (left < dlen - 1 && memcmp(data + i, delimiter + 1, left) == 0) {
            *from = 1;
            return left;
        }
    }
    return 0;
}

/* Content over the bytes of alphabet, with pieces of the delimiter in it. */
static void fill(char *data, size_t len, const char *alphabet,
                 const char *delimiter, size_t dlen)
{
    size_t letters = strlen(alphabet);
    size_t i = 0;
    size_t piece;

    while (i < len) {
        if (below(8) == 0) {
            piece = below(dlen + 1);
            piece = piece < len - i ? piece : len - i;
            memcpy(data + i, delimiter, piece);
            i += piece;
        }
        else {
            data[i] = alphabet[below(letters)];
            i++;
        }
    }
}

/* Makes a delimiter of dlen bytes. */
static void make_delimiter(char *delimiter, size_t dlen, const char *alphabet)
{
    size_t letters = strlen(alphabet);
    size_t i;

    memcpy(delimiter, "\r\n--", 4);
    for (i = 4; i < dlen; i++) {
        delimiter[i] = alphabet[below(letters)];
    }
}

static void compare_random(const char *boundary_alphabet, const char *alphabet)
{
    unsigned scans = 0;
    unsigned portables = 0;
    unsigned tails = 0;
    unsigned hits = 0;
    int round;

    for (round = 0; round < 30000; round++) {
        char delimiter[74];
        size_t dlen = 5 + below(70);
        size_t len = below(round % 10 == 0 ? 600 : 160);
        char *data = malloc(len + 1);
        size_t from;
        size_t naive_from;
        size_t want;

        if (data == NULL) {
            abort();
        }
        make_delimiter(delimiter, dlen, boundary_alphabet);
        /* One byte further in, so that every alignment occurs. */
        fill(data + 1, len, alphabet, delimiter, dlen);
        want = naive(data + 1, len, delimiter + 1, dlen - 1);
        hits += want != len;
        scans +=
            want != upool_scan_find(data + 1, len, delimiter + 1, dlen - 1);
        portables +=
            want
            != upool_scan_find_portable(data + 1, len, delimiter + 1, dlen - 1);
        if (want == len) {
            tails += naive_tail(data + 1, len, delimiter, dlen, &naive_from)
                     != upool_scan_tail(data + 1, len, delimiter, dlen, &from);
            tails += naive_from != from;
        }
        free(data);
    }
    tap_ok(hits > 1000 && hits < 29000, "%u of 30000 windows have a hit", hits);
    tap_is_int(scans, 0, "the search agrees with a naive one");
    tap_is_int(portables, 0, "the portable search agrees with a naive one");
    tap_is_int(tails, 0, "the tail agrees with a naive one");
}

/* The needle at every place of a window of every length. */
static void compare_places(size_t nlen)
{
    char needle[80];
    unsigned wrong = 0;
    unsigned runs = 0;
    size_t len;
    size_t at;

    memset(needle, 'a', sizeof(needle));
    memcpy(needle, "\n--", 3);
    for (len = 0; len < 200; len++) {
        for (at = 0; at <= len; at++) {
            char *data = malloc(len + 1);
            size_t piece = nlen < len - at ? nlen : len - at;
            size_t want = piece == nlen ? at : len;

            if (data == NULL) {
                abort();
            }
            memset(data, 'a', len);
            memcpy(data + at, needle, piece);
            wrong += upool_scan_find(data, len, needle, nlen) != want;
            wrong += upool_scan_find_portable(data, len, needle, nlen) != want;
            runs++;
            free(data);
        }
    }
    tap_is_int(wrong, 0, "%lu bytes at %u places", (unsigned long)nlen, runs);
}

int main(void)
{
    static const char high[] = "\x80\xFF\n-\x8D\x8A\xADz";

    compare_random("ab", "\r\n-ab");
    compare_random("a", "\r\n-a");
    compare_random("-", "\r\n-");
    compare_random("-a", "\r\n--------a");
    compare_random("z", high);
    compare_places(4);
    compare_places(5);
    compare_places(16);
    compare_places(17);
    compare_places(33);
    compare_places(73);
    tap_is_int(upool_scan_find("", 0, "\n--b", 4), 0, "an empty window");
    return tap_done();
}
