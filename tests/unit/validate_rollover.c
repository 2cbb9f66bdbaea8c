// SPDX-License-Identifier: MIT
/* RFC 5011, story by story: a synthetic zone rolls its keys while time is moved. Key 0 stands for
 * the root's 20326, key 1 for 38696, key 2 for one that nobody has configured. Key tags may collide
 * by chance; then the bench makes others. */
#include "tests/test.h"
#include "tests/unit/rollover_bench.h"

static struct rollover_bench bench;

#define SEEN(published, signers, want) assert_int_equal(bench_see(b, published, signers), want)
#define STATES(text) assert_string_equal(bench_states(b), text)
#define CHANGES(text) assert_string_equal(b->changes, text)
#define TRUSTED(bits) assert_int_equal(bench_trusted(b), bits)

static bool tags_collide(const struct rollover_bench *b)
{
    for (uint32_t i = 0; i < BENCH_KEYS; i++)
        for (uint32_t j = 0; j < BENCH_KEYS; j++)
            if ((i != j && b->tag[i] == b->tag[j]) || b->tag[i] == b->revoked_tag[j])
                return true;
    return false;
}

static struct rollover_bench *opened(uint32_t configured)
{
    bench_open(&bench, ".", configured);
    while (tags_collide(&bench)) {
        bench_close(&bench);
        bench_open(&bench, ".", configured);
    }
    return &bench;
}

/* --- which keys a start believes ------------------------------------------------------------- */

static void any_one_configured_key_suffices(void **state)
{
    (void)state;
    static const struct {
        uint32_t configured, published, signers;
        const char *states;
        uint32_t trusted;
    } starts[] = {
        {K(0) | K(1), K(0), K(0), "0:valid ", K(0) | K(1)},                /* before the roll */
        {K(0) | K(1), K(0) | K(1), K(0), "0:valid 1:valid ", K(0) | K(1)}, /* published */
        {K(0) | K(1), K(0) | K(1), K(1), "0:valid 1:valid ", K(0) | K(1)}, /* rolled */
        {K(0) | K(1), K(1), K(1), "1:valid ", K(0) | K(1)},                /* only the second */
        {K(0), K(0) | K(1), K(0), "0:valid 1:addpend ", K(0)}, /* an old configuration */
        {K(1), K(0) | K(1), K(1), "0:addpend 1:valid ", K(1)},
    };
    for (size_t i = 0; i < COUNT(starts); i++) {
        struct rollover_bench *b = opened(starts[i].configured);
        SEEN(starts[i].published, starts[i].signers, VAL_ROLLOVER_CHANGED);
        STATES(starts[i].states);
        TRUSTED(starts[i].trusted);
        bench_close(b);
    }
}

/* --- only proven sets change anything (RFC 5011 2.2: "validated") ---------------------------- */

static void a_set_that_is_not_proven_changes_nothing(void **state)
{
    (void)state;
    struct rollover_bench *b = opened(K(0));
    static struct world_answer a;
    SEEN(K(0) | K(1), K(0), VAL_ROLLOVER_CHANGED);
    STATES("0:valid 1:addpend ");
    b->now_s += 40 * DAY;
    char *before = val_rollover_text(b->rollover);
    SEEN(K(0) | K(1) | K(2), K(1), VAL_ROLLOVER_FAILED); /* signed by one who is pending */
    SEEN(K(0) | K(1) | K(2), K(2), VAL_ROLLOVER_FAILED); /* by a stranger */
    SEEN(K(1), K(1), VAL_ROLLOVER_FAILED);               /* the trusted key is left out */
    SEEN(K(0) | K(1), NOBODY, VAL_ROLLOVER_FAILED);      /* not signed */
    SEEN(NOBODY, NOBODY, VAL_ROLLOVER_FAILED);           /* empty */
    assert_int_equal(bench_see_answer(b, NULL), VAL_ROLLOVER_FAILED); /* no answer */
    bench_answer(b, K(0) | K(1), K(0), &a);
    world_flip(&a, DNS_TYPE_DNSKEY, true); /* the signature is wrong */
    assert_int_equal(bench_see_answer(b, &a), VAL_ROLLOVER_FAILED);
    b->validity_s = (uint64_t)-1800; /* the signature has expired */
    SEEN(K(0) | K(1), K(0), VAL_ROLLOVER_FAILED);
    b->validity_s = 21 * DAY;
    STATES("0:valid 1:addpend ");
    CHANGES("");
    TRUSTED(K(0));
    /* only the time of the next look is another */
    char *after = val_rollover_text(b->rollover);
    assert_string_equal(strchr(before, '\n'), strchr(after, '\n'));
    free(before);
    free(after);
    SEEN(K(0) | K(1), K(0), VAL_ROLLOVER_CHANGED);
    CHANGES("1:addpend>valid ");
    bench_close(b);
}

