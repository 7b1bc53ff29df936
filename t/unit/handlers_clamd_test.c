/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* The conversation with clamd, and the handler around it, against a clamd that
 * behaves as the test says: a child process that serves one connection and
 * tells by its exit status whether it got what it should have. */
#include "handlers/clamd.h"
#include "handlers/builtin.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <tap.h>

#define LONG_WAIT apr_time_from_sec(20)
#define SHORT_WAIT apr_time_from_msec(200)
#define CHUNK_MAX 65536

/* What the child does. */
typedef struct script {
    long long expect;   /* bytes of the file, -1: does not look */
    const char *answer; /* NULL: none */
    size_t len;         /* of it */
    long long read_max; /* stops reading after so many; 0: reads to the end */
    int linger;         /* keeps the connection open until we close it */
    int trickle;        /* a byte of the answer at a time, and endless */
    int split;          /* the answer in two */
    int chunks;         /* that there must be, with the empty one; 0: any */
} script;

static apr_pool_t *pool;
static char dir[] = "/tmp/upool-clamd.XXXXXX";
static char path[80];
static int listener;
static upool_clamd_address address;
static int told;

static unsigned char pattern(long long at)
{
    return (unsigned char)(at * 7 + at / 251);
}

static int read_all(int fd, unsigned char *to, size_t len)
{
    while (len) {
        ssize_t n = read(fd, to, len);

        if (n <= 0) {
            return 0;
        }
        to += n;
        len -= (size_t)n;
    }
    return 1;
}

/* The file's bytes; -1: not as INSTREAM has them, -2: the end came early. */
static long long read_stream(int fd, const script *s, int *chunks)
{
    static unsigned char bytes[CHUNK_MAX];
    unsigned char head[10];
    long long got = 0;

    if (!read_all(fd, head, 10)) {
        return -2;
    }
    if (memcmp(head, "zINSTREAM", 10)) {
        return -1;
    }
    while (!s->read_max || got < s->read_max) {
        size_t len;
        size_t i;

        if (!read_all(fd, head, 4)) {
            return -2;
        }
        ++*chunks;
        len = (size_t)head[0] << 24 | (size_t)head[1] << 16
              | (size_t)head[2] << 8 | head[3];
        if (!len) {
            return got;
        }
        if (len > CHUNK_MAX) {
            return -1;
        }
        if (!read_all(fd, bytes, len)) {
            return -2;
        }
        for (i = 0; i < len; i++, got++) {
            if (bytes[i] != pattern(got)) {
                return -1;
            }
        }
    }
    return got;
}

static void send_answer(int fd, const script *s)
{
    size_t half = s->split ? s->len / 2 : s->len;

    while (s->trickle && write(fd, "x", 1) == 1) {
        usleep(20000);
    }
    if (s->answer && write(fd, s->answer, half) > 0 && half < s->len) {
        usleep(50000);
        if (write(fd, s->answer + half, s->len - half) < 0) {
            return;
        }
    }
}

static int serve(const script *s)
{
    int fd = accept(listener, NULL, NULL);
    int chunks = 0;
    long long got;
    char rest;

    if (fd < 0) {
        return 2;
    }
    got = s->read_max < 0 ? 0 : read_stream(fd, s, &chunks);
    send_answer(fd, s);
    if (s->linger) {
        while (s->read_max >= 0 && read(fd, &rest, 1) > 0) {
        }
        if (s->read_max < 0) {
            sleep(2);
        }
    }
    close(fd);
    return (s->expect >= 0 && got != s->expect) || got == -1
           || (s->chunks && chunks != s->chunks);
}

static pid_t start(const script *s)
{
    pid_t pid = fork();

    if (pid == 0) {
        alarm(30);
        _exit(serve(s));
    }
    return pid;
}

static int status_of(pid_t pid)
{
    int status = 0;

    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

static int listen_local(void)
{
    struct sockaddr_un sun;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    memset(&sun, 0, sizeof(sun));
    sun.sun_family = AF_UNIX;
    memcpy(sun.sun_path, path, strlen(path) + 1);
    return bind(fd, (struct sockaddr *)&sun, sizeof(sun)) || listen(fd, 5) ? -1
                                                                           : fd;
}

static int listen_tcp(unsigned *port)
{
    struct sockaddr_in sin;
    socklen_t len = sizeof(sin);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) || listen(fd, 5)
        || getsockname(fd, (struct sockaddr *)&sin, &len)) {
        return -1;
    }
    *port = ntohs(sin.sin_port);
    return fd;
}

