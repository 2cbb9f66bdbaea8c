// SPDX-License-Identifier: MIT
/* Arbitrary messages as answer, DS and DNSKEY answers: the job always ends, inside its budget, and
 * where it stops on the way and in which order messages come changes no verdict. Input: messages,
 * each behind two octets of length; the first is the answer to its own question. */
#include "validate/job.h"

#include <stdlib.h>
#include <string.h>

#define MESSAGES_MAX 24u
#define NOW 1800000000u /* of tests/data/world.messages */
#define ANCHOR ". IN DS 32347 8 2 33FA5A24C9AEBF6F60987705EEE202B312D3821263CF54B45EF487E05D6AACF2"

struct input {
    const uint8_t *wire[MESSAGES_MAX];
    uint32_t len[MESSAGES_MAX];
    uint32_t count;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct dns_rr table[DNS_RR_MAX];

static void cut(const uint8_t *data, size_t len, struct input *ret)
{
    struct dns_reader r = dns_reader_init(data, len);
    ret->count = 0;
    while (dns_reader_left(&r) > 2 && ret->count < MESSAGES_MAX) {
        uint32_t n = dns_read_u16(&r);
        n = n < dns_reader_left(&r) ? n : dns_reader_left(&r);
        ret->wire[ret->count] = dns_read_bytes(&r, n);
        ret->len[ret->count++] = n;
    }
}

static bool read_message(const struct input *in, uint32_t i, struct dns_msg *ret)
{
    return dns_msg_read(in->wire[i], in->len[i], table, DNS_RR_MAX, ret) == DNS_OK &&
           ret->question_count == 1;
}

static void give_all(struct val_job *job, const struct input *in, bool backwards)
{
    for (uint32_t k = 1; k < in->count; k++) {
        struct dns_msg msg;
        if (read_message(in, backwards ? in->count - k : k, &msg) &&
            (msg.question.type == DNS_TYPE_DS || msg.question.type == DNS_TYPE_DNSKEY))
            (void)val_job_give(job, &msg.question.name, msg.question.type, &msg, 0, 1);
    }
}

static enum val_status run(const struct input *in, const struct val_env *env,
                           const struct dns_question *question, uint32_t slice, bool backwards)
{
    static uint8_t out[DNS_MSG_MAX];
    struct val_limits limits = val_limits_default;
    limits.slice_units = slice;
    struct val_budget budget = val_budget_init(&limits);
    struct val_job *job = val_job_new(question, env, &budget, NULL);
    struct dns_msg msg;
    if (!job)
        abort();
    if (!backwards)
        give_all(job, in, false);
    if (!read_message(in, 0, &msg)) /* it was read before */
        abort();
    (void)val_job_answer(job, &msg, 0, 0); /* malformed is bogus, and ends too */
    if (backwards)
        give_all(job, in, true);
    unsigned steps = 0;
    for (enum val_step step = VAL_NEED; step != VAL_DONE; steps++) {
        uint32_t count;
        step = val_job_step(job, NOW);
        const struct val_need *needs = val_job_needs(job, &count);
        struct val_need kept[64];
        count = count < 64 ? count : 64;
        memcpy(kept, needs, count * sizeof *kept);
        for (uint32_t i = 0; step == VAL_NEED && i < count; i++)
            (void)val_job_give(job, &kept[i].name, kept[i].type, NULL, 0, VAL_ORIGIN_NONE);
        if (steps > 2000 || (step == VAL_NEED && count == 0))
            abort();
    }
    enum val_status status = val_job_verdict(job)->status;
    if (status == VAL_SECURE || status == VAL_INSECURE)
        (void)val_job_write(job, out, sizeof out);
    val_job_free(job);
    return status;
}

/* The same question again would be given one answer by one run and another by the next. */
static bool unambiguous(const struct input *in)
{
    static struct dns_question seen[MESSAGES_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < in->count; i++) {
        struct dns_msg msg;
        if (!read_message(in, i, &msg))
            continue;
        for (uint32_t k = 0; k < count; k++)
            if (seen[k].type == msg.question.type &&
                dns_name_equal(&seen[k].name, &msg.question.name))
                return false;
        seen[count++] = msg.question;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct val_policy policy;
    static struct val_anchors *anchors;
    struct input in;
    struct dns_msg msg;
    if (!anchors) {
        anchors = val_anchors_new();
        policy = val_policy_default(false);
        if (!anchors || val_anchors_add_line(anchors, ANCHOR) != DNS_OK)
            abort();
    }
    const struct val_env env = {.anchors = anchors, .policy = &policy};
    cut(data, len, &in);
    if (in.count == 0 || !read_message(&in, 0, &msg))
        return 0;
    struct dns_question question = msg.question;
    enum val_status plain = run(&in, &env, &question, val_limits_default.slice_units, false);
    enum val_status stepwise = run(&in, &env, &question, 1, false);
    if (plain != stepwise)
        abort();
    if (unambiguous(&in) && run(&in, &env, &question, 7, true) != plain)
        abort();
    return 0;
}
