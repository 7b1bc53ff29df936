/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Bodies of fields alone: the same fields from a form, a query and JSON. */
#include "upload/fieldbody.h"

#include <stdlib.h>
#include <apr_general.h>
#include <apr_strings.h>

#include "tap.h"

#define FORM UPOOL_FIELDBODY_FORM
#define QUERY UPOOL_FIELDBODY_QUERY
#define JSON UPOOL_FIELDBODY_JSON

static upool_limits limits = UPOOL_LIMITS_DEFAULT;

static upool_reason read_body(upool_fieldbody_kind kind, const char *text,
                              apr_size_t len, apr_size_t step,
                              const apr_array_header_t **fields, apr_pool_t *p)
{
    upool_fieldbody *body = upool_fieldbody_make(kind, "b", 1, &limits, p);
    upool_sink sink = upool_fieldbody_sink(body);
    apr_size_t at;

    *fields = upool_fieldbody_fields(body);
    for (at = 0; at < len; at += step) {
        if (upool_sink_feed(&sink, text + at, len - at < step ? len - at : step)
            || upool_sink_flush(&sink)) {
            return upool_sink_refusal(&sink)->reason;
        }
    }
    tap_is_int((int)upool_sink_received(&sink), (int)len, "all is counted");
    return upool_sink_finish(&sink) ? upool_sink_refusal(&sink)->reason
                                    : UPOOL_REASON_NONE;
}

/* "name=value," for every field; NUL as "0". */
static const char *told(const apr_array_header_t *fields, apr_pool_t *p)
{
    const char *text = "";
    int i;

    for (i = 0; i < fields->nelts; i++) {
        const upool_field *field = &APR_ARRAY_IDX(fields, i, upool_field);
        char *value = apr_pstrmemdup(p, field->value, field->len);
        apr_size_t n;

        for (n = 0; n < field->len; n++) {
            value[n] = value[n] ? value[n] : '0';
        }
        text = apr_pstrcat(p, text, field->name, "=", value, ",", NULL);
    }
    return text;
}

static const struct {
    upool_fieldbody_kind kind;
    const char *text;
    const char *told;
} good[] = {
    { QUERY, "", "" },
    { QUERY, "upload_id=x&md5=y", "upload_id=x,md5=y," },
    { QUERY, "&&a=1&&b=2&", "a=1,b=2," },
    { QUERY, "a", "a=," },
    { QUERY, "a=", "a=," },
    { QUERY, "=a", "=a," },
    { QUERY, "a=b=c", "a=b=c," },
    { QUERY, "a+b=c+d%2B&e%3D=%26", "a b=c d+,e==&," },
    { QUERY, "a=1&a=2", "a=1,a=2," },
    { QUERY, "a=x%00y", "a=x0y," },
    { QUERY, "%e4=1", "\xef\xbf\xbd=1," },
    { QUERY, "%C3%A4=%C3%B6", "\xc3\xa4=\xc3\xb6," },
    { JSON, "{}", "" },
    { JSON, " {\"upload_id\": \"x\", \"md5\": \"y\"}\n", "upload_id=x,md5=y," },
    { JSON, "{\"a\":1,\"b\":null,\"c\":[1, {}],\"d\":true}",
      "a=1,b=null,c=[1,{}],d=true," },
    { JSON, "{\"\":\"\\u00e4\"}", "=\xc3\xa4," },
    { FORM, "--b--\r\n", "" },
    { FORM,
      "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n"
      "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"\r\n"
      "\r\nno field\r\n"
      "--b\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\n\r\n--b--\r\n",
      "a=1,b=," },
};