static const char *file_of(apr_size_t size)
{
    char *bytes = apr_palloc(pool, size + 1);
    apr_size_t i;

    for (i = 0; i < size; i++) {
        bytes[i] = (char)pattern((long long)i);
    }
    return bytes;
}

/* One file of that size, in pieces; the text when it is over. */
static upool_clamd_result scan_file(const script *s, apr_size_t size,
                                    apr_size_t piece, apr_interval_time_t wait,
                                    const char **text, int *served)
{
    upool_clamd *scan = upool_clamd_make(&address, wait, pool);
    pid_t pid = start(s);
    const char *bytes = file_of(size);
    upool_clamd_result result = UPOOL_CLAMD_CLEAN;
    apr_status_t rv;
    apr_size_t at;

    for (at = 0; at < size && !result; at += piece) {
        result = upool_clamd_feed(scan, bytes + at,
                                  size - at < piece ? size - at : piece);
    }
    if (!result) {
        result = upool_clamd_verdict(scan);
    }
    *text = apr_pstrdup(pool, upool_clamd_text(scan, &rv));
    upool_clamd_reset(scan);
    *served = status_of(pid);
    return result;
}

#define ANSWER(text) .answer = (text), .len = sizeof(text)
/* Without the NUL. */
#define PARTIAL(text) .answer = (text), .len = sizeof(text) - 1

static void test_stream(void)
{
    static const struct {
        apr_size_t size;
        apr_size_t piece;
        int chunks;
    } rows[] = {
        { 0, 1, 1 },         { 1, 1, 2 },           { 5, 2, 2 },
        { 65535, 8000, 2 },  { 65536, 65536, 2 },   { 65537, 65537, 3 },
        { 300000, 7777, 6 }, { 131072, 131072, 3 },
    };
    const char *text;
    int served;
    size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        script s = { .expect = (long long)rows[i].size, ANSWER("stream: OK") };

        s.chunks = rows[i].chunks;
        tap_is_int(scan_file(&s, rows[i].size, rows[i].piece, LONG_WAIT, &text,
                             &served),
                   UPOOL_CLAMD_CLEAN, "%d bytes are clean", (int)rows[i].size);
        tap_is_int(served, 0, "and arrive as they are, in %d chunks",
                   rows[i].chunks);
    }
}

typedef struct verdict_row {
    script s;
    upool_clamd_result want;
    const char *text;
} verdict_row;

#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static void test_answers(void)
{
    static char endless[3000];
    static const verdict_row rows[] = {
        { { .expect = 10, ANSWER("stream: Eicar-Test FOUND") },
          UPOOL_CLAMD_FOUND,
          "Eicar-Test" },
        { { .expect = 10, ANSWER("stream: OK"), .split = 1 },
          UPOOL_CLAMD_CLEAN,
          "" },
        { { .expect = 10, ANSWER("stream: a<b>\r\n\t\x80 c FOUND") },
          UPOOL_CLAMD_FOUND,
          "a<b>_____c" },
        { { .expect = 10, ANSWER("stream: " X50 X50 "y FOUND") },
          UPOOL_CLAMD_FOUND,
          X50 X50 },
        { { .expect = 10, ANSWER("stream: OK FOUND") },
          UPOOL_CLAMD_FOUND,
          "OK" },
        { { .expect = 10, ANSWER("stream: broken ERROR") },
          UPOOL_CLAMD_FAILED,
          "the scanner says: stream: broken ERROR" },
        { { .expect = 10, ANSWER("UNKNOWN COMMAND") },
          UPOOL_CLAMD_FAILED,
          "the scanner says: UNKNOWN COMMAND" },
        { { .expect = 10, ANSWER("stream:  FOUND") },
          UPOOL_CLAMD_FAILED,
          "the scanner says: stream:  FOUND" },
        { { .expect = 10, ANSWER("stream: OK ") },
          UPOOL_CLAMD_FAILED,
          "the scanner says: stream: OK " },
        { { .expect = 10, ANSWER("Stream: ok") },
          UPOOL_CLAMD_FAILED,
          "the scanner says: Stream: ok" },
        { { .expect = 10, ANSWER("") },
          UPOOL_CLAMD_FAILED,
          "the scanner says: " },
        { { .expect = 10, ANSWER("stream: OK\0stream: X FOUND") },
          UPOOL_CLAMD_FAILED,
          "the scanner says more than an answer" },
        { { .expect = 10, PARTIAL("stream: OK") },
          UPOOL_CLAMD_FAILED,
          "no answer from the scanner" },
        { { .expect = 10, PARTIAL("stream: OK\n") },
          UPOOL_CLAMD_FAILED,
          "no answer from the scanner" },
        { { .expect = 10 }, UPOOL_CLAMD_FAILED, "no answer from the scanner" },
        { { .expect = 10, .answer = endless, .len = sizeof(endless) },
          UPOOL_CLAMD_FAILED,
          "the scanner's answer is too long" },
        { { .expect = 10, PARTIAL("HTTP/1.1 400 Bad Request\r\n\r\n") },
          UPOOL_CLAMD_FAILED,
          "no answer from the scanner" },
    };
    const char *text;
    int served;
    size_t i;

    memset(endless, 'x', sizeof(endless));
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap_is_int(scan_file(&rows[i].s, 10, 4, LONG_WAIT, &text, &served),
                   rows[i].want, "answer %d", (int)i);
        tap_is_str(text, rows[i].text, "and what is told of it");
        tap_is_int(served, 0, "after the whole file");
    }
}

