/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* The multipart parser: truncation anywhere, random bodies in random pieces,
 * callbacks that stop or give no memory, offsets, size. */
#include "parse_events.h"
#include "tap.h"

#include <stdint.h>

static const upool_multipart_limits wide = { 1000, 16384, 1048576, 65536 };

static uint32_t seed = 2463534242u;

static size_t below(size_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % n;
}

static const char good[] =
    "preamble\r\n"
    "--AaB03x\r\n"
    "Content-Disposition: form-data; name=\"title\"\r\n"
    "\r\n"
    "Holiday, or what is left of it, \r\n--AaB03 in \r\n\r\nRome\r\n"
    "--AaB03x  \r\n"
    "content-disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "\r\n"
    "\r\n"
    "--AaB03x\r\n"
    "Content-Disposition: form-data; name=\"last\"; size=1; x=\"--AaB03x\"\r\n"
    "Content-Transfer-Encoding: 8bit\r\n"
    "\r\n"
    "x\r\n"
    "--AaB03x--\r\n";

/* Feeds len bytes of the body in pieces of up to step bytes. */
static upool_multipart_error feed_all(events *log, const char *body, size_t len,
                                      size_t step)
{
    size_t at;

    for (at = 0; at < len; at += step) {
        events_feed(log, body + at, step < len - at ? step : len - at);
    }
    return events_end(log);
}

static void test_truncation(void)
{
    static const size_t steps[] = { 1, 7, 100000 };
    size_t whole = sizeof(good) - 1;
    unsigned accepted = 0;
    unsigned runs = 0;
    events log;
    size_t len;
    size_t i;

    for (len = 0; len <= whole; len++) {
        for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
            upool_multipart_error error;
            upool_multipart_error want = UPOOL_MULTIPART_TRUNCATED;

            events_open(&log, "AaB03x", &wide);
            error = feed_all(&log, good, len, steps[i]);
            if (len < 18) {
                want = UPOOL_MULTIPART_NO_DELIMITER;
            }
            /* Complete without the last CRLF, but not with half of it. */
            if (len == whole || len == whole - 2) {
                want = UPOOL_MULTIPART_OK;
            }
            accepted += error != want || log.misuse;
            runs++;
            free(log.text);
        }
    }
    tap_ok(runs >= 3 * 361, "%u truncated bodies", runs);
    tap_is_int(accepted, 0, "truncation at every offset is told");
}

/* A body made of random parts, and the log it must give. */
typedef struct body {
    char text[40000];
    size_t len;
    events want;
} body;

static void add(body *b, const char *text, size_t len)
{
    memcpy(b->text + b->len, text, len);
    b->len += len;
}

/* Data that are dangerous: begins of the delimiter and its bytes, but never
 * LF "--" boundary, and nothing that makes one with what is around. */
static size_t make_data(char *data, size_t max, const char *delimiter)
{
    size_t dlen = strlen(delimiter);
    size_t want = below(max);
    size_t len = 0;
    size_t i;

    while (len + dlen + 1 < want) {
        size_t piece = below(dlen);

        if (below(3) == 0) {
            memcpy(data + len, delimiter, piece);
            len += piece;
        }
        data[len] = below(2) == 0 ? (char)below(256) : delimiter[below(dlen)];
        len++;
    }
    for (i = 0; i + dlen - 2 <= len; i++) {
        if (memcmp(data + i, delimiter + 2, dlen - 2) == 0) {
            data[i] = '+';
        }
    }
    return len;
}

