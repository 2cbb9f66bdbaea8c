# SPDX-License-Identifier: MIT
"""The faults. Each is a function of a Scene: the client asks at a steady rate of a veridoh with two
upstreams, A (asked first) and B; the function makes A fail, waits, and perhaps heals it. What is
said about it is a row: whether every question has to be answered, and how soon veridoh has to be
past it. A is fake-upstream, or one of Debian's servers in front of it."""
import ctypes
import os
import pathlib
import re
import shutil
import signal
import socket
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

    server = None  # of hosts.REAL; None: fake-upstream itself
    extra = hosts.QUICK  # of veridoh's configuration

    def __init__(self, rate=200, seconds=1.5):
        self.rate, self.seconds = rate, seconds
        self.checks = []  # when all is over: (condition, what it means that it does not hold)
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

    def front(self, **made):
        """A's server, fake-upstream or another before it: its port, and a file of the authority
        that is trusted."""
        if not self.server:
            self.machine = self.a
            return self.a.port, self.a.dir / "ca.pem"
        self.machine = self.own(hosts.Real(self.server, hosts.REAL[self.server], self.a,
                                           self.authority().make("real"), **made))
        return self.machine.port, self.ca.dir / "ca.pem"

    def behind_wire(self, more="", also=None, **made):
        self.fakes()
        port, trusted = self.front(**made)
        if also and not also.samefile(trusted):
            trusted.write_text(trusted.read_text() + also.read_text())
        self.wire = middle.Wire(self.loop, port)
        self.run([hosts.entry("a", self.wire.port, trusted, more=more), self.entry_b()],
                 extra=self.extra)

    def behind_frames(self, fault):
        self.fakes()
        port, trusted = self.front()
        server = certificates.server_context(*self.authority().make("frames"))
        self.frames = middle.Frames(self.loop, port, server, certificates.client_context(trusted))
        self.run([hosts.entry("a", self.frames.port, self.ca.dir / "ca.pem"), self.entry_b()])
        self.frames.fault = fault
        self.begin()

    def behind_nothing(self, **made):
        self.fakes()
        port, trusted = self.front(**made)
        self.run([hosts.entry("a", port, trusted), self.entry_b()])

    def run(self, entries, **more):
        self.veridoh = self.own(hosts.Veridoh(entries, self.anchors, **more))
        self.veridoh.answers()
        self.client = Client(self.veridoh.address, self.rate).start()
        time.sleep(0.4)
        lib.wait_for(lambda: self.a.stats().questions, "A to be asked: else nothing would be shown")

    # --- when

    def begin(self):
        self.since = time.monotonic()

    def wait(self, seconds=None):
        time.sleep(self.seconds if seconds is None else seconds)

    def report(self):
        self.client.stop()
        return self.client.report(self.since)

    def unmet(self):
        return [words for holds, words in self.checks if not holds()]

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
    s.machine.kill()
    s.wire.reset()
    s.wait()
    s.machine.restart()
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
    port, trusted = s.front()
    hole = middle.Blackhole("127.0.0.9")
    wire = middle.Wire(s.loop, port, "127.0.0.1")
    s.loop.call(wire.listen("127.0.0.10", hole.port))
    s.run([hosts.entry("a", hole.port, trusted, "[127.0.0.9, 127.0.0.10]"), s.entry_b()])
    s.begin()
    wire.reset()
    s.wait()
    hole.close()


def all_down_and_back(s):
    s.behind_wire()
    s.begin()
    s.machine.kill()
    s.b.kill()
    s.wire.reset()
    s.wait()
    s.machine.restart()
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
        if s.frames.fault.greets:
            s.frames.reset()
        s.wait(s.seconds / 2)
        before = s.a.stats().questions
        s.wait()
        asked = s.a.stats().questions - before
        s.checks.append((lambda: not s.frames.fault.lawful or asked > s.rate * s.seconds / 2,
                         f"A was asked {asked} times only"))
    return fault


# --- TLS -----------------------------------------------------------------------------------------

def client_questions(fake):
    """Without those that a server of Debian's asks by itself."""
    return [row for row in fake.stats().seen if row["name"].startswith("q")]


def certificate(said, **made):
    """Where A was, there is another that would answer, with that certificate, of an authority that
    is trusted as far as it has one."""
    def fault(s):
        s.behind_wire(also=s.authority().dir / "ca.pem")
        bad = s.authority().make("bad", **made)
        behind = s.own(hosts.Fake())
        if s.server:
            imposter = s.own(hosts.Real(s.server, hosts.REAL[s.server], behind, bad))
        else:
            imposter = middle.Frames(s.loop, behind.port, certificates.server_context(*bad),
                                     certificates.client_context(behind.dir / "ca.pem"))
        s.checks.append((lambda: not client_questions(behind), "it was asked all the same"))
        s.checks.append((lambda: said in s.veridoh.log(), f"the log does not say: {said}"))
        s.begin()
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

