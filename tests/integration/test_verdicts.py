# SPDX-License-Identifier: MIT
"""Every zone of the world through veridoh: the verdict, and what the client sees of it."""
import socket
import time
import unittest

from lib import Case, ask_udp, query

# (name, type, rcode, AD, one record of the answer)
BELIEVED = [
    *((f"www.a{n}.test.", "A", "NOERROR", True, f"192.0.2.{n}") for n in (8, 10, 13, 14, 15, 16)),
    *((f"www.a{n}.test.", "A", "NOERROR", False, f"192.0.2.{n}") for n in (5, 7)),
    *((f"none.a{n}.test.", "A", "NXDOMAIN", True, None) for n in (8, 10, 13, 14, 15, 16)),
    (".", "SOA", "NOERROR", True, None),
    ("two.test.", "DNSKEY", "NOERROR", True, None),
    ("two.test.", "DS", "NOERROR", True, None),
    ("www.nsec.test.", "A", "NOERROR", True, "192.0.2.21"),
    ("WWW.NSEC.test.", "A", "NOERROR", True, "192.0.2.21"),
    ("www.nsec.test.", "MX", "NOERROR", True, None),
    ("none.nsec.test.", "A", "NXDOMAIN", True, None),
    ("zzz.nsec.test.", "A", "NXDOMAIN", True, None),
    ("c.ent.nsec.test.", "A", "NOERROR", True, None),
    ("x.wild.nsec.test.", "A", "NOERROR", True, "192.0.2.22"),
    ("x.y.wild.nsec.test.", "A", "NOERROR", True, "192.0.2.22"),
    ("x.wild.nsec.test.", "MX", "NOERROR", True, None),
    ("x.wildalias.nsec.test.", "A", "NOERROR", True, "192.0.2.21"),
    ("alias.nsec.test.", "A", "NOERROR", True, "192.0.2.21"),
    ("www.tree.nsec.test.", "A", "NOERROR", True, "192.0.2.25"),
    ("www.nsec3.test.", "A", "NOERROR", True, "192.0.2.25"),
    ("www.nsec3.test.", "MX", "NOERROR", True, None),
    ("none.nsec3.test.", "A", "NXDOMAIN", True, None),
    ("a.b.none.nsec3.test.", "A", "NXDOMAIN", True, None),
    ("c.ent.nsec3.test.", "A", "NOERROR", True, None),
    ("x.wild.nsec3.test.", "A", "NOERROR", True, "192.0.2.26"),
    ("x.y.wild.nsec3.test.", "A", "NOERROR", True, "192.0.2.26"),
    ("x.wild.nsec3.test.", "MX", "NOERROR", True, None),
    ("x.wildalias.nsec3.test.", "A", "NOERROR", True, "192.0.2.25"),
    ("alias.nsec3.test.", "A", "NOERROR", True, "192.0.2.21"),
    ("www.tree.nsec3.test.", "A", "NOERROR", True, "192.0.2.21"),
    ("www.optout.example.", "A", "NOERROR", True, "192.0.2.28"),
    ("none.optout.example.", "A", "NXDOMAIN", False, None),  # RFC 5155 9.2: opt-out, no AD
    ("www.onegood.test.", "A", "NOERROR", True, "192.0.2.46"),
    ("www.cut.optout.example.", "A", "NOERROR", False, "192.0.2.29"),
    ("www.insecure.test.", "A", "NOERROR", False, "192.0.2.40"),
    ("none.insecure.test.", "A", "NXDOMAIN", False, None),
    ("back.insecure.test.", "A", "NOERROR", False, "192.0.2.32"),
    ("unproven.alias.test.", "A", "NOERROR", False, "192.0.2.40"),
    ("www.insecure.example.", "A", "NOERROR", False, "192.0.2.41"),
    ("www.below.two.test.", "A", "NOERROR", False, "192.0.2.42"),
    ("www.signed.insecure.test.", "A", "NOERROR", False, "192.0.2.43"),
    ("www.unknownalg.test.", "A", "NOERROR", False, "192.0.2.44"),
    ("www.unknowndigest.test.", "A", "NOERROR", False, "192.0.2.45"),
    ("none.many.test.", "A", "NXDOMAIN", False, None),  # RFC 9276: too many iterations
    ("www.many.test.", "A", "NOERROR", True, "192.0.2.30"),
]

