// SPDX-License-Identifier: MIT
#include "proxy/explain_print.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#define ZONES_MAX 48u

/* The zones and cuts that the trace speaks of, in canonical order: parents before children, and
 * each tree in one piece. */
struct places {
    struct dns_name name[ZONES_MAX];
    uint32_t count;
};

struct printing {
    FILE *out;
    const struct explain_report *report;
    struct places places;
};

static const char *mark(const struct printing *p, enum val_status status)
{
    switch (status) {
    case VAL_SECURE: return p->report->unicode ? "\u2713" : "ok";
    case VAL_INSECURE: return p->report->unicode ? "\u25CB" : "unsigned";
    case VAL_INDETERMINATE: return "?";
    case VAL_BOGUS: return p->report->unicode ? "\u2717" : "FAILED";
    }
    return "";
}

static const char *status_text(enum val_status status)
{
    switch (status) {
    case VAL_SECURE: return "SECURE";
    case VAL_INSECURE: return "INSECURE";
    case VAL_INDETERMINATE: return "NO ANSWER";
    case VAL_BOGUS: return "BOGUS";
    }
    return "";
}

/* The name that a step hangs under in the tree, or NULL for records. */
static const struct dns_name *place_of(const struct val_trace_step *step)
{
    switch (step->kind) {
    case VAL_TRACE_ANCHOR:
    case VAL_TRACE_DNSKEY:
    case VAL_TRACE_KEY:
    case VAL_TRACE_CACHED: return &step->zone;
    case VAL_TRACE_DS:
    case VAL_TRACE_NO_DS: return &step->name;
    case VAL_TRACE_RRSET:
    case VAL_TRACE_DENIAL:
    case VAL_TRACE_VERDICT: return NULL;
    }
    return NULL;
}

static void add_place(struct places *places, const struct dns_name *name)
{
    uint32_t at = 0;
    while (at < places->count && dns_name_compare(&places->name[at], name) < 0)
        at++;
    if (places->count == ZONES_MAX ||
        (at < places->count && dns_name_equal(&places->name[at], name)))
        return;
    memmove(&places->name[at + 1], &places->name[at], (places->count - at) * sizeof *places->name);
    places->name[at] = *name;
    places->count++;
}

/* How many of the places lie above this one: the depth in the tree. */
static unsigned depth(const struct places *places, const struct dns_name *name)
{
    unsigned d = 0;
    for (uint32_t i = 0; i < places->count; i++)
        d += dns_name_within(name, &places->name[i]) && !dns_name_equal(name, &places->name[i]);
    return d;
}

/* The deepest place at or above a record's owner or signer. */
static const struct dns_name *home_of(const struct places *places, const struct dns_name *name)
{
    const struct dns_name *best = NULL;
    for (uint32_t i = 0; i < places->count; i++)
        if (dns_name_within(name, &places->name[i]) &&
            (!best || places->name[i].labels > best->labels))
            best = &places->name[i];
    return best;
}

static void date_text(uint32_t t, uint64_t now_s, char text[static 48])
{
    /* The 64 bit time nearest to now that has these low 32 bits (RFC 4034 3.1.5). */
    time_t when = (time_t)((int64_t)now_s + (int32_t)(t - (uint32_t)now_s));
    struct tm tm;
    if (!gmtime_r(&when, &tm) || strftime(text, 48, "%Y-%m-%d %H:%M UTC", &tm) == 0)
        (void)snprintf(text, 48, "%" PRIu32, t);
}

static void print_validity(const struct printing *p, const struct val_trace_step *s)
{
    char from[48];
    char until[48];
    if (s->inception == 0 && s->expiration == 0)
        return;
    uint64_t now_s = p->report->now_s;
    date_text(s->inception, now_s, from);
    date_text(s->expiration, now_s, until);
    int32_t left = (int32_t)(s->expiration - (uint32_t)now_s);
    (void)fprintf(p->out, ", valid %s to %s", from, until);
    if (left < 0)
        (void)fprintf(p->out, " (ended %" PRId64 " h ago)", -(int64_t)left / 3600);
}

