# SPDX-License-Identifier: MIT
"""How each program that is measured starts: one worker, at 127.0.0.1:PORT, against the upstream.

A Peer's write(lab) puts its configuration into lab.dir/peers and returns the command."""
import json
import os
import shutil
import subprocess
from dataclasses import dataclass, replace
from typing import Callable

PORT = 5399
HOST = "upstream.lab"
PLAIN, DOT, DOH, DOH_NAMED, DOH_FAST, DOH_FRONT = 5301, 8531, 8441, 8442, 8443, 8444


@dataclass
class Peer:
    name: str
    program: str     # what must be installed
    package: str
    write: Callable
    validates: bool
    upstream: str    # the transport of its misses
    tcp: bool = True


def config(lab, name, text):
    directory = lab.dir / "peers" / name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    path = directory / "conf"
    path.write_text(text)
    return str(path), str(directory)


def before(lab):
    return [str(lab.before), *veridoh(lab)[1:]]


def veridoh(lab):
    text = json.dumps({
        "listen": [{"address": f"127.0.0.1:{PORT}"}],
        "upstreams": [{"name": "u", "url": f"https://{HOST}:{lab.doh_port}/dns-query",
                       "addresses": [lab.upstream], "ca": f"{lab.dir}/ca.pem",
                       "get": lab.transport.get("early-data", False)}],
        "transport": lab.transport,
        "validation": {"trust-anchors": f"{lab.dir}/root.ds"},
        "cache": {"size": f"{lab.cache_mib}MiB", "aggressive-nsec": lab.gaps},
        "process": {"workers": lab.workers},
        "log": {"level": "warning"}})
    path, _ = config(lab, "veridoh", text)
    return [str(lab.veridoh), "run", "--config", path]


def bare(lab):
    return [str(lab.build / "bench-bare"), str(PORT)]


def unbound_with(lab, name, modules):
    _, directory = config(lab, name, "")
    path, _ = config(lab, name, f"""
server:
  chroot: ""
  username: ""
  directory: "{directory}"
  pidfile: ""
  use-syslog: no
  num-threads: 1
  interface: 127.0.0.1@{PORT}
  module-config: "{modules}"
  trust-anchor-file: "{lab.dir}/root.ds"
  tls-cert-bundle: "{lab.dir}/ca.pem"
  do-not-query-localhost: no
  do-ip6: no
  msg-cache-size: 512m
  rrset-cache-size: 512m
  key-cache-size: 32m
  outgoing-range: 4096
  num-queries-per-thread: 4096
  outgoing-num-tcp: 64
  so-rcvbuf: 4m
  so-sndbuf: 4m
forward-zone:
  name: "."
  forward-addr: {lab.upstream}@{DOT}#{HOST}
  forward-tls-upstream: yes
remote-control:
  control-enable: no
""")
    return ["unbound", "-d", "-c", path]


def unbound(lab):
    return unbound_with(lab, "unbound", "validator iterator")


def unbound_unvalidated(lab):
    return unbound_with(lab, "unbound-unvalidated", "iterator")


def kresd(lab):
    path, directory = config(lab, "knot-resolver", "")
    text = f"""
net.listen('127.0.0.1', {PORT}, {{ kind = 'dns' }})
cache.open(1024 * MB, 'lmdb://{directory}')
trust_anchors.remove('.')
trust_anchors.add('{lab.anchor_key}')
modules.unload('priming')
policy.add(policy.all(policy.TLS_FORWARD({{{{'{lab.upstream}@{DOT}', hostname = '{HOST}', ca_file = '{lab.dir}/ca.pem'}}}})))
"""
    (lab.dir / "peers" / "knot-resolver" / "conf").write_text(text)
    return ["kresd", "-n", "-c", path, directory]


def pdns_recursor(lab):
    _, directory = config(lab, "pdns", "")
    (lab.dir / "peers/pdns/anchor.lua").write_text(
        f"clearTA('.')\naddTA('.', \"{' '.join(lab.anchor_ds)}\")\n")
    (lab.dir / "peers/pdns/recursor.conf").write_text(f"""
local-address=127.0.0.1
local-port={PORT}
threads=1
distributor-threads=0
pdns-distributes-queries=no
forward-zones-recurse=.={lab.upstream}:853
dot-to-port-853=yes
dont-query=
dnssec=validate
lua-config-file={directory}/anchor.lua
max-cache-entries=2000000
max-packetcache-entries=2000000
max-mthreads=4096
tcp-out-max-idle-per-auth=200
tcp-out-max-idle-per-thread=200
tcp-out-max-idle-ms=60000
socket-dir={directory}
daemon=no
write-pid=no
disable-syslog=yes
loglevel=2
security-poll-suffix=
allow-from=127.0.0.0/8
""")
    return ["pdns_recursor", "--config-dir=" + directory]


