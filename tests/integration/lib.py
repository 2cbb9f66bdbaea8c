# SPDX-License-Identifier: MIT
"""What every integration test needs: processes on free ports in a directory of their own, the
control channel of fake-upstream, dig, and a bare DNS client for what dig refuses to send."""
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEADLINE_S = 10.0  # for anything a test waits for


def program(name):
    """The program of $VERIDOH_BUILD, else the one built last."""
    build = os.environ.get("VERIDOH_BUILD")
    found = [pathlib.Path(build)] if build else list((ROOT / "build").glob("*"))
    paths = [p for d in found for p in (d / name, d / "tests" / name) if p.is_file()]
    if not paths:
        raise unittest.SkipTest(f"{name} is not built")
    return str(max(paths, key=lambda p: p.stat().st_mtime))


def wait_for(condition, what):
    """The first true value of condition(); a failure after the deadline."""
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.005)
    raise AssertionError(f"waited in vain for {what}")


def free_port():
    """A port that is free for UDP and TCP on 127.0.0.1, below those that the kernel gives to
    outgoing connections: so that none of them takes it before it is listened on."""
    while True:
        port = random.SystemRandom().randrange(12000, 32000)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp, \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            try:
                tcp.bind(("127.0.0.1", port))
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Process:
    """A child in a directory of its own; its stderr is kept there."""

    last_log = None  # set when it has stopped

    def __init__(self, arguments, directory=None, env=None):
        self.dir = pathlib.Path(directory or tempfile.mkdtemp(prefix="veridoh-test-"))
        self.log_path = self.dir / "stderr"
        with open(self.log_path, "wb") as log:
            self.child = subprocess.Popen([str(a) for a in arguments], stderr=log,
                                          stdout=subprocess.DEVNULL, cwd=self.dir,
                                          env={**os.environ, **(env or {})})

    def log(self):
        return self.log_path.read_text(errors="replace")

    def must_live(self):
        if self.child.poll() is not None:
            raise AssertionError(f"ended with {self.child.returncode}: {self.log()}")

    def stop(self, how=signal.SIGTERM):
        """The exit status; the directory is gone afterwards."""
        if self.last_log is not None:
            return self.status
        if self.child.poll() is None:
            self.child.send_signal(how)
        try:
            self.status = self.child.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            self.status = "killed: it did not stop"
        self.last_log = self.log()
        shutil.rmtree(self.dir, ignore_errors=True)
        return self.status


class Upstream(Process):
    """fake-upstream, ready, with its control channel open."""

    def __init__(self, world, *options):
        directory = tempfile.mkdtemp(prefix="veridoh-upstream-")
        # One port for UDP and TCP: chosen here, where both can be tried before.
        super().__init__([program("fake-upstream"), "--world", world, "--dir", directory,
                          "--plain-port", free_port(), *options],
                         directory)
        ready = self.dir / "ready"

        def is_ready():
            self.must_live()
            return ready.exists()
        try:
            wait_for(is_ready, "fake-upstream to be ready")
        except AssertionError:
            self.stop()
            raise
        self.facts = dict(line.split("=", 1) for line in ready.read_text().split())
        self.port = int(self.facts["port"])
        self.plain_port = int(self.facts["plain_port"])
        self.socket = socket.create_connection(("127.0.0.1", int(self.facts["control_port"])))
        self.socket.settimeout(DEADLINE_S)
        self.lines = self.socket.makefile("r")

    def stop(self, how=signal.SIGTERM):
        if hasattr(self, "socket"):
            self.lines.close()
            self.socket.close()
        return super().stop(how)

    def command(self, text):
        """The reply's lines behind "ok"."""
        self.socket.sendall(text.encode() + b"\n")
        reply = []
        for line in self.lines:
            if line == ".\n":
                break
            reply.append(line.rstrip("\n"))
        if reply[:1] != ["ok"]:
            raise AssertionError(f"fake-upstream: {text}: {reply}")
        return reply[1:]

    def lie(self, action, **match):
        words = [f"{key.rstrip('_').replace('_', '-')}={value}" for key, value in match.items()]
        self.command(" ".join(["rule add", *words, f"action={action}"]))

    def be_honest(self):
        self.command("rule clear")

    def reset_stats(self):
        self.command("stats reset")

    def stats(self):
        return Stats(self.command("stats"))


