/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Which directories may be pools. */
#include "store/store.h"

#include "store_kit.h"

static apr_status_t try_open(kit *k, const char *dir, const char *below,
                             const char **why)
{
    upool_store *store = NULL;
    apr_pool_t *p;
    apr_status_t rv;

    *why = NULL;
    apr_pool_create(&p, k->p);
    rv = upool_store_open(&store, dir, below, &k->options, p, why);
    apr_pool_destroy(p);
    return rv;
}

static void refused(kit *k, const char *dir, const char *below, apr_status_t rv,
                    const char *reason, const char *name)
{
    const char *why;

    tap_is_int(try_open(k, dir, below, &why), rv, "%s", name);
    tap_ok(why && strstr(why, reason), "because: %s", why ? why : "NULL");
}

static void opened(kit *k, const char *dir, const char *below, const char *path,
                   const char *name)
{
    upool_store *store = NULL;
    const char *why = NULL;

    tap_is_int(upool_store_open(&store, dir, below, &k->options, k->p, &why),
               APR_SUCCESS, "%s", name);
    tap_is_str(store ? upool_store_path(store) : why, path, "its path");
}

static void test_absolute(kit *k)
{
    const char *link = kit_path(k, "link");
    const char *file = kit_path(k, "file");
    const char *gone = kit_path(k, "gone");

    opened(k, k->dir, NULL, k->dir, "a directory");
    opened(k, apr_pstrcat(k->p, k->dir, "//", NULL), NULL, k->dir,
           "trailing slashes");
    refused(k, gone, NULL, APR_ENOENT, "does not exist", "none");
    tap_ok(!kit_exists(gone), "none is made");
    kit_write_file(file, "x");
    refused(k, file, NULL, APR_ENOTDIR, "not a directory", "a file");
    if (symlink(k->dir, link)) {
        kit_die("no link");
    }
    refused(k, link, NULL, APR_ENOTDIR, "link", "a link");
    refused(k, apr_pstrcat(k->p, link, "/", NULL), NULL, APR_ENOTDIR, "link",
            "a link with a slash");
    refused(k, apr_pstrcat(k->p, link, "/.", NULL), NULL, APR_EINVAL,
            "absolute", "a link with a dot");
    refused(k, apr_pstrcat(k->p, k->dir, "/..", NULL), NULL, APR_EINVAL,
            "absolute", "the parent of one");
    refused(k, "pool", NULL, APR_EINVAL, "absolute", "a relative path");
    refused(k, "", NULL, APR_EINVAL, "absolute", "no path");
    mkdir(kit_path(k, "real"), 0700);
    mkdir(kit_path(k, "real/pool"), 0700);
    symlink(kit_path(k, "real"), kit_path(k, "via"));
    opened(k, kit_path(k, "via/pool"), NULL, kit_path(k, "via/pool"),
           "a link on the administrator's way there");
}

static void test_modes(kit *k)
{
    const char *dir = kit_path(k, "modes");

    mkdir(dir, 0700);
    chmod(dir, 0777);
    refused(k, dir, NULL, APR_EACCES, "world-writable", "0777");
    chmod(dir, 0702);
    refused(k, dir, NULL, APR_EACCES, "world-writable", "0702");
    chmod(dir, 01777);
    opened(k, dir, NULL, dir, "sticky and world-writable");
    chmod(dir, 0770);
    opened(k, dir, NULL, dir, "writable for the group");
    chmod(dir, 0755);
    opened(k, dir, NULL, dir, "readable for all");
}

