// SPDX-License-Identifier: MIT
/* Health and choice: arithmetic on a clock of our own. */
#include "doh/choice.h"
#include "doh/spread.h"
#include "tests/test.h"

#include <stdio.h>

#define NOW 1000000u

static void backoff_doubles_up_to_its_end(void **state)
{
    (void)state;
    struct doh_health h = {0};
    uint64_t now = NOW;
    uint32_t want[] = {100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000};
    for (size_t i = 0; i < COUNT(want); i++) {
        uint32_t all = want[i] - want[i] / 8; /* no jitter */
        doh_health_failed(&h, now, DOH_BACKOFF_MIN_MS, all);
        assert_int_equal(h.backoff.until_ms - now, want[i]);
        doh_health_failed(&h, now, DOH_BACKOFF_SLOW_MS, all); /* of the same cause */
        assert_int_equal(h.backoff.until_ms - now, want[i]);
        assert_true(doh_health_backing_off(&h, h.backoff.until_ms - 1));
        assert_false(doh_health_backing_off(&h, h.backoff.until_ms));
        now = h.backoff.until_ms;
    }
    doh_health_worked(&h, now, now - 20);
    assert_int_equal(h.srtt_us, 20000);
    doh_health_failed(&h, now, DOH_BACKOFF_MIN_MS, 88);
    assert_int_equal(h.backoff.until_ms - now, 100);
    doh_health_forgive(&h);
    assert_false(doh_health_backing_off(&h, now));
    doh_health_failed(&h, now, DOH_BACKOFF_MIN_MS, 88); /* from the beginning */
    assert_int_equal(h.backoff.until_ms - now, 100);
}

static void the_jitter_is_full(void **state)
{
    (void)state;
    uint64_t least = UINT64_MAX, most = 0;
    for (uint32_t random = 0; random < 5000; random++) {
        struct doh_health h = {0};
        doh_health_failed(&h, NOW, 1000, random);
        uint64_t wait = h.backoff.until_ms - NOW;
        least = wait < least ? wait : least;
        most = wait > most ? wait : most;
    }
    assert_int_equal(least, 125);
    assert_int_equal(most, 1000);
}

static void three_lies_in_a_minute(void **state)
{
    (void)state;
    struct doh_health h = {0};
    assert_false(doh_health_lied(&h, NOW));
    assert_false(doh_health_lied(&h, NOW + 30000));
    assert_false(doh_health_lied(&h, NOW + 60001)); /* the first is too long ago */
    assert_int_equal(doh_health_quarantine_ms(&h, NOW + 60001), 0);
    assert_true(doh_health_lied(&h, NOW + 60002));
    assert_int_equal(doh_health_quarantine_ms(&h, NOW + 60002), 60000);
    assert_false(doh_health_lied(&h, NOW + 60003)); /* changes nothing meanwhile */
    assert_int_equal(doh_health_quarantine_ms(&h, NOW + 60002 + 60000), 0);
}

static void quarantine_doubles_and_is_forgiven(void **state)
{
    (void)state;
    struct doh_health h = {0};
    uint64_t now = NOW;
    static const uint32_t want_s[] = {60, 120, 240, 480, 960, 1920, 3600, 3600};
    for (size_t i = 0; i < COUNT(want_s); i++) {
        (void)doh_health_lied(&h, now);
        (void)doh_health_lied(&h, now);
        assert_true(doh_health_lied(&h, now));
        assert_int_equal(doh_health_quarantine_ms(&h, now), want_s[i] * 1000);
        now = h.quarantine_until_ms;
    }
    now += 600001;
    (void)doh_health_lied(&h, now);
    (void)doh_health_lied(&h, now);
    assert_true(doh_health_lied(&h, now));
    assert_int_equal(doh_health_quarantine_ms(&h, now), 60000);
}

