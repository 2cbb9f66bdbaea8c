/* SPDX-License-Identifier: MIT */
/* The one table of configuration keys: name, kind, bounds, default, words. The reader, the
 * reference in the manual and the JSON Schema are all made from it, so they cannot disagree. */
#ifndef PROXY_CONFIG_SCHEMA_H
#define PROXY_CONFIG_SCHEMA_H

#include "proxy/config.h"

/* What a value is, and the C type it is stored as. */
enum config_kind {
    CONFIG_MAP,      /* children, stored relative to the same base */
    CONFIG_LIST,     /* children[0] is the element; pointer at `offset`, uint32_t at count_offset */
    CONFIG_STRING,   /* char * */
    CONFIG_PATH,     /* char *, made absolute from the folder of the configuration file, or one of
                      * `words` as it stands */
    CONFIG_URL,      /* char *, https only; judged again by doh_shared_new() */
    CONFIG_DOMAIN,   /* struct dns_name */
    CONFIG_ENDPOINT, /* struct doh_address: IP with or without a port; `fallback` is the default */
    CONFIG_IP,       /* struct doh_address with port 0 */
    CONFIG_NETWORK,  /* struct config_network: IP or IP/bits */
    CONFIG_COUNT,    /* uint32_t within min..max; "auto" is 0 where words[0] says so */
    CONFIG_SIZE,     /* size_t octets; "auto" likewise */
    CONFIG_MS,       /* uint32_t milliseconds */
    CONFIG_SECONDS,  /* uint32_t seconds */
    CONFIG_BOOL,     /* bool: true or false, nothing else */
    CONFIG_WORD,     /* int: index into words */
    CONFIG_DATE,     /* uint64_t seconds since 1970, from YYYY-MM-DD (UTC) */
};

struct config_key {
    const char *name;
    enum config_kind kind;
    size_t offset, count_offset; /* in the draft, or in the list's element */
    size_t element_size;         /* LIST */
    uint64_t min, max;    /* bounds in the stored unit; for ENDPOINT min is the default port */
    const char *fallback; /* default in the file's own syntax, of a LIST its elements with blanks
                           * between; NULL: none */
    bool or_one;          /* LIST: a single element may stand without brackets */
    bool required;
    const char *const *words; /* WORD, PATH: allowed ones, NULL-terminated; COUNT, SIZE: {"auto"} */
    const struct config_key *children; /* ends with name NULL */
    const char *doc;
};

struct config_negative {
    struct dns_name domain;
    uint64_t until_s; /* 0: for good */
    char *reason;
};

/* What the table fills; turned into a struct config when everything is right. */
struct config_draft {
    struct config c;
    char **trust_anchors; /* each "builtin" or a path */
    uint32_t trust_anchor_count;
    struct config_negative *negative;
    uint32_t negative_count;
    struct config_network *subnet; /* at most one */
    uint32_t subnet_count;
    bool sha1;
    uint32_t skew_s;
    uint32_t nsec3_iterations, rsa_bits_min;
};

extern const struct config_key config_root; /* kind MAP */

#endif
