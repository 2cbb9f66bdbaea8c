// SPDX-License-Identifier: MIT
#include "proxy/explain_print.h"

const char *explain_advice(enum val_why why)
{
    switch (why) {
    case VAL_WHY_NONE:
        return "Nothing to do: every step from the trust anchor to the answer is proven.";
    case VAL_WHY_NO_DS:
    case VAL_WHY_OPT_OUT:
        return "The zone is not signed, and its parent proves that. Only its owner can change it.";
    case VAL_WHY_ALGORITHM:
    case VAL_WHY_DIGEST:
        return "The zone is signed with algorithms that count for nothing here. For RSASHA1 see "
               "validation.sha1.";
    case VAL_WHY_ITERATIONS:
    case VAL_WHY_ITERATIONS_REFUSED:
        return "The zone's owner should set NSEC3 iterations to 0 (RFC 9276).";
    case VAL_WHY_NEGATIVE_ANCHOR:
        return "The configuration says not to validate here (negative-trust-anchors or routes).";
    case VAL_WHY_NO_ANCHOR: return "Add a trust anchor above the name to have it validated.";
    case VAL_WHY_NOT_SIGNABLE: return "Ask for the record that the signatures cover instead.";
    case VAL_WHY_FETCH:
    case VAL_WHY_RCODE:
        return "Ask again in a moment; if it stays so, an upstream or the zone's servers are down.";
    case VAL_WHY_MEMORY: return "This machine is out of memory.";
    case VAL_WHY_EXPIRED:
        return "The zone's owner must sign it again. If this machine's clock is wrong, set it "
               "first. To accept the zone until then, add a negative trust anchor for it.";
    case VAL_WHY_NOT_YET:
        return "Check this machine's clock; else the zone was signed ahead of time.";
    case VAL_WHY_NO_RRSIG:
    case VAL_WHY_NO_MATCHING_RRSIG:
        return "Somebody between the zone and here removed the signatures, or the zone is only "
               "half "
               "signed. Another upstream that says the same points to the zone.";
    case VAL_WHY_SIGNATURE:
    case VAL_WHY_SIGNER:
    case VAL_WHY_DNAME:
        return "The answer was changed on its way, or the zone is broken. Another upstream that "
               "says "
               "the same points to the zone.";
    case VAL_WHY_ANCHOR_GONE:
        return "Every key of that trust anchor was revoked or is out of its dates. Get its "
               "present\n"
               "keys from whom you trust, name them in validation.trust-anchors, and remove the "
               "state "
               "file.";
    case VAL_WHY_NO_KEY:
    case VAL_WHY_DNSKEY_DS:
    case VAL_WHY_DNSKEY_ABSENT:
    case VAL_WHY_ZONE_BIT:
        return "The zone's keys and the DS at its parent do not belong together, often after a key "
               "change. The zone's owner must put them right.";
    case VAL_WHY_TIMES:
    case VAL_WHY_MALFORMED:
        return "The zone's owner, or the upstream, sends records that are wrong in themselves.";
    case VAL_WHY_NO_DENIAL:
    case VAL_WHY_DS_UNPROVEN:
    case VAL_WHY_WRONG_SIDE:
        return "The proof that something does not exist is missing: stripped on its way, or the "
               "zone "
               "is broken. Another upstream that says the same points to the zone.";
    case VAL_WHY_LOOP: return "The zone's owner must mend the chain of aliases.";
    case VAL_WHY_BUDGET:
        return "Proving it costs more than one question may (validation.budget): made to exhaust "
               "resolvers, or signed with far too many keys.";
    }
    return "";
}
