# SPDX-License-Identifier: MIT
"""The lab's DNS: which zones there are, what is wrong with some of them, and how they are signed.

build(directory) writes into it
    NAME.zone                 as an authoritative server loads it ("root.zone" for the root)
    root.hints root.ds        for resolvers and for validators
and returns the zones (these, or those that are given). The signing is BIND's, so that no line of ours proves another of ours right.
Everything but INTERNAL answers at AUTHORITY; signatures are made around the current time.
"""
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

AUTHORITY = "127.53.0.1"
CORPORATE = "127.53.0.2"  # has only what no delegation leads to
INTERNAL = "corp.internal"
NAMESERVER = "ns."  # lives in the root, so that no delegation needs glue
ALGORITHMS = {7: "NSEC3RSASHA1", 8: "RSASHA256", 10: "RSASHA512", 13: "ECDSAP256SHA256",
              14: "ECDSAP384SHA384", 15: "ED25519", 16: "ED448"}
DAY = 86400
SOUND = (-DAY, 30 * DAY)  # seconds from now at which signatures begin and end

# What an ordinary zone holds. The cases name these.
ORDINARY = """
@        A      192.0.2.1
@        MX     10 mx
mx       A      192.0.2.3
www      A      192.0.2.2
www      AAAA   2001:db8::2
target   A      192.0.2.66
hidden   A      192.0.2.67
*.wild   A      192.0.2.77
x.y.z    A      192.0.2.78
loop     CNAME  pool
pool     CNAME  loop
c1       CNAME  c2
c2       CNAME  c3
c3       CNAME  c4
c4       A      192.0.2.79
web      HTTPS  1 . alpn=h2
odd      TYPE65400 \\# 4 c0000205
sp\\032ace A     192.0.2.80
"""
BIG = "".join(f'big TXT "{i:02}{"b" * 240}"\n' for i in range(20))  # 5 kB: more than UDP takes


class Zone:
    """`body` is master file text. `ds` are the DS records that the parent has; {} in it stands for
    the true ones. `edit` gets the signed lines, one record each, and returns others."""

    def __init__(self, name, algorithm=13, denial="nsec", csk=True, body=ORDINARY, ds="{}",
                 edit=None, times=SOUND, iterations=0):
        self.name, self.algorithm, self.denial, self.csk = name, algorithm, denial, csk
        self.body, self.ds, self.edit, self.times = body, ds, edit, times
        self.iterations = iterations
        self.origin = name if name == "." else name + "."
        self.file = "root.zone" if name == "." else name + ".zone"
        self.depth = 0 if name == "." else name.count(".") + 1
        self.delegations = ""


def unsigned(name, ds="", body=ORDINARY):
    return Zone(name, algorithm=None, ds=ds, body=body)


def without(*kinds, owner=None):
    """An edit that drops the records of these kinds; "RRSIG A" are the signatures of A."""
    def kept(line):
        f = line.split()
        kind = f"RRSIG {f[4]}" if f[3:4] == ["RRSIG"] else "".join(f[3:4])
        return kind not in kinds or owner not in (None, f[0])
    return lambda lines: [line for line in lines if kept(line)]


def forged(lines):
    return [line.replace("192.0.2.66", "192.0.2.99") for line in lines]


NO_KEY_DS = "DS 4711 13 2 " + "ab" * 32
UNKNOWN_ALGORITHM_DS = "DS 4711 250 2 " + "ab" * 32
UNKNOWN_DIGEST_DS = "DS 4711 13 250 " + "ab" * 32
ALIASES = """
alias      CNAME  www.a8.org.
toplain    CNAME  www.plain.se.
tobogus    CNAME  target.expired.com.
tonowhere  CNAME  nope.a8.org.
towild     CNAME  any.wild.a8.org.
old        DNAME  a8.org.
oldplain   DNAME  plain.se.
*.walias   CNAME  www.a8.org.
"""


