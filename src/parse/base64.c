/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "parse/base64.h"

#include <string.h>

static int bits_of(char c)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = c == '\0' ? NULL : strchr(alphabet, c);

    return found == NULL ? -1 : (int)(found - alphabet);
}

size_t upool_base64_decode(unsigned char *out, size_t room, const char *text,
                           size_t len)
{
    unsigned long held = 0;
    size_t letters = len;
    size_t written = 0;
    size_t i;

    while (letters > 0 && len - letters < 2 && text[letters - 1] == '=') {
        letters--;
    }
    if (letters % 4 == 1 || (letters < len && len % 4 != 0)) {
        return UPOOL_BASE64_BAD;
    }
    for (i = 0; i < letters; i++) {
        int bits = bits_of(text[i]);

        if (bits < 0) {
            return UPOOL_BASE64_BAD;
        }
        held = (held << 6 | (unsigned long)bits) & 0xFFFF;
        if (i % 4 != 0) {
            if (written < room) {
                out[written] = (unsigned char)(held >> (6 - 2 * (i % 4)));
            }
            written++;
        }
    }
    return written;
}
