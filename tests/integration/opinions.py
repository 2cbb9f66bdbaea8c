# SPDX-License-Identifier: MIT
"""Many questions at once; what Debian's unbound and delv say to them, and where we know that they
differ from the truth, and why."""
import concurrent.futures
import socket
import struct
import subprocess
import time

from generate import text
from lib import header, query
from truth import BOGUS, INSECURE, SECURE, Outcome, Policy

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "MX": 15, "TXT": 16, "AAAA": 28, "DNAME": 39,
         "DS": 43, "RRSIG": 46, "DNSKEY": 48}
TYPE_NAMES = {number: name for name, number in TYPES.items()}
RCODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 5: "REFUSED", 6: "YXDOMAIN"}
AD_ASKED, AD = 0x0120, 0x0020
WINDOW = 24       # questions under way
PATIENCE_S = 8.0  # for one of them
DELV_PATIENCE_S = 3.0  # it looks long for a server that tells the truth


def read_name(message, at):
    """(text in lower case, where it ends)."""
    labels, end = [], None
    for _ in range(128):
        length = message[at]
        if length >= 0xc0:
            end = end or at + 2
            at = (length & 0x3f) << 8 | message[at + 1]
        elif length == 0:
            return "".join(labels).lower() or ".", end or at + 1
        else:
            labels.append(message[at + 1:at + 1 + length].decode("latin-1") + ".")
            at += 1 + length
    raise ValueError("a name that does not end")


def read_outcome(message):
    _, flags, rcode, counts = header(message)
    at, records = 12, []
    for _ in range(counts[0]):
        at = read_name(message, at)[1] + 4
    for _ in range(counts[1]):
        owner, at = read_name(message, at)
        number, _, _, length = struct.unpack("!HHIH", message[at:at + 10])
        rdata = socket.inet_ntoa(message[at + 10:at + 14]) if number == TYPES["A"] else ""
        records.append((owner, TYPE_NAMES.get(number, str(number)), rdata))
        at += 10 + length
    return Outcome(RCODES.get(rcode, str(rcode)), bool(flags & AD), tuple(sorted(set(records))))


def ask_all(port, questions):
    """[Outcome or None] for [(name as text, type)]: a window of them is always under way."""
    seen = [None] * len(questions)
    waiting, following = {}, 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        s.connect(("127.0.0.1", port))
        while following < len(questions) or waiting:
            while following < len(questions) and len(waiting) < WINDOW:
                name, type_ = questions[following]
                s.send(query(name, TYPES[type_], ident=following, flags=AD_ASKED, do=False,
                             size=4000))
                waiting[following] = time.monotonic() + PATIENCE_S
                following += 1
            s.settimeout(max(min(waiting.values()) - time.monotonic(), 0.001))
            try:
                message = s.recv(65536)
            except socket.timeout:
                waiting = {n: at for n, at in waiting.items() if at > time.monotonic()}
                continue
            number = header(message)[0]
            if waiting.pop(number, None):
                seen[number] = read_outcome(message)
    return seen


# --- second opinions ----------------------------------------------------------------------------

UNBOUND = Policy(sha1=True, iterations=150, sha1_ds_last=False)
DELV = Policy(sha1=True, iterations=150)


def ask_delv(up, questions):
    """[SECURE, INSECURE, BOGUS or None]; delv makes its own proof from a resolver's answers."""
    ds = (up.dir / "root.ds").read_text().split("DS", 1)[1].split()
    anchors = up.dir / "delv.keys"
    anchors.write_text(f'trust-anchors {{ . static-ds {ds[0]} {ds[1]} {ds[2]} '
                       f'"{"".join(ds[3:])}"; }};\n')
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda q: ask_delv_one(up, anchors, *q), questions))


