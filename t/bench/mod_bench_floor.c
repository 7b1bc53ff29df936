/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/*
 * The floor of t/bench/run: "SetHandler bench-floor" reads the request body
 * through httpd's filters and gathers 256 KiB for each writev() into a file
 * below BenchFloor.  It parses nothing, checks nothing and remembers nothing:
 * an upload module of httpd cannot do with less.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <httpd.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_protocol.h>

#define PULL_BYTES (256 * 1024)
#define PIECES 64

APLOG_USE_MODULE(bench_floor);

typedef struct floor_conf {
    const char *dir;
} floor_conf;

static void *make_conf(apr_pool_t *p, char *path)
{
    (void)path;
    return apr_pcalloc(p, sizeof(floor_conf));
}

/* Writes what the brigade holds.  -1 on error, 1 at its end of stream. */
static int write_brigade(int fd, apr_bucket_brigade *bb)
{
    struct iovec vec[PIECES];
    int n = 0;
    int end = 0;
    apr_bucket *b;

    for (b = APR_BRIGADE_FIRST(bb); b != APR_BRIGADE_SENTINEL(bb) && !end;
         b = APR_BUCKET_NEXT(b)) {
        const char *data;
        apr_size_t len;

        end = APR_BUCKET_IS_EOS(b);
        if (!APR_BUCKET_IS_METADATA(b)) {
            if (apr_bucket_read(b, &data, &len, APR_BLOCK_READ)) {
                return -1;
            }
            vec[n].iov_base = (void *)data;
            vec[n++].iov_len = len;
        }
        if (n == PIECES) {
            if (writev(fd, vec, n) < 0) {
                return -1;
            }
            n = 0;
        }
    }
    return n && writev(fd, vec, n) < 0 ? -1 : end;
}

/* Reads until 256 KiB are there: httpd gives 8,000 bytes at a time. */
static int pull(request_rec *r, apr_bucket_brigade *held)
{
    apr_bucket_brigade *bb =
        apr_brigade_create(r->pool, r->connection->bucket_alloc);
    apr_off_t bytes = 0;
    apr_read_type_e block = APR_BLOCK_READ;

    while (bytes < PULL_BYTES) {
        apr_status_t rv = ap_get_brigade(r->input_filters, bb,
                                         AP_MODE_READBYTES, block, PULL_BYTES);
        apr_off_t len = 0;
        int end;

        if (block == APR_NONBLOCK_READ
            && (APR_STATUS_IS_EAGAIN(rv) || APR_BRIGADE_EMPTY(bb))) {
            break;
        }
        if (rv) {
            return -1;
        }
        end = APR_BUCKET_IS_EOS(APR_BRIGADE_LAST(bb));
        apr_brigade_length(bb, 0, &len);
        bytes += len;
        APR_BRIGADE_CONCAT(held, bb);
        if (end) {
            break;
        }
        block = APR_NONBLOCK_READ;
    }
    return 0;
}

/* A directory for each connection: many threads that make files in one wait
 * for each other, and some file systems make that dear. */
static int create(request_rec *r, const char *dir)
{
    const char *own = apr_psprintf(r->pool, "%s/%lx-%lx", dir, (long)getpid(),
                                   (unsigned long)r->connection->id);
    const char *name =
        apr_psprintf(r->pool, "%s/%lx", own, (unsigned long)r->request_time);
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
    int fd = open(name, flags, 0600);

    if (fd < 0 && errno == ENOENT && mkdir(own, 0700) == 0) {
        fd = open(name, flags, 0600);
    }
    return fd;
}

static int handle(request_rec *r)
{
    const floor_conf *conf;
    apr_bucket_brigade *bb;
    int end = 0;
    int fd;

    if (!r->handler || strcmp(r->handler, "bench-floor")) {
        return DECLINED;
    }
    conf = ap_get_module_config(r->per_dir_config, &bench_floor_module);
    fd = create(r, conf->dir);
    bb = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    while (fd >= 0 && !end) {
        end = pull(r, bb) ? -1 : write_brigade(fd, bb);
        apr_brigade_cleanup(bb);
    }
    if (fd >= 0) {
        close(fd);
    }
    if (end != 1) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    ap_set_content_type(r, "application/json");
    ap_rputs("{\"state\": \"done\"}\n", r);
    return OK;
}

static void register_hooks(apr_pool_t *p)
{
    (void)p;
    ap_hook_handler(handle, NULL, NULL, APR_HOOK_MIDDLE);
}

static const command_rec commands[] = {
    AP_INIT_TAKE1("BenchFloor", ap_set_file_slot,
                  (void *)APR_OFFSETOF(floor_conf, dir), ACCESS_CONF,
                  "where the files go"),
    { NULL },
};

/* clang-format off */
module AP_MODULE_DECLARE_DATA bench_floor_module = {
    STANDARD20_MODULE_STUFF,
    make_conf,
    NULL,
    NULL,
    NULL,
    commands,
    register_hooks,
    0
};
/* clang-format on */
