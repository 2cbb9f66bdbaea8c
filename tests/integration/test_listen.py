# SPDX-License-Identifier: MIT
"""Where questions are taken, and from whom: addresses of this machine, addresses that are not there,
ports that are taken, and few descriptors. In a network of its own."""
import ctypes
import fcntl
import os
import pathlib
import re
import socket
import struct
import subprocess
import unittest

import lib
from lib import Case, Tcp, config_text, free_port, header, program, query, wait_for

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK = 0x8914, 0x8916, 0x891c
OURS, OURS_TOO, OURS_V6, OURS_LINK = "192.0.2.2", "192.0.2.3", "2001:db8::2", "fe80::2"
REFUSED, NOERROR = 5, 0


def on_lo(call, name, octets):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, call, struct.pack("16s24s", name.encode(), octets))


def add_address(name, ip):
    where = struct.pack("=HH4s", socket.AF_INET, 0, socket.inet_aton(ip))
    on_lo(SIOCSIFADDR, name, where)
    on_lo(SIOCSIFNETMASK, name, struct.pack("=HH4s", socket.AF_INET, 0, b"\xff" * 4))


def add_address_v6(ip):
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, SIOCSIFADDR, struct.pack("=16sIi", socket.inet_pton(socket.AF_INET6, ip), 128,
                                                socket.if_nametoindex("lo")))


def setUpModule():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0 and libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
        raise unittest.SkipTest("no network of our own: " + os.strerror(ctypes.get_errno()))
    on_lo(SIOCSIFFLAGS, "lo", struct.pack("=h", 1))  # up
    add_address("lo:1", OURS)
    add_address("lo:2", OURS_TOO)
    add_address_v6(OURS_V6)
    add_address_v6(OURS_LINK)


def switch_ipv6(on):
    for name in ("all", "lo"):
        pathlib.Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6").write_text("01"[not on])


