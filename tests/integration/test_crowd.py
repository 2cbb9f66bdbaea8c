# SPDX-License-Identifier: MIT
"""Many clients at once: how many may wait, and that those who may are answered."""
import time

from lib import Case, Tcp, header, query, wait_for

SERVFAIL = 2
EVERY = "  tcp-in-flight: 4096\n"


class Crowd(Case):
    def ask(self, veri, names, count=None):
        """All at once on one connection; the first `count` answers, by ID."""
        tcp = Tcp(veri.port)
        self.addCleanup(tcp.close)
        tcp.send(*(query(name, ident=i) for i, name in enumerate(names)))
        return tcp, self.receive(tcp, len(names) if count is None else count)

    @staticmethod
    def receive(tcp, count):
        messages = [tcp.receive() for _ in range(count)]
        return {header(m)[0]: m for m in messages}

    def test_all_who_need_one_key(self):
        """Names of a zone whose keys come later than the names: each waits for the one question."""
        up = self.upstream()
        veri = self.veridoh(up, extra="cache:\n  aggressive-nsec: false\nclients:\n" + EVERY)
        names = [f"n{i}.wild.nsec.test." for i in range(600)]
        up.lie("delay=1200", name="nsec.test.", type="DNSKEY")  # all have come by then
        _, answers = self.ask(veri, names)
        self.assertEqual(set(answers), set(range(len(names))))
        self.assertEqual({header(m)[2] for m in answers.values()}, {0})
        self.assertTrue(all(header(m)[1] & 0x20 for m in answers.values()))
        self.assertEqual(len(up.stats().of("nsec.test.", "DNSKEY")), 1)

    def test_all_who_ask_the_same(self):
        """As many as may wait may wait for one answer."""
        up = self.upstream()
        veri = self.veridoh(up, extra="clients:\n" + EVERY)
        up.lie("delay=300", name="www.two.test.", type="A")
        _, answers = self.ask(veri, ["www.two.test."] * 600)
        self.assertEqual({header(m)[2] for m in answers.values()}, {0})
        self.assertEqual(len(up.stats().of("www.two.test.", "A")), 1)

    def test_how_many_wait(self):
        """clients.in-flight of them, whether they ask the same or not; the others hear so at once,
        and there is room again when the first have been answered."""
        up = self.upstream()
        veri = self.veridoh(up, extra="clients:\n  in-flight: 16\n  deadline: 1s\n" + EVERY)
        self.assert_secure(veri.dig("again.two.test."))
        wait_for(lambda: not up.stats().in_flight, "the upstream to have answered all")
        for what, names in (("equal", ["www.two.test."] * 40),
                            ("some equal", [f"some{i % 8}.two.test." for i in range(40)]),
                            ("all different", [f"all{i}.two.test." for i in range(40)])):
            with self.subTest(what=what):
                up.lie("drop")
                tcp, turned_away = self.ask(veri, names, 24)
                self.assertEqual(set(turned_away), set(range(16, 40)))
                self.assertEqual({header(m)[2] for m in turned_away.values()}, {SERVFAIL})
                self.assertTrue(all(b"too many questions are waiting" in m
                                    for m in turned_away.values()))
                self.assertEqual(set(self.receive(tcp, 16)), set(range(16)))
                up.be_honest()

    def test_keys_are_asked_for_beside_a_crowd(self):
        """What veridoh itself has to know of its anchors does not wait for clients to be fewer."""
        up = self.upstream()
        up.lie("servfail", name=".", type="DNSKEY")  # asked for again each second, and then less
        veri = self.veridoh(up, prime=False, extra="clients:\n  in-flight: 16\n  deadline: 9s\n" + EVERY)
        up.lie("drop", name="www.two.test.", type="A")
        began = time.monotonic()
        _, turned_away = self.ask(veri, ["www.two.test."] * 17, 1)
        self.assertEqual(set(turned_away), {16})
        time.sleep(0.3)  # for what goes ahead of that question
        asked = len(up.stats().of(".", "DNSKEY"))
        wait_for(lambda: len(up.stats().of(".", "DNSKEY")) > asked, "the keys to be asked for")
        self.assertLess(time.monotonic() - began, 8)  # and not when they had been answered

    def test_all_who_may_wait_are_asked(self):
        """However many guesses about their chains go ahead: those are what is left out."""
        up = self.upstream()
        veri = self.veridoh(up, extra="clients:\n  in-flight: 1100\n  deadline: 1s\n" + EVERY)
        up.lie("drop")
        _, answers = self.ask(veri, [f"a.b{i}.c{i}.d{i}.test." for i in range(1000)])
        self.assertEqual([i for i, m in answers.items() if b"too many" in m], [])

    def test_all_who_need_more_than_there_is_room_for(self):
        """Of the keys of a long chain some wait until others have come; nobody is told that they
        could not be fetched."""
        zones = "".join(f"zone d{i}.test. alg=13\nzone c.d{i}.test. alg=13\n"
                        f"zone b.c.d{i}.test. alg=13\nzone a.b.c.d{i}.test. alg=13\n"
                        f"zone z.a.b.c.d{i}.test. alg=13\nwww A 192.0.2.7\n" for i in range(16))
        up = self.upstream(world=self.world_of("zone . alg=13\nzone test. alg=13\n" + zones))
        veri = self.veridoh(up, extra="clients:\n  in-flight: 16\n" + EVERY)
        wait_for(lambda: not up.stats().in_flight, "the upstream to have answered all")
        up.lie("delay=200")
        _, answers = self.ask(veri, [f"www.z.a.b.c.d{i}.test." for i in range(16)])
        self.assertEqual({i: header(m)[2] for i, m in answers.items()}, dict.fromkeys(range(16), 0))
