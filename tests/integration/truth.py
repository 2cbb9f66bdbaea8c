# SPDX-License-Identifier: MIT
"""What is true about a question in a generated world: a small, slow oracle that reads the world's
description and knows nothing of how anybody validates.

An Outcome is what a client must see. judge() gives a set of them, nearly always of one; more where
the standards leave the choice, and each such place says why."""
import itertools
from dataclasses import dataclass

from generate import MOST_HOPS, text, within

SECURE, INSECURE, BOGUS = 0, 1, 2  # the worst part decides for the whole (RFC 4035 4.9.3)
KEYS_BROKEN = {"expired", "future", "inverted", "corrupt", "unsigned-keys", "zsk-only", "revoked",
               "no-zone-flag"}
DATA_BROKEN = {"expired", "future", "inverted", "corrupt", "unsigned-data"}
POSITIVE = {"data", "wildcard", "dname"}
NEGATIVE = {"nodata", "nxdomain", "wildcard-nodata"}
DENYING = {"nodata", "nxdomain", "wildcard-nodata", "wildcard"}  # has NSECs in the authority
RCODE = {"0": "NOERROR", "3": "NXDOMAIN"}
UPSTREAM_HOPS = 16
LIED_ADDRESS = "192.0.2.66"


@dataclass(frozen=True)
class Policy:
    """Where validators may differ by choice, not by error."""
    sha1: bool               # algorithms 5 and 7 are supported (RFC 9905)
    iterations: int = 50     # more are insecure (RFC 9276)
    sha1_ds_last: bool = True  # a SHA-1 DS counts only without a SHA-2 one (RFC 4509 3)


@dataclass(frozen=True)
class Outcome:
    rcode: str
    ad: bool
    records: tuple  # sorted (owner, type, RDATA of A)


SERVFAIL = Outcome("SERVFAIL", False, ())


@dataclass
class Hop:
    zone: object
    name: tuple
    type: str
    kind: str
    node: tuple = ()  # where the data is, the wildcard for what it made
    upto: int = 0     # records of the answer with it


@dataclass
class Answer:
    hops: list
    records: list  # (owner, type, RDATA of A or "")
    rcode: str

    def shown(self):
        return tuple(sorted((text(o), t, r) for o, t, r in dict.fromkeys(self.records)))


