# SPDX-License-Identifier: MIT
"""The faults. Each is a function of a Scene: the client asks at a steady rate of a veridoh with two
upstreams, A (asked first) and B; the function makes A fail, waits, and perhaps heals it. What is
said about it is a row of FAULTS: whether every question has to be answered, and how soon veridoh
has to be past it."""
import ctypes
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import certificates
import hosts
import lib
import middle
from client import Client

CLONE_NEWNET = 0x40000000


class Scene:
    """Owns all that it starts."""

    def __init__(self, rate=200, seconds=1.5):
        self.rate, self.seconds = rate, seconds
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="veridoh-scene-"))
        self.processes, self.since, self.client, self.veridoh = [], None, None, None
        self.middle_loop = None

    @property
    def loop(self):
        """Begun when first needed: its thread keeps the network namespace it began in."""
        self.middle_loop = self.middle_loop or middle.Loop()
        return self.middle_loop

    # --- what stands where

    def own(self, process):
        self.processes.append(process)
        return process

    def fakes(self):
        self.a, self.b = self.own(hosts.Fake()), self.own(hosts.Fake())
        self.anchors = self.b.dir / "root.ds"

    def entry_b(self):
        return hosts.entry("b", self.b.port, self.b.dir / "ca.pem")

    def authority(self):
        if not hasattr(self, "ca"):
            self.ca = certificates.Authority(self.dir / "ca")
        return self.ca

    def behind_wire(self):
        self.fakes()
        self.wire = middle.Wire(self.loop, self.a.port)
        self.run([hosts.entry("a", self.wire.port, self.a.dir / "ca.pem"), self.entry_b()])

    def behind_frames(self, fault):
        self.fakes()
        server = certificates.server_context(*self.authority().make("frames"))
        self.frames = middle.Frames(self.loop, self.a.port, server,
                                    certificates.client_context(self.a.dir / "ca.pem"))
        self.run([hosts.entry("a", self.frames.port, self.ca.dir / "ca.pem"), self.entry_b()])
        self.frames.fault = fault
        self.begin()

    def behind_real(self, name):
        self.fakes()
        self.real = self.own(hosts.Real(name, hosts.REAL[name], self.a,
                                        self.authority().make("real")))
        self.run([hosts.entry("a", self.real.port, self.ca.dir / "ca.pem"), self.entry_b()])

    def run(self, entries, **more):
        self.veridoh = self.own(hosts.Veridoh(entries, self.anchors, **more))
        self.veridoh.answers()
        self.client = Client(self.veridoh.address, self.rate).start()
        time.sleep(0.4)
        if not self.a.stats().questions:
            raise AssertionError("A was not asked: what becomes of it would show nothing")

    # --- when

    def begin(self):
        self.since = time.monotonic()

    def wait(self, seconds=None):
        time.sleep(self.seconds if seconds is None else seconds)

    def report(self):
        self.client.stop()
        return self.client.report(self.since)

    def close(self):
        """Statuses of processes that ended otherwise than they should."""
        bad = []
        for process in reversed(self.processes):
            if process is self.veridoh:
                status = process.stop()
                if status != 0:
                    bad.append(f"veridoh ended with {status}:\n{process.last_log}")
            else:
                process.stop(signal.SIGKILL)
        shutil.rmtree(self.dir, ignore_errors=True)
        return bad


# --- processes and connections -------------------------------------------------------------------

def kill_and_restart(s):
    s.behind_wire()
    s.begin()
    s.a.kill()
    s.wire.reset()
    s.wait()
    s.a.restart()
    s.wait(0.5)


def half_open(s):
    """What is sent vanishes, and no FIN ever comes."""
    s.behind_wire()
    s.begin()
    s.wire.silent = True
    s.wait(2 * s.seconds)
    s.wire.silent = False
    s.wait(0.5)


def tcp_reset(s):
    s.behind_wire()
    s.begin()
    for _ in range(5):
        s.wire.reset()
        s.wait(s.seconds / 5)