static void make_part(body *b, const char *delimiter, int first)
{
    static char data[6000];
    static char name[700];
    size_t max = below(6) == 0 ? 5000 : 90;
    size_t len = make_data(data, max, delimiter);
    size_t name_len = below(below(5) == 0 ? sizeof(name) - 1 : 12);
    size_t blanks = below(3);

    memset(name, 'n', name_len);
    name[name_len] = '\0';
    add(b, delimiter + (first ? 2 : 0), strlen(delimiter) - (first ? 2 : 0));
    add(b, " \t ", blanks);
    add(b, "\r\n", 2);
    if (!first) {
        events_print(&b->want, "end %lu\n", (unsigned long)b->len);
    }
    add(b, "Content-Disposition: form-data; name=\"", 38);
    add(b, name, name_len);
    add(b, "\"\r\n\r\n", 5);
    events_print(&b->want, "part %lu", (unsigned long)b->len);
    events_quoted(&b->want, "name", name);
    events_bytes(&b->want, "\n", 1);
    add(b, data, len);
    if (len > 0) {
        events_bytes(&b->want, "data \"", 6);
        events_bytes(&b->want, data, len);
        events_bytes(&b->want, "\"\n", 2);
    }
}

static void make_body(body *b, const char *delimiter)
{
    size_t parts = below(7);
    size_t i;

    b->len = 0;
    memset(&b->want, 0, sizeof(b->want));
    if (below(3) == 0) {
        add(b, "pre\r\n--\n-\r\r\n", 12);
        add(b, delimiter, 2);
    }
    for (i = 0; i < parts; i++) {
        make_part(b, delimiter, i == 0);
    }
    add(b, delimiter + (parts == 0 ? 2 : 0),
        strlen(delimiter) - (parts == 0 ? 2 : 0));
    add(b, "--", 2);
    if (parts > 0) {
        events_print(&b->want, "end %lu\n", (unsigned long)b->len);
    }
    if (below(2) == 0) {
        add(b, "\r\nepilogue", 2 + below(9));
    }
    events_print(&b->want, "ok %lu\n", (unsigned long)b->len);
}

static int run_in_pieces(const body *b, const char *boundary, size_t mean)
{
    events log;
    size_t at = 0;
    int same;

    events_open(&log, boundary, &wide);
    while (at < b->len) {
        size_t piece = below(2 * mean);

        piece = piece < b->len - at ? piece : b->len - at;
        events_feed(&log, b->text + at, piece);
        at += piece;
    }
    events_end(&log);
    same = !log.misuse && log.len == b->want.len
           && memcmp(log.text, b->want.text, log.len) == 0;
    free(log.text);
    return same;
}

static void test_random(const char *boundary)
{
    static body b;
    static const size_t means[] = { 1, 2, 5, 30, 80, 500, 20000 };
    char delimiter[UPOOL_BOUNDARY_MAX + 5];
    unsigned wrong = 0;
    unsigned bytes = 0;
    int round;
    size_t i;

    snprintf(delimiter, sizeof(delimiter), "\r\n--%s", boundary);
    for (round = 0; round < 1500; round++) {
        make_body(&b, delimiter);
        bytes += (unsigned)b.len;
        for (i = 0; i < sizeof(means) / sizeof(means[0]); i++) {
            wrong += !run_in_pieces(&b, boundary, means[i]);
        }
        free(b.want.text);
    }
    tap_ok(bytes > 500000, "%u bytes of random parts", bytes);
    tap_is_int(wrong, 0, "events are the parts, boundary %.10s", boundary);
}

/* Counts callbacks, and stops or gives no memory at one of them. */
typedef struct stopper {
    unsigned calls;
    unsigned stop_at;
    unsigned holds;
    unsigned releases;
    char *held;
} stopper;

static int stop_now(stopper *s)
{
    s->calls++;
    return s->calls == s->stop_at;
}

static int stop_begin(void *user, const char *block, size_t len)
{
    (void)block;
    (void)len;
    return stop_now(user);
}

static int stop_data(void *user, const char *data, size_t len)
{
    (void)data;
    (void)len;
    return stop_now(user);
}

static int stop_end(void *user)
{
    return stop_now(user);
}

static char *stop_hold(void *user, char *old, size_t have, size_t want)
{
    stopper *s = user;

    (void)have;
    if (want == 0) {
        s->releases++;
        free(old);
        s->held = NULL;
        return NULL;
    }
    s->holds++;
    if (stop_now(s)) {
        return NULL;
    }
    s->held = realloc(old, want);
    return s->held;
}

