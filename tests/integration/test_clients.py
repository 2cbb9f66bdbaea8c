# SPDX-License-Identifier: MIT
"""What clients send and get: bad messages, header bits, sizes, TCP."""
import socket
import struct
import unittest

from lib import Case, Tcp, ask_udp, header, query

NAME = "www.two.test."
TRUTH = "192.0.2.32"
FORMERR, NOTIMP = 1, 4
QR, TC = 0x8000, 0x0200


class Messages(Case):
    def setUp(self):
        self.up = self.upstream()
        self.veri = self.veridoh(self.up)

    def ask(self, message):
        return ask_udp(self.veri.port, message)

    def assert_lives(self):
        self.assert_secure(self.veri.dig(NAME), TRUTH)

    def test_malformed_with_a_header(self):
        good = query(NAME)
        opt = query(NAME)[-11:]
        for what, message in {
            "no question": query(NAME, counts=(0, 0, 0, 0))[:12],
            "two questions": query(NAME, counts=(2, 0, 0, 1)),
            "cut in the question": good[:20],
            "a pointer to itself": good[:12] + b"\xc0\x0c" + struct.pack("!2H", 1, 1),
            "a label of 64": good[:12] + b"\x40" + b"a" * 64 + b"\0" + struct.pack("!2H", 1, 1),
            "two OPTs": query(NAME, counts=(1, 0, 0, 2)) + opt,
            "more records than there are": query(NAME, counts=(1, 7, 0, 1)),
        }.items():
            with self.subTest(what=what):
                answer = self.ask(message)
                self.assertIsNotNone(answer)
                ident, flags, rcode, _ = header(answer)
                self.assertEqual((ident, flags & QR, rcode), (0x1234, QR, FORMERR))
        self.assert_lives()

    def test_dropped(self):
        """No header, or a response: an answer to these could go round for ever."""
        for message in (b"", b"x", query(NAME)[:11], query(NAME, flags=0x8100)):
            with self.subTest(message=message):
                self.assertIsNone(ask_udp(self.veri.port, message, 0.3))
        self.assert_lives()

    def test_other_opcodes(self):
        for opcode in (1, 2, 4, 5, 6, 15):
            with self.subTest(opcode=opcode):
                _, flags, rcode, _ = header(self.ask(query(NAME, flags=opcode << 11)))
                self.assertEqual((rcode, flags >> 11 & 15), (NOTIMP, opcode))

    def test_nxname(self):
        """RFC 9824 3.5: the type stands for no name and must not be asked for."""
        self.up.reset_stats()
        answer = self.veri.dig(NAME, "TYPE128")
        self.assertEqual((answer.rcode, answer.ede[0][0]), ("FORMERR", 30), answer)
        self.assertEqual(self.up.stats().questions, 0)

    def test_unknown_edns_version(self):
        message = bytearray(query(NAME))
        message[-5] = 1  # the version octet of OPT's TTL
        answer = self.ask(bytes(message))
        _, _, rcode, counts = header(answer)
        self.assertEqual((rcode, counts[3]), (0, 1))
        self.assertEqual(answer[-6], 1)  # the upper bits of BADVERS, 16

    def test_question_comes_back_as_spelled(self):
        for name in ("wWw.tWo.TEST.", NAME, "WWW.TWO.TEST."):
            answer = self.ask(query(name))
            self.assertEqual(answer[12:12 + len(query(name)) - 11 - 12], query(name)[12:-11])

    def test_other_classes(self):
        message = bytearray(query("version.bind.", flags=0x0100, edns=False))
        message[-1] = 3
        _, _, rcode, _ = header(self.ask(bytes(message)))
        self.assertIn(rcode, (NOTIMP, 5))
        self.assert_lives()


