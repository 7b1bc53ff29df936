/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Origins of UploadCORS, and lists of header names that are repeated. */
#include "parse/origin.h"
#include "tap.h"

#include <string.h>

typedef struct origin_case {
    const char *text;
    int valid;
} origin_case;

static const origin_case origins[] = {
    { "https://example.com", 1 },
    { "http://example.com", 1 },
    { "https://example.com:8443", 1 },
    { "http://localhost:3000", 1 },
    { "http://127.0.0.1:8080", 1 },
    { "https://[2001:db8::1]", 1 },
    { "https://[2001:db8::1]:8443", 1 },
    { "https://xn--bcher-kva.example", 1 },
    { "https://a_b.example", 1 },
    { "capacitor://localhost", 1 },
    { "moz-extension://0f8a-1", 1 },
    { "http://example.com:443", 1 },
    { "https://example.com:80", 1 },
    { "https://example.com:65535", 1 },
    { "", 0 },
    { "*", 0 },
    { "null", 0 },
    { "example.com", 0 },
    { "//example.com", 0 },
    { "https:/example.com", 0 },
    { "https:example.com", 0 },
    { "https://", 0 },
    { "https:///", 0 },
    { "://example.com", 0 },
    { "1https://example.com", 0 },
    { "https://example.com/", 0 },
    { "https://example.com/app", 0 },
    { "https://example.com?x", 0 },
    { "https://example.com#x", 0 },
    { "https://user@example.com", 0 },
    { "https://Example.com", 0 },
    { "HTTPS://example.com", 0 },
    { "https://example.com:443", 0 },
    { "http://example.com:80", 0 },
    { "https://example.com:", 0 },
    { "https://example.com:0", 0 },
    { "https://example.com:080", 0 },
    { "https://example.com:123456", 0 },
    { "https://example.com:80a", 0 },
    { "https://*.example.com", 0 },
    { "https://example.com ", 0 },
    { " https://example.com", 0 },
    { "https://exam ple.com", 0 },
    { "https://example.com\r\nX: y", 0 },
    { "https://b\xc3\xbc"
      "cher.example",
      0 },
    { "https://[::1", 0 },
    { "https://[]", 0 },
    { "https://[::1]x", 0 },
    { "https://[fe80::1%eth0]", 0 },
};

static const origin_case names[] = {
    { "content-type", 1 },
    { "Upload-Offset,Upload-Length", 1 },
    { "upload-offset, tus-resumable,\tx-csrf-token", 1 },
    { "x_1!#$%&'*+.^`|~", 1 },
    { "", 0 },
    { "a:b", 0 },
    { "a;b", 0 },
    { "a\r\nb", 0 },
    { "a/b", 0 },
    { "\"a\"", 0 },
    { "\xc3\xa4", 0 },
    { "a(b)", 0 },
};

int main(void)
{
    char text[1026];
    size_t i;

    for (i = 0; i < sizeof(origins) / sizeof(origins[0]); i++) {
        tap_is_int(upool_origin_is_valid(origins[i].text), origins[i].valid,
                   "origin \"%s\": %s", origins[i].text,
                   origins[i].valid ? "good" : "none");
    }
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        tap_is_int(upool_origin_is_names(names[i].text), names[i].valid,
                   "names \"%s\": %s", names[i].text,
                   names[i].valid ? "good" : "none");
    }
    memset(text, 'a', sizeof(text));
    text[1025] = '\0';
    tap_is_int(upool_origin_is_names(text), 0,
               "1025 bytes of names are too many");
    text[1024] = '\0';
    tap_is_int(upool_origin_is_names(text), 1, "1024 are not");
    return tap_done();
}
