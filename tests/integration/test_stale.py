# SPDX-License-Identifier: MIT
"""Answers that are over, while no upstream answers (RFC 8767), and asking ahead of need."""
import signal
import time

from lib import Case, dig, wait_for

NAME = "www.two.test."
ABSENT = "nope.two.test."
SHORT = "cache:\n  max-ttl: 1s\n  max-negative-ttl: 1s\n  stale-after: 300ms\n"
STALE, STALE_NXDOMAIN = 3, 19


class Stale(Case):
    def start(self, extra=SHORT):
        up = self.upstream()
        return up, self.veridoh(up, extra=extra)

    def expire(self, veri, name):
        """Asked once, and then until its second is over: hits do not make it younger."""
        self.assertIn("ad", veri.dig(name).flags)
        time.sleep(1.1)

    def test_upstream_does_not_answer(self):
        up, veri = self.start()
        self.expire(veri, NAME)
        up.lie("drop")
        began = time.monotonic()
        answer = veri.dig(NAME)
        took = time.monotonic() - began
        self.assert_secure(answer, "192.0.2.32")
        self.assertEqual([code for code, _ in answer.ede], [STALE], answer)
        self.assertEqual({row[1] for row in answer.answer}, {30}, answer)
        self.assertTrue(0.25 < took < 2, took)
        up.be_honest()

        def is_fresh():
            return not veri.dig(NAME).ede
        wait_for(is_fresh, "a fresh answer")

    def test_upstream_is_gone(self):
        up, veri = self.start()
        self.expire(veri, NAME)
        up.stop()
        for _ in range(2):  # the second finds the failure remembered
            answer = veri.dig(NAME)
            self.assert_secure(answer, "192.0.2.32")
            self.assertEqual([code for code, _ in answer.ede], [STALE], answer)
        self.assert_refused(veri.dig("unasked.two.test."), 23)

    def test_upstream_is_known_to_be_down(self):
        """It takes connections and says nothing; once one question has shown that, what is stale is
        given out without the patience that "not answered yet" deserves."""
        up, veri = self.start(SHORT.replace("300ms", "60s"))
        self.expire(veri, NAME)
        up.child.send_signal(signal.SIGSTOP)
        self.addCleanup(up.child.send_signal, signal.SIGCONT)
        self.assert_refused(veri.dig("unasked.two.test."))
        self.assertIn("error=", self.health(veri))
        answer = veri.dig(NAME, "A", "+time=2")  # the question's own deadline is behind that
        self.assert_secure(answer, "192.0.2.32")
        self.assertEqual([code for code, _ in answer.ede], [STALE], answer)

    @staticmethod
    def health(veri):
        return dig(veri.port, "health.veridoh.", "TXT", "-c", "CH").text

    def test_absence(self):
        up, veri = self.start(SHORT + "  aggressive-nsec: false\n")
        self.expire(veri, ABSENT)
        up.lie("drop")
        answer = veri.dig(ABSENT)
        self.assertEqual(answer.rcode, "NXDOMAIN", answer)
        self.assertEqual([code for code, _ in answer.ede], [STALE_NXDOMAIN], answer)

    def test_bogus_is_final(self):
        """What is proven wrong now is not made good by what was right before."""
        up, veri = self.start()
        self.expire(veri, NAME)
        up.lie("flip=sig", name=NAME)
        for _ in range(2):
            self.assert_refused(veri.dig(NAME), 6)

    def test_bogus_and_then_silence(self):
        """Nor when whoever lied does not answer the second question."""
        up, veri = self.start()
        self.expire(veri, NAME)
        up.lie("flip=sig", name=NAME, cd=1)
        up.lie("drop", name=NAME, cd=0)
        for _ in range(2):
            answer = veri.dig(NAME)
            self.assert_refused(answer)
            self.assertNotIn(answer.ede[0][0], (STALE, STALE_NXDOMAIN))

    def test_not_wanted(self):
        up, veri = self.start("cache:\n  max-ttl: 1s\n  max-stale: 0s\n")
        self.expire(veri, NAME)
        up.stop()
        self.assert_refused(veri.dig(NAME))

    def test_unvalidated_is_not_kept(self):
        up, veri = self.start()
        self.assert_answer(veri.dig(NAME, "A", "+cd"), "192.0.2.32")
        time.sleep(1.1)
        up.stop()
        self.assert_refused(veri.dig(NAME, "A", "+cd"))


class Prefetch(Case):
    def test_in_the_last_tenth(self):
        """Asked for three times, the last in the last of ten seconds: asked upstream, nobody waits."""
        up = self.upstream()
        veri = self.veridoh(up, extra="cache:\n  max-ttl: 10s\n")
        veri.dig(NAME)
        for _ in range(2):
            veri.dig(NAME)
        up.reset_stats()
        self.assertEqual(len(up.stats().of(NAME, "A")), 0)

        def is_asked():
            veri.dig(NAME)
            return len(up.stats().of(NAME, "A")) == 1
        began = time.monotonic()
        while not is_asked() and time.monotonic() - began < 12:
            time.sleep(0.2)
        self.assertGreater(time.monotonic() - began, 7)
        answer = veri.dig(NAME)
        self.assertGreaterEqual(answer.answer[0][1], 8, answer)
        self.assertEqual(len(up.stats().of(NAME, "A")), 1)
