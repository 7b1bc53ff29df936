/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Names made of hashes: the same for the same, another for anything else. */
#include "upload/hashname.h"

#include <apr_general.h>

#include "tap.h"

static apr_pool_t *p;

static const char *name_of(const char *a, const char *b, int count)
{
    static char names[2][UPOOL_HASHNAME_LEN + 1];
    static int turn;
    upool_hashname_part parts[2];

    turn = !turn;
    parts[0].bytes = a;
    parts[0].len = strlen(a);
    parts[1].bytes = b;
    parts[1].len = strlen(b);
    tap_is_int(upool_hashname_make(names[turn], parts, count, p), 0,
               "a name of '%s' and '%s'", a, b);
    return names[turn];
}

static void differ(const char *a, const char *b, const char *c, const char *d)
{
    const char *one = name_of(a, b, 2);

    tap_ok(strcmp(one, name_of(c, d, 2)) != 0, "is another");
}

int main(void)
{
    const char *one;
    upool_hashname_part nul = { "a\0b", 3 };
    char name[UPOOL_HASHNAME_LEN + 1];

    apr_initialize();
    apr_pool_create(&p, NULL);
    one = name_of("a", "b", 2);
    tap_is_int((int)strlen(one), UPOOL_HASHNAME_LEN, "its length");
    tap_is_int((int)strspn(one, "0123456789abcdef"), UPOOL_HASHNAME_LEN,
               "its letters");
    tap_is_str(name_of("a", "b", 2), one, "the same for the same");
    differ("a", "b", "b", "a");
    differ("ab", "", "a", "b");
    differ("a", "b", "a", "");
    differ("1:a", "", "", "1:a");
    one = name_of("a", "", 2);
    tap_ok(strcmp(one, name_of("a", "", 1)) != 0, "nothing is a part, too");
    one = name_of("a", "", 1);
    tap_is_int(upool_hashname_make(name, &nul, 1, p), 0, "of bytes with NUL");
    tap_ok(strcmp(one, name) != 0, "all of them count");
    /* printf '1:a' | sha256sum */
    tap_is_str(
        one, "4162fddd39a3e4225e8e2392eced237fbeb34e6e218b5647d27bd4d2b9c0da24",
        "as anybody can work it out");
    apr_pool_destroy(p);
    apr_terminate();
    return tap_done();
}