def ask_delv_one(up, anchors, name, type_):
    try:
        said = subprocess.run(["delv", "-a", anchors, "+root=.", "@127.0.0.1", "-p",
                               str(up.plain_port), name, type_], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=DELV_PATIENCE_S, check=False)
    except subprocess.TimeoutExpired:
        return None
    words = said.stdout + said.stderr
    if "resolution failed" in words and "resolution failed: ncache" not in words:
        return BOGUS
    verdicts = (("; unsigned answer", INSECURE), ("; negative response, unsigned", INSECURE),
                ("fully validated", SECURE))
    return next((v for text, v in verdicts if text in words), None)


class Asked:
    """One question with what its answer touches, for the predicates below."""

    def __init__(self, truth, name, type_):
        self.truth, self.name, self.type = truth, name, type_
        self.lie = truth.world.lies.get((name, type_))
        answer = truth.resolve(name, type_)
        self.hops, self.rcode = (answer.hops, answer.rcode) if answer else ([], "")
        self.zones = {z.name: z for hop in self.hops for z in self.upwards(hop.zone)}.values()

    @staticmethod
    def upwards(zone):
        while zone:
            yield zone
            zone = zone.parent

    def kinds(self):
        return [hop.kind for hop in self.hops]

    def revoked_key(self):
        return any(zone.fault == "revoked" for zone in self.zones)

    def cut_below_empty(self):
        """A cut more than one label below a zone whose denials are beyond the policy."""
        return any(z.parent and len(z.name) - len(z.parent.name) > 1 and
                   self.truth.beyond(z.parent) for z in self.zones)

    def wildcard_nodata_behind_alias(self):
        return len(self.hops) > 1 and self.hops[-1].kind == "wildcard-nodata"

    def cname_through_dname(self):
        return self.type == "CNAME" and "dname" in self.kinds()

    def wildcard_nodata_for_ds(self):
        return self.type == "DS" and self.hops[-1].kind == "wildcard-nodata"

    def dname_twice(self):
        owners = [hop.node for hop in self.hops if hop.kind == "dname"]
        return len(owners) > len(set(owners))

    def too_long(self):
        return self.rcode == "YXDOMAIN"

    def lied_about(self):
        lies = self.truth.world.lies
        return self.lie or any((hop.name, self.type) in lies for hop in self.hops)

    def keys_lied_about(self):
        lies = self.truth.world.lies
        return any((z.name, t) in lies for z in self.zones for t in ("DS", "DNSKEY"))

    def absent_ds_lied_about(self):
        return any(not z.ds and (z.name, "DS") in self.truth.world.lies for z in self.zones)

    def opt_out_covers(self):
        return any(hop.zone.denial == "optout" for hop in self.hops)


# (what we know of it, the questions it touches): each as narrow as it can be.
UNBOUND_DIFFERS = [
    ("uses a key with the REVOKE bit that a DS names (mended upstream in 2026)",
     Asked.revoked_key),
    ("asks DS label by label: at an empty non-terminal too many iterations end the chain early",
     Asked.cut_below_empty),
    ("a wildcard's NODATA behind an alias is refused", Asked.wildcard_nodata_behind_alias),
    ("an answer to CNAME ends at the CNAME that a DNAME made", Asked.cname_through_dname),
    ("a DNAME that an answer uses twice is there once, and missed", Asked.dname_twice),
    ("its cache of negative answers denies a DS without a look at the wildcard",
     Asked.wildcard_nodata_for_ds),
    ("YXDOMAIN is passed on unproven", Asked.too_long),
    ("the absence of a DS is also proven by what other answers brought",
     Asked.absent_ds_lied_about),
    ("a lie is mixed with good RRsets of its cache, or waited out", Asked.lied_about),
]
DELV_DIFFERS = [
    ("opt-out does not show in what it prints", Asked.opt_out_covers),
    ("a wildcard's NODATA behind an alias", Asked.wildcard_nodata_behind_alias),
    ("denials of too many iterations above the cut end the chain early", Asked.cut_below_empty),
    ("asks by itself for an alias's target, which is lied about", Asked.lied_about),
    ("wants DNSKEYs of zones that are proven insecure", Asked.keys_lied_about),
]


def is_known(differences, truth, name, type_):
    asked = Asked(truth, name, type_)
    return next((words for words, touches in differences if touches(asked)), None)
