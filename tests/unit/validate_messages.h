/* SPDX-License-Identifier: MIT */
/* The captured world (tests/data/world.messages) and a job run over it. Include after tests/test.h.
 */
#ifndef TESTS_UNIT_VALIDATE_MESSAGES_H
#define TESTS_UNIT_VALIDATE_MESSAGES_H

#include "validate/job.h"

#include <stdio.h>
#include <stdlib.h>

#define CAPTURED_MAX 256u

struct captured {
    struct dns_question question;
    uint8_t *wire; /* of its own allocation, so that a sanitizer sees its end */
    uint32_t len;
};

static struct captured captured[CAPTURED_MAX];
static uint32_t captured_count;
static uint64_t captured_now;
static struct val_anchors *captured_anchors;

static inline void captured_line(char *line)
{
    char *rest = line;
    char *name = strsep(&rest, " ");
    char *type = strsep(&rest, " ");
    char *hex = strsep(&rest, "\n");
    struct captured *c = &captured[captured_count++];
    assert_true(captured_count < CAPTURED_MAX);
    assert_int_equal(dns_name_parse(name, &c->question.name), DNS_OK);
    assert_int_equal(dns_type_parse(type, &c->question.type), DNS_OK);
    c->question.class_ = DNS_CLASS_IN;
    c->len = (uint32_t)strlen(hex) / 2;
    c->wire = malloc(c->len);
    struct dns_writer w = dns_writer_init(c->wire, c->len);
    assert_int_equal(dns_hex_read(hex, &w), DNS_OK);
}

static inline void captured_load(const char *path)
{
    char *line = NULL;
    size_t cap = 0;
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    captured_anchors = val_anchors_new();
    while (getline(&line, &cap, f) > 0) {
        if (!strncmp(line, "; now ", 6))
            captured_now = strtoull(line + 6, NULL, 10);
        else if (!strncmp(line, "; ds ", 5))
            assert_int_equal(val_anchors_add_line(captured_anchors, strtok(line + 5, "\n")),
                             DNS_OK);
        else
            captured_line(line);
    }
    free(line);
    (void)fclose(f);
}

static inline void captured_free(void)
{
    for (uint32_t i = 0; i < captured_count; i++)
        free(captured[i].wire);
    captured_count = 0;
    val_anchors_free(captured_anchors);
}

static inline const struct captured *captured_find(const struct dns_name *name, uint16_t type)
{
    for (uint32_t i = 0; i < captured_count; i++)
        if (captured[i].question.type == type && dns_name_equal(&captured[i].question.name, name))
            return &captured[i];
    return NULL;
}

#endif
