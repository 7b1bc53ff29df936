/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* Who runs the application, and what is kept of its answer. */
#include "store/run.h"
#include "store_kit.h"

#include <utime.h>

static kit k;

/* A complete upload of no files. */
static upool_record *complete(const char *id)
{
    upool_record *record = upool_record_make(k.p, id);
    upool_bucket *bucket;
    upool_record *previous;
    const char *why;

    record->state = UPOOL_STATE_DONE;
    record->created = apr_time_now();
    record->updated = record->created;
    record->size = 0;
    if (upool_bucket_begin(&bucket, k.store, id, 0, k.p, &previous, &why)
        || upool_bucket_commit(bucket, record)) {
        kit_die("no bucket");
    }
    upool_bucket_end(bucket);
    return record;
}

static upool_answer answer_of(int status, int final, const char *body)
{
    upool_answer answer = { 0, 0, 0, NULL, NULL, 0 };

    answer.status = status;
    answer.final = final;
    answer.answered = apr_time_now();
    answer.headers = apr_table_make(k.p, 2);
    apr_table_set(answer.headers, "Content-Type", "text/plain");
    apr_table_add(answer.headers, "Link", "<a>");
    apr_table_add(answer.headers, "Link", "<b>");
    answer.body = body;
    answer.len = body ? strlen(body) : 0;
    return answer;
}

static apr_status_t take(const upool_record *record, upool_run **run,
                         upool_answer *answer)
{
    upool_answer none = { 0, 0, 0, NULL, NULL, 0 };

    *answer = none;
    return upool_run_take(run, answer, k.store, record, k.p);
}

static apr_status_t look(const upool_record *record, upool_answer *answer)
{
    return upool_run_look(answer, k.store, record, k.p);
}

static void test_once(void)
{
    const upool_record *record = complete("once");
    upool_answer told = answer_of(201, 1, "hello");
    upool_answer found;
    upool_run *run;
    upool_run *second;

    tap_is_int(look(record, &found), APR_SUCCESS, "nobody has asked yet");
    tap_is_int(found.status, 0, "and nothing is known");
    tap_is_int(take(record, &run, &found), APR_SUCCESS, "the first runs it");
    tap_is_int(take(record, &second, &found), APR_EBUSY, "the second waits");
    tap_is_int(look(record, &found), APR_EBUSY, "who looks sees that");
    tap_is_int(upool_run_tell(run, &told), APR_SUCCESS, "it has answered");
    tap_is_int(take(record, &second, &found), APR_EEXIST,
               "which is known before the run ends");
    tap_is_int(found.status, 201, "its status");
    tap_is_int((long)found.len, 5, "as much");
    tap_ok(found.body && !memcmp(found.body, "hello", 5), "its body");
    tap_is_str(apr_table_get(found.headers, "content-type"), "text/plain",
               "its type");
    tap_is_int(apr_table_elts(found.headers)->nelts, 3, "every header");
    upool_run_end(run);
    upool_run_end(run);
    tap_is_int(upool_run_tell(run, &told), APR_EBADF, "a run that is over");
    tap_is_int(take(record, &second, &found), APR_EEXIST, "and after it");
    tap_is_int(look(record, &found), APR_SUCCESS, "who looks");
    tap_ok(found.status == 201 && found.final, "knows too");
}

static void test_again(void)
{
    const upool_record *record = complete("again");
    upool_answer told = answer_of(503, 0, "later");
    upool_answer found;
    upool_run *run;

    take(record, &run, &found);
    tap_is_int(upool_run_tell(run, &told), APR_SUCCESS, "an error");
    tap_is_int(look(record, &found), APR_EBUSY, "while the run lasts");
    tap_is_int(found.status, 503, "its status is known");
    upool_run_end(run);
    tap_ok(!kit_exists(kit_in(&k, "again", "answer.json")), "no body is kept");
    tap_is_int(look(record, &found), APR_SUCCESS, "and after it");
    tap_ok(found.status == 503 && !found.final, "it is no final one");
    tap_is_int(take(record, &run, &found), APR_SUCCESS, "the next one runs");
    upool_run_end(run);
}

static void test_replaced(void)
{
    const upool_record *first = complete("replaced");
    const upool_record *second;
    upool_answer told = answer_of(200, 1, "first");
    upool_answer found;
    upool_run *run;

    take(first, &run, &found);
    upool_run_tell(run, &told);
    upool_run_end(run);
    second = complete("replaced");
    tap_is_int(take(first, &run, &found), APR_ENOENT,
               "an upload that was replaced");
    tap_is_int(take(second, &run, &found), APR_SUCCESS,
               "the new one's application has not run");
    upool_run_end(run);
    tap_is_int(look(second, &found), APR_SUCCESS, "who looks");
    tap_is_int(found.status, 0, "is not told of the old one");
    upool_bucket_remove(k.store, "replaced", k.p);
    tap_is_int(take(second, &run, &found), APR_ENOENT, "cleared");
    tap_is_int(look(second, &found), APR_ENOENT, "and not to be seen");
    tap_ok(!kit_exists(kit_in(&k, "replaced", NULL)), "nothing is left");
}

static void age(const char *path, apr_interval_time_t by)
{
    struct utimbuf times;

    times.actime = (time_t)apr_time_sec(apr_time_now() - by);
    times.modtime = times.actime;
    if (utime(path, &times)) {
        kit_die(path);
    }
}

