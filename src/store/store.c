/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

#include "store/descriptor.h"
#include "store/layout.h"

struct upool_store {
    int fd;
    const char *path;
    upool_store_options options;
};

static apr_status_t refuse(const char **why, apr_status_t rv, const char *text)
{
    *why = text;
    return rv;
}

static apr_status_t refuse_open(const char **why, apr_status_t rv)
{
    switch (rv) {
    case ENOENT:
        return refuse(why, rv, "directory does not exist");
    case ENOTDIR:
        return refuse(why, rv, "not a directory, or a symbolic link");
    case EACCES:
    case EPERM:
        return refuse(why, rv, "directory cannot be entered by this user");
    default:
        return refuse(why, rv, "directory cannot be opened");
    }
}

/* Without its trailing slashes: "link/" would be followed even under
 * O_NOFOLLOW. */
static char *without_slashes(const char *dir, apr_pool_t *p)
{
    apr_size_t len = strlen(dir);

    while (len > 1 && dir[len - 1] == '/') {
        len--;
    }
    return apr_pstrndup(p, dir, len);
}

/* "." as the last component would follow a link before it just as a slash
 * does, and ".." leads away from the directory that was looked at. */
static int is_dots(const char *component)
{
    return strcmp(component, ".") == 0 || strcmp(component, "..") == 0;
}

static apr_status_t open_absolute(upool_store *store, const char *dir,
                                  apr_pool_t *p, const char **why)
{
    apr_status_t rv;

    if (dir[0] != '/' || is_dots(strrchr(dir, '/') + 1)) {
        return refuse(why, APR_EINVAL, "not an absolute path");
    }
    rv = upool_fd_directory(&store->fd, AT_FDCWD, dir);
    if (rv) {
        return refuse_open(why, rv);
    }
    upool_fd_guard(&store->fd, p);
    return APR_SUCCESS;
}

static int has(int fd, const char *name)
{
    struct stat st;

    return fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0
           && S_ISREG(st.st_mode);
}

/* Pools and buckets share one name space: a user who may name a directory below
 * the root as a pool must not get into a bucket, where nothing would be counted
 * or swept and no quota applies.  A directory with books is a pool, and its
 * entries are buckets; a directory with records is a bucket. */
static int is_bucket(int parent, int is_root, int fd)
{
    return (!is_root && has(parent, UPOOL_LAYOUT_QUOTA))
           || has(fd, UPOOL_LAYOUT_METADATA) || has(fd, UPOOL_LAYOUT_ATTEMPT)
           || has(fd, UPOOL_LAYOUT_RESUMABLE) || has(fd, UPOOL_LAYOUT_RUN)
           || has(fd, UPOOL_LAYOUT_LOCK);
}

/* One step down from store->fd, which becomes the directory entered. */
static apr_status_t step_into(upool_store *store, const char *component,
                              int is_root, const char **why)
{
    apr_status_t rv;
    int next;

    if (!component[0] || is_dots(component)) {
        return refuse(why, APR_EINVAL,
                      "path below the root has an empty component or dots");
    }
    rv = upool_fd_directory(&next, store->fd, component);
    if (rv) {
        return refuse_open(why, rv);
    }
    if (is_bucket(store->fd, is_root, next)) {
        upool_fd_close(&next);
        return refuse(why, APR_EINVAL, "lies in a pool, or is an upload's");
    }
    upool_fd_close(&store->fd);
    store->fd = next;
    return APR_SUCCESS;
}

static apr_status_t open_below(upool_store *store, char *dir, const char *below,
                               apr_pool_t *p, const char **why)
{
    apr_status_t rv;
    int is_root = 1;

    if (below[0] != '/') {
        return refuse(why, APR_EINVAL, "root is not an absolute path");
    }
    /* The administrator's root may be a link, unlike what comes below it. */
    rv = upool_fd_directory(&store->fd, AT_FDCWD,
                            apr_pstrcat(p, below, "/.", NULL));
    if (rv) {
        return refuse_open(why, rv);
    }
    upool_fd_guard(&store->fd, p);
    while (!rv && dir) {
        char *slash = strchr(dir, '/');

        if (slash) {
            *slash++ = '\0';
        }
        rv = step_into(store, dir, is_root, why);
        is_root = 0;
        dir = slash;
    }
    return rv;
}

/* A user who may rename entries of the pool could swap a bucket for another:
 * only the server's user may do so, or, in a sticky directory, others with
 * their own entries. */
static apr_status_t check_directory(int fd, const char **why)
{
    struct stat st;

    if (fstat(fd, &st) < 0) {
        return refuse(why, upool_fd_error(), "directory cannot be examined");
    }
    if (st.st_uid != geteuid()) {
        return refuse(why, APR_EACCES, "directory is owned by another user");
    }
    if ((st.st_mode & S_IWOTH) && !(st.st_mode & S_ISVTX)) {
        return refuse(why, APR_EACCES,
                      "directory is world-writable without sticky bit");
    }
    if ((st.st_mode & S_IRWXU) != S_IRWXU && geteuid() != 0) {
        return refuse(why, APR_EACCES, "directory is not writable");
    }
    return APR_SUCCESS;
}

apr_status_t upool_store_open(upool_store **store, const char *dir,
                              const char *below,
                              const upool_store_options *options, apr_pool_t *p,
                              const char **why)
{
    upool_store *s = apr_pcalloc(p, sizeof(*s));
    char *trimmed = without_slashes(dir, p);
    apr_status_t rv;

    s->fd = -1;
    s->options = *options;
    if (below) {
        s->path = apr_pstrcat(p, without_slashes(below, p), "/", trimmed, NULL);
        rv = open_below(s, trimmed, below, p, why);
    }
    else {
        s->path = trimmed;
        rv = open_absolute(s, trimmed, p, why);
    }
    if (!rv) {
        rv = check_directory(s->fd, why);
    }
    if (rv) {
        upool_fd_unguard(&s->fd, p);
        return rv;
    }
    *store = s;
    return APR_SUCCESS;
}

const char *upool_store_path(const upool_store *store)
{
    return store->path;
}

int upool_store_fd(const upool_store *store)
{
    return store->fd;
}

const upool_store_options *upool_store_settings(const upool_store *store)
{
    return &store->options;
}
