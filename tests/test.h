/* SPDX-License-Identifier: MIT */
/* What cmocka wants included before it, once. */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H
#include <cmocka.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A row's octets and their count: {"name", HEX(1, 2, 3)}. */
#define HEX(...) {__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__})
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#endif
