// SPDX-License-Identifier: MIT
/* Which trust anchors hold now. */
#include "proxy/config_routes.h"
#include "proxy/resolver_parts.h"

void resolver_use_trust(struct resolver *resolver, struct trust *trust)
{
    resolver->trust = trust;
    resolver->trust_version = trust_version(trust) - 1; /* taken with the first question */
}

static bool has_file_domains(const struct doh_route_config *route)
{
    return route->validate == DOH_ROUTE_BELIEVED && route->domain_count > route->written;
}

static enum dns_err add_file_domains(struct val_anchors *anchors,
                                     const struct doh_route_config *route)
{
    enum dns_err err = DNS_OK;
    for (uint32_t d = route->written; d < route->domain_count && err == DNS_OK; d++)
        err = val_anchors_add_negative(anchors, &route->domains[d], UINT64_MAX,
                                       CONFIG_ROUTE_BELIEVED);
    return err;
}

/* Routes that are believed are negative anchors. Those whose domains come from a file are added
 * here, since the file may change. Takes the reference and gives one; without memory their answers
 * are refused. */
static const struct val_anchors *with_routes(const struct doh_config *doh,
                                             const struct val_anchors *anchors)
{
    struct val_anchors *made = NULL;
    for (uint32_t i = 0; i < doh->route_count; i++) {
        if (!has_file_domains(&doh->routes[i]))
            continue;
        made = made ? made : val_anchors_copy(anchors);
        if (!made || add_file_domains(made, &doh->routes[i]) != DNS_OK)
            break;
    }
    if (!made)
        return anchors;
    val_anchors_unref(anchors);
    return made;
}

const struct val_anchors *resolver_first_anchors(const struct config *config, uint64_t now_s)
{
    uint64_t until_s; /* whoever stays long enough follows them */
    const struct val_anchors *made = val_anchors_in_use(config->anchors, now_s, &until_s);
    return made ? with_routes(&config->doh, made) : NULL;
}

/* What is under way keeps the anchors that it began with alive: it holds a reference. */
const struct val_anchors *resolver_anchors(struct resolver *r)
{
    if (!r->trust || trust_version(r->trust) == r->trust_version)
        return r->anchors;
    r->trust_version = trust_version(r->trust);
    val_anchors_unref(r->anchors);
    r->anchors = with_routes(&r->config->doh, trust_anchors(r->trust));
    r->env.anchors = r->env_fresh.anchors = r->anchors;
    return r->anchors;
}
