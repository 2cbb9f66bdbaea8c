/* SPDX-License-Identifier: MIT */
/* One worker's part in keeping proxy/trust.h true: asks for the keys of every trust anchor when
 * they are due (RFC 5011 2.3), tells the root's servers which of its keys are trusted (RFC 8145
 * 5), keeps the state on disk, and says aloud when the clock is not trusted. While it is not,
 * nothing is learnt and nothing is kept. */
#ifndef PROXY_FOLLOW_H
#define PROXY_FOLLOW_H

#include "proxy/trust.h"

struct follow;

/* All borrowed until it is closed. NULL when out of memory. Begins with the loop's next turn. */
struct follow *follow_open(uv_loop_t *loop, const struct config *config, struct resolver *resolver,
                           struct cache *cache, struct trust *trust, struct log *log);
/* Before the resolver. Nothing is asked any more; the memory goes back when the loop has let go. */
void follow_close(struct follow *follow);

/* _ta-XXXX-YYYY for these anchors of `zone` (RFC 8145 5.1); false: there are none. */
bool follow_key_tag_name(const struct val_anchors *anchors, const struct dns_name *zone,
                         struct dns_name *ret);

#endif
