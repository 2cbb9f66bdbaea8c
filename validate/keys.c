// SPDX-License-Identifier: MIT
#include "validate/keys.h"

#include "validate/algorithm.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <stdlib.h>
#include <string.h>

/* Importing a key costs OpenSSL about as much as the cheapest verification. */
#define PARSE_UNITS 1u

/* DS that may vouch for keys, and keys that one may vouch for, whatever the configuration says. */
#define DS_MAX 16u

static const EVP_MD *digest_find(uint8_t digest_type)
{
    switch (digest_type) {
    case DNS_DIGEST_SHA1: return EVP_sha1();
    case DNS_DIGEST_SHA256: return EVP_sha256();
    case DNS_DIGEST_SHA384: return EVP_sha384();
    default: return NULL;
    }
}

uint32_t val_ds_digest(const struct dns_name *zone, const uint8_t *dnskey_rdata, uint32_t len,
                       uint8_t digest_type, uint8_t ret[static 48])
{
    const EVP_MD *md = digest_find(digest_type);
    if (!md)
        return 0;
    struct dns_name owner = *zone;
    dns_name_lower(&owner);
    unsigned digest_len = 0;
    ERR_set_mark();
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (!ctx || EVP_DigestInit_ex(ctx, md, NULL) != 1 ||
        EVP_DigestUpdate(ctx, owner.wire, owner.len) != 1 ||
        EVP_DigestUpdate(ctx, dnskey_rdata, len) != 1 ||
        EVP_DigestFinal_ex(ctx, ret, &digest_len) != 1)
        digest_len = 0;
    EVP_MD_CTX_free(ctx);
    ERR_pop_to_mark();
    return digest_len;
}

/* --- DS --------------------------------------------------------------------------------------- */

static enum dns_err ds_read(const struct val_rdata *rdata, struct dns_ds *ret)
{
    return dns_ds_read(dns_reader_init(rdata->data, rdata->len), ret);
}

/* A digest of the wrong length matches nothing, but its type is known: the zone means to be secure,
 * so it is not made insecure here. */
static bool ds_supported(const struct dns_ds *ds, const struct val_policy *policy)
{
    return val_policy_digest(policy, ds->digest_type) &&
           val_policy_algorithm(policy, ds->algorithm);
}

enum val_why val_ds_usable(const struct val_ds_set *ds, const struct val_policy *policy)
{
    enum val_why why = VAL_WHY_DIGEST;
    for (uint32_t i = 0; i < ds->count; i++) {
        struct dns_ds one;
        if (ds_read(&ds->rr[i], &one) != DNS_OK)
            continue;
        if (ds_supported(&one, policy))
            return VAL_WHY_NONE;
        if (!val_policy_algorithm(policy, one.algorithm))
            why = VAL_WHY_ALGORITHM;
    }
    return why;
}

struct ds_list { /* the supported ones, read */
    struct dns_ds ds[DS_MAX];
    const struct val_rdata *rdata[DS_MAX];
    uint32_t count;
    bool all; /* none was left out for the limit */
};

/* RFC 4509 3: a SHA-1 DS says nothing where a usable SHA-2 one stands. */
static bool has_sha2(const struct val_ds_set *set, const struct val_policy *policy)
{
    for (uint32_t i = 0; i < set->count; i++) {
        struct dns_ds ds;
        if (ds_read(&set->rr[i], &ds) == DNS_OK && ds_supported(&ds, policy) &&
            ds.digest_type != DNS_DIGEST_SHA1)
            return true;
    }
    return false;
}

static void ds_collect(const struct val_ds_set *set, const struct val_policy *policy,
                       uint32_t limit, struct ds_list *list)
{
    bool sha2_only = has_sha2(set, policy);
    list->count = 0;
    list->all = true;
    if (limit > DS_MAX)
        limit = DS_MAX;
    for (uint32_t i = 0; i < set->count; i++) {
        struct dns_ds ds;
        if (ds_read(&set->rr[i], &ds) != DNS_OK || !ds_supported(&ds, policy) ||
            (sha2_only && ds.digest_type == DNS_DIGEST_SHA1))
            continue;
        if (list->count == limit) {
            list->all = false;
            return;
        }
        list->ds[list->count] = ds;
        list->rdata[list->count] = &set->rr[i];
        list->count++;
    }
}

/* --- DNSKEY ----------------------------------------------------------------------------------- */

struct lift {
    const struct dns_name *zone;
    const struct val_rrset *dnskeys;
    const struct val_policy *policy;
    struct val_budget *budget;
    struct val_reason *reason;
    struct val_key entry[DS_MAX]; /* keys that a DS vouches for: they may sign the set */
    const struct val_rdata *entry_ds[DS_MAX];
    uint32_t entry_count;
    uint32_t too_weak; /* DS whose key is of a size that is not supported here */
};

static void fail(struct lift *l, enum val_why why, uint16_t tag, uint8_t algorithm)
{
    l->reason->why = why;
    l->reason->key_tag = tag;
    l->reason->algorithm = algorithm;
}

