/* SPDX-License-Identifier: MIT */
/* A load generator for DNS over UDP and TCP that one core can drive further than the servers it
 * measures: batches of sendmmsg and recvmmsg, questions written beforehand, no allocation. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOAD_SOCKETS_MAX 64u
#define LOAD_TIMEOUT_NS UINT64_C(2000000000) /* an answer that takes longer is lost */

struct load_question {
    uint16_t len;
    uint8_t wire[280];
};

struct load_options {
    struct sockaddr_in server;
    double seconds;
    double rate;      /* questions a second; 0: as fast as `window` allows */
    uint32_t window;  /* outstanding at most */
    uint32_t sockets; /* or connections */
    uint64_t total;   /* questions, then it ends */
    bool tcp, dnssec_ok, checking_disabled, random_label;
    bool alone; /* each socket talks to itself: how fast the generator is without a server */
    bool awake; /* it never sleeps: nobody pays for waking it */
};

struct load_questions {
    struct load_question *item;
    size_t count, next;
    uint64_t random; /* state of the generator for random labels */
    bool random_label;
};

#define LOAD_BUCKETS (64u * 32u)
struct load_result {
    uint64_t sent, received, lost, ad, rcode[16];
    uint64_t began_ns, last_ns;
    uint64_t latency[LOAD_BUCKETS]; /* 32 buckets an octave of nanoseconds */
};

/* Lines of "name type". False: not readable, or empty. */
bool load_questions_read(const char *path, const struct load_options *options,
                         struct load_questions *ret);
/* The next question, with this ID, into `to` (room for a struct load_question's wire). */
uint16_t load_questions_next(struct load_questions *questions, uint16_t id, uint8_t *to);

uint64_t load_now_ns(void);
void load_note_answer(struct load_result *result, const uint8_t *wire, uint64_t took_ns,
                      uint64_t now_ns);

/* False: the server cannot be reached. */
bool load_udp(const struct load_options *options, struct load_questions *questions,
              struct load_result *result);
bool load_tcp(const struct load_options *options, struct load_questions *questions,
              struct load_result *result);

#endif
