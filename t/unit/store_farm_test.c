/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Two servers in one pool, on a file system whose locks are good, of which
 * flock() or fcntl() keeps nobody out, or that tells of none.  This program's
 * statfs() says that it is one of a network, and its lock functions lie when
 * asked to. */
#include "store/farm.h"
#include "store/filesystem.h"
#include "store/layout.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/vfs.h>

#include "store_kit.h"

static kit k;
static unsigned int magic = 0x6969;
/* *_APART: one machine is told the truth, two are not.  The files of servers
 * are locked by others than who made them alone. */
static enum {
    HONEST,
    FLOCK_LIES,
    FCNTL_LIES,
    FLOCK_APART,
    FCNTL_APART,
    NO_LOCKS
} locks = HONEST;

#define REAL(type, name, arguments) \
    type(*next) arguments; \
    *(void **)&next = dlsym(RTLD_NEXT, name)

static int is_of_server(int fd)
{
    char link[64];
    char path[PATH_MAX] = { 0 };

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    return readlink(link, path, sizeof(path) - 1) > 0
           && upool_layout_is_server(strrchr(path, '/') + 1);
}

int fstatfs(int fd, struct statfs *fs)
{
    int rc;
    REAL(int, "fstatfs", (int, struct statfs *));

    rc = next(fd, fs);
    fs->f_type = magic;
    return rc;
}

int flock(int fd, int operation)
{
    REAL(int, "flock", (int, int));

    if (locks == NO_LOCKS) {
        errno = ENOLCK;
        return -1;
    }
    return locks == FLOCK_LIES || (locks == FLOCK_APART && is_of_server(fd))
               ? 0
               : next(fd, operation);
}

static int lock_region(int fd, int command, void *argument)
{
    int lies =
        locks == FCNTL_LIES
        || (locks == FCNTL_APART && command == F_OFD_SETLK && is_of_server(fd));
    REAL(int, "fcntl", (int, int, ...));

    if (lies && command == F_OFD_SETLK) {
        return 0;
    }
    if (lies && command == F_OFD_GETLK) {
        ((struct flock *)argument)->l_type = F_UNLCK;
        return 0;
    }
    return next(fd, command, argument);
}

int fcntl(int fd, int command, ...)
{
    va_list ap;
    void *argument;

    va_start(ap, command);
    argument = va_arg(ap, void *);
    va_end(ap);
    return lock_region(fd, command, argument);
}

int fcntl64(int fd, int command, ...)
{
    va_list ap;
    void *argument;

    va_start(ap, command);
    argument = va_arg(ap, void *);
    va_end(ap);
    return lock_region(fd, command, argument);
}

static upool_farm_state go(upool_farm *farm)
{
    const char *why;
    apr_status_t rv;

    return upool_farm_round(farm, k.store, &why, &rv);
}

/* Rounds of each in turn until one of them is in that state: how many. */
static int rounds_until(upool_farm *a, upool_farm *b, upool_farm_state state)
{
    int n;

    for (n = 1; n < 40; n++) {
        if (go(a) == state || (b && go(b) == state)) {
            break;
        }
    }
    return n;
}

static apr_status_t begin(const char *id)
{
    apr_pool_t *p;
    apr_status_t rv;

    apr_pool_create(&p, k.p);
    kit_begin(&k, id, p, &rv);
    apr_pool_destroy(p);
    return rv;
}

static int files(void)
{
    return kit_count(kit_in(&k, ".farm", NULL));
}

static void test_honest(void)
{
    apr_pool_t *pa;
    apr_pool_t *pb;
    upool_farm *a;
    upool_farm *b;
    int bad = 0;
    int i;

    apr_pool_create(&pa, k.p);
    apr_pool_create(&pb, k.p);
    a = upool_farm_make(pa);
    b = upool_farm_make(pb);
    for (i = 0; i < 20; i++) {
        bad += go(a) != UPOOL_FARM_SAFE;
        bad += go(b) != UPOOL_FARM_SAFE;
    }
    tap_is_int(bad, 0, "20 rounds of two find nothing");
    tap_is_int(files(), 2, "each has a file");
    tap_is_int(begin("honest"), APR_SUCCESS, "uploads begin");
    apr_pool_destroy(pb);
    tap_is_int(files(), 2, "one has died");
    for (i = 0; i < 10; i++) {
        bad += go(a) != UPOOL_FARM_SAFE;
    }
    tap_is_int(bad, 0, "which is no lie");
    tap_is_int(files(), 1, "its file goes");
    apr_pool_destroy(pa);
}

static void test_lie(const char *what)
{
    apr_pool_t *p;
    upool_farm *a;
    upool_farm *b;
    int n;

    apr_pool_create(&p, k.p);
    a = upool_farm_make(p);
    b = upool_farm_make(p);
    n = rounds_until(a, b, UPOOL_FARM_UNSAFE);
    tap_ok(n < 20, "%s: found after %d rounds", what, n);
    tap_is_int(begin("lied-to"), ENOLCK, "%s: no upload begins", what);
    tap_ok(upool_farm_unsafe(k.store, p)
               && strstr(upool_farm_unsafe(k.store, p), "keep"),
           "%s: %s", what, upool_farm_unsafe(k.store, p));
    for (n = 0;
         n < 30 && go(a) == UPOOL_FARM_UNSAFE && go(b) == UPOOL_FARM_UNSAFE;
         n++) {
    }
    tap_is_int(n, 30, "%s: it stays found", what);
    locks = HONEST;
    for (n = 0;
         n < 40 && (go(a) != UPOOL_FARM_SAFE || go(b) != UPOOL_FARM_SAFE);
         n++) {
    }
    tap_ok(n > 1 && n < 40, "%s: mended, it is safe after %d rounds", what, n);
    tap_is_int(begin("lied-to"), APR_SUCCESS, "%s: uploads begin", what);
    apr_pool_destroy(p);
}

