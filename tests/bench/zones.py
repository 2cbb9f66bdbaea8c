# SPDX-License-Identifier: MIT
"""The world that is measured in: the lab's way of making zones, with many names.

build(directory) makes zones and keys once (half a minute) and keeps them for some days; then
NAMES[kind](n) are the first n questions of a kind, as lines of "name type"."""
import json
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "lab"))
import world  # noqa: E402

VERSION = "1"
KEPT_S = 10 * 86400
MANY, SOME = 50000, 8000
WWW = "@ A 192.0.2.1\nwww A 192.0.2.2\n"


def body(count):
    return WWW + "".join(f"u{i:06} A 198.51.{i >> 8 & 255}.{i & 255}\n" for i in range(count))


def zones():
    return [
        world.Zone(".", 8, csk=False, body=f"{world.NAMESERVER} A {world.AUTHORITY}\n"),
        world.Zone("com", 13, "optout", csk=False, body=""),
        world.Zone("org", 8, "nsec3", csk=False, body=""),
        world.Zone("se", 13, "nsec", csk=False, body=""),
        world.Zone("dev", 15, "nsec3", csk=False, body=""),
        world.Zone("p256.com", 13, csk=False, body=body(MANY)),
        world.Zone("rsa.org", 8, csk=False, body=body(SOME)),
        world.Zone("ed25519.dev", 15, csk=False, body=body(SOME)),
        world.unsigned("plain.com", body=body(MANY)),
        world.Zone("wild.se", 13, csk=False, body=WWW + "*.w A 192.0.2.77\n"),
        world.Zone("wildnsec3.com", 13, "nsec3", csk=False, body=WWW + "*.w A 192.0.2.77\n"),
        world.Zone("deep.com", 13, csk=False, body=WWW),
        world.Zone("b.deep.com", 13, csk=False, body=WWW),
        world.Zone("c.b.deep.com", 13, csk=False, body=WWW),
        world.unsigned("plain.se", body=WWW),
    ]


def numbered(domain):
    return lambda count: [f"u{i:06}.{domain} A" for i in range(count)]


def mixed(count):
    """Half signed, half not."""
    return [line for pair in zip(NAMES["p256"](count // 2), NAMES["plain"](count // 2))
            for line in pair]


def shuffled(count):
    names = NAMES["many"](count)
    random.Random(count).shuffle(names)
    return names


def sizes(count):
    """Answers of many sizes: two of an unsigned zone for one signed and one absence."""
    kinds = [NAMES["many"](count // 2)[i::2] for i in (0, 1)]
    kinds += [NAMES["p256"](min(count // 4, MANY)), NAMES["nxdomain"](count // 4)]
    return [line for lines in zip(*kinds) for line in lines]


NAMES = {
    "p256": numbered("p256.com"), "rsa": numbered("rsa.org"), "ed25519": numbered("ed25519.dev"),
    "plain": numbered("plain.com"), "wild": numbered("w.wild.se"),
    "wildnsec3": numbered("w.wildnsec3.com"), "nxdomain": lambda n: [
        f"no{i:06}.wild.se A" for i in range(n)], "mixed": mixed, "nxnsec3": lambda n: [
        f"no{i:06}.wildnsec3.com A" for i in range(n)],
    "many": numbered("many.plain.se"),  # made up by the upstream: any number of them
    "shuffled": shuffled, "sizes": sizes,
}
COLD = {"2 labels": "p256.com A", "3 labels": "www.p256.com A", "5 labels": "www.c.b.deep.com A",
        "insecure": "www.plain.com A", "NXDOMAIN": "nope.p256.com A"}
# Asked after those, of the same zone: what is known of it need not be asked for again.
WARM = {"2 labels": "u000001.p256.com A", "3 labels": "u000002.p256.com A",
        "5 labels": "c.b.deep.com A", "insecure": "u000001.plain.com A",
        "NXDOMAIN": "u000003.p256.com MX"}


def is_fresh(stamp):
    try:
        made = json.loads(stamp.read_text())
    except (OSError, ValueError):
        return False
    return made["version"] == VERSION and time.time() - made["at"] < KEPT_S


def build(directory):
    """The zones, made anew when there are none or they have grown old."""
    stamp = directory / "stamp"
    listing = directory / "zones.json"
    if not is_fresh(stamp):
        for file in directory.glob("*"):
            if file.is_file():
                file.unlink()
        everything = world.build(directory, zones())
        listing.write_text(json.dumps([[z.origin, z.file] for z in everything]))
        stamp.write_text(json.dumps({"version": VERSION, "at": time.time()}))
    return json.loads(listing.read_text())


def anchor(directory):
    """The root's DS (key tag, algorithm, digest type, digest) and its key-signing key's line."""
    fields = (directory / "root.ds").read_text().split("DS", 1)[1].split()
    for file in directory.glob("K.+*.key"):
        line = [x for x in file.read_text().splitlines() if not x.startswith(";")][0]
        if " 257 " in line:
            return [*fields[:3], "".join(fields[3:])], line
    raise SystemExit("bench: the root has no key-signing key")
