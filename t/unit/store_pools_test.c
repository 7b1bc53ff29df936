/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Pools are found by their books, and nothing else is. */
#include "store/pools.h"

#include <store_kit.h>

static void make(kit *k, const char *path, int books)
{
    mkdir(kit_path(k, path), 0700);
    if (books) {
        kit_write_file(kit_path(k, apr_pstrcat(k->p, path, "/.quota", NULL)),
                       "");
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* As one line, without the root. */
static const char *found(kit *k, const char *root)
{
    apr_array_header_t *list = apr_array_make(k->p, 4, sizeof(const char *));
    const char *line = "";
    int i;

    if (upool_pools_find(list, root, k->p)) {
        return "unreadable";
    }
    qsort(list->elts, (size_t)list->nelts, sizeof(char *), by_name);
    for (i = 0; i < list->nelts; i++) {
        line = apr_pstrcat(k->p, line,
                           APR_ARRAY_IDX(list, i, const char *) + strlen(root),
                           " ", NULL);
    }
    return line;
}

int main(void)
{
    kit k;
    int i;
    const char *deep = "root/d";

    kit_start(&k);
    make(&k, "root", 0);
    make(&k, "root/a", 1);
    make(&k, "root/a/bucket", 1);
    make(&k, "root/b", 0);
    make(&k, "root/b/c", 1);
    make(&k, "root/none", 0);
    make(&k, "root/linked", 0);
    make(&k, "outside", 1);
    kit_write_file(kit_path(&k, "root/file"), "");
    symlink("../outside", kit_path(&k, "root/link"));
    symlink("../a/.quota", kit_path(&k, "root/linked/.quota"));
    tap_is_str(found(&k, kit_path(&k, "root")), "/a /b/c ",
               "those with books, none in another, no link");
    kit_write_file(kit_path(&k, "root/none/lock"), "");
    make(&k, "root/none/deep", 1);
    tap_is_str(found(&k, kit_path(&k, "root")), "/a /b/c ", "none in a bucket");
    kit_write_file(kit_path(&k, "root/.quota"), "");
    tap_is_str(found(&k, kit_path(&k, "root")), " /a /b/c ",
               "the root, if it is a pool");
    unlink(kit_path(&k, "root/.quota"));
    for (i = 0; i < UPOOL_POOLS_DEPTH + 1; i++) {
        make(&k, deep, i == UPOOL_POOLS_DEPTH - 1);
        deep = apr_pstrcat(k.p, deep, "/d", NULL);
    }
    tap_is_str(found(&k, kit_path(&k, "root")), "/a /b/c /d/d/d/d/d/d/d/d ",
               "down to a level");
    unlink(kit_path(&k, "root/d/d/d/d/d/d/d/d/.quota"));
    make(&k, "root/d/d/d/d/d/d/d/d/d", 1);
    tap_is_str(found(&k, kit_path(&k, "root")), "/a /b/c ", "and no further");
    symlink("root", kit_path(&k, "alias"));
    tap_is_str(found(&k, kit_path(&k, "alias")), "/a /b/c ",
               "the root may be a link");
    tap_is_str(found(&k, kit_path(&k, "nowhere")), "unreadable", "no root");
    return kit_done(&k);
}
