# SPDX-License-Identifier: MIT
"""What leaves this machine: the octets and header fields of questions as an upstream sees them, and
the log. Whatever a client writes into its question, nothing of it but name, type and class goes on."""
import struct
import unittest

from lib import Case, ask_udp, header, upstream_config, wire_name

NAME = "www.two.test."
HEADERS_POST = [":method", ":scheme", ":authority", ":path", "accept", "content-type", "content-length"]
HEADERS_GET = [":method", ":scheme", ":authority", ":path", "accept"]
ECS = struct.pack("!HH", 8, 7) + struct.pack("!HBB", 1, 24, 0) + bytes([198, 51, 100])
COOKIE = struct.pack("!HH", 10, 8) + b"c00kie!!"
NSID = struct.pack("!HH", 3, 0)
LOCAL = struct.pack("!HH", 65001, 6) + b"secret"


def query(name, options=b"", flags=0x0100, ident=0x5a5a):
    opt = b"\0" + struct.pack("!HHIH", 41, 1232, 0x8000, len(options)) + options
    return (struct.pack("!6H", ident, flags, 1, 0, 0, 1) + wire_name(name)
            + struct.pack("!2H", 1, 1) + opt)


def options_of(message):
    """[(code, octets)] of the OPT record at the end of a question."""
    end = 12
    while message[end]:
        end += 1 + message[end]
    at = end + 5
    assert message[at] == 0 and message[at + 1:at + 3] == b"\0\x29", message
    octets = message[at + 11:]
    assert len(octets) == struct.unpack("!H", message[at + 9:at + 11])[0]
    found = []
    while octets:
        code, length = struct.unpack("!2H", octets[:4])
        found.append((code, octets[4:4 + length]))
        octets = octets[4 + length:]
    return found


class Privacy(Case):
    def start(self, get=False, extra=""):
        self.up = self.upstream()
        template = "{?dns}" if get else ""
        entry = upstream_config(self.up, "up", url=f"https://upstream.test:{self.up.port}/dns-query{template}",
                                get=str(get).lower())
        return self.veridoh(self.up, config=(
            f"listen:\n  - address: 127.0.0.1:@PORT@\nupstreams:\n{entry}\n"
            f"validation:\n  trust-anchors: {self.up.dir}/root.ds\n{extra}"))

    def seen(self, name):
        """(header names, the question's octets) of each question for the name."""
        found = []
        for line in self.up.command("queries"):
            names, octets = line.split(" ")
            message = bytes.fromhex(octets)
            if message[12:].startswith(wire_name(name.lower())):
                found.append((names.split(","), message))
        return found

    def ask(self, veri, name=NAME, options=ECS + COOKIE + NSID + LOCAL, flags=0x0130):
        answer = ask_udp(veri.port, query(name, options, flags))
        self.assertIsNotNone(answer)
        return answer

    def test_octets(self):
        """Nothing of the client's is in it: id, flags, case of the name, options."""
        veri = self.start()
        self.ask(veri, "wWw.TwO.teST.")
        rows = self.seen(NAME)
        self.assertTrue(rows)
        for _, message in rows:
            ident, flags, _, counts = header(message)
            self.assertEqual(ident, 0)
            self.assertEqual(flags & ~0x0010, 0x0100)  # RD, and CD as we please
            self.assertEqual(counts, [1, 0, 0, 1])
            self.assertEqual([code for code, _ in options_of(message)], [12])
            self.assertEqual(set(options_of(message)[0][1]) - {0}, set())
            for text in (b"c00kie!!", b"secret", bytes([198, 51, 100])):
                self.assertNotIn(text, message)

    def test_padding(self):
        """Every question is of a multiple of 128 octets (RFC 8467), names of any length."""
        veri = self.start()
        for length in (1, 20, 60):
            self.ask(veri, "x" * length + ".two.test.")
        lengths = {len(message) for _, message in self.seen("")} | {
            len(bytes.fromhex(line.split(" ")[1])) for line in self.up.command("queries")}
        self.assertEqual({length % 128 for length in lengths}, {0})

    def test_headers(self):
        for get, want in ((False, HEADERS_POST), (True, HEADERS_GET)):
            with self.subTest(get=get):
                veri = self.start(get=get)
                self.ask(veri)
                for names, _ in self.seen(NAME):
                    self.assertEqual(sorted(names), sorted(want))

    def test_client_subnet_as_configured(self):
        """The operator's, the same for everybody, or 0.0.0.0/0: leave me out (RFC 7871 7.1.2)."""
        for subnet, want in (("192.0.2.0/24", struct.pack("!HBB", 1, 24, 0) + bytes([192, 0, 2])),
                             ("0.0.0.0/0", struct.pack("!HBB", 1, 0, 0)),
                             ('"2001:db8::/33"', struct.pack("!HBB", 2, 33, 0) + bytes.fromhex("20010db800"))):
            with self.subTest(subnet=subnet):
                veri = self.start(extra=f"transport:\n  client-subnet: {subnet}\n")
                self.ask(veri)
                for _, message in self.seen(NAME):
                    self.assertEqual(dict(options_of(message))[8], want)
                    self.assertEqual(len(message) % 128, 0)

    def test_no_names_in_the_log(self):
        veri = self.start()
        self.up.lie("servfail", name="*.two.test.")
        self.ask(veri, "secretname.two.test.")
        self.up.be_honest()
        self.up.lie("unsigned-lie", name="other-secret.two.test.")
        self.ask(veri, "other-secret.two.test.")
        self.assertEqual(veri.stop(), 0)
        self.assertNotIn("secret", veri.last_log)


if __name__ == "__main__":
    unittest.main()
