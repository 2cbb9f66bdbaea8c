# SPDX-License-Identifier: MIT
"""fake-upstream itself: its signatures and denials are proven by validators that are not ours
(BIND's delv, unbound), and each lie does what it is called."""
import subprocess
import unittest

from lib import Case, Unbound, dig

ALGORITHMS = (5, 7, 8, 10, 13, 14, 15, 16)

# (name, type, what a validator has to say)
PROOFS = [(f"www.a{n}.test.", "A", "secure") for n in ALGORITHMS] + [
    (f"none.a{n}.test.", "A", "secure nxdomain") for n in ALGORITHMS] + [
    (".", "SOA", "secure"),
    ("test.", "DNSKEY", "secure"),
    ("two.test.", "DS", "secure"),
    ("www.nsec.test.", "A", "secure"),
    ("www.nsec.test.", "MX", "secure nodata"),
    ("none.nsec.test.", "A", "secure nxdomain"),
    ("zzz.nsec.test.", "A", "secure nxdomain"),
    ("x.www.nsec.test.", "A", "secure nxdomain"),
    ("c.ent.nsec.test.", "A", "secure nodata"),
    ("x.wild.nsec.test.", "A", "secure"),
    ("x.y.wild.nsec.test.", "A", "secure"),
    ("x.wild.nsec.test.", "MX", "secure nodata"),
    ("x.wildalias.nsec.test.", "A", "secure"),
    ("alias.nsec.test.", "A", "secure"),
    ("www.tree.nsec.test.", "A", "secure"),
    ("www.nsec3.test.", "A", "secure"),
    ("www.nsec3.test.", "MX", "secure nodata"),
    ("none.nsec3.test.", "A", "secure nxdomain"),
    ("a.b.none.nsec3.test.", "A", "secure nxdomain"),
    ("c.ent.nsec3.test.", "A", "secure nodata"),
    ("x.wild.nsec3.test.", "A", "secure"),
    ("x.y.wild.nsec3.test.", "A", "secure"),
    ("x.wild.nsec3.test.", "MX", "secure nodata"),
    ("x.wildalias.nsec3.test.", "A", "secure"),
    ("alias.nsec3.test.", "A", "secure"),
    ("www.tree.nsec3.test.", "A", "secure"),
    ("www.five.four.three.two.test.", "A", "secure"),
    ("www.optout.example.", "A", "secure"),
    ("www.onegood.test.", "A", "secure"),
    ("www.cut.optout.example.", "A", "insecure"),
    ("www.insecure.test.", "A", "insecure"),
    ("www.insecure.example.", "A", "insecure"),
    ("www.below.two.test.", "A", "insecure"),
    ("www.signed.insecure.test.", "A", "insecure"),
    ("www.unknownalg.test.", "A", "insecure"),
    ("www.unknowndigest.test.", "A", "insecure"),
] + [(f"www.{zone}.test.", "A", "bogus") for zone in (
    "wrongds", "expired", "future", "inverted", "corrupt", "nodatasigs", "nokeysigs", "zskonly",
    "revoked", "nozoneflag", "unsignedchild", "keytrap")]


class Signatures(Case):
    def setUp(self):
        self.up = self.upstream()

    def delv(self, name, type_):
        words = (self.up.dir / "root.ds").read_text().split()
        anchors = self.up.dir / "anchors.conf"
        anchors.write_text("trust-anchors { . static-ds %s %s %s \"%s\"; };\n" % tuple(words[-4:]))
        done = subprocess.run(["delv", "-a", anchors, "+root=.", "@127.0.0.1", "-p",
                               str(self.up.plain_port), name, type_],
                              capture_output=True, text=True, timeout=20, check=False)
        text = done.stdout + done.stderr
        return text, delv_verdict(text)

    def test_delv_agrees(self):
        for name, type_, want in PROOFS:
            with self.subTest(name=name, type=type_):
                text, verdict = self.delv(name, type_)
                self.assertEqual(verdict, want.split()[0], text)

    def test_unbound_agrees(self):
        unbound = Unbound(self.up)
        self.addCleanup(unbound.stop)
        for name, type_, want in PROOFS:
            if name == "www.revoked.test.":
                continue  # unbound 1.17 believes a revoked key to which a DS points
            with self.subTest(name=name, type=type_):
                answer = dig(unbound.port, name, type_)
                verdict = {"SERVFAIL": "bogus"}.get(
                    answer.rcode, "secure" if "ad" in answer.flags else "insecure")
                self.assertEqual(verdict, want.split()[0], answer)

    def test_rcodes(self):
        for name, type_, want in PROOFS:
            with self.subTest(name=name, type=type_):
                answer = dig(self.up.plain_port, name, type_)
                self.assertEqual(answer.rcode, "NXDOMAIN" if "nxdomain" in want else "NOERROR")
                self.assertEqual(answer.flags & {"ad", "aa", "ra", "rd"}, {"ra", "rd"})
                self.assertEqual(bool(answer.answer), "nxdomain" not in want and "nodata" not in want)

    def test_without_do_no_signatures(self):
        for name in ("www.two.test.", "none.two.test.", "x.wild.nsec3.test."):
            answer = dig(self.up.plain_port, name, "A", "+nodnssec")
            self.assertFalse(answer.types() & {"RRSIG", "NSEC", "NSEC3"}, answer)

    def test_two_of_one_world_have_one_root(self):
        other = self.upstream()
        stranger = self.upstream("--seed", "another")
        mine = (self.up.dir / "root.ds").read_text()
        self.assertEqual(mine, (other.dir / "root.ds").read_text())
        self.assertNotEqual(mine, (stranger.dir / "root.ds").read_text())