static const char *key_role(uint16_t flags)
{
    return flags & DNS_KEY_SEP ? "KSK" : "ZSK";
}

static void print_signed_by(const struct printing *p, const struct val_trace_step *s)
{
    char algorithm[DNS_NUMBER_TEXT_MAX];
    char zone[DNS_NAME_TEXT_MAX];
    if (s->key_tag == 0 && s->algorithm == 0)
        return;
    (void)dns_name_text(&s->zone, zone);
    (void)fprintf(p->out, ", RRSIG by %s key %u %s", zone, s->key_tag,
                  dns_algorithm_text(s->algorithm, algorithm));
    print_validity(p, s);
}

static void print_failure(const struct printing *p, const struct val_trace_step *s)
{
    if (s->why != VAL_WHY_NONE)
        (void)fprintf(p->out, ": %s", val_why_text(s->why));
}

static void print_chain_step(const struct printing *p, const struct val_trace_step *s)
{
    char algorithm[DNS_NUMBER_TEXT_MAX];
    char digest[DNS_NUMBER_TEXT_MAX];
    (void)dns_algorithm_text(s->algorithm, algorithm);
    (void)dns_digest_text(s->digest_type, digest);
    switch (s->kind) {
    case VAL_TRACE_ANCHOR:
        (void)fprintf(p->out, "trust anchor: key %u %s, digest %s", s->key_tag, algorithm, digest);
        break;
    case VAL_TRACE_DS:
        (void)fprintf(p->out, "DS %s", mark(p, s->status));
        print_signed_by(p, s);
        print_failure(p, s);
        break;
    case VAL_TRACE_NO_DS:
        (void)fprintf(p->out, "no DS %s", mark(p, s->status));
        print_failure(p, s);
        break;
    case VAL_TRACE_DNSKEY:
        (void)fprintf(p->out, "DNSKEY %s", mark(p, s->status));
        print_signed_by(p, s);
        print_failure(p, s);
        break;
    case VAL_TRACE_KEY:
        (void)fprintf(p->out, "%s %u %s, %u bits", key_role(s->key_flags), s->key_tag, algorithm,
                      s->key_bits);
        break;
    case VAL_TRACE_CACHED:
        (void)fprintf(p->out, "%s proven before, from the cache", mark(p, s->status));
        print_failure(p, s);
        break;
    case VAL_TRACE_RRSET:
    case VAL_TRACE_DENIAL:
    case VAL_TRACE_VERDICT: break;
    }
}

static void print_record_step(const struct printing *p, const struct val_trace_step *s)
{
    char name[DNS_NAME_TEXT_MAX];
    char type[DNS_NUMBER_TEXT_MAX];
    (void)dns_name_text(&s->name, name);
    (void)dns_type_text(s->type, type);
    (void)fprintf(p->out, "%s%s %s %s", s->kind == VAL_TRACE_DENIAL ? "absence of " : "", name,
                  type, mark(p, s->status));
    if (s->expanded)
        (void)fprintf(p->out, ", from a wildcard");
    print_signed_by(p, s);
    print_failure(p, s);
}

static void print_place(const struct printing *p, const struct dns_name *place)
{
    const struct val_trace *trace = p->report->trace;
    unsigned indent = 2 + 2 * depth(&p->places, place);
    char name[DNS_NAME_TEXT_MAX];
    (void)dns_name_text(place, name);
    (void)fprintf(p->out, "%*s%s\n", (int)indent, "", name);
    for (uint32_t i = 0; i < trace->count; i++) {
        const struct val_trace_step *s = &trace->step[i];
        const struct dns_name *at = place_of(s);
        if (!at || !dns_name_equal(at, place))
            continue;
        (void)fprintf(p->out, "%*s", (int)indent + 4, "");
        print_chain_step(p, s);
        (void)fputc('\n', p->out);
    }
    for (uint32_t i = 0; i < trace->count; i++) {
        const struct val_trace_step *s = &trace->step[i];
        if (s->kind != VAL_TRACE_RRSET && s->kind != VAL_TRACE_DENIAL)
            continue;
        /* A signed record stands under its signer, an unsigned one under the deepest cut above. */
        const struct dns_name *home = home_of(&p->places, s->algorithm ? &s->zone : &s->name);
        if (!home || home != place)
            continue;
        (void)fprintf(p->out, "%*s", (int)indent + 4, "");
        print_record_step(p, s);
        (void)fputc('\n', p->out);
    }
}

