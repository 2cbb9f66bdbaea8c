// SPDX-License-Identifier: MIT
/* Whatever an upstream says, in whatever order: a job ends, spends no more than its budget, yields
 * when its slice is used up, and nothing is secure, nor insecure below an anchor, where nobody has
 * the anchor's key. Octets of the input: one for the way it runs, then messages, each behind its
 * length in two octets; the first one is the answer. An input may bring its own anchor, so that
 * whole signed chains are the seed: then the first is a line of text, the second four octets of
 * time, and secure is possible. */
#include "dns/message.h"
#include "validate/job.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define MESSAGES_MAX 64u
#define STEPS_MAX 20000u
#define NOW_S UINT64_C(1800000000)

enum {
    RUN_SLOWLY = 1,
    RUN_BACKWARDS = 2,
    RUN_EARLY = 4,
    RUN_NO_ANCHOR = 8,
    RUN_TRACED = 16,
    RUN_OWN_ANCHOR = 32,
};

static void must(bool holds)
{
    if (!holds)
        abort();
}

struct input {
    const uint8_t *msg[MESSAGES_MAX];
    uint32_t len[MESSAGES_MAX];
    uint32_t count, next;
    uint64_t now_s;
    uint8_t how;
};

static struct dns_rr table[DNS_RR_MAX];

static bool read_input(const uint8_t *data, size_t len, struct input *ret)
{
    struct dns_reader r = dns_reader_init(data, len);
    *ret = (struct input){.now_s = NOW_S, .how = dns_read_u8(&r)};
    while (ret->count < MESSAGES_MAX && dns_reader_left(&r) > 2) {
        uint32_t msg_len = dns_read_u16(&r);
        if (msg_len > dns_reader_left(&r))
            msg_len = dns_reader_left(&r);
        ret->msg[ret->count] = dns_read_bytes(&r, msg_len);
        ret->len[ret->count++] = msg_len;
    }
    return ret->count > 0;
}

static bool read_msg(const struct input *in, uint32_t at, struct dns_msg *ret)
{
    return dns_msg_read(in->msg[at], in->len[at], table, DNS_RR_MAX, ret) == DNS_OK;
}

/* The message that answers this, else the next one, bent so that it seems to. */
static void give(struct val_job *job, struct input *in, const struct val_need *need)
{
    struct dns_msg msg;
    for (uint32_t i = 1; i < in->count; i++)
        if (read_msg(in, i, &msg) && msg.question_count > 0 && msg.question.type == need->type &&
            dns_name_equal(&msg.question.name, &need->name)) {
            (void)val_job_give(job, &need->name, need->type, &msg, i, i);
            return;
        }
    uint32_t at = in->count > 1 ? 1 + in->next++ % (in->count - 1) : 0;
    if (in->count < 2 || !read_msg(in, at, &msg)) {
        (void)val_job_give(job, &need->name, need->type, NULL, 0, at);
        return;
    }
    msg.question = (struct dns_question){need->name, need->type, DNS_CLASS_IN};
    (void)val_job_give(job, &need->name, need->type, &msg, at, at); /* malformed is fine */
}

static void give_all(struct val_job *job, struct input *in)
{
    struct val_need needs[64];
    uint32_t count;
    const struct val_need *named = val_job_needs(job, &count);
    must(count > 0 && count <= 64); /* it never waits for nothing */
    for (uint32_t i = 0; i < count; i++)
        needs[i] = named[i];
    for (uint32_t i = 0; i < count; i++)
        give(job, in, &needs[in->how & RUN_BACKWARDS ? count - 1 - i : i]);
}

static void check_spent(const struct val_budget *budget)
{
    const struct val_limits *limits = &budget->limits;
    must(budget->crypto_units <= limits->crypto_units);
    must(budget->failed_signatures <= limits->failed_signatures);
    must(budget->sha1_blocks <= limits->sha1_blocks);
    must(budget->fetches <= limits->fetches && budget->flights <= limits->flights);
}