def slow_start(s):
    """A connection is accepted at once and served a second later."""
    s.behind_wire()
    s.begin()
    s.wire.begin_s = 1.0
    s.wire.reset()
    s.wait(s.seconds + 0.5)


def refused(s):
    s.behind_wire()
    s.begin()
    s.wire.shut()
    s.wire.reset()
    s.wait()
    s.wire.open_again()
    s.wait(0.5)


def blackholed_address(s):
    """A's first address swallows SYNs; the second is fine."""
    s.fakes()
    hole = middle.Blackhole("127.0.0.9")
    wire = middle.Wire(s.loop, s.a.port, "127.0.0.1")
    s.loop.call(wire.listen("127.0.0.10", hole.port))
    s.run([hosts.entry("a", hole.port, s.a.dir / "ca.pem", "[127.0.0.9, 127.0.0.10]"), s.entry_b()])
    s.begin()
    wire.reset()
    s.wait()
    hole.close()


def all_down_and_back(s):
    s.behind_wire()
    s.begin()
    s.a.kill()
    s.b.kill()
    s.wire.reset()
    s.wait()
    s.a.restart()
    s.b.restart()
    s.back = time.monotonic()
    s.wait(3.0)


def hundred_restarts(s):
    """One of the two is killed and started again, a hundred times, under five times the rate."""
    s.rate *= 5
    s.behind_wire()
    s.begin()
    for n in range(100):
        one = (s.a, s.b)[n % 2]
        one.kill()
        s.wait(0.05)
        one.restart()
        s.wait(0.15)


# --- HTTP/2 --------------------------------------------------------------------------------------

def lie(text):
    def fault(s):
        s.behind_wire()
        s.begin()
        s.a.command(f"rule add {text}")
        s.wait()
    return fault


def one_stuck_stream(s):
    s.behind_wire()
    s.begin()
    s.a.command("rule add type=A action=drop count=1")
    s.wait(2 * s.seconds)


def one_stream_at_a_time(s):
    s.behind_wire()
    s.begin()
    s.a.command("rule add action=max-streams=1")
    s.a.command("rule add action=delay=2")
    s.wire.reset()
    s.wait()


def framed(make):
    def fault(s):
        s.behind_frames(make())
        s.wait()
    return fault


# --- TLS -----------------------------------------------------------------------------------------

def certificate(**made):
    """A's server comes back with another certificate."""
    def fault(s):
        s.behind_wire()
        context = certificates.server_context(*s.authority().make("bad", **made))
        imposter = middle.Handshake(s.loop, tls=context)
        ca, own = s.a.dir / "ca.pem", s.ca.dir / "ca.pem"
        both = ca.read_text() + own.read_text()
        s.begin()
        ca.write_text(both)
        s.wire.target = imposter.port
        s.wire.reset()
        s.wait()
    return fault


def tls_alert(s):
    s.behind_wire()
    alert = middle.Alert(s.loop)
    s.begin()
    s.wire.target = alert.port
    s.wire.reset()
    s.wait()


# --- Debian's servers ----------------------------------------------------------------------------

def real_restart(name):
    def fault(s):
        s.behind_real(name)
        s.begin()
        s.real.kill()
        s.wait(s.seconds / 2)
        s.real.restart()
        s.wait(1.0)
    return fault


def real_stop(name):
    """Ends as its manual says, and comes back."""
    def fault(s):
        s.behind_real(name)
        s.begin()
        s.real.child.send_signal(signal.SIGQUIT if name == "nginx" else signal.SIGTERM)
        s.real.child.wait(10)
        s.real.restart()
        s.wait()
    return fault


def real_hang(name):
    """Stopped by a signal: its kernel still acknowledges what nobody reads."""
    def fault(s):
        s.behind_real(name)
        s.begin()
        s.real.child.send_signal(signal.SIGSTOP)
        s.wait(2 * s.seconds)
        s.real.child.send_signal(signal.SIGCONT)
        s.wait(0.5)
    return fault


def goaway_every_40(s):
    """nginx: keepalive_requests 40."""
    s.behind_real("nginx")
    s.begin()
    s.wait(2 * s.seconds)