# (zone, EDE codes that say it well, RFC 8914)
REFUSED = [
    ("wrongds", (9, 6)),
    ("expired", (7,)),
    ("future", (8,)),
    ("inverted", (25,)),
    ("corrupt", (6,)),
    ("nodatasigs", (10,)),
    ("nokeysigs", (10, 9, 6)),
    ("zskonly", (6, 9, 10)),
    ("revoked", (9, 6)),
    ("nozoneflag", (11, 9)),
    ("unsignedchild", (9, 10)),
    ("keytrap", (6,)),
    ("hashtrap", (6, 9)),
]


class Verdicts(Case):
    def setUp(self):
        self.up = self.upstream()
        self.veri = self.veridoh(self.up)

    def test_believed(self):
        for name, type_, rcode, secure, rdata in BELIEVED:
            with self.subTest(name=name, type=type_):
                cold, warm = (self.veri.dig(name, type_) for _ in range(2))
                for answer in (cold, warm):
                    self.assertEqual((answer.rcode, "ad" in answer.flags), (rcode, secure), answer)
                    if rdata:
                        self.assertIn(rdata, [r[3] for r in answer.answer], answer)

    def test_refused(self):
        for zone, ede in REFUSED:
            for name in (f"www.{zone}.test.", f"none.{zone}.test."):
                with self.subTest(name=name):
                    self.assert_refused(self.veri.dig(name), *(ede if "www" in name else ()))

    def test_ede_names_the_zone(self):
        answer = self.veri.dig("www.expired.test.")
        self.assertIn("expired.test", answer.ede[0][1], answer)

    def test_sha1_when_wanted(self):
        extra = f"validation:\n  trust-anchors: {self.up.dir}/root.ds\n  sha1: true\n"
        veri = self.veridoh(self.up, extra=extra)
        for n in (5, 7):
            with self.subTest(algorithm=n):
                self.assert_secure(veri.dig(f"www.a{n}.test."), f"192.0.2.{n}")

    def test_negative_trust_anchor(self):
        extra = (f"validation:\n  trust-anchors: {self.up.dir}/root.ds\n  negative-trust-anchors:\n"
                 "    - domain: wrongds.test\n")
        veri = self.veridoh(self.up, extra=extra)
        self.assert_insecure(veri.dig("www.wrongds.test."), "192.0.2.50")
        self.assert_refused(veri.dig("www.expired.test."), 7)

    def test_expensive_proofs_hold_up_nobody(self):
        """CVE-2023-50387: while such answers are being judged, others get theirs at once."""
        self.veri.dig("www.two.test.")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trap:
            for i in range(30):
                trap.sendto(query(f"n{i}.keytrap.test."), ("127.0.0.1", self.veri.port))
            slowest = 0
            for _ in range(50):
                start = time.monotonic()
                self.assertIsNotNone(ask_udp(self.veri.port, query("www.two.test.")))
                slowest = max(slowest, time.monotonic() - start)
        self.assertLess(slowest, 0.2)

    def test_another_root(self):
        """Everything of an upstream with a root of its own is refused."""
        stranger = self.upstream("--seed", "another")
        veri = self.veridoh(stranger, anchors=self.up.dir / "root.ds")
        for name in ("www.two.test.", "www.insecure.test.", "none.two.test."):
            with self.subTest(name=name):
                self.assert_refused(veri.dig(name))

    def test_by_another_clock(self):
        """Signatures are judged by time: the world moves on, its old answers do not."""
        veri = self.veridoh(self.up)
        self.up.command("now 1000000000")
        self.assert_refused(veri.dig("www.two.test."), 7)


if __name__ == "__main__":
    unittest.main()
