# SPDX-License-Identifier: MIT
"""Real servers that roll keys: knot signs and hands its DS records to its own root zone, a relay
stands before it and can repeat what knot said earlier, and unbound, which does not validate, is the
DoH resolver that veridoh asks."""
import pathlib
import socket
import struct
import subprocess
import tempfile
import threading

from lib import Process, ask_udp, free_port, header, query, wait_for
from opinions import TYPES, read_name

TTL_S = 1  # of every record; what follows is added to it (RFC 6781 3.3.3, RFC 7583)
PROPAGATION_S = 2
DS, DNSKEY, RRSIG = TYPES["DS"], TYPES["DNSKEY"], TYPES["RRSIG"]

KNOT = """
server:
  rundir: {dir}
  listen: 127.0.0.1@{port}
  udp-max-payload: 4096
  background-workers: 10  # each pushed DS keeps one waiting for another that takes it in
database:
  storage: {dir}
log:
  - target: stderr
    any: info
remote:
  - id: parent
    address: 127.0.0.1@{port}
acl:
  - id: children
    address: 127.0.0.1
    action: update
submission:
  - id: parent
    parent: parent
    check-interval: 1
    parent-delay: {delay}
policy:
"""
POLICY = """  - id: "{id}"
    dnskey-ttl: {ttl}
    zone-max-ttl: {ttl}
    propagation-delay: {delay}
    zsk-lifetime: 0
"""
ZONE = """  - domain: "{name}"
    file: {dir}/{file}
    zonefile-sync: -1
    zonefile-load: {load}
    journal-content: {journal}
"""
SIGNED = """    dnssec-signing: on
    dnssec-policy: "{name}"
"""
AUTOMATIC = "    ksk-submission: parent\n    ds-push: parent\n"
RECORDS = """$TTL {ttl}
@ SOA ns.invalid. admin.invalid. {serial} 60 60 86400 {ttl}
@ NS ns.invalid.
* A 192.0.2.1
www A 192.0.2.2
stale A 192.0.2.3
"""

UNBOUND = """
server:
  chroot: ""
  username: ""
  directory: "{dir}"
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  num-threads: 1
  do-not-query-localhost: no
  module-config: "iterator"
  interface: 127.0.0.1@{port}
  https-port: {port}
  edns-buffer-size: 4096
  tls-service-key: "{dir}/server.key"
  tls-service-pem: "{dir}/server.pem"
remote-control:
  control-enable: no
"""
STUB = """stub-zone:
  name: "{name}"
  stub-addr: 127.0.0.1@{relay}
"""


def run(*command, text=""):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          input=text, timeout=20, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{command}: {done.stdout}{done.stderr}")
    return done.stdout


# --- what is in a message -----------------------------------------------------------------------

def records(message):
    """(type, RDATA) of every record but OPT."""
    counts = header(message)[3]
    at = 12
    for _ in range(counts[0]):
        at = read_name(message, at)[1] + 4
    for _ in range(sum(counts[1:])):
        _, at = read_name(message, at)
        type_, _, _, length = struct.unpack("!HHIH", message[at:at + 10])
        yield type_, message[at + 10:at + 10 + length]
        at += 10 + length


def key_tag(rdata):
    """RFC 4034 appendix B."""
    total = sum(octet << 8 if i % 2 == 0 else octet for i, octet in enumerate(rdata))
    return (total + (total >> 16)) & 0xffff


def key_tags(message):
    return {key_tag(rdata) for type_, rdata in records(message) if type_ == DNSKEY}


def ds_tags(message):
    return {struct.unpack("!H", rdata[:2])[0] for type_, rdata in records(message) if type_ == DS}


def signer_tags(message, covered):
    """The tags of the keys that signed the set of this type."""
    return {struct.unpack("!H", rdata[16:18])[0] for type_, rdata in records(message)
            if type_ == RRSIG and rdata[:2] == struct.pack("!H", TYPES[covered])}


# --- the servers --------------------------------------------------------------------------------

