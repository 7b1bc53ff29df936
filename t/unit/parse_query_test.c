/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* One parameter out of a query string. */
#include "parse/query.h"
#include "tap.h"

#define ABSENT UPOOL_QUERY_ABSENT
#define ONCE UPOOL_QUERY_ONCE
#define DOUBLED UPOOL_QUERY_DOUBLED
#define BAD UPOOL_QUERY_BAD

static const struct {
    const char *query;
    upool_query_found found;
    const char *value;
} cases[] = {
    { NULL, ABSENT, NULL },
    { "", ABSENT, NULL },
    { "&", ABSENT, NULL },
    { "a=b", ABSENT, NULL },
    { "X-ID", ONCE, "" },
    { "X-ID=", ONCE, "" },
    { "X-ID=1", ONCE, "1" },
    { "X-ID=1&a=2", ONCE, "1" },
    { "a=2&X-ID=1", ONCE, "1" },
    { "a&&X-ID=1&&", ONCE, "1" },
    { "X-ID=a=b=c", ONCE, "a=b=c" },
    { "X-ID=a%3Ab", ONCE, "a:b" },
    { "X-ID=a%3ab", ONCE, "a:b" },
    { "X-ID=a+b%20c%2B", ONCE, "a b c+" },
    { "X-ID=%26%3D%25", ONCE, "&=%" },
    { "X%2DID=1", ONCE, "1" },
    { "%58-%49%44=1", ONCE, "1" },
    { "X-ID=1;X-ID=2", ONCE, "1;X-ID=2" },
    { "X-ID=1#x", ONCE, "1#x" },
    { "x-id=1", ABSENT, NULL },
    { "X-IDs=1", ABSENT, NULL },
    { "X-I=1", ABSENT, NULL },
    { "aX-ID=1", ABSENT, NULL },
    { "+X-ID=1", ABSENT, NULL },
    { "X-ID+=1", ABSENT, NULL },
    { "X-ID%=1", ABSENT, NULL },
    { "X%2-ID=1", ABSENT, NULL },
    { "=X-ID", ABSENT, NULL },
    { "X-ID[]=1", ABSENT, NULL },
    { "X-ID=1&X-ID=1", DOUBLED, NULL },
    { "X-ID=1&X-ID=2", DOUBLED, NULL },
    { "X-ID&X-ID=2", DOUBLED, NULL },
    { "X-ID=1&X%2dID=2", DOUBLED, NULL },
    { "X-ID=1&a=3&X%2dID", DOUBLED, NULL },
    { "X-ID=%", BAD, NULL },
    { "X-ID=%2", BAD, NULL },
    { "X-ID=%2&a", BAD, NULL },
    { "X-ID=%zz", BAD, NULL },
    { "X-ID=%u0041", BAD, NULL },
    { "X-ID=a%00", BAD, NULL },
    { "X-ID%00=1", BAD, NULL },
    { "X-ID%00x=1", BAD, NULL },
    { "X%00-ID=1", ABSENT, NULL },
    { "X-ID=1&X-ID%00=2", BAD, NULL },
    { "X-ID=1234567890123456789", ONCE, "1234567890123456789" },
    { "X-ID=12345678901234567890", BAD, NULL },
    { "X-ID=%31%32%33%34%35%36%37%38%39%30%31%32%33%34%35%36%37%38%39", ONCE,
      "1234567890123456789" },
};

static void test_pairs(void)
{
    char text[] = "a=1&&b+%62=%3d%00x&c&=d&%=1&e=2";
    char *at = text;
    char *end = text + strlen(text);
    upool_query_pair pair;

    tap_is_int(upool_query_take(&at, end, &pair), 1, "a pair");
    tap_is_str(pair.name, "a", "its name");
    tap_is_str(pair.value, "1", "its value");
    tap_is_int(upool_query_take(&at, end, &pair), 1, "nothing is no pair");
    tap_is_str(pair.name, "b b", "a name is decoded");
    tap_ok(pair.value_len == 3 && memcmp(pair.value, "=\0x", 4) == 0,
           "and a value, NUL and all");
    tap_is_int(upool_query_take(&at, end, &pair), 1, "a name alone");
    tap_ok(strcmp(pair.name, "c") == 0 && pair.value_len == 0
               && pair.value[0] == '\0',
           "has an empty value");
    tap_is_int(upool_query_take(&at, end, &pair), 1, "no name");
    tap_ok(pair.name[0] == '\0' && strcmp(pair.value, "d") == 0,
           "is an empty one");
    tap_is_int(upool_query_take(&at, end, &pair), -1, "a broken %%");
    at = end;
    tap_is_int(upool_query_take(&at, end, &pair), 0, "the end");
}

int main(void)
{
    char out[20];
    char guard[3] = { 'x', 'x', 'x' };
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *query = cases[i].query;
        upool_query_found found =
            upool_query_find(query, "X-ID", out, sizeof(out));

        tap_is_int(found, cases[i].found, "%s", query ? query : "no query");
        if (cases[i].value != NULL && found == ONCE) {
            tap_is_str(out, cases[i].value, "its value");
        }
    }
    tap_is_int(upool_query_find("a=bc", "a", guard, 2), BAD, "no room");
    tap_ok(guard[2] == 'x', "nothing is written behind the room");
    tap_is_int(upool_query_find("a=b", "a", guard, 2), ONCE, "just room");
    tap_is_str(guard, "b", "just the value");
    tap_is_int(upool_query_find("a", "a", guard, 1), ONCE, "room for none");
    tap_is_int(upool_query_find("a", "a", guard, 0), BAD, "no room at all");
    tap_is_int(upool_query_find("clear&x=1", "clear", out, sizeof(out)), ONCE,
               "a flag");
    test_pairs();
    return tap_done();
}
