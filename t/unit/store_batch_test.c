/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Names of a directory, some at a time, in the order of their inodes. */
#include "store/batch.h"

#include "store_kit.h"

enum { COUNT = 300, MOST = 64 };

static ino_t inode_of(const kit *k, const char *name)
{
    struct stat st;

    if (lstat(kit_in(k, name, NULL), &st)) {
        kit_die(name);
    }
    return st.st_ino;
}

/* In no order that a file system could keep by chance. */
static void fill(kit *k)
{
    int i;

    for (i = 0; i < COUNT; i++) {
        kit_write_file(
            kit_in(k, apr_psprintf(k->p, "n%d", i * 7 % COUNT), NULL), "");
        if (i % 3 == 0) {
            kit_write_file(kit_in(k, "gone", NULL), "");
            unlink(kit_in(k, "gone", NULL));
        }
    }
}

static upool_batch *open_batch(const kit *k, int most)
{
    upool_batch *batch = NULL;

    if (upool_batch_open(&batch, upool_store_fd(k->store), most, k->p)) {
        kit_die("no batch");
    }
    return batch;
}

/* The next name that is told; *reads: how many calls told none before. */
static const char *next(upool_batch *batch, int *reads, apr_status_t *rv)
{
    const char *name;

    *reads = 0;
    while (!(*rv = upool_batch_next(&name, batch)) && !name) {
        (*reads)++;
    }
    return name;
}

static void test_order(kit *k)
{
    char told[COUNT] = { 0 };
    upool_batch *batch = open_batch(k, MOST);
    int disorder = 0;
    int longest = 0;
    int once = 0;
    int of = 0;
    ino_t last = 0;
    const char *name;
    apr_status_t rv;
    int reads;
    int i;

    while ((name = next(batch, &reads, &rv)) != NULL) {
        ino_t inode = inode_of(k, name);

        of = reads ? 1 : of + 1;
        longest = of > longest ? of : longest;
        disorder += of > 1 && inode < last;
        last = inode;
        told[atol(name + 1)]++;
    }
    tap_is_int(rv, APR_EOF, "all of it");
    for (i = 0; i < COUNT; i++) {
        once += told[i] == 1;
    }
    tap_is_int(once, COUNT, "each name is told once");
    tap_is_int(disorder, 0, "in the order of the inodes");
    tap_is_int(longest, MOST, "so many at a time");
    name = next(batch, &reads, &rv);
    tap_ok(!name && rv == APR_EOF, "what has ended stays so");
}

/* All that is told goes at once, as in a sweep. */
static void test_removal(kit *k)
{
    upool_batch *batch = open_batch(k, MOST);
    const char *name;
    apr_status_t rv;
    int reads;

    while ((name = next(batch, &reads, &rv)) != NULL) {
        unlink(kit_in(k, name, NULL));
    }
    tap_is_int(rv, APR_EOF, "it ends");
    tap_is_int(kit_count(k->dir), 0, "and nothing was passed over");
    name = next(open_batch(k, MOST), &reads, &rv);
    tap_ok(!name && rv == APR_EOF, "in an empty one there is nothing");
}

int main(void)
{
    upool_batch *batch;
    int before;
    int file;
    kit k;

    kit_start(&k);
    before = kit_descriptors();
    fill(&k);
    test_order(&k);
    test_removal(&k);
    tap_is_int(kit_descriptors(), before, "one that has ended is closed");
    open_batch(&k, MOST);
    file = open("/dev/null", O_RDONLY | O_CLOEXEC);
    tap_ok(upool_batch_open(&batch, file, MOST, k.p) == ENOTDIR,
           "a file has no names");
    close(file);
    apr_pool_clear(k.p);
    tap_is_int(kit_descriptors(), before - 1, "no descriptor is left open");
    return kit_done(&k);
}