static void check_written(const struct val_job *job, const struct dns_question *question,
                          bool secure)
{
    static uint8_t buf[DNS_MSG_MAX];
    struct dns_msg msg;
    uint32_t len = val_job_write(job, buf, sizeof buf);
    if (len == 0)
        return; /* larger than a message can be, written anew */
    must(dns_msg_read(buf, len, table, DNS_RR_MAX, &msg) == DNS_OK);
    must(dns_msg_answers(&msg, question) && ((msg.flags & DNS_FLAG_AD) != 0) == secure);
}

static void check_verdict(const struct val_job *job, const struct dns_question *question,
                          const struct input *in)
{
    const struct val_verdict *v = val_job_verdict(job);
    bool own = in->how & RUN_OWN_ANCHOR;
    must(own || v->status != VAL_SECURE);
    must(own || v->status != VAL_INSECURE || in->how & RUN_NO_ANCHOR ||
         v->reason.why == VAL_WHY_NOT_SIGNABLE || v->reason.why == VAL_WHY_NO_ANCHOR);
    if (v->status <= VAL_INSECURE)
        check_written(job, question, v->status == VAL_SECURE);
}

static void run(struct val_job *job, const struct dns_question *question, struct input *in)
{
    enum val_step step = VAL_AGAIN;
    for (uint32_t steps = 0; step != VAL_DONE; steps++) {
        must(steps < STEPS_MAX);
        step = val_job_step(job, in->now_s + steps / 8);
        if (step == VAL_NEED)
            give_all(job, in);
    }
    check_verdict(job, question, in);
}

/* Before anything was asked for, and twice. */
static void give_early(struct val_job *job, struct input *in)
{
    struct dns_msg msg;
    for (uint32_t i = 1; in->how & RUN_EARLY && i < in->count; i++)
        for (unsigned twice = 0; twice < 2; twice++)
            if (read_msg(in, i, &msg) && msg.question_count > 0)
                (void)val_job_give(job, &msg.question.name, msg.question.type, &msg, 0, i);
}

static void run_job(const struct val_env *env, const struct dns_msg *answer, struct input *in)
{
    static struct val_trace trace;
    struct dns_question question = answer->question;
    struct val_limits limits = val_limits_default;
    limits.slice_units = in->how & RUN_SLOWLY ? 1 : limits.slice_units;
    struct val_budget budget = val_budget_init(&limits);
    trace.count = 0;
    struct val_job *job =
        val_job_new(&question, env, &budget, in->how & RUN_TRACED ? &trace : NULL);
    if (!job)
        return;
    (void)val_job_answer(job, answer, 0, 0); /* malformed: bogus then */
    give_early(job, in);
    run(job, &question, in);
    check_spent(&budget);
    must(trace.count <= VAL_TRACE_MAX);
    val_job_free(job);
}

/* Takes the first two messages of the input as a line and a time. */
static bool add_own_anchor(struct val_anchors *anchors, struct input *in)
{
    if (in->count < 3)
        return false;
    char *line = strndup((const char *)in->msg[0], in->len[0]);
    bool ok = line && val_anchors_add_line(anchors, line) == DNS_OK;
    free(line);
    struct dns_reader r = dns_reader_init(in->msg[1], in->len[1]);
    in->now_s = dns_read_u32(&r);
    in->count -= 2;
    for (uint32_t i = 0; i < in->count; i++) {
        in->msg[i] = in->msg[i + 2];
        in->len[i] = in->len[i + 2];
    }
    return ok;
}

static bool add_anchors(struct val_anchors *anchors, struct input *in)
{
    if (in->how & RUN_OWN_ANCHOR)
        return add_own_anchor(anchors, in);
    return in->how & RUN_NO_ANCHOR || val_anchors_add_builtin(anchors) == DNS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct val_policy policy;
    struct input in;
    struct dns_msg answer;
    if (policy.algorithms == 0)
        policy = val_policy_default(false);
    if (!read_input(data, len, &in))
        return 0;
    struct val_anchors *anchors = val_anchors_new();
    if (anchors && add_anchors(anchors, &in) && read_msg(&in, 0, &answer) &&
        answer.question_count > 0) {
        const struct val_env env = {.anchors = anchors, .policy = &policy};
        run_job(&env, &answer, &in);
    }
    val_anchors_free(anchors);
    return 0;
}