/* Silence of every kind ends in time; a break is no absence. */
static void test_trouble(void)
{
    static const script silent = { .expect = 10, .linger = 1 };
    static const script half = { .expect = 10,
                                 PARTIAL("stream: O"),
                                 .linger = 1 };
    static const script drips = { .expect = 10, .trickle = 1 };
    static const script deaf = { .expect = -1, .read_max = -1, .linger = 1 };
    static const script breaks = { .expect = -1, .read_max = 100000 };
    static const script full = {
        .expect = -1,
        .read_max = 100000,
        ANSWER("INSTREAM size limit exceeded. ERROR"),
    };
    const char *text;
    int served;

    tap_is_int(scan_file(&silent, 10, 10, SHORT_WAIT, &text, &served),
               UPOOL_CLAMD_ABSENT, "no answer in time");
    tap_is_str(text, "no answer from the scanner", "is told");
    tap_is_int(served, 0, "the connection is closed");
    tap_is_int(scan_file(&half, 10, 10, SHORT_WAIT, &text, &served),
               UPOOL_CLAMD_ABSENT, "half an answer in time");
    tap_is_int(scan_file(&drips, 10, 10, SHORT_WAIT, &text, &served),
               UPOOL_CLAMD_ABSENT, "an answer byte by byte, without end");
    tap_is_int(scan_file(&deaf, 8000000, 65536, SHORT_WAIT, &text, &served),
               UPOOL_CLAMD_ABSENT, "one that reads nothing");
    tap_is_str(text, "the scanner takes no more bytes", "is told");
    tap_is_int(scan_file(&breaks, 8000000, 65536, LONG_WAIT, &text, &served),
               UPOOL_CLAMD_FAILED, "one that breaks off");
    tap_is_int(scan_file(&full, 8000000, 65536, LONG_WAIT, &text, &served),
               UPOOL_CLAMD_FAILED, "one for which the file is too large");
    tap_ok(strstr(text, "the scanner broke off") != NULL, "is told: %s", text);
}

static void test_absent(void)
{
    upool_clamd_address nobody;
    upool_clamd *scan;
    apr_status_t rv = 0;

    tap_is_str(upool_clamd_resolve(&nobody, "unix:/nonexistent/x", pool), NULL,
               "a socket may be missing at start");
    scan = upool_clamd_make(&nobody, LONG_WAIT, pool);
    tap_is_int(upool_clamd_feed(scan, "x", 1), UPOOL_CLAMD_CLEAN,
               "nothing is connected for a byte");
    tap_is_int(upool_clamd_verdict(scan), UPOOL_CLAMD_ABSENT, "nobody there");
    tap_is_str(upool_clamd_text(scan, &rv),
               "no connection to the scanner at unix:/nonexistent/x",
               "is told with the address");
    tap_ok(APR_STATUS_IS_ENOENT(rv), "and the system's reason");
    tap_is_int(upool_clamd_feed(scan, "x", 1), UPOOL_CLAMD_ABSENT,
               "it stays so");
    tap_is_int(upool_clamd_keep(scan, 0), UPOOL_CLAMD_ABSENT, "also for keep");
    tap_is_int(upool_clamd_verdict(scan), UPOOL_CLAMD_ABSENT,
               "also for the verdict");
    upool_clamd_reset(scan);
    tap_is_int(upool_clamd_feed(scan, "x", 1), UPOOL_CLAMD_CLEAN,
               "until the next file");
    upool_clamd_reset(scan);
}

