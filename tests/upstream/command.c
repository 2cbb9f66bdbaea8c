// SPDX-License-Identifier: MIT
/* What the control channel's commands do. */
#include "tests/upstream/control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_stats(FILE *out, const struct stats *stats)
{
    (void)fprintf(out, "ok\nquestions=%u flights=%u connections=%u in_flight=%d\n",
                  stats->questions, stats->flights, stats->connections, stats->in_flight);
    for (const struct seen *seen = stats->head; seen; seen = seen->next) {
        char name[DNS_NAME_TEXT_MAX], type[DNS_NUMBER_TEXT_MAX];
        (void)dns_name_text(&seen->name, name);
        (void)fprintf(out,
                      "name=%s type=%s cd=%d do=%d fresh=%d via=%s ms=%llu connection=%u "
                      "stream=%u flight=%u\n",
                      name, dns_type_text(seen->type, type), seen->cd, seen->dnssec_ok, seen->fresh,
                      seen->via, (unsigned long long)seen->at_ms, seen->connection, seen->stream,
                      seen->flight);
    }
}

static void print_queries(FILE *out, const struct upstream *upstream)
{
    unsigned count = upstream->recorded_count;
    (void)fputs("ok\n", out);
    for (unsigned i = count > RECORDED_MAX ? count - RECORDED_MAX : 0; i < count; i++) {
        const struct recorded *r = &upstream->recorded[i % RECORDED_MAX];
        (void)fprintf(out, "%s ", r->headers);
        for (uint32_t n = 0; n < r->len; n++)
            (void)fprintf(out, "%02x", r->wire[n]);
        (void)fputc('\n', out);
    }
}

static const char *behind(const char *command, const char *word)
{
    size_t len = strlen(word);
    return strncmp(command, word, len) == 0 ? command + len : NULL;
}

static void add_rule(FILE *out, struct upstream *upstream, const char *text)
{
    const char *error;
    if (rules_add(&upstream->rules, text, &error))
        (void)fputs("ok\n", out);
    else
        (void)fprintf(out, "error: %s\n", error);
}

static void run(FILE *out, struct upstream *upstream, const char *command)
{
    const char *rest;
    if ((rest = behind(command, "rule add ")) != NULL) {
        add_rule(out, upstream, rest);
        return;
    }
    if (strcmp(command, "stats") == 0) {
        print_stats(out, &upstream->stats);
        return;
    }
    if (strcmp(command, "queries") == 0) {
        print_queries(out, upstream);
        return;
    }
    if (strcmp(command, "rule clear") == 0)
        upstream->rules.count = 0;
    else if (strcmp(command, "stats reset") == 0)
        stats_reset(&upstream->stats);
    else if ((rest = behind(command, "delay ")) != NULL)
        upstream->delay_ms = (unsigned)strtoul(rest, NULL, 10);
    else if ((rest = behind(command, "now ")) != NULL)
        world_set_now(&upstream->world, strtoull(rest, NULL, 10));
    else {
        (void)fputs("error: unknown command\n", out);
        return;
    }
    (void)fputs("ok\n", out);
}

char *control_run(struct upstream *upstream, const char *command)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (!out)
        return NULL;
    run(out, upstream, command);
    (void)fputs(".\n", out);
    (void)fclose(out);
    return text;
}
