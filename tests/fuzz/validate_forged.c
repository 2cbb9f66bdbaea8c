// SPDX-License-Identifier: MIT
/* A signed world whose every key is the fuzzer's: honest answers, edited field by field, and every
 * signature over what then stands there is good (val_algorithm_verify is wrapped; an RRSIG whose
 * signature begins with 0 is not). So what lies behind the crypto is reached: cuts, denials,
 * expansion, aliases. Octets of the input: the question, how the job is run, then edits of six.
 *
 * Whatever is signed: a job ends within its budget, and neither slices nor the order of messages
 * change the verdict; what is secure has fitting RRSIGs. Where only the answer is edited, nothing
 * untrue is learned of zones, and nothing that was secure is insecure, but by opt-out, by
 * iterations, or by an alias into another zone. */
#include "tests/fuzz/bare.h"
#include "tests/unit/job_bench.h"
#include "tests/unit/truth.h"
#include "validate/algorithm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* --- signatures ------------------------------------------------------------------------------ */

bool __real_val_algorithm_verify(const struct val_algorithm *algorithm,
                                 const struct val_ready *ready, const uint8_t *data,
                                 size_t data_len, const uint8_t *sig, size_t sig_len);
bool __wrap_val_algorithm_verify(const struct val_algorithm *algorithm,
                                 const struct val_ready *ready, const uint8_t *data,
                                 size_t data_len, const uint8_t *sig, size_t sig_len);

static bool forging; /* not while the policy tries out what OpenSSL can do */

bool __wrap_val_algorithm_verify(const struct val_algorithm *algorithm,
                                 const struct val_ready *ready, const uint8_t *data,
                                 size_t data_len, const uint8_t *sig, size_t sig_len)
{
    if (!forging)
        return __real_val_algorithm_verify(algorithm, ready, data, data_len, sig, sig_len);
    return sig_len > 0 && sig[0] != 0;
}

/* --- the world ------------------------------------------------------------------------------- */

static struct world *world;

static const char *const names[] = {
    "www.example.test.",
    "none.example.test.",
    "x.wild.example.test.",
    "x.y.wild.example.test.",
    "*.wild.example.test.",
    "ent.example.test.",
    "alias.example.test.",
    "cross.example.test.",
    "toinsecure.example.test.",
    "x.wildalias.example.test.",
    "www.tree.example.test.",
    "www.nsec3.test.",
    "none.nsec3.test.",
    "x.wild.nsec3.test.",
    "ent.nsec3.test.",
    "www.insecure.test.",
    "back.insecure.test.",
    "www.signed.insecure.test.",
    "www.nods.test.",
    "www.below.example.test.",
    "www.sub.example.test.",
    "www.zone.gap.example.test.",
    "www.cut.optout.",
    "none.optout.",
    "www.signed.optout.",
    "www.many.test.",
    "example.test.",
    "test.",
    ".",
    "www.p256.test.",
    "nsec3.test.",
    "insecure.test.",
};
static const uint16_t types[] = {DNS_TYPE_A,    DNS_TYPE_MX,  DNS_TYPE_DS,    DNS_TYPE_DNSKEY,
                                 DNS_TYPE_NS,   DNS_TYPE_ANY, DNS_TYPE_CNAME, DNS_TYPE_SOA,
                                 DNS_TYPE_NSEC, DNS_TYPE_TXT, DNS_TYPE_DNAME, DNS_TYPE_RRSIG};

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))

/* The honest answers, made once. */
#define KEPT_MAX 600u
static struct world_answer *kept[KEPT_MAX];
static uint32_t kept_count;

static const struct world_answer *honest(const struct dns_name *name, uint16_t type)
{
    static struct world_answer answer;
    for (uint32_t i = 0; i < kept_count; i++)
        if (kept[i]->question.type == type && dns_name_equal(&kept[i]->question.name, name))
            return kept[i];
    world_ask_name(world, name, type, &answer);
    for (uint32_t i = 0; i < answer.count; i++)
        if (answer.rr[i].type == DNS_TYPE_RRSIG)
            answer.rr[i].rdata[answer.rr[i].len - 1] |= 1; /* any will do */
    if (kept_count == KEPT_MAX)
        return &answer;
    kept[kept_count] = malloc(sizeof answer);
    assert_non_null(kept[kept_count]);
    *kept[kept_count] = answer;
    return kept[kept_count++];
}

/* --- edits ----------------------------------------------------------------------------------- */

struct edit {
    uint8_t message, rr, op, a, b, c;
};

#define EDITS_MAX 24u
#define MESSAGES_MAX                                                                               \
    6u /* of a question that can be edited: the answer, then DS and DNSKEY above                   \
        */