static bool dnskey_read(const struct val_rdata *rdata, struct dns_dnskey *ret, uint16_t *ret_tag)
{
    if (dns_dnskey_read(dns_reader_init(rdata->data, rdata->len), ret) != DNS_OK)
        return false;
    *ret_tag = dns_key_tag(rdata->data, rdata->len);
    return true;
}

/* RFC 4034 2.1.1 and 2.1.2; RFC 5011 2.1: a revoked key is never used again. */
static bool dnskey_usable(const struct dns_dnskey *key)
{
    return key->protocol == 3 && (key->flags & DNS_KEY_ZONE) != 0 &&
           (key->flags & DNS_KEY_REVOKE) == 0;
}

static bool digest_matches(const struct lift *l, const struct dns_ds *ds,
                           const struct val_rdata *rdata)
{
    uint8_t digest[48];
    uint32_t len = val_ds_digest(l->zone, rdata->data, rdata->len, ds->digest_type, digest);
    return len > 0 && len == ds->digest_len && memcmp(digest, ds->digest, len) == 0;
}

/* Pays for one import, of the time slice too. */
static bool take_import(struct val_budget *budget)
{
    if (!val_budget_take(&budget->crypto_units, PARSE_UNITS))
        return false;
    budget->slice_units -= budget->slice_units < PARSE_UNITS ? budget->slice_units : PARSE_UNITS;
    return true;
}

/* The DNSKEY is the one that the DS means: takes it as an entry when it can be used. */
static enum val_why entry_add(struct lift *l, const struct val_rdata *ds_rdata,
                              const struct dns_dnskey *dnskey, uint16_t tag)
{
    if (!dnskey_usable(dnskey)) {
        if ((dnskey->flags & DNS_KEY_ZONE) == 0)
            fail(l, VAL_WHY_ZONE_BIT, tag, dnskey->algorithm);
        return VAL_WHY_DNSKEY_DS;
    }
    if (!take_import(l->budget))
        return VAL_WHY_BUDGET;
    enum val_why why = val_key_parse(dnskey, tag, l->policy, &l->entry[l->entry_count]);
    if (why == VAL_WHY_NONE)
        l->entry_ds[l->entry_count++] = ds_rdata;
    else if (why == VAL_WHY_ALGORITHM)
        l->too_weak++;
    return why;
}

/* Looks for the DNSKEY that one DS means. VAL_WHY_BUDGET and VAL_WHY_MEMORY end everything. */
static enum val_why ds_follow(struct lift *l, const struct dns_ds *ds,
                              const struct val_rdata *ds_rdata)
{
    uint32_t tried = 0;
    for (uint32_t i = 0; i < l->dnskeys->count; i++) {
        struct dns_dnskey dnskey;
        uint16_t tag;
        if (!dnskey_read(&l->dnskeys->rr[i], &dnskey, &tag) || tag != ds->key_tag ||
            dnskey.algorithm != ds->algorithm)
            continue;
        if (tried++ == l->budget->limits.keys_per_tag)
            break;
        if (digest_matches(l, ds, &l->dnskeys->rr[i]))
            return entry_add(l, ds_rdata, &dnskey, tag);
    }
    return VAL_WHY_DNSKEY_DS;
}

/* Sizes that are not supported make a zone insecure only where every DS agrees: else who leaves
 * the strong key out of the set would win. */
static bool find_entries(struct lift *l, const struct val_ds_set *ds)
{
    struct ds_list list;
    ds_collect(ds, l->policy, l->budget->limits.ds_per_zone, &list);
    if (list.count == 0) {
        fail(l, val_ds_usable(ds, l->policy), 0, 0);
        return false;
    }
    fail(l, VAL_WHY_DNSKEY_DS, list.ds[0].key_tag, list.ds[0].algorithm);
    for (uint32_t i = 0; i < list.count; i++) {
        enum val_why why = ds_follow(l, &list.ds[i], list.rdata[i]);
        if (why == VAL_WHY_BUDGET || why == VAL_WHY_MEMORY) {
            fail(l, why, list.ds[i].key_tag, list.ds[i].algorithm);
            return false;
        }
    }
    if (list.all && l->too_weak == list.count)
        fail(l, VAL_WHY_ALGORITHM, list.ds[0].key_tag, list.ds[0].algorithm);
    return l->entry_count > 0;
}

/* The set must be signed by one of the entries itself (RFC 4035 5.2). */
static bool verify_set(struct lift *l, uint64_t now_s, struct val_verified *verified)
{
    const struct val_zone entries = {
        .name = *l->zone,
        .kind = VAL_ZONE_SECURE,
        .keys = l->entry,
        .key_count = l->entry_count,
    };
    val_rrset_verify(l->dnskeys, &entries, now_s, l->policy, l->budget, verified);
    if (!verified->secure)
        *l->reason = verified->reason;
    return verified->secure;
}