static void a_set_of_another_zone_is_not_looked_at(void **state)
{
    (void)state;
    struct rollover_bench *b = opened(K(0));
    static struct world_answer a;
    struct dns_name other = world_name("example.");
    bench_answer(b, K(0), K(0), &a);
    for (uint32_t i = 0; i < a.count; i++)
        a.rr[i].owner = other;
    assert_int_equal(bench_see_answer(b, &a), VAL_ROLLOVER_FAILED);
    STATES("");
    bench_close(b);
}

/* --- a new key: the add hold-down (RFC 5011 2.4.1, 4.1) -------------------------------------- */

static void a_new_key_is_trusted_after_thirty_days(void **state)
{
    (void)state;
    struct rollover_bench *b = opened(K(0));
    SEEN(K(0), K(0), VAL_ROLLOVER_CHANGED);
    SEEN(K(0) | K(2), K(0), VAL_ROLLOVER_CHANGED);
    CHANGES("2:start>addpend ");
    TRUSTED(K(0));
    for (unsigned day = 1; day < 30; day++) {
        b->now_s += DAY;
        SEEN(K(0) | K(2), K(0), VAL_ROLLOVER_SAME);
    }
    b->now_s = BEGIN + 30 * DAY - 1;
    SEEN(K(0) | K(2), K(0), VAL_ROLLOVER_SAME);
    TRUSTED(K(0));
    SEEN(K(0) | K(2), K(2), VAL_ROLLOVER_FAILED); /* nor may it sign yet */
    b->now_s++;
    TRUSTED(K(0)); /* time alone does nothing: it must be seen once more */
    SEEN(K(0) | K(2), K(0), VAL_ROLLOVER_CHANGED);
    CHANGES("2:addpend>valid ");
    TRUSTED(K(0) | K(2));
    SEEN(K(0) | K(2), K(2), VAL_ROLLOVER_SAME); /* now it may */
    bench_close(b);
}

static void a_longer_ttl_makes_the_hold_down_longer(void **state)
{
    (void)state;
    struct rollover_bench *b = opened(K(0));
    b->ttl_s = (uint32_t)(45 * DAY);
    SEEN(K(0) | K(2), K(0), VAL_ROLLOVER_CHANGED);
    b->ttl_s = 3600; /* of the first set that had it: later ones do not shorten it */
    b->now_s = BEGIN + 45 * DAY - 1;
    SEEN(K(0) | K(2), K(0), VAL_ROLLOVER_SAME);
    b->now_s++;
    SEEN(K(0) | K(2), K(0), VAL_ROLLOVER_CHANGED);
    TRUSTED(K(0) | K(2));
    bench_close(b);
}

static void a_pending_key_that_is_left_out_starts_anew(void **state)
{
    (void)state;
    struct rollover_bench *b = opened(K(0));
    SEEN(K(0) | K(2), K(0), VAL_ROLLOVER_CHANGED);
    b->now_s += 29 * DAY;
    SEEN(K(0), K(0), VAL_ROLLOVER_CHANGED);
    CHANGES("2:addpend>start ");
    STATES("0:valid ");
    b->now_s += 2 * DAY;
    SEEN(K(0) | K(2), K(0), VAL_ROLLOVER_CHANGED);
    CHANGES("2:start>addpend ");
    b->now_s += 29 * DAY;
    SEEN(K(0) | K(2), K(0), VAL_ROLLOVER_SAME);
    b->now_s += DAY;
    SEEN(K(0) | K(2), K(0), VAL_ROLLOVER_CHANGED);
    CHANGES("2:addpend>valid ");
    bench_close(b);
}

