/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/*
 * Makes uploads that live in the progress table of a running server, for
 * t/bench/run: what a status query costs among a hundred thousand of them, on a
 * machine that has not the memory for their connections.
 *
 *     fill PID COUNT
 *
 * PID is the server's first process.  Its children share its table, which is
 * memory without a name: the kernel lets root open it all the same, through
 * /proc/PID/map_files.  The identifiers are nobody's, and PID is their writer,
 * so they live as long as the server.  Prints how many have got a slot.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <apr_time.h>

#include "progress/table.h"

/* APR puts a word of its own before the memory that it gives out, and a page
 * is more than it will ever take. */
#define LEAD_MAX 4096

/* The table in one mapping of the server's, or NULL. */
static upool_table *find_table(const char *pid, unsigned long from,
                               unsigned long to)
{
    char name[128];
    size_t len = to - from;
    size_t lead;
    char *memory;
    int fd;

    snprintf(name, sizeof(name), "/proc/%s/map_files/%lx-%lx", pid, from, to);
    fd = open(name, O_RDWR);
    if (fd < 0) {
        return NULL;
    }
    memory = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    for (lead = 0; memory != MAP_FAILED && lead < LEAD_MAX && lead < len;
         lead += 8) {
        upool_table *table = upool_table_attach(memory + lead, len - lead);

        if (table) {
            return table;
        }
    }
    if (memory != MAP_FAILED) {
        munmap(memory, len);
    }
    return NULL;
}

static upool_table *find(const char *pid)
{
    upool_table *table = NULL;
    char line[512];
    FILE *maps;

    snprintf(line, sizeof(line), "/proc/%s/maps", pid);
    maps = fopen(line, "r");
    while (maps && !table && fgets(line, sizeof(line), maps)) {
        char *end;
        unsigned long from = strtoul(line, &end, 16);
        unsigned long to = strtoul(end + 1, &end, 16);

        if (!strncmp(end, " rw-s", 5)) {
            table = find_table(pid, from, to);
        }
    }
    if (maps) {
        fclose(maps);
    }
    return table;
}

int main(int argc, char **argv)
{
    upool_table *table;
    long long process;
    long count;
    long got = 0;
    long i;

    if (argc != 3) {
        fputs("fill PID COUNT\n", stderr);
        return 2;
    }
    process = strtoll(argv[1], NULL, 10);
    count = strtol(argv[2], NULL, 10);
    table = find(argv[1]);
    if (!table) {
        fputs("no progress table that could be opened\n", stderr);
        return 1;
    }
    for (i = 0; i < count; i++) {
        upool_ticket ticket;
        char name[32];

        snprintf(name, sizeof(name), "fill-%ld", i);
        if (upool_table_claim(table, name, NULL, 1000, process, apr_time_now(),
                              NULL, &ticket)
            == UPOOL_CLAIMED) {
            upool_table_publish(table, &ticket, 100, apr_time_now());
            got++;
        }
    }
    printf("%ld\n", got);
    return 0;
}