static void test_resolve(void)
{
    static const char *const bad[] = {
        "",         "unix:",           "unix:relative", "localhost",
        "3310",     "localhost:",      "localhost:0",   ":3310",
        "a b:3310", "127.0.0.1:99999", "[::1]",         "unix:/" X50 X50 "xxx",
    };
    upool_clamd_address a;
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        tap_ok(upool_clamd_resolve(&a, bad[i], pool) != NULL,
               "'%s' is no address", bad[i]);
    }
    tap_is_str(upool_clamd_resolve(&a, "127.0.0.1:3310", pool), NULL,
               "host and port");
    tap_is_int(a.first->port, 3310, "with its port");
    tap_is_str(upool_clamd_resolve(&a, "[::1]:3310", pool), NULL, "IPv6");
}

static void test_tcp(void)
{
    static const script s = { .expect = 70000, ANSWER("stream: X FOUND") };
    upool_clamd_address local = address;
    int local_listener = listener;
    unsigned port = 0;
    const char *text;
    int served;

    listener = listen_tcp(&port);
    tap_is_str(upool_clamd_resolve(
                   &address, apr_psprintf(pool, "127.0.0.1:%u", port), pool),
               NULL, "an address of TCP");
    tap_is_int(scan_file(&s, 70000, 9999, LONG_WAIT, &text, &served),
               UPOOL_CLAMD_FOUND, "a scan over TCP");
    tap_is_str(text, "X", "finds");
    tap_is_int(served, 0, "in the whole file");
    close(listener);
    tap_is_int(scan_file(&s, 1, 1, LONG_WAIT, &text, &served),
               UPOOL_CLAMD_ABSENT, "nobody listens any more");
    listener = local_listener;
    address = local;
}

static void test_keep(void)
{
    static const script s = { .expect = 65546,
                              ANSWER("stream: OK"),
                              .chunks = 4 };
    upool_clamd *scan = upool_clamd_make(&address, LONG_WAIT, pool);
    const char *bytes = file_of(65546);
    pid_t pid = start(&s);

    upool_clamd_feed(scan, bytes, 4);
    tap_is_int(upool_clamd_keep(scan, 0), UPOOL_CLAMD_CLEAN,
               "before the first chunk there is nobody to keep");
    upool_clamd_feed(scan, bytes + 4, 65536);
    tap_is_int(upool_clamd_keep(scan, LONG_WAIT * 1000), UPOOL_CLAMD_CLEAN,
               "nor while the last chunk is young");
    tap_is_int(upool_clamd_keep(scan, 0), UPOOL_CLAMD_CLEAN,
               "an old one is followed by what there is");
    tap_is_int(upool_clamd_keep(scan, 0), UPOOL_CLAMD_CLEAN,
               "never by an empty one");
    upool_clamd_feed(scan, bytes + 65540, 6);
    tap_is_int(upool_clamd_verdict(scan), UPOOL_CLAMD_CLEAN, "verdict");
    upool_clamd_reset(scan);
    tap_is_int(status_of(pid), 0, "the file was whole, in three chunks");
}

/* --- The handler ---------------------------------------------------------- */

static upool_refusal refusal;

static void tell(struct request_rec *r, apr_status_t rv, const char *text)
{
    (void)r;
    (void)rv;
    told += *text != '\0';
}

static void begin(upload_pool_instance *self, apr_interval_time_t wait,
                  int accept_unscanned)
{
    static const upload_pool_request request = { NULL };
    upool_scan_options options;

    memset(self, 0, sizeof(*self));
    told = 0;
    refusal = upool_refusal_make(UPOOL_REASON_NONE, 0, NULL);
    options.address = &address;
    options.timeout = wait;
    options.accept_unscanned = accept_unscanned;
    options.tell = tell;
    self->handler = &upool_clamd_handler;
    self->request = &request;
    self->data = upool_clamd_handler_make(&options, &refusal, pool);
}

/* A file of ten bytes; its notes. */
static upload_pool_verdict pass(upload_pool_instance *self, const script *s,
                                apr_table_t **notes, int *served)
{
    upload_pool_file file = { .pool = pool };
    upload_pool_kept kept = { NULL };
    const char *bytes = file_of(10);
    const char *passed = bytes;
    apr_size_t len = 10;
    upload_pool_verdict verdict;
    pid_t pid = start(s);

    file.notes = apr_table_make(pool, 1);
    verdict = upool_clamd_handler.new_file(self, &file);
    if (!verdict) {
        verdict = upool_clamd_handler.receive_data_chunk(self, &file, &passed,
                                                         &len, 0);
    }
    if (!verdict) {
        verdict = upool_clamd_handler.flush(self);
    }
    if (!verdict) {
        verdict = upool_clamd_handler.file_complete(self, &file, 10, &kept);
    }
    tap_ok(passed == bytes && len == 10 && !kept.stored && !kept.content,
           "bytes pass as they are");
    *notes = file.notes;
    *served = status_of(pid);
    return verdict;
}