static void the_round_trip_is_smoothed(void **state)
{
    (void)state;
    struct doh_health h = {0};
    doh_health_worked(&h, NOW, NOW); /* below a millisecond is not "never" */
    assert_int_equal(h.srtt_us, 1);
    for (unsigned i = 0; i < 100; i++)
        doh_health_worked(&h, NOW, NOW - 80);
    assert_in_range(h.srtt_us, 79000, 80000);
}

enum {
    FINE = 'f',
    BACKING_OFF = 'b',
    BACKING_OFF_LONG = 'B',
    LIAR = 'l',
    SHUT = 's',
    AWAY = 'a',
    FAR = 'F'
};

static void choices(void **state)
{
    (void)state;
    static const struct {
        const char *what, *states;
        uint32_t eligible, avoid, want;
    } cases[] = {
        {"the first", "fff", 7, 0, 0},
        {"tried ones are out", "fff", 6, 0, 1},
        {"none left", "fff", 0, 0, DOH_NONE},
        {"one that backs off is passed over", "bff", 7, 0, 1},
        {"an avoided one is passed over", "fff", 7, 1, 1},
        {"all avoided: the first", "fff", 7, 7, 0},
        {"a liar is passed over", "lff", 7, 0, 1},
        {"a liar rather than an avoided one", "fl", 3, 1, 1},
        {"a liar rather than one that backs off", "bl", 3, 0, 1},
        {"an avoided one rather than one that backs off", "fb", 3, 1, 0},
        {"all back off: the one whose time comes first", "Bb", 3, 0, 1},
        {"all back off: not the avoided one", "bB", 3, 1, 1},
        {"shut is out", "sf", 3, 0, 1},
        {"all shut", "ss", 3, 0, DOH_NONE},
        {"shut although nothing else is left", "sb", 1, 0, DOH_NONE},
        {"one that is away is passed over", "af", 3, 0, 1},
        {"an avoided one rather than one that is away", "fa", 3, 1, 0},
        {"one that is far is passed over", "Ff", 3, 0, 1},
        {"one that is far rather than a liar", "Fl", 3, 0, 0},
        {"all are far: the first", "FF", 3, 0, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        print_message("%s\n", cases[i].what);
        struct doh_health health[3] = {0};
        struct doh_candidate candidate[3] = {
            {.health = &health[0]}, {.health = &health[1]}, {.health = &health[2]}};
        uint32_t count = (uint32_t)strlen(cases[i].states);
        for (uint32_t u = 0; u < count; u++) {
            switch (cases[i].states[u]) {
            case BACKING_OFF: health[u].backoff.until_ms = NOW + 10; break;
            case BACKING_OFF_LONG: health[u].backoff.until_ms = NOW + 20; break;
            case LIAR: health[u].quarantine_until_ms = NOW + 10; break;
            case SHUT: health[u].shut_until_ms = NOW + 10; break;
            case AWAY: candidate[u].away = true; break;
            case FAR: candidate[u].far = true; break;
            default: break;
            }
        }
        const struct doh_choice choice = {.candidate = candidate,
                                          .count = count,
                                          .eligible = cases[i].eligible,
                                          .avoid = cases[i].avoid,
                                          .mode = DOH_FAILOVER};
        assert_int_equal(doh_choose(&choice, NOW), cases[i].want);
        bool fine = cases[i].want != DOH_NONE && strchr("fF", cases[i].states[cases[i].want]) &&
                    !(cases[i].avoid & (1u << cases[i].want));
        if (cases[i].want != DOH_NONE)
            assert_int_equal(doh_choice_is_fine(&choice, cases[i].want, NOW), fine);
    }
}

/* How often each of three is chosen in so many draws. */
struct tally {
    unsigned of[3];
};

static struct tally draw_many(const struct doh_candidate *candidate, enum doh_choice_mode mode,
                              unsigned count, uint64_t now)
{
    struct tally tally = {0};
    uint64_t random = 88172645463325252u;
    for (unsigned i = 0; i < count; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        const struct doh_choice choice = {.candidate = candidate,
                                          .count = 3,
                                          .eligible = 7,
                                          .mode = mode,
                                          .draw = mode == DOH_ROUND_ROBIN ? i : random};
        uint32_t chosen = doh_choose(&choice, now);
        assert_in_range(chosen, 0, 2);
        tally.of[chosen]++;
    }
    return tally;
}

static void the_fastest_of_two(void **state)
{
    (void)state;
    struct doh_health health[3] = {0};
    struct doh_candidate c[3] = {
        {.health = &health[0]}, {.health = &health[1]}, {.health = &health[2]}};
    for (unsigned i = 0; i < 3; i++)
        doh_health_worked(&health[i], NOW, NOW - 10 * (i + 1));
    struct tally t = draw_many(c, DOH_FASTEST, 3000, NOW);
    assert_in_range(t.of[0], 1900, 2100); /* in two of three pairs */
    assert_in_range(t.of[1], 900, 1100);
    assert_in_range(t.of[2], 3, 25); /* explored only: one pick in 300 */
    c[0].load = 4;
    t = draw_many(c, DOH_FASTEST, 3000, NOW); /* 50, 20, 30 */
    assert_in_range(t.of[0], 3, 25);
    assert_in_range(t.of[1], 1900, 2100);
    c[0].load = 0;
    for (unsigned i = 0; i < 7; i++) { /* seven failures weigh as eight times the time */
        health[0].backoff.until_ms = 0;
        doh_health_failed(&health[0], NOW, 100, 0);
    }
    t = draw_many(c, DOH_FASTEST, 3000, health[0].backoff.until_ms);
    assert_in_range(t.of[0], 3, 25);
    t = draw_many(c, DOH_FASTEST, 3000, NOW + 600000); /* ten minutes later they count no more */
    assert_in_range(t.of[0], 1800, 2100);
}

static void what_was_slow_is_tried_again(void **state)
{
    (void)state;
    struct doh_health slow = {0};
    doh_health_worked(&slow, NOW, NOW - 800);
    assert_int_equal(doh_health_expected_us(&slow, NOW), 800000);
    assert_int_equal(doh_health_expected_us(&slow, NOW + 30000), 400000);
    assert_in_range(doh_health_expected_us(&slow, NOW + 600000), 30000, 40000);
    struct doh_health never = {0};
    assert_int_equal(doh_health_expected_us(&never, NOW), 0); /* tried first */
}

static void failures_are_forgotten_by_half(void **state)
{
    (void)state;
    struct doh_health h = {0};
    doh_health_worked(&h, NOW, NOW - 100);
    doh_health_failed(&h, NOW, 100, 0);
    h.latency.last_ms = NOW + 3600000; /* the round trip does not age here */
    static const struct {
        uint64_t later_ms, want_us;
    } cases[] = {{0, 200000}, {30000, 175000}, {60000, 150000}, {120000, 125000}, {960000, 100000}};
    for (unsigned i = 0; i < COUNT(cases); i++) {
        h.latency.last_ms = NOW + cases[i].later_ms;
        assert_int_equal(doh_health_expected_us(&h, NOW + cases[i].later_ms), cases[i].want_us);
    }
}

static void in_turn(void **state)
{
    (void)state;
    struct doh_health health[3] = {0};
    const struct doh_candidate c[3] = {
        {.health = &health[0]}, {.health = &health[1]}, {.health = &health[2]}};
    struct tally t = draw_many(c, DOH_ROUND_ROBIN, 300, NOW);
    assert_int_equal(t.of[0], 100);
    assert_int_equal(t.of[1], 100);
    health[1].backoff.until_ms = NOW + 10;
    t = draw_many(c, DOH_ROUND_ROBIN, 300, NOW);
    assert_int_equal(t.of[0], 150);
    assert_int_equal(t.of[1], 0);
}

static void tiers_come_first(void **state)
{
    (void)state;
    static const enum doh_choice_mode modes[] = {DOH_FAILOVER, DOH_FASTEST, DOH_ROUND_ROBIN,
                                                 DOH_SPREAD};
    for (unsigned m = 0; m < COUNT(modes); m++) {
        struct doh_health health[3] = {0};
        const struct doh_candidate c[3] = {{.health = &health[0], .tier = 1},
                                           {.health = &health[1], .identity = 1, .far = true},
                                           {.health = &health[2], .identity = 2, .far = true}};
        struct tally t = draw_many(c, modes[m], 200, NOW);
        assert_int_equal(t.of[0], 0);
        health[1].backoff.until_ms = health[2].quarantine_until_ms = NOW + 10;
        t = draw_many(c, modes[m], 200, NOW);
        assert_int_equal(t.of[0], 200);
    }
}

static uint32_t spread_to(const struct doh_candidate *c, uint32_t eligible, const char *name)
{
    struct dns_name n;
    assert_int_equal(dns_name_parse(name, &n), DNS_OK);
    const struct doh_choice choice = {.candidate = c,
                                      .count = 3,
                                      .eligible = eligible,
                                      .mode = DOH_SPREAD,
                                      .draw = doh_spread_hash(&n)};
    return doh_choose(&choice, NOW);
}

static void names_are_spread_by_domain(void **state)
{
    (void)state;
    struct doh_health health[3] = {0};
    const struct doh_candidate c[3] = {
        {.health = &health[0], .identity = doh_spread_identity("https://one/")},
        {.health = &health[1], .identity = doh_spread_identity("https://two/")},
        {.health = &health[2], .identity = doh_spread_identity("https://three/")}};
    static const char *const same[][3] = {
        {"example.com", "www.example.com", "A.b.EXAMPLE.com"},
        {"example.co.uk", "www.example.co.uk", "a.b.example.CO.UK"},
        {"example.com.au", "x.example.com.au", "y.example.com.au"},
        {"example.de", "www.example.de", "a.b.example.de"},
        {"com", "COM", "com"},
    };
    for (unsigned i = 0; i < COUNT(same); i++)
        for (unsigned j = 1; j < 3; j++)
            assert_int_equal(spread_to(c, 7, same[i][0]), spread_to(c, 7, same[i][j]));
    unsigned of[3] = {0}, moved = 0;
    for (unsigned i = 0; i < 3000; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "domain%u.co.uk", i);
        uint32_t all = spread_to(c, 7, name), without = spread_to(c, 3, name);
        of[all]++;
        moved += all != 2 && all != without; /* what was not at the one that went stays */
    }
    for (unsigned i = 0; i < 3; i++)
        assert_in_range(of[i], 900, 1100);
    assert_int_equal(moved, 0);
}