# --- namespaces ----------------------------------------------------------------------------------

def ip(text, inside=()):
    subprocess.run([*inside, "ip", *text.split()], check=True, capture_output=True)


class Machines:
    """This process in a network of its own, and another beside it, `inside` which veridoh runs:
    10.77.1.0/24 for the client, 10.77.2.0/24 and fd77:2::/64 for the upstreams."""

    def __init__(self, s):
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
            raise PermissionError("network namespaces are not permitted here")
        ip("link set lo up")
        self.other = s.own(lib.Process(["unshare", "-n", "sleep", "600"]))
        pid = self.other.child.pid
        mine = os.readlink("/proc/self/ns/net")
        lib.wait_for(lambda: os.readlink(f"/proc/{pid}/ns/net") != mine, "the other namespace")
        self.inside = ["nsenter", f"--net=/proc/{pid}/ns/net"]
        ip("link set lo up", self.inside)
        for net in (1, 2):
            ip(f"link add n{net} type veth peer name m{net} netns {pid}")
            ip(f"addr add 10.77.{net}.1/24 dev n{net}")
            ip(f"-6 addr add fd77:{net}::1/64 dev n{net} nodad")
            ip(f"link set n{net} up")
            ip(f"addr add 10.77.{net}.2/24 dev m{net}", self.inside)
            ip(f"-6 addr add fd77:{net}::2/64 dev m{net} nodad", self.inside)
            ip(f"link set m{net} up", self.inside)

    @staticmethod
    def drop(address, device="n2"):
        """What goes back to veridoh from here on vanishes: nobody has that Ethernet address."""
        ip(f"neigh replace {address} lladdr 02:00:00:00:00:99 dev {device} nud permanent")

    @staticmethod
    def heal(address, device="n2"):
        ip(f"neigh del {address} dev {device}")


def in_machines(s, a_addresses="[10.77.2.1]"):
    m = Machines(s)
    s.fakes()
    s.wire = middle.Wire(s.loop, s.a.port, "10.77.2.1")
    s.wire_b = middle.Wire(s.loop, s.b.port, "10.77.1.1")
    s.entries = [hosts.entry("a", s.wire.port, s.a.dir / "ca.pem", a_addresses),
                 hosts.entry("b", s.wire_b.port, s.b.dir / "ca.pem", "[10.77.1.1]")]
    s.at = {"address": "10.77.1.2", "inside": m.inside}
    return m


def dropped(s):
    """Packets to and from A vanish in the network."""
    m = in_machines(s)
    s.run(s.entries, **s.at)
    s.begin()
    m.drop("10.77.2.2")
    s.wait(2 * s.seconds)
    m.heal("10.77.2.2")
    s.wait(0.5)


def broken_ipv6(s):
    """A's IPv6 address is routed and never answers: from the first question on, IPv4 is used."""
    m = in_machines(s, '["fd77:2::1", 10.77.2.1]')
    s.loop.call(s.wire.listen("fd77:2::1", s.wire.port))
    m.drop("fd77:2::2")
    s.veridoh = s.own(hosts.Veridoh(s.entries, s.anchors, **s.at))
    s.client = Client(s.veridoh.address, s.rate)
    lib.wait_for(lambda: "listening" in s.veridoh.log(), "veridoh to listen")
    s.begin()
    s.client.start()
    s.wait()


def address_changes(s):
    """The machine moves: its address towards A goes, another comes. Both upstreams are there."""
    m = in_machines(s)
    s.loop.call(s.wire_b.listen("10.77.2.1", s.wire_b.port))
    s.entries[1] = s.entries[1].replace("[10.77.1.1]", "[10.77.2.1]")
    s.run(s.entries, **s.at)
    s.begin()
    ip("addr del 10.77.2.2/24 dev m2", m.inside)
    ip("addr add 10.77.2.7/24 dev m2", m.inside)
    s.wait(2 * s.seconds)


# --- bootstrap -----------------------------------------------------------------------------------

