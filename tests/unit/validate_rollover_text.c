// SPDX-License-Identifier: MIT
/* The state of followed keys, written and read: what was written comes back, and anything else is
 * refused whole. */
#include "tests/test.h"
#include "tests/unit/rollover_bench.h"

static struct rollover_bench bench;

/* A zone with one key in every state there is a line for. */
static struct rollover_bench *with_every_state(void)
{
    struct rollover_bench *b = &bench;
    uint64_t gone = REVOKED_FORM(K(0)) | K(1) | K(2);
    uint64_t late = REVOKED_FORM(K(3)) | K(1) | K(4);
    bench_open(b, ".", K(0) | K(1) | K(2) | K(3));
    assert_int_equal(bench_see(b, K(0) | K(1) | K(2) | K(3), K(1)), VAL_ROLLOVER_CHANGED);
    assert_int_equal(bench_see(b, gone, gone), VAL_ROLLOVER_CHANGED);
    b->now_s += 31 * DAY;
    assert_int_equal(bench_see(b, late, late & ~(uint64_t)K(4)), VAL_ROLLOVER_CHANGED);
    assert_string_equal(bench_states(b), "0:removed 1:valid 2:missing 3:revoked 4:addpend ");
    return b;
}

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    struct rollover_bench *b = with_every_state();
    uint32_t trusted = bench_trusted(b);
    uint64_t due_s = val_rollover_due_s(b->rollover, 0);
    char *text = val_rollover_text(b->rollover);
    bench_follow(b);
    assert_string_equal(bench_states(b), "");
    assert_null(val_rollover_read(b->rollover, text, b->now_s));
    assert_string_equal(bench_states(b), "0:removed 1:valid 2:missing 3:revoked 4:addpend ");
    assert_int_equal(bench_trusted(b), trusted);
    assert_int_equal(val_rollover_due_s(b->rollover, 0), due_s);
    char *again = val_rollover_text(b->rollover);
    assert_string_equal(text, again);
    free(text);
    free(again);
    b->now_s += 30 * DAY; /* the hold-down went on meanwhile */
    assert_int_equal(bench_see(b, K(1) | K(4), K(1)), VAL_ROLLOVER_CHANGED);
    assert_int_equal(bench_trusted(b), K(1) | K(2) | K(4));
    bench_close(b);
}

static void nothing_learnt_is_a_state_too(void **state)
{
    (void)state;
    struct rollover_bench *b = &bench;
    bench_open(b, "island.example.", K(0));
    char *text = val_rollover_text(b->rollover);
    assert_memory_equal(text, "zone island.example. ", 21);
    assert_string_equal(text + 21 + 32, " 0 0 0 0\n");
    assert_null(val_rollover_read(b->rollover, text, b->now_s));
    assert_null(val_rollover_read(b->rollover, "", b->now_s));
    free(text);
    bench_close(b);
}

static void zones_without_an_anchor_are_left_out(void **state)
{
    (void)state;
    struct rollover_bench *b = &bench;
    bench_open(b, "island.example.", K(0));
    char text[256];
    char *own = val_rollover_text(b->rollover);
    (void)snprintf(text, sizeof text, "zone other. %.32s 1 2 3 4\n%.*s5 6 7 8\n", own + 21, 21 + 33,
                   own);
    assert_null(val_rollover_read(b->rollover, text, b->now_s));
    assert_int_equal(val_rollover_count(b->rollover), 1);
    assert_int_equal(val_rollover_seen_s(b->rollover, 0), 5);
    free(own);
    bench_close(b);
}

/* Whoever configures other anchors starts anew with them; what was revoked stays so. */
static void other_anchors_start_anew(void **state)
{
    (void)state;
    struct rollover_bench *b = with_every_state();
    char *text = val_rollover_text(b->rollover);
    bench_configure(b, 5, 0, VAL_ANCHOR_ALWAYS);
    bench_follow(b);
    assert_null(val_rollover_read(b->rollover, text, b->now_s));
    assert_string_equal(bench_states(b), "0:removed 3:revoked ");
    assert_int_equal(val_rollover_due_s(b->rollover, 0), 0);
    assert_int_equal(bench_trusted(b), K(1) | K(2) | K(5)); /* by configuration */
    free(text);
    bench_close(b);
}