/* A writer that has begun before. */
static void test_running(void)
{
    apr_status_t rv;
    upool_bucket *bucket = kit_begin(&k, "running", k.p, &rv);

    tap_is_int(upool_bucket_look(bucket), APR_SUCCESS, "a writer looks");
    mkdir(kit_in(&k, ".farm", NULL), 0700);
    kit_write_file(kit_in(&k, ".farm", "unsafe"), "told by another");
    tap_is_int(upool_bucket_look(bucket), ENOLCK, "and stops");
    tap_is_str(upool_farm_unsafe(k.store, k.p), "told by another", "why");
    upool_bucket_end(bucket);
    unlink(kit_in(&k, ".farm", "unsafe"));
    tap_is_str(upool_farm_unsafe(k.store, k.p), NULL, "until that goes");
}

static void test_no_locks(void)
{
    apr_pool_t *p;
    upool_farm *a;

    apr_pool_create(&p, k.p);
    a = upool_farm_make(p);
    locks = NO_LOCKS;
    tap_is_int(go(a), UPOOL_FARM_UNSAFE, "no locks: found at once, alone");
    tap_ok(strstr(upool_farm_unsafe(k.store, p), "flock() of a file fails")
               != NULL,
           "no locks: %s", upool_farm_unsafe(k.store, p));
    locks = HONEST;
    tap_ok(rounds_until(a, NULL, UPOOL_FARM_SAFE) < 20, "no locks: mended");
    locks = FLOCK_LIES;
    apr_pool_destroy(p);
    apr_pool_create(&p, k.p);
    a = upool_farm_make(p);
    tap_is_int(go(a), UPOOL_FARM_UNSAFE, "one machine is enough for some lies");
    locks = HONEST;
    rounds_until(a, NULL, UPOOL_FARM_SAFE);
    apr_pool_destroy(p);
}

static void test_local(void)
{
    apr_pool_t *p;

    apr_pool_create(&p, k.p);
    magic = 0x01021994;
    kit_wipe(k.dir);
    mkdir(k.dir, 0700);
    kit_open(&k);
    tap_is_int(go(upool_farm_make(p)), UPOOL_FARM_ALONE, "local: nothing");
    tap_ok(!kit_exists(kit_in(&k, ".farm", NULL)), "is done");
    tap_ok(!upool_farm_is_unsafe(k.store), "it is safe");
    apr_pool_destroy(p);
}

/* What one machine can try, as the tool does it. */
static void test_alone(void)
{
    apr_status_t rv;
    const char *name;

    tap_is_str(upool_farm_try(k.store, &rv, k.p), NULL, "nothing is wrong");
    tap_is_int(rv, APR_SUCCESS, "and all of it was tried");
    tap_ok(!kit_exists(kit_in(&k, ".farm", NULL)), "nothing is left of it");
    locks = FCNTL_LIES;
    tap_ok(upool_filesystem_try(&rv, upool_store_fd(k.store), k.p) != NULL,
           "a lie is found");
    locks = HONEST;
    tap_is_int(kit_count(k.dir), 0, "and nothing is left");
    tap_is_int(upool_filesystem_of(upool_store_fd(k.store), &name),
               UPOOL_FILESYSTEM_OTHER, "one of a network");
    tap_is_str(name, "NFS", "by its name");
}

/* Past the caches of FUSE or not, it is the same file. */
static void test_look(void)
{
    struct stat st;
    int fd = upool_store_fd(k.store);

    kit_write_file(kit_in(&k, "..", "pool/size"), "12345");
    magic = 0x65735546;
    tap_is_int(upool_filesystem_look(&st, fd, "size"), APR_SUCCESS, "a look");
    tap_is_int((long)st.st_size, 5, "at its size");
    tap_is_int(upool_filesystem_look(&st, fd, "none"), APR_ENOENT, "at none");
    magic = 0x6969;
    unlink(kit_in(&k, "..", "pool/size"));
}

/* A planted name is no server's. */
static void test_names(void)
{
    const char *name;

    tap_is_int(upool_layout_server(&name, k.p), APR_SUCCESS, "a name");
    tap_ok(upool_layout_is_server(name) && !upool_layout_is_bucket(name),
           "of a server: %s", name);
    tap_ok(!upool_layout_is_server("unsafe")
               && !upool_layout_is_server("../lock")
               && !upool_layout_is_server(""),
           "others are none");
}

int main(void)
{
    int before;

    kit_start(&k);
    before = kit_descriptors();
    test_names();
    test_alone();
    test_look();
    test_honest();
    locks = FLOCK_LIES;
    test_lie("flock()");
    locks = FCNTL_LIES;
    test_lie("fcntl()");
    locks = FLOCK_APART;
    test_lie("flock() of two machines");
    locks = FCNTL_APART;
    test_lie("fcntl() of two machines");
    test_running();
    test_no_locks();
    tap_is_int(kit_descriptors(), before, "no descriptor is left open");
    test_local();
    return kit_done(&k);
}
