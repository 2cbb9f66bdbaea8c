# SPDX-License-Identifier: MIT
"""Which bits a client sets, and which come back (RFC 6840 5.7 to 5.9, RFC 4035 3.2): every
combination of AD, CD and DO, for a secure, an insecure and a bogus name, asked and from the cache."""
import itertools
import unittest

from lib import TYPES, Case, Tcp, query

AD, CD, QR, RD, RA = 0x0020, 0x0010, 0x8000, 0x0100, 0x0080
RRSIG = 46
NAMES = { # status: a name for which there is one, and does it have signatures
    "secure": ("www.two.test.", True),
    "insecure": ("www.insecure.test.", False),
    "bogus": ("www.expired.test.", True),
}
WORLD = """
zone . alg=13 denial=nsec
zone test. alg=13 denial=nsec3
zone two.test. alg=13
www A 192.0.2.32
zone insecure.test. unsigned
www A 192.0.2.40
zone expired.test. alg=13 fault=expired
www A 192.0.2.51
"""


def parse(message):
    """(flags, rcode, types of the answer section, DO of the OPT or None)."""
    flags = int.from_bytes(message[2:4], "big")
    counts = [int.from_bytes(message[i:i + 2], "big") for i in (4, 6, 8, 10)]
    at = 12

    def skip_name(at):
        while message[at]:
            if message[at] >= 192:
                return at + 2
            at += 1 + message[at]
        return at + 1
    at = skip_name(at) + 4
    types, do = [], None
    for n in range(sum(counts[1:])):
        at = skip_name(at)
        type_ = int.from_bytes(message[at:at + 2], "big")
        if type_ == 41:
            do = bool(int.from_bytes(message[at + 4:at + 8], "big") & 0x8000)
        elif n < counts[1]:
            types.append(type_)
        at += 10 + int.from_bytes(message[at + 8:at + 10], "big")
    return flags, flags & 15, types, do


class Bits(Case):
    def ask(self, tcp, name, ad, cd, edns, do):
        flags = RD | (AD if ad else 0) | (CD if cd else 0)
        tcp.send(query(name, "A", flags=flags, edns=edns, do=do))
        return parse(tcp.receive())

    def check(self, tcp, status, ad, cd, edns, do):
        name, is_signed = NAMES[status]
        flags, rcode, types, do_back = self.ask(tcp, name, ad, cd, edns, do)
        self.assertEqual(flags & (QR | RD | RA), QR | RD | RA)
        self.assertEqual(bool(flags & CD), cd) # copied
        self.assertEqual(do_back, do if edns else None)
        refused = status == "bogus" and not cd
        self.assertEqual(rcode, 2 if refused else 0)
        self.assertEqual(TYPES["A"] in types, not refused)
        self.assertEqual(RRSIG in types, do and is_signed and not refused)
        # Only what was proven for this client, who asked to know (RFC 6840 5.8).
        self.assertEqual(bool(flags & AD), status == "secure" and not cd and (ad or do))

    def test_matrix(self):
        """Twice in two orders, so that every row is met cold, and after each of the others."""
        up = self.upstream(world=self.world_of(WORLD))
        rows = [row for row in itertools.product((False, True), repeat=4) if row[2] or not row[3]]
        for order in (rows, rows[::-1]):
            veri = self.veridoh(up)
            tcp = Tcp(veri.port)
            self.addCleanup(tcp.close)
            for _ in range(2):
                for status in NAMES:
                    for ad, cd, edns, do in order:
                        with self.subTest(status=status, ad=ad, cd=cd, edns=edns, do=do):
                            self.check(tcp, status, ad, cd, edns, do)
            veri.stop()

    def test_interleaved(self):
        """CD=1 and CD=0 at the same time: each its own answer, and neither the other's."""
        up = self.upstream("--delay-ms", "30", world=self.world_of(WORLD))
        veri = self.veridoh(up)
        tcp = Tcp(veri.port)
        self.addCleanup(tcp.close)
        name = NAMES["bogus"][0]
        asked = [(ident, ident % 3 == 0) for ident in range(60)]
        tcp.send(*(query(name, "A", ident=ident, flags=RD | (CD if cd else 0)) for ident, cd in asked))
        cds = dict(asked)
        for _ in asked:
            message = tcp.receive()
            flags, rcode, types, _ = parse(message)
            cd = cds.pop(int.from_bytes(message[:2], "big"))
            self.assertEqual((rcode, TYPES["A"] in types), (0, True) if cd else (2, False))
            self.assertFalse(flags & AD)
        self.assertEqual(cds, {})

    def test_unvalidated_data_is_a_population_of_its_own(self):
        """What CD=1 brought in is not given to who wants it proven, not even where it is true."""
        up = self.upstream(world=self.world_of(WORLD))
        veri = self.veridoh(up)
        tcp = Tcp(veri.port)
        self.addCleanup(tcp.close)
        up.lie("unsigned-lie", name="www.two.test.", type="A", count=1)
        _, rcode, types, _ = self.ask(tcp, "www.two.test.", True, True, True, True)
        self.assertEqual((rcode, types), (0, [TYPES["A"]])) # the lie, as it came
        flags, rcode, types, _ = self.ask(tcp, "www.two.test.", True, False, True, True)
        self.assertEqual((rcode, bool(flags & AD), RRSIG in types), (0, True, True))


if __name__ == "__main__":
    unittest.main()