#define BASIS "0123456789abcdef0123456789abcdef"
#define KEY "AwEAAaz/"
static const struct {
    const char *what, *text;
} wrong[] = {
    {"no line at all", "x"},
    {"the last line cut off", "zone . " BASIS " 0 0 0 0"},
    {"an empty line", "\nzone . " BASIS " 0 0 0 0\n"},
    {"a line of another kind", "zone . " BASIS " 0 0 0 0\nnote hello\n"},
    {"a word too few", "zone . " BASIS " 0 0 0\n"},
    {"a word too many", "zone . " BASIS " 0 0 0 0 0\n"},
    {"two blanks", "zone . " BASIS "  0 0 0 0\n"},
    {"a blank at the end", "zone . " BASIS " 0 0 0 0 \n"},
    {"a tab", "zone . " BASIS "\t0 0 0 0\n"},
    {"a leading zero", "zone . " BASIS " 00 0 0 0\n"},
    {"a sign", "zone . " BASIS " +0 0 0 0\n"},
    {"a number too large", "zone . " BASIS " 99999999999999999999 0 0 0\n"},
    {"a TTL too large", "zone . " BASIS " 0 0 4294967296 0\n"},
    {"a zone that is no name", "zone a..b " BASIS " 0 0 0 0\n"},
    {"a zone without its last dot", "zone a " BASIS " 0 0 0 0\n"},
    {"no basis", "zone . 0 0 0 0\n"},
    {"a basis too short", "zone . 0123456789abcdef 0 0 0 0\n"},
    {"a basis in capitals", "zone . 0123456789ABCDEF0123456789ABCDEF 0 0 0 0\n"},
    {"a zone twice", "zone . " BASIS " 0 0 0 0\nzone . " BASIS " 0 0 0 0\n"},
    {"a key before its zone", "key valid 1 0 257 8 " KEY "\n"},
    {"a state of no name", "zone . " BASIS " 0 0 0 0\nkey good 1 0 257 8 " KEY "\n"},
    {"a state that has no line", "zone . " BASIS " 0 0 0 0\nkey start 1 0 257 8 " KEY "\n"},
    {"a state in capitals", "zone . " BASIS " 0 0 0 0\nkey VALID 1 0 257 8 " KEY "\n"},
    {"a key twice",
     "zone . " BASIS " 0 0 0 0\nkey valid 1 0 257 8 " KEY "\nkey missing 1 0 257 8 " KEY "\n"},
    {"a key with REVOKE", "zone . " BASIS " 0 0 0 0\nkey revoked 1 0 385 8 " KEY "\n"},
    {"a key that is no zone key", "zone . " BASIS " 0 0 0 0\nkey valid 1 0 1 8 " KEY "\n"},
    {"an algorithm too large", "zone . " BASIS " 0 0 0 0\nkey valid 1 0 257 256 " KEY "\n"},
    {"no key", "zone . " BASIS " 0 0 0 0\nkey valid 1 0 257 8 \n"},
    {"no base64", "zone . " BASIS " 0 0 0 0\nkey valid 1 0 257 8 ****\n"},
    {"base64 of another form", "zone . " BASIS " 0 0 0 0\nkey valid 1 0 257 8 AwEAAR==\n"},
    {"a hold-down too short", "zone . " BASIS " 0 0 0 0\nkey addpend 1000 2592999 257 8 " KEY "\n"},
    {"no hold-down", "zone . " BASIS " 0 0 0 0\nkey addpend 1000 0 257 8 " KEY "\n"},
    {"a hold-down where none belongs",
     "zone . " BASIS " 0 0 0 0\nkey valid 1 2592001 257 8 " KEY "\n"},
    {"a zone seen in the future", "zone . " BASIS " 1700003601 0 0 0\n"},
    {"a look put off for too long", "zone . " BASIS " 0 1701299601 0 0\n"},
    {"a key from the future", "zone . " BASIS " 0 0 0 0\nkey valid 1700003601 0 257 8 " KEY "\n"},
};

static void anything_else_is_refused_whole(void **state)
{
    (void)state;
    struct rollover_bench *b = with_every_state();
    char *before = val_rollover_text(b->rollover);
    for (size_t i = 0; i < COUNT(wrong); i++) {
        const char *why = val_rollover_read(b->rollover, wrong[i].text, 1700000000);
        print_message("%s: %s\n", wrong[i].what, why ? why : "TAKEN");
        assert_non_null(why);
    }
    char *after = val_rollover_text(b->rollover);
    assert_string_equal(before, after);
    /* the neighbours of what was refused are fine */
    assert_null(val_rollover_read(b->rollover,
                                  "zone . " BASIS " 1700003600 1701299600 4294967295 0\n"
                                  "key addpend 1000 2593000 257 8 " KEY "\n",
                                  1700000000));
    free(before);
    free(after);
    bench_close(b);
}

static void long_lines_and_many_keys_are_refused(void **state)
{
    (void)state;
    struct rollover_bench *b = &bench;
    static char text[16384];
    bench_open(b, ".", K(0));
    int len = snprintf(text, sizeof text, "zone . " BASIS " 0 0 0 0\nkey valid 1 0 257 8 ");
    memset(text + len, 'A', 4096);
    text[len + 4096] = '\n';
    text[len + 4097] = '\0';
    assert_string_equal(val_rollover_read(b->rollover, text, b->now_s), "a line is too long");
    for (unsigned keys = 32; keys <= 33; keys++) {
        size_t off = (size_t)snprintf(text, sizeof text, "zone . " BASIS " 0 0 0 0\n");
        for (unsigned i = 0; i < keys; i++)
            off +=
                (size_t)snprintf(text + off, sizeof text - off, "key valid 1 0 257 8 AwEAAaz%c\n",
                                 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijkl"[i]);
        const char *why = val_rollover_read(b->rollover, text, b->now_s);
        if (keys == 32)
            assert_null(why);
        else
            assert_string_equal(why, "more keys than are followed");
    }
    bench_close(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(nothing_learnt_is_a_state_too),
        cmocka_unit_test(zones_without_an_anchor_are_left_out),
        cmocka_unit_test(other_anchors_start_anew),
        cmocka_unit_test(anything_else_is_refused_whole),
        cmocka_unit_test(long_lines_and_many_keys_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
