// SPDX-License-Identifier: MIT
/* Health and choice: arithmetic on a clock of our own. */
#include "doh/choice.h"
#include "tests/test.h"

#define NOW 1000000u

static void backoff_doubles_up_to_its_end(void **state)
{
    (void)state;
    struct doh_health h = {0};
    uint64_t now = NOW;
    uint32_t want[] = {100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000};
    for (size_t i = 0; i < COUNT(want); i++) {
        doh_health_failed(&h, now, DOH_BACKOFF_MIN_MS, 0);
        assert_int_equal(h.retry_at_ms - now, want[i]);
        doh_health_failed(&h, now, DOH_BACKOFF_SLOW_MS, 0); /* of the same cause */
        assert_int_equal(h.retry_at_ms - now, want[i]);
        assert_true(doh_health_backing_off(&h, h.retry_at_ms - 1));
        assert_false(doh_health_backing_off(&h, h.retry_at_ms));
        now = h.retry_at_ms;
    }
    doh_health_worked(&h, now, now - 20);
    assert_int_equal(h.srtt_us, 20000);
    doh_health_failed(&h, now, DOH_BACKOFF_MIN_MS, 0);
    assert_int_equal(h.retry_at_ms - now, 100);
}

static void jitter_takes_up_to_half(void **state)
{
    (void)state;
    uint64_t least = UINT64_MAX, most = 0;
    for (uint32_t random = 0; random < 5000; random++) {
        struct doh_health h = {0};
        doh_health_failed(&h, NOW, 1000, random);
        uint64_t wait = h.retry_at_ms - NOW;
        least = wait < least ? wait : least;
        most = wait > most ? wait : most;
    }
    assert_int_equal(least, 500);
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

enum { FINE = 'f', BACKING_OFF = 'b', BACKING_OFF_LONG = 'B', LIAR = 'l', SHUT = 's' };

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
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        print_message("%s\n", cases[i].what);
        struct doh_health health[3] = {0};
        const struct doh_health *list[3] = {&health[0], &health[1], &health[2]};
        uint32_t count = (uint32_t)strlen(cases[i].states);
        for (uint32_t u = 0; u < count; u++) {
            switch (cases[i].states[u]) {
            case BACKING_OFF: health[u].retry_at_ms = NOW + 10; break;
            case BACKING_OFF_LONG: health[u].retry_at_ms = NOW + 20; break;
            case LIAR: health[u].quarantine_until_ms = NOW + 10; break;
            case SHUT: health[u].shut_until_ms = NOW + 10; break;
            default: break;
            }
        }
        assert_int_equal(doh_choice(list, count, cases[i].eligible, cases[i].avoid, NOW),
                         cases[i].want);
    }
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
        cmocka_unit_test(jitter_takes_up_to_half),
        cmocka_unit_test(three_lies_in_a_minute),
        cmocka_unit_test(quarantine_doubles_and_is_forgiven),
        cmocka_unit_test(the_round_trip_is_smoothed),
        cmocka_unit_test(choices),
        cmocka_unit_test(operators_are_kin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