static void test_handler(void)
{
    static const script clean = { .expect = 10, ANSWER("stream: OK") };
    static const script found = { .expect = 10, ANSWER("stream: Bad.1 FOUND") };
    upload_pool_instance self;
    apr_table_t *notes;
    int served;

    begin(&self, LONG_WAIT, 0);
    tap_is_int(pass(&self, &clean, &notes, &served), UPLOAD_POOL_GO_ON,
               "a clean file");
    tap_ok(!served && apr_is_empty_table(notes), "was scanned, without a word");
    tap_is_int(pass(&self, &clean, &notes, &served), UPLOAD_POOL_GO_ON,
               "the next one");
    tap_is_int(served, 0, "was scanned on its own");
    tap_is_int(refusal.reason, UPOOL_REASON_NONE, "no refusal");
    tap_is_int(pass(&self, &found, &notes, &served), UPLOAD_POOL_STOP,
               "one with a virus");
    tap_is_int(refusal.reason, UPOOL_REASON_VIRUS, "is refused for it");
    tap_is_int(refusal.status, 422, "with 422");
    tap_is_str(refusal.text, "Upload refused: virus found (Bad.1)",
               "and its name");
    begin(&self, LONG_WAIT, 1);
    tap_is_int(pass(&self, &found, &notes, &served), UPLOAD_POOL_STOP,
               "also where scans may fail");
}

static void test_policy(void)
{
    static const script error = { .expect = 10, ANSWER("x ERROR") };
    static const script silent = { .expect = 10, .linger = 1 };
    upload_pool_instance self;
    apr_table_t *notes;
    int served;

    begin(&self, LONG_WAIT, 0);
    tap_is_int(pass(&self, &error, &notes, &served), UPLOAD_POOL_STOP,
               "no verdict, no upload");
    tap_is_int(refusal.reason, UPOOL_REASON_SCANNER, "for that reason");
    tap_is_int(refusal.status, 503, "with 503");
    tap_is_str(refusal.text, "Upload could not be scanned", "in these words");
    tap_is_str(refusal.detail, "the scanner says: x ERROR", "details to log");
    begin(&self, LONG_WAIT, 1);
    tap_is_int(pass(&self, &error, &notes, &served), UPLOAD_POOL_STOP,
               "an error is no absence");
    tap_is_int(told, 0, "nothing was let pass");
    begin(&self, SHORT_WAIT, 0);
    tap_is_int(pass(&self, &silent, &notes, &served), UPLOAD_POOL_STOP,
               "silence is refused");
    begin(&self, SHORT_WAIT, 1);
    tap_is_int(pass(&self, &silent, &notes, &served), UPLOAD_POOL_GO_ON,
               "unless the administrator accepts it");
    tap_is_int(told, 1, "which the log tells once");
    tap_is_str(apr_table_get(notes, "scan"), "failed", "and the application");
    tap_is_int(refusal.reason, UPOOL_REASON_NONE, "no refusal");
}

static void test_interrupted(void)
{
    static const script ends = { .expect = -2 };
    upload_pool_instance self;
    upload_pool_file file = { .pool = pool };
    const char *bytes = file_of(70000);
    apr_size_t len = 70000;
    pid_t pid = start(&ends);

    begin(&self, LONG_WAIT, 0);
    upool_clamd_handler.new_file(&self, &file);
    tap_is_int(
        upool_clamd_handler.receive_data_chunk(&self, &file, &bytes, &len, 0),
        UPLOAD_POOL_GO_ON, "a file under way");
    upool_clamd_handler.upload_interrupted(&self, NULL);
    tap_is_int(status_of(pid), 0, "is closed when the upload ends");
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    apr_initialize();
    apr_pool_create(&pool, NULL);
    if (!mkdtemp(dir)) {
        return 1;
    }
    snprintf(path, sizeof(path), "%s/socket", dir);
    listener = listen_local();
    tap_is_str(upool_clamd_resolve(
                   &address, apr_pstrcat(pool, "unix:", path, NULL), pool),
               NULL, "an address of a socket");
    test_stream();
    test_answers();
    test_trouble();
    test_absent();
    test_resolve();
    test_tcp();
    test_keep();
    test_handler();
    test_policy();
    test_interrupted();
    close(listener);
    unlink(path);
    rmdir(dir);
    apr_pool_destroy(pool);
    apr_terminate();
    return tap_done();
}
