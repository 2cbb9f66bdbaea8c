/* SPDX-License-Identifier: MIT */
/* What the files of the chain of trust share: chain.c walks down, chain_cut.c judges one name,
 * chain_known.c remembers. */
#ifndef VALIDATE_CHAIN_PARTS_H
#define VALIDATE_CHAIN_PARTS_H

#include "validate/job_parts.h"

/* --- chain_known.c --- */
/* From this job or from those before it; borrowed for the life of the job. NULL: nothing is known.
 * BAD ones are this job's own. */
const struct val_zone *known_find(struct val_job *job, const struct dns_name *name);
/* Something newly proven: kept for this job and told to others. Takes the reference; NULL (also for
 * NULL): no room or no memory. */
const struct val_zone *known_learn(struct val_job *job, const struct val_zone *zone);
const struct val_zone *known_learn_kind(struct val_job *job, const struct dns_name *name,
                                        enum val_zone_kind kind, uint64_t expires_s,
                                        const struct val_reason *reason);
const struct val_zone *known_learn_bad(struct val_job *job, const struct dns_name *name,
                                       const struct val_reason *reason);
/* How many zones at or above a name this job has proven or used. */
uint32_t known_zones_above(const struct val_job *job, const struct dns_name *name);
/* The best copy of an answer at hand, or NULL. */
const struct job_message *known_message(const struct val_job *job, const struct dns_name *name,
                                        uint16_t type);
void known_want(struct val_job *job, const struct dns_name *name, uint16_t type, bool necessary);
bool known_has_fresh(const struct val_job *job, const struct dns_name *name, uint16_t type);

/* --- chain_cut.c --- */
/* PENDING, or, when what is missing can no longer be had, BOGUS or FAILED. */
struct chain_end chain_pending(struct val_job *job);
struct chain_end chain_end_of(enum chain end, const struct val_reason *reason);
/* The anchor's zone by its configured DS. */
struct chain_end cut_from_anchor(struct val_job *job, const struct val_anchor_hit *hit);
/* What stands at `name`, of which `parent` is the zone. SECURE: a zone, or, with the parent as
 * zone, no cut. */
struct chain_end cut_resolve(struct val_job *job, const struct val_zone *parent,
                             const struct dns_name *name);
/* The same below a name where an unsigned zone may begin: only a DS that `parent` signed counts,
 * otherwise `doubtful` comes back. What is below an unsigned zone need not prove anything. */
struct chain_end cut_resolve_doubtful(struct val_job *job, const struct val_zone *parent,
                                      const struct dns_name *name,
                                      const struct chain_end *doubtful);

/* --- chain_trace.c --- */
void chain_trace_zone(struct val_job *job, const struct val_zone *zone, enum val_trace_kind kind);
void chain_trace_signed(struct val_job *job, enum val_trace_kind kind, const struct dns_name *zone,
                        const struct dns_name *name, const struct val_verified *verified);
void chain_trace_no_ds(struct val_job *job, const struct dns_name *zone,
                       const struct dns_name *name, enum val_status status, enum val_why why);
void chain_trace_anchor(struct val_job *job, const struct val_anchor_hit *hit);

#endif
