/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Ways to bring the bytes of one upload from a socket to a file: milliseconds
 * of CPU (user and system) for a GiB, and each as a share of what the module
 * does, which is the first row: reads of 8,000 bytes, 64 of them in one
 * writev().  The rows take turns and medians are printed, for what else runs
 * on the machine falls on all alike; nothing is asserted.  First argument: the
 * directory (else the system's temporary one); second: rounds (11).
 *
 * The buffers stay the same from one write to the next, and with them the
 * processor's caches: what is told is what system calls cost, not what memory
 * does. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/io_uring.h>

#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_portable.h>

#define SLICE ((size_t)8000)
#define TOTAL ((size_t)64 << 20)
#define MOST ((size_t)1 << 20) /* gathered for one write */
#define PIECES 256
#define BEHIND ((size_t)8 << 20)
#define DEPTH 4 /* writes in flight, where more than one is */
#define ROUNDS_MOST 101
#define GIB ((double)(1 << 30))

enum way {
    PLAIN,
    RESERVE, /* the whole length first, as Content-Length allows for */
    PUSH,    /* sync_file_range() behind what was written */
    APR,     /* apr_file_writev_full() on the same descriptor */
    RING,    /* io_uring, one write that is waited for */
    RING_MANY
};

typedef struct row {
    const char *name;
    size_t piece;  /* of each read, or of each vector of a write */
    size_t gather; /* of each write */
    enum way way;
    int reads; /* measured: what reads cost, or what writes cost */
} row;

static const row ROWS[] = {
    { "writev, 64 of 8,000", SLICE, 64 * SLICE, PLAIN, 0 },
    { "write, 2K", 2048, 2048, PLAIN, 0 },
    { "write, 8,000", SLICE, SLICE, PLAIN, 0 },
    { "writev, 8 of 8,000", SLICE, 8 * SLICE, PLAIN, 0 },
    { "writev, 16 of 8,000", SLICE, 16 * SLICE, PLAIN, 0 },
    { "writev, 32 of 8,000", SLICE, 32 * SLICE, PLAIN, 0 },
    { "writev, 128 of 8,000", SLICE, 128 * SLICE, PLAIN, 0 },
    { "write, 64K", 65536, 65536, PLAIN, 0 },
    { "writev, 8 of 64K", 65536, 8 * 65536, PLAIN, 0 },
    { "apr_file_writev_full", SLICE, 64 * SLICE, APR, 0 },
    { "fallocate", SLICE, 64 * SLICE, RESERVE, 0 },
    { "sync_file_range, 8M", SLICE, 64 * SLICE, PUSH, 0 },
    { "io_uring, 1 in flight", SLICE, 64 * SLICE, RING, 0 },
    { "io_uring, 4 in flight", SLICE, 64 * SLICE, RING_MANY, 0 },
    /* Of reads and nothing else; to be compared with each other. */
    { "read, 8,000", SLICE, SLICE, PLAIN, 1 },
    { "read, 16K", 16384, 16384, PLAIN, 1 },
    { "read, 32K", 32768, 32768, PLAIN, 1 },
    { "read, 64K", 65536, 65536, PLAIN, 1 },
    { "read, 256K", 262144, 262144, PLAIN, 1 },
};
#define ROWS_COUNT ((int)(sizeof(ROWS) / sizeof(ROWS[0])))

typedef struct ring {
    int fd;
    unsigned *sq_tail;
    unsigned *sq_mask;
    unsigned *sq_array;
    unsigned *cq_head;
    unsigned *cq_tail;
    unsigned *cq_mask;
    struct io_uring_sqe *sqes;
    struct io_uring_cqe *cqes;
} ring;

static char content[MOST];

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* The threads that the kernel starts for io_uring are this process's. */
static double cpu(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3
           + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

static void *map_ring(const ring *r, size_t bytes, off_t at)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_POPULATE, r->fd, at);

    if (p == MAP_FAILED) {
        die("mmap");
    }
    return p;
}

/* 0 where the system has no io_uring, or does not let us. */
static int ring_open(ring *r)
{
    struct io_uring_params params;
    char *sq;
    char *cq;

    memset(&params, 0, sizeof(params));
    r->fd = (int)syscall(__NR_io_uring_setup, DEPTH, &params);
    if (r->fd < 0) {
        return 0;
    }
    sq = map_ring(
        r, params.sq_off.array + params.sq_entries * sizeof(*r->sq_array),
        IORING_OFF_SQ_RING);
    cq = map_ring(r, params.cq_off.cqes + params.cq_entries * sizeof(*r->cqes),
                  IORING_OFF_CQ_RING);
    r->sqes =
        map_ring(r, params.sq_entries * sizeof(*r->sqes), IORING_OFF_SQES);
    r->sq_tail = (unsigned *)(void *)(sq + params.sq_off.tail);
    r->sq_mask = (unsigned *)(void *)(sq + params.sq_off.ring_mask);
    r->sq_array = (unsigned *)(void *)(sq + params.sq_off.array);
    r->cq_head = (unsigned *)(void *)(cq + params.cq_off.head);
    r->cq_tail = (unsigned *)(void *)(cq + params.cq_off.tail);
    r->cq_mask = (unsigned *)(void *)(cq + params.cq_off.ring_mask);
    r->cqes = (struct io_uring_cqe *)(void *)(cq + params.cq_off.cqes);
    return 1;
}