static void test_short(void)
{
    const upool_record *record = complete("short");
    const char *path = kit_in(&k, "short", "answer.json");
    upool_answer told = answer_of(200, 1, "old");
    upool_answer found;
    upool_run *run;
    int fd = open(kit_in(&k, "short", NULL), O_RDONLY);

    told.answered -= UPOOL_ANSWER_KEPT + apr_time_from_sec(1);
    take(record, &run, &found);
    upool_run_tell(run, &told);
    upool_run_end(run);
    tap_is_int(take(record, &run, &found), APR_EEXIST, "after its time");
    tap_ok(found.status == 200 && !found.body && !found.headers,
           "the status alone is told");
    upool_answer_forget(fd, apr_time_now() - UPOOL_ANSWER_KEPT);
    tap_ok(kit_exists(path), "a young file stays");
    age(path, UPOOL_ANSWER_KEPT + apr_time_from_sec(2));
    upool_answer_forget(fd, apr_time_now() - UPOOL_ANSWER_KEPT);
    tap_ok(!kit_exists(path), "an old one goes");
    upool_answer_forget(fd, apr_time_now());
    tap_is_int(take(record, &run, &found), APR_EEXIST, "it stays final");
    close(fd);
}

static void test_long(void)
{
    const upool_record *record = complete("long");
    char *body = apr_pcalloc(k.p, UPOOL_ANSWER_BODY_MAX + 2);
    upool_answer told = answer_of(200, 1, body);
    upool_answer found;
    upool_run *run;

    memset(body, 'x', UPOOL_ANSWER_BODY_MAX);
    told.len = UPOOL_ANSWER_BODY_MAX + 1;
    take(record, &run, &found);
    tap_is_int(upool_run_tell(run, &told), APR_SUCCESS, "too long a body");
    tap_is_int(take(record, &run, &found), APR_EEXIST, "is final");
    tap_ok(!found.body, "and is not kept");
    told.len = UPOOL_ANSWER_BODY_MAX;
    tap_is_int(upool_run_tell(run, &told), APR_SUCCESS, "the longest");
    take(record, &run, &found);
    tap_is_int((long)found.len, UPOOL_ANSWER_BODY_MAX, "is kept");
    told.body = NULL;
    told.len = 0;
    upool_run_tell(run, &told);
    take(record, &run, &found);
    tap_ok(found.headers && !found.body, "one without a body");
    memset(body, 'y', UPOOL_ANSWER_BODY_MAX);
    apr_table_set(told.headers, "X", body);
    unlink(kit_in(&k, "long", "answer.json"));
    tap_is_int(upool_run_tell(run, &told), APR_SUCCESS, "too long headers");
    take(record, &run, &found);
    tap_ok(found.status == 200 && !found.headers, "are not kept");
    apr_table_set(told.headers, "X", "\xff\xfe");
    tap_is_int(upool_run_tell(run, &told), APR_SUCCESS, "nor other letters");
    take(record, &run, &found);
    tap_ok(found.status == 200 && !found.headers, "than UTF-8");
}

/* A process that dies with the run lets it go. */
static void test_killed(void)
{
    const upool_record *record = complete("killed");
    upool_answer found;
    upool_run *run;
    int pipes[2];
    char byte;
    pid_t pid;

    if (pipe(pipes)) {
        kit_die("pipe");
    }
    pid = fork();
    if (pid == 0) {
        byte = (char)take(record, &run, &found);
        if (write(pipes[1], &byte, 1) == 1) {
            pause();
        }
        _exit(0);
    }
    if (read(pipes[0], &byte, 1) != 1) {
        kit_die("read");
    }
    tap_is_int(byte, APR_SUCCESS, "another process has the run");
    tap_is_int(take(record, &run, &found), APR_EBUSY, "we wait");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    tap_is_int(look(record, &found), APR_SUCCESS, "it was killed");
    tap_is_int(found.status, 0, "without an answer");
    tap_is_int(take(record, &run, &found), APR_SUCCESS, "so we run it");
    upool_run_end(run);
    close(pipes[0]);
    close(pipes[1]);
}

/* What lies there under the name of ours. */
static void test_planted(void)
{
    const upool_record *record = complete("planted");
    const char *path = kit_in(&k, "planted", "run");
    static const char *const texts[] = {
        "{",
        "[]",
        "{\"created\":1,\"status\":200}",
        "{\"created\":\"x\",\"status\":200,\"final\":true}",
        "{\"created\":1,\"status\":200,\"final\":true}",
        "{\"created\":1,\"status\":200,\"final\":1}",
        "{\"created\":1,\"status\":99,\"final\":true}",
        "{\"created\":1,\"status\":200,\"final\":true,\"x\":1}",
    };
    upool_answer found;
    upool_run *run;
    size_t i;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        kit_write_file(path, texts[i]);
        tap_is_int(take(record, &run, &found), APR_SUCCESS, "run: %s",
                   texts[i]);
        upool_run_end(run);
    }
    unlink(path);
    if (symlink("/etc/passwd", path)) {
        kit_die("symlink");
    }
    tap_ok(take(record, &run, &found) != APR_SUCCESS, "a link is refused");
    tap_ok(look(record, &found) != APR_SUCCESS, "and not read");
    unlink(path);
    if (mkfifo(path, 0600)) {
        kit_die("fifo");
    }
    tap_ok(take(record, &run, &found) != APR_SUCCESS, "a FIFO too");
    unlink(path);
    upool_bucket_remove(k.store, "planted", k.p);
    tap_ok(!kit_exists(kit_in(&k, "planted", NULL)), "all of it goes");
}

int main(void)
{
    kit_start(&k);
    test_once();
    test_again();
    test_replaced();
    test_short();
    test_long();
    test_killed();
    test_planted();
    return kit_done(&k);
}