static const char *upstream_name(const struct printing *p, uint32_t upstream)
{
    const struct doh_config *doh = p->report->doh;
    return upstream < doh->upstream_count ? doh->upstreams[upstream].name : NULL;
}

static void print_headline(const struct printing *p)
{
    const struct explain_report *r = p->report;
    const struct resolver_cost *cost = &r->answer->cost;
    const char *upstream = upstream_name(p, r->answer->upstream);
    char name[DNS_NAME_TEXT_MAX];
    char type[DNS_NUMBER_TEXT_MAX];
    char remembered[48] = "";
    if (cost->remembered > 0)
        (void)snprintf(remembered, sizeof remembered, " and %" PRIu32 " known to verify",
                       cost->remembered);
    (void)dns_name_text(&r->question->name, name);
    (void)fprintf(p->out, "%s %s%s%s   %s\n", name, dns_type_text(r->question->type, type),
                  r->data[0] ? " " : "", r->data, status_text(r->answer->status));
    (void)fprintf(p->out,
                  "  %" PRIu32 " upstream round trip%s, %" PRIu32 " question%s, %" PRIu32
                  " signature%s checked%s, %" PRIu64 ".%" PRIu64 " ms%s%s\n",
                  cost->flights, cost->flights == 1 ? "" : "s", cost->questions,
                  cost->questions == 1 ? "" : "s", cost->signatures,
                  cost->signatures == 1 ? "" : "s", remembered, cost->elapsed_us / 1000,
                  cost->elapsed_us % 1000 / 100, upstream ? ", answered by " : "",
                  upstream ? upstream : "");
}

/* Which upstream's answer was put away before this one, and what it says of itself. */
static void print_doubts(const struct printing *p)
{
    const struct resolver_answer *a = p->report->answer;
    for (uint32_t i = 0; i < a->doubt_count; i++) {
        const struct resolver_doubt *doubt = &a->doubt[i];
        const char *upstream = upstream_name(p, doubt->upstream);
        char claim[CLAIMS_TEXT_MAX];
        struct dns_ede words;
        val_reason_ede(&doubt->reason, &words);
        (void)claims_text(&doubt->claims, claim);
        (void)fprintf(p->out, "  not believed: %s%s%s%s%s\n", upstream ? upstream : "",
                      upstream ? ": " : "", words.text, claim[0] ? "; " : "", claim);
    }
}

void explain_print(FILE *out, const struct explain_report *report)
{
    struct printing p = {.out = out, .report = report};
    for (uint32_t i = 0; i < report->trace->count; i++) {
        const struct dns_name *place = place_of(&report->trace->step[i]);
        if (place)
            add_place(&p.places, place);
    }
    print_headline(&p);
    print_doubts(&p);
    for (uint32_t i = 0; i < p.places.count; i++)
        print_place(&p, &p.places.name[i]);
    const struct resolver_answer *a = report->answer;
    if (a->ede.code != DNS_EDE_NONE)
        (void)fprintf(out, "  EDE %u %s%s%s\n", a->ede.code, dns_ede_text(a->ede.code),
                      a->ede.text[0] ? ": " : "", a->ede.text);
    (void)fprintf(out, "  Next: %s\n", explain_advice(a->reason.why));
}

void explain_print_local(FILE *out, const struct dns_question *question, const char *data,
                         const char *why)
{
    char name[DNS_NAME_TEXT_MAX];
    char type[DNS_NUMBER_TEXT_MAX];
    (void)dns_name_text(&question->name, name);
    (void)fprintf(out, "%s %s %s   LOCAL\n  %s\n", name, dns_type_text(question->type, type), data,
                  why);
    (void)fprintf(out, "  Next: nothing, unless a server or a key is meant to be asked for it: a "
                       "route or a trust anchor for just that domain says so.\n");
}
