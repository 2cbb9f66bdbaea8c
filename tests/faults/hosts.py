# SPDX-License-Identifier: MIT
"""The processes of a fault: veridoh between a client and its upstreams, which are fake-upstream or
one of Debian's DoH servers in front of it."""
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import lib  # noqa: E402

WORLD = pathlib.Path(__file__).resolve().parent / "world.txt"
QUICK = "transport:\n  answer-timeout: 3s\n  connect-timeout: 2s\n"


class Fake(lib.Upstream):
    """May be killed and started again at the same ports."""

    def __init__(self, *options):
        super().__init__(WORLD, *options)
        self.options = options

    def kill(self):
        self.child.kill()
        self.child.wait()

    def restart(self):
        (self.dir / "ready").unlink()
        arguments = [lib.program("fake-upstream"), "--world", WORLD, "--dir", self.dir, "--port",
                     self.port, "--plain-port", self.plain_port, "--control-port",
                     self.facts["control_port"], *self.options]
        with open(self.log_path, "ab") as log:
            self.child = subprocess.Popen([str(a) for a in arguments], stderr=log,
                                          stdout=subprocess.DEVNULL, cwd=self.dir)
        lib.wait_for((self.dir / "ready").exists, "fake-upstream to be back")
        self.lines.close()
        self.socket.close()
        self.socket = socket.create_connection(("127.0.0.1", int(self.facts["control_port"])))
        self.socket.settimeout(lib.DEADLINE_S)
        self.lines = self.socket.makefile("r")


class Real(lib.Process):
    """A DoH server of Debian's at 127.0.0.1:`port`, with the authority's certificate."""

    def __init__(self, name, configure, fake, certificate, streams=None, clients=None, early=False):
        self.name, self.port = name, lib.free_port()
        self.where = pathlib.Path(tempfile.mkdtemp(prefix=f"veridoh-{name}-"))
        facts = {"dir": self.where, "port": self.port, "cert": certificate[0], "key": certificate[1],
                 "plain": fake.plain_port, "doh": fake.port, "streams": streams, "clients": clients,
                 "early": early}
        self.arguments = configure(facts)
        super().__init__(self.arguments, self.where)
        self.wait()

    def wait(self):
        def listens():
            self.must_live()
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                return False
            return True
        lib.wait_for(listens, f"{self.name} to listen")

    def kill(self):
        self.child.kill()
        self.child.wait()

    def restart(self):
        with open(self.log_path, "ab") as log:
            self.child = subprocess.Popen([str(a) for a in self.arguments], stderr=log,
                                          stdout=subprocess.DEVNULL, cwd=self.dir)
        self.wait()


def when(value, line):
    return line.format(value) if value is not None else ""


def unbound(f):
    (f["dir"] / "unbound.conf").write_text("""
server:
  do-daemonize: no
  username: ""
  chroot: ""
  pidfile: ""
  use-syslog: no
  directory: "{dir}"
  interface: 127.0.0.1@{port}
  https-port: {port}
  {limit}
  tls-service-key: "{key}"
  tls-service-pem: "{cert}"
  do-not-query-localhost: no
  module-config: "iterator"
  local-zone: "test." nodefault
remote-control:
  control-enable: no
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@{plain}
""".format(limit=when(f["streams"], "http-max-streams: {}"), **f))
    return ["unbound", "-d", "-c", f["dir"] / "unbound.conf"]


def named(f):
    (f["dir"] / "named.conf").write_text("""
tls t {{ key-file "{key}"; cert-file "{cert}"; {wanted} }};
http h {{ endpoints {{ "/dns-query"; }}; {limit} }};
options {{
  directory "{dir}"; pid-file none; session-keyfile none; lock-file none;
  recursion yes; dnssec-validation no; empty-zones-enable no;
  listen-on port {port} tls t http h {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  forward only; forwarders {{ 127.0.0.1 port {plain}; }};
}};
controls {{ }};
""".format(limit=when(f["streams"], "streams-per-connection {};"),
           wanted=when(f["clients"], 'ca-file "{}";'), **f))
    return ["named", "-f", "-n", "1", "-c", f["dir"] / "named.conf"]


