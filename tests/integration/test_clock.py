# SPDX-License-Identifier: MIT
"""A machine whose clock is wrong when it starts, or goes wrong later: what is answered until it is
right again, and that it then is, without a restart."""
import os
import pathlib
import re
import subprocess
import tempfile
import time

from lib import Case, config_text, dig, free_port, program, wait_for

NAME = "www.two.test."
WORLD = """
zone . alg=13 denial=nsec ttl=3600
zone test. alg=13 denial=nsec
zone two.test. alg=13 denial=nsec
www A 192.0.2.32
0.pool A 192.0.2.123
0.pool AAAA 2001:db8::123
@ TXT "not for clocks"
zone routed.test. unsigned
ntp A 192.0.2.99
"""
YEARS_S = 10 * 366 * 86400


class MovedTime:
    """The clock of programs that run with env(), some seconds off."""

    def __init__(self, offset_s=0):
        fd, path = tempfile.mkstemp(prefix="veridoh-moved-")
        os.close(fd)
        self.path = pathlib.Path(path)
        self.move(offset_s)

    def move(self, offset_s):
        new = self.path.with_suffix(".new")  # renamed: no reader sees half a number
        new.write_text(str(offset_s))
        new.rename(self.path)

    def env(self):
        # A sanitizer's runtime wants to be the first; what is preloaded here needs nothing of it.
        options = ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "verify_asan_link_order=0"]))
        return {"LD_PRELOAD": program("moved-time.so"), "MOVED_TIME": str(self.path),
                "ASAN_OPTIONS": options}

    def close(self):
        self.path.unlink()