class Bits(Case):
    def setUp(self):
        self.up = self.upstream()
        self.veri = self.veridoh(self.up)

    def test_ad(self):
        """RFC 6840 5.7, 5.8: AD for those who set AD or DO, and only if secure."""
        for options, shown in ((("+nodnssec", "+noad"), False), (("+nodnssec", "+ad"), True),
                               (("+dnssec", "+noad"), True)):
            with self.subTest(options=options):
                answer = self.veri.dig(NAME, "A", *options)
                self.assert_answer(answer, TRUTH)
                self.assertEqual("ad" in answer.flags, shown, answer)
                insecure = self.veri.dig("www.insecure.test.", "A", *options)
                self.assertNotIn("ad", insecure.flags)

    def test_do(self):
        for name in (NAME, "none.two.test.", "x.wild.nsec3.test."):
            with self.subTest(name=name):
                plain = self.veri.dig(name, "A", "+nodnssec")
                self.assertFalse(plain.types() & {"RRSIG", "NSEC", "NSEC3"}, plain)
                self.assertIn("RRSIG", self.veri.dig(name).types())

    def test_cd(self):
        """CD=1 gets the data of a broken zone, CD=0 does not, in any order."""
        for order in (("+cd", "+nocd", "+cd"), ("+nocd", "+cd", "+nocd")):
            for option in order:
                with self.subTest(order=order, option=option):
                    answer = self.veri.dig("www.wrongds.test.", "A", option)
                    if option == "+cd":
                        self.assert_insecure(answer, "192.0.2.50")
                        self.assertIn("cd", answer.flags)
                    else:
                        self.assert_refused(answer)
                        self.assertNotIn("cd", answer.flags)

    def test_header(self):
        answer = self.veri.dig(NAME)
        self.assertEqual(answer.flags & {"qr", "aa", "tc", "rd", "ra"}, {"qr", "rd", "ra"})

    def test_ttl_ages(self):
        first = self.veri.dig(NAME).answer[0][1]
        self.assertLessEqual(first, 300)
        self.assertGreater(first, 280)

    def test_no_edns_none_back(self):
        answer = ask_udp(self.veri.port, query(NAME, edns=False))
        self.assertEqual(header(answer)[3][3], 0)


class Sizes(Case):
    def setUp(self):
        self.up = self.upstream()
        self.veri = self.veridoh(self.up)

    def test_truncated_for_small_buffers(self):
        for edns, size in ((False, 512), (True, 512), (True, 700)):
            with self.subTest(edns=edns, size=size):
                answer = ask_udp(self.veri.port, query("txt.large.test.", "16", edns=edns, size=size))
                self.assertLessEqual(len(answer), size)
                self.assertTrue(header(answer)[1] & TC)

    def test_whole_by_tcp(self):
        answer = self.veri.dig("txt.large.test.", "TXT", "+tcp")
        self.assert_secure(answer)
        self.assertEqual(len(answer.answer), 9)

    def test_dig_falls_back_to_tcp(self):
        answer = self.veri.dig("txt.large.test.", "TXT", "+bufsize=512")
        self.assertEqual(len(answer.answer), 9, answer)


class Streams(Case):
    def setUp(self):
        self.up = self.upstream()
        self.veri = self.veridoh(self.up)

    def connect(self):
        tcp = Tcp(self.veri.port)
        self.addCleanup(tcp.close)
        return tcp

    def test_out_of_order(self):
        """RFC 7766 7: the slow answer does not hold up the others."""
        self.veri.dig("www.nsec.test.")
        self.up.lie("delay=400", name=NAME)
        tcp = self.connect()
        tcp.send(query(NAME, ident=1), query("www.nsec.test.", ident=2), query("www.a15.test.", ident=3))
        self.assertEqual([header(tcp.receive())[0] for _ in range(3)][-1], 1)

    def test_many_at_once(self):
        tcp = self.connect()
        tcp.send(*(query(f"n{i}.two.test.", ident=i) for i in range(50)))
        self.assertEqual({header(tcp.receive())[0] for _ in range(50)}, set(range(50)))

    def test_octet_by_octet(self):
        tcp = self.connect()
        message = query(NAME, ident=7)
        for octet in struct.pack("!H", len(message)) + message:
            tcp.socket.sendall(bytes([octet]))
        self.assertEqual(header(tcp.receive())[0], 7)

    def test_bad_frames(self):
        tcp = self.connect()
        tcp.send(query(NAME)[:20])
        self.assertEqual(header(tcp.receive())[2], FORMERR)
        for octets in (b"\0\0", b"\0\5abcde", b"\xff\xff" + b"x" * 100):
            other = self.connect()
            other.socket.sendall(octets)
            other.socket.shutdown(socket.SHUT_WR)
            with self.assertRaises((EOFError, ConnectionError)):
                other.receive()
        self.assert_secure(self.veri.dig(NAME), TRUTH)

    def test_half_closed(self):
        """A client that has said all it wants still gets its answers."""
        tcp = self.connect()
        tcp.send(query(NAME, ident=9))
        tcp.socket.shutdown(socket.SHUT_WR)
        self.assertEqual(header(tcp.receive())[0], 9)

    def test_idle_is_closed(self):
        veri = self.veridoh(self.up, extra="clients:\n  tcp-idle: 200ms\n")
        tcp = Tcp(veri.port)
        self.addCleanup(tcp.close)
        with self.assertRaises((EOFError, ConnectionError)):
            tcp.receive()


if __name__ == "__main__":
    unittest.main()
