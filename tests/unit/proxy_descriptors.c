// SPDX-License-Identifier: MIT
#include "proxy/descriptors.h"
#include "tests/test.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct fit_case {
    const char *what;
    uint32_t workers, listeners, upstreams, tcp_clients;
    uint64_t limit;
    uint32_t want;
};

static const struct fit_case fits[] = {
    {"plenty", 4, 2, 3, 256, 524288, 256},
    {"no limit", 4, 2, 3, 256, UINT64_MAX, 256},
    {"what a shell has: it does not fit", 4, 2, 3, 256, 1024, 92},
    {"one worker fits there", 1, 2, 3, 256, 1024, 256},
    {"nothing is left, one all the same", 4, 2, 3, 256, 64, 1},
    {"many of all", 256, 64, 32, 65536, 1u << 20, 59},
};

static struct config config_of(const struct fit_case *c)
{
    return (struct config){.workers = c->workers,
                           .listen_count = c->listeners,
                           .tcp_clients = c->tcp_clients,
                           .doh = {.upstream_count = c->upstreams, .connect_ms = 2000}};
}

/* As many as fit, never more than wanted, and never so many that nothing is left for the rest. */
static void clients_get_what_is_left(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(fits); i++) {
        const struct fit_case *c = &fits[i];
        print_message("%s\n", c->what);
        struct config config = config_of(c);
        uint32_t got = descriptors_tcp_clients(&config, c->limit);
        assert_int_equal(got, c->want);
        if (got > 1)
            assert_true(descriptors_needed(&config, got) <= c->limit);
        if (got < c->tcp_clients)
            assert_true(descriptors_needed(&config, got + 1) > c->limit);
    }
}

static void what_all_need_is_said_right(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(fits); i++) {
        struct config config = config_of(&fits[i]);
        uint64_t needed = descriptors_needed(&config, config.tcp_clients);
        assert_int_equal(descriptors_tcp_clients(&config, needed), config.tcp_clients);
        if (config.tcp_clients > 1)
            assert_int_equal(descriptors_tcp_clients(&config, needed - 1), config.tcp_clients - 1);
    }
}

/* 0 when `check` holds in a process of its own. */
static int in_a_child(bool (*check)(void))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(check() ? 0 : 1);
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static bool raises(void)
{
    struct rlimit limit = {.rlim_cur = 64, .rlim_max = 512};
    return setrlimit(RLIMIT_NOFILE, &limit) == 0 && descriptors_raise() == 512 &&
           getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == 512 &&
           descriptors_raise() == 512;
}

static void the_soft_limit_is_raised(void **state)
{
    (void)state;
    assert_int_equal(in_a_child(raises), 0);
}

static int lowest_free(void)
{
    int fd = open("/dev/null", O_RDONLY);
    (void)close(fd);
    return fd;
}

static bool holds(void)
{
    int free_before = lowest_free(); /* not 3: whoever started us may have left some open */
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        (void)close(fd);
    descriptors_hold_standard();
    return lowest_free() == free_before && write(STDERR_FILENO, "x", 1) == 1;
}

static bool holds_one(void)
{
    (void)close(STDOUT_FILENO);
    descriptors_hold_standard();
    return fcntl(STDOUT_FILENO, F_GETFD) >= 0;
}

static void the_standard_ones_are_taken(void **state)
{
    (void)state;
    assert_int_equal(in_a_child(holds), 0);
    assert_int_equal(in_a_child(holds_one), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_get_what_is_left),
        cmocka_unit_test(what_all_need_is_said_right),
        cmocka_unit_test(the_soft_limit_is_raised),
        cmocka_unit_test(the_standard_ones_are_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
