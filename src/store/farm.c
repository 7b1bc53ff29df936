/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/farm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <apr_strings.h>

#include "store/descriptor.h"
#include "store/directory.h"
#include "store/filesystem.h"
#include "store/layout.h"
#include "store/region.h"

/* Servers that are watched at a time. */
#define PEERS_MAX 64
#define NAME_ROOM 40
/* Rounds without a sign after which a server counts as dead, and a pool found
 * unsafe no longer does. */
#define DEAD_ROUNDS 5
#define CLEAR_ROUNDS 8
/* Digits of a number, and longest text of "unsafe" that is read. */
#define NUMBER_DIGITS 20
#define TEXT_MAX 512

static const upool_range all = UPOOL_REGION_ALL;

typedef struct peer {
    char name[NAME_ROOM]; /* "": a free place */
    apr_uint64_t number;
    int still;       /* rounds in which it has not grown */
    int fd;          /* its file, whose lock is ours; -1: it is not */
    const char *how; /* what was granted, and should not have been */
    int seen;        /* in this round */
} peer;

struct upool_farm {
    apr_pool_t *pool;
    apr_pool_t *round;
    const char *name; /* of our file; NULL: none yet */
    int fd;           /* our file, with its locks; -1: none */
    apr_uint64_t number;
    int tried; /* the file system, alone */
    peer peers[PEERS_MAX];
    struct stat mark; /* "unsafe" as last seen; no inode: none */
    int mark_still;
};

static void forget_peer(peer *one)
{
    upool_fd_close(&one->fd);
    memset(one, 0, sizeof(*one));
    one->fd = -1;
}

static apr_status_t leave(void *data)
{
    upool_farm *farm = data;
    int i;

    for (i = 0; i < PEERS_MAX; i++) {
        forget_peer(&farm->peers[i]);
    }
    upool_fd_close(&farm->fd);
    return APR_SUCCESS;
}

upool_farm *upool_farm_make(apr_pool_t *p)
{
    upool_farm *farm = apr_pcalloc(p, sizeof(*farm));
    int i;

    farm->pool = p;
    farm->fd = -1;
    for (i = 0; i < PEERS_MAX; i++) {
        farm->peers[i].fd = -1;
    }
    apr_pool_create(&farm->round, p);
    apr_pool_cleanup_register(p, farm, leave, apr_pool_cleanup_null);
    return farm;
}

static apr_status_t enter(int *fd, const upool_store *store, int make)
{
    int pool = upool_store_fd(store);

    if (make && mkdirat(pool, UPOOL_LAYOUT_FARM, S_IRWXU) < 0
        && errno != EEXIST) {
        return upool_fd_error();
    }
    return upool_fd_directory(fd, pool, UPOOL_LAYOUT_FARM);
}

/* --- Our own file --- */

/* The file is of another mount, or removed: its locks protect nothing. */
static int is_ours_there(const upool_farm *farm, int directory)
{
    struct stat there;
    struct stat own;

    return farm->fd >= 0 && !upool_fd_stat(&there, directory, farm->name)
           && !upool_fd_stat(&own, farm->fd, NULL) && there.st_ino == own.st_ino
           && there.st_dev == own.st_dev;
}

static apr_status_t lock_file(int fd)
{
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        return errno == EWOULDBLOCK ? APR_EBUSY : upool_fd_error();
    }
    return upool_region_take(fd, &all);
}

/* Always under a new name: a known one may be locked by a server that takes it
 * for a dead server's. */
static apr_status_t make_own(upool_farm *farm, int directory)
{
    apr_status_t rv;

    if (farm->fd >= 0) {
        unlinkat(directory, farm->name, 0);
        upool_fd_close(&farm->fd);
    }
    rv = upool_layout_server(&farm->name, farm->pool);
    rv = rv ? rv
            : upool_fd_open(&farm->fd, directory, farm->name,
                            O_RDWR | O_CREAT | O_EXCL, S_IRUSR | S_IWUSR);
    rv = rv ? rv : lock_file(farm->fd);
    if (rv && farm->fd >= 0) {
        unlinkat(directory, farm->name, 0);
        upool_fd_close(&farm->fd);
    }
    return rv;
}

