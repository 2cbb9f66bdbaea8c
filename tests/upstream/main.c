// SPDX-License-Identifier: MIT
/* fake-upstream: a DoH server over a signed world of its own, that lies as told. */
#include "tests/upstream/control.h"
#include "tests/upstream/files.h"
#include "tests/upstream/plain.h"
#include "tests/upstream/server.h"
#include "tests/upstream/tls.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct options {
    const char *world, *dir, *name, *seed;
    uint16_t port, control_port, plain_port;
    unsigned delay_ms;
    uint64_t now_s;
};

struct program {
    uv_loop_t loop;
    uv_signal_t stop[2];
    struct upstream upstream;
    struct server server;
    struct control control;
    struct plain plain;
};

static const char usage[] =
    "usage: fake-upstream --world FILE --dir DIR [--port N] [--control-port N] [--plain-port N]\n"
    "                     [--name HOST] [--seed TEXT] [--delay-ms N] [--now EPOCH]\n";

static bool read_options(int argc, char **argv, struct options *ret)
{
    static const struct option table[] = {
        {"world", required_argument, NULL, 'w'},
        {"dir", required_argument, NULL, 'd'},
        {"port", required_argument, NULL, 'p'},
        {"control-port", required_argument, NULL, 'c'},
        {"plain-port", required_argument, NULL, 'u'},
        {"name", required_argument, NULL, 'n'},
        {"seed", required_argument, NULL, 's'},
        {"delay-ms", required_argument, NULL, 'm'},
        {"now", required_argument, NULL, 'e'},
        {NULL, 0, NULL, 0},
    };
    *ret = (struct options){.name = "upstream.test", .seed = "", .now_s = (uint64_t)time(NULL)};
    int c;
    while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
        switch (c) {
        case 'w': ret->world = optarg; break;
        case 'd': ret->dir = optarg; break;
        case 'p': ret->port = (uint16_t)strtoul(optarg, NULL, 10); break;
        case 'c': ret->control_port = (uint16_t)strtoul(optarg, NULL, 10); break;
        case 'u': ret->plain_port = (uint16_t)strtoul(optarg, NULL, 10); break;
        case 'n': ret->name = optarg; break;
        case 's': ret->seed = optarg; break;
        case 'm': ret->delay_ms = (unsigned)strtoul(optarg, NULL, 10); break;
        case 'e': ret->now_s = strtoull(optarg, NULL, 10); break;
        default: return false;
        }
    }
    return ret->world && ret->dir && optind == argc;
}

static void on_stop(uv_signal_t *handle, int number)
{
    (void)number;
    struct program *p = handle->data;
    for (size_t i = 0; i < 2; i++)
        uv_close((uv_handle_t *)&p->stop[i], NULL);
    server_close(&p->server);
    control_close(&p->control);
    plain_close(&p->plain);
}

/* NULL, or what could not be done. */
static const char *start(struct program *p, struct options *o)
{
    static const int signals[2] = {SIGTERM, SIGINT};
    p->server.upstream = p->control.upstream = p->plain.upstream = &p->upstream;
    p->server.tls = tls_make(o->name, o->dir);
    if (!p->server.tls)
        return "cannot make certificates in the directory";
    if (!server_listen(&p->server, &p->loop, &o->port) ||
        !control_listen(&p->control, &p->loop, &o->control_port) ||
        !plain_listen(&p->plain, &p->loop, &o->plain_port))
        return "cannot listen";
    for (size_t i = 0; i < 2; i++) {
        (void)uv_signal_init(&p->loop, &p->stop[i]);
        p->stop[i].data = p;
        (void)uv_signal_start(&p->stop[i], on_stop, signals[i]);
    }
    if (!files_write_anchors(&p->upstream.world, o->dir) ||
        !files_write_ready(o->dir, o->port, o->control_port, o->plain_port))
        return "cannot write to the directory";
    return NULL;
}

int main(int argc, char **argv)
{
    static struct program p;
    struct options o;
    char error[5000];
    if (!read_options(argc, argv, &o)) {
        (void)fputs(usage, stderr);
        return 64;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    if (!world_load(&p.upstream.world, o.world, o.seed, o.now_s, error, sizeof error)) {
        (void)fprintf(stderr, "fake-upstream: %s\n", error);
        return 78;
    }
    (void)uv_loop_init(&p.loop);
    stats_reset(&p.upstream.stats);
    p.upstream.delay_ms = o.delay_ms;
    const char *failed = start(&p, &o);
    if (failed) {
        (void)fprintf(stderr, "fake-upstream: %s\n", failed);
        return 1;
    }
    (void)uv_run(&p.loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&p.loop);
    SSL_CTX_free(p.server.tls);
    stats_reset(&p.upstream.stats);
    world_free(&p.upstream.world);
    return 0;
}
