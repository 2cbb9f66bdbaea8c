/* SPDX-License-Identifier: MIT */
/* One answer to prove (RFC 4035 5, RFC 5155 8). A machine without I/O:
 *
 *   job = val_job_new(…); val_job_answer(job, message, origin);
 *   while (val_job_step(job, now_s) != VAL_DONE) … fetch val_job_needs(), val_job_give() each …
 *
 * Owner     the caller, one thread. Keeps copies only, in one arena with a limit.
 * Time      `now_s` is seconds since 1970 and may stand still or jump between calls.
 * Cost      every step takes from the budget; when that is spent: VAL_BOGUS, never a stall.
 * Order     messages may be given before they are asked for, in any order and more than once;
 *           the verdict is the same. */
#ifndef VALIDATE_JOB_H
#define VALIDATE_JOB_H

#include "validate/anchors.h"
#include "validate/rrset.h"
#include "validate/trace.h"

struct val_job;

enum val_step {
    VAL_DONE,  /* val_job_verdict() holds */
    VAL_NEED,  /* val_job_needs() names everything that is missing now: fetch all, give each. Before
                * val_job_answer() it names nothing: it is the answer that is missing */
    VAL_AGAIN, /* the time slice is used up: call later, nothing is missing */
};

struct val_env {
    const struct val_anchors *anchors;
    const struct val_policy *policy;
    /* What is known of just this name, or NULL; the caller of find owns a reference. Entries past
     * expires_s are ignored by the job. */
    const struct val_zone *(*zone_find)(void *arg, const struct dns_name *name, uint64_t now_s);
    /* Newly proven; ref it to keep it. BAD and INSECURE ones come here too. */
    void (*zone_learn)(void *arg, const struct val_zone *zone);
    void *arg;
};

struct val_need {
    struct dns_name name;
    uint16_t type; /* DS or DNSKEY */
    bool fresh;    /* the copy at hand failed: ask again, past every cache */
};

struct val_verdict {
    enum val_status status;
    struct val_reason reason; /* why, when not secure */
    uint64_t expires_s;       /* no part may be used beyond; UINT64_MAX when nothing was signed */
    uint32_t ttl_s;           /* lowest TTL of what val_job_write() writes */
    bool denial;              /* NODATA or NXDOMAIN */
};

/* NULL when out of memory. `env`, `budget` and `trace` (or NULL) are borrowed until _free. */
struct val_job *val_job_new(const struct dns_question *question, const struct val_env *env,
                            struct val_budget *budget, struct val_trace *trace);
void val_job_free(struct val_job *job); /* NULL is fine */

/* The message to prove, an answer to the question; copied. `age_s` (HTTP Age) is taken from each
 * TTL. `origin` returns in reasons. An error means it is malformed: the verdict will be bogus. */
enum dns_err val_job_answer(struct val_job *job, const struct dns_msg *msg, uint32_t age_s,
                            uint32_t origin);

/* An answer to a DS or DNSKEY question; copied. `msg` NULL: it could not be fetched. */
enum dns_err val_job_give(struct val_job *job, const struct dns_name *name, uint16_t type,
                          const struct dns_msg *msg, uint32_t age_s, uint32_t origin);

#define VAL_PLAN_MAX 10u
/* What was asked for together with the question, as val_plan() said: it is on its way, so waiting
 * for it is no further flight. At most VAL_PLAN_MAX; more are ignored. */
void val_job_expect(struct val_job *job, const struct val_need *need);

enum val_step val_job_step(struct val_job *job, uint64_t now_s);
const struct val_need *val_job_needs(const struct val_job *job, uint32_t *count); /* never NULL */
const struct val_verdict *val_job_verdict(const struct val_job *job);

/* The answer as it was proven, for the cache: header (QR RD RA, rcode; AD when secure), question,
 * and only the RRsets that carry the verdict with their RRSIGs, TTLs capped; a secure answer has
 * no unsigned authority or additional. No OPT. Length or 0. Only after VAL_DONE with VAL_SECURE or
 * VAL_INSECURE. */
uint32_t val_job_write(const struct val_job *job, void *buf, size_t cap);

/* An RRset that a SECURE verdict rests on and that answers other questions, too (RFC 8198): NSEC,
 * NSEC3, the SOA of their zone, and what a wildcard made. Borrowed from the job. */
struct val_proven {
    const struct val_rrset *set; /* with its RRSIGs */
    struct dns_name zone;        /* whose key signed it */
    struct dns_name owner;       /* as signed: of what a wildcard made, the wildcard */
    uint32_t ttl_s;              /* of the set as verified */
    uint64_t expires_s;          /* end of its signature, since 1970 */
};
#define VAL_PROVEN_MAX 64u
/* Writes at most `cap`; returns the count. None unless VAL_DONE with VAL_SECURE. */
uint32_t val_job_proofs(const struct val_job *job, struct val_proven *ret, uint32_t cap);

/* What to ask together with the question, so that a cold proof costs one flight: DS and DNSKEY of
 * the names between the deepest known zone and qname, as far as unknown (research section 2).
 * Writes at most `cap` needs. Zero when the name is below an insecure cut, a negative anchor, or
 * all is known. */
uint32_t val_plan(const struct dns_question *question, const struct val_env *env, uint64_t now_s,
                  struct val_need *ret, uint32_t cap);

#endif
