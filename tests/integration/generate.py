# SPDX-License-Identifier: MIT
"""Random signed trees, the same for the same seed: zones of every algorithm and kind of denial, cuts
of every kind, aliases, faults of whole zones and lies about single questions. A world is text for
fake-upstream and, in the same objects, the description that truth.py judges.

Names are tuples of labels in lower case, the leaf first; () is the root."""
import random

ROOT = ()
LABELS = ["a", "b", "c", "www", "x1", "mail", "zz", "m", "_tcp", "n-1"]
ALGORITHMS = [13] * 8 + [8] * 4 + [15] * 3 + [14, 16, 10, 7, 5]
DENIALS = ["nsec", "nsec", "nsec3", "nsec3", "optout"]
ITERATIONS = [0, 0, 1, 5, 50, 51, 150, 151]
# What the parent says of a child: good twice as often as everything else together.
SOUND_DS = ["good", "good", "good", "good", "sha384", "sha1", "good,sha384", "good,wrong",
            "good,unknown-digest", "unknown-alg,good", "sha1,good"]
ODD_DS = ["none", "none", "none", "wrong", "unknown-alg", "unknown-digest",
          "unknown-alg,unknown-digest", "wrong,unknown-digest", "sha1,wrong", "unknown-alg,wrong"]
FAULTS = ["expired", "future", "inverted", "corrupt", "unsigned-data", "unsigned-keys", "zsk-only",
          "revoked", "no-zone-flag"]
TYPES = ["A"] * 8 + ["AAAA", "MX", "TXT", "DS", "DS", "NS", "DNSKEY", "CNAME", "SOA"]
LONG = ("l" * 62,) * 3  # a DNAME to it makes names too long (RFC 6672 2.2)
MOST_ZONES, MOST_LIES, MOST_HOPS = 28, 24, 7


def text(name):
    return "".join(label + "." for label in name) or "."


def within(name, zone):
    return len(name) >= len(zone) and name[len(name) - len(zone):] == zone


class Zone:
    def __init__(self, name, parent):
        self.name, self.parent = name, parent
        self.signed, self.alg, self.rsa, self.keys = True, 13, 1024, "split"
        self.denial, self.salt, self.iterations = "nsec", "", 0
        self.ds, self.fault = ["good"], None
        self.data = {}      # name -> {type: [RDATA as text, names as tuples]}
        self.children = []  # names of the zones cut off here

    def add(self, name, type_, rdata):
        self.data.setdefault(name, {}).setdefault(type_, []).append(rdata)

    def options(self):
        ds = "ds=" + (",".join(self.ds) or "none")
        if not self.signed:
            return f"unsigned {ds} alg={self.alg} rsa={self.rsa}"
        words = [f"alg={self.alg} rsa={self.rsa} keys={self.keys} denial={self.denial}", ds]
        if self.denial != "nsec":
            words.append(f"iterations={self.iterations}" + (f" salt={self.salt}" * bool(self.salt)))
        if self.fault:
            words.append(f"fault={self.fault}")
        return " ".join(words)

    def lines(self):
        yield f"zone {text(self.name)} {self.options()}"
        for name, sets in self.data.items():
            for type_, rdatas in sets.items():
                for rdata in rdatas:
                    shown = text(rdata) if isinstance(rdata, tuple) else rdata
                    yield f"{text(name)} {type_} {shown}"


class Lie:
    """What fake-upstream does to every answer to one question."""

    def __init__(self, name, type_, action):
        self.name, self.type, self.action = name, type_, action

    def rule(self):
        return f"rule add name={text(self.name)} type={self.type} action={self.action}"