def bootstrap(servers):
    """A has no address but what plain servers say, of which `servers` is the list."""
    def fault(s):
        s.fakes()
        told = servers(s)
        more = f"\n    bootstrap: [{', '.join(told)}]"
        named = hosts.entry("a", s.a.port, s.a.dir / "ca.pem", "[]", "bootstrap.any.faults.test", more)
        s.veridoh = s.own(hosts.Veridoh([named, s.entry_b()], s.anchors))
        s.client = Client(s.veridoh.address, s.rate)
        lib.wait_for(lambda: "listening" in s.veridoh.log(), "veridoh to listen")
        s.begin()
        s.client.start()
        s.wait()
    return fault


def silent_server(s):
    import socket
    hole = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    hole.bind(("127.0.0.1", 0))
    s.hole = hole
    return f'"127.0.0.1:{hole.getsockname()[1]}"'


def lying_server(s):
    """Says 192.0.2.1, where nobody is (TEST-NET-1)."""
    return f'"127.0.0.1:{s.b.plain_port}"'


# name, what runs, the most seconds until everything is well again, whether all must be answered
FAULTS = [
    ("kill and restart", kill_and_restart, 1.0, True),
    ("half-open", half_open, 3.0, True),
    ("RST, again and again", tcp_reset, 2.0, True),
    ("slow start", slow_start, 2.0, True),
    ("refused", refused, 1.0, True),
    ("blackholed address", blackholed_address, 2.0, True),
    ("all down and back", all_down_and_back, 4.5, False),
    ("slow body", lie("action=slow-body=60"), None, True),
    ("one stuck stream", one_stuck_stream, 3.0, True),
    ("GOAWAY after each answer", lie("action=goaway"), None, True),
    ("GOAWAY, last stream 0", lie("action=goaway=0"), None, True),
    ("GOAWAY in mid-flight", framed(middle.EarlyGoaway), 1.0, True),
    ("GOAWAY every 40 (nginx)", goaway_every_40, None, True),
    ("RST_STREAM", lie("action=rst-stream"), None, True),
    ("stream limit 1", one_stream_at_a_time, 3.0, True),
    ("SETTINGS storm", framed(middle.SettingsStorm), None, True),
    ("tiny windows", framed(middle.TinyWindows), 1.0, True),
    ("oversize headers", framed(middle.OversizeHeaders), None, True),
    ("unknown frames", framed(middle.UnknownFrames), 0.5, True),
    ("forbidden frames", framed(middle.ForbiddenFrames), None, True),
    ("garbage", lie("action=garbage"), None, True),
    ("oversize body", lie("action=oversize"), None, True),
    ("503", lie("action=status=503 retry-after=1"), 2.0, True),
    ("404", lie("action=status=404"), 2.0, True),
    ("TLS alert", tls_alert, 2.0, True),
    ("expired certificate", certificate(end="20210101000000Z"), 2.0, True),
    ("certificate not yet valid", certificate(begin="20480101000000Z"), 2.0, True),
    ("certificate of another host", certificate(host="elsewhere.test"), 2.0, True),
    ("self-signed certificate", certificate(self_signed=True), 2.0, True),
    ("packets dropped", dropped, 3.0, True),
    ("broken IPv6", broken_ipv6, 1.5, True),
    ("address changes", address_changes, 3.0, True),
    ("bootstrap server dead", bootstrap(lambda s: [silent_server(s), f'"127.0.0.1:{s.a.plain_port}"']), 2.0, True),
    ("bootstrap server lies", bootstrap(lambda s: [lying_server(s)]), 2.0, True),
    ("100 restarts", hundred_restarts, None, True),
    *((f"{name}: killed", real_restart(name), 2.0, True) for name in hosts.REAL),
    *((f"{name}: stopped and started", real_stop(name), 2.0, True) for name in hosts.REAL),
    *((f"{name}: hangs", real_hang(name), 3.0, True) for name in hosts.REAL),
]
LONG_ONLY = ("100 restarts", "stopped and started", "hangs")