class Clock(Case):
    def setUp(self):
        self.up = self.upstream(world=self.world_of(WORLD))
        self.state = pathlib.Path(tempfile.mkdtemp(prefix="veridoh-state-"))
        self.addCleanup(lambda: [p.unlink() for p in self.state.iterdir()] and self.state.rmdir())
        self.moved = MovedTime()
        self.addCleanup(self.moved.close)

    def start(self, offset_s, **more):
        self.moved.move(offset_s)
        extra = (f"validation:\n  trust-anchors: {self.up.dir}/root.ds\n"
                 f"  time-names: [pool.two.test]\n"
                 f"routes:\n  - domains: [routed.test]\n"
                 f"    servers: [\"127.0.0.1:{self.up.plain_port}\"]\n")
        config = config_text("@PORT@", [self.up], self.up.dir / "root.ds", extra).replace(
            "workers: 1", f"workers: 2\n  state-directory: {self.state}")
        return self.veridoh(self.up, config=config, env=self.moved.env(), **more)

    def test_a_snapshot_outlives_a_clock_that_is_behind(self):
        """A machine without a clock of its own starts before the time at which the last one ended:
        what was written then is kept, and used as soon as the clock has been set."""
        snapshot = self.state / "answers.snapshot"
        first = self.start(1800)  # later than the program was built
        self.assert_secure(first.dig(NAME), "192.0.2.32")
        self.must_stop(first)
        before = snapshot.read_bytes()
        self.up.lie("drop")
        short = self.start(600, prime=False)
        self.must_stop(short)
        self.assertIn("written later than now", short.last_log)
        self.assertEqual(snapshot.read_bytes(), before)
        veri = self.start(600, prime=False)
        self.moved.move(1900)
        self.assert_secure(veri.dig(NAME), "192.0.2.32")
        self.assertEqual(self.up.stats().of(NAME, "A")[1:], [])

    def assert_clock(self, answer):
        self.assert_refused(answer, 14)
        self.assertIn("clock", answer.ede[0][1], answer)

    def assert_untrusted(self, veri):
        for name, type_, options in ((NAME, "A", ()), (NAME, "A", ("+cdflag",)),
                                     ("none.two.test.", "A", ()), (".", "DNSKEY", ()),
                                     ("0.pool.two.test.", "TXT", ())):
            with self.subTest(name=name, type=type_, options=options):
                self.assert_clock(veri.dig(name, type_, *options))
        for type_, rdata in (("A", "192.0.2.123"), ("AAAA", "2001:db8::123")):
            answer = veri.dig("0.pool.two.test.", type_)
            self.assert_insecure(answer, rdata)
            self.assertLessEqual(max(r[1] for r in answer.answer), 60, answer)
        self.assert_insecure(veri.dig("ntp.routed.test."), "192.0.2.99")
        self.assert_answer(veri.dig("localhost."), "127.0.0.1")

    def assert_trusted(self, veri):
        self.assert_secure(veri.dig(NAME), "192.0.2.32")
        self.assert_secure(veri.dig("0.pool.two.test."), "192.0.2.123")  # not out of a cache

    def test_before_the_build_date(self):
        """Ten years behind: no certificate is valid yet, and no signature."""
        veri = self.start(-YEARS_S, prime=False)
        self.assert_untrusted(veri)
        self.assertEqual(len(re.findall("the clock is wrong", veri.log())), 1, veri.log())
        self.assertNotIn("certificate", veri.log())
        self.moved.move(0)
        self.assert_trusted(veri)
        wait_for(lambda: "the clock is right again" in veri.log(), "the log to say so")
        for i in range(8):  # names spread over the workers: the first one, which saves, has its share
            veri.dig(f"absent{i}.two.test.")
        self.assertEqual(veri.stop(), 0, veri.last_log)
        self.assertTrue((self.state / "clock").exists(), veri.last_log)

    def test_in_1970(self):
        """As a machine without a battery starts."""
        veri = self.start(60 - int(time.time()), prime=False)
        self.assert_untrusted(veri)
        self.moved.move(0)
        self.assert_trusted(veri)

    def test_discover_in_1970(self):
        """Certificates are judged as of the build date at the earliest."""
        self.moved.move(60 - int(time.time()))
        world = self.world_of(WORLD + "zone resolver.arpa. unsigned\n_dns SVCB 1 upstream.test. alpn=h2 "
                              f"port={(port := free_port())} dohpath=/dns-query{{?dns}}\n")
        up = self.upstream("--port", port, world=world)
        done = subprocess.run([program("veridoh"), "discover", "--ca", up.dir / "ca.pem",
                               f"127.0.0.1:{up.plain_port}"], text=True, capture_output=True,
                              timeout=20, check=False, env={**os.environ, **self.moved.env()})
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_time_names_go_with_cd_clear_and_are_not_kept(self):
        veri = self.start(-YEARS_S, prime=False)
        self.up.reset_stats()
        for _ in range(2):
            self.assert_insecure(veri.dig("0.pool.two.test."), "192.0.2.123")
        asked = self.up.stats().of("0.pool.two.test.", "A")
        self.assertEqual([row["cd"] for row in asked], ["0", "0"])

    def test_before_the_time_saved(self):
        """Two days ahead the time is saved at the end; back in the present that is the future."""
        ahead = 2 * 86400
        self.up.command(f"now {int(time.time()) + ahead}")
        veri = self.start(ahead)
        self.assert_trusted(veri)
        self.assertEqual(veri.stop(), 0, veri.last_log)
        text = (self.state / "clock").read_text()
        saved = int(re.search(r"^saved (\d+)$", text, re.M).group(1))
        self.assertLess(abs(saved - time.time() - ahead), 60, text)
        veri = self.start(0, prime=False)
        self.assert_untrusted(veri)
        self.assertEqual(veri.stop(), 0, veri.last_log)
        self.assertEqual((self.state / "clock").read_text(), text, "a wrong time was saved")
        veri = self.start(ahead - 1800)  # within what NTP may set back
        self.assert_trusted(veri)

    def test_while_running(self):
        """It jumps back under a warm cache, and is set right again."""
        veri = self.start(0)
        self.assert_trusted(veri)
        self.moved.move(-YEARS_S)
        self.assert_untrusted(veri)
        self.moved.move(0)
        self.assert_trusted(veri)

    def test_expired_certificates_stay_refused(self):
        """What had expired by the floor has expired; only "not yet" is forgiven."""
        veri = self.start(+20 * YEARS_S, prime=False)
        self.assertEqual(veri.dig(NAME).rcode, "SERVFAIL")
        wait_for(lambda: "has expired" in veri.log(), "the log to say so")


if __name__ == "__main__":
    import unittest
    unittest.main()
