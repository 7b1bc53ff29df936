/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "upload/facts.h"

#include <string.h>
#include <apr_cstr.h>
#include <apr_strings.h>

/* The escapes; those behind DIGEST are named after algorithms. */
typedef enum fact {
    FACT_FIELD,
    FACT_STEM,
    FACT_BRACKETS,
    FACT_FILENAME,
    FACT_SAFE_FILENAME,
    FACT_CONTENT_TYPE,
    FACT_CHARSET,
    FACT_SIZE,
    FACT_NUMBER,
    FACT_IDENTIFIER,
    FACT_PATH,
    FACT_CONTENT,
    FACT_LOCATION,
    FACT_PERCENT, /* %% */
    FACT_DIGEST,
    FACT_NONE
} fact;

static const char *const words[] = {
    [FACT_FIELD] = "field",
    [FACT_STEM] = "stem",
    [FACT_BRACKETS] = "brackets",
    [FACT_FILENAME] = "filename",
    [FACT_SAFE_FILENAME] = "safe-filename",
    [FACT_CONTENT_TYPE] = "content-type",
    [FACT_CHARSET] = "charset",
    [FACT_SIZE] = "size",
    [FACT_NUMBER] = "number",
    [FACT_IDENTIFIER] = "identifier",
    [FACT_PATH] = "path",
    [FACT_CONTENT] = "content",
    [FACT_LOCATION] = "location",
};
static const char *const algorithms[] = { "md5", "sha-1", "sha-256", "sha-512",
                                          "crc32" };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int is_word(const char *text, apr_size_t len, const char *word)
{
    return strlen(word) == len && !apr_cstr_casecmpn(text, word, len);
}

static fact known(const char *word, apr_size_t len, const char **algorithm)
{
    apr_size_t i;

    for (i = 0; i < COUNT(words); i++) {
        if (is_word(word, len, words[i])) {
            return (fact)i;
        }
    }
    for (i = 0; i < COUNT(algorithms); i++) {
        if (is_word(word, len, algorithms[i])) {
            *algorithm = algorithms[i];
            return FACT_DIGEST;
        }
    }
    return FACT_NONE;
}

/* Reads the item at *at, which moves behind it: an escape, or for NONE a run of
 * plain text, or with *end NULL an invalid escape. */
static fact next(const char **at, const char **end, const char **algorithm)
{
    const char *from = *at;
    const char *close;
    fact what;

    if (*from != '%') {
        *end = *at = from + strcspn(from, "%");
        return FACT_NONE;
    }
    if (from[1] == '%') {
        *end = *at = from + 2;
        return FACT_PERCENT;
    }
    close = from[1] == '{' ? strchr(from, '}') : NULL;
    what = close ? known(from + 2, (apr_size_t)(close - from - 2), algorithm)
                 : FACT_NONE;
    *end = *at = what == FACT_NONE ? NULL : close + 1;
    return what;
}

const char *upool_facts_check(const char *format, apr_pool_t *p)
{
    const char *algorithm;
    const char *from = format;
    const char *end;

    while (*format) {
        from = format;
        next(&format, &end, &algorithm);
        if (!end) {
            return apr_psprintf(
                p,
                "has \"%.40s\", which is no escape; there are %%{field}"
                " %%{stem} %%{brackets} %%{filename} %%{safe-filename}"
                " %%{content-type} %%{charset} %%{size} %%{number}"
                " %%{identifier} %%{path} %%{content} %%{location} %%{md5}"
                " %%{sha-1} %%{sha-256} %%{sha-512} %%{crc32} and %%%%",
                from);
        }
    }
    return *from ? NULL : "is empty";
}

/* --- Text ----------------------------------------------------------------- */

static const char *digest_of(const upool_file *file, const char *algorithm)
{
    int i;

    for (i = 0; i < file->digests->nelts; i++) {
        const upool_digest *d = &APR_ARRAY_IDX(file->digests, i, upool_digest);

        if (!strcmp(d->algorithm, algorithm)) {
            return d->hex;
        }
    }
    return NULL;
}

/* NULL: there is nothing to say. */
static const char *value_of(const upool_facts_of *of, fact what,
                            const char *algorithm, apr_pool_t *p)
{
    const upool_file *file = of->file;
    apr_size_t stem = strcspn(file->field, "[");

    switch (what) {
    case FACT_FIELD:
        return file->field;
    case FACT_STEM:
        return apr_pstrmemdup(p, file->field, stem);
    case FACT_BRACKETS:
        return file->field + stem;
    case FACT_FILENAME:
        return file->filename;
    case FACT_SAFE_FILENAME:
        return file->safe_filename;
    case FACT_CONTENT_TYPE:
        return file->content_type;
    case FACT_CHARSET:
        return file->charset;
    case FACT_SIZE:
        return apr_off_t_toa(p, file->size);
    case FACT_NUMBER:
        return apr_itoa(p, of->number);
    case FACT_IDENTIFIER:
        return of->identifier;
    case FACT_PATH:
        return file->stored
                   ? apr_pstrcat(p, of->bucket, "/", file->stored, NULL)
                   : NULL;
    case FACT_LOCATION:
        return file->location;
    case FACT_PERCENT:
        return "%";
    case FACT_DIGEST:
        return digest_of(file, algorithm);
    case FACT_CONTENT: /* bytes, no text: append() */
    case FACT_NONE:
        break;
    }
    return NULL;
}

