/* SPDX-License-Identifier: MIT */
/* What the files of the job share. Nothing outside validate/job*.c and validate/chain*.c includes
 * it.
 *
 * A step evaluates everything from the start and remembers what cost something: verified sets,
 * zones, settled names. So a job may stop anywhere, for want of a message or of time, and go on
 * later without any state but its memory, and the order in which messages arrive cannot matter. */
#ifndef VALIDATE_JOB_PARTS_H
#define VALIDATE_JOB_PARTS_H

#include "validate/denial.h"
#include "validate/job.h"

#define JOB_ARENA_MAX (2u << 20)
#define JOB_MESSAGES_MAX 96u
#define JOB_PLACES_MAX 64u
#define JOB_NEEDS_MAX 32u
#define JOB_MEMO_MAX 192u
#define JOB_SUBJECTS_MAX 64u
#define JOB_UNLIFTED_MAX 32u

/*            _answer    _give     _step
 * WAITING    PROVING    kept      NEED, of nothing that has a name: the answer itself is missing
 * PROVING    ignored    kept      NEED or AGAIN, or DONE
 * DONE       ignored    ignored   DONE */
enum job_state { JOB_WAITING, JOB_PROVING, JOB_DONE };

struct job_message { /* an answer to a DS or DNSKEY question */
    struct dns_name name;
    uint16_t type;
    bool failed; /* could not be fetched, or is no answer */
    bool fresh;  /* asked past every cache */
    uint16_t rcode;
    uint32_t origin;
    struct val_rrsets sets;
};

struct job_place { /* what is known of one name; a reference */
    const struct val_zone *zone;
    bool cached;   /* from zone_find: proven by another job */
    bool distrust; /* cached, and it did not fit: prove it anew */
};

struct job_memo { /* one set under one zone's keys, verified once */
    const struct val_rrset *set;
    const struct val_zone *zone;
    struct val_verified verified;
};

enum job_subject_kind {
    SUBJECT_SET,
    SUBJECT_SYNTHESIZED, /* the CNAME that the DNAME just before it means */
    SUBJECT_UNLIKE,      /* a CNAME that it does not mean */
    SUBJECT_NODATA,
    SUBJECT_NXDOMAIN,
};

struct job_subject { /* one thing that the verdict rests on */
    enum job_subject_kind kind;
    struct dns_name name;
    uint16_t type;
    const struct val_rrset *set;     /* of the first three kinds */
    const struct job_subject *dname; /* SYNTHESIZED, UNLIKE: what it follows from, or not */
    bool settled;
    bool judged; /* of an absence: status and reason hold, only the SOA is still to be looked at */
    enum val_status status;
    struct val_reason reason;
};

struct job_unlifted { /* a DNSKEY set that was looked at under some DS, and does not do */
    const struct job_message *keys;
    const struct val_rdata *ds;
    struct val_reason reason;
};

struct job_needs { /* in one block of the arena, which a larger one may follow */
    struct val_need *need;
    uint32_t count, room;
};

/* What grows with the work lies in the arena, so that the many jobs that have little to prove are
 * small; pointers to it hold as long as the job. */
struct val_job {
    enum job_state state;
    struct dns_question question;
    const struct val_env *env;
    struct val_budget *budget;
    struct val_trace *trace;
    struct val_arena *arena;
    uint64_t now_s;
    bool yielded;       /* this step: the time slice is used up */
    bool starved;       /* this step: something is missing */
    bool foreseen;      /* what was found to be missing last is expected: it is on its way */
    bool spent;         /* the budget, or one of the bounds above, is */
    bool out_of_memory; /* likewise */

    bool malformed;
    uint16_t rcode;
    uint32_t origin;
    struct val_rrsets answer;

    uint32_t message_count, place_count, unlifted_count, memo_count, subject_count;

    bool planned;         /* the subjects are known */
    struct dns_name last; /* where the aliases end */
    bool too_long;        /* they end at a name that would be (RFC 6672 2.2) */
    bool broken;          /* the answer is wrong as a whole */
    enum val_status broken_status;
    struct val_reason broken_reason;

    struct job_needs need;     /* of this step; at most JOB_NEEDS_MAX */
    struct job_needs asked;    /* every one there ever was; at most JOB_MESSAGES_MAX */
    struct job_needs expected; /* under way before any need was known; at most VAL_PLAN_MAX */
    uint32_t unforeseen;       /* of those asked: not among the expected */
    struct val_verdict verdict;

    /* Nothing beyond the counts above is ever read, nor zeroed: mostly that is nearly all. */
    struct job_message *message[JOB_MESSAGES_MAX];
    struct job_place place[JOB_PLACES_MAX];
    struct job_unlifted *unlifted[JOB_UNLIFTED_MAX];
    struct job_memo *memo[JOB_MEMO_MAX];
    struct job_subject *subject[JOB_SUBJECTS_MAX];
};

/* --- job.c --- */
void job_reason_set(struct val_reason *ret, enum val_why why, const struct dns_name *zone,
                    const struct dns_name *name, uint16_t type, uint32_t origin);
struct val_reason job_reason(enum val_why why, const struct dns_name *zone,
                             const struct dns_name *name, uint16_t type, uint32_t origin);
/* False: the time slice or the budget is used up; look at job->yielded and job->spent. */
bool job_verify(struct val_job *job, const struct val_rrset *set, const struct val_zone *zone,
                const struct val_verified **ret);
/* The verified form of a set under any zone, or NULL when it was not verified or is not secure. */
const struct val_verified *job_proven(const struct val_job *job, const struct val_rrset *set);

/* --- job_needs.c --- */
/* Names it among what this step needs. `necessary`: nothing can be decided without; else a guess,
 * which may not use up what necessary questions will want. */
void job_want(struct val_job *job, const struct dns_name *name, uint16_t type, bool fresh,
              bool necessary);
bool job_asked(const struct val_job *job, const struct dns_name *name, uint16_t type, bool fresh);

/* --- job_subjects.c --- */
void job_plan_subjects(struct val_job *job);

/* --- chain.c --- */
enum chain { CHAIN_SECURE, CHAIN_INSECURE, CHAIN_BOGUS, CHAIN_FAILED, CHAIN_PENDING };
struct chain_end {
    enum chain end;
    const struct val_zone *zone; /* SECURE: the deepest zone at or above the target; borrowed */
    struct val_reason reason;    /* INSECURE, BOGUS, FAILED */
};
/* Follows the chain of trust down to `target`: every cut on the way is resolved. PENDING: messages
 * or time are missing. `signer`: the target is thought to be a zone, so ask for its DNSKEY too. */
struct chain_end chain_walk(struct val_job *job, const struct dns_name *target, bool signer);
/* The keys of this zone came from the cache and do not fit: true once, then they are proven anew.
 */
bool chain_distrust(struct val_job *job, const struct val_zone *zone);
/* The name is a zone that this job knows the keys of. */
bool chain_has_keys(const struct val_job *job, const struct dns_name *name);
void chain_free(struct val_job *job);

/* --- job_prove.c --- */
void job_settle(struct val_job *job, struct job_subject *subject);
/* The NSEC and NSEC3 sets of `sets` that `zone` signed and that are verified. False: PENDING. */
bool job_collect_denials(struct val_job *job, const struct val_rrsets *sets,
                         const struct val_zone *zone, const struct val_rrset **ret, uint32_t cap,
                         uint32_t *ret_count, uint64_t *ret_expires_s);

/* --- job_write.c --- */
uint32_t job_lowest_ttl(const struct val_job *job); /* of what would be written; 0 for nothing */

#endif
