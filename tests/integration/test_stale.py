# SPDX-License-Identifier: MIT
"""Answers that are over, while no upstream answers (RFC 8767), and asking ahead of need."""
import random
import selectors
import re
import signal
import socket
import struct
import tempfile
import time

from lib import Case, Tcp, ask_udp, dig, header, query, wait_for
from test_clock import MovedTime

NAME = "www.two.test."
KEPT = "www.a13.test."
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
        self.assertEqual(answer.ede[0][1], "this was proven earlier; now: no upstream has answered yet")
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

    def test_what_failed_is_said(self):
        """Nobody answers, somebody answers that he cannot, or with what is no answer: each is a
        failure to refresh (RFC 8767 5), and not the same. As long as it is remembered, too."""
        cases = (("servfail", "again.two.test.", "the upstream answered with an error"),
                 ("rcode=5", "a.b.c.d.two.test.", "the upstream answered with an error"),
                 ("garbage-dns", "www.nsec.test.", "the upstream's answer is not a DNS answer"),
                 ("wrong-question", "www.nsec3.test.", "the upstream's answer is not a DNS answer"),
                 ("status=500", "www.three.two.test.", "the upstream answered with an HTTP error"),
                 ("drop", "www.two.test.", "no answer within the deadline"))
        up, veri = self.start(SHORT + "  failure-ttl: 60s\nclients:\n  deadline: 2s\n")
        for _, name, _ in cases:
            self.assert_secure(veri.dig(name))
        time.sleep(1.1)
        for lie, name, _ in cases:
            up.lie(lie, name=name)
        for lie, name, text in cases:
            with self.subTest(lie=lie):
                wait_for(lambda: self.said_of(veri, name) == text, text)
                self.assertEqual(self.said_of(veri, name), text)

    def test_upstream_decides(self):
        """It does not fail: its policy blocks the name, or its own validation failed. That is newer
        than what was proven, also while it is only remembered."""
        cases = (("rcode=5", 15, "again.two.test."), ("servfail", 16, "a.b.c.d.two.test."),
                 ("servfail", 17, "www.nsec.test."), ("rcode=5", 18, "www.nsec3.test."),
                 ("servfail", 6, "www.three.two.test."), ("servfail", 12, "www.two.test."))
        up, veri = self.start(SHORT + "  failure-ttl: 60s\n")
        for name in [KEPT, *(name for _, _, name in cases)]:
            self.assert_secure(veri.dig(name))
        time.sleep(1.1)
        for lie, code, name in cases:
            up.lie(lie, name=name)
            up.lie(f"ede={code}", name=name)
        for lie, code, name in cases:
            with self.subTest(lie=lie, code=code):
                for _ in range(2):
                    self.assert_refused(veri.dig(name))
        up.lie("servfail", name=KEPT)
        up.lie("ede=22", name=KEPT)  # no authority reached: that is a failure
        self.assertEqual([code for code, _ in veri.dig(KEPT).ede], [STALE])

    def said_of(self, veri, name):
        """Why the answer is a stale one: until the question has ended, that it has not."""
        answer = veri.dig(name)
        self.assert_secure(answer)
        code, said = answer.ede[0]
        self.assertEqual(code, STALE, answer)
        words = re.fullmatch(r"this was proven earlier; now: (no upstream has answered yet|"
                             r"the upstream answered with an (?:HTTP )?error|no answer within the deadline|"
                             r"the upstream's answer is not a DNS answer).*", said)
        self.assertIsNotNone(words, said)
        return words.group(1)

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

    def test_bogus_and_then_garbage(self):
        """Nor when the second answer is none."""
        up, veri = self.start()
        self.expire(veri, NAME)
        up.lie("flip=rdata", name=NAME)
        up.lie("garbage-dns", name=NAME, cd=0)
        for _ in range(2):
            answer = veri.dig(NAME)
            self.assert_refused(answer, 6)

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


