// SPDX-License-Identifier: MIT
/* load -d NAMES -p PORT [options]: asks, and prints one line of JSON about the answers.
 *
 *   -s ADDR      the server (127.0.0.1)          -l SECONDS  at most (5)
 *   -w WINDOW    outstanding at most (128)       -r RATE     a second; default: as fast as it goes
 *   -k SOCKETS   or connections (8)              -n TOTAL    questions
 *   -t TCP   -D DO   -C CD   -x a random label before each name: nobody has it cached
 *   -e without a server: each socket talks to itself, which shows what the generator can do
 *   -a awake: UDP only, it yields its core but never sleeps, so that no sender pays for waking it
 */
#include "load.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

uint64_t load_now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail */
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Buckets of a thirty-second of an octave. */
static unsigned bucket_of(uint64_t ns)
{
    unsigned octave = 63u - (unsigned)__builtin_clzll(ns | 32);
    return octave * 32 + (ns >> (octave - 5) & 31);
}

static double bucket_us(unsigned bucket)
{
    unsigned octave = bucket / 32;
    return (double)((UINT64_C(1) << octave) + ((uint64_t)(bucket % 32) << (octave - 5))) / 1e3;
}

void load_note_answer(struct load_result *result, const uint8_t *wire, uint64_t took_ns,
                      uint64_t now_ns)
{
    result->latency[bucket_of(took_ns)]++;
    result->received++;
    result->rcode[wire[3] & 15]++;
    result->ad += wire[3] >> 5 & 1;
    result->last_ns = now_ns;
}

static double percentile(const struct load_result *result, double part)
{
    uint64_t wanted = (uint64_t)(part * (double)result->received);
    uint64_t sum = 0;
    for (unsigned i = 0; i < LOAD_BUCKETS; i++) {
        sum += result->latency[i];
        if (sum > wanted)
            return bucket_us(i);
    }
    return 0;
}

static void print(const struct load_result *r)
{
    double seconds = (double)(r->last_ns - r->began_ns) / 1e9;
    double rate = seconds > 0 ? (double)r->received / seconds : 0;
    (void)printf("{\"sent\":%" PRIu64 ",\"received\":%" PRIu64 ",\"lost\":%" PRIu64
                 ",\"seconds\":%.3f,\"qps\":%.0f,\"noerror\":%" PRIu64 ",\"servfail\":%" PRIu64
                 ",\"nxdomain\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"ad\":%" PRIu64
                 ",\"p50_us\":%.1f,\"p90_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f}\n",
                 r->sent, r->received, r->lost, seconds, rate, r->rcode[0], r->rcode[2],
                 r->rcode[3], r->rcode[5], r->ad, percentile(r, .5), percentile(r, .9),
                 percentile(r, .99), percentile(r, .999));
}

static bool read_options(int argc, char **argv, struct load_options *o, const char **ret_file)
{
    const char *address = "127.0.0.1";
    uint16_t port = 53;
    *o = (struct load_options){.seconds = 5, .window = 128, .sockets = 8, .total = UINT64_MAX};
    *ret_file = NULL;
    for (int c; (c = getopt(argc, argv, "s:p:d:l:w:r:n:k:tDCxea")) != -1;) {
        switch (c) {
        case 's': address = optarg; break;
        case 'p': port = (uint16_t)strtoul(optarg, NULL, 10); break;
        case 'd': *ret_file = optarg; break;
        case 'l': o->seconds = strtod(optarg, NULL); break;
        case 'w': o->window = (uint32_t)strtoul(optarg, NULL, 10); break;
        case 'r': o->rate = strtod(optarg, NULL); break;
        case 'n': o->total = strtoull(optarg, NULL, 10); break;
        case 'k': o->sockets = (uint32_t)strtoul(optarg, NULL, 10); break;
        case 't': o->tcp = true; break;
        case 'D': o->dnssec_ok = true; break;
        case 'C': o->checking_disabled = true; break;
        case 'x': o->random_label = true; break;
        case 'e': o->alone = true; break;
        case 'a': o->awake = true; break;
        default: return false;
        }
    }
    o->server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    if (o->rate > 0)
        o->window = o->sockets * 8192;
    return *ret_file && o->sockets > 0 && o->sockets <= LOAD_SOCKETS_MAX && o->window > 0 &&
           inet_pton(AF_INET, address, &o->server.sin_addr) == 1;
}

int main(int argc, char **argv)
{
    static struct load_result result;
    struct load_options options;
    struct load_questions questions;
    const char *file;
    if (!read_options(argc, argv, &options, &file)) {
        (void)fputs("usage: see the head of tests/bench/load.c\n", stderr);
        return 64;
    }
    if (!load_questions_read(file, &options, &questions)) {
        (void)fprintf(stderr, "load: no questions in %s\n", file);
        return 66;
    }
    (void)prctl(PR_SET_TIMERSLACK, 1UL); /* without it a fixed rate comes in lumps of 50 us */
    bool ok = options.tcp ? load_tcp(&options, &questions, &result)
                          : load_udp(&options, &questions, &result);
    print(&result);
    free(questions.item);
    return ok ? 0 : 1;
}
