// SPDX-License-Identifier: MIT
// What counts as supported: by default, with SHA-1, and where OpenSSL's configuration refuses.
#include "tests/test.h"
#include "validate/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHA2 (1u << 8 | 1u << 10 | 1u << 13 | 1u << 14 | 1u << 15 | 1u << 16)
#define SHA1 (1u << 5 | 1u << 7)

/* In a process of its own: OpenSSL reads its configuration once. Must run before the parent's first
 * use of it. The result comes back through a pipe. */
static struct val_policy policy_under(const char *config)
{
    char path[] = "/tmp/veridoh-policy-XXXXXX";
    int fd = mkstemp(path), ends[2];
    assert_true(fd >= 0);
    assert_int_equal(write(fd, config, strlen(config)), (int)strlen(config));
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        setenv("OPENSSL_CONF", path, 1);
        struct val_policy policy = val_policy_default(true);
        ssize_t written = write(ends[1], &policy, sizeof(policy));
        _exit(written == (ssize_t)sizeof(policy) ? 0 : 1);
    }
    struct val_policy policy;
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(read(ends[0], &policy, sizeof(policy)), (int)sizeof(policy));
    close(ends[0]);
    close(ends[1]);
    close(fd);
    unlink(path);
    return policy;
}

static void test_refused(void **state)
{
    (void)state;
    /* Only what a FIPS provider offers, and there is none. */
    struct val_policy policy = policy_under("openssl_conf = init\n"
                                            "[init]\n"
                                            "alg_section = evp\n"
                                            "[evp]\n"
                                            "default_properties = fips=yes\n");
    assert_int_equal(policy.algorithms, 0);
    assert_int_equal(policy.digests, 0);

    /* A security level is about TLS; keys of the size a DNSSEC zone has are not refused by it. */
    policy = policy_under("openssl_conf = init\n"
                          "[init]\n"
                          "ssl_conf = ssl\n"
                          "[ssl]\n"
                          "system_default = level\n"
                          "[level]\n"
                          "CipherString = DEFAULT@SECLEVEL=3\n");
    assert_int_equal(policy.algorithms, SHA1 | SHA2);
}

static void test_default(void **state)
{
    (void)state;
    struct val_policy policy = val_policy_default(false);
    assert_int_equal(policy.algorithms, SHA2);
    assert_int_equal(policy.digests, 1u << 1 | 1u << 2 | 1u << 4);
    assert_int_equal(policy.skew_s, 60);
    assert_int_equal(policy.nsec3_insecure_above, 50);
    assert_int_equal(policy.nsec3_bogus_above, 500);
    assert_int_equal(policy.rsa_bits_min, 1024);
    assert_int_equal(policy.rsa_bits_max, 4096);
    assert_int_equal(val_policy_default(true).algorithms, SHA1 | SHA2);
}

static void test_numbers(void **state)
{
    (void)state;
    const struct val_policy policy = {.algorithms = 1u << 8, .digests = 1u << 2};
    assert_true(val_policy_algorithm(&policy, 8));
    assert_false(val_policy_algorithm(&policy, 7));
    assert_false(val_policy_algorithm(&policy, 40)); /* 8 modulo 32 */
    assert_false(val_policy_algorithm(&policy, 255));
    assert_true(val_policy_digest(&policy, 2));
    assert_false(val_policy_digest(&policy, 34));
    assert_false(val_policy_digest(&policy, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused), /* first: see policy_under() */
        cmocka_unit_test(test_default),
        cmocka_unit_test(test_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