class World:
    def __init__(self, seed):
        self.seed, self.random = seed, random.Random(seed)
        self.zones = {}
        self.names = []    # owners, and what may be asked below them
        self.lame = set()  # delegated to zones that nobody has
        self.lies = {}     # (name, type) -> Lie
        self.addresses = 0
        self.sha1 = self.chance(0.3)  # is the policy to take algorithms 5 and 7?
        self.aggressive = seed % 2 == 0  # may proven gaps answer (RFC 8198)?
        self.root()
        self.tell_lies()

    def chance(self, p):
        return self.random.random() < p

    def pick(self, *choices):
        return self.random.choice(choices)

    def text(self):
        return "".join(line + "\n" for zone in self.zones.values() for line in zone.lines())

    # --- zones ---

    def root(self):
        root = self.new_zone(ROOT, None)
        root.alg = self.pick(8, 13, 15)
        root.denial, root.iterations = self.pick("nsec", "nsec", "nsec3"), 0
        for label in ("test", "example", "zz"):
            self.zone((label,), root)

    def new_zone(self, name, parent):
        zone = self.zones[name] = Zone(name, parent)
        if parent:
            parent.children.append(name)
        zone.alg = self.random.choice(ALGORITHMS)
        zone.rsa = self.pick(1024, 1024, 1024, 2048)
        zone.keys = self.pick("csk", "split")
        zone.denial = self.random.choice(DENIALS) if zone.alg != 5 else "nsec"  # RFC 5155 2
        zone.salt = self.pick("", "ab%02x" % self.random.randrange(256), "00" * 20)
        zone.iterations = self.random.choice(ITERATIONS) if self.chance(0.4) else 0
        self.add_missing(zone)
        return zone

    @staticmethod
    def add_missing(zone):
        apex, server = zone.name, ("ns",) + zone.name
        zone.add(apex, "SOA", f"{text(server)} {text(apex)} 1 7200 3600 1209600 300")
        zone.add(apex, "NS", server)
        zone.add(server, "A", "192.0.2.53")

    def zone(self, name, parent):
        zone = self.new_zone(name, parent)
        self.choose_trust(zone)
        if len(name) == 1 or not self.chance(0.04):
            self.records(zone)
            self.cuts(zone)
        else:
            zone.add(name, "DNAME", self.target(zone)[1:] or ("test",))
        self.names.append(name)

    def choose_trust(self, zone):
        top = len(zone.name) == 1
        zone.ds = self.random.choice(SOUND_DS).split(",")
        if not self.chance(0.1 if top else 0.5):
            return
        turn = self.random.random()
        if turn < 0.25:
            zone.signed, zone.ds = False, self.pick([], [], [], ["good"], ["unknown-alg"])
        elif turn < 0.55:
            zone.ds = [kind for kind in self.random.choice(ODD_DS).split(",") if kind != "none"]
        if zone.signed and self.chance(0.5):
            zone.fault = self.random.choice(FAULTS)
            if zone.fault == "zsk-only":
                zone.keys = "split"

    def cuts(self, zone):
        depth = len(zone.name)
        for number in range(self.random.randrange(1, 6 - depth) if depth < 4 else 0):
            above = self.pick((), (), (), ("e",), ("e", "f"), (self.random.choice(LABELS),))
            name = (f"z{number}",) + above + zone.name
            if len(self.zones) >= MOST_ZONES or self.below_dname(zone, name):
                return
            if self.chance(0.12):
                self.delegate_lame(zone, name)
            else:
                self.zone(name, zone)

    def delegate_lame(self, zone, name):
        zone.add(name, "NS", ("ns",) + name)
        if self.chance(0.5):
            zone.add(("ns",) + name, "A", "192.0.2.53")  # glue
        self.lame.add(name)
        self.names.append(name)

    # --- records ---

    @staticmethod
    def below_dname(zone, name):
        return any("DNAME" in sets and within(name, owner) for owner, sets in zone.data.items())

    def has_below(self, zone, name):
        """Is there anything that a DNAME at this name would hide?"""
        return any(within(owner, name) for owner in [*zone.data, *zone.children])

    def address(self):
        self.addresses += 1
        return f"198.51.{self.addresses >> 8}.{self.addresses & 255}"

    def records(self, zone):
        """Hosts, wildcards, empty non-terminals, aliases; no owner has an alias and other data."""
        for _ in range(self.random.randrange(2, 9)):
            labels = tuple(self.random.choice(LABELS) for _ in range(self.pick(1, 1, 1, 2, 3)))
            if self.chance(0.25):
                labels = ("*",) + labels
            elif self.chance(0.03):
                labels = labels + ("*",)  # the wildcard is an empty non-terminal (RFC 4592 4.2)
            owner = labels + zone.name
            if owner in zone.data or self.below_dname(zone, owner):
                continue
            self.fill(zone, owner)
            self.names.append(owner)

    def fill(self, zone, owner):
        turn = self.random.random()
        if turn < 0.2:
            zone.add(owner, "CNAME", self.target(zone))
        elif turn < 0.28 and "*" not in owner and not self.has_below(zone, owner):
            if self.chance(0.2):
                zone.add(owner, "DNAME", LONG + zone.name)
                self.names.append(("l" * 60, "o" * 10) + owner)
            else:
                zone.add(owner, "DNAME", self.target(zone)[1:] or ("test",))
        else:
            for _ in range(self.pick(1, 1, 1, 3)):
                zone.add(owner, "A", self.address())
            if self.chance(0.3):
                zone.add(owner, "MX", f"10 Mail.{text(zone.name)}")
            if self.chance(0.2):
                zone.add(owner, "TXT", '"some text"')

    def target(self, zone):
        if self.names and self.chance(0.75):
            return self.ask_below(self.random.choice(self.names))
        return (self.random.choice(LABELS),) + zone.name

    # --- lies ---

    def tell_lies(self):
        """About the keys and cuts of a few zones, and about a few names. Each holds for good, so
        that the truth does not depend on the order of the questions."""
        children = [z for z in self.zones.values() if len(z.name) > 1]
        for zone in self.random.sample(children, min(len(children), self.random.randrange(3))):
            action = self.pick("strip", "expire", "future", "servfail", "nodata", "swap",
                               "nxdomain-unsigned", "inverted", "rcode=5")
            self.lie(zone.name, self.pick("DS", "DNSKEY"), action)
        for _ in range(self.random.randrange(MOST_LIES)):
            action = self.pick("strip", "strip=answer", "strip=authority", "strip=nsec", "swap",
                               "flip=sig", "flip=rdata", "tamper", "expire", "future", "inverted",
                               "replay", "sibling=" + text(self.pick(*self.zones)),
                               "unsigned-lie", "nodata", "nxdomain-unsigned", "servfail",
                               "rcode=5", "relabel=0", "relabel=3", "extra")
            self.lie(self.ask_below(self.random.choice(self.names)), "A", action)

    def lie(self, name, type_, action):
        self.lies[name, type_] = Lie(name, type_, action)

    # --- questions ---

    def ask_below(self, name):
        """A wildcard stands for any label; what else is asked may not have one in it."""
        return tuple(self.random.choice(LABELS) if label == "*" else label for label in name)

    def question(self):
        """(name, type): an owner, something below, beside or above it, or a cut."""
        if self.lies and self.chance(0.1):
            return self.random.choice(list(self.lies))
        name = self.random.choice(self.names)
        turn = self.random.random()
        if turn < 0.9:
            name = self.ask_below(name)
        if turn < 0.25:
            name = (self.random.choice(LABELS),) + name
        elif turn < 0.35:
            name = (self.random.choice(LABELS), self.random.choice(LABELS)) + name
        elif turn < 0.45 and len(name) > 1:
            name = name[1:]
        return name, self.random.choice(TYPES)
