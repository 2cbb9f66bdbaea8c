/* SPDX-License-Identifier: MIT */
/* What the two halves of a listener share. Only proxy/listener*.c include this. */
#ifndef PROXY_LISTENER_PARTS_H
#define PROXY_LISTENER_PARTS_H

#include "proxy/listener.h"

/* A longer question is no question: a name, its type and a few EDNS options fit ten times. */
#define LISTENER_QUESTION_MAX 4096u

struct listener {
    uv_loop_t *loop;
    struct listener_limits limits;
    listener_queries_fn *on_queries;
    void *arg;
    struct listener_stats stats;
    struct listener_udp *udp;
    struct listener_tcp *tcp;
    /* Answers are collected; these two let them leave once a turn: what sockets caused before the
     * next turn's signature work, what timers and idle work caused before the loop may sleep. */
    uv_check_t after_poll;
    uv_prepare_t before_sleep;
    uint32_t parts; /* not closed yet: the two hooks and the two halves */
    void (*on_closed)(void *arg);
    void *on_closed_arg;
};

#endif
