/* SPDX-License-Identifier: MIT */
/* What an upstream says about one question, made once: the answer and all that its proof asks for,
 * so that jobs can be given it again and again, in other orders. Include after tests/test.h. */
#ifndef TESTS_UNIT_TOLD_H
#define TESTS_UNIT_TOLD_H

#include "tests/unit/job_bench.h"

#define TOLD_MAX 40u

struct told {
    struct val_need what;
    bool fetched; /* or it could not be had */
    struct world_octets octets;
};

struct told_list {
    struct dns_question question;
    struct told told[TOLD_MAX]; /* the first one is the answer */
    uint32_t count;
};

static struct told_list *told_now; /* the list that told_fetch() fills, or reads from */

static inline struct told *told_find(struct told_list *list, const struct dns_name *name,
                                     uint16_t type)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (list->told[i].what.type == type && dns_name_equal(&list->told[i].what.name, name))
            return &list->told[i];
    return NULL;
}

static inline bool told_fetch(struct bench *b, const struct dns_name *name, uint16_t type,
                              struct world_octets *ret)
{
    struct told *t = told_find(told_now, name, type);
    if (!t) {
        assert_in_range(told_now->count, 0, TOLD_MAX - 1);
        t = &told_now->told[told_now->count++];
        t->what = (struct val_need){.name = *name, .type = type};
        b->fetch = NULL; /* the world, bent as the bench says */
        t->fetched = bench_fetch(b, name, type, &t->octets);
        b->fetch = told_fetch;
    }
    if (!t->fetched)
        return false;
    memcpy(ret->buf, t->octets.buf, t->octets.len);
    ret->len = t->octets.len;
    assert_int_equal(dns_msg_read(ret->buf, ret->len, ret->table, 256, &ret->msg), DNS_OK);
    return true;
}

/* Proves the question once as it comes, from nothing. */
static inline const struct val_verdict *told_collect(struct told_list *list, struct bench *b,
                                                     const char *name, uint16_t type)
{
    list->question = (struct dns_question){world_name(name), type, DNS_CLASS_IN};
    list->count = 0;
    told_now = list;
    b->fetch = told_fetch;
    bench_forget(b);
    const struct val_verdict *v = bench_ask(b, name, type);
    assert_true(list->count > 0 && list->told[0].what.type == type);
    return v;
}

/* Hands one of them to a job, as an upstream does: the answer, or what a proof needs. */
static inline void told_give(struct val_job *job, struct told_list *list, uint32_t at)
{
    struct told *t = &list->told[at];
    if (at == 0)
        (void)val_job_answer(job, &t->octets.msg, 0, 5); /* malformed: bogus then */
    else
        (void)val_job_give(job, &t->what.name, t->what.type, t->fetched ? &t->octets.msg : NULL, 0,
                           7);
}

#endif
