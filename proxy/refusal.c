// SPDX-License-Identifier: MIT
#include "proxy/refusal.h"

/* The upstream is no secret: who strips or filters is to be seen here. */
static void log_unnamed(const struct config *config, struct log *log,
                        const struct resolver_answer *answer)
{
    const struct doh_config *doh = &config->doh;
    bool known = answer->at_fault < doh->upstream_count;
    char claim[CLAIMS_TEXT_MAX];
    (void)claims_text(&answer->claims, claim);
    log_write(log, LOG_LEVEL_WARNING, "bogus: %s%s%s%s%s", val_why_text(answer->reason.why),
              known ? " via " : "", known ? doh->upstreams[answer->at_fault].name : "",
              claim[0] ? "; " : "", claim);
}

void refusal_log(const struct config *config, struct log *log, const struct dns_question *question,
                 const struct resolver_answer *answer)
{
    char name[DNS_NAME_TEXT_MAX];
    char type[DNS_NUMBER_TEXT_MAX];
    if (answer->status != VAL_BOGUS || answer->remembered) /* that was said when it was found */
        return;
    if (!config->log_queries) { /* an EDE text has a name */
        log_unnamed(config, log, answer);
        return;
    }
    (void)dns_name_text(&question->name, name);
    log_write(log, LOG_LEVEL_WARNING, "bogus: %s %s: %s", name, dns_type_text(question->type, type),
              answer->ede.text);
}
