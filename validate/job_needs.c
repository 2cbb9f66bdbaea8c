// SPDX-License-Identifier: MIT
/* What a proof lacks: each DS and DNSKEY question is asked for once, paid for once, and counted as
 * a flight of its own if it was not foreseen. */
#include "validate/job_parts.h"

#include <string.h>

#define NEEDS_FIRST 4u
#define GUESSES_LEAVE 8u /* fetches that guesses leave to what is known to be needed */

static bool among(const struct job_needs *needs, const struct dns_name *name, uint16_t type,
                  bool fresh)
{
    for (uint32_t i = 0; i < needs->count; i++)
        if (needs->need[i].type == type && needs->need[i].fresh == fresh &&
            dns_name_equal(&needs->need[i].name, name))
            return true;
    return false;
}

/* False: there are `most`, or no memory. */
static bool append(struct val_job *job, struct job_needs *needs, const struct val_need *need,
                   uint32_t most)
{
    if (needs->count == most)
        return false;
    if (needs->count == needs->room) {
        uint32_t room = needs->room ? 2 * needs->room : NEEDS_FIRST;
        struct val_need *grown = val_arena_take_unset(job->arena, room * sizeof *grown);
        if (!grown) {
            job->out_of_memory = true;
            return false;
        }
        if (needs->count > 0)
            memcpy(grown, needs->need, needs->count * sizeof *grown);
        needs->need = grown;
        needs->room = room;
    }
    needs->need[needs->count++] = *need;
    return true;
}

bool job_asked(const struct val_job *job, const struct dns_name *name, uint16_t type, bool fresh)
{
    return among(&job->asked, name, type, fresh);
}

/* Each question is paid for once. False: it cannot be. */
static bool ask(struct val_job *job, const struct val_need *need, bool necessary)
{
    if (job_asked(job, &need->name, need->type, need->fresh))
        return true;
    if (job->need.count == JOB_NEEDS_MAX || job->asked.count == JOB_MESSAGES_MAX ||
        (!necessary && job->budget->fetches <= GUESSES_LEAVE) ||
        !val_budget_take(&job->budget->fetches, 1))
        return false;
    job->unforeseen += !among(&job->expected, &need->name, need->type, need->fresh);
    return append(job, &job->asked, need, JOB_MESSAGES_MAX);
}

void val_job_expect(struct val_job *job, const struct val_need *need)
{
    (void)append(job, &job->expected, need, VAL_PLAN_MAX); /* then it counts as a flight */
}

void job_want(struct val_job *job, const struct dns_name *name, uint16_t type, bool fresh,
              bool necessary)
{
    const struct val_need need = {.name = *name, .type = type, .fresh = fresh};
    job->starved = job->starved || necessary;
    if (necessary)
        job->foreseen = among(&job->expected, name, type, fresh);
    if (among(&job->need, name, type, fresh))
        return;
    if (!ask(job, &need, necessary))
        job->spent = job->spent || necessary;
    else
        (void)append(job, &job->need, &need, JOB_NEEDS_MAX); /* more come in the next step */
}

const struct val_need *val_job_needs(const struct val_job *job, uint32_t *count)
{
    static const struct val_need none;
    *count = job->need.count;
    return job->need.count > 0 ? job->need.need : &none;
}
