/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/pools.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

#include "store/descriptor.h"
#include "store/directory.h"
#include "store/layout.h"

typedef struct search {
    apr_array_header_t *list;
    apr_pool_t *p;
    int left; /* directories that may still be looked at */
} search;

typedef struct level {
    search *all;
    const char *path;
    int depth;
} level;

/* It must not be anybody else's: in a sticky directory anybody may plant
 * one. */
static int is_pool(int fd)
{
    struct stat st;

    return fstatat(fd, UPOOL_LAYOUT_QUOTA, &st, AT_SYMLINK_NOFOLLOW) == 0
           && S_ISREG(st.st_mode) && st.st_uid == geteuid();
}

/* What store.c takes for one: nobody has a pool there, nor below.  A root that
 * is a pool has as many as there are uploads. */
static int is_bucket(int fd)
{
    struct stat st;

    return fstatat(fd, UPOOL_LAYOUT_LOCK, &st, AT_SYMLINK_NOFOLLOW) == 0
           && S_ISREG(st.st_mode);
}

static apr_status_t visit(void *baton, int fd, const char *name)
{
    level at = *(const level *)baton;
    struct stat st;
    int below;

    if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode)
        || at.all->left <= 0 || upool_fd_directory(&below, fd, name)) {
        return APR_SUCCESS;
    }
    at.path = apr_pstrcat(at.all->p, at.path, "/", name, NULL);
    at.depth++;
    if (is_pool(below)) {
        at.all->left--;
        APR_ARRAY_PUSH(at.all->list, const char *) = at.path;
    }
    else if (!is_bucket(below)) {
        at.all->left--;
        if (at.depth < UPOOL_POOLS_DEPTH) {
            upool_directory_each(below, visit, &at);
        }
    }
    upool_fd_close(&below);
    return APR_SUCCESS;
}

apr_status_t upool_pools_find(apr_array_header_t *list, const char *root,
                              apr_pool_t *p)
{
    search all = { list, p, UPOOL_POOLS_SEEN };
    level at = { &all, root, 0 };
    int fd;
    /* The root itself may be a link. */
    apr_status_t rv =
        upool_fd_directory(&fd, AT_FDCWD, apr_pstrcat(p, root, "/.", NULL));

    if (!rv) {
        if (is_pool(fd)) {
            APR_ARRAY_PUSH(list, const char *) = root;
        }
        rv = upool_directory_each(fd, visit, &at);
        upool_fd_close(&fd);
    }
    return rv;
}