/* The length goes along as user_data, for a short write would be a lie. */
static void ring_queue(ring *r, int fd, const struct iovec *vec, int n,
                       size_t bytes, size_t at)
{
    unsigned tail = *r->sq_tail;
    unsigned i = tail & *r->sq_mask;
    struct io_uring_sqe *sqe = &r->sqes[i];

    memset(sqe, 0, sizeof(*sqe));
    sqe->opcode = IORING_OP_WRITEV;
    sqe->fd = fd;
    sqe->addr = (unsigned long)vec;
    sqe->len = (unsigned)n;
    sqe->off = at;
    sqe->user_data = bytes;
    r->sq_array[i] = i;
    __atomic_store_n(r->sq_tail, tail + 1, __ATOMIC_RELEASE);
}

/* Hands in what is queued and waits for as many. */
static void ring_enter(ring *r, unsigned queued)
{
    unsigned head = *r->cq_head;

    if (syscall(__NR_io_uring_enter, r->fd, queued, queued,
                IORING_ENTER_GETEVENTS, NULL, 0)
        != (long)queued) {
        die("io_uring_enter");
    }
    while (head != __atomic_load_n(r->cq_tail, __ATOMIC_ACQUIRE)) {
        const struct io_uring_cqe *cqe = &r->cqes[head & *r->cq_mask];

        if (cqe->res < 0 || (size_t)cqe->res != cqe->user_data) {
            errno = cqe->res < 0 ? -cqe->res : EIO;
            die("io_uring");
        }
        head++;
        __atomic_store_n(r->cq_head, head, __ATOMIC_RELEASE);
    }
}

static int gather(struct iovec *vec, const row *what, size_t bytes)
{
    size_t at;
    int n = 0;

    for (at = 0; at < bytes; at += vec[n++].iov_len) {
        vec[n].iov_base = content + at;
        vec[n].iov_len = bytes - at < what->piece ? bytes - at : what->piece;
    }
    return n;
}

static void write_apr(apr_file_t *file, const struct iovec *vec, int n,
                      size_t len)
{
    apr_size_t written;

    if (apr_file_writev_full(file, vec, (apr_size_t)n, &written)
        || written != len) {
        die("apr_file_writev_full");
    }
}

static apr_file_t *wrap_apr(int *fd)
{
    static apr_pool_t *pool;
    apr_file_t *file = NULL;

    if (!pool) {
        apr_pool_create(&pool, NULL);
    }
    if (apr_os_file_put(&file, fd, APR_FOPEN_WRITE, pool)) {
        die("apr_os_file_put");
    }
    return file;
}

static void write_all(const row *what, int fd, ring *r)
{
    struct iovec vec[PIECES];
    unsigned many = what->way == RING_MANY ? DEPTH : 1;
    unsigned queued = 0;
    size_t pushed = 0;
    apr_file_t *file = what->way == APR ? wrap_apr(&fd) : NULL;
    size_t at;
    size_t len;

    if (what->way == RESERVE && fallocate(fd, 0, 0, (off_t)TOTAL)) {
        die("fallocate");
    }
    for (at = 0; at < TOTAL; at += len) {
        int n;

        len = TOTAL - at < what->gather ? TOTAL - at : what->gather;
        /* Those in flight have all the same vector but for the last. */
        if (queued && len < what->gather) {
            ring_enter(r, queued);
            queued = 0;
        }
        n = gather(vec, what, len);
        if (what->way == RING || what->way == RING_MANY) {
            ring_queue(r, fd, vec, n, len, at);
            if (++queued == many || at + len == TOTAL) {
                ring_enter(r, queued);
                queued = 0;
            }
        }
        else if (file) {
            write_apr(file, vec, n, len);
        }
        else if (writev(fd, vec, n) != (ssize_t)len) {
            die("writev");
        }
        if (what->way == PUSH && at + len - pushed >= BEHIND) {
            sync_file_range(fd, (off_t)pushed, (off_t)(at + len - pushed),
                            SYNC_FILE_RANGE_WRITE);
            pushed = at + len;
        }
    }
}

static double run_write(const row *what, const char *dir, ring *r)
{
    char path[4096];
    double start;
    double spent;
    int fd;

    if (snprintf(path, sizeof(path), "%s/upool-bench-XXXXXX", dir)
        >= (int)sizeof(path)) {
        errno = ENAMETOOLONG;
        die(dir);
    }
    fd = mkstemp(path);
    if (fd < 0 || unlink(path)) {
        die(path);
    }
    start = cpu();
    write_all(what, fd, r);
    spent = cpu() - start;
    close(fd);
    return spent;
}

