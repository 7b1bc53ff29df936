/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <apr_general.h>
#include <apr_getopt.h>
#include <apr_strings.h>

#include "parse/quantity.h"
#include "tool/text.h"
#include "tool/output.h"
#include "tool/tool.h"

#define VERSION "1.0.0-dev"
#define COUNT_MAX 10000

/* Options that have no letter. */
enum { OPTION_ROUNDS = 256 };

/* Room for each option's letter once. */
#define LETTERS_MAX 16

typedef struct command {
    const char *name;
    const char *options; /* letters of it; r: --rounds */
    int least;           /* arguments after the pool */
    int most;            /* -1: any number */
    int has_pool;
    upool_tool_command *run;
} command;

static const command COMMANDS[] = {
    { "list", "pjus", 0, 0, 1, upool_tool_list },
    { "status", "pju", 1, 1, 1, upool_tool_status },
    { "check", "pju", 0, -1, 1, upool_tool_check },
    { "stat", "pju", 0, 0, 1, upool_tool_stat },
    { "watch", "pjuir", 0, 0, 1, upool_tool_watch },
    { "clear", "pjun", 1, -1, 1, upool_tool_clear },
    { "clean", "pjuen", 0, 0, 1, upool_tool_clean },
    { "mint", "jkc", 0, 0, 0, upool_tool_mint },
    { "verify", "jk", 1, 1, 0, upool_tool_verify },
};

static const char USAGE[] =
    "upload-pool COMMAND [--pool] DIRECTORY [ARGUMENTS] [OPTIONS]\n"
    "Looks after a pool of mod_upload_pool.\n"
    "\n"
    "  list            every upload: state, size, last activity, name\n"
    "  status ID       one upload and its files\n"
    "  check [ID ...]  is every bucket whole, does every digest agree\n"
    "  stat            numbers of the whole pool, and its quota ledger\n"
    "  watch           bars of the uploads under way\n"
    "  clear ID ...    delete uploads, also while they are under way\n"
    "  clean           remove what has expired, as the server does\n"
    "  mint            fresh identifiers (without a pool)\n"
    "  verify ID[:SIG] is an identifier signed with the key (without a pool)\n"
    "\n"
    "  -p, --pool DIRECTORY  the pool; or the first argument with a slash\n"
    "  -j, --json            one JSON object (watch: one a line)\n"
    "  -k, --key-file FILE   keys, as UploadKeyFile; - is standard input\n"
    "  -e, --expires TIME    clean: untouched for so long (1d), as"
    " UploadExpires\n"
    "  -n, --dry-run         clean, clear: only tell; touch nothing\n"
    "  -u, --user NAME       as root: become NAME, not the pool's owner\n"
    "  -s, --state STATE     list: only uploading, done or error\n"
    "  -c, --count NUMBER    mint: how many (1)\n"
    "  -i, --interval TIME   watch: between two looks (1s)\n"
    "      --rounds NUMBER   watch: looks, then end\n"
    "  -h, --help            this text\n"
    "  -V, --version         the version\n"
    "\n"
    "Ends with 0 when all is well, 1 when something is wrong or not there,\n"
    "2 when it was called wrongly, 3 when it cannot do what was asked.\n";

static const apr_getopt_option_t OPTIONS[] = {
    { "pool", 'p', 1, NULL },     { "json", 'j', 0, NULL },
    { "user", 'u', 1, NULL },     { "key-file", 'k', 1, NULL },
    { "expires", 'e', 1, NULL },  { "dry-run", 'n', 0, NULL },
    { "state", 's', 1, NULL },    { "count", 'c', 1, NULL },
    { "interval", 'i', 1, NULL }, { "rounds", OPTION_ROUNDS, 1, NULL },
    { "help", 'h', 0, NULL },     { "version", 'V', 0, NULL },
    { NULL, 0, 0, NULL },
};

static int read_number(const char *text, int *number)
{
    long long n;

    if (upool_quantity_decimal(text, &n) || n < 1 || n > COUNT_MAX) {
        return 0;
    }
    *number = (int)n;
    return 1;
}

static int is_state(const char *text)
{
    return strcmp(text, "uploading") == 0 || strcmp(text, "done") == 0
           || strcmp(text, "error") == 0;
}

/* Takes one option.  NULL, or what its value has to be. */
static const char *take_value(upool_tool *tool, int letter, const char *value)
{
    switch (letter) {
    case 'p':
        tool->dir = value;
        return *value ? NULL : "a directory";
    case 'j':
        tool->json = 1;
        return NULL;
    case 'u':
        tool->user = value;
        return NULL;
    case 'k':
        tool->keyfile = value;
        return NULL;
    case 'n':
        tool->dry = 1;
        return NULL;
    case 's':
        tool->state = value;
        return is_state(value) ? NULL : "uploading, done or error";
    case 'e':
        return upool_text_read_time(value, &tool->expires)
                   ? NULL
                   : "a time above 0 with s, min, h or d";
    case 'i':
        return upool_text_read_time(value, &tool->interval)
                   ? NULL
                   : "a time above 0 with s, min, h or d";
    case 'c':
        return read_number(value, &tool->count) ? NULL : "1 to 10000";
    default:
        return read_number(value, &tool->rounds) ? NULL : "1 to 10000";
    }
}

static upool_exit misuse(const char *text, const char *what)
{
    upool_tool_complain("%s%s; see " UPOOL_TOOL_NAME " --help", text, what);
    return UPOOL_EXIT_USAGE;
}

