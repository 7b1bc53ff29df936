/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* What each built-in handler costs for a GiB: seconds of CPU (user and system)
 * of the same chain with and without it, in the directory given as argument
 * (else the system's temporary one).  Bytes come as httpd brings them: slices
 * of 8,000, flushed every 64.  The scanner behind clamd is another process
 * that takes everything and finds nothing.  The last rows are OpenSSL alone on
 * the same slices: what a digest has to cost.  Nothing is asserted. */
#include "handlers/builtin.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <openssl/evp.h>

#include "upload/chain.h"

#define SLICE 8000
#define SLICES 64
#define TURNS 512 /* 512 * 64 * 8000 bytes: a quarter of a GiB */
#define TRIES 7
#define GIB (1024.0 * 1024.0 * 1024.0)
#define BYTES ((double)SLICE * SLICES * TURNS)

typedef struct bench {
    upool_store *store;
    char *content;
    const char *socket; /* of the scanner */
    upool_magic *magic;
    apr_pool_t *p; /* for one run */
} bench;

/* Puts what a row measures in front of spool. */
typedef void add_fn(bench *b, upool_chain *chain, upool_refusal *refusal,
                    const char *argument);

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static double cpu(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
           + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void add_nothing(bench *b, upool_chain *chain, upool_refusal *refusal,
                        const char *argument)
{
    (void)b;
    (void)chain;
    (void)refusal;
    (void)argument;
}

static void add_accept(bench *b, upool_chain *chain, upool_refusal *refusal,
                       const char *argument)
{
    upool_extension_lists lists = { { NULL, NULL }, { NULL, NULL } };
    apr_array_header_t *list = apr_array_make(b->p, 1, sizeof(const char *));

    APR_ARRAY_PUSH(list, const char *) = argument;
    lists.allow[0] = list;
    upool_chain_add(chain, &upool_accept_handler,
                    upool_accept_make(&lists, refusal, b->p));
}

static void add_sniff(bench *b, upool_chain *chain, upool_refusal *refusal,
                      const char *argument)
{
    (void)argument;
    upool_chain_add(chain, &upool_sniff_handler,
                    upool_sniff_make(UPOOL_SNIFF_REPORT, b->magic, NULL, NULL,
                                     refusal, b->p));
}

static void add_clamd(bench *b, upool_chain *chain, upool_refusal *refusal,
                      const char *argument)
{
    upool_clamd_address *address = apr_pcalloc(b->p, sizeof(*address));
    upool_scan_options *options = apr_pcalloc(b->p, sizeof(*options));

    (void)argument;
    if (upool_clamd_resolve(address, b->socket, b->p)) {
        die(b->socket);
    }
    options->address = address;
    options->timeout = apr_time_from_sec(10);
    upool_chain_add(chain, &upool_clamd_handler,
                    upool_clamd_handler_make(options, refusal, b->p));
}

static void add_digest(bench *b, upool_chain *chain, upool_refusal *refusal,
                       const char *argument)
{
    apr_array_header_t *list = apr_array_make(b->p, 1, sizeof(const char *));

    APR_ARRAY_PUSH(list, const char *) = argument;
    upool_chain_add(chain, &upool_digest_handler,
                    upool_digest_make(list, refusal, b->p));
}

/* Too large for memory: what is held at first goes on to spool. */
static void add_inline(bench *b, upool_chain *chain, upool_refusal *refusal,
                       const char *argument)
{
    apr_int64_t *memory = apr_palloc(b->p, sizeof(*memory));

    (void)argument;
    *memory = 1 << 20;
    upool_chain_add(chain, &upool_inline_handler,
                    upool_inline_make(65536, memory, refusal, b->p));
}

static void feed(const bench *b, upool_chain *chain)
{
    int turn;
    int i;

    for (turn = 0; turn < TURNS; turn++) {
        for (i = 0; i < SLICES; i++) {
            if (upool_chain_data(chain, b->content + i * SLICE, SLICE)) {
                die("data");
            }
        }
        if (upool_chain_flush(chain)) {
            die("flush");
        }
    }
}

static upload_pool_file *make_file(const bench *b)
{
    upload_pool_file *file = apr_pcalloc(b->p, sizeof(*file));

    file->pool = b->p;
    file->field = "f";
    file->filename = "a.bin";
    file->safe_filename = "a.bin";
    file->content_type = "application/octet-stream";
    file->params = apr_table_make(b->p, 1);
    file->notes = apr_table_make(b->p, 1);
    return file;
}

/* Seconds of CPU for one file through the chain. */
static double run_chain(bench *b, add_fn *add, const char *argument)
{
    upload_pool_request request = { NULL, b->p, "bench", -1 };
    upool_refusal refusal = UPOOL_NO_REFUSAL;
    upool_chain *chain = upool_chain_make(&request, &refusal, b->p);
    upload_pool_kept kept;
    upool_record *previous;
    upool_bucket *bucket;
    const char *why;
    int skipped;
    double begin;

    if (upool_bucket_begin(&bucket, b->store, "bench", 0, b->p, &previous,
                           &why)) {
        die(why);
    }
    add(b, chain, &refusal, argument);
    upool_chain_add(chain, &upool_spool_handler,
                    upool_spool_make(bucket, &refusal, b->p));
    begin = cpu();
    if (upool_chain_open(chain)
        || upool_chain_file_begin(chain, make_file(b))) {
        die(refusal.text);
    }
    feed(b, chain);
    if (upool_chain_file_end(chain, &kept, &skipped) || skipped
        || upool_chain_complete(chain)) {
        die(refusal.text ? refusal.text : "end");
    }
    begin = cpu() - begin;
    upool_bucket_fail(bucket, NULL);
    upool_bucket_end(bucket);
    return begin;
}

static double run_openssl(bench *b, const char *name)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char value[EVP_MAX_MD_SIZE];
    double begin = cpu();
    int turn;
    int i;

    if (!EVP_DigestInit_ex(ctx, EVP_get_digestbyname(name), NULL)) {
        die(name);
    }
    for (turn = 0; turn < TURNS; turn++) {
        for (i = 0; i < SLICES; i++) {
            EVP_DigestUpdate(ctx, b->content + i * SLICE, SLICE);
        }
    }
    EVP_DigestFinal_ex(ctx, value, NULL);
    EVP_MD_CTX_free(ctx);
    return cpu() - begin;
}

/* Takes "zINSTREAM", the chunks, and says that they are clean: enough of
 * clamd to know what talking to it costs. */
static void serve(int listener)
{
    static char buffer[1 << 18];
    int fd;

    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        ssize_t n;
        char last[4] = { 1, 1, 1, 1 };

        while ((n = read(fd, buffer, sizeof(buffer))) > 0) {
            if (n >= 4) {
                memcpy(last, buffer + n - 4, 4);
            }
            if (!memcmp(last, "\0\0\0\0", 4)) {
                break;
            }
        }
        if (write(fd, "stream: OK", 11) < 0) {
            break;
        }
        close(fd);
    }
    _exit(0);
}

