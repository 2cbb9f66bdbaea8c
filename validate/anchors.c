// SPDX-License-Identifier: MIT
#include "validate/anchors.h"

#include <stdlib.h>
#include <string.h>

struct positive {
    struct dns_name zone;
    struct val_rdata *ds; /* each RDATA is a block of its own */
    uint32_t count;
};

struct negative {
    struct dns_name zone;
    uint64_t until_s;
    char *reason;
};

struct val_anchors {
    struct positive *positive;
    uint32_t positive_count;
    struct negative *negative;
    uint32_t negative_count;
};

/* The root's keys as IANA publishes them (root-anchors.xml, RFC 9718): KSK-2017 and KSK-2024. */
static const char builtin[] =
    ". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n"
    ". IN DS 38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16\n";

struct val_anchors *val_anchors_new(void)
{
    return calloc(1, sizeof(struct val_anchors));
}

void val_anchors_free(struct val_anchors *anchors)
{
    if (!anchors)
        return;
    for (uint32_t i = 0; i < anchors->positive_count; i++) {
        struct positive *p = &anchors->positive[i];
        for (uint32_t j = 0; j < p->count; j++)
            free((void *)(uintptr_t)p->ds[j].data);
        free(p->ds);
    }
    for (uint32_t i = 0; i < anchors->negative_count; i++)
        free(anchors->negative[i].reason);
    free(anchors->positive);
    free(anchors->negative);
    free(anchors);
}

/* Room for one more of `size` octets behind `count`; NULL when out of memory. Anchors are few and
 * made once, so growing by one is fine. */
static void *grow(void *array, uint32_t count, size_t size)
{
    return reallocarray(array, (size_t)count + 1, size);
}

static struct positive *positive_at(struct val_anchors *anchors, const struct dns_name *zone)
{
    for (uint32_t i = 0; i < anchors->positive_count; i++)
        if (dns_name_equal(&anchors->positive[i].zone, zone))
            return &anchors->positive[i];
    struct positive *grown = grow(anchors->positive, anchors->positive_count, sizeof(*grown));
    if (!grown)
        return NULL;
    anchors->positive = grown;
    grown[anchors->positive_count] = (struct positive){.zone = *zone};
    return &grown[anchors->positive_count++];
}

static bool has_ds(const struct positive *p, const uint8_t *data, uint32_t len)
{
    for (uint32_t i = 0; i < p->count; i++)
        if (p->ds[i].len == len && memcmp(p->ds[i].data, data, len) == 0)
            return true;
    return false;
}

static enum dns_err ds_add(struct val_anchors *anchors, const struct dns_name *zone,
                           const uint8_t *data, uint32_t len)
{
    struct positive *p = positive_at(anchors, zone);
    if (!p)
        return DNS_E_SPACE;
    if (has_ds(p, data, len))
        return DNS_OK;
    struct val_rdata *grown = grow(p->ds, p->count, sizeof(*grown));
    if (!grown)
        return DNS_E_SPACE;
    p->ds = grown;
    uint8_t *copy = malloc(len);
    if (!copy)
        return DNS_E_SPACE;
    memcpy(copy, data, len);
    grown[p->count++] = (struct val_rdata){copy, len};
    return DNS_OK;
}

/* A digest's length belongs to its type; one of an unknown type could never match. */
static bool ds_fits(const uint8_t *rdata, uint32_t len)
{
    struct dns_ds ds;
    uint8_t digest[48];
    return dns_ds_read(dns_reader_init(rdata, len), &ds) == DNS_OK &&
           ds.digest_len == val_ds_digest(&dns_root, NULL, 0, ds.digest_type, digest);
}

/* RFC 5011 2.1: what is revoked is no anchor; nor is what may not sign a zone. */
static enum dns_err dnskey_to_ds(const struct dns_name *zone, const uint8_t *rdata, uint32_t len,
                                 struct dns_writer *w)
{
    struct dns_dnskey key;
    uint8_t digest[48];
    if (dns_dnskey_read(dns_reader_init(rdata, len), &key) != DNS_OK || key.protocol != 3 ||
        (key.flags & DNS_KEY_ZONE) == 0 || (key.flags & DNS_KEY_REVOKE) != 0)
        return DNS_E_FORM;
    uint32_t digest_len = val_ds_digest(zone, rdata, len, DNS_DIGEST_SHA256, digest);
    if (digest_len == 0)
        return DNS_E_FORM;
    dns_write_u16(w, dns_key_tag(rdata, len));
    dns_write_u8(w, key.algorithm);
    dns_write_u8(w, DNS_DIGEST_SHA256);
    dns_write_bytes(w, digest, digest_len);
    return w->err;
}

