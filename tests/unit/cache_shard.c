// SPDX-License-Identifier: MIT
#include "cache/shard.h"
#include "tests/test.h"

#include <malloc.h>
#include <stdlib.h>

static unsigned dropped;

static void on_drop(struct shard_entry *entry)
{
    assert_true(entry->key_len == 5);
    dropped++;
}

/* Keys of five octets whose hashes share a bucket in groups and have fingerprints of their own. */
struct key {
    uint8_t octets[5];
    uint64_t hash;
};

static struct key key_of(uint32_t number)
{
    struct key k = {.hash = (uint64_t)number << 16 | number / 4, .octets = {(uint8_t)(number % 3)}};
    memcpy(k.octets + 1, &number, sizeof number);
    return k;
}

static void put(struct shard *shard, uint32_t number, size_t len)
{
    struct key k = key_of(number);
    struct shard_entry *e = shard_entry_new(k.octets, sizeof k.octets, k.hash, len);
    if (!e)
        abort(); /* unlike cmocka's assertions, the compiler knows that this does not return */
    memset(shard_entry_data(e), 0x55, len); /* all of it is ours */
    shard_put(shard, e);
}

static struct shard_entry *find(struct shard *shard, uint32_t number)
{
    struct key k = key_of(number);
    return shard_find(shard, k.octets, sizeof k.octets, k.hash);
}

/* What it says it holds, counted again from what is there. */
static void check_accounts(const struct shard *shard)
{
    size_t bytes = malloc_usable_size(shard->bucket) + malloc_usable_size(shard->ghost);
    uint32_t count = 0;
    uint32_t kinds[SHARD_KINDS] = {0};
    for (unsigned q = SHARD_SMALL; q <= SHARD_MAIN; q++) {
        size_t queue_bytes = 0;
        for (struct shard_entry *e = shard->fifo[q].oldest; e; e = e->newer) {
            assert_int_equal(e->queue, q);
            assert_int_equal(e->size, malloc_usable_size(e));
            queue_bytes += e->size;
            kinds[e->key_head[0]]++;
            count++;
        }
        assert_int_equal(queue_bytes, shard->fifo[q].bytes);
        bytes += queue_bytes;
    }
    assert_int_equal(bytes, shard->bytes);
    assert_int_equal(count, shard->entry_count);
    assert_memory_equal(kinds, shard->kind_count, sizeof kinds);
    assert_true(shard->bytes <= shard->limit);
}

static void keeps_and_gives_back(void **state)
{
    (void)state;
    struct shard shard;
    dropped = 0;
    assert_true(shard_init(&shard, 1 << 20, on_drop));
    for (uint32_t i = 0; i < 1000; i++)
        put(&shard, i, 24);
    check_accounts(&shard);
    assert_true(shard.bucket_count >= 1000); /* it has grown */
    for (uint32_t i = 0; i < 1000; i++)
        assert_non_null(find(&shard, i));
    assert_null(find(&shard, 1000));
    put(&shard, 7, 100); /* replaces */
    assert_int_equal(dropped, 1);
    shard_remove(&shard, find(&shard, 8));
    assert_null(find(&shard, 8));
    check_accounts(&shard);
    shard_clear(&shard);
    assert_int_equal(dropped, 1001);
    check_accounts(&shard);
    shard_deinit(&shard);
}

static void the_bound_is_exact(void **state)
{
    static const size_t limits[] = {2000, 5000, 20000, 200000};
    (void)state;
    for (size_t l = 0; l < COUNT(limits); l++) {
        print_message("%zu octets\n", limits[l]);
        struct shard shard;
        uint32_t random = 1;
        assert_true(shard_init(&shard, limits[l], NULL));
        for (uint32_t i = 0; i < 3000; i++) {
            random = random * 1103515245u + 12345u;
            put(&shard, random >> 16 & 1023, random >> 8 & 511);
            if (random & 64)
                (void)find(&shard, random >> 20 & 1023);
            check_accounts(&shard);
        }
        assert_true(shard.bytes > limits[l] / 2);
        shard_deinit(&shard);
    }
}

static void too_large_is_not_kept(void **state)
{
    (void)state;
    struct shard shard;
    dropped = 0;
    assert_true(shard_init(&shard, 10000, on_drop));
    put(&shard, 1, 100);
    put(&shard, 2, 5000);
    assert_int_equal(dropped, 1);
    assert_null(find(&shard, 2));
    assert_non_null(find(&shard, 1)); /* nobody had to go for it */
    put(&shard, 1, 6000);
    assert_null(find(&shard, 1)); /* but the older one of the same key is not true any more */
    check_accounts(&shard);
    shard_deinit(&shard);
}

/* A flood of names that are asked for once leaves alone what was asked for twice. */
static void a_flood_stays_small(void **state)
{
    (void)state;
    struct shard shard;
    assert_true(shard_init(&shard, 100000, NULL));
    for (uint32_t i = 0; i < 200; i++) {
        put(&shard, i, 200);
        assert_non_null(find(&shard, i));
    }
    for (uint32_t i = 1000; i < 20000; i++)
        put(&shard, i, 200);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < 200; i++)
        kept += find(&shard, i) != NULL;
    assert_int_equal(kept, 200);
    assert_true(shard.evictions > 18000);
    check_accounts(&shard);
    shard_deinit(&shard);
}

/* What comes again soon after it had to go goes straight to main. */
static void a_ghost_comes_back_to_main(void **state)
{
    (void)state;
    struct shard shard;
    assert_true(shard_init(&shard, 20000, NULL));
    put(&shard, 1, 200);
    uint32_t next = 1000;
    while (find(&shard, 1)) {
        find(&shard, 1)->frequency = 0; /* looking is no asking here */
        put(&shard, next++, 200);
    }
    put(&shard, 1, 200);
    assert_int_equal(find(&shard, 1)->queue, SHARD_MAIN);
    put(&shard, 2, 200);
    assert_int_equal(find(&shard, 2)->queue, SHARD_SMALL);
    put(&shard, 1, 100); /* a newer answer keeps the place of the older one */
    assert_int_equal(find(&shard, 1)->queue, SHARD_MAIN);
    shard_deinit(&shard);
}

/* Hits give a round each in main, at most three. */
static void main_forgets_what_is_asked_no_more(void **state)
{
    (void)state;
    struct shard shard;
    assert_true(shard_init(&shard, 50000, NULL));
    for (uint32_t i = 0; i < 100; i++) {
        put(&shard, i, 200);
        for (unsigned hits = 0; hits < 10; hits++)
            assert_non_null(find(&shard, i));
        assert_int_equal(find(&shard, i)->frequency, 3);
    }
    for (uint32_t i = 1000; i < 3000; i++) { /* a new favourite set */
        put(&shard, i, 200);
        assert_non_null(find(&shard, i));
    }
    for (uint32_t i = 0; i < 100; i++)
        assert_null(find(&shard, i));
    check_accounts(&shard);
    shard_deinit(&shard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_and_gives_back),
        cmocka_unit_test(the_bound_is_exact),
        cmocka_unit_test(too_large_is_not_kept),
        cmocka_unit_test(a_flood_stays_small),
        cmocka_unit_test(a_ghost_comes_back_to_main),
        cmocka_unit_test(main_forgets_what_is_asked_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
