/* SPDX-License-Identifier: MIT */
/* The headers of tests/unit in a fuzz target, where there is no cmocka: what they assert aborts. */
#ifndef TESTS_FUZZ_BARE_H
#define TESTS_FUZZ_BARE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void must(int holds)
{
    if (!holds)
        abort();
}

static inline void must_range(uintmax_t x, uintmax_t low, uintmax_t high)
{
    must(x >= low && x <= high);
}

#define fail_msg(...) ((void)fprintf(stderr, __VA_ARGS__), abort())
#define print_error(...) ((void)fprintf(stderr, __VA_ARGS__))
#define assert_true(x) must(x)
#define assert_non_null(x) must((x) != NULL)
#define assert_int_equal(a, b) must((a) == (b))
#define assert_in_range(x, low, high) must_range((x), (low), (high))
#endif
