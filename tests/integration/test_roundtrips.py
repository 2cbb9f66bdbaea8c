# SPDX-License-Identifier: MIT
"""Exact counts of flights and of upstream questions. The upstream answers 100 ms after a question,
so that everything sent together is one flight however slow this machine is."""
import unittest

from lib import Case, Tcp, query


class RoundTrips(Case):
    def setUp(self):
        self.up = self.upstream("--delay-ms", "100")

    def cost(self, veri, name, secure=True, type_="A"):
        """(flights, questions) that one answer takes."""
        self.up.reset_stats()
        answer = veri.dig(name, type_)
        self.assertEqual((answer.rcode, "ad" in answer.flags), ("NOERROR", secure), answer)
        self.last = self.up.stats()
        return self.last.flights, self.last.questions

    def assert_cost(self, veri, name, flights, questions, **more):
        got = self.cost(veri, name, **more)
        self.assertEqual(got, (flights, questions), f"{name}: {self.last.asked()}")

    def test_cold(self):
        cases = [ # name, flights, questions, secure
            ("www.two.test.", 1, 5, True),
            ("www.three.two.test.", 1, 7, True),
            ("www.five.four.three.two.test.", 1, 11, True),
            ("a.b.c.d.two.test.", 1, 11, True), # nobody knows yet that these are no cuts
            ("www.insecure.test.", 1, 5, False),
            ("www.insecure.example.", 1, 5, False),
        ]
        for name, flights, questions, secure in cases:
            with self.subTest(name=name):
                self.assert_cost(self.veridoh(self.up), name, flights, questions, secure=secure)

    def test_cold_alias_into_another_tree(self):
        flights, questions = self.cost(self.veridoh(self.up), "over.alias.test.")
        self.assertEqual(flights, 2, self.last.asked())
        self.assertLessEqual(questions, 6 + 4, self.last.asked())

    def test_warm(self):
        veri = self.veridoh(self.up)
        self.cost(veri, "www.other.example.")
        self.cost(veri, "www.nsec.test.")
        self.assert_cost(veri, "www.two.test.", 1, 3)          # the TLD's keys are known
        self.assert_cost(veri, "again.two.test.", 1, 1)        # the zone's keys are known
        self.assert_cost(veri, "www.two.test.", 0, 0)          # the answer is known
        self.assert_cost(veri, "www.insecure.test.", 1, 3, secure=False)
        self.assert_cost(veri, "back.insecure.test.", 1, 1, secure=False)

    def test_first_question_while_the_root_keys_are_on_their_way(self):
        """That the followed anchors change with the first look at them makes nothing begin anew."""
        up = self.upstream("--delay-ms", "1500")
        veri = self.veridoh(up, prime=False)
        answer = veri.dig("www.two.test.")
        self.assertEqual((answer.rcode, "ad" in answer.flags), ("NOERROR", True), answer)
        asked = up.stats().asked()
        self.assertEqual(len(asked), len(set(asked)), asked)
        self.assertIn((".", "DNSKEY"), asked)

    def test_nothing_is_asked_twice_in_one_flight(self):
        self.cost(self.veridoh(self.up), "www.three.two.test.")
        asked = self.last.asked()
        self.assertEqual(len(asked), len(set(asked)), asked)

    def test_one_connection(self):
        veri = self.veridoh(self.up)
        self.cost(veri, "www.two.test.")
        self.assertEqual({r["connection"] for r in self.last.seen}, {self.last.seen[0]["connection"]})

    def test_upstream_is_asked_as_promised(self):
        """CD=1, DO=1; the name asked for comes first."""
        self.cost(self.veridoh(self.up), "www.two.test.")
        self.assertEqual({(r["cd"], r["do"]) for r in self.last.seen}, {("1", "1")})
        self.assertEqual(self.last.asked()[0], ("www.two.test.", "A"))


class Together(Case):
    def test_equal_questions_are_joined(self):
        import threading
        up = self.upstream("--delay-ms", "200")
        veri = self.veridoh(up)
        up.reset_stats()
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(veri.dig("www.two.test.")))
                   for _ in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        for answer in answers:
            self.assert_secure(answer, "192.0.2.32")
        self.assertEqual(len(up.stats().of("www.two.test.", "A")), 1)

    def test_a_hundred_names_of_one_cold_zone(self):
        """Their proofs share what they need: one DS and one DNSKEY question of the zone."""
        up = self.upstream("--delay-ms", "200")
        veri = self.veridoh(up)
        up.reset_stats()
        tcp = Tcp(veri.port)
        self.addCleanup(tcp.close)
        tcp.send(*(query(f"n{n}.two.test.", ident=n, flags=0x0120) for n in range(50)),
                 query("www.two.test.", ident=100, flags=0x0120),
                 *(query(f"m{n}.two.test.", ident=50 + n, flags=0x0120) for n in range(49)))
        for _ in range(100):
            message = tcp.receive()
            ident = int.from_bytes(message[:2], "big")
            self.assertEqual(message[3] & 0x2f, 0x20 if ident == 100 else 0x23, ident) # AD, rcode
        asked = up.stats().asked()
        for name in ("test.", "two.test."):
            for type_ in ("DS", "DNSKEY"):
                self.assertEqual(asked.count((name, type_)), 1, f"{name} {type_}")
        self.assertEqual(len(asked), len(set(asked)))


if __name__ == "__main__":
    unittest.main()