struct forged {
    struct world_answer answer[MESSAGES_MAX];
    uint32_t count;
    bool beyond_answer; /* something else was edited, too */
    bool aliased;       /* there are aliases in the answer */
};

static struct dns_name pool_name(uint8_t at)
{
    struct dns_name name = world_name(names[at % LENGTH(names)]);
    struct dns_name wildcard;
    unsigned up = at / LENGTH(names) % 4;
    if (up == 3)
        return dns_name_wildcard(&name, &wildcard) == DNS_OK ? wildcard : name;
    return dns_name_suffix(&name, name.labels > up ? name.labels - up : 0);
}

/* Where the one name in RDATA stands; false when there is none. */
static bool name_at(const struct world_rr *rr, uint32_t *ret)
{
    switch (rr->type) {
    case DNS_TYPE_RRSIG: *ret = 18; return true;
    case DNS_TYPE_NSEC:
    case DNS_TYPE_CNAME:
    case DNS_TYPE_DNAME:
    case DNS_TYPE_NS: *ret = 0; return true;
    case DNS_TYPE_MX: *ret = 2; return true;
    default: return false;
    }
}

static void replace_name(struct world_rr *rr, const struct dns_name *name)
{
    uint8_t tail[WORLD_RDATA_MAX];
    uint32_t at;
    if (!name_at(rr, &at) || at >= rr->len)
        return;
    struct dns_reader r = dns_reader_init(rr->rdata + at, rr->len - at);
    struct dns_name skipped;
    (void)dns_name_read_plain(&r, &skipped); /* its error is r.err */
    uint32_t left = dns_reader_left(&r);
    if (r.err != DNS_OK || at + name->len + left > WORLD_RDATA_MAX)
        return;
    memcpy(tail, rr->rdata + rr->len - left, left);
    memcpy(rr->rdata + at, name->wire, name->len);
    memcpy(rr->rdata + at + name->len, tail, left);
    rr->len = (uint16_t)(at + name->len + left);
}

/* RRSIG by a zone of the world: its algorithm, tag and name. */
static void sign_as(struct world_rr *rr, const struct world_zone *zone, uint8_t labels)
{
    if (rr->type != DNS_TYPE_RRSIG || rr->len < 19)
        return;
    rr->rdata[2] = zone->algorithm;
    rr->rdata[3] = labels % 8;
    rr->rdata[16] = (uint8_t)(zone->tag >> 8);
    rr->rdata[17] = (uint8_t)zone->tag;
    replace_name(rr, &zone->name);
}

/* An NSEC3 that stands at a name of the zone, up to another. */
static void hash_owner(struct world_rr *rr, const struct edit *e)
{
    const struct world_zone *zone = world_parent(world, &rr->owner);
    struct dns_name from = pool_name(e->a), to = pool_name(e->b);
    uint8_t hash[20];
    char label[64];
    if (rr->type != DNS_TYPE_NSEC3 || !zone || zone->denial == WORLD_NSEC || rr->len < 27)
        return;
    world_hash(zone, &from, hash);
    hash[19] = (uint8_t)(hash[19] + (e->c & 3) - 1);
    size_t len = dns_base32hex_text(hash, 20, label, sizeof label);
    must(dns_name_prepend(label, len, &zone->name, &rr->owner) == DNS_OK);
    world_hash(zone, &to, hash);
    hash[19] = (uint8_t)(hash[19] + (e->c >> 2 & 3) - 1);
    memcpy(rr->rdata + 7, hash, 20); /* behind a salt of one octet */
}

/* Sets or clears a bit of the first window. */
static void flip_type(struct world_rr *rr, uint8_t type)
{
    uint32_t at = 27;
    if (rr->type == DNS_TYPE_NSEC) {
        struct dns_reader r = dns_reader_init(rr->rdata, rr->len);
        struct dns_name skipped;
        (void)dns_name_read_plain(&r, &skipped); /* without one it is the end */
        at = rr->len - dns_reader_left(&r);
    } else if (rr->type != DNS_TYPE_NSEC3) {
        return;
    }
    if (at + 2 + type / 8u < rr->len && rr->rdata[at + 1] > type / 8)
        rr->rdata[at + 2 + type / 8] ^= (uint8_t)(0x80 >> type % 8);
}

static void insert(struct world_answer *a, const struct edit *e)
{
    struct dns_name name = pool_name(e->a);
    const struct world_answer *from = honest(&name, types[e->b % LENGTH(types)]);
    if (from->count == 0 || a->count == WORLD_RR_MAX)
        return;
    a->rr[a->count++] = from->rr[e->c % from->count];
}

