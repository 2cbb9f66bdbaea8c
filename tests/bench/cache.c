// SPDX-License-Identifier: MIT
/* cache [ENTRIES]: what the cache alone takes, for typical answers: one A record and its P-256
 * signature. Prints memory for each, whether the process keeps to the bound while answers come and
 * go, what a look-up takes from 1000 answers up to ENTRIES (1 000 000), alone and in batches as the
 * listener makes them, what a second thread costs the first, and how locks are held. Times are CPU
 * times of the calling thread. */
#include "cache/cache.h"

#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOOKUPS 2000000u
#define BATCH 32u
#define FIRST 1000u
#define MIB ((size_t)1 << 20)

static const struct cache_now now = {.mono_ms = 1000000, .wall_s = 1700000000};

static double cpu_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* cannot fail */
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static size_t resident(void)
{
    unsigned long all = 0;
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file && fscanf(file, "%lu %lu", &all, &pages) != 2)
        pages = 0;
    if (file)
        (void)fclose(file);
    return pages * 4096;
}

static struct cache *new_cache(size_t bytes)
{
    static const uint8_t seed[16] = {1, 2, 3};
    const struct cache_limits limits = {.bytes = bytes,
                                        .max_ttl_s = 86400,
                                        .negative_ttl_s = 3600,
                                        .failure_ttl_s = 1,
                                        .failure_max_ttl_s = 300};
    return cache_new(&limits, seed);
}

/* Names of ten to twenty-five letters below a zone. */
static struct dns_question question_of(uint32_t number)
{
    struct dns_question q = {.type = DNS_TYPE_A, .class_ = DNS_CLASS_IN};
    char text[64];
    uint32_t mixed = number * 2654435761u;
    (void)snprintf(text, sizeof text, "h%09u%.*s.example.net", number, (int)(mixed >> 28),
                   "abcdefghijklmnop");
    (void)dns_name_parse(text, &q.name); /* cannot fail */
    return q;
}

static uint32_t put(struct cache *cache, uint32_t number)
{
    struct dns_question q = question_of(number);
    struct dns_msg_out out;
    uint8_t wire[512];
    uint8_t rdata[128] = {0, 1, 13, 3, 0, 0, 14, 16, 0x7f, 0, 0, 0, 0x60, 0, 0, 0, 0x12, 0x34};
    struct dns_name signer = dns_name_suffix(&q.name, 2);
    memcpy(rdata + 18, signer.wire, signer.len);
    dns_msg_out_init(&out, wire, sizeof wire, 0, DNS_FLAG_QR | DNS_FLAG_RD | DNS_FLAG_RA);
    dns_msg_out_question(&out, &q);
    dns_msg_out_rr(&out, DNS_ANSWER, &q.name, DNS_TYPE_A, DNS_CLASS_IN, 3600, &number, 4);
    dns_msg_out_rr(&out, DNS_ANSWER, &q.name, DNS_TYPE_RRSIG, DNS_CLASS_IN, 3600, rdata,
                   (uint16_t)(18u + signer.len + 64u));
    struct cache_key key = {.question = &q, .route = UINT32_MAX, .dnssec_ok = true};
    struct cache_answer answer = {.wire = wire,
                                  .len = dns_msg_out_finish(&out),
                                  .status = VAL_SECURE,
                                  .expires_s = now.wall_s + 1000000,
                                  .ede = {.code = DNS_EDE_NONE}};
    cache_answer_put(cache, &key, &answer, now);
    return answer.len;
}

static uint32_t look_up_batch(struct cache *cache, const struct dns_question *q, uint32_t count)
{
    static _Thread_local uint8_t buf[DNS_MSG_MAX];
    static _Thread_local struct cache_bytes_key key[BATCH];
    struct cache_hit hit;
    uint32_t found = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct cache_key k = {.question = &q[i], .route = UINT32_MAX};
        cache_answer_seek(cache, &k, &key[i]);
    }
    for (uint32_t i = 0; i < count && count > 1; i++)
        cache_answer_expect(cache, &key[i]);
    for (uint32_t i = 0; i < count; i++)
        found += cache_answer_find_at(cache, &key[i], false, now, buf, sizeof buf, &hit);
    return found;
}

/* Nanoseconds a look-up, of names in an order that no prefetcher guesses. */
static double look_up(struct cache *cache, uint32_t count, uint32_t step, uint32_t batch)
{
    enum { AHEAD = 128 };
    struct dns_question *q = malloc(AHEAD * sizeof *q); /* made outside the time taken */
    double spent = 0;
    uint32_t found = 0;
    uint32_t number = 0;
    for (uint32_t done = 0; q && done < LOOKUPS; done += AHEAD) {
        for (uint32_t i = 0; i < AHEAD; i++) {
            number = (uint32_t)(((uint64_t)number + step) % count);
            q[i] = question_of(number);
        }
        double began = cpu_ns();
        for (uint32_t i = 0; i < AHEAD; i += batch)
            found += look_up_batch(cache, &q[i], batch);
        spent += cpu_ns() - began;
    }
    free(q);
    return found > 0 ? spent / found : 0;
}