def dnsdist(lab):
    """Asks named: with unbound's DoH it stalls some 40 ms a batch."""
    path, _ = config(lab, "dnsdist", f"""
setLocal('127.0.0.1:{PORT}', {{maxInFlight=200}})
setSecurityPollSuffix('')
setMaxUDPOutstanding(65535)
setOutgoingDoHWorkerThreads(1)
newServer({{address='{lab.upstream}:{DOH_NAMED}', tls='openssl', subjectName='{HOST}', dohPath='/dns-query', caStore='{lab.dir}/ca.pem', validateCertificates=true, checkName='www.plain.com.'}})
getPool(''):setCache(newPacketCache(2000000, {{maxTTL=86400}}))
""")
    return ["dnsdist", "--supervised", "--disable-syslog", "-C", path]


def named(lab):
    tag, algorithm, kind, digest = lab.anchor_ds
    _, directory = config(lab, "named", "")
    path, _ = config(lab, "named", f"""
options {{ directory "{directory}"; pid-file none; session-keyfile none; lock-file none;
  listen-on port {PORT} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  forwarders {{ {lab.upstream} port {PLAIN}; }}; forward only; dnssec-validation yes;
  empty-zones-enable no; max-cache-size 1g; recursive-clients 20000; allow-query {{ any; }}; }};
trust-anchors {{ . static-ds {tag} {algorithm} {kind} "{digest}"; }};
logging {{ category default {{ null; }}; }};
controls {{ }};
""")
    return ["named", "-f", "-n", "1", "-c", path]


def dnsmasq(lab):
    return ["dnsmasq", "-k", "-C", "/dev/null", f"--port={PORT}", "--listen-address=127.0.0.1",
            "--bind-interfaces", "--no-resolv", "--no-hosts", "--user=root", "--pid-file=",
            f"--server={lab.upstream}#{PLAIN}", "--cache-size=200000", "--dns-forward-max=10000",
            "--log-facility=-"]


def smartdns(lab):
    path, directory = config(lab, "smartdns", "")
    (lab.dir / "peers/smartdns/conf").write_text(f"""
bind 127.0.0.1:{PORT}
bind-tcp 127.0.0.1:{PORT}
server-tls {lab.upstream}:{DOT} -host-name {HOST} -tls-host-verify {HOST}
ca-file {lab.dir}/ca.pem
cache-size 200000
speed-check-mode none
dualstack-ip-selection no
cache-persist no
prefetch-domain no
log-level error
log-file {directory}/log
log-console no
""")
    return ["smartdns", "-f", "-p", "-", "-c", path]


def https_dns_proxy(lab):
    """Its URL has the upstream's address: a name it would look up first, and for port 443 only."""
    return ["https_dns_proxy", "-a", "127.0.0.1", "-p", str(PORT), "-C", f"{lab.dir}/ca.pem",
            "-r", f"https://{lab.upstream}:{DOH}/dns-query"]


PEERS = {p.name: p for p in [
    Peer("bare", "", "", bare, False, "-", tcp=False),
    Peer("veridoh", "", "", veridoh, True, "DoH"),
    Peer("before", "", "", before, True, "DoH"),
    Peer("unbound", "unbound", "unbound", unbound, True, "DoT"),
    Peer("unbound-unvalidated", "unbound", "unbound", unbound_unvalidated, False, "DoT"),
    Peer("dnsdist", "dnsdist", "dnsdist", dnsdist, False, "DoH"),
    Peer("https_dns_proxy", "https_dns_proxy", "", https_dns_proxy, False, "DoH"),
    Peer("knot-resolver", "kresd", "knot-resolver", kresd, True, "DoT"),
    Peer("pdns-recursor", "pdns_recursor", "pdns-recursor", pdns_recursor, True, "DoT"),
    Peer("bind9", "named", "bind9", named, True, "UDP"),
    Peer("smartdns", "smartdns", "smartdns", smartdns, False, "DoT"),
    Peer("dnsmasq", "dnsmasq", "dnsmasq-base", dnsmasq, False, "UDP"),
]}
GENERATOR = Peer("generator", "", "", None, False, "-")
OPENSSL = Peer("openssl", "openssl", "openssl", None, False, "-")


def under_callgrind(peer, out):
    def write(lab):
        return ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "-q",
                *peer.write(lab)]
    return replace(peer, write=write)


def is_installed(peer):
    return not peer.program or shutil.which(peer.program, path=os.environ["PATH"] + ":/usr/sbin:/sbin")


def version(peer, lab):
    if peer.name == "veridoh":
        return subprocess.run([str(lab.veridoh), "version"], capture_output=True, text=True,
                              check=False).stdout.split("\n")[0].strip()
    if peer.name == "https_dns_proxy":
        return subprocess.run([peer.program, "-V"], capture_output=True, text=True,
                              check=False).stdout.split("\n")[0]
    if not peer.package:
        return "-"
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", peer.package],
                          capture_output=True, text=True, check=False)
    return done.stdout or "?"