static const char *option_name(int letter)
{
    const apr_getopt_option_t *o = OPTIONS;

    while (o->name && o->optch != letter) {
        o++;
    }
    return o->name ? o->name : "?";
}

static void remember(char letters[LETTERS_MAX], char letter)
{
    apr_size_t len = strlen(letters);

    if (!strchr(letters, letter) && len + 1 < LETTERS_MAX) {
        letters[len] = letter;
        letters[len + 1] = '\0';
    }
}

/* Reads the options; letters gets those that were given.  -1: go on. */
static int read_options(upool_tool *tool, apr_getopt_t *got,
                        char letters[LETTERS_MAX])
{
    const char *value;
    apr_status_t rv;
    int letter;

    while ((rv = apr_getopt_long(got, OPTIONS, &letter, &value))
           == APR_SUCCESS) {
        const char *wanted;

        if (letter == 'h') {
            fputs(USAGE, stdout);
            return UPOOL_EXIT_GOOD;
        }
        if (letter == 'V') {
            puts(UPOOL_TOOL_NAME " " VERSION);
            return UPOOL_EXIT_GOOD;
        }
        wanted = take_value(tool, letter, value);
        if (wanted) {
            return (int)misuse(apr_pstrcat(tool->p, "--", option_name(letter),
                                           " takes ", NULL),
                               wanted);
        }
        remember(letters, letter == OPTION_ROUNDS ? 'r' : (char)letter);
    }
    if (APR_STATUS_IS_EOF(rv)) {
        return -1;
    }
    return (int)misuse("an option is not known, or has no value", "");
}

static const command *find_command(const char *name)
{
    apr_size_t i;

    for (i = 0; i < sizeof(COMMANDS) / sizeof(*COMMANDS); i++) {
        if (strcmp(name, COMMANDS[i].name) == 0) {
            return &COMMANDS[i];
        }
    }
    return NULL;
}

/* The pool is the first argument with a slash: no identifier has one. */
static void take_pool(upool_tool *tool)
{
    const char **kept;
    int n = 0;
    int i;

    if (tool->dir) {
        return;
    }
    kept = apr_palloc(tool->p, (apr_size_t)(tool->nargs + 1) * sizeof(*kept));
    for (i = 0; i < tool->nargs; i++) {
        if (!tool->dir && strchr(tool->args[i], '/')) {
            tool->dir = tool->args[i];
        }
        else {
            kept[n++] = tool->args[i];
        }
    }
    tool->args = kept;
    tool->nargs = n;
}

static upool_exit judge(upool_tool *tool, const command *c, const char *letters)
{
    apr_size_t known = strspn(letters, c->options);

    if (letters[known]) {
        return misuse(apr_pstrcat(tool->p, c->name, " has no option --", NULL),
                      option_name(letters[known] == 'r' ? OPTION_ROUNDS
                                                        : letters[known]));
    }
    if (c->has_pool) {
        take_pool(tool);
        if (!tool->dir) {
            return misuse("which pool?", "");
        }
    }
    if (tool->nargs < c->least) {
        return misuse(c->name, " needs an identifier");
    }
    if (c->most >= 0 && tool->nargs > c->most) {
        return misuse(c->name, " has too many arguments");
    }
    return UPOOL_EXIT_GOOD;
}

static upool_exit run(upool_tool *tool, int argc, const char *const *argv)
{
    char letters[LETTERS_MAX] = "";
    const command *c;
    apr_getopt_t *got;
    upool_exit ends;
    int rc;

    if (apr_getopt_init(&got, tool->p, argc, argv)) {
        return UPOOL_EXIT_CANNOT;
    }
    got->interleave = 1;
    rc = read_options(tool, got, letters);
    if (rc >= 0) {
        return (upool_exit)rc;
    }
    if (got->ind >= argc) {
        return misuse("which command?", "");
    }
    c = find_command(got->argv[got->ind]);
    if (!c) {
        return misuse("there is no command ",
                      upool_text_shown(got->argv[got->ind], tool->p));
    }
    tool->args = got->argv + got->ind + 1;
    tool->nargs = argc - got->ind - 1;
    ends = judge(tool, c, letters);
    /* Perhaps only root can read the keys, so they are read before the tool
     * becomes the pool's owner. */
    ends = !ends && tool->keyfile ? upool_tool_read_keys(tool) : ends;
    ends = !ends && c->has_pool ? upool_tool_open(tool) : ends;
    return ends ? ends : c->run(tool);
}

int main(int argc, const char *const *argv, const char *const *env)
{
    upool_tool tool;
    upool_exit ends;

    if (apr_app_initialize(&argc, &argv, &env)) {
        return UPOOL_EXIT_CANNOT;
    }
    atexit(apr_terminate);
    setlocale(LC_CTYPE, "");
    umask(S_IRWXG | S_IRWXO);
    memset(&tool, 0, sizeof(tool));
    apr_pool_create(&tool.p, NULL);
    tool.expires = apr_time_from_sec(86400);
    tool.interval = apr_time_from_sec(1);
    tool.count = 1;
    ends = run(&tool, argc, argv);
    if (fflush(stdout) || ferror(stdout)) {
        upool_tool_complain("the answer cannot be written");
        ends = UPOOL_EXIT_CANNOT;
    }
    return (int)ends;
}