def zones():
    return [
        Zone(".", 8, csk=False, body=f"{NAMESERVER} A {AUTHORITY}\n"),
        Zone("com", 13, "optout", csk=False, body=""),
        Zone("org", 8, "nsec3", csk=False, body=""),
        Zone("se", 13, "nsec", body=""),
        Zone("dev", 15, "nsec", csk=False, body=""),
        # sound
        Zone("a8.org", 8, "nsec3", csk=False),
        Zone("a10.org", 10),
        Zone("a13.se", 13, "nsec", csk=False, body=ORDINARY + ALIASES + BIG),
        Zone("a13n3.com", 13, "nsec3"),
        Zone("a14.se", 14),
        Zone("a15.dev", 15, "nsec3"),
        Zone("a16.dev", 16),
        Zone("optout.com", 13, "optout"),
        unsigned("plain.optout.com"),
        Zone("n3i40.com", 13, "nsec3", iterations=40),
        Zone("mixedds.se", ds="{}\n" + UNKNOWN_ALGORITHM_DS),
        Zone("rollds.se", ds="{}\n" + NO_KEY_DS),
        *[Zone(n, 13, d) for n, d in (("d.dev", "nsec"), ("c.d.dev", "nsec3"),
                                      ("b.c.d.dev", "nsec"), ("a.b.c.d.dev", "nsec"))],
        # insecure, and proven to be so
        unsigned("plain.com"),
        unsigned("plain.org"),
        unsigned("plain.se"),
        Zone("island.plain.se"),  # signed below an unsigned zone: nothing leads to its key
        Zone("ruin.plain.se", times=(-60 * DAY, -30 * DAY)),  # … not even to an expired one
        unsigned("unkalg.com", ds=UNKNOWN_ALGORITHM_DS),
        unsigned("unkdigest.se", ds=UNKNOWN_DIGEST_DS),
        Zone("sha1.org", 7, "nsec3"),
        Zone("n3i150.com", 13, "nsec3", iterations=150),
        # bogus
        Zone("expired.com", times=(-60 * DAY, -30 * DAY)),
        Zone("future.se", times=(10 * DAY, 30 * DAY)),
        Zone("wrongds.se", ds=NO_KEY_DS),
        unsigned("nosig.org", ds=NO_KEY_DS),
        Zone("forged.se", edit=forged),
        Zone("norrsig.se", edit=without("RRSIG A", owner="target.norrsig.se.")),
        Zone("nodenial.se", edit=without("NSEC", "RRSIG NSEC")),
        Zone("denied.se", edit=without("A", "RRSIG A", owner="hidden.denied.se.")),
        # (the NSEC there still shows the A)
        Zone("nta.se", times=(-60 * DAY, -30 * DAY)),  # the configuration excuses this one
        # not delegated at all: for a route of the configuration
        unsigned(INTERNAL),
    ]


def run(directory, *command):
    result = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    if result.returncode:
        raise SystemExit(f"lab: {' '.join(command)}\n{result.stdout}{result.stderr}")
    return result.stdout.strip()


def make_keys(directory, zone):
    bits = ["-b", "2048"] if zone.algorithm < 13 else []
    base = ["dnssec-keygen", "-q", "-a", ALGORITHMS[zone.algorithm], *bits]
    run(directory, *base, "-f", "KSK", zone.origin)
    if not zone.csk:
        run(directory, *base, zone.origin)


def sign(directory, zone):
    """Leaves the signed zone, one record a line, and dsset-NAME for the parent."""
    make_keys(directory, zone)
    command = ["dnssec-signzone", "-q", "-P", "-S", "-O", "full", "-o", zone.origin,
               "-s", f"now{zone.times[0]:+d}", "-e", f"now{zone.times[1]:+d}", "-f", zone.file]
    command += ["-z"] if zone.csk else ["-x"]
    if zone.denial != "nsec":
        command += ["-3", "-", "-H", str(zone.iterations)]
        command += ["-A"] if zone.denial == "optout" else []
    run(directory, *command, zone.file + ".in")
    if zone.edit:
        path = directory / zone.file
        path.write_text("\n".join(zone.edit(path.read_text().splitlines())) + "\n")


def delegation(directory, zone):
    """The lines that the parent has of this zone."""
    true = ""
    if zone.algorithm:
        lines = (directory / ("dsset-" + zone.origin)).read_text().splitlines()
        true = "\n".join("DS " + line.split(None, 3)[3] for line in lines)
    lines = zone.ds.format(true).splitlines()
    return "".join(f"{zone.origin} {r}\n" for r in [f"NS {NAMESERVER}", *lines])


def build_zone(directory, zone):
    text = (f"$ORIGIN {zone.origin}\n$TTL 3600\n"
            f"@ SOA {NAMESERVER} hostmaster.{NAMESERVER} 1 7200 3600 1209600 300\n"
            f"@ NS {NAMESERVER}\n{zone.body}{zone.delegations}")
    (directory / (zone.file + (".in" if zone.algorithm else ""))).write_text(text)
    if zone.algorithm:
        sign(directory, zone)


def parent_of(zone, everything):
    above = [z for z in everything if z.depth < zone.depth and
             (z.name == "." or zone.name.endswith("." + z.name))]
    return max(above, key=lambda z: z.depth)


def build(directory, everything=None):
    directory = Path(directory)
    everything = everything or zones()
    with ThreadPoolExecutor(2) as pool:
        for depth in range(max(z.depth for z in everything), -1, -1):  # a DS needs the child's key
            layer = [z for z in everything if z.depth == depth]
            for _ in pool.map(lambda z: build_zone(directory, z), layer):
                pass
            for zone in layer:
                if zone.name not in (".", INTERNAL):
                    parent_of(zone, everything).delegations += delegation(directory, zone)
    hints = f". 3600 NS {NAMESERVER}\n{NAMESERVER} 3600 A {AUTHORITY}\n"
    (directory / "root.hints").write_text(hints)
    (directory / "root.ds").write_text((directory / "dsset-.").read_text())
    return everything