static const upool_multipart_events stop_events = { stop_begin, stop_data,
                                                    stop_end, stop_hold };

static upool_multipart_error run_stopper(stopper *s, unsigned stop_at,
                                         const char *text, size_t len)
{
    upool_multipart_error error = UPOOL_MULTIPART_OK;
    upool_multipart mp;
    size_t i;

    memset(s, 0, sizeof(*s));
    s->stop_at = stop_at;
    upool_multipart_init(&mp, "AaB03x", 6, &wide, &stop_events, s);
    for (i = 0; i < len && error == UPOOL_MULTIPART_OK; i++) {
        error = upool_multipart_feed(&mp, text + i, 1);
    }
    if (error != UPOOL_MULTIPART_OK) {
        unsigned calls = s->calls;

        tap_ok(upool_multipart_feed(&mp, text, len) == error
                   && upool_multipart_end(&mp) == error && s->calls == calls,
               "stopped at call %u: nothing more is told", stop_at);
    }
    else {
        error = upool_multipart_end(&mp);
    }
    return error;
}

static void test_stop(void)
{
    static char text[sizeof(good) + 2000];
    size_t len;
    unsigned i;
    stopper s;

    len = (size_t)snprintf(text, sizeof(text),
                           "--AaB03x\r\nX: %01500d\r\n\r\nab\r\n--AaB03x--", 0);
    tap_is_int(run_stopper(&s, 0, text, len), UPOOL_MULTIPART_OK,
               "nobody stops");
    tap_is_int(s.calls, 7, "begin, two of data, end and three of hold");
    tap_is_int(s.holds, 3, "512, 1024 and 2048 bytes");
    tap_is_int(s.releases, 1, "given back once");
    for (i = 1; i <= 7; i++) {
        tap_is_int(run_stopper(&s, i, text, len),
                   i <= 3 ? UPOOL_MULTIPART_NO_MEMORY : UPOOL_MULTIPART_STOPPED,
                   "call %u stops", i);
        tap_ok(s.held == NULL, "no memory is held then");
    }
}

/* All callbacks of one feed. */
static void test_stop_in_feed(void)
{
    static const char text[] = "--b\r\nA: b\r\n\r\nab\r\n--b--";
    unsigned i;

    for (i = 1; i <= 3; i++) {
        stopper s = { 0, i, 0, 0, NULL };
        upool_multipart mp;

        upool_multipart_init(&mp, "b", 1, &wide, &stop_events, &s);
        tap_is_int(upool_multipart_feed(&mp, text, sizeof(text) - 1),
                   UPOOL_MULTIPART_STOPPED, "call %u of a feed stops", i);
        tap_is_int(s.calls, i, "and nothing follows");
    }
}

/* A block that outgrows the parser with its very last piece. */
static void test_hold_late(void)
{
    stopper s = { 0, 1, 0, 0, NULL };
    upool_multipart mp;
    char line[300];

    memset(line, 'x', sizeof(line));
    memcpy(line + sizeof(line) - 4, "\r\n\r\n", 4);
    upool_multipart_init(&mp, "b", 1, &wide, &stop_events, &s);
    upool_multipart_feed(&mp, "--b\r\n", 5);
    upool_multipart_feed(&mp, line, 200);
    tap_is_int(upool_multipart_feed(&mp, line + 200, 100),
               UPOOL_MULTIPART_NO_MEMORY, "no memory for the last piece");
    tap_is_int(s.holds, 1, "hold() was asked");
    tap_is_int(s.calls, 1, "the part did not begin");
}

