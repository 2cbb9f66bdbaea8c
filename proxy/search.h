/* SPDX-License-Identifier: MIT */
/* What resolvers make of a name with few dots and a search list: www.example.com becomes
 * www.example.com.default.svc.cluster.local, and with `ndots:5` that is asked before the name
 * itself, by every program of a pod. The zone's own servers would say that it does not exist; so do
 * we, where the schema of the zone leaves no room for it. */
#ifndef PROXY_SEARCH_H
#define PROXY_SEARCH_H

#include "dns/message.h"
#include "doh/config.h"

/* The cluster's zone, when a search list is one that the kubelet writes: NAMESPACE.svc.ZONE,
 * svc.ZONE, ZONE. Without labels: it is another. */
struct dns_name search_cluster(const struct dns_name *search, uint32_t count);

/* No name of that zone has such an address (Kubernetes DNS-Based Service Discovery 1.1.0, 2.3):
 * below svc there are namespace, service and at most one host, below pod namespace and address, and
 * else there are no two labels below the zone. *ret_zone is written when true. */
bool search_is_expansion(const struct doh_config *config, const struct dns_question *question,
                         struct dns_name *ret_zone);

#endif
