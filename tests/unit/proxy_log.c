// SPDX-License-Identifier: MIT
#include "proxy/log.h"
#include "tests/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct capture {
    int fds[2];
    char text[65536];
};

static void begin(struct capture *c)
{
    assert_int_equal(pipe2(c->fds, O_NONBLOCK | O_CLOEXEC), 0);
}

static const char *all(struct capture *c)
{
    ssize_t n = read(c->fds[0], c->text, sizeof c->text - 1);
    c->text[n > 0 ? n : 0] = '\0';
    return c->text;
}

static void end(struct capture *c)
{
    (void)close(c->fds[0]);
    (void)close(c->fds[1]);
}

struct form_case {
    enum log_format format;
    enum log_level level;
    const char *message;
    const char *want; /* behind the time, for JSON */
};

static const struct form_case forms[] = {
    {LOG_FORMAT_TEXT, LOG_LEVEL_INFO, "ready", "veridoh: ready\n"},
    {LOG_FORMAT_TEXT, LOG_LEVEL_ERROR, "no", "veridoh: error: no\n"},
    {LOG_FORMAT_TEXT, LOG_LEVEL_WARNING, "a\nb\x1b[2J\x7f", "veridoh: warning: a?b?[2J?\n"},
    {LOG_FORMAT_TEXT, LOG_LEVEL_DEBUG, "below the level", ""},
    {LOG_FORMAT_JOURNAL, LOG_LEVEL_ERROR, "no", "<3>no\n"},
    {LOG_FORMAT_JOURNAL, LOG_LEVEL_INFO, "ready", "<6>ready\n"},
    {LOG_FORMAT_JSON, LOG_LEVEL_WARNING, "a \"b\" \\ \n\xff",
     ",\"level\":\"warning\",\"message\":\"a \\\"b\\\" \\\\ \\u000a\\u00ff\"}\n"},
};

static void test_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(forms); i++) {
        struct capture c;
        struct log log;
        begin(&c);
        assert_true(log_init(&log, c.fds[1], LOG_LEVEL_INFO, forms[i].format));
        log_write(&log, forms[i].level, "%s", forms[i].message);
        const char *line = all(&c);
        if (forms[i].format == LOG_FORMAT_JSON) {
            assert_memory_equal(line, "{\"time\":", 8);
            line = strchr(line, ',');
            assert_non_null(line);
        }
        assert_string_equal(line, forms[i].want);
        log_deinit(&log);
        end(&c);
    }
}

/* A storm is cut off, and what is of another kind still gets through. */
static void test_storm(void **state)
{
    (void)state;
    struct capture c;
    struct log log;
    begin(&c);
    assert_true(log_init(&log, c.fds[1], LOG_LEVEL_INFO, LOG_FORMAT_TEXT));
    for (unsigned i = 0; i < 100; i++)
        log_write(&log, LOG_LEVEL_ERROR, "storm %u", i);
    log_write(&log, LOG_LEVEL_ERROR, "another kind");
    unsigned lines = 0;
    (void)all(&c);
    assert_non_null(strstr(c.text, "another kind"));
    for (const char *at = c.text; (at = strstr(at, "storm")); at++)
        lines++;
    assert_in_range(lines, LOG_LINES_A_SECOND, 2 * LOG_LINES_A_SECOND); /* the second may change */
    log_deinit(&log);
    end(&c);
}

static void test_left_out_is_said(void **state)
{
    (void)state;
    struct capture c;
    struct log log;
    begin(&c);
    assert_true(log_init(&log, c.fds[1], LOG_LEVEL_INFO, LOG_FORMAT_TEXT));
    for (unsigned i = 0; i < 2; i++) {
        log_write(&log, LOG_LEVEL_ERROR, "storm %u", i);
        if (i == 0)
            log.kind[0] = (struct log_kind){log.kind[0].format, 1, LOG_LINES_A_SECOND, 7};
    }
    assert_string_equal(all(&c), "veridoh: error: storm 0\n"
                                 "veridoh: error: storm 1 (and 7 more like this)\n");
    log_deinit(&log);
    end(&c);
}

static void test_long_line_is_cut(void **state)
{
    (void)state;
    static char text[5000];
    struct capture c;
    struct log log;
    memset(text, '\x01', sizeof text - 1);
    begin(&c);
    assert_true(log_init(&log, c.fds[1], LOG_LEVEL_INFO, LOG_FORMAT_JSON));
    log_write(&log, LOG_LEVEL_INFO, "%s", text);
    size_t len = strlen(all(&c));
    assert_in_range(len, 1000, 6000);
    assert_string_equal(c.text + len - 3, "\"}\n");
    log_deinit(&log);
    end(&c);
}

static void test_journal_is_recognised(void **state)
{
    (void)state;
    struct capture c;
    struct log log;
    struct stat st;
    char stream[64];
    begin(&c);
    assert_int_equal(fstat(c.fds[1], &st), 0);
    (void)snprintf(stream, sizeof stream, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    static const enum log_format want[] = {LOG_FORMAT_JOURNAL, LOG_FORMAT_TEXT, LOG_FORMAT_TEXT};
    const char *const said[] = {stream, "1:1", "nonsense"};
    for (size_t i = 0; i < COUNT(want); i++) {
        assert_int_equal(setenv("JOURNAL_STREAM", said[i], 1), 0);
        assert_true(log_init(&log, c.fds[1], LOG_LEVEL_INFO, LOG_FORMAT_AUTO));
        assert_int_equal(log.format, want[i]);
        log_deinit(&log);
    }
    (void)unsetenv("JOURNAL_STREAM");
    end(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_storm),
        cmocka_unit_test(test_left_out_is_said),
        cmocka_unit_test(test_long_line_is_cut),
        cmocka_unit_test(test_journal_is_recognised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