/* A line without its comment; neither DS nor DNSKEY has quoted fields. NULL when out of memory. */
static char *uncomment(const char *line)
{
    return strndup(line, strcspn(line, ";#\r\n"));
}

static bool is_blank(const char *line)
{
    return line[strspn(line, " \t")] == '\0';
}

static enum dns_err record_add(struct val_anchors *anchors, const char *line)
{
    uint8_t rdata[2048], made[64]; /* a DNSKEY of RSA-4096 has about 520 octets */
    struct dns_line record;
    struct dns_writer w = dns_writer_init(rdata, sizeof(rdata));
    enum dns_err err = dns_line_parse(line, &dns_root, 0, &record, &w);
    if (err != DNS_OK)
        return err;
    if (record.class_ != DNS_CLASS_IN)
        return DNS_E_FORM;
    if (record.type == DNS_TYPE_DS)
        return ds_fits(rdata, w.off) ? ds_add(anchors, &record.owner, rdata, w.off) : DNS_E_FORM;
    if (record.type != DNS_TYPE_DNSKEY)
        return DNS_E_FORM;
    struct dns_writer ds = dns_writer_init(made, sizeof(made));
    err = dnskey_to_ds(&record.owner, rdata, w.off, &ds);
    return err == DNS_OK ? ds_add(anchors, &record.owner, made, ds.off) : err;
}

enum dns_err val_anchors_add_line(struct val_anchors *anchors, const char *line)
{
    char *bare = uncomment(line);
    if (!bare)
        return DNS_E_SPACE;
    enum dns_err err = is_blank(bare) ? DNS_OK : record_add(anchors, bare);
    free(bare);
    return err;
}

enum dns_err val_anchors_add_text(struct val_anchors *anchors, const char *text, unsigned *ret_line)
{
    for (unsigned number = 1; *text; number++) {
        size_t len = strcspn(text, "\n");
        char *line = strndup(text, len);
        enum dns_err err = line ? val_anchors_add_line(anchors, line) : DNS_E_SPACE;
        free(line);
        if (err != DNS_OK) {
            *ret_line = number;
            return err;
        }
        text += len + (text[len] == '\n' ? 1 : 0);
    }
    return DNS_OK;
}

enum dns_err val_anchors_add_builtin(struct val_anchors *anchors)
{
    unsigned line;
    return val_anchors_add_text(anchors, builtin, &line);
}

enum dns_err val_anchors_add_negative(struct val_anchors *anchors, const struct dns_name *zone,
                                      uint64_t until_s, const char *reason)
{
    struct negative *grown = grow(anchors->negative, anchors->negative_count, sizeof(*grown));
    if (!grown)
        return DNS_E_SPACE;
    anchors->negative = grown;
    char *copy = strdup(reason ? reason : "");
    if (!copy)
        return DNS_E_SPACE;
    grown[anchors->negative_count++] = (struct negative){*zone, until_s, copy};
    return DNS_OK;
}

/* The deepest statement about a name wins; at one name the negative one, which somebody made on
 * purpose and for a while (RFC 7646 1.1). */
struct val_anchor_hit val_anchors_find(const struct val_anchors *anchors,
                                       const struct dns_name *name, uint64_t now_s)
{
    struct val_anchor_hit hit = {.kind = VAL_ANCHOR_NONE};
    for (uint32_t i = 0; i < anchors->positive_count; i++) {
        const struct positive *p = &anchors->positive[i];
        if (p->count == 0 || !dns_name_within(name, &p->zone) ||
            (hit.kind != VAL_ANCHOR_NONE && p->zone.labels < hit.zone.labels))
            continue;
        hit.kind = VAL_ANCHOR_POSITIVE;
        hit.zone = p->zone;
        hit.ds = (struct val_ds_set){p->ds, p->count};
    }
    for (uint32_t i = 0; i < anchors->negative_count; i++) {
        const struct negative *n = &anchors->negative[i];
        if (now_s > n->until_s || !dns_name_within(name, &n->zone) ||
            (hit.kind != VAL_ANCHOR_NONE && n->zone.labels < hit.zone.labels))
            continue;
        hit = (struct val_anchor_hit){
            .kind = VAL_ANCHOR_NEGATIVE, .zone = n->zone, .reason = n->reason};
    }
    return hit;
}

uint32_t val_anchors_count(const struct val_anchors *anchors)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < anchors->positive_count; i++)
        count += anchors->positive[i].count;
    return count;
}
