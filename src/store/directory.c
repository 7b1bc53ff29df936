/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "store/descriptor.h"
#include "store/layout.h"

apr_status_t upool_directory_enter(upool_directory *dir,
                                   const upool_store *store, const char *id)
{
    apr_status_t rv = APR_SUCCESS;

    dir->fd = -1;
    if (!upool_layout_is_bucket(id)) {
        return APR_EINVAL;
    }
    rv = upool_fd_directory(&dir->fd, upool_store_fd(store), id);
    if (rv) {
        return rv;
    }
    if (fstat(dir->fd, &dir->about) < 0) {
        rv = upool_fd_error();
    }
    else if (dir->about.st_uid != geteuid()) {
        rv = APR_ENOTDIR;
    }
    if (rv) {
        upool_fd_close(&dir->fd);
    }
    return rv;
}

apr_status_t upool_directory_check(const upool_directory *dir,
                                   const upool_store *store, const char *id)
{
    struct stat st;
    apr_status_t rv = upool_fd_stat(&st, upool_store_fd(store), id);

    if (rv) {
        return rv;
    }
    return st.st_ino == dir->about.st_ino && st.st_dev == dir->about.st_dev
               ? APR_SUCCESS
               : APR_ENOENT;
}

apr_time_t upool_directory_mtime(const struct stat *st)
{
    return apr_time_make(st->st_mtim.tv_sec, st->st_mtim.tv_nsec / 1000);
}

apr_status_t upool_directory_each(int fd, upool_directory_visit *visit,
                                  void *baton)
{
    const struct dirent *entry;
    apr_status_t rv;
    DIR *stream;
    int own;

    /* Not dup(): that would share the position with other walks of fd. */
    rv = upool_fd_directory(&own, fd, ".");
    if (rv) {
        return rv;
    }
    stream = fdopendir(own);
    if (!stream) {
        rv = upool_fd_error();
        upool_fd_close(&own);
        return rv;
    }
    errno = 0;
    while (!rv && (entry = readdir(stream)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0
            && strcmp(entry->d_name, "..") != 0) {
            rv = visit(baton, fd, entry->d_name);
        }
        errno = 0;
    }
    if (!rv) {
        rv = upool_fd_error();
    }
    closedir(stream);
    return rv;
}
