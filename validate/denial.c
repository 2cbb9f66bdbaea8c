// SPDX-License-Identifier: MIT
// NSEC first, then NSEC3: a zone has one of them, or both while it changes over, and each has to
// prove the whole alone.
#include "validate/denial.h"

#include "validate/denial_nsec.h"
#include "validate/denial_nsec3.h"

enum val_proof val_prove_nodata(const struct val_denial *d, const struct dns_name *qname,
                                uint16_t qtype)
{
    enum val_proof proof = val_nsec_nodata(d, qname, qtype);
    return proof != VAL_PROOF_NONE ? proof : val_nsec3_nodata(d, qname, qtype);
}

enum val_proof val_prove_nxdomain(const struct val_denial *d, const struct dns_name *qname)
{
    enum val_proof proof = val_nsec_nxdomain(d, qname);
    return proof != VAL_PROOF_NONE ? proof : val_nsec3_nxdomain(d, qname);
}

enum val_proof val_prove_wildcard(const struct val_denial *d, const struct dns_name *qname,
                                  unsigned encloser_labels)
{
    enum val_proof proof = val_nsec_wildcard(d, qname, encloser_labels);
    return proof != VAL_PROOF_NONE ? proof : val_nsec3_wildcard(d, qname, encloser_labels);
}

enum val_no_ds val_prove_no_ds(const struct val_denial *d, const struct dns_name *name)
{
    enum val_no_ds no_ds = val_nsec_no_ds(d, name);
    return no_ds != VAL_NO_DS_UNPROVEN ? no_ds : val_nsec3_no_ds(d, name);
}
