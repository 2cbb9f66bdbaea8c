/* SPDX-License-Identifier: MIT */
/* The addresses at which upstreams' hosts were reached last, by their host names: shared by all
 * pools of the process, and kept in a file for the next start, which then need not ask anybody
 * first. What the file says is as little trusted as what a DNS server says: the certificate
 * decides. One lock guards all of it; it is taken when a host is looked up, never for a question.
 */
#ifndef DOH_ADDRESSES_H
#define DOH_ADDRESSES_H

#include "doh/config.h"

#include <stddef.h>

#define DOH_ADDRESSES_HOSTS_MAX DOH_UPSTREAMS_MAX
#define DOH_ADDRESSES_EACH_MAX 16u
#define DOH_ADDRESSES_FILE_MAX 65536u

struct doh_addresses;

/* Reads `directory`/upstream-addresses, if it is there. NULL: nothing is kept on disk. Returns NULL
 * when out of memory. */
struct doh_addresses *doh_addresses_new(const char *directory);
void doh_addresses_free(struct doh_addresses *addresses); /* NULL is fine */

/* At most `cap`, with port 0; 0: the host is not known. */
uint32_t doh_addresses_get(struct doh_addresses *addresses, const char *host,
                           struct doh_address *ret, uint32_t cap);

/* Replaces what is known of the host, and writes the file when that is something new. False: it
 * could not be written; it is known all the same. */
bool doh_addresses_put(struct doh_addresses *addresses, const char *host,
                       const struct doh_address *address, uint32_t count);

/* The file's form, one host a line: "HOST ADDRESS...". Lines that are not are left out. */
void doh_addresses_parse(struct doh_addresses *addresses, const char *text, size_t len);

#endif