def killed(s):
    s.behind_nothing()
    s.begin()
    s.machine.kill()
    s.wait(s.seconds / 2)
    s.machine.restart()
    s.wait(1.0)


def stopped(s):
    """Ends as its manual says, and comes back."""
    s.behind_nothing()
    s.begin()
    s.machine.child.send_signal(signal.SIGQUIT if s.server == "nginx" else signal.SIGTERM)
    s.machine.child.wait(10)
    s.machine.restart()
    s.wait()


def hangs(s):
    """Stopped by a signal: its kernel still acknowledges what nobody reads."""
    s.behind_nothing()
    s.begin()
    s.machine.child.send_signal(signal.SIGSTOP)
    s.wait(2 * s.seconds)
    s.machine.child.send_signal(signal.SIGCONT)
    s.wait(0.5)


def goaway_every_40(s):
    """nginx: keepalive_requests 40."""
    s.behind_nothing()
    s.begin()
    s.wait(2 * s.seconds)


def limited_streams(s):
    """Its configuration allows one stream at a time."""
    s.behind_nothing(streams=1)
    s.begin()
    s.wait(2 * s.seconds)


def client_certificate_wanted(s):
    """Where A's server was, another wants a certificate that veridoh has not: an alert, in TLS 1.3
    after the handshake."""
    s.behind_wire()
    other = s.own(hosts.Real(s.server, hosts.REAL[s.server], s.a, s.authority().make("other"),
                             clients=s.ca.dir / "ca.pem"))
    s.begin()
    s.wire.target = other.port
    s.wire.reset()
    s.wait()


def early_data(fault):
    """With transport.early-data, GETs and a server that takes them; at the end some went early."""
    def early(s):
        s.extra = hosts.QUICK + "  early-data: true\n"
        s.checks.append((lambda: early_connections(s) > 0, "nothing went early"))
        fault(s)
    return early


def early_connections(s):
    text = lib.dig(s.veridoh.address[1], "health.veridoh.", "TXT", "-c", "CH").text
    return int(re.search(r"connections=a .* early=(\d+)", text).group(1))


def reset_while_early(s):
    s.behind_wire("\n    get: true", early=True)
    s.begin()
    for _ in range(10):
        s.wire.reset()
        s.wait(s.seconds / 5)


