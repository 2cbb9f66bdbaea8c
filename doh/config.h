/* SPDX-License-Identifier: MIT */
/* What the upstream side is told: plain data, filled by the configuration reader, immutable and
 * borrowed by every pool until the last one is closed. */
#ifndef DOH_CONFIG_H
#define DOH_CONFIG_H

#include "dns/name.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#define DOH_UPSTREAMS_MAX 32u /* so that a set of upstreams is one uint32_t */

struct doh_address { /* port in network order inside */
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } sa;
};

struct doh_upstream_config {
    char *name; /* for logs and EDE text, e.g. "quad9" */
    char *url;  /* RFC 8484 URI template: https://host[:port]/path{?dns}; without {?dns}: POST */
    bool get;   /* use GET even though POST is possible */
    char *operator_; /* two upstreams of one operator are not independent; NULL: the host name */
    struct doh_address *addresses; /* known addresses of the host; port is the URL's */
    uint32_t address_count;
    struct doh_address *bootstrap; /* plain DNS servers for this host name only */
    uint32_t bootstrap_count;
    char *ca_file;   /* PEM; NULL: the system's */
    bool route_only; /* asked only for the routes that name it */
    char **pins;     /* "sha256//BASE64"; the server's key must be one of them; 0: any */
    uint32_t pin_count;
    char *client_cert; /* PEM, both or neither: who we are, for a server that asks */
    char *client_key;
    uint32_t tier; /* as long as one of a lower tier lives, this one is not asked */
};

/* Names under `domains` go to certain DoH upstreams or to plain DNS servers (c-ares). */
enum doh_route_validate { DOH_ROUTE_AUTO, DOH_ROUTE_BELIEVED, DOH_ROUTE_VALIDATED };
struct doh_route_config {
    struct dns_name *domains; /* first those that are written in the configuration, so many: */
    uint32_t written;
    uint32_t domain_count; /* with those of the search list of domains_from */
    char *domains_from;    /* a resolv.conf; or NULL */
    struct dns_name
        cluster; /* its search list is a Kubernetes pod's, of this zone; else no labels */
    struct doh_address *servers; /* plain ones */
    uint32_t server_count;
    char *servers_from; /* a resolv.conf, read again when it changes; or NULL */
    char **groups;      /* names of upstreams */
    uint32_t group_count;
    uint32_t upstreams; /* the same as a bit set; 0: plain servers */
    int validate;       /* enum doh_route_validate; not AUTO once the configuration is read */
    char **trust_anchors;
    uint32_t trust_anchor_count;
    uint32_t negative_ttl_s; /* absences are kept that long at most; 0: as others */
};

enum doh_tls_min { DOH_TLS_1_2, DOH_TLS_1_3 };
enum doh_choice_mode { DOH_FAILOVER, DOH_FASTEST, DOH_ROUND_ROBIN, DOH_SPREAD };
enum doh_hedge { DOH_HEDGE_OFF, DOH_HEDGE_OTHER };

struct doh_config {
    struct doh_upstream_config *upstreams; /* in order of preference */
    uint32_t upstream_count;
    struct doh_route_config *routes;
    uint32_t route_count;
    uint32_t unrouted;              /* bit set of upstreams for what has no route; 0: all */
    const struct doh_address *self; /* where questions are taken: no server of ours, whatever a
                                     * file says; borrowed */
    uint32_t self_count;
    char *resolv_conf; /* whose servers are asked for an upstream's host when nothing else is known
                        * of it; NULL: nobody */
    const char *state_directory; /* where its addresses are kept; NULL: nowhere; borrowed */
    uint32_t connect_ms;         /* TCP connect and TLS handshake together, each address */
    uint32_t deadline_ms;        /* oldest unanswered stream; then it or all is given up */
    uint32_t idle_ms;            /* close a connection that long without a question */
    int tls_min;                 /* enum doh_tls_min */
    bool early_data;             /* GETs may go ahead of a resumed handshake */
    int choice;                  /* enum doh_choice_mode */
    int hedge;                   /* enum doh_hedge */
    uint32_t waiting_max;        /* questions of one pool, guesses up to half of it; 0: as many as
                                  * a pool of few clients needs */
    uint32_t pad_to;             /* RFC 8467; 0: no padding. Used by those who write queries */
    uint8_t subnet[20];  /* an ECS option's content (RFC 7871 6), the same in every question */
    uint32_t subnet_len; /* 0: none */
};

#endif