class Knot(Process):
    """`policies`: zone name -> lines of its policy, or None for a zone that is not signed."""

    def __init__(self, policies):
        self.port, self.serial = free_port(), 1
        self.policies = {".": "", **policies}
        directory = pathlib.Path(tempfile.mkdtemp(prefix="veridoh-knot-"))
        self.config, self.control = directory / "knot.conf", directory / "knot.sock"
        for name in self.policies:
            self.write_zone(directory, name)
        self.write_config(directory)
        for name in [n for n, policy in policies.items() if "manual: on" in policy]:
            self.keymgr(name, "generate", "ksk=yes")
            self.keymgr(name, "generate", "ksk=no")
        super().__init__(["knotd", "-c", self.config], directory)
        try:
            wait_for(lambda: all(self.seen(n, "SOA") for n in self.policies), "knot to answer")
        except AssertionError as error:
            self.stop()
            raise AssertionError(f"{error}\n{self.last_log}") from None

    @staticmethod
    def file(name):
        return name.rstrip(".") + "zone"

    def write_zone(self, directory, name):
        text = RECORDS.format(ttl=TTL_S, serial=self.serial)
        if name == ".":
            text += "".join(f"{child} NS ns.invalid.\n" for child in self.policies if child != ".")
        (directory / self.file(name)).write_text(text)

    def write_config(self, directory):
        numbers = {"ttl": TTL_S, "delay": PROPAGATION_S, "dir": directory, "port": self.port}
        text = KNOT.format(**numbers)
        for name, policy in self.policies.items():
            if policy is not None:
                text += POLICY.format(id=name, **numbers) + policy
        text += "zone:\n"
        for name, policy in self.policies.items():
            updated = name == "."  # by its children
            text += ZONE.format(name=name, file=self.file(name),
                                load="difference-no-serial" if updated else "whole",
                                journal="all" if updated else "none", **numbers)
            text += "" if policy is None else SIGNED.format(name=name)
            text += "    acl: children\n" if name == "." else ""
        self.config.write_text(text)

    def change(self, name, policy):
        """Another policy for a zone; its file is read again."""
        self.policies[name] = policy
        self.serial += 1000
        self.write_zone(self.dir, name)
        self.write_config(self.dir)
        self.command("reload")
        self.command("zone-reload", name)

    def command(self, *words):
        return run("knotc", "-c", self.config, "-b", *words)

    def keymgr(self, zone, *words):
        return run("keymgr", "-c", self.config, zone, *words)

    def seen(self, name, type_):
        """What knot says now; None when it does not."""
        message = ask_udp(self.port, query(name, TYPES[type_], size=4096), 1)
        return message if message and header(message)[2] == 0 else None

    def keys(self, zone):
        return key_tags(self.seen(zone, "DNSKEY"))

    def ds(self, zone):
        return ds_tags(self.seen(zone, "DS"))

    def has_confirmed(self, zone):
        """Has it seen its first DS in the root?"""
        return f"[{zone}] DNSSEC, KSK submission, confirmed" in self.log()

    def set_ds(self, zone, *lines):
        """The root's DS set becomes this one; lines as keymgr prints them."""
        adds = "".join(f"update add {zone} {TTL_S} {line.split(None, 1)[1]}\n" for line in lines)
        run("nsupdate", text=f"server 127.0.0.1 {self.port}\nzone .\n"
                             f"update delete {zone} DS\n{adds}send\n")


class Relay:
    """Carries questions to knot and answers back; what `repeat` holds is answered from there."""

    def __init__(self, port_behind):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.1)
        self.port, self.port_behind = self.socket.getsockname()[1], port_behind
        self.repeat = {}  # (name, type) -> message
        self.ended = False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.ended:
            try:
                message, client = self.socket.recvfrom(4096)
            except socket.timeout:
                continue
            answer = self.answer(message)
            if answer:
                self.socket.sendto(message[:2] + answer[2:], client)

    def answer(self, message):
        name, at = read_name(message, 12)
        type_ = struct.unpack("!H", message[at:at + 2])[0]
        return self.repeat.get((name, type_)) or ask_udp(self.port_behind, message, 1)

    def stop(self):
        self.ended = True
        self.thread.join()
        self.socket.close()


class Resolver(Process):
    """unbound as a DoH resolver; it has what lib.upstream_config() wants of an upstream."""

    def __init__(self, zones, relay):
        self.port = free_port()
        directory = pathlib.Path(tempfile.mkdtemp(prefix="veridoh-doh-"))
        certificates(directory)
        text = UNBOUND.format(dir=directory, port=self.port)
        text += "".join(STUB.format(name=name, relay=relay.port) for name in zones)
        (directory / "unbound.conf").write_text(text)
        super().__init__(["unbound", "-d", "-c", directory / "unbound.conf"], directory)


def certificates(directory):
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    at = {name: directory / name for name in ("ca.key", "ca.pem", "server.key", "server.csr",
                                              "server.pem", "ext")}
    run("openssl", "req", "-x509", *key, "-keyout", at["ca.key"], "-out", at["ca.pem"], "-days",
        "30", "-subj", "/CN=test CA", "-addext", "keyUsage=critical,keyCertSign")
    run("openssl", "req", *key, "-keyout", at["server.key"], "-out", at["server.csr"], "-subj",
        "/CN=upstream.test")
    at["ext"].write_text("subjectAltName=DNS:upstream.test\nbasicConstraints=CA:FALSE\n")
    run("openssl", "x509", "-req", "-in", at["server.csr"], "-CA", at["ca.pem"], "-CAkey",
        at["ca.key"], "-CAcreateserial", "-days", "30", "-out", at["server.pem"], "-extfile",
        at["ext"])
