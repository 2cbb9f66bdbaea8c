# SPDX-License-Identifier: MIT
"""Random worlds and questions about them, the same for the same seed."""
import random

LABELS = ["a", "b", "c", "www", "x1", "mail", "zz", "m"]
FAULTS = ["expired", "future", "corrupt", "unsigned-data", "unsigned-keys"]


class World:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.names = []
        self.lines = ["zone . alg=13 denial=nsec"]
        for top in ("test.", "example."):
            self.zone(top, "ds=good", depth=0)

    def text(self):
        return "\n".join(self.lines) + "\n"

    def pick(self, *choices):
        return self.random.choice(choices)

    def zone(self, name, ds, depth):
        options = f"alg={self.pick(8, 13, 13, 13, 15)} rsa=1024 keys={self.pick('csk', 'split')}"
        options += f" denial={self.pick('nsec', 'nsec', 'nsec3', 'nsec3', 'optout')}"
        if self.random.random() < 0.3:
            options += f" salt=ab{self.random.randrange(256):02x} iterations={self.pick(0, 1, 5)}"
        if depth > 0 and self.random.random() < 0.12:
            options += f" fault={self.pick(*FAULTS)}"
        if depth > 0 and self.random.random() < 0.15:
            options = "unsigned"
            ds = "ds=none"
        self.lines.append(f"zone {name} {options} {ds}")
        self.records(name)
        if depth < 3:
            children = {self.pick(*LABELS) + "z" for _ in range(self.random.randrange(1, 5))}
            for label in sorted(children):
                kind = self.pick("good", "good", "good", "good", "none", "wrong", "unknown-alg",
                                 "sha384", "good,unknown-digest")
                self.zone(f"{label}.{name}", f"ds={kind}", depth + 1)

    def records(self, zone):
        """Hosts, wildcards, empty non-terminals, aliases; no owner has an alias and other data."""
        taken = set()
        for _ in range(self.random.randrange(1, 8)):
            owner = ".".join(self.pick(*LABELS) for _ in range(self.pick(1, 1, 2, 3)))
            if self.random.random() < 0.2:
                owner = "*." + owner
            if owner in taken:
                continue
            taken.add(owner)
            kind = self.random.random()
            full = f"{owner}.{zone}"
            if kind < 0.15:
                self.lines.append(f"{owner} CNAME {self.target(zone)}")
            elif kind < 0.22 and not owner.startswith("*") and not any(
                    t.endswith("." + owner) for t in taken):
                taken.add("*." + owner)
                self.lines.append(f"{owner} DNAME {self.target(zone).split('.', 1)[1] or 'test.'}")
            elif not any(full.endswith("." + t + "." + zone) for t in taken):
                self.lines.append(f"{owner} {self.pick('A', 'A', 'MX')} ".replace(
                    "MX ", "MX 10 mail.test.").replace("A ", "A 192.0.2.1"))
            self.names.append(full)
        self.names.append(zone)

    def target(self, zone):
        return self.random.choice(self.names) if self.names and self.random.random() < 0.7 \
            else f"{self.pick(*LABELS)}.{zone}"

    def question(self):
        """(name, type): an owner, something below or beside it, or a cut."""
        name = self.random.choice(self.names).replace("*", self.pick("*", *LABELS))
        turn = self.random.random()
        if turn < 0.3:
            name = f"{self.pick(*LABELS)}.{name}"
        elif turn < 0.4:
            name = f"{self.pick(*LABELS)}.{self.pick(*LABELS)}.{name}"
        elif turn < 0.5 and name.count(".") > 1:
            name = name.split(".", 1)[1]
        return name, self.pick("A", "A", "A", "MX", "DS", "AAAA", "NS", "DNSKEY")