class Stats:
    def __init__(self, lines):
        rows = [dict(word.split("=", 1) for word in line.split(" ")) for line in lines]
        self.questions = int(rows[0]["questions"])
        self.flights = int(rows[0]["flights"])
        self.connections = int(rows[0]["connections"])
        self.in_flight = rows[0]["in_flight"] == "1"
        self.seen = rows[1:]

    def asked(self, type_=None):
        """(name, type) of each question, in the order of arrival."""
        return [(r["name"], r["type"]) for r in self.seen if type_ in (None, r["type"])]

    def of(self, name, type_):
        return [r for r in self.seen if (r["name"], r["type"]) == (name, type_)]


# --- veridoh ------------------------------------------------------------------------------------

def upstream_config(upstream, name, **more):
    keys = {"name": name, "url": f"https://upstream.test:{upstream.port}/dns-query",
            "operator": name, "addresses": "[127.0.0.1]", "ca": upstream.dir / "ca.pem", **more}
    lines = [f"{key}: {value}" for key, value in keys.items()]
    return "  - " + "\n    ".join(lines)


def config_text(port, upstreams, anchors, extra=""):
    entries = "\n".join(upstream_config(u, f"up{i}") for i, u in enumerate(upstreams))
    return (f"listen:\n  - address: 127.0.0.1:{port}\n"
            f"upstreams:\n{entries}\n"
            f"process:\n  workers: 1\n"
            + (extra if "validation:" in extra else f"validation:\n  trust-anchors: {anchors}\n{extra}"))


class Veridoh(Process):
    """veridoh on a free port, in front of these upstreams, with the root's keys known."""

    def __init__(self, *upstreams, extra="", anchors=None, config=None, prime=True, env=None):
        self.port = free_port()
        directory = pathlib.Path(tempfile.mkdtemp(prefix="veridoh-test-"))
        anchors = anchors or upstreams[0].dir / "root.ds"
        text = config or config_text(self.port, upstreams, anchors, extra)
        (directory / "veridoh.yaml").write_text(text.replace("@PORT@", str(self.port)))
        super().__init__([program("veridoh"), "run", "--config", directory / "veridoh.yaml"],
                         directory, env)
        try:
            wait_for(self.listens, "veridoh to listen")
            if prime:
                wait_for(lambda: any(root_keys_answered(u) for u in upstreams),
                         "the root's keys to be fetched")
        except AssertionError as error:
            self.stop()
            raise AssertionError(f"{error}\n{self.last_log}") from None

    def listens(self):
        self.must_live()
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def dig(self, name, type_="A", *options):
        return dig(self.port, name, type_, *options)


class Unbound(Process):
    """Debian's unbound as a validating forwarder of the same upstream, by plain DNS."""

    def __init__(self, upstream):
        self.port = free_port()
        directory = pathlib.Path(tempfile.mkdtemp(prefix="veridoh-unbound-"))
        (directory / "unbound.conf").write_text(
            f'server:\n interface: 127.0.0.1@{self.port}\n do-daemonize: no\n username: ""\n'
            ' do-not-query-localhost: no\n module-config: "validator iterator"\n use-syslog: no\n aggressive-nsec: no\n'
            f' trust-anchor-file: "{upstream.dir}/root.ds"\n chroot: ""\n pidfile: ""\n'
            ' local-zone: "test." nodefault\nremote-control:\n control-enable: no\n'
            f'forward-zone:\n name: "."\n forward-addr: 127.0.0.1@{upstream.plain_port}\n')
        super().__init__(["unbound", "-d", "-c", directory / "unbound.conf"], directory)
        wait_for(lambda: ask_udp(self.port, query(".", "NS"), 0.2), "unbound to answer")


def root_keys_answered(upstream):
    stats = upstream.stats()
    return stats.of(".", "DNSKEY") and not stats.in_flight


class Case(unittest.TestCase):
    """Starts what a test asks for and stops it afterwards."""

    maxDiff = None
    world = pathlib.Path(__file__).parent / "world.txt"

    def upstream(self, *options, world=None):
        process = Upstream(world or self.world, *options)
        self.addCleanup(self.must_stop, process)
        return process

    def world_of(self, text):
        """A file with this world, for upstream(world=)."""
        directory = tempfile.mkdtemp(prefix="veridoh-world-")
        self.addCleanup(shutil.rmtree, directory)
        path = pathlib.Path(directory) / "world"
        path.write_text(text)
        return path

    def veridoh(self, *upstreams, **more):
        process = Veridoh(*upstreams, **more)
        self.addCleanup(self.must_stop, process)
        return process

    def must_stop(self, process):
        """A crash, a leak or a hang of either program fails the test that caused it."""
        status = process.stop()
        self.assertEqual(status, 0, f"{process.child.args[0]}: {status}:\n{process.last_log}")

    def assert_secure(self, answer, *rdata):
        self.assert_answer(answer, *rdata)
        self.assertIn("ad", answer.flags, answer)

    def assert_insecure(self, answer, *rdata):
        self.assert_answer(answer, *rdata)
        self.assertNotIn("ad", answer.flags, answer)

    def assert_answer(self, answer, *rdata):
        self.assertEqual(answer.rcode, "NOERROR", answer)
        for one in rdata:
            self.assertIn(one, [r[3] for r in answer.answer], answer)

    def assert_refused(self, answer, *ede):
        """SERVFAIL with nothing in it and, when given, one of these EDE codes."""
        self.assertEqual(answer.rcode, "SERVFAIL", answer)
        self.assertEqual(answer.answer, [], answer)
        self.assertNotIn("ad", answer.flags, answer)
        if ede:
            self.assertTrue(answer.ede and answer.ede[0][0] in ede, answer)


