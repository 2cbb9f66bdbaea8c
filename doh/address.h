/* SPDX-License-Identifier: MIT */
/* Socket addresses as text and as arguments. */
#ifndef DOH_ADDRESS_H
#define DOH_ADDRESS_H

#include "doh/config.h"

#define DOH_ADDRESS_TEXT_MAX 64u

/* "192.0.2.1:443", "[2001:db8::1]:443"; returns `text`. */
const char *doh_address_text(const struct doh_address *address,
                             char text[static DOH_ADDRESS_TEXT_MAX]);
socklen_t doh_address_len(const struct doh_address *address);
uint16_t doh_address_port(const struct doh_address *address);
void doh_address_set_port(struct doh_address *address, uint16_t port);
bool doh_address_equal(const struct doh_address *a, const struct doh_address *b);
bool doh_address_same_ip(const struct doh_address *a, const struct doh_address *b);

#endif