def ask(to, port, tcp, source=None):
    """The rcode of localhost's answer, which is made here."""
    family = socket.AF_INET6 if ":" in to else socket.AF_INET
    message = query("localhost.")
    with socket.socket(family, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as s:
        s.settimeout(lib.DEADLINE_S)
        s.bind(socket.getaddrinfo(source or to, 0)[0][4])  # with the interface of fe80::2%lo
        s.connect(socket.getaddrinfo(to, port)[0][4])
        s.sendall(struct.pack("!H", len(message)) + message if tcp else message)
        return header(s.recv(4096)[2 if tcp else 0:])[2]


def health(veri):
    return subprocess.run([program("veridoh"), "health", "--config", veri.config],
                          capture_output=True, text=True, timeout=20, check=False)


def connections_to(port):
    """Those established, of this network."""
    rows = pathlib.Path("/proc/self/net/tcp").read_text().splitlines()[1:]
    return [r for r in rows if r.split()[2].endswith(f":{port:04X}") and r.split()[3] == "01"]


class Listening(Case):
    def daemon(self, *addresses, workers=1, up=None, extra="", **more):
        """Veridoh at these addresses; @ is a port."""
        up = up or self.upstream()
        port = free_port()
        listen = "".join(f'  - address: "{a.replace("@", str(port))}"\n' for a in addresses)
        text = config_text("@PORT@", [up], up.dir / "root.ds", extra)
        text = text.replace("workers: 1", f"workers: {workers}")
        text = re.sub(r"listen:\n.*\n", "listen:\n" + listen, text)
        process = lib.Process.__new__(Daemon)
        process.start(text, port, **more)
        self.addCleanup(self.must_stop, process)
        return process


class Daemon(lib.Process):
    """veridoh that says when it is ready: where it listens is for the test to say."""

    def start(self, text, port, before=None):
        directory = pathlib.Path(lib.tempfile.mkdtemp(prefix="veridoh-test-"))
        self.port, self.config = port, directory / "veridoh.yaml"
        self.config.write_text(text)
        arguments = [program("veridoh"), "run", "--config", self.config]
        lib.Process.__init__(self, [*(before or []), *arguments], directory)
        try:
            wait_for(self.is_ready, "veridoh to be ready")
        except AssertionError:
            self.stop()
            raise

    def is_ready(self):
        self.must_live()
        return "ready with" in self.log()


class Whom(Listening):
    def test_this_machine(self):
        """It asks from the address that it asks, wherever that is; by IPv6 that proves it for TCP only,
        for anybody on the link can send a packet with such a source."""
        up = self.upstream()
        for listen, at in ((f"{OURS}:@", OURS), ("0.0.0.0:@", OURS), ("0.0.0.0:@", "127.0.0.1"),
                           (f"[{OURS_V6}]:@", OURS_V6), ("[::]:@", OURS_V6), ("[::]:@", "::1"),
                           ("[::]:@", f"{OURS_LINK}%lo")):
            veri = self.daemon(listen, up=up)
            for tcp in (False, True):
                with self.subTest(listen=listen, at=at, tcp=tcp):
                    known = tcp or ":" not in at or at == "::1"
                    self.assertEqual(ask(at, veri.port, tcp), NOERROR if known else REFUSED)

    def test_anyone_else(self):
        up = self.upstream()
        for listen in (f"{OURS}:@", "0.0.0.0:@"):
            veri = self.daemon(listen, up=up)
            for tcp in (False, True):
                with self.subTest(listen=listen, tcp=tcp):
                    self.assertEqual(ask(OURS, veri.port, tcp, OURS_TOO), REFUSED)

    def test_health_where_no_loopback_is(self):
        up = self.upstream()
        for listen in (f"{OURS}:@", f"[{OURS_V6}]:@"):
            with self.subTest(listen=listen):
                veri = self.daemon(listen, up=up)
                done = health(veri)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class Ports(Listening):
    def refused(self, config):
        """What it says when it does not start."""
        done = subprocess.run([program("veridoh"), "run", "--config", config], capture_output=True,
                              text=True, timeout=20, check=False)
        self.assertEqual(done.returncode, 69, done.stderr)
        self.assertNotIn("ready with", done.stderr)
        return done.stderr

    def test_a_second_instance(self):
        """It does not take half of the questions."""
        up = self.upstream()
        for listen in ("127.0.0.1:@", "0.0.0.0:@", "[::1]:@"):
            with self.subTest(listen=listen):
                veri = self.daemon(listen, workers=2, up=up)
                said = self.refused(veri.config)
                self.assertIn("another program listens there", said)
                self.assertIn(f":{veri.port} (UDP)", said)

    def test_started_again_at_once(self):
        """Connections that clients have not closed yet, and those in TIME_WAIT, are in nobody's way."""
        first = self.daemon("127.0.0.1:@", workers=2)
        config, port = first.config.read_text(), first.port
        kept = [Tcp(port) for _ in range(4)]
        for tcp in kept:
            self.addCleanup(tcp.close)
            tcp.send(query("localhost."))
            tcp.receive()
        self.assertEqual(first.stop(), 0, first.last_log)
        kept[0].close()
        second = lib.Process.__new__(Daemon)
        second.start(config, port)
        self.addCleanup(self.must_stop, second)
        self.assertEqual(ask("127.0.0.1", port, True), NOERROR)

    def test_without_ipv6(self):
        """As the shipped configuration in a container that has none."""
        switch_ipv6(False)
        self.addCleanup(add_address_v6, OURS_LINK)
        self.addCleanup(add_address_v6, OURS_V6)
        self.addCleanup(switch_ipv6, True)
        up = self.upstream()
        for listen in (("127.0.0.1:@", "[::1]:@"), ("[::1]:@", "127.0.0.1:@")):
            veri = self.daemon(*listen, workers=3, up=up)
            self.assertEqual(ask("127.0.0.1", veri.port, False), NOERROR)
            said = [line for line in veri.log().splitlines() if "[::1]" in line]
            self.assertEqual(len(said), 1, veri.log())
            asked = health(veri)
            self.assertEqual(asked.returncode, 0, asked.stdout + asked.stderr)
            self.assertRegex(said[0], "warning: .*no interface has this address.*without it")
            config = veri.config.read_text()
            self.must_stop(veri)
        alone = self.world_of(config.replace(f'  - address: "127.0.0.1:{veri.port}"\n', ""))
        self.assertIn("no interface has this address", self.refused(alone))
        missing = self.world_of(config.replace("[::1]:", "[2001:db8::99]:"))
        self.assertIn("no interface has this address", self.refused(missing))


class Descriptors(Listening):
    def limited(self, soft, hard):
        """What comes before a command that may open so many files."""
        return ["prlimit", f"--nofile={soft}:{hard}", "--"]

    def test_the_soft_limit_is_raised(self):
        veri = self.daemon("127.0.0.1:@", before=self.limited(64, 2048))
        limits = pathlib.Path(f"/proc/{veri.child.pid}/limits").read_text()
        self.assertRegex(limits, r"Max open files +2048 +2048")
        self.assertNotIn("files may be open", veri.log())

    def test_too_few_for_anything(self):
        """Then it does not say that upstreams can be reached all the same."""
        veri = self.daemon("127.0.0.1:@", before=self.limited(40, 40))
        self.assertRegex(veri.log(), r"warning: no more than 40 files may be open.*too few.*"
                                     r"[0-9]+ files all fit")
        self.assertNotIn("so that upstreams can be reached", veri.log())

    def test_clients_leave_some(self):
        """Whoever opens connections as long as it can stops nobody's names from being resolved."""
        up = self.upstream()
        veri = self.daemon("127.0.0.1:@", "[::1]:@", workers=2, up=up, before=self.limited(64, 256),
                           extra="transport:\n  idle-timeout: 1s\n")
        self.assertEqual(len(re.findall(r"warning: no more than 256 files may be open.*instead of 256, "
                                        "so that upstreams can be reached",
                                        veri.log())), 1, veri.log())
        wait_for(lambda: not connections_to(up.port), "the connection upstream to be idle and closed")
        crowd = []
        self.addCleanup(lambda: [s.close() for s in crowd])
        for at in ("127.0.0.1", "::1"):
            for _ in range(150):
                crowd.append(socket.create_connection((at, veri.port), lib.DEADLINE_S))
        self.assert_secure(lib.dig(veri.port, "www.two.test."), "192.0.2.32")
        self.assertLess(len(os.listdir(f"/proc/{veri.child.pid}/fd")), 256)


if __name__ == "__main__":
    unittest.main()