static pid_t start_scanner(bench *b, const char *dir)
{
    struct sockaddr_un address;
    const char *path = apr_pstrcat(b->p, dir, "/clamd", NULL);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    pid_t pid;

    memset(&address, 0, sizeof(address));
    address.sun_family = AF_UNIX;
    apr_cpystrn(address.sun_path, path, sizeof(address.sun_path));
    if (listener < 0
        || bind(listener, (struct sockaddr *)&address, sizeof(address))
        || listen(listener, 5)) {
        die(path);
    }
    b->socket = apr_pstrcat(b->p, "unix:", path, NULL);
    pid = fork();
    if (pid == 0) {
        serve(listener);
    }
    close(listener);
    return pid;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

typedef struct row {
    const char *name;
    add_fn *add; /* NULL: OpenSSL alone */
    const char *argument;
} row;

static const row rows[] = {
    { "spool", add_nothing, NULL },
    { "accept, spool", add_accept, "bin" },
    { "sniff, spool", add_sniff, NULL },
    { "clamd, spool", add_clamd, NULL },
    { "digest md5, spool", add_digest, "md5" },
    { "digest sha-1, spool", add_digest, "sha-1" },
    { "digest sha-256, spool", add_digest, "sha-256" },
    { "digest sha-512, spool", add_digest, "sha-512" },
    { "digest crc32, spool", add_digest, "crc32" },
    { "inline (too large), spool", add_inline, NULL },
    { "OpenSSL MD5 alone", NULL, "MD5" },
    { "OpenSSL SHA1 alone", NULL, "SHA1" },
    { "OpenSSL SHA256 alone", NULL, "SHA256" },
    { "OpenSSL SHA512 alone", NULL, "SHA512" },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void measure(bench *b, apr_pool_t *p)
{
    static double seconds[ROWS][TRIES];
    apr_size_t r;
    int t;

    /* In turns, so that a busy machine is busy for all. */
    for (t = 0; t < TRIES; t++) {
        for (r = 0; r < ROWS; r++) {
            apr_pool_create(&b->p, p);
            seconds[r][t] = rows[r].add
                                ? run_chain(b, rows[r].add, rows[r].argument)
                                : run_openssl(b, rows[r].argument);
            apr_pool_destroy(b->p);
        }
    }
    for (r = 0; r < ROWS; r++) {
        qsort(seconds[r], TRIES, sizeof(double), by_size);
    }
    printf("%-28s %10s %10s %8s\n", "chain", "CPU s/GiB", "over spool",
           "ratio");
    for (r = 0; r < ROWS; r++) {
        double mine = seconds[r][TRIES / 2] * GIB / BYTES;
        double base = seconds[0][TRIES / 2] * GIB / BYTES;

        if (rows[r].add) {
            printf("%-28s %10.3f %10.3f %8.2f\n", rows[r].name, mine,
                   mine - base, mine / base);
        }
        else {
            printf("%-28s %10.3f\n", rows[r].name, mine);
        }
    }
}

int main(int argc, char **argv)
{
    upool_store_options options = { .file_mode = 0600 };
    const char *why = "mkdtemp";
    apr_pool_t *p;
    char *dir;
    bench b;
    pid_t scanner;
    int i;

    apr_initialize();
    signal(SIGPIPE, SIG_IGN);
    apr_pool_create(&p, NULL);
    b.p = p;
    b.content = apr_palloc(p, SLICE * SLICES);
    for (i = 0; i < SLICE * SLICES; i++) {
        b.content[i] = (char)((unsigned)i * 2654435761U >> 13);
    }
    dir = apr_pstrcat(p, argc > 1 ? argv[1] : P_tmpdir, "/upool-bench-XXXXXX",
                      NULL);
    if (!mkdtemp(dir)
        || upool_store_open(&b.store, dir, NULL, &options, p, &why)) {
        die(why);
    }
    b.magic = upool_magic_make(p);
    scanner = start_scanner(&b, dir);
    measure(&b, p);
    kill(scanner, SIGTERM);
    waitpid(scanner, NULL, 0);
    unlink(apr_pstrcat(p, dir, "/clamd", NULL));
    rmdir(dir);
    apr_pool_destroy(p);
    apr_terminate();
    return 0;
}