/* Only who has its locks grows its number. */
static apr_status_t grow(upool_farm *farm)
{
    char text[NUMBER_DIGITS + 2];
    int len = snprintf(text, sizeof(text), "%020llu\n",
                       (unsigned long long)++farm->number);

    if (pwrite(farm->fd, text, (size_t)len, 0) != len) {
        return upool_fd_error();
    }
    return upool_fd_sync(farm->fd);
}

static apr_status_t beat(upool_farm *farm, int directory)
{
    apr_status_t rv = is_ours_there(farm, directory)
                          ? APR_SUCCESS
                          : make_own(farm, directory);

    return rv ? rv : grow(farm);
}

/* --- The others --- */

static peer *find_peer(upool_farm *farm, const char *name)
{
    peer *place = NULL;
    int i;

    for (i = 0; i < PEERS_MAX; i++) {
        peer *one = &farm->peers[i];

        if (strcmp(one->name, name) == 0) {
            return one;
        }
        place = !place && !one->name[0] ? one : place;
    }
    if (place) {
        apr_cpystrn(place->name, name, sizeof(place->name));
    }
    return place;
}

static apr_uint64_t read_number(int fd)
{
    char text[NUMBER_DIGITS + 1] = { 0 };
    apr_size_t len;

    return upool_fd_read(fd, text, NUMBER_DIGITS, 0, &len)
               ? 0
               : strtoull(text, NULL, 10);
}

/* Takes every lock that is granted, and keeps it until the file's number has
 * grown, or has stood still for long enough. */
static void try_locks(peer *one, int *fd)
{
    if (flock(*fd, LOCK_EX | LOCK_NB) == 0) {
        one->how = "flock() of a file does not keep other machines out";
    }
    else if (upool_region_take(*fd, &all) == APR_SUCCESS) {
        one->how = "fcntl() locks of a file do not keep other machines out";
    }
    else {
        return;
    }
    one->fd = *fd;
    *fd = -1;
}

/* NULL, or what its file system gets wrong. */
static const char *look_at(peer *one, int directory, int *fd)
{
    apr_uint64_t number = read_number(*fd);
    int grown = number != one->number;

    one->number = number;
    one->still = grown ? 0 : one->still + 1;
    if (one->fd < 0) {
        try_locks(one, fd);
        one->still = 0;
        return NULL;
    }
    if (grown) {
        const char *how = one->how;

        forget_peer(one);
        return how;
    }
    if (one->still >= DEAD_ROUNDS) {
        unlinkat(directory, one->name, 0);
        forget_peer(one);
    }
    return NULL;
}

typedef struct looking {
    upool_farm *farm;
    const char *found;
} looking;

static apr_status_t visit_peer(void *baton, int directory, const char *name)
{
    looking *l = baton;
    peer *one;
    int fd;

    if (!upool_layout_is_server(name) || strcmp(name, l->farm->name) == 0) {
        return APR_SUCCESS;
    }
    one = find_peer(l->farm, name);
    if (one && !upool_fd_open(&fd, directory, name, O_RDWR | O_NONBLOCK, 0)) {
        const char *found = look_at(one, directory, &fd);

        one->seen = 1;
        l->found = found ? found : l->found;
        upool_fd_close(&fd);
    }
    return APR_SUCCESS;
}

static apr_status_t look_at_peers(upool_farm *farm, int directory,
                                  const char **found)
{
    looking l = { farm, NULL };
    apr_status_t rv;
    int i;

    for (i = 0; i < PEERS_MAX; i++) {
        farm->peers[i].seen = 0;
    }
    rv = upool_directory_each(directory, visit_peer, &l);
    for (i = 0; i < PEERS_MAX; i++) {
        if (!farm->peers[i].seen && farm->peers[i].name[0]) {
            forget_peer(&farm->peers[i]);
        }
    }
    *found = l.found;
    return rv;
}

/* --- "unsafe" --- */

static apr_status_t set_mark(int directory, const char *text)
{
    struct iovec piece = { (void *)text, strlen(text) };
    apr_off_t written = 0;
    int fd;
    apr_status_t rv = upool_fd_own(&fd, directory, UPOOL_LAYOUT_UNSAFE,
                                   O_WRONLY | O_CREAT, S_IRUSR | S_IWUSR);

    if (rv) {
        return rv;
    }
    rv = upool_fd_write(fd, &piece, 1, &written);
    upool_fd_sync(fd);
    upool_fd_close(&fd);
    return rv;
}

