/* SPDX-License-Identifier: MIT */
/* What cmocka wants included before it, once. */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
// clang-format on

/* A row's octets and their count: {"name", HEX(1, 2, 3)}. */
#define HEX(...) {__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__})
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#endif