static void append(char **text, apr_size_t *len, const char *more,
                   apr_size_t more_len, apr_pool_t *p)
{
    char *grown = apr_palloc(p, *len + more_len + 1);

    memcpy(grown, *text, *len);
    memcpy(grown + *len, more, more_len);
    *len += more_len;
    grown[*len] = '\0';
    *text = grown;
}

const char *upool_facts_text(const char *format, const upool_facts_of *of,
                             apr_size_t *len, apr_pool_t *p)
{
    char *text = apr_pstrdup(p, "");
    const char *algorithm = NULL;
    const char *value;
    const char *end = format;

    *len = 0;
    while (end && *format) {
        const char *from = format;
        fact what = next(&format, &end, &algorithm);

        if (what == FACT_NONE) {
            append(&text, len, from, end ? (apr_size_t)(end - from) : 0, p);
        }
        else if (what == FACT_CONTENT) {
            append(&text, len, of->file->content ? of->file->content : "",
                   of->file->content ? (apr_size_t)of->file->size : 0, p);
        }
        else {
            value = value_of(of, what, algorithm, p);
            append(&text, len, value ? value : "", value ? strlen(value) : 0,
                   p);
        }
    }
    return text;
}

/* --- The usual pairs ------------------------------------------------------ */

static const upool_facts_pair usual[] = {
    { "%{stem}_name%{brackets}", "%{filename}" },
    { "%{stem}_type%{brackets}", "%{content-type}" },
    { "%{stem}_size%{brackets}", "%{size}" },
};
static const upool_facts_pair usual_path = { "%{stem}_path%{brackets}",
                                             "%{path}" };
static const upool_facts_pair usual_content = { "%{stem}_content%{brackets}",
                                                "%{content}" };
static const upool_facts_pair usual_location = { "%{stem}_location%{brackets}",
                                                 "%{location}" };

const apr_array_header_t *upool_facts_default(const upool_file *file,
                                              apr_pool_t *p)
{
    apr_array_header_t *pairs =
        apr_array_make(p, (int)COUNT(usual) + 1 + file->digests->nelts,
                       sizeof(upool_facts_pair));
    apr_size_t i;
    int n;

    for (i = 0; i < COUNT(usual); i++) {
        APR_ARRAY_PUSH(pairs, upool_facts_pair) = usual[i];
    }
    APR_ARRAY_PUSH(pairs, upool_facts_pair) = file->stored    ? usual_path
                                              : file->content ? usual_content
                                                              : usual_location;
    for (n = 0; n < file->digests->nelts; n++) {
        const char *name =
            APR_ARRAY_IDX(file->digests, n, upool_digest).algorithm;
        upool_facts_pair *pair = apr_array_push(pairs);

        pair->name = apr_pstrcat(p, "%{stem}_", name, "%{brackets}", NULL);
        pair->value = apr_pstrcat(p, "%{", name, "}", NULL);
    }
    return pairs;
}

/* --- What clients must not say -------------------------------------------- */

static int tells_where(const char *value)
{
    const char *algorithm;
    const char *end;

    while (*value) {
        fact what = next(&value, &end, &algorithm);

        if (what == FACT_PATH || what == FACT_CONTENT
            || what == FACT_LOCATION) {
            return 1;
        }
        if (!end) {
            return 0;
        }
    }
    return 0;
}

/* PHP writes "_" for these in the names of variables. */
static char canonical(char c)
{
    return (char)(c == '.' || c == ' ' || c == '[' ? '_' : c);
}

/* Can format give name?  An escape stands for any text, %{brackets} only for
 * text that begins like brackets.  Backs up once for each escape at most: the
 * shortest match of an earlier one never spoils a later one. */
static int can_give(const char *format, const char *name)
{
    const char *retry_format = NULL;
    const char *retry_name = NULL;

    for (;;) {
        const char *algorithm;
        const char *at = format;
        const char *end;
        fact what = next(&at, &end, &algorithm);
        char plain = what == FACT_PERCENT ? '%' : *format;

        /* PHP makes a list of a name with brackets behind it. */
        if (!*format && (!*name || *name == '[')) {
            return 1;
        }
        if (*format && what != FACT_NONE && what != FACT_PERCENT) {
            if (what == FACT_BRACKETS && !*at
                && (!*name || canonical(*name) == '_')) {
                return 1;
            }
            if (what != FACT_BRACKETS) {
                retry_format = at;
                retry_name = name;
            }
            format = at;
        }
        else if (*format && *name && canonical(plain) == canonical(*name)) {
            format += what == FACT_PERCENT ? 2 : 1;
            name++;
        }
        else if (retry_format && *retry_name) {
            format = retry_format;
            name = ++retry_name;
        }
        else {
            return 0;
        }
    }
}

static int is_given(const upool_facts_pair *pair, const char *field)
{
    return tells_where(pair->value) && can_give(pair->name, field);
}

int upool_facts_is_forged(const char *field, const apr_array_header_t *pairs)
{
    int i;

    while (*field == ' ') { /* PHP does not see them */
        field++;
    }
    if (!pairs || !pairs->nelts) {
        return is_given(&usual_path, field) || is_given(&usual_content, field)
               || is_given(&usual_location, field);
    }
    for (i = 0; i < pairs->nelts; i++) {
        if (is_given(&APR_ARRAY_IDX(pairs, i, upool_facts_pair), field)) {
            return 1;
        }
    }
    return 0;
}