static void edit_record(struct world_answer *a, struct world_rr *rr, const struct edit *e)
{
    static const uint32_t ttls[] = {0, 1, 60, 3600, 3601, 86400, INT32_MAX, UINT32_MAX};
    struct dns_name name = pool_name(e->a);
    switch (e->op % 15) {
    case 0: rr->rdata[rr->len ? e->a % rr->len : 0] = e->b; return;
    case 1: rr->rdata[rr->len ? e->a % rr->len : 0] ^= (uint8_t)(1 << e->b % 8); return;
    case 2: rr->ttl_s = ttls[e->a % LENGTH(ttls)]; return;
    case 3: rr->type = types[e->a % LENGTH(types)]; return;
    case 4: rr->owner = name; return;
    case 5: rr->section = e->a % 3; return;
    case 6: *rr = a->rr[--a->count]; return;
    case 7:
        if (a->count < WORLD_RR_MAX) {
            a->rr[a->count] = *rr;
            a->rr[a->count].rdata[rr->len ? e->a % rr->len : 0] = e->b;
            a->count++;
        }
        return;
    case 8: insert(a, e); return;
    case 9: sign_as(rr, &world->zone[e->a % world->count], e->b); return;
    case 10: a->rcode = e->a & 15; return;
    case 11: rr->len = (uint16_t)(e->a | (e->b & 1) << 8); return;
    case 12: replace_name(rr, &name); return;
    case 13: flip_type(rr, e->a); return;
    case 14: hash_owner(rr, e); return;
    }
}

static void apply(struct forged *f, const struct edit *e)
{
    uint32_t at = e->message % f->count;
    struct world_answer *a = &f->answer[at];
    if (a->count == 0 || a->count == WORLD_RR_MAX)
        return;
    edit_record(a, &a->rr[e->rr % a->count], e);
    f->beyond_answer = f->beyond_answer || at > 0;
}

static void add_message(struct forged *f, const struct dns_name *name, uint16_t type)
{
    if (f->count < MESSAGES_MAX)
        f->answer[f->count++] = *honest(name, type);
}

static void forge(struct forged *f, const struct dns_question *q, struct dns_reader *r)
{
    f->count = 0;
    f->beyond_answer = f->aliased = false;
    add_message(f, &q->name, q->type);
    for (unsigned labels = q->name.labels; labels > 1; labels--) {
        struct dns_name name = dns_name_suffix(&q->name, labels);
        add_message(f, &name, DNS_TYPE_DS);
        add_message(f, &name, DNS_TYPE_DNSKEY);
    }
    for (unsigned i = 0; i < EDITS_MAX && dns_reader_left(r) >= 6; i++) {
        struct edit e;
        e.message = dns_read_u8(r);
        e.rr = dns_read_u8(r);
        e.op = dns_read_u8(r);
        e.a = dns_read_u8(r);
        e.b = dns_read_u8(r);
        e.c = dns_read_u8(r);
        apply(f, &e);
    }
    for (uint32_t i = 0; i < f->answer[0].count; i++)
        f->aliased = f->aliased || f->answer[0].rr[i].type == DNS_TYPE_CNAME ||
                     f->answer[0].rr[i].type == DNS_TYPE_DNAME;
}

/* --- running --------------------------------------------------------------------------------- */

static struct forged forged;

/* Octets as they are: edits may have made them anything. */
static bool write_raw(const struct world_answer *a, struct world_octets *ret)
{
    return world_write_raw(a, UINT32_MAX, NULL, 0, ret);
}

static bool fetch(struct bench *b, const struct dns_name *name, uint16_t type,
                  struct world_octets *ret)
{
    (void)b;
    for (uint32_t i = 0; i < forged.count; i++)
        if (forged.answer[i].question.type == type &&
            dns_name_equal(&forged.answer[i].question.name, name))
            return write_raw(&forged.answer[i], ret);
    return write_raw(honest(name, type), ret);
}

static void check_spent(const struct val_budget *left)
{
    const struct val_limits *limits = &left->limits;
    must(left->crypto_units <= limits->crypto_units && left->fetches <= limits->fetches);
    must(left->failed_signatures <= limits->failed_signatures && left->flights <= limits->flights);
    must(left->sha1_blocks <= limits->sha1_blocks);
}

/* --- what is secure -------------------------------------------------------------------------- */