def other_keys_while_early(s):
    """It resumes, then comes back as another process, which rejects what was sent early."""
    reset_while_early(s)
    s.machine.kill()
    s.machine.restart()
    s.wait()


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
    port, trusted = s.front()
    s.wire = middle.Wire(s.loop, port, "10.77.2.1")
    s.wire_b = middle.Wire(s.loop, s.b.port, "10.77.1.1")
    s.entries = [hosts.entry("a", s.wire.port, trusted, a_addresses),
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

NAMED = "bootstrap.any.faults.test"


def bootstrap(servers, found):
    """A has no address but what plain servers say, of which `servers` is the list."""
    def fault(s):
        s.a, s.b = s.own(hosts.Fake("--name", NAMED)), s.own(hosts.Fake("--name", "upstream.test"))
        s.anchors = s.b.dir / "root.ds"
        told = servers(s)
        more = f"\n    bootstrap: [{', '.join(told)}]"
        named = hosts.entry("a", s.a.port, s.a.dir / "ca.pem", "[]", NAMED, more)
        s.veridoh = s.own(hosts.Veridoh([named, s.entry_b()], s.anchors))
        s.client = Client(s.veridoh.address, s.rate)
        lib.wait_for(lambda: "listening" in s.veridoh.log(), "veridoh to listen")
        s.begin()
        s.client.start()
        s.wait(2 * s.seconds)
        asked = s.a.stats()
        by_doh = any(row["via"] != "udp" for row in asked.seen)
        s.checks.append((lambda: by_doh == found, f"A was {'' if by_doh else 'not '}found"))
    return fault


def silent_server(s):
    hole = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    hole.bind(("127.0.0.1", 0))
    s.hole = hole
    return f'"127.0.0.1:{hole.getsockname()[1]}"'


def true_server(s):
    s.a.command(f"rule add name={NAMED} type=A action=unsigned-lie rdata=127.0.0.1")
    return f'"127.0.0.1:{s.a.plain_port}"'


def lying_server(s):
    """Says 192.0.2.1, where nobody is (TEST-NET-1)."""
    return f'"127.0.0.1:{s.b.plain_port}"'


def lying_to_another(s):
    """Says where somebody else's server is, with a certificate for another name."""
    s.b.command(f"rule add name={NAMED} type=A action=unsigned-lie rdata=127.0.0.1")
    s.wire = middle.Wire(s.loop, s.b.port)
    s.a.port = s.wire.port  # as the URL has it
    s.checks.append((lambda: "is not for" in s.veridoh.log(), "the log does not say whom it met"))
    return f'"127.0.0.1:{s.b.plain_port}"'


# --- the rows ------------------------------------------------------------------------------------

# name, what runs, the most seconds until everything is well again, whether all must be answered
ANY = [  # whatever server A is
    ("kill and restart", kill_and_restart, 1.0, True),
    ("half-open", half_open, 3.0, True),
    ("RST, again and again", tcp_reset, 2.0, True),
    ("slow start", slow_start, 2.0, True),
    ("refused", refused, 1.0, True),
    ("blackholed address", blackholed_address, 2.0, True),
    ("all down and back", all_down_and_back, 4.5, False),
    ("GOAWAY in mid-flight", framed(middle.EarlyGoaway), 1.0, True),
    ("GOAWAY, last stream 0", framed(middle.ZeroGoaway), None, True),
    ("stuck stream among others", framed(middle.StuckStream), 3.0, True),
    ("one stream at a time", framed(middle.OneStream), 3.0, True),
    ("SETTINGS storm", framed(middle.SettingsStorm), None, True),
    ("tiny windows", framed(middle.TinyWindows), 1.0, True),
    ("oversize headers", framed(middle.OversizeHeaders), None, True),
    ("unknown frames", framed(middle.UnknownFrames), 0.5, True),
    ("forbidden frames", framed(middle.ForbiddenFrames), None, True),
    ("TLS alert", tls_alert, 2.0, True),
    ("expired certificate", certificate("has expired", end="20210101000000Z"), 2.0, True),
    ("certificate not yet valid", certificate("is not valid before", begin="20480101000000Z"), 2.0, True),
    ("certificate of another host", certificate("is not for upstream.test", host="elsewhere.test"), 2.0, True),
    ("self-signed certificate", certificate("is signed by itself", self_signed=True), 2.0, True),
    ("packets dropped", dropped, 3.0, True),
    ("broken IPv6", broken_ipv6, 1.5, True),
    ("address changes", address_changes, 3.0, True),
]
LIES = [  # that only fake-upstream tells
    ("slow body", lie("action=slow-body=60"), None, True),
    ("GOAWAY after each answer", lie("action=goaway"), None, True),
    ("RST_STREAM", lie("action=rst-stream"), None, True),
    ("one stream at a time, slowly", one_stream_at_a_time, 3.0, True),
    ("garbage", lie("action=garbage"), None, True),
    ("oversize body", lie("action=oversize"), None, True),
    ("503", lie("action=status=503 retry-after=1"), 2.0, True),
    ("404", lie("action=status=404"), 2.0, True),
    ("bootstrap server dead", bootstrap(lambda s: [silent_server(s), true_server(s)], True), None, True),
    ("bootstrap server lies", bootstrap(lambda s: [lying_server(s)], False), None, True),
    ("bootstrap server lies, well", bootstrap(lambda s: [lying_to_another(s)], False), None, True),
    ("100 restarts", hundred_restarts, None, True),
]
PASSED_ON = ("slow body", "oversize body", "503", "404")  # by a proxy that speaks HTTP to both sides
REAL = [  # what a server's own processes do
    ("killed", killed, 2.0, True),
    ("stopped and started", stopped, 2.0, True),
    ("hangs", hangs, 3.0, True),
]
SOME = {  # what only some can be told
    "own limit of one stream": (limited_streams, None, True, ("unbound", "named", "nghttpx", "nginx")),
    "GOAWAY every 40": (goaway_every_40, None, True, ("nginx",)),
    "wants a client certificate": (client_certificate_wanted, 2.0, True, ("named", "nghttpx", "nginx")),
    "RST with early data": (early_data(reset_while_early), 2.0, True, ("nghttpx", "nginx")),
    "other keys with early data": (early_data(other_keys_while_early), None, True, ("nghttpx", "nginx")),
}


def at(server, fault):
    def run(s):
        s.server = server
        fault(s)
    return run


def rows_of(server):
    some = [(name, fault, limit, whole) for name, (fault, limit, whole, servers) in SOME.items()
            if server in servers]
    if server in ("nghttpx", "nginx"):
        some += [row for row in LIES if row[0] in PASSED_ON]
    # Their own work and waiting is part of it. The first of ANY is "killed".
    return [(f"{server}: {name}", at(server, fault), limit and limit + 1.5, whole)
            for name, fault, limit, whole in REAL + some + ANY[1:]]


FAULTS = ANY + LIES + [row for server in hosts.REAL for row in rows_of(server)]
QUICK = ("killed", "GOAWAY every 40", "with early data")  # of those with a server's name


def is_long(name):
    server, _, fault = name.partition(": ")
    return name == "100 restarts" or (fault and not fault.endswith(QUICK))


def table():
    """Fault by server: which has a row."""
    servers = ["fake-upstream", *hosts.REAL]
    names = {row[0] for row in FAULTS}
    faults = dict.fromkeys(name.partition(": ")[2] or name for name in names)
    yield f"{'':<28}" + "".join(f"{server:>14}" for server in servers)
    for fault in sorted(faults, key=str.lower):
        has = [fault in names, *(f"{server}: {fault}" in names for server in hosts.REAL)]
        yield f"{fault:<28}" + "".join(f"{'x' if one else '-':>14}" for one in has)
