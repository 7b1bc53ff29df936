/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Runs one fuzz target over the files named as arguments: what libFuzzer does
 * with a corpus, for any compiler.  Each input lies in a heap block of its
 * exact size. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads a whole file of up to 1 MiB; NULL where that fails. */
static uint8_t *read_file(const char *path, size_t *size)
{
    const size_t max = 1048576;
    FILE *in = fopen(path, "rb");
    uint8_t *data = malloc(max);
    uint8_t *exact = NULL;

    if (in != NULL && data != NULL) {
        *size = fread(data, 1, max, in);
        if (!ferror(in)) {
            exact = realloc(data, *size > 0 ? *size : 1);
            data = exact != NULL ? NULL : data;
        }
    }
    if (in != NULL) {
        fclose(in);
    }
    free(data);
    return exact;
}

int main(int argc, char **argv)
{
    int i;

    for (i = 1; i < argc; i++) {
        size_t size = 0;
        uint8_t *data = read_file(argv[i], &size);

        if (data == NULL) {
            fprintf(stderr, "%s cannot be read\n", argv[i]);
            return 1;
        }
        /* Said first, so that the last line names the one that crashed. */
        printf("%s: %lu bytes\n", argv[i], (unsigned long)size);
        fflush(stdout);
        (void)LLVMFuzzerTestOneInput(data, size);
        free(data);
    }
    return argc > 1 ? 0 : 1;
}
