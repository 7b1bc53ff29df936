/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "store/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_sha1.h>
#include <apr_tables.h>

#include "store/descriptor.h"
#include "store/layout.h"

/* Layout 1; as a number of the machine it tells a foreign byte order too. */
#define MARK APR_UINT64_C(0x31746f7571706c75)
#define ENTRY_BYTES 128
#define ENTRIES_MAX (INT_MAX / ENTRY_BYTES - 1)

typedef struct header {
    apr_uint64_t mark;
    apr_int64_t counted;
    apr_int64_t cost;
    apr_uint64_t next_token;
    apr_uint32_t check;
    char fill[ENTRY_BYTES - 36];
} header;

/* Both are what is on the disk: their sizes are the file's layout. */
typedef char header_has_its_size[sizeof(header) == ENTRY_BYTES ? 1 : -1];
typedef char
    entry_has_its_size[sizeof(upool_ledger_entry) == ENTRY_BYTES ? 1 : -1];

/* Over whole words, as every upload reads all entries.  It guards against
 * accidents, not against people, who cannot write here. */
static apr_uint32_t check_of(const void *data, apr_size_t len)
{
    const char *bytes = data;
    apr_uint64_t hash = MARK;
    apr_uint64_t word;
    apr_size_t i;

    for (i = 0; i + sizeof(word) <= len; i += sizeof(word)) {
        memcpy(&word, bytes + i, sizeof(word));
        hash = (hash ^ word) * APR_UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
    }
    return (apr_uint32_t)hash;
}

static apr_uint32_t check_entry(const upool_ledger_entry *entry)
{
    return check_of(entry, offsetof(upool_ledger_entry, spare));
}

static int is_sound(const upool_ledger_entry *entry)
{
    return entry->check == check_entry(entry)
           && memchr(entry->identifier, '/', UPOOL_LEDGER_IDENT) == NULL
           && entry->stored >= 0 && entry->reserved >= 0 && entry->written >= 0;
}

/* APR_EOF: less than that is there. */
static apr_status_t read_at(int fd, void *data, apr_size_t len, off_t offset)
{
    apr_size_t n;
    apr_status_t rv = upool_fd_read(fd, data, len, offset, &n);

    return !rv && n < len ? APR_EOF : rv;
}

static apr_status_t write_at(int fd, const void *data, off_t offset)
{
    const char *from = data;
    apr_size_t len = ENTRY_BYTES;

    while (len) {
        ssize_t put = pwrite(fd, from, len, offset);

        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return put < 0 ? apr_get_os_error() : ENOSPC;
        }
        from += put;
        len -= (apr_size_t)put;
        offset += put;
    }
    return APR_SUCCESS;
}

/* In a sticky pool of everybody's somebody may have planted the name. */
static apr_status_t open_file(upool_ledger *ledger, int make)
{
    struct stat st;
    apr_status_t rv =
        upool_fd_own(&ledger->fd, upool_store_fd(ledger->store),
                     UPOOL_LAYOUT_QUOTA, O_RDWR | (make ? O_CREAT : 0), 0600);

    if (rv) {
        return rv == APR_EGENERAL ? APR_EACCES : rv;
    }
    upool_fd_guard(&ledger->fd, ledger->pool);
    if (fstat(ledger->fd, &st) < 0) {
        return apr_get_os_error();
    }
    return st.st_uid == geteuid() ? APR_SUCCESS : APR_EACCES;
}

static apr_status_t lock_file(int fd)
{
    int rc;

    do {
        rc = flock(fd, LOCK_EX);
    } while (rc < 0 && errno == EINTR);
    return rc < 0 ? apr_get_os_error() : APR_SUCCESS;
}

/* What cannot be believed is left at zero: a count will follow. */
static apr_status_t load_header(upool_ledger *ledger)
{
    header head;
    apr_status_t rv = read_at(ledger->fd, &head, sizeof(head), 0);

    ledger->next_token = 1;
    if (rv && rv != APR_EOF) {
        return rv;
    }
    if (!rv && head.mark == MARK
        && head.check == check_of(&head, offsetof(header, check))) {
        ledger->counted = head.counted;
        ledger->cost = head.cost;
        ledger->next_token = head.next_token ? head.next_token : 1;
        ledger->counted_in_full = head.counted > 0;
    }
    return APR_SUCCESS;
}

/* How many entries of those wanted there are; ledger->first is set. */
static apr_status_t find_part(upool_ledger *ledger, int first, int most,
                              int *count)
{
    struct stat st;
    off_t all;

    if (fstat(ledger->fd, &st) < 0) {
        return apr_get_os_error();
    }
    all = st.st_size / ENTRY_BYTES - 1;
    if (all > ENTRIES_MAX) {
        return APR_ENOSPC;
    }
    all = all > 0 ? all : 0;
    if (first == UPOOL_LEDGER_LAST) {
        first = all > most ? (int)all - most : 0;
    }
    ledger->first = first;
    all = all > first ? all - first : 0;
    *count = all < most ? (int)all : most;
    return APR_SUCCESS;
}

/* What is damaged reads as free, and as no entry that was ever written. */
static void clear_damaged(upool_ledger *ledger)
{
    int i;

    for (i = 0; i < ledger->entries->nelts; i++) {
        upool_ledger_entry *entry = upool_ledger_at(ledger, ledger->first + i);

        if (!is_sound(entry)) {
            memset(entry, 0, sizeof(*entry));
            ledger->counted_in_full = 0;
        }
    }
}