static void operators_are_kin(void **state)
{
    (void)state;
    static const char *const operators[] = {"Quad9", "cloudflare", "quad9", "google"};
    assert_int_equal(doh_choice_kin(operators, 4, 0), 0);
    assert_int_equal(doh_choice_kin(operators, 4, 1), 5);
    assert_int_equal(doh_choice_kin(operators, 4, 4), 5);
    assert_int_equal(doh_choice_kin(operators, 4, 2), 2);
    assert_int_equal(doh_choice_kin(operators, 4, 0x8000000a), 0x8000000a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backoff_doubles_up_to_its_end),
        cmocka_unit_test(the_jitter_is_full),
        cmocka_unit_test(three_lies_in_a_minute),
        cmocka_unit_test(quarantine_doubles_and_is_forgiven),
        cmocka_unit_test(the_round_trip_is_smoothed),
        cmocka_unit_test(choices),
        cmocka_unit_test(the_fastest_of_two),
        cmocka_unit_test(what_was_slow_is_tried_again),
        cmocka_unit_test(failures_are_forgotten_by_half),
        cmocka_unit_test(in_turn),
        cmocka_unit_test(tiers_come_first),
        cmocka_unit_test(names_are_spread_by_domain),
        cmocka_unit_test(operators_are_kin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
