/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Whatever answer.json holds: no crash, nothing that would split a response's
 * head, and what is taken can be written and read again. */
#include "store/answer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int condition)
{
    if (!condition) {
        abort();
    }
}

static int check_header(void *unused, const char *name, const char *value)
{
    (void)unused;
    demand(name[0] && !strpbrk(name, ": \t\r\n"));
    demand(!strpbrk(value, "\r\n"));
    return 1;
}

static void check(const upool_answer *answer, apr_time_t created, apr_pool_t *p)
{
    upool_answer again;
    apr_time_t then = -1;
    apr_size_t len;
    char *text;

    demand(answer->status >= 200 && answer->status <= 599 && answer->final);
    demand(answer->answered >= 0 && created >= 0);
    demand(answer->len <= UPOOL_ANSWER_BODY_MAX);
    demand(answer->body || !answer->len);
    apr_table_do(check_header, NULL, answer->headers, NULL);
    if (upool_answer_encode(&text, &len, answer, created, p)) {
        /* More headers than are ever written. */
        return;
    }
    demand(!upool_answer_decode(&again, &then, text, len, p));
    demand(then == created && again.status == answer->status
           && again.len == answer->len
           && !memcmp(again.body ? again.body : "",
                      answer->body ? answer->body : "", answer->len));
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int ready;
    upool_answer answer;
    apr_time_t created;
    apr_pool_t *p;

    if (!ready) {
        apr_initialize();
        ready = 1;
    }
    apr_pool_create(&p, NULL);
    if (!upool_answer_decode(&answer, &created, (const char *)data, size, p)) {
        check(&answer, created, p);
    }
    apr_pool_destroy(p);
    return 0;
}
