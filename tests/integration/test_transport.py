# SPDX-License-Identifier: MIT
"""Upstreams that fail in every way HTTP/2, TLS and TCP know: the client sees the right answer as
long as one upstream lives, and a reason in time when none does."""
import socket
import time
import unittest

from lib import Case, DEADLINE_S, free_port, query, upstream_config

NAME = "www.two.test."
TRUTH = "192.0.2.32"

# said of every question; another upstream is honest
FAULTS = [
    "reset", "rst-stream", "goaway=0", "garbage", "drop", "close", "status=500", "status=503",
    "status=404", "status=415", "status=302", "media=text/html", "oversize", "empty", "garbage-dns",
    "wrong-question", "wrong-id", "tc", "servfail", "rcode=5",
]
FAST = "transport:\n  answer-timeout: 500ms\n  connect-timeout: 500ms\n"


def is_bound(udp, port):
    try:
        udp.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True


class Failover(Case):
    def test_one_upstream_fails(self):
        for fault in FAULTS:
            with self.subTest(fault=fault):
                bad, good = self.upstream(), self.upstream()
                veri = self.veridoh(bad, good, extra=FAST)
                bad.lie(fault)
                self.assert_secure(veri.dig(NAME), TRUTH)
                self.assertTrue(bad.stats().of(NAME, "A"), "the bad one was not asked first")

    def test_fails_once(self):
        """One upstream only: what a dying connection left unanswered is asked again."""
        for fault in ("reset", "goaway=0", "garbage", "close"):
            with self.subTest(fault=fault):
                up = self.upstream()
                veri = self.veridoh(up, extra=FAST)
                up.lie(fault, name=NAME, type="A", count=1)
                self.assert_secure(veri.dig(NAME), TRUTH)

    def test_speculative_questions_may_fail(self):
        """Only the questions for DS and DNSKEY fail the first time."""
        for type_ in ("DS", "DNSKEY"):
            with self.subTest(type=type_):
                up = self.upstream()
                veri = self.veridoh(up, extra=FAST)
                up.lie("servfail", name="two.test.", type=type_, count=1)
                self.assert_secure(veri.dig(NAME), TRUTH)

    def test_first_upstream_is_not_there(self):
        up = self.upstream()
        port = free_port()
        dead = upstream_config(up, "dead", url=f"https://upstream.test:{port}/dns-query")
        config = (f"listen:\n  - address: 127.0.0.1:@PORT@\nupstreams:\n{dead}\n"
                  f"{upstream_config(up, 'alive')}\n"
                  f"validation:\n  trust-anchors: {up.dir}/root.ds\n{FAST}")
        self.assert_secure(self.veridoh(up, config=config).dig(NAME), TRUTH)

    def test_http3_is_left_alone(self):
        """A client that follows an offer of HTTP/3 waits where UDP is dropped: nothing goes there,
        nor to the upstream's own port."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as offered, \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as same:
            offered.bind(("127.0.0.1", 0))
            up = self.upstream()
            while not is_bound(same, up.port):  # somebody else's UDP
                up = self.upstream()
            up.lie(f"h3={offered.getsockname()[1]}")
            veri = self.veridoh(up)
            self.assert_secure(veri.dig(NAME), TRUTH)
            up.lie("close")  # so that the next question needs a new connection
            self.assert_secure(veri.dig("again.two.test."), "192.0.2.33")
            self.assert_secure(veri.dig("a.b.c.d.two.test."), "192.0.2.34")
            for one in (offered, same):
                one.setblocking(False)
                with self.assertRaises(BlockingIOError):
                    one.recv(1)

    def test_wrong_certificate_is_refused(self):
        good = self.upstream()
        imposter = self.upstream("--name", "elsewhere.test")
        config = ("listen:\n  - address: 127.0.0.1:@PORT@\nupstreams:\n"
                  + upstream_config(imposter, "imposter") + "\n" + upstream_config(good, "good")
                  + f"\nvalidation:\n  trust-anchors: {good.dir}/root.ds\n")
        self.assert_secure(self.veridoh(good, config=config).dig(NAME), TRUTH)
        self.assertEqual(imposter.stats().questions, 0)


class Alone(Case):
    def test_nothing_works(self):
        """A reason, before a stub resolver gives up."""
        for fault in ("reset", "drop", "status=503", "status=404", "garbage", "servfail"):
            with self.subTest(fault=fault):
                up = self.upstream()
                veri = self.veridoh(up, extra=FAST)
                up.lie(fault)
                start = time.monotonic()
                answer = veri.dig(NAME)
                self.assert_refused(answer)
                self.assertTrue(answer.ede, answer)
                self.assertLess(time.monotonic() - start, 5.0)

    def test_an_outage_is_no_storm(self):
        """Three hundred names in three seconds, while every connection ends in an error."""
        up = self.upstream()
        veri = self.veridoh(up, extra=FAST)
        up.lie("reset")
        up.reset_stats()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            for n in range(300):
                s.sendto(query(f"n{n}.wild.nsec.test."), ("127.0.0.1", veri.port))
                time.sleep(0.01)
        self.assert_refused(veri.dig("last.wild.nsec.test."))
        self.assertIn(up.stats().connections, range(2, 41))

    def test_comes_back(self):
        """An upstream that was away is used again without a restart."""
        up = self.upstream()
        veri = self.veridoh(up, extra=FAST + "cache:\n  failure-ttl: 1s\n  max-failure-ttl: 1s\n")
        up.lie("reset")
        self.assert_refused(veri.dig(NAME))
        up.be_honest()
        end = time.monotonic() + DEADLINE_S
        while (answer := veri.dig(NAME)).rcode != "NOERROR" and time.monotonic() < end:
            pass
        self.assert_secure(answer, TRUTH)

    def test_slow_body(self):
        up = self.upstream()
        veri = self.veridoh(up)
        up.lie("slow-body=5")
        self.assert_secure(veri.dig(NAME), TRUTH)

    def test_one_stream_at_a_time(self):
        up = self.upstream()
        up.lie("max-streams=1")
        self.assert_secure(self.veridoh(up).dig(NAME), TRUTH)

    def test_get(self):
        up = self.upstream()
        entry = upstream_config(up, "get", url=f"https://upstream.test:{up.port}/dns-query{{?dns}}",
                                get="true")
        config = (f"listen:\n  - address: 127.0.0.1:@PORT@\nupstreams:\n{entry}\n"
                  f"validation:\n  trust-anchors: {up.dir}/root.ds\n")
        self.assert_secure(self.veridoh(up, config=config).dig(NAME), TRUTH)
        self.assertEqual({r["via"] for r in up.stats().seen}, {"get"})

    def test_age_is_subtracted(self):
        up = self.upstream()
        veri = self.veridoh(up)
        up.lie("age=100", name=NAME)
        answer = veri.dig(NAME)
        self.assert_secure(answer, TRUTH)
        self.assertLessEqual(answer.answer[0][1], 200)

    def test_large_answer(self):
        up = self.upstream()
        answer = self.veridoh(up).dig("txt.large.test.", "TXT")
        self.assert_secure(answer)
        self.assertEqual(len([r for r in answer.answer if r[2] == "TXT"]), 8)

    def test_plain_route(self):
        """Names of a route go to plain DNS and are not validated; others are."""
        up = self.upstream()
        extra = (f"routes:\n  - domains: [wrongds.test]\n"
                 f"    servers: [\"127.0.0.1:{up.plain_port}\"]\n")
        veri = self.veridoh(up, extra=extra)
        self.assert_insecure(veri.dig("www.wrongds.test."), "192.0.2.50")
        self.assertEqual([r["via"] for r in up.stats().of("www.wrongds.test.", "A")], ["udp"])
        self.assert_secure(veri.dig(NAME), TRUTH)


if __name__ == "__main__":
    unittest.main()