/* RFC 5011 2.4.1: only keys with SEP; and none that could not be used. */
static void keys_without_sep_are_not_followed(void **state)
{
    (void)state;
    struct rollover_bench *b = opened(K(0));
    static struct world_answer a;
    static struct world_answer whole;
    SEEN(K(0), K(0), VAL_ROLLOVER_CHANGED);
    bench_close(b);

    b = opened(NOBODY);
    b->flags = DNS_KEY_ZONE;
    for (uint32_t i = 0; i < 2; i++) {
        uint8_t rdata[128];
        uint16_t len = bench_rdata(b, i, false, rdata);
        b->tag[i] = dns_key_tag(rdata, len);
    }
    bench_configure(b, 0, 0, VAL_ANCHOR_ALWAYS);
    bench_follow(b);
    bench_answer(b, K(0) | K(1), K(0), &whole);
    a = whole;
    assert_int_equal(bench_see_answer(b, &a), VAL_ROLLOVER_SAME); /* proven, nothing to follow */
    STATES("");
    TRUSTED(K(0)); /* a configured key without SEP stays what it was */
    bench_close(b);
}

static void a_flood_of_new_keys_is_bounded(void **state)
{
    (void)state;
    struct rollover_bench *b = opened(K(0));
    SEEN(K(0) | (K(18) - 2), K(0), VAL_ROLLOVER_CHANGED);
    struct val_rollover_key keys[64];
    uint32_t count = val_rollover_keys(b->rollover, 0, keys, 64);
    assert_int_equal(count, 1 + 8);
    TRUSTED(K(0));
    bench_close(b);
}

/* --- a key that goes missing (RFC 5011 4.2) -------------------------------------------------- */

static void a_missing_key_stays_trusted_however_long(void **state)
{
    (void)state;
    struct rollover_bench *b = opened(K(0) | K(1));
    SEEN(K(0) | K(1), K(0), VAL_ROLLOVER_CHANGED);
    b->now_s += DAY;
    SEEN(K(0), K(0), VAL_ROLLOVER_CHANGED);
    CHANGES("1:valid>missing ");
    TRUSTED(K(0) | K(1));
    b->now_s += 3650 * DAY;
    SEEN(K(0), K(0), VAL_ROLLOVER_SAME);
    STATES("0:valid 1:missing ");
    TRUSTED(K(0) | K(1));
    SEEN(K(0) | K(1), K(1), VAL_ROLLOVER_CHANGED); /* and may come back, at once */
    CHANGES("1:missing>valid ");
    bench_close(b);
}

/* --- revocation (RFC 5011 2.1, 2.4.2) -------------------------------------------------------- */

static void the_first_key_is_revoked_by_itself(void **state)
{
    (void)state;
    struct rollover_bench *b = opened(K(0) | K(1));
    assert_int_equal(b->revoked_tag[0], (uint16_t)(b->tag[0] + 128));
    SEEN(K(0) | K(1), K(1), VAL_ROLLOVER_CHANGED);
    TRUSTED(K(0) | K(1));
    SEEN(REVOKED_FORM(K(0)) | K(1), REVOKED_FORM(K(0)) | K(1), VAL_ROLLOVER_CHANGED);
    CHANGES("0:valid>revoked ");
    TRUSTED(K(1));                                /* at once, and though its DS is configured */
    SEEN(K(0) | K(1), K(0), VAL_ROLLOVER_FAILED); /* it speaks for nothing any more */
    SEEN(K(0) | K(1), K(0) | K(1), VAL_ROLLOVER_SAME); /* nor does it rise again */
    STATES("0:revoked 1:valid ");
    b->now_s += 400 * DAY;
    SEEN(K(0) | K(1), K(1), VAL_ROLLOVER_SAME); /* published in whatever form, it is not gone */
    STATES("0:revoked 1:valid ");
    SEEN(K(1), K(1), VAL_ROLLOVER_CHANGED);
    STATES("0:removed 1:valid ");
    SEEN(K(0) | K(1), K(1), VAL_ROLLOVER_SAME);
    b->now_s += 400 * DAY;
    SEEN(K(0) | K(1), K(1), VAL_ROLLOVER_SAME);
    STATES("0:removed 1:valid ");
    TRUSTED(K(1));
    bench_close(b);
}

