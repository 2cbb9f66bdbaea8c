# SPDX-License-Identifier: MIT
"""What one process has cached is there for the next, and believed no more than an upstream is."""
import os
import pathlib
import tempfile
import time
import unittest

from lib import Case, wait_for, wire_name

SECURE = ["www.two.test.", "www.a13.test.", "www.a8.test.", "x.wild.nsec.test."]


class Snapshot(Case):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = pathlib.Path(directory.name) / "answers.snapshot"
        os.environ["STATE_DIRECTORY"] = directory.name
        self.addCleanup(os.environ.pop, "STATE_DIRECTORY", None)

    def run_once(self, up, names):
        veri = self.veridoh(up)
        answers = {name: veri.dig(name) for name in names}
        self.must_stop(veri)
        self.assertTrue(self.path.is_file(), veri.last_log)
        return answers

    def restart(self, up, prime=False, **more):
        """As after a boot without a network: every question is dropped upstream."""
        up.lie("drop")
        up.reset_stats()
        return self.veridoh(up, prime=prime, **more)

    def test_answers_are_proven_again_without_an_upstream(self):
        up = self.upstream()
        before = self.run_once(up, SECURE + ["www.insecure.test.", "nothere.nsec.test."])
        veri = self.restart(up)
        for name in SECURE:
            self.assert_secure(veri.dig(name), *[r[3] for r in before[name].answer])
        self.assert_insecure(veri.dig("www.insecure.test."))
        absent = veri.dig("nothere.nsec.test.")
        self.assertEqual(absent.rcode, "NXDOMAIN", absent)
        self.assertIn("ad", absent.flags)
        asked = set(up.stats().asked()) - {(".", "DNSKEY")}  # the root's keys are looked after
        self.assertEqual(asked, set())
        self.assertIn("messages, to be proven again", veri.log())

    def test_a_short_run_loses_nothing(self):
        """Started and stopped without a question, also twice: what was known stays known, and what
        is new stands beside it."""
        up = self.upstream()
        self.run_once(up, SECURE[:2])
        self.run_once(up, [])
        self.run_once(up, SECURE[2:])
        records = {name: self.path.read_bytes().count(wire_name(name)) for name in SECURE}
        self.run_once(up, [])
        veri = self.restart(up)
        for name in SECURE:
            self.assert_secure(veri.dig(name))
        self.must_stop(veri)
        data = self.path.read_bytes()  # nor does it grow from run to run
        self.assertEqual({name: data.count(wire_name(name)) for name in SECURE}, records)

    def test_what_is_over_is_left_out(self):
        up = self.upstream(world=self.world_of(
            "zone . alg=13 ttl=3600\nwww.long A 192.0.2.1\nzone short. alg=13 ttl=1\nwww A 192.0.2.2\n"))
        for answer in self.run_once(up, ["www.long.", "www.short."]).values():
            self.assert_secure(answer)
        time.sleep(1.1)  # what is to be seen is that time passes
        self.run_once(up, [])
        data = self.path.read_bytes()
        self.assertIn(wire_name("www.long."), data)
        self.assertNotIn(wire_name("www.short."), data)

    def test_a_new_name_of_a_zone_that_is_known_needs_one_question(self):
        up = self.upstream()
        self.run_once(up, ["www.two.test."])
        up.reset_stats()
        veri = self.veridoh(up)
        self.assert_secure(veri.dig("again.two.test."))
        self.assertEqual([q for q in up.stats().asked() if q[0] in ("two.test.", "test.")], [])

    def test_ttls_go_on(self):
        up = self.upstream()
        before = self.run_once(up, ["www.two.test."])["www.two.test."]
        time.sleep(1.1)  # what is to be seen is that time passes
        after = self.restart(up).dig("www.two.test.")
        self.assert_secure(after)
        self.assertLess(after.answer[0][1], before.answer[0][1])

    def test_a_changed_record_is_not_believed(self):
        up = self.upstream()
        data = self.changed(up, lambda octets: octets.replace(bytes([192, 0, 2, 32]),
                                                              bytes([192, 0, 2, 99])))
        self.assertIn(bytes([192, 0, 2, 99]), data)
        veri = self.veridoh(up)
        self.assert_secure(veri.dig("www.two.test."), "192.0.2.32")

    def changed(self, up, change):
        self.run_once(up, ["www.two.test."])
        octets = change(self.path.read_bytes())
        self.path.write_bytes(octets)
        return octets

    def test_another_root_is_not_believed(self):
        """A file whose checks are right, of a world whose keys are not ours."""
        other = self.upstream("--seed", "other")
        self.run_once(other, ["www.two.test."])
        up = self.upstream()
        veri = self.veridoh(up)
        self.assert_secure(veri.dig("www.two.test."), "192.0.2.32")
        self.assertGreaterEqual(len(up.stats().of("www.two.test.", "A")), 1)
        alone = self.restart(other, anchors=up.dir / "root.ds")
        self.assert_refused(alone.dig("www.two.test.", "A", "+time=8"))

    def test_what_is_torn_is_said_and_not_used(self):
        up = self.upstream()
        for what, change in (("torn", lambda o: o[:-8]), ("damaged", lambda o: o[:20] + b"x" + o[21:]),
                             ("no snapshot", lambda o: b"hello")):
            with self.subTest(what=what):
                self.changed(up, change)
                veri = self.veridoh(up)
                self.assert_secure(veri.dig("www.two.test."))
                self.assertIn("snapshot not used", veri.log())
                self.must_stop(veri)

    def test_it_is_written_now_and_then(self):
        up = self.upstream()
        veri = self.veridoh(up, extra="cache:\n  snapshot: 1s\n")
        self.assert_secure(veri.dig("www.two.test."))
        wait_for(lambda: self.path.is_file() and b"\3www\3two\4test\0" in self.path.read_bytes(),
                 "a snapshot")
        self.assertEqual(list(self.path.parent.glob("*snapshot*")), [self.path])

    def test_none_is_written_when_not_wanted(self):
        up = self.upstream()
        veri = self.veridoh(up, extra="cache:\n  snapshot: 0s\n")
        self.assert_secure(veri.dig("www.two.test."))
        self.must_stop(veri)
        self.assertFalse(self.path.exists())


if __name__ == "__main__":
    unittest.main()