static void feed(int fd)
{
    size_t at;

    for (at = 0; at < TOTAL; at += MOST) {
        size_t done = 0;

        while (done < MOST) {
            ssize_t n = write(fd, content + done, MOST - done);

            if (n <= 0) {
                _exit(1);
            }
            done += (size_t)n;
        }
    }
    _exit(0);
}

/* Two ends of a TCP connection over loopback. */
static void connect_pair(int pair[2])
{
    struct sockaddr_in to;
    socklen_t len = sizeof(to);
    int on = socket(AF_INET, SOCK_STREAM, 0);

    memset(&to, 0, sizeof(to));
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    pair[1] = socket(AF_INET, SOCK_STREAM, 0);
    if (on < 0 || pair[1] < 0 || bind(on, (struct sockaddr *)&to, len)
        || listen(on, 1) || getsockname(on, (struct sockaddr *)&to, &len)
        || connect(pair[1], (struct sockaddr *)&to, len)) {
        die("connect");
    }
    pair[0] = accept(on, NULL, NULL);
    if (pair[0] < 0) {
        die("accept");
    }
    close(on);
}

/* From another process, whose CPU is not counted. */
static double run_read(const row *what)
{
    static char inbox[MOST];
    double start;
    ssize_t n;
    size_t got = 0;
    pid_t child;
    int pair[2];
    int status;

    connect_pair(pair);
    child = fork();
    if (child == 0) {
        close(pair[0]);
        feed(pair[1]);
    }
    close(pair[1]);
    /* The pages are shared with the child until they are written to. */
    memset(inbox, 0, sizeof(inbox));
    start = cpu();
    while ((n = read(pair[0], inbox, what->piece)) > 0) {
        got += (size_t)n;
    }
    start = cpu() - start;
    close(pair[0]);
    if (child < 0 || waitpid(child, &status, 0) != child || got != TOTAL) {
        die("read");
    }
    return start;
}

static int in_order(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *of, int n)
{
    qsort(of, (size_t)n, sizeof(*of), in_order);
    return of[n / 2];
}

static void print(double spent[][ROUNDS_MOST], const double base[], int n)
{
    double share[ROUNDS_MOST];
    int i;
    int k;

    for (i = 0; i < ROWS_COUNT; i++) {
        for (k = 0; k < n; k++) {
            share[k] = base[k] > 0 ? spent[i][k] / base[k] : 0;
        }
        printf("%-24s %7.0f ms/GiB  %5.2f\n", ROWS[i].name,
               median(spent[i], n) * GIB / (double)TOTAL, median(share, n));
    }
}

/* Another order each round, so that no row always comes behind the same one;
 * Knuth's MMIX constants, for all that matters is that it is no order. */
static void shuffle(int *order, unsigned long long *state)
{
    int i;

    for (i = ROWS_COUNT - 1; i > 0; i--) {
        int k;
        int kept = order[i];

        *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
        k = (int)((*state >> 33) % (unsigned)(i + 1));
        order[i] = order[k];
        order[k] = kept;
    }
}

static void one_round(double spent[][ROUNDS_MOST], const int *order, int k,
                      const char *dir, ring *r)
{
    int i;

    for (i = 0; i < ROWS_COUNT; i++) {
        const row *what = &ROWS[order[i]];
        double *to = &spent[order[i]][k];

        if (what->reads) {
            *to = run_read(what);
        }
        else if (r || what->way < RING) {
            *to = run_write(what, dir, r);
        }
    }
}

int main(int argc, char **argv)
{
    static double spent[ROWS_COUNT][ROUNDS_MOST];
    double base[ROUNDS_MOST];
    const char *dir = argc > 1 ? argv[1] : P_tmpdir;
    int rounds = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 11;
    ring r;
    ring *ringed = ring_open(&r) ? &r : NULL;
    unsigned long long state = (unsigned long long)getpid();
    int order[ROWS_COUNT];
    int k;

    apr_initialize();
    if (rounds < 1 || rounds > ROUNDS_MOST) {
        fprintf(stderr, "rounds: 1 to %d\n", ROUNDS_MOST);
        return 1;
    }
    memset(content, 'x', sizeof(content));
    for (k = 0; k < ROWS_COUNT; k++) {
        order[k] = k;
    }
    for (k = 0; k < rounds; k++) {
        shuffle(order, &state);
        one_round(spent, order, k, dir, ringed);
        base[k] = spent[0][k];
    }
    printf("%s, %d rounds of %zu MiB%s\n", dir, rounds, TOTAL >> 20,
           ringed ? "" : "; no io_uring here");
    print(spent, base, rounds);
    return 0;
}
