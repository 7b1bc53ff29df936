/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/filesystem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <apr_strings.h>

#include "store/descriptor.h"
#include "store/layout.h"
#include "store/region.h"

typedef struct known_filesystem {
    unsigned int magic; /* statfs(2) */
    upool_filesystem_kind kind;
    const char *name;
} known_filesystem;

static const known_filesystem known[] = {
    { 0x0000ef53, UPOOL_FILESYSTEM_LOCAL, "ext4" },
    { 0x58465342, UPOOL_FILESYSTEM_LOCAL, "XFS" },
    { 0x9123683e, UPOOL_FILESYSTEM_LOCAL, "Btrfs" },
    { 0x01021994, UPOOL_FILESYSTEM_LOCAL, "tmpfs" },
    { 0x858458f6, UPOOL_FILESYSTEM_LOCAL, "ramfs" },
    { 0x794c7630, UPOOL_FILESYSTEM_LOCAL, "overlayfs" },
    { 0x2fc12fc1, UPOOL_FILESYSTEM_LOCAL, "ZFS" },
    { 0xf2f52010, UPOOL_FILESYSTEM_LOCAL, "F2FS" },
    { 0xca451a4e, UPOOL_FILESYSTEM_LOCAL, "bcachefs" },
    { 0x65735546, UPOOL_FILESYSTEM_FUSE, "FUSE" },
    { 0x00006969, UPOOL_FILESYSTEM_OTHER, "NFS" },
    { 0x00c36400, UPOOL_FILESYSTEM_OTHER, "CephFS" },
    { 0x01161970, UPOOL_FILESYSTEM_OTHER, "GFS2" },
    { 0x7461636f, UPOOL_FILESYSTEM_OTHER, "OCFS2" },
    { 0x0bd00bd0, UPOOL_FILESYSTEM_OTHER, "Lustre" },
    { 0x47504653, UPOOL_FILESYSTEM_OTHER, "GPFS" },
    { 0xff534d42, UPOOL_FILESYSTEM_OTHER, "CIFS" },
    { 0xfe534d42, UPOOL_FILESYSTEM_OTHER, "SMB" },
    { 0x01021997, UPOOL_FILESYSTEM_OTHER, "9P" },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

upool_filesystem_kind upool_filesystem_of(int fd, const char **name)
{
    static const known_filesystem strange = { 0, UPOOL_FILESYSTEM_OTHER,
                                              "of a kind not known here" };
    const known_filesystem *found = &strange;
    struct statfs fs;
    int is_told = fstatfs(fd, &fs) == 0;
    apr_size_t i;

    for (i = 0; is_told && i < COUNT(known); i++) {
        if (known[i].magic == (unsigned int)fs.f_type) {
            found = &known[i];
            break;
        }
    }
    if (name) {
        *name = found->name;
    }
    return found->kind;
}

apr_status_t upool_filesystem_look(struct stat *st, int directory,
                                   const char *name)
{
    apr_status_t rv = upool_fd_stat(st, directory, name);
    int fd;

    /* A real device: not a file system with FUSE's caches. */
    if (rv || !S_ISREG(st->st_mode) || major(st->st_dev) != 0
        || upool_filesystem_of(directory, NULL) != UPOOL_FILESYSTEM_FUSE) {
        return rv;
    }
    rv = upool_fd_open(&fd, directory, name, O_RDONLY | O_NONBLOCK, 0);
    if (rv) {
        return rv;
    }
    /* The result does not matter: only the asking does. */
    upool_fd_sync(fd);
    rv = upool_fd_stat(st, fd, NULL);
    upool_fd_close(&fd);
    return rv;
}

/* One trial: two files, each opened twice, so that no lock is one's own. */
typedef struct trial {
    int directory;
    const char *name;
    const char *other;
    int first;
    int second;
    apr_status_t *rv;
    apr_pool_t *p;
} trial;

static const char *says(const trial *t, const char *what)
{
    char text[128];

    *t->rv = upool_fd_error();
    return apr_psprintf(t->p, "%s: %s", what,
                        apr_strerror(*t->rv, text, sizeof(text)));
}

static const char *try_flock(const trial *t)
{
    if (flock(t->first, LOCK_EX | LOCK_NB) < 0) {
        return says(t, "flock() of a file fails");
    }
    if (flock(t->second, LOCK_EX | LOCK_NB) == 0) {
        return "flock() of a file keeps nobody out";
    }
    return flock(t->first, LOCK_UN) < 0 ? says(t, "flock() is not let go of")
                                        : NULL;
}

static const char *try_region(const trial *t)
{
    static const upool_range all = UPOOL_REGION_ALL;

    *t->rv = upool_region_take(t->first, &all);
    if (*t->rv) {
        char text[128];

        return apr_psprintf(t->p, "fcntl() locks of an open file fail: %s",
                            apr_strerror(*t->rv, text, sizeof(text)));
    }
    if (upool_region_look(t->second, &all) == APR_SUCCESS
        || upool_region_take(t->second, &all) == APR_SUCCESS) {
        return "fcntl() locks of an open file keep nobody out";
    }
    upool_region_release(t->first);
    return NULL;
}

static const char *try_rename(const trial *t)
{
    struct stat before;
    struct stat after;

    if (fstat(t->first, &before) < 0
        || renameat(t->directory, t->name, t->directory, t->other) < 0) {
        return says(t, "a file cannot be renamed over another");
    }
    if (fstatat(t->directory, t->name, &after, AT_SYMLINK_NOFOLLOW) == 0
        || upool_fd_stat(&after, t->directory, t->other)
        || !S_ISREG(after.st_mode)) {
        return "a file that was renamed over another is not where it should be";
    }
    return fsync(t->directory) < 0 && errno != EINVAL && errno != ENOTSUP
               ? says(t, "a directory cannot be synced")
               : NULL;
}

static const char *try_all(trial *t)
{
    const char *why;
    int other = -1;

    if (upool_fd_open(&t->first, t->directory, t->name,
                      O_RDWR | O_CREAT | O_EXCL, S_IRUSR | S_IWUSR)
        || upool_fd_open(&t->second, t->directory, t->name, O_RDWR | O_NONBLOCK,
                         0)
        || upool_fd_open(&other, t->directory, t->other,
                         O_RDWR | O_CREAT | O_EXCL, S_IRUSR | S_IWUSR)) {
        *t->rv = upool_fd_error();
        return NULL;
    }
    upool_fd_close(&other);
    why = try_flock(t);
    why = why ? why : try_region(t);
    return why ? why : try_rename(t);
}

const char *upool_filesystem_try(apr_status_t *rv, int directory, apr_pool_t *p)
{
    trial t = { directory, NULL, NULL, -1, -1, rv, p };
    const char *why;

    *rv = upool_layout_name(&t.name, 0, p);
    *rv = *rv ? *rv : upool_layout_name(&t.other, 1, p);
    if (*rv) {
        return NULL;
    }
    why = try_all(&t);
    upool_fd_close(&t.first);
    upool_fd_close(&t.second);
    unlinkat(directory, t.name, 0);
    unlinkat(directory, t.other, 0);
    return why;
}