static void a_revoked_key_is_removed_after_thirty_days_unseen(void **state)
{
    (void)state;
    struct rollover_bench *b = opened(K(0) | K(1));
    uint64_t both = REVOKED_FORM(K(0)) | K(1);
    SEEN(K(0) | K(1), K(1), VAL_ROLLOVER_CHANGED);
    SEEN(both, both, VAL_ROLLOVER_CHANGED);
    for (unsigned i = 0; i < 4; i++) { /* as long as it is seen, it is not removed */
        b->now_s += 20 * DAY;
        SEEN(both, both, VAL_ROLLOVER_SAME);
        STATES("0:revoked 1:valid ");
    }
    b->now_s += 30 * DAY - 1;
    SEEN(K(1), K(1), VAL_ROLLOVER_SAME);
    b->now_s++;
    SEEN(K(1), K(1), VAL_ROLLOVER_CHANGED);
    CHANGES("0:revoked>removed ");
    TRUSTED(K(1));
    bench_close(b);
}

/* RFC 5011 2.1: "self-signed" is part of it: anybody who may sign the set could revoke otherwise.
 */
static void revoke_without_its_own_signature_says_nothing(void **state)
{
    (void)state;
    struct rollover_bench *b = opened(K(0) | K(1));
    static struct world_answer a;
    SEEN(K(0) | K(1), K(1), VAL_ROLLOVER_CHANGED);
    SEEN(REVOKED_FORM(K(0)) | K(1), K(1), VAL_ROLLOVER_CHANGED);
    CHANGES("0:valid>missing ");
    TRUSTED(K(0) | K(1));
    SEEN(REVOKED_FORM(K(0)) | K(1), K(0) | K(1), VAL_ROLLOVER_SAME); /* the old tag is not it */
    bench_answer(b, REVOKED_FORM(K(0)) | K(1), REVOKED_FORM(K(0)), &a);
    world_flip(&a, DNS_TYPE_DNSKEY, true);
    assert_int_equal(bench_see_answer(b, &a), VAL_ROLLOVER_FAILED);
    STATES("0:missing 1:valid ");
    b->validity_s = (uint64_t)-1800; /* signed once, expired since */
    SEEN(REVOKED_FORM(K(0)), REVOKED_FORM(K(0)), VAL_ROLLOVER_FAILED);
    TRUSTED(K(0) | K(1));
    bench_close(b);
}

/* RFC 5011 2.1, 5: the last key may revoke itself, with nobody else to prove the set. */
static void with_the_last_key_revoked_nothing_is_believed(void **state)
{
    (void)state;
    struct rollover_bench *b = opened(K(0));
    uint64_t until_s;
    SEEN(K(0), K(0), VAL_ROLLOVER_CHANGED);
    SEEN(REVOKED_FORM(K(0)) | K(2), REVOKED_FORM(K(0)), VAL_ROLLOVER_CHANGED);
    CHANGES("0:valid>revoked ");
    TRUSTED(NOBODY);
    struct val_anchors *used = val_rollover_anchors(b->rollover, b->now_s, &until_s);
    struct val_anchor_hit hit = val_anchors_find(used, &dns_root, b->now_s);
    assert_int_equal(hit.kind, VAL_ANCHOR_POSITIVE); /* bogus, not insecure */
    assert_int_equal(hit.ds.count, 0);
    val_anchors_unref(used);
    SEEN(K(0) | K(2), K(0) | K(2), VAL_ROLLOVER_FAILED);
    bench_close(b);
}