static int is_same_mark(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_mtim.tv_sec == b->st_mtim.tv_sec
           && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* 1: it is there.  Clocks do not matter: what counts is that it changes. */
static int follow_mark(upool_farm *farm, int directory)
{
    struct stat now;

    if (upool_fd_stat(&now, directory, UPOOL_LAYOUT_UNSAFE)) {
        memset(&farm->mark, 0, sizeof(farm->mark));
        return 0;
    }
    if (!farm->mark.st_ino) {
        make_own(farm, directory);
    }
    farm->mark_still =
        is_same_mark(&now, &farm->mark) ? farm->mark_still + 1 : 0;
    farm->mark = now;
    if (farm->mark_still < CLEAR_ROUNDS) {
        return 1;
    }
    unlinkat(directory, UPOOL_LAYOUT_UNSAFE, 0);
    memset(&farm->mark, 0, sizeof(farm->mark));
    return 0;
}

static const char *read_mark(int directory, apr_pool_t *p)
{
    char text[TEXT_MAX];
    apr_size_t len = 0;
    int fd;

    if (!upool_fd_own(&fd, directory, UPOOL_LAYOUT_UNSAFE, O_RDONLY, 0)) {
        upool_fd_read(fd, text, sizeof(text), 0, &len);
        upool_fd_close(&fd);
    }
    return len ? apr_pstrmemdup(p, text, len)
               : "another server has found that its locks are worth nothing";
}

/* --- A round --- */

static const char *try_alone(upool_farm *farm, int directory, apr_status_t *rv)
{
    const char *found;

    if (farm->tried) {
        return NULL;
    }
    found = upool_filesystem_try(rv, directory, farm->round);
    /* A try that fails is repeated in each round until it succeeds. */
    farm->tried = !found && !*rv;
    return found;
}

static upool_farm_state go_round(upool_farm *farm, int directory,
                                 const char **why, apr_status_t *rv)
{
    const char *found = try_alone(farm, directory, rv);

    if (!found && !*rv) {
        *rv = beat(farm, directory);
    }
    if (!found && !*rv) {
        *rv = look_at_peers(farm, directory, &found);
    }
    if (found) {
        set_mark(directory, found);
    }
    if (follow_mark(farm, directory)) {
        *why = read_mark(directory, farm->round);
        return UPOOL_FARM_UNSAFE;
    }
    *why = *rv ? "locks cannot be tried" : NULL;
    return *rv ? UPOOL_FARM_FAILED : UPOOL_FARM_SAFE;
}

upool_farm_state upool_farm_round(upool_farm *farm, const upool_store *store,
                                  const char **why, apr_status_t *rv)
{
    upool_farm_state state;
    int directory;

    *why = NULL;
    *rv = APR_SUCCESS;
    if (upool_filesystem_of(upool_store_fd(store), NULL)
        == UPOOL_FILESYSTEM_LOCAL) {
        return UPOOL_FARM_ALONE;
    }
    *rv = enter(&directory, store, 1);
    if (*rv) {
        *why = "locks cannot be tried";
        return UPOOL_FARM_FAILED;
    }
    apr_pool_clear(farm->round);
    state = go_round(farm, directory, why, rv);
    upool_fd_close(&directory);
    return state;
}

/* --- For others --- */

int upool_farm_is_unsafe(const upool_store *store)
{
    int fd = upool_store_fd(store);

    return upool_filesystem_of(fd, NULL) != UPOOL_FILESYSTEM_LOCAL
           && faccessat(fd, UPOOL_LAYOUT_FARM "/" UPOOL_LAYOUT_UNSAFE, F_OK,
                        AT_SYMLINK_NOFOLLOW)
                  == 0;
}

const char *upool_farm_unsafe(const upool_store *store, apr_pool_t *p)
{
    const char *text = NULL;
    int directory;

    if (upool_farm_is_unsafe(store) && !enter(&directory, store, 0)) {
        text = read_mark(directory, p);
        upool_fd_close(&directory);
    }
    return text;
}

const char *upool_farm_try(const upool_store *store, apr_status_t *rv,
                           apr_pool_t *p)
{
    const char *found;
    int directory;

    *rv = enter(&directory, store, 1);
    if (*rv) {
        return NULL;
    }
    found = upool_filesystem_try(rv, directory, p);
    upool_fd_close(&directory);
    /* The directory stays if servers use it. */
    unlinkat(upool_store_fd(store), UPOOL_LAYOUT_FARM, AT_REMOVEDIR);
    return found;
}
