// SPDX-License-Identifier: MIT
/* Who waits for one question upstream: as many as ask, each told once unless it left before. The
 * pool is made up. */
#include "proxy/fetches.h"
#include "tests/test.h"

#include <stdlib.h>

#define CROWD 3000u /* names below one zone, all in need of its keys */

/* --- a pool that does as told ---------------------------------------------------------------- */

static struct fake {
    doh_done_fn *done;
    void *arg;
    uint32_t started, cancelled;
} fake;

struct doh_fetch *doh_fetch_start(struct doh_pool *pool, const struct doh_request *request,
                                  doh_done_fn *done, void *arg)
{
    (void)pool;
    assert_true(request->len > 0);
    fake.done = done;
    fake.arg = arg;
    fake.started++;
    return (struct doh_fetch *)&fake;
}

void doh_fetch_cancel(struct doh_fetch *fetch)
{
    assert_ptr_equal(fetch, &fake);
    fake.cancelled++;
}

bool doh_route_is_plain(const struct doh_config *config, uint32_t route)
{
    (void)config;
    (void)route;
    return false;
}

/* --- who waits ------------------------------------------------------------------------------- */

struct crowd;
struct one {
    struct crowd *crowd;
    struct fetches_wait *wait; /* NULL: told, or gone */
    uint32_t told;
    struct one *takes_along; /* cancelled by this one when it is told */
};

struct crowd {
    struct doh_config config;
    struct question_hash_key key;
    struct dns_question question;
    struct fetches *fetches;
    struct one one[CROWD];
    uint32_t left; /* that wait */
};

static void leave(struct one *one)
{
    if (!one->wait)
        return;
    fetches_cancel(one->wait);
    one->wait = NULL;
    one->crowd->left--;
}

static void on_done(void *arg, enum doh_err err, const struct doh_answer *answer,
                    const struct dns_msg *msg)
{
    struct one *one = arg;
    assert_int_equal(err, DOH_E_TIMEOUT);
    assert_null(answer);
    assert_null(msg);
    assert_non_null(one->wait); /* nobody who left is told */
    one->wait = NULL;
    one->told++;
    one->crowd->left--;
    if (one->takes_along)
        leave(one->takes_along);
}

static void ask(struct crowd *c, struct one *one, bool is_new)
{
    const struct fetches_want want = {.question = &c->question, .deadline_ms = 1000};
    bool ret_new = !is_new;
    *one = (struct one){.crowd = c};
    one->wait = fetches_ask(c->fetches, &want, &ret_new, on_done, one);
    assert_non_null(one->wait);
    assert_int_equal(ret_new, is_new);
    c->left++;
}

static int set_up(void **state)
{
    struct crowd *c = calloc(1, sizeof *c);
    assert_non_null(c);
    fake = (struct fake){0};
    c->question = (struct dns_question){.type = DNS_TYPE_DNSKEY, .class_ = DNS_CLASS_IN};
    assert_int_equal(dns_name_parse("zone.test.", &c->question.name), DNS_OK);
    c->fetches = fetches_new(NULL, &c->config, &c->key);
    assert_non_null(c->fetches);
    for (uint32_t i = 0; i < CROWD; i++)
        ask(c, &c->one[i], i == 0);
    assert_int_equal(fake.started, 1);
    *state = c;
    return 0;
}

static int tear_down(void **state)
{
    struct crowd *c = *state;
    fetches_free(c->fetches);
    free(c);
    return 0;
}

static void answer(void)
{
    fake.done(fake.arg, DOH_E_TIMEOUT, NULL);
}

/* --- tests ----------------------------------------------------------------------------------- */

static void all_are_told(void **state)
{
    struct crowd *c = *state;
    answer();
    assert_int_equal(c->left, 0);
    for (uint32_t i = 0; i < CROWD; i++)
        assert_int_equal(c->one[i].told, 1);
    assert_int_equal(fake.cancelled, 0);
    ask(c, &c->one[0], true);
}

/* First, last and some between; the question stays for the others. */
static void who_left_is_not_told(void **state)
{
    struct crowd *c = *state;
    leave(&c->one[0]);
    leave(&c->one[CROWD - 1]);
    for (uint32_t i = 2; i < CROWD; i += 3)
        leave(&c->one[i]);
    assert_int_equal(fake.cancelled, 0);
    uint32_t left = c->left;
    answer();
    assert_int_equal(c->left, 0);
    uint32_t told = 0;
    for (uint32_t i = 0; i < CROWD; i++)
        told += c->one[i].told;
    assert_int_equal(told, left);
}

static void the_last_takes_the_question_along(void **state)
{
    struct crowd *c = *state;
    for (uint32_t i = 0; i < CROWD; i++) {
        assert_int_equal(fake.cancelled, 0);
        leave(&c->one[i]);
    }
    assert_int_equal(fake.cancelled, 1);
    ask(c, &c->one[0], true);
}

/* Each that is told takes another along: the one beside it, or one far off. */
static void one_that_is_told_cancels_others(void **state)
{
    struct crowd *c = *state;
    for (uint32_t i = 0; i < CROWD; i++)
        c->one[i].takes_along = &c->one[i % 2 ? i - 1 : (i + CROWD / 2) % CROWD];
    answer();
    assert_int_equal(c->left, 0);
    assert_int_equal(fake.cancelled, 0);
}

static void whoever_closes_tells_nobody(void **state)
{
    struct crowd *c = *state;
    fetches_free(c->fetches);
    assert_int_equal(fake.cancelled, 1);
    assert_int_equal(c->left, CROWD);
    c->fetches = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_are_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_left_is_not_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_last_takes_the_question_along, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_is_told_cancels_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(whoever_closes_tells_nobody, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