/* T3: Whose pool it is. */
/* What only root can set up; others see the root directory as a stranger's. */
static void test_owner(kit *k)
{
    const char *dir = kit_path(k, "owner");
    pid_t pid;
    int status = -1;

    mkdir(dir, 0777);
    chmod(dir, 01777);
    if (geteuid() != 0) {
        refused(k, "/", NULL, APR_EACCES, "another user", "root's directory");
        chmod(dir, 0500);
        refused(k, dir, NULL, EACCES, "not writable", "a read-only one");
        return;
    }
    if (chown(dir, 12345, (gid_t)-1)) {
        kit_die("no chown");
    }
    refused(k, dir, NULL, APR_EACCES, "another user", "somebody else's");
    chmod(dir, 0500);
    chmod(k->root, 0755);
    pid = fork();
    if (pid == 0) {
        const char *why;

        _exit(setuid(12345) || try_open(k, dir, NULL, &why) != EACCES
              || !strstr(why, "not writable"));
    }
    waitpid(pid, &status, 0);
    tap_is_int(status, 0, "a read-only one");
    tap_is_int(status, 0, "is said to be not writable");
}

static void test_below(kit *k)
{
    const char *root = kit_path(k, "sites");

    mkdir(root, 0755);
    mkdir(kit_path(k, "sites/a"), 0755);
    mkdir(kit_path(k, "sites/a/pool"), 0700);
    mkdir(kit_path(k, "outside"), 0700);
    symlink("../outside", kit_path(k, "sites/out"));
    symlink("a", kit_path(k, "sites/in"));
    symlink(root, kit_path(k, "root-link"));
    opened(k, "a/pool", root, kit_path(k, "sites/a/pool"), "below a root");
    opened(k, "a/pool/", root, kit_path(k, "sites/a/pool"), "with a slash");
    opened(k, "a/pool", kit_path(k, "root-link/"),
           kit_path(k, "root-link/a/pool"),
           "below a link of the administrator");
    refused(k, "a/none", root, APR_ENOENT, "does not exist", "none");
    refused(k, "none/pool", root, APR_ENOENT, "does not exist", "no parent");
    refused(k, "out", root, APR_ENOTDIR, "link", "a link that leads out");
    refused(k, "out/", root, APR_ENOTDIR, "link", "and with a slash");
    refused(k, "in/pool", root, APR_ENOTDIR, "link", "a link on the way");
    refused(k, "../outside", root, APR_EINVAL, "dots", "..");
    refused(k, "a/../../outside", root, APR_EINVAL, "dots", "a/../..");
    refused(k, "a/..", root, APR_EINVAL, "dots", "a/..");
    refused(k, "..", root, APR_EINVAL, "dots", ".. alone");
    refused(k, ".", root, APR_EINVAL, "dots", ". alone");
    refused(k, "a/./pool", root, APR_EINVAL, "dots", "a/./pool");
    refused(k, "a//pool", root, APR_EINVAL, "empty", "a//pool");
    refused(k, "", root, APR_EINVAL, "empty", "nothing");
    refused(k, "/", root, APR_EINVAL, "empty", "a slash");
    refused(k, kit_path(k, "outside"), root, APR_EINVAL, "empty",
            "an absolute path");
    kit_write_file(kit_path(k, "sites/a/pool/.quota"), "");
    mkdir(kit_path(k, "sites/a/pool/id"), 0700);
    mkdir(kit_path(k, "sites/a/id"), 0700);
    mkdir(kit_path(k, "sites/a/id/deep"), 0700);
    kit_write_file(kit_path(k, "sites/a/id/attempt.json"), "");
    refused(k, "a/pool/id", root, APR_EINVAL, "upload", "a bucket of a pool");
    refused(k, "a/id", root, APR_EINVAL, "upload", "any bucket");
    refused(k, "a/id/deep", root, APR_EINVAL, "upload", "what lies in one");
    opened(k, "a/pool", root, kit_path(k, "sites/a/pool"), "the pool itself");
    refused(k, "a/pool", "sites", APR_EINVAL, "absolute", "a relative root");
    refused(k, "a/pool", kit_path(k, "nowhere"), APR_ENOENT, "does not exist",
            "no root");
}

int main(void)
{
    int before;
    kit k;

    kit_start(&k);
    before = kit_descriptors();
    test_absolute(&k);
    test_modes(&k);
    test_below(&k);
    test_owner(&k);
    tap_ok(kit_descriptors() > before, "open stores hold descriptors");
    apr_pool_clear(k.p);
    tap_is_int(kit_descriptors(), before - 1, "which go with the pool");
    return kit_done(&k);
}