def delv_verdict(text):
    if "fully validated" in text:
        return "secure"
    if "unsigned answer" in text:
        return "insecure"
    return "bogus" if "resolution failed" in text else "?"


class Https(Case):
    """kdig speaks DoH and is not ours."""

    def setUp(self):
        self.up = self.upstream()

    def kdig(self, *options, name="www.two.test."):
        done = subprocess.run(["kdig", "@127.0.0.1", "-p", str(self.up.port), "+tls-hostname=upstream.test",
                               f"+tls-ca={self.up.dir}/ca.pem", "+retry=0", "+time=5",
                               *(options or ["+https"]), name, "A"],
                              capture_output=True, text=True, timeout=20, check=False)
        return done.stdout + done.stderr

    def test_post_and_get(self):
        for options, via in ((["+https"], "post"), (["+https", "+https-get"], "get")):
            with self.subTest(via=via):
                text = self.kdig(*options)
                self.assertIn("192.0.2.32", text)
                self.assertEqual(self.up.stats().seen[-1]["via"], via)

    def test_other_path_is_404(self):
        self.assertIn("404", self.kdig("+https=/elsewhere"))

    def test_status(self):
        self.up.lie("status=503", name="www.two.test.", retry_after=1)
        self.assertIn("503", self.kdig())

    def test_lies_that_give_no_answer(self):
        for lie in ("drop", "reset", "rst-stream", "goaway=0", "garbage", "empty", "garbage-dns"):
            with self.subTest(lie=lie):
                self.up.be_honest()
                self.up.lie(lie)
                self.assertNotIn("192.0.2.32", self.kdig("+https", "+time=1"))

    def test_answers_that_arrive_all_the_same(self):
        for lie in ("goaway", "close", "slow-body=1", "age=7", "delay=20", "max-streams=1"):
            with self.subTest(lie=lie):
                self.up.be_honest()
                self.up.lie(lie)
                self.assertIn("192.0.2.32", self.kdig())


class Rules(Case):
    def setUp(self):
        self.up = self.upstream()

    def ask(self, name="www.two.test.", type_="A", *options):
        return dig(self.up.plain_port, name, type_, *options)

    def test_matching(self):
        self.up.lie("servfail", name="*.two.test.", type="A", cd=1)
        self.assertEqual(self.ask().rcode, "NOERROR")
        self.assertEqual(self.ask("www.two.test.", "A", "+cd").rcode, "SERVFAIL")
        self.assertEqual(self.ask("www.two.test.", "MX", "+cd").rcode, "NOERROR")
        self.assertEqual(self.ask("www.nsec.test.", "A", "+cd").rcode, "NOERROR")

    def test_first_and_count(self):
        self.up.lie("servfail", first=2, count=2)
        self.assertEqual([self.ask().rcode for _ in range(5)],
                         ["NOERROR", "SERVFAIL", "SERVFAIL", "NOERROR", "NOERROR"])

    def test_records(self):
        honest = self.ask()
        cases = {
            "strip": lambda a: a.types() == {"A"},
            "strip=authority": lambda a: "RRSIG" in a.types(),
            "tamper": lambda a: a.answer[0] != honest.answer[0] and "RRSIG" in a.types(),
            "flip=rdata": lambda a: a.answer[0][3] == "192.0.2.33",
            "flip=sig": lambda a: a.answer[0] == honest.answer[0],
            "unsigned-lie": lambda a: a.answer == [("www.two.test.", 300, "A", "192.0.2.66")],
            "nodata": lambda a: a.rcode == "NOERROR" and not a.types(),
            "nxdomain-unsigned": lambda a: a.rcode == "NXDOMAIN" and not a.types(),
            "rcode=5": lambda a: a.rcode == "REFUSED",
            "sibling=other.example.": lambda a: "other.example." in a.answer[1][3],
            "extra": lambda a: len(a.answer) == 3 and len(a.authority) == 1,
            "tc": lambda a: "tc" in a.flags,
        }
        for lie, holds in cases.items():
            with self.subTest(lie=lie):
                self.up.be_honest()
                self.up.lie(lie)
                answer = self.ask("www.two.test.", "A", "+ignore")
                self.assertTrue(holds(answer), answer)

    def test_bad_commands(self):
        for text in ("rule add", "rule add action=nonsense", "rule add name=x", "what",
                     "rule add type=NONSENSE action=strip"):
            with self.assertRaises(AssertionError):
                self.up.command(text)

    def test_flights(self):
        self.up.command("delay 50")
        self.up.reset_stats()
        for _ in range(2):
            self.ask()
        stats = self.up.stats()
        self.assertEqual((stats.questions, stats.flights), (2, 2))

    def test_stops_cleanly(self):
        self.assertEqual(self.up.stop(), 0)


if __name__ == "__main__":
    unittest.main()