class Truth:
    def __init__(self, world, policy, aggressive=False):
        self.world, self.policy, self.aggressive = world, policy, aggressive
        self.chains = {}
        self.nodes = {name: self.nodes_of(zone) for name, zone in world.zones.items()}

    # --- what there is ---

    @staticmethod
    def nodes_of(zone):
        """name -> its types; empty non-terminals too."""
        nodes = {}
        for owner in [*zone.data, *zone.children, zone.name]:
            for above in range(len(owner) - len(zone.name) + 1):
                nodes.setdefault(owner[above:], set())
        for owner, sets in zone.data.items():
            nodes[owner] |= set(sets)
        for child in zone.children:
            nodes[child].add("NS")
        if zone.signed:
            nodes[zone.name].add("DNSKEY")
        return nodes

    def zone_of(self, name, type_):
        strictly = type_ == "DS" and name != ()  # RFC 4035 3.1.4.1
        for above in range(int(strictly), len(name) + 1):
            if name[above:] in self.world.zones:
                return self.world.zones[name[above:]]
        raise AssertionError("there is no root")

    def types(self, zone, node):
        child = self.world.zones.get(node) if node in zone.children else None
        return self.nodes[zone.name][node] | ({"DS"} if child and child.ds else set())

    def records_at(self, zone, node, type_, shown):
        for rdata in zone.data.get(node, {}).get(type_, [""]):
            yield shown, type_, rdata if type_ == "A" else ""

    def lame(self, zone, name):
        """The delegation at or above this name that leads nowhere."""
        return next((cut for cut in self.world.lame
                     if within(name, cut) and within(cut, zone.name)), None)

    # --- what an honest resolver answers (RFC 1034 4.3.2, 4592, 6672) ---

    def resolve(self, name, type_):
        """None: longer than what is compared here."""
        answer = Answer([], [], "NOERROR")
        for _ in range(UPSTREAM_HOPS):
            following = self.take_hop(answer, name, type_)
            if answer.hops:
                answer.hops[-1].upto = len(answer.records)
            if following is None:
                return answer if len(answer.hops) <= MOST_HOPS else None
            name = following
        return Answer([], [], "SERVFAIL")  # a loop

    def take_hop(self, answer, name, type_):
        zone = self.zone_of(name, type_)
        lame = self.lame(zone, name)
        if lame and not (type_ == "DS" and lame == name):
            answer.hops, answer.records, answer.rcode = [], [], "SERVFAIL"
            return None
        for above in range(len(name) - len(zone.name), 0, -1):
            if "DNAME" in zone.data.get(name[above:], {}):
                return self.take_dname(answer, zone, name, name[above:])
        nodes = self.nodes[zone.name]
        if name in nodes:
            return self.take_node(answer, Hop(zone, name, type_, "data", name))
        closest = next(name[n:] for n in range(len(name)) if name[n:] in nodes) if zone.name else \
            next((name[n:] for n in range(len(name)) if name[n:] in nodes), ())
        if ("*",) + closest in nodes:
            return self.take_node(answer, Hop(zone, name, type_, "wildcard", ("*",) + closest))
        answer.hops.append(Hop(zone, name, type_, "nxdomain"))
        answer.rcode = "NXDOMAIN"
        return None

    def take_node(self, answer, hop):
        types = self.types(hop.zone, hop.node)
        found = hop.type if hop.type in types else "CNAME" if "CNAME" in types else None
        if not found:
            hop.kind = "wildcard-nodata" if hop.kind == "wildcard" else "nodata"
        else:
            answer.records += self.records_at(hop.zone, hop.node, found, hop.name)
        answer.hops.append(hop)
        if found == "CNAME" and hop.type != "CNAME":
            return hop.zone.data[hop.node]["CNAME"][0]
        return None

    def take_dname(self, answer, zone, name, owner):
        answer.hops.append(Hop(zone, name, "DNAME", "dname", owner))
        answer.records.append((owner, "DNAME", ""))
        target = name[:len(name) - len(owner)] + zone.data[owner]["DNAME"][0]
        if len(target) + sum(map(len, target)) + 1 > 255:
            answer.rcode = "YXDOMAIN"
            return None
        answer.records.append((name, "CNAME", ""))
        return target

    # --- whom to believe (RFC 4035 5) ---

    def chain(self, zone):
        if zone.name not in self.chains:
            self.chains[zone.name] = self.find_chain(zone)
        return self.chains[zone.name]

    def find_chain(self, zone):
        if zone.parent is None:
            return SECURE
        above = self.chain(zone.parent)
        if above != SECURE:
            return above
        if (zone.name, "DS") in self.world.lies or zone.parent.fault in DATA_BROKEN:
            return BOGUS
        usable = self.usable_ds(zone)
        if not zone.ds:
            return self.denial(zone.parent)
        if not usable:
            return INSECURE  # RFC 4035 5.2: no supported algorithm is no DS
        if not zone.signed or (zone.name, "DNSKEY") in self.world.lies:
            return BOGUS
        if zone.fault in KEYS_BROKEN:
            return BOGUS
        return SECURE if set(usable) - {"wrong"} else BOGUS

    def is_undecided(self, zone):
        """There is a lie about the DS. Below an empty name that too many iterations leave open an
        unsigned zone may begin, or not; that there is no DS may be known from another answer."""
        parent = zone.parent
        if parent is None or (zone.name, "DS") not in self.world.lies:
            return parent is not None and self.is_undecided(parent)
        below_empty = self.beyond(parent) and len(zone.name) - len(parent.name) > 1
        proven_elsewhere = self.aggressive and not zone.ds
        return below_empty or proven_elsewhere or self.is_undecided(parent)

    def usable_ds(self, zone):
        if zone.alg in (5, 7) and not self.policy.sha1:
            return []
        usable = [kind for kind in zone.ds if not kind.startswith("unknown")]
        strong = [kind for kind in usable if kind != "sha1"]
        return strong if strong and self.policy.sha1_ds_last else usable

    def denial(self, zone):
        """The status of a proven "there is no DS": insecure, whatever else NSEC3 says."""
        return BOGUS if zone.fault in DATA_BROKEN else INSECURE

    def beyond(self, zone):
        return zone.denial != "nsec" and zone.iterations > self.policy.iterations

    def in_chain(self, zone, name):
        """Does an NSEC or NSEC3 match this name? Insecure delegations opt out."""
        if name not in self.nodes[zone.name]:
            return False
        opted = zone.denial == "optout" and name != zone.name and \
            "NS" in self.types(zone, name) and "DS" not in self.types(zone, name)
        return not opted

    def hop_status(self, hop):
        zone, status = hop.zone, self.chain(hop.zone)
        if status != SECURE:
            return status
        if zone.fault in DATA_BROKEN and not self.is_key_set(hop):
            return BOGUS
        if hop.kind not in DENYING:
            return SECURE
        covers = hop.kind != "nodata" or not self.in_chain(zone, hop.name)
        if self.beyond(zone) or (covers and zone.denial == "optout"):
            return INSECURE  # RFC 9276 3.2; RFC 5155 9.2
        return SECURE

    # --- lies ---

    def unsigned_status(self, zone, name):
        """What unsigned data at this name may be taken for. Insecure too where the zone's own
        denials cannot exclude an unsigned delegation: opt-out spans, too many iterations."""
        status = self.chain(zone)
        if status != SECURE:
            return {status}
        if zone.fault in DATA_BROKEN:
            return {BOGUS}
        if self.lame(zone, name):
            return {INSECURE}
        open_ = self.beyond(zone) or (zone.denial == "optout" and not self.in_chain(zone, name))
        return {BOGUS, INSECURE} if open_ else {BOGUS}

    def spoil(self, answer, statuses, which):
        """The signatures of these hops are gone or worthless."""
        for i, hop in enumerate(answer.hops):
            if which(hop) and self.chain(hop.zone) == SECURE:
                statuses[i] = self.unsigned_status(hop.zone, hop.name)

    def replaced(self, name, type_, rcode, records):
        zone = self.zone_of(name, type_)
        return self.outcomes([self.unsigned_status(zone, name)], Answer([], records, rcode))

    @staticmethod
    def is_key_set(hop):
        return hop.type == "DNSKEY" and hop.kind == "data" and hop.node == hop.zone.name

    def is_signed(self, hop):
        return hop.zone.signed and (hop.zone.fault != "unsigned-data" or self.is_key_set(hop))

    def spoil_hop(self, answer, statuses, i, soa_only=False):
        """The SOA is no part of a proof (RFC 4035 5.4): without it the rest may stand, or not."""
        before = statuses[i]
        self.spoil(answer, statuses, lambda hop: hop is answer.hops[i])
        if soa_only and answer.hops[i].kind in NEGATIVE:
            statuses[i] = statuses[i] | before

    def spoil_first(self, answer, statuses, count):
        """`count` signatures from the first on, over as many hops as it takes."""
        for i, hop in enumerate(answer.hops):
            if count > 0 and self.is_signed(hop):
                self.spoil_hop(answer, statuses, i, soa_only=count == 1)
                count -= 1 if hop.kind in ("data", "dname") else 2

    def tampered(self, answer, statuses, mask):
        """The first record's last octet is another. None: so a name is broken where nobody can
        tell, and perhaps the whole message."""
        self.spoil_hop(answer, statuses, 0, soa_only=True)
        if answer.hops[0].kind not in POSITIVE:
            return answer
        owner, type_, rdata = answer.records[0]
        if type_ != "A" and INSECURE in statuses[0]:
            return None
        octets = rdata.split(".") if rdata else []
        changed = ".".join(octets[:3] + [str(int(octets[3]) ^ mask)]) if octets else ""
        return Answer(answer.hops, [(owner, type_, changed)] + answer.records[1:], answer.rcode)

    def relabelled(self, answer, statuses, rcode):
        """The rcode is not signed: where it matters the records have to bear it out, otherwise
        there is no answer, or the true one."""
        honest = self.outcomes(statuses, answer)
        last = answer.hops[-1]
        statuses = statuses[:-1] + [statuses[-1] | self.unsigned_status(last.zone, last.name)]
        said = self.outcomes(statuses, Answer(answer.hops, answer.records, rcode))
        return honest | {SERVFAIL} | {one for one in said if not one.ad}

    def lied(self, answer, lie):
        """(name, type) is answered with a lie. None: nothing is to be expected."""
        action, _, value = lie.action.partition("=")
        statuses = [{self.hop_status(hop)} for hop in answer.hops]
        if action in ("servfail", "rcode"):
            return {SERVFAIL}
        if action == "unsigned-lie":
            return self.replaced(lie.name, lie.type, "NOERROR",
                                 [(lie.name, lie.type, LIED_ADDRESS)])
        if action in ("nodata", "nxdomain-unsigned"):
            return self.replaced(lie.name, lie.type,
                                 "NOERROR" if action == "nodata" else "NXDOMAIN", [])
        if action == "relabel" and not answer.hops:  # nothing, which now says that there is nothing
            return self.replaced(lie.name, lie.type, RCODE[value], [])
        if not answer.hops or action == "extra":
            return self.outcomes(statuses, answer)
        if action == "sibling":
            return self.signed_by(answer, statuses, value)
        if action in ("flip", "swap") and value != "rdata":
            self.spoil_first(answer, statuses, 1 if action == "flip" else 2)
        if action in ("expire", "future", "inverted", "replay") or lie.action == "strip":
            self.spoil(answer, statuses, self.is_signed)
        if lie.action == "strip=answer":
            self.spoil(answer, statuses, lambda hop: hop.kind in POSITIVE)
        if lie.action in ("strip=authority", "strip=nsec"):
            self.spoil(answer, statuses, lambda hop: hop.kind in DENYING)
        if action in ("tamper", "replay") or value == "rdata":
            answer = self.tampered(answer, statuses, 1 if value == "rdata" else 0x55)
        if action == "relabel":
            return self.relabelled(answer, statuses, RCODE[value])
        return answer and self.outcomes(statuses, answer)

    def signed_by(self, answer, statuses, value):
        other = next(z for z in self.world.zones.values() if text(z.name) == value)
        if any(within(hop.name, other.name) for hop in answer.hops):
            return None  # an ancestor that signs for its child: whoever has its keys may do so
        if other.signed or other.ds:  # it has keys
            self.spoil(answer, statuses, self.is_signed)
        return self.outcomes(statuses, answer)

    # --- the verdict ---

    def outcomes(self, statuses, answer):
        if answer.rcode == "SERVFAIL":
            return {SERVFAIL}
        worst = {max(one) for one in itertools.product(*statuses)}
        right = set()
        kinds = [hop.kind for hop in answer.hops]
        if "dname" in kinds[:-1] and answer.hops[-1].type == "CNAME" and answer.rcode == "NOERROR":
            # the CNAME that was asked for is there: what it leads to may follow, or not
            count = kinds.index("dname") + 1
            part = answer.records[:answer.hops[count - 1].upto]
            right = self.outcomes(statuses[:count], Answer(answer.hops[:count], part, "NOERROR"))
        return right | {SERVFAIL if status == BOGUS else
                        Outcome(answer.rcode, status == SECURE, answer.shown()) for status in worst}

    def judge(self, name, type_):
        """Every Outcome that is right, or None when nothing is to be expected."""
        answer = self.resolve(name, type_)
        if answer is None or any(self.is_undecided(hop.zone) for hop in answer.hops):
            return None
        honest = self.outcomes([{self.hop_status(hop)} for hop in answer.hops], answer)
        lie = self.world.lies.get((name, type_))
        if not lie:
            return honest
        lied = self.lied(answer, lie)
        if lied and self.aggressive and answer.hops and answer.hops[0].kind in DENYING:
            lied = lied | honest  # what another answer proved holds here, too: nobody need be asked
        return lied
