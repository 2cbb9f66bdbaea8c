// SPDX-License-Identifier: MIT
/* Lies in the octets of a message, in HTTP, and by the connection. */
#include "tests/upstream/lies.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned number(const struct rule *rule, unsigned otherwise)
{
    return rule->value[0] != '\0' ? (unsigned)strtoul(rule->value, NULL, 10) : otherwise;
}

static void wrong_id(struct outcome *o, const struct rule *rule)
{
    (void)rule;
    o->wire[0] ^= 0x13;
}

/* The last octet of the question's first label changes, but stays a letter or digit. */
static void wrong_question(struct outcome *o, const struct rule *rule)
{
    (void)rule;
    if (o->len > DNS_HEADER_LEN && o->wire[DNS_HEADER_LEN] > 0)
        o->wire[DNS_HEADER_LEN + 1] = o->wire[DNS_HEADER_LEN + 1] == 'x' ? 'y' : 'x';
}

static void truncated(struct outcome *o, const struct rule *rule)
{
    (void)rule;
    o->wire[2] |= DNS_FLAG_TC >> 8;
}

static void garbage_dns(struct outcome *o, const struct rule *rule)
{
    (void)rule;
    for (uint32_t i = 0; i < o->len; i++)
        o->wire[i] = (uint8_t)(i * 151 + 77);
}

static void empty(struct outcome *o, const struct rule *rule)
{
    (void)rule;
    o->len = 0;
}

static void oversize(struct outcome *o, const struct rule *rule)
{
    unsigned len = number(rule, 70000);
    len = len > WIRE_MAX ? WIRE_MAX : len;
    if (len > o->len)
        memset(o->wire + o->len, 0, len - o->len);
    o->len = len;
}

static void status(struct outcome *o, const struct rule *rule)
{
    o->status = number(rule, 500);
    o->retry_after = rule->retry_after;
    if (o->status != 200)
        o->len = 0;
}

static void media(struct outcome *o, const struct rule *rule)
{
    (void)snprintf(o->media, sizeof o->media, "%s", rule->value);
}

static void age(struct outcome *o, const struct rule *rule)
{
    o->age = number(rule, 0);
}

static void h3(struct outcome *o, const struct rule *rule)
{
    (void)snprintf(o->alt_svc, sizeof o->alt_svc, "h3=\":%u\"; ma=86400", number(rule, 443));
}

static void delay(struct outcome *o, const struct rule *rule)
{
    o->delay_ms = number(rule, 0);
}

/* Between nothing and the value, by the question (FNV-1a): answers arrive in another order than
 * the questions left, the same for the same questions. */
static void jitter(struct outcome *o, const struct rule *rule)
{
    enum { QUESTION = 48 };
    uint32_t hash = 2166136261u;
    for (uint32_t i = DNS_HEADER_LEN; i < o->len && i < DNS_HEADER_LEN + QUESTION; i++)
        hash = (hash ^ o->wire[i]) * 16777619u;
    o->delay_ms += (hash >> 8) % (number(rule, 0) + 1);
}

static void slow_body(struct outcome *o, const struct rule *rule)
{
    o->slow_ms = number(rule, 20);
}

static void drop(struct outcome *o, const struct rule *rule)
{
    (void)rule;
    o->sending = SEND_NOTHING;
}

static void tcp_reset(struct outcome *o, const struct rule *rule)
{
    (void)rule;
    o->sending = SEND_TCP_RESET;
}

static void rst_stream(struct outcome *o, const struct rule *rule)
{
    (void)rule;
    o->sending = SEND_STREAM_RESET;
}

static void goaway(struct outcome *o, const struct rule *rule)
{
    o->sending = SEND_GOAWAY;
    o->goaway_last = rule->value[0] != '\0' ? (int32_t)strtol(rule->value, NULL, 10) : -1;
}

static void garbage(struct outcome *o, const struct rule *rule)
{
    (void)rule;
    o->sending = SEND_GARBAGE;
}

static void close_after(struct outcome *o, const struct rule *rule)
{
    (void)rule;
    o->close_after = true;
}

/* Told in SETTINGS when a connection begins, see rules_max_streams(). */
static void max_streams(struct outcome *o, const struct rule *rule)
{
    (void)o;
    (void)rule;
}

const struct lie outcome_lies[] = {
    {"wrong-id", NULL, wrong_id},
    {"wrong-question", NULL, wrong_question},
    {"tc", NULL, truncated},
    {"garbage-dns", NULL, garbage_dns},
    {"empty", NULL, empty},
    {"oversize", NULL, oversize},
    {"status", NULL, status},
    {"media", NULL, media},
    {"age", NULL, age},
    {"h3", NULL, h3},
    {"delay", NULL, delay},
    {"jitter", NULL, jitter},
    {"slow-body", NULL, slow_body},
    {"drop", NULL, drop},
    {"reset", NULL, tcp_reset},
    {"rst-stream", NULL, rst_stream},
    {"goaway", NULL, goaway},
    {"garbage", NULL, garbage},
    {"close", NULL, close_after},
    {"max-streams", NULL, max_streams},
    {NULL, NULL, NULL},
};
