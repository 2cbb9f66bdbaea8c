/* SPDX-License-Identifier: MIT */
/* resolv.conf(5) as a source of servers and of the search list: what a DHCP client, a VPN or a
 * kubelet wrote there. Lines that are not understood say nothing; `search` and `domain` replace
 * each other, the last one counts. Besides a bare address a server may be "[ADDRESS]:PORT", as
 * OpenBSD has it. */
#ifndef DOH_RESOLV_CONF_H
#define DOH_RESOLV_CONF_H

#include "doh/config.h"

#include <stddef.h>

#define DOH_RESOLV_SERVERS_MAX 8u
#define DOH_RESOLV_SEARCH_MAX 32u
#define DOH_RESOLV_FILE_MAX 65536u

struct doh_resolv_conf {
    struct doh_address server[DOH_RESOLV_SERVERS_MAX];
    uint32_t server_count;
    struct dns_name search[DOH_RESOLV_SEARCH_MAX];
    uint32_t search_count;
};

void doh_resolv_conf_parse(const char *text, size_t len, struct doh_resolv_conf *ret);

/* False when the file cannot be read or is larger than DOH_RESOLV_FILE_MAX; *ret is untouched. */
bool doh_resolv_conf_read(const char *path, struct doh_resolv_conf *ret);

/* Takes out the servers that are this program: those at which it listens, and any address of this
 * machine at a port where it listens on all of them. */
void doh_resolv_conf_drop_self(struct doh_resolv_conf *conf, const struct doh_address *self,
                               uint32_t self_count);

#endif