static const struct {
    upool_fieldbody_kind kind;
    const char *text;
    upool_reason reason;
} bad[] = {
    { QUERY, "a=%", UPOOL_REASON_FIELDS },
    { QUERY, "a=1&b%zz=2", UPOOL_REASON_FIELDS },
    { QUERY, "a%00=1", UPOOL_REASON_FIELDS },
    { JSON, "", UPOOL_REASON_FIELDS },
    { JSON, "[]", UPOOL_REASON_FIELDS },
    { JSON, "\"a\"", UPOOL_REASON_FIELDS },
    { JSON, "{\"a\":1", UPOOL_REASON_FIELDS },
    { JSON, "{\"a\":1}}", UPOOL_REASON_FIELDS },
    { JSON, "{\"a\":1,\"a\":2}", UPOOL_REASON_FIELDS },
    { JSON, "{\"a\":\"\xff\"}", UPOOL_REASON_FIELDS },
    { JSON, "{\"a\\u0000b\":1}", UPOOL_REASON_FIELDS },
    { FORM, "", UPOOL_REASON_NO_DELIMITER },
    { FORM, "--b\r\nX: y\r\n\r\n", UPOOL_REASON_HEADER },
    { FORM, "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1",
      UPOOL_REASON_TRUNCATED },
};

static void test_limits(apr_pool_t *p)
{
    const apr_array_header_t *fields;

    limits.field = 10;
    tap_is_int(read_body(QUERY, "a=12345678", 10, 3, &fields, p), 0,
               "as long as a field may be");
    tap_is_int(read_body(QUERY, "a=123456789", 11, 3, &fields, p),
               UPOOL_REASON_FIELD_TOO_LARGE, "longer");
    tap_is_int(read_body(JSON, "{\"a\":\"567\"}", 11, 3, &fields, p),
               UPOOL_REASON_FIELD_TOO_LARGE, "JSON too");
    limits.field = 100;
    limits.fields = 20;
    tap_is_int(read_body(QUERY, "a=1234567890123456789", 21, 3, &fields, p),
               UPOOL_REASON_FIELDS_TOO_LARGE, "longer than all fields");
    tap_is_int(read_body(QUERY, "a=123456789012345678", 20, 3, &fields, p), 0,
               "as long as they may be");
}

static void test_refused(apr_pool_t *p)
{
    upool_fieldbody *body = upool_fieldbody_make(QUERY, "", 0, &limits, p);
    upool_sink sink = upool_fieldbody_sink(body);

    upool_sink_feed(&sink, "a=1", 3);
    tap_is_int(upool_sink_is_unwanted(&sink), 0, "wanted");
    upool_sink_refuse(&sink, UPOOL_REASON_GONE, APR_EOF, NULL);
    upool_sink_refuse(&sink, UPOOL_REASON_TIMEOUT, 0, NULL);
    tap_is_int(upool_sink_is_unwanted(&sink), 1, "its client goes");
    tap_is_int(upool_sink_refusal(&sink)->reason, UPOOL_REASON_GONE,
               "the first reason stands");
    tap_is_int(upool_sink_feed(&sink, "&", 1), 1, "nothing more is taken");
    tap_is_int(upool_sink_finish(&sink), 1, "nor finished");
    tap_is_int(upool_fieldbody_fields(body)->nelts, 0, "there are no fields");
}

int main(void)
{
    const apr_array_header_t *fields;
    apr_pool_t *p;
    apr_size_t i, step;

    apr_initialize();
    apr_pool_create(&p, NULL);
    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        for (step = 1; step < 1000; step *= 30) {
            tap_is_int(read_body(good[i].kind, good[i].text,
                                 strlen(good[i].text), step, &fields, p),
                       0, "'%s'", good[i].text);
            tap_is_str(told(fields, p), good[i].told, "its fields");
        }
    }
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        tap_is_int(read_body(bad[i].kind, bad[i].text, strlen(bad[i].text), 4,
                             &fields, p),
                   (int)bad[i].reason, "refused: '%s'", bad[i].text);
    }
    read_body(QUERY, "a=1&b=2&b=3&c=%00", 17, 4, &fields, p);
    tap_is_str(upool_fieldbody_value(fields, "a"), "1", "one value");
    tap_is_str(upool_fieldbody_value(fields, "b"), NULL, "two are none");
    tap_is_str(upool_fieldbody_value(fields, "c"), NULL, "nor is a NUL one");
    tap_is_str(upool_fieldbody_value(fields, "d"), NULL, "nor nothing");
    test_limits(p);
    test_refused(p);
    apr_pool_destroy(p);
    apr_terminate();
    return tap_done();
}
