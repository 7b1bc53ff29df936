/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Any name, written between the quotes of a form's Content-Disposition: it ends
 * at its quote for those who honour backslashes and for those who do not, no
 * line ends in it, and it is read as the name that it was.  Any text between
 * quotes: what is read of it is no longer, and can be written. */
#include "parse/formname.h"
#include "parse/percent.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int cond)
{
    if (!cond) {
        abort();
    }
}

/* What browsers themselves leave open: see upool_formname_write(). */
static int is_ambiguous(const char *name, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++) {
        int byte = upool_percent_byte(name + i, name + len);

        if (byte == '"' || byte == '\r' || byte == '\n') {
            return 1;
        }
    }
    return !strcmp(name, "\\")
           || (len && name[len - 1] == '\\'
               && upool_formname_is_windows_path(name, len));
}

/* 1 where nobody sees the end of the header, or of the quotes, in it. */
static int is_quotable(const char *text, size_t len)
{
    size_t i = 0;

    while (i < len && !strchr("\"\r\n", text[i])) {
        i += text[i] == '\\' ? 2 : 1;
    }
    return i == len;
}

static void check_write(const char *name, size_t len)
{
    char *out = malloc(UPOOL_FORMNAME_ROOM(len));
    char *again = malloc(UPOOL_FORMNAME_ROOM(len));
    size_t written;
    size_t read;

    must(out && again);
    written = upool_formname_write(out, name);
    must(written < UPOOL_FORMNAME_ROOM(len) && strlen(out) == written);
    must(is_quotable(out, written));
    read = upool_formname_read(again, out, out + written);
    must(read <= written);
    must(is_ambiguous(name, len) || (read == len && !memcmp(again, name, len)));
    free(again);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    char *name = malloc(size + 1);
    size_t len;

    must(text && name);
    memcpy(text, data, size);
    text[size] = '\0';
    check_write(text, strlen(text));
    len = upool_formname_read(name, text, text + size);
    must(len <= size);
    name[len] = '\0';
    check_write(name, strlen(name));
    free(name);
    free(text);
    return 0;
}