class Meetings(Case):
    """What a stale answer may meet at one moment: the fresh one, the question's deadline, the end of
    the only clients who wait, others who ask the same, and that there is no room for more."""

    COUNT, WAVES, NEWCOMER = 24, 3, 0x7777
    NAMES = [f"n{i}.two.test." for i in range(COUNT)]
    WORLD = ("zone . alg=13\nzone test. alg=13\nzone two.test. alg=13\n"
             + "".join(f"n{i} A 192.0.2.{i + 1}\n" for i in range(COUNT)))
    CASES = (("the fresh answer", 0.3, ("delay=260", "jitter=80"), ""),
             ("the deadline", 0.5, ("drop",), "clients:\n  deadline: 500ms\n"),
             ("no room", 0.3, ("delay=260", "jitter=80"), "clients:\n  in-flight: 16\n"))

    def test_each_question_has_one_answer(self):
        for case, due_s, lies, clients in self.CASES:
            with self.subTest(case=case):
                up = self.upstream(world=self.world_of(self.WORLD))
                veri = self.veridoh(up, extra=clients
                                    + SHORT.replace("300ms", f"{due_s * 1000:.0f}ms"))
                for name in self.NAMES:
                    self.assert_secure(veri.dig(name))
                for lie in lies:
                    up.lie(lie)
                self.assertGreater(sum(self.meet(veri, due_s) for _ in range(3)), 0)
                up.be_honest()
                wait_for(lambda: self.all_are_fresh(veri), "fresh answers")

    def all_are_fresh(self, veri):
        answers = [veri.dig(name) for name in self.NAMES]
        return all("ad" in a.flags and not a.ede for a in answers)

    def meet(self, veri, due_s):
        """Everything is asked for at once, half of it only by connections that end when it is due;
        the other half again and again around that time. How many answers were stale."""
        time.sleep(1.1)
        names = random.sample(self.NAMES, self.COUNT)
        asked = dict(enumerate(names[self.COUNT // 2:] * self.WAVES))
        moments = [(0.0 if i < self.COUNT // 2 else random.gauss(due_s, 0.02), "ask", i)
                   for i in asked]
        staying = Tcp(veri.port)
        for _ in range(8):
            leaving = Tcp(veri.port)
            leaving.send(*(query(name) for name in random.sample(names[:self.COUNT // 2], 3) * 2))
            moments.append((random.gauss(due_s, 0.02), "leave", leaving))
        staying.send(*(query(name, ident=i) for i, name in enumerate(names[self.COUNT // 2:])))
        answers, newcomers = self.live_through(veri, asked, sorted(moments, key=lambda m: m[0]))
        self.assertEqual({i: len(messages) for i, messages in answers.items()},
                         {i: 1 for i in asked})
        behind = len(asked)
        asked.update((behind + i, name) for i, name in enumerate(names[self.COUNT // 2:]))
        for _ in range(behind, len(asked)):
            message = staying.receive()
            answers[behind + header(message)[0]] = [message]
        self.assertEqual(set(answers), set(asked))
        staying.close()
        for tcp in newcomers:
            self.assertEqual(header(tcp.receive())[0], self.NEWCOMER)
            tcp.socket.setblocking(False)
            with self.assertRaises(BlockingIOError):
                tcp.socket.recv(1)
            tcp.close()
        return sum(self.is_stale(answers[i][0], name) for i, name in asked.items())

    def live_through(self, veri, asked, moments):
        """The messages that came for each of them, and the connections that came for those that
        left."""
        answers, newcomers = {}, []
        began = last = time.monotonic()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, \
                selectors.DefaultSelector() as selector:
            udp.connect(("127.0.0.1", veri.port))
            selector.register(udp, selectors.EVENT_READ)
            while moments or time.monotonic() < last + 0.7:
                while moments and time.monotonic() >= began + moments[0][0]:
                    _, what, which = moments.pop(0)
                    last = time.monotonic()
                    if what == "ask":
                        udp.send(query(asked[which], ident=which))
                    else:  # with a RST, into what is being sent to it
                        which.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                                struct.pack("ii", 1, 0))
                        which.close()
                        newcomers.append(Tcp(veri.port))
                        newcomers[-1].send(query(random.choice(self.NAMES), ident=self.NEWCOMER))
                if selector.select(0.001):
                    message = udp.recv(65536)
                    last = time.monotonic()
                    answers.setdefault(header(message)[0], []).append(message)
        return answers, newcomers

    def is_stale(self, message, name):
        """It is right; or there was no time or room for it."""
        _, flags, rcode, counts = header(message)
        self.assertIn(rcode, (0, 2), name)
        if rcode == 0:
            self.assertTrue(flags & 0x20 and counts[1] > 0, name)
            self.assertIn(bytes((192, 0, 2, int(name.split(".")[0][1:]) + 1)), message)
        return rcode == 0 and b"this was proven earlier" in message


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

    def test_not_from_the_snapshot(self):
        """What was restored and is nearly over would be found there again, and be as old."""
        state = tempfile.TemporaryDirectory()
        self.addCleanup(state.cleanup)
        moved = MovedTime()
        self.addCleanup(moved.close)
        up = self.upstream()
        more = {"extra": "cache:\n  max-ttl: 60s\n",
                "env": {"STATE_DIRECTORY": state.name, **moved.env()}}
        first = self.veridoh(up, **more)
        self.assert_secure(first.dig(NAME))
        self.must_stop(first)
        moved.move(51)
        veri = self.veridoh(up, **more)
        self.assert_secure(veri.dig(NAME))
        moved.move(30)  # by that clock, which is the snapshot's, it is not nearly over
        up.reset_stats()

        def counted(what):
            text = dig(veri.port, "health.veridoh.", "TXT", "-c", "CH").text
            return int(re.search(rf"\b{what}=(\d+)", text).group(1))

        def is_asked():
            ask_udp(veri.port, query(NAME))
            return len(up.stats().of(NAME, "A")) == 1
        wait_for(is_asked, "a question ahead of need")
        self.assertEqual(counted("restored"), 1)