# --- dig ----------------------------------------------------------------------------------------

class Answer:
    """What dig printed: rcode, flags, EDE as (code, text), sections as (owner, ttl, type, rdata)."""

    def __init__(self, text):
        self.text = text
        status = re.search(r"status: (\w+)", text)
        flags = re.search(r"^;; flags:([^;]*);", text, re.M)
        self.rcode = status.group(1) if status else None
        self.flags = set(flags.group(1).split()) if flags else set()
        self.do = bool(re.search(r"^; EDNS:.*flags:[^;]*\bdo\b", text, re.M))
        self.ede = [(int(code), words) for code, words in
                    re.findall(r"^; EDE: (\d+)[^:\n]*(?:: \((.*)\))?", text, re.M)]
        self.answer = self.section("ANSWER")
        self.authority = self.section("AUTHORITY")
        self.additional = self.section("ADDITIONAL")

    def section(self, name):
        found = re.search(rf"^;; {name} SECTION:\n(.*?)\n(?:\n|\Z)", self.text, re.M | re.S)
        lines = found.group(1).splitlines() if found else []
        rows = [line.split(None, 4) for line in lines if line and not line.startswith(";")]
        return [(r[0], int(r[1]), r[3], r[4] if len(r) > 4 else "") for r in rows]

    def types(self):
        return {r[2] for r in self.answer + self.authority}

    def __str__(self):
        return self.text


def dig(port, name, type_="A", *options):
    """Asks 127.0.0.1; by default with DO and AD clear, so that AD shows only where it is due."""
    done = subprocess.run(["dig", "@127.0.0.1", "-p", str(port), "+noall", "+comments", "+answer",
                           "+authority", "+additional", "+tries=1", "+time=8", "+dnssec", *options,
                           "-q", name, "-t", type_],
                          capture_output=True, text=True, timeout=20, check=False)
    return Answer(done.stdout)


# --- a bare DNS client --------------------------------------------------------------------------

TYPES = {"A": 1, "NS": 2, "MX": 15, "AAAA": 28, "DS": 43, "DNSKEY": 48, "ANY": 255}


def wire_name(name):
    labels = [label for label in name.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"


def query(name, type_="A", ident=0x1234, flags=0x0100, edns=True, do=True, size=1232, counts=None):
    number = TYPES[type_] if type_ in TYPES else int(type_)
    header = struct.pack("!6H", ident, flags, *(counts or (1, 0, 0, int(edns))))
    question = wire_name(name) + struct.pack("!2H", number, 1)
    opt = b"\0" + struct.pack("!HHIH", 41, size, 0x8000 if do else 0, 0) if edns else b""
    return header + question + opt


def header(message):
    """(id, flags, rcode, counts)."""
    ident, flags, *counts = struct.unpack("!6H", message[:12])
    return ident, flags, flags & 15, counts


def ask_udp(port, message, timeout=5.0):
    """The answer's octets, None when there is none in time."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(timeout)
        s.sendto(message, ("127.0.0.1", port))
        try:
            return s.recv(65536)
        except socket.timeout:
            return None


class Tcp:
    """One connection; messages go out and come in as asked."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 5)
        self.socket.settimeout(8)

    def send(self, *messages):
        self.socket.sendall(b"".join(struct.pack("!H", len(m)) + m for m in messages))

    def read(self, count):
        octets = b""
        while len(octets) < count:
            more = self.socket.recv(count - len(octets))
            if not more:
                raise EOFError
            octets += more
        return octets

    def receive(self):
        return self.read(struct.unpack("!H", self.read(2))[0])

    def close(self):
        self.socket.close()