static apr_status_t load_entries(upool_ledger *ledger, int first, int most)
{
    int count = 0;
    apr_status_t rv = find_part(ledger, first, most, &count);

    if (rv) {
        return rv;
    }
    ledger->entries =
        apr_array_make(ledger->pool, count + 1, sizeof(upool_ledger_entry));
    if (!count) {
        return APR_SUCCESS;
    }
    rv = read_at(ledger->fd, ledger->entries->elts,
                 (apr_size_t)count * ENTRY_BYTES,
                 ((off_t)ledger->first + 1) * ENTRY_BYTES);
    ledger->entries->nelts = rv ? 0 : count;
    clear_damaged(ledger);
    return rv;
}

static apr_status_t open_ledger(upool_ledger **ledger, upool_store *store,
                                int make, int first, int most, apr_pool_t *p)
{
    upool_ledger *l;
    apr_pool_t *own;
    apr_status_t rv;

    apr_pool_create(&own, p);
    l = apr_pcalloc(own, sizeof(*l));
    l->store = store;
    l->pool = own;
    l->fd = -1;
    rv = open_file(l, make);
    rv = rv ? rv : lock_file(l->fd);
    rv = rv ? rv : load_header(l);
    rv = rv ? rv : load_entries(l, first, most);
    if (rv) {
        apr_pool_destroy(own);
        return rv;
    }
    *ledger = l;
    return APR_SUCCESS;
}

apr_status_t upool_ledger_open(upool_ledger **ledger, upool_store *store,
                               int make, apr_pool_t *p)
{
    return open_ledger(ledger, store, make, 0, INT_MAX, p);
}

apr_status_t upool_ledger_open_part(upool_ledger **ledger, upool_store *store,
                                    int first, int most, apr_pool_t *p)
{
    return open_ledger(ledger, store, 0, first, most, p);
}

void upool_ledger_close(upool_ledger *ledger)
{
    /* Said aloud: a child between fork and exec has a copy of the descriptor,
     * which would keep the lock. */
    flock(ledger->fd, LOCK_UN);
    apr_pool_destroy(ledger->pool);
}

upool_ledger_entry *upool_ledger_at(const upool_ledger *ledger, int n)
{
    return &APR_ARRAY_IDX(ledger->entries, n - ledger->first,
                          upool_ledger_entry);
}

int upool_ledger_is_sound(const upool_ledger *ledger, int n)
{
    return is_sound(upool_ledger_at(ledger, n));
}

int upool_ledger_find(const upool_ledger *ledger, const char *id)
{
    int i;

    for (i = 0; i < ledger->entries->nelts; i++) {
        if (!strncmp(upool_ledger_at(ledger, i)->identifier, id,
                     UPOOL_LEDGER_IDENT)) {
            return i;
        }
    }
    return -1;
}

int upool_ledger_add(upool_ledger *ledger, const char *id)
{
    apr_size_t len = strlen(id);
    upool_ledger_entry *entry;
    int n = ledger->free_from;

    while (n < ledger->entries->nelts
           && upool_ledger_at(ledger, n)->identifier[0]) {
        n++;
    }
    ledger->free_from = n + 1;
    if (n == ledger->entries->nelts) {
        apr_array_push(ledger->entries);
    }
    entry = upool_ledger_at(ledger, n);
    memset(entry, 0, sizeof(*entry));
    memcpy(entry->identifier, id,
           len < UPOOL_LEDGER_IDENT ? len : UPOOL_LEDGER_IDENT);
    return n;
}

apr_status_t upool_ledger_write(upool_ledger *ledger, int n)
{
    upool_ledger_entry *entry = upool_ledger_at(ledger, n);

    entry->check = check_entry(entry);
    return write_at(ledger->fd, entry, (off_t)(n + 1) * ENTRY_BYTES);
}

apr_status_t upool_ledger_write_header(upool_ledger *ledger)
{
    header head;

    memset(&head, 0, sizeof(head));
    head.mark = MARK;
    head.counted = ledger->counted_in_full ? ledger->counted : 0;
    head.cost = ledger->cost;
    head.next_token = ledger->next_token;
    head.check = check_of(&head, offsetof(header, check));
    return write_at(ledger->fd, &head, 0);
}

void upool_ledger_trim(upool_ledger *ledger)
{
    int count = ledger->entries->nelts;

    while (
        count
        && !upool_ledger_at(ledger, ledger->first + count - 1)->identifier[0]) {
        count--;
    }
    /* Failing, it stays long: no harm. */
    if (count < ledger->entries->nelts
        && ftruncate(ledger->fd,
                     ((off_t)ledger->first + count + 1) * ENTRY_BYTES)
               == 0) {
        ledger->entries->nelts = count;
    }
    /* Entries have become free, and none may be added behind the last. */
    ledger->free_from = 0;
}

void upool_ledger_hash_owner(unsigned char *owner, const char *text)
{
    apr_sha1_ctx_t sha1;

    memset(owner, 0, UPOOL_LEDGER_OWNER);
    if (text) {
        apr_sha1_init(&sha1);
        apr_sha1_update(&sha1, text, (unsigned int)strlen(text));
        apr_sha1_final(owner, &sha1);
    }
}