def dnsdist(f):
    (f["dir"] / "dnsdist.conf").write_text("""
setLocal("127.0.0.1:{other}")
newServer({{address="127.0.0.1:{plain}", healthCheckMode="up", checkName="a.any.faults.test.", useClientSubnet=false}})
addDOHLocal("127.0.0.1:{port}", "{cert}", "{key}", "/dns-query")
setSecurityPollSuffix("")
""".format(other=lib.free_port(), **f))
    return ["dnsdist", "--supervised", "--disable-syslog", "-C", f["dir"] / "dnsdist.conf"]


def nghttpx(f):
    return ["nghttpx", "--conf=/dev/null", f"--frontend=127.0.0.1,{f['port']}",
            f"--backend=127.0.0.1,{f['doh']};;proto=h2;tls;sni=upstream.test", "--insecure",
            "--workers=1", "--single-process", "--accesslog-file=/dev/null", "--errorlog-file=/dev/stderr",
            f"--tls-max-early-data={'16K' if f['early'] else '0'}",
            *([f"--frontend-http2-max-concurrent-streams={f['streams']}"] if f["streams"] else []),
            *(["--verify-client", f"--verify-client-cacert={f['clients']}"] if f["clients"] else []),
            f["key"], f["cert"]]


def nginx(f):
    (f["dir"] / "nginx.conf").write_text("""
daemon off; master_process off; pid {dir}/pid; error_log stderr error;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path {dir}/b; proxy_temp_path {dir}/p; fastcgi_temp_path {dir}/f;
  uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
  upstream fake {{ server 127.0.0.1:{doh}; keepalive 8; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{port} ssl http2;
    ssl_certificate {cert}; ssl_certificate_key {key};
    {limit} {wanted}
    {more}
    location /dns-query {{ grpc_pass grpcs://fake; }}
  }}
}}
""".format(more="ssl_protocols TLSv1.3; ssl_early_data on;" if f["early"] else "keepalive_requests 40;",
           limit=when(f["streams"], "http2_max_concurrent_streams {};"),
           wanted=when(f["clients"], "ssl_verify_client on; ssl_client_certificate {};"), **f))
    return ["nginx", "-p", f["dir"], "-e", "stderr", "-c", f["dir"] / "nginx.conf"]


REAL = {"unbound": unbound, "named": named, "dnsdist": dnsdist, "nghttpx": nghttpx, "nginx": nginx}


def is_installed(name):
    return shutil.which(name) is not None or shutil.which(name, path="/usr/sbin") is not None


class Veridoh(lib.Process):
    """veridoh at address:port, with these entries of `upstreams`, perhaps in another namespace."""

    def __init__(self, entries, anchors, extra=QUICK, address="127.0.0.1", inside=(), environment=None):
        self.address = (address, lib.free_port())
        directory = pathlib.Path(tempfile.mkdtemp(prefix="veridoh-faults-"))
        text = (f"listen:\n  - address: {address}:{self.address[1]}\n"
                "upstreams:\n" + "\n".join(entries) + "\n"
                "clients:\n  allow: [10.77.0.0/16]\nprocess:\n  workers: 1\n"
                f"validation:\n  trust-anchors: {anchors}\n{extra}")
        (directory / "veridoh.yaml").write_text(text)
        super().__init__([*inside, lib.program("veridoh"), "run", "--config",
                          directory / "veridoh.yaml"], directory)

    def answers(self, seconds=8.0):
        """Waits until it does."""
        def asks():
            self.must_live()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.settimeout(0.5)
                s.connect(self.address)
                try:
                    s.send(lib.query("first.any.faults.test", "A", do=False))
                    return lib.header(s.recv(4096))[2] == 0
                except OSError:
                    return False
        lib.wait_for(asks, "veridoh to answer")


def entry(name, port, ca, addresses="[127.0.0.1]", host="upstream.test", more=""):
    return (f"  - name: {name}\n    url: https://{host}:{port}/dns-query\n    operator: {name}\n"
            f"    addresses: {addresses}\n    ca: {ca}{more}")