/* What each answer adds to those tables that are there for the first. */
static void memory(uint32_t entries)
{
    struct cache *cache = new_cache(4096 * MIB);
    uint64_t wire = 0;
    for (uint32_t i = 0; i < FIRST; i++)
        (void)put(cache, i);
    size_t before = resident();
    for (uint32_t i = FIRST; i < entries; i++)
        wire += put(cache, i);
    struct cache_stats stats = cache_stats(cache);
    double each = (double)(resident() - before) / (double)(stats.answers - FIRST);
    double octets = (double)wire / (double)(stats.answers - FIRST);
    (void)printf("answers %llu: wire form %.1f octets, resident %.1f: wire + %.1f\n",
                 (unsigned long long)stats.answers, octets, each, each - octets);
    for (uint32_t count = 1000; count <= entries; count *= 10)
        (void)printf("look-up among %u of them: %.0f ns alone, %.0f ns in batches of %u\n", count,
                     look_up(cache, count, 7919 * (count / 1000) + 1, 1),
                     look_up(cache, count, 7919 * (count / 1000) + 1, BATCH), BATCH);
    cache_free(cache);
    (void)malloc_trim(0);
}

/* Four times as many as there is room for, so that each goes again. */
static void bound(size_t bytes)
{
    size_t before = resident();
    struct cache *cache = new_cache(bytes);
    uint32_t count = (uint32_t)(bytes / 64);
    for (uint32_t i = 0; i < count; i++)
        (void)put(cache, 0x10000000u + i);
    struct cache_stats stats = cache_stats(cache);
    size_t taken = resident() - before;
    (void)printf("bound %zu MiB: by its own account %.1f MiB, resident %.1f MiB (%.3f of the "
                 "bound), %llu evictions\n",
                 bytes / MIB, (double)stats.bytes / (double)MIB, (double)taken / (double)MIB,
                 (double)taken / (double)bytes, (unsigned long long)stats.evictions);
    cache_free(cache);
    (void)malloc_trim(0);
}

/* --- locks: taken through these, which the linker puts before the real ones ------------------ */

static _Thread_local struct locks {
    uint64_t taken, waited; /* another thread had it */
    double since_ns, held_ns;
    bool timed;
} locks;

static double now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail */
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

int __real_pthread_mutex_lock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex)
{
    bool free = pthread_mutex_trylock(mutex) == 0;
    locks.taken++;
    locks.waited += !free;
    int err = free ? 0 : __real_pthread_mutex_lock(mutex);
    if (locks.timed)
        locks.since_ns = now_ns();
    return err;
}

int __real_pthread_mutex_unlock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    if (locks.timed)
        locks.held_ns += now_ns() - locks.since_ns;
    return __real_pthread_mutex_unlock(mutex);
}

/* What reading the clock twice says of nothing in between. */
static double clock_ns(void)
{
    double sum = 0;
    for (unsigned i = 0; i < 100000; i++) {
        double began = now_ns();
        sum += now_ns() - began;
    }
    return sum / 100000;
}

struct looker {
    struct cache *cache;
    uint32_t step, batch;
    double ns;
    struct locks locks;
};

static void *look(void *arg)
{
    struct looker *l = arg;
    l->ns = look_up(l->cache, 1000, l->step, l->batch);
    l->locks = locks;
    return NULL;
}

static void two_threads(struct cache *cache, uint32_t batch)
{
    struct looker both[2] = {{.cache = cache, .step = 7, .batch = batch},
                             {.cache = cache, .step = 13, .batch = batch}};
    pthread_t thread[2];
    bool started[2];
    for (unsigned i = 0; i < 2; i++)
        started[i] = pthread_create(&thread[i], NULL, look, &both[i]) == 0;
    for (unsigned i = 0; i < 2; i++)
        if (started[i])
            (void)pthread_join(thread[i], NULL);
    uint64_t taken = both[0].locks.taken + both[1].locks.taken;
    uint64_t waited = both[0].locks.waited + both[1].locks.waited;
    (void)printf("two threads that do nothing else, batches of %u: %.0f and %.0f ns, a lock was "
                 "taken already %.2f times in a hundred\n",
                 batch, both[0].ns, both[1].ns, 100 * (double)waited / (double)taken);
}

static void threads(void)
{
    struct cache *cache = new_cache(64 * MIB);
    for (uint32_t i = 0; i < 1000; i++)
        (void)put(cache, i);
    (void)printf("look-up, one thread: %.0f ns\n", look_up(cache, 1000, 7, 1));
    two_threads(cache, 1);
    two_threads(cache, BATCH);
    locks = (struct locks){.timed = true};
    (void)look_up(cache, 1000, 7, BATCH);
    (void)printf("a lock is held for %.0f ns\n", locks.held_ns / (double)locks.taken - clock_ns());
    cache_free(cache);
}

int main(int argc, char **argv)
{
    uint32_t entries = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1000000;
    memory(entries); /* first: later the allocator would reuse what it has, and hide some of it */
    threads();
    bound(64 * MIB);
    bound(256 * MIB);
    return 0;
}