/* RFC 5011 5: below another trust point a deleted one is as if it had never been. */
static void a_lower_trust_point_gives_way_to_the_one_above(void **state)
{
    (void)state;
    struct rollover_bench *b = &bench;
    uint8_t ds[36] = {1, 1, DNS_ALG_ED25519, DNS_DIGEST_SHA256};
    uint64_t until_s;
    bench_open(b, "island.example.", K(0));
    struct val_anchor root = {dns_root, {ds, sizeof ds}, 0, VAL_ANCHOR_ALWAYS, "root:1"};
    assert_int_equal(val_anchors_add(b->configured, &root), DNS_OK);
    bench_follow(b);
    assert_int_equal(val_rollover_count(b->rollover), 2);
    SEEN(REVOKED_FORM(K(0)), REVOKED_FORM(K(0)), VAL_ROLLOVER_CHANGED); /* never seen before */
    STATES("0:revoked ");
    struct val_anchors *used = val_rollover_anchors(b->rollover, b->now_s, &until_s);
    struct val_anchor_hit hit = val_anchors_find(used, &b->zone, b->now_s);
    assert_int_equal(hit.zone->labels, 0);
    assert_int_equal(hit.ds.count, 1);
    val_anchors_unref(used);
    bench_close(b);
}

static void revocation_of_a_stranger_is_not_kept(void **state)
{
    (void)state;
    struct rollover_bench *b = opened(K(0));
    SEEN(K(0) | REVOKED_FORM(K(2) | K(3)), K(0) | REVOKED_FORM(K(2) | K(3)), VAL_ROLLOVER_CHANGED);
    STATES("0:valid ");
    bench_close(b);
}

static void a_pending_key_can_be_revoked(void **state)
{
    (void)state;
    struct rollover_bench *b = opened(K(0));
    uint64_t with = K(0) | REVOKED_FORM(K(2));
    SEEN(K(0) | K(2), K(0), VAL_ROLLOVER_CHANGED);
    SEEN(with, with, VAL_ROLLOVER_CHANGED);
    CHANGES("2:addpend>revoked ");
    b->now_s += 60 * DAY;
    SEEN(K(0) | K(2), K(0), VAL_ROLLOVER_SAME);
    STATES("0:valid 2:revoked ");
    SEEN(K(0), K(0), VAL_ROLLOVER_CHANGED);
    STATES("0:valid 2:removed ");
    b->now_s += 60 * DAY;
    SEEN(K(0) | K(2), K(0), VAL_ROLLOVER_SAME);
    TRUSTED(K(0));
    bench_close(b);
}

/* --- the whole way of a key, and a machine that was off -------------------------------------- */

static void three_keys_roll_one_after_the_other(void **state)
{
    (void)state;
    struct rollover_bench *b = opened(K(0));
    for (uint32_t old = 0; old < 6; old++) {
        uint32_t new = old + 1;
        uint64_t gone = REVOKED_FORM(K(old)) | K(new);
        SEEN(K(old), K(old), old == 0 ? VAL_ROLLOVER_CHANGED : VAL_ROLLOVER_SAME);
        SEEN(K(old) | K(new), K(old), VAL_ROLLOVER_CHANGED);
        b->now_s += 31 * DAY;
        SEEN(K(old) | K(new), K(old), VAL_ROLLOVER_CHANGED);
        TRUSTED(K(old) | K(new));
        SEEN(K(old) | K(new), K(new), VAL_ROLLOVER_SAME);
        SEEN(gone, gone, VAL_ROLLOVER_CHANGED);
        TRUSTED(K(new));
        b->now_s += 31 * DAY;
        SEEN(K(new), K(new), VAL_ROLLOVER_CHANGED);
    }
    STATES("0:removed 1:removed 2:removed 3:removed 4:removed 5:removed 6:valid ");
    bench_close(b);
}

static void off_for_a_whole_roll_the_second_anchor_helps(void **state)
{
    (void)state;
    struct rollover_bench *b = opened(K(0) | K(1));
    uint64_t gone = REVOKED_FORM(K(0)) | K(1) | K(2);
    SEEN(K(0) | K(1), K(0), VAL_ROLLOVER_CHANGED);
    b->now_s += 400 * DAY;
    SEEN(gone, K(1) | REVOKED_FORM(K(0)), VAL_ROLLOVER_CHANGED);
    CHANGES("0:valid>revoked 2:start>addpend ");
    TRUSTED(K(1));
    bench_close(b);
}