static void test_hold_absent(void)
{
    upool_multipart_events callbacks = stop_events;
    upool_multipart mp;
    char line[400];
    stopper s = { 0, 0, 0, 0, NULL };

    callbacks.hold = NULL;
    memset(line, 'x', sizeof(line));
    upool_multipart_init(&mp, "b", 1, &wide, &callbacks, &s);
    upool_multipart_feed(&mp, "--b\r\n", 5);
    tap_is_int(upool_multipart_feed(&mp, line, 256), UPOOL_MULTIPART_OK,
               "256 bytes of a block need no memory");
    tap_is_int(upool_multipart_feed(&mp, line, 1), UPOOL_MULTIPART_NO_MEMORY,
               "more need some");
    tap_is_int(upool_multipart_offset(&mp), 262, "offset of the error");
}

static void test_whole_is_not_copied(void)
{
    stopper s = { 0, 0, 0, 0, NULL };
    upool_multipart mp;
    char text[2000];
    int len;

    len = snprintf(text, sizeof(text), "--b\r\nX: %01000d\r\n\r\n", 0);
    upool_multipart_init(&mp, "b", 1, &wide, &stop_events, &s);
    tap_is_int(upool_multipart_feed(&mp, text, (size_t)len), UPOOL_MULTIPART_OK,
               "a long block in one feed");
    tap_is_int(s.calls, 1, "needs no memory");
    tap_is_int(s.holds, 0, "hold() is not called");
}

/* Where the memory of data lies; user is the text that was fed last. */
typedef struct span {
    const char *begin;
    const char *end;
    const upool_multipart *mp;
    unsigned outside;
    size_t seen;
} span;

static int span_begin(void *user, const char *block, size_t len)
{
    (void)user;
    (void)block;
    (void)len;
    return 0;
}

static int span_data(void *user, const char *data, size_t len)
{
    span *s = user;
    const char *self = (const char *)s->mp;

    s->seen += len;
    s->outside += !(data >= s->begin && data + len <= s->end)
                  && !(data >= self && data + len <= self + sizeof(*s->mp));
    return 0;
}

static int span_end(void *user)
{
    (void)user;
    return 0;
}

static void test_where_data_lie(void)
{
    static const upool_multipart_events callbacks = { span_begin, span_data,
                                                      span_end, NULL };
    static const char text[] = "--b\r\nA:\r\n\r\nx\r\r\n-\r\n--c\r\n--b--";
    upool_multipart mp;
    unsigned outside = 0;
    size_t cut;

    for (cut = 0; cut < sizeof(text); cut++) {
        span s = { NULL, NULL, &mp, 0, 0 };

        upool_multipart_init(&mp, "b", 1, &wide, &callbacks, &s);
        s.begin = text;
        s.end = text + cut;
        upool_multipart_feed(&mp, text, cut);
        s.begin = text + cut;
        s.end = text + sizeof(text) - 1;
        upool_multipart_feed(&mp, text + cut, sizeof(text) - 1 - cut);
        outside += s.outside + (s.seen != 10)
                   + (upool_multipart_end(&mp) != UPOOL_MULTIPART_OK);
    }
    tap_is_int(outside, 0, "data lie in what was fed or in the parser");
}

int main(void)
{
    char boundary[UPOOL_BOUNDARY_MAX + 1];

    tap_ok(sizeof(upool_multipart) - UPOOL_MULTIPART_SMALL < 512,
           "a parser takes %lu bytes, %d of them for small blocks",
           (unsigned long)sizeof(upool_multipart), UPOOL_MULTIPART_SMALL);
    test_truncation();
    test_random("b");
    test_random("----WebKitFormBoundary7MA4YWxkTrZu0gW");
    memset(boundary, 'a', UPOOL_BOUNDARY_MAX);
    boundary[UPOOL_BOUNDARY_MAX] = '\0';
    test_random(boundary);
    memset(boundary, '-', 5);
    boundary[5] = '\0';
    test_random(boundary);
    test_stop();
    test_stop_in_feed();
    test_hold_late();
    test_hold_absent();
    test_whole_is_not_copied();
    test_where_data_lie();
    return tap_done();
}