static bool rrsig_fits(const struct dns_msg *msg, const struct dns_rr *rr, const struct dns_rr *sig)
{
    struct dns_rrsig rrsig;
    struct dns_name owner = dns_rr_owner(msg, rr), other = dns_rr_owner(msg, sig);
    if (sig->type != DNS_TYPE_RRSIG || !dns_name_equal(&owner, &other) ||
        dns_rrsig_read(dns_rr_rdata(msg, sig), &rrsig) != DNS_OK || rrsig.covered != rr->type)
        return false;
    unsigned labels = owner.labels - (dns_name_is_wildcard(&owner) ? 1u : 0u);
    /* Serial arithmetic (RFC 4034 3.1.5): differences count, not numbers. */
    bool in_time = (int32_t)(rrsig.expiration - WORLD_NOW) >= 0 &&
                   (int32_t)(WORLD_NOW + 60 - rrsig.inception) >= 0;
    return dns_name_within(&owner, &rrsig.signer) && rrsig.labels <= labels &&
           rrsig.labels >= rrsig.signer.labels && in_time && rr->ttl_s <= rrsig.original_ttl_s &&
           rrsig.signature_len > 0 && rrsig.signature[0] != 0;
}

/* A CNAME under a DNAME of the same answer needs none. */
static bool is_synthesized(const struct dns_msg *msg, const struct dns_rr *rr)
{
    struct dns_name owner = dns_rr_owner(msg, rr);
    for (uint32_t i = 0; rr->type == DNS_TYPE_CNAME && i < msg->rr_count; i++) {
        struct dns_name above = dns_rr_owner(msg, &msg->rr[i]);
        if (msg->rr[i].type == DNS_TYPE_DNAME && dns_name_within(&owner, &above) &&
            above.labels < owner.labels)
            return true;
    }
    return false;
}

static void check_secure(const struct bench *b, bool denial)
{
    static struct world_octets out;
    unsigned proofs = 0;
    out.len = val_job_write(b->job, out.buf, sizeof out.buf);
    if (out.len == 0)
        return; /* edits made it larger than that */
    must(dns_msg_read(out.buf, out.len, out.table, 256, &out.msg) == DNS_OK);
    const struct dns_msg *msg = &out.msg;
    for (uint32_t i = 0; i < msg->rr_count; i++) {
        bool fits = msg->rr[i].type == DNS_TYPE_RRSIG || is_synthesized(msg, &msg->rr[i]);
        for (uint32_t k = 0; k < msg->rr_count && !fits; k++)
            fits = rrsig_fits(msg, &msg->rr[i], &msg->rr[k]);
        must(fits && msg->rr[i].section != DNS_ADDITIONAL);
        proofs += msg->rr[i].type == DNS_TYPE_NSEC || msg->rr[i].type == DNS_TYPE_NSEC3;
    }
    must(!denial || proofs > 0);
}

static enum val_status run(struct bench *b, const struct dns_question *q, uint8_t how)
{
    static const struct val_verdict *v;
    struct world_octets *answer = calloc(1, sizeof *answer);
    must(answer != NULL);
    bool readable = write_raw(&forged.answer[0], answer);
    free(answer);
    bench_forget(b);
    if (!readable)
        return VAL_INDETERMINATE;
    b->limits.slice_units = how & 1 ? 1 : val_limits_default.slice_units;
    b->order = how & 2 ? 77 : 0;
    b->plan = how & 4;
    bench_begin(b, q);
    v = bench_finish(b);
    check_spent(&b->budget);
    if (v->status == VAL_SECURE)
        check_secure(b, v->denial);
    return v->status;
}

/* Only the answer was edited. */
static void check_world(const struct bench *b, const struct dns_question *q, bool was_secure)
{
    const struct val_verdict *v = val_job_verdict(b->job);
    if (q->type == DNS_TYPE_DS || q->type == DNS_TYPE_DNSKEY)
        return; /* there the answer is part of the chain */
    for (uint32_t i = 0; i < b->zone_count; i++)
        must(truth_holds(world, b->zone[i], WORLD_NOW));
    if (was_secure && v->status == VAL_INSECURE && !forged.aliased)
        must(v->reason.why == VAL_WHY_OPT_OUT || v->reason.why == VAL_WHY_ITERATIONS);
}

static void once(void)
{
    if (world)
        return;
    world = world_new();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct bench b;
    struct dns_reader r = dns_reader_init(data, len);
    uint8_t name = dns_read_u8(&r), type = dns_read_u8(&r), how = dns_read_u8(&r);
    if (r.err != DNS_OK)
        return 0;
    once();
    struct dns_question q = {world_name(names[name % LENGTH(names)]), types[type % LENGTH(types)],
                             DNS_CLASS_IN};
    bench_init(&b, world, ".");
    b.fetch = fetch;
    forging = true;
    struct dns_reader none = dns_reader_init(NULL, 0);
    forge(&forged, &q, &none);
    bool was_secure = run(&b, &q, 0) == VAL_SECURE;
    forge(&forged, &q, &r);
    enum val_status status = run(&b, &q, 0);
    if (b.job && !forged.beyond_answer)
        check_world(&b, &q, was_secure);
    must(run(&b, &q, how) == status);
    forging = false;
    bench_deinit(&b);
    return 0;
}