static void dates_of_configured_anchors_bind_what_was_learnt_of_them(void **state)
{
    (void)state;
    struct rollover_bench *b = opened(K(1));
    bench_configure(b, 0, BEGIN, BEGIN + 10 * DAY);
    bench_follow(b);
    SEEN(K(0) | K(1), K(0), VAL_ROLLOVER_CHANGED);
    TRUSTED(K(0) | K(1));
    b->now_s += 10 * DAY;
    TRUSTED(K(1));
    SEEN(K(0) | K(1), K(0), VAL_ROLLOVER_FAILED);
    bench_close(b);
}

/* --- when to look again (RFC 5011 2.3) ------------------------------------------------------- */

static void intervals_are_those_of_the_rfc(void **state)
{
    (void)state;
    static const struct {
        uint64_t ttl_s, validity_s, refresh_s, retry_s;
    } rows[] = {
        {172800, 21 * DAY, DAY, 17280},       /* the root: half and a tenth of the TTL */
        {3600, 21 * DAY, 3600, 3600},         /* never more often than once an hour */
        {172800, DAY, DAY / 2, 8640},         /* half and a tenth of the signature's life */
        {60 * DAY, 100 * DAY, 15 * DAY, DAY}, /* at least every 15 days; retried daily */
        {60, 120, 3600, 3600},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rollover_bench *b = opened(K(0));
        assert_int_equal(val_rollover_due_s(b->rollover, 0), 0);
        b->ttl_s = (uint32_t)rows[i].ttl_s;
        b->validity_s = rows[i].validity_s;
        SEEN(K(0), K(0), VAL_ROLLOVER_CHANGED);
        assert_int_equal(val_rollover_due_s(b->rollover, 0) - b->now_s, rows[i].refresh_s);
        assert_int_equal(val_rollover_seen_s(b->rollover, 0), b->now_s);
        (void)bench_see_answer(b, NULL);
        assert_int_equal(val_rollover_due_s(b->rollover, 0) - b->now_s, rows[i].retry_s);
        bench_close(b);
    }
    struct rollover_bench *b = opened(K(0));
    (void)bench_see_answer(b, NULL); /* nothing is known of the zone yet */
    assert_int_equal(val_rollover_due_s(b->rollover, 0) - b->now_s, 3600);
    bench_close(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_one_configured_key_suffices),
        cmocka_unit_test(a_set_that_is_not_proven_changes_nothing),
        cmocka_unit_test(a_set_of_another_zone_is_not_looked_at),
        cmocka_unit_test(a_new_key_is_trusted_after_thirty_days),
        cmocka_unit_test(a_longer_ttl_makes_the_hold_down_longer),
        cmocka_unit_test(a_pending_key_that_is_left_out_starts_anew),
        cmocka_unit_test(keys_without_sep_are_not_followed),
        cmocka_unit_test(a_flood_of_new_keys_is_bounded),
        cmocka_unit_test(a_missing_key_stays_trusted_however_long),
        cmocka_unit_test(the_first_key_is_revoked_by_itself),
        cmocka_unit_test(a_revoked_key_is_removed_after_thirty_days_unseen),
        cmocka_unit_test(revoke_without_its_own_signature_says_nothing),
        cmocka_unit_test(with_the_last_key_revoked_nothing_is_believed),
        cmocka_unit_test(a_lower_trust_point_gives_way_to_the_one_above),
        cmocka_unit_test(revocation_of_a_stranger_is_not_kept),
        cmocka_unit_test(a_pending_key_can_be_revoked),
        cmocka_unit_test(three_keys_roll_one_after_the_other),
        cmocka_unit_test(off_for_a_whole_roll_the_second_anchor_helps),
        cmocka_unit_test(dates_of_configured_anchors_bind_what_was_learnt_of_them),
        cmocka_unit_test(intervals_are_those_of_the_rfc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