static bool seen_before(const struct val_rrset *set, uint32_t at)
{
    for (uint32_t i = 0; i < at; i++)
        if (set->rr[i].len == set->rr[at].len &&
            memcmp(set->rr[i].data, set->rr[at].data, set->rr[at].len) == 0)
            return true;
    return false;
}

/* A key that served as an entry cannot be malformed now: OpenSSL says "not on the curve" also when
 * it had no memory to find out. */
static bool is_entry(const struct lift *l, const struct dns_dnskey *dnskey, uint16_t tag)
{
    for (uint32_t i = 0; i < l->entry_count; i++)
        if (l->entry[i].tag == tag && l->entry[i].algorithm == dnskey->algorithm)
            return true;
    return false;
}

static enum val_why believe_key(struct lift *l, const struct dns_dnskey *dnskey, uint16_t tag,
                                struct val_key *ret)
{
    if (!take_import(l->budget))
        return VAL_WHY_BUDGET;
    enum val_why why = val_key_parse(dnskey, tag, l->policy, ret);
    return why == VAL_WHY_MALFORMED && is_entry(l, dnskey, tag) ? VAL_WHY_MEMORY : why;
}

/* Every usable key of a set that is now believed. Those that cannot be used are no failure, unless
 * for want of memory: others would go on for a whole TTL without the key. */
static struct val_key *believe(struct lift *l, uint32_t *ret_count)
{
    uint32_t cap = l->budget->limits.keys_per_zone, count = 0;
    struct val_key *keys = calloc(cap > 0 ? cap : 1, sizeof(*keys));
    if (!keys) {
        fail(l, VAL_WHY_MEMORY, 0, 0);
        return NULL;
    }
    for (uint32_t i = 0; i < l->dnskeys->count && count < cap; i++) {
        struct dns_dnskey dnskey;
        uint16_t tag;
        if (!dnskey_read(&l->dnskeys->rr[i], &dnskey, &tag) || !dnskey_usable(&dnskey) ||
            seen_before(l->dnskeys, i))
            continue;
        enum val_why why = believe_key(l, &dnskey, tag, &keys[count]);
        if (why == VAL_WHY_BUDGET || why == VAL_WHY_MEMORY) {
            fail(l, why, tag, dnskey.algorithm);
            while (count > 0)
                val_key_deinit(&keys[--count]);
            free(keys);
            return NULL;
        }
        count += why == VAL_WHY_NONE;
    }
    *ret_count = count;
    return keys;
}

static const struct val_rdata *ds_of(const struct lift *l, const struct val_sig *sig)
{
    for (uint32_t i = 0; i < l->entry_count; i++)
        if (l->entry[i].tag == sig->rrsig.key_tag && l->entry[i].algorithm == sig->rrsig.algorithm)
            return l->entry_ds[i];
    return NULL;
}

static const struct val_zone *zone_make(struct lift *l, uint64_t expires_s)
{
    uint32_t count = 0;
    struct val_key *keys = believe(l, &count);
    if (!keys)
        return NULL;
    fail(l, VAL_WHY_NONE, 0, 0);
    const struct val_zone *zone =
        val_zone_new(l->zone, VAL_ZONE_SECURE, expires_s, l->reason, keys, count);
    if (!zone)
        fail(l, VAL_WHY_MEMORY, 0, 0);
    return zone;
}

const struct val_zone *val_zone_lift(const struct dns_name *zone, const struct val_ds_set *ds,
                                     uint64_t ds_expires_s, const struct val_rrset *dnskeys,
                                     uint64_t now_s, const struct val_policy *policy,
                                     struct val_budget *budget, struct val_reason *reason,
                                     const struct val_sig **ret_sig,
                                     const struct val_rdata **ret_ds)
{
    const struct val_zone *lifted = NULL;
    struct val_verified verified;
    struct lift l = {
        .zone = zone, .dnskeys = dnskeys, .policy = policy, .budget = budget, .reason = reason};
    *reason = (struct val_reason){
        .zone = *zone, .name = *zone, .type = DNS_TYPE_DNSKEY, .origin = VAL_ORIGIN_NONE};
    if (!dns_name_equal(zone, &dnskeys->owner) || dnskeys->type != DNS_TYPE_DNSKEY)
        fail(&l, VAL_WHY_DNSKEY_ABSENT, 0, 0);
    else if (find_entries(&l, ds) && verify_set(&l, now_s, &verified)) {
        uint64_t keys_expire_s = now_s + verified.ttl_s; /* never past the RRSIG's validity */
        lifted = zone_make(&l, keys_expire_s < ds_expires_s ? keys_expire_s : ds_expires_s);
        if (lifted && ret_sig)
            *ret_sig = verified.sig;
        if (lifted && ret_ds)
            *ret_ds = ds_of(&l, verified.sig);
    }
    for (uint32_t i = 0; i < l.entry_count; i++)
        val_key_deinit(&l.entry[i]);
    return lifted;
}
