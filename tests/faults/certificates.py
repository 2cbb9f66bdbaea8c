# SPDX-License-Identifier: MIT
"""An authority and certificates of every fault, made by openssl."""
import pathlib
import ssl
import subprocess

NAME = "upstream.test"
EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


def openssl(*arguments, cwd):
    subprocess.run(["openssl", *map(str, arguments)], cwd=cwd, check=True, capture_output=True)


class Authority:
    """`dir`/ca.pem, and certificates in `dir`."""

    def __init__(self, directory):
        self.dir = pathlib.Path(directory)
        self.dir.mkdir(exist_ok=True)
        openssl("req", "-x509", *EC, "-keyout", "ca.key", "-out", "ca.pem", "-days", 30,
                "-subj", "/CN=authority of the faults", "-addext",
                "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                cwd=self.dir)
        for name in ("index.txt", "index.txt.attr"):
            (self.dir / name).write_text("unique_subject = no\n" if "attr" in name else "")
        (self.dir / "ca.cnf").write_text(
            "[ca]\ndefault_ca=it\n[it]\ndatabase=index.txt\nnew_certs_dir=.\nrand_serial=yes\n"
            "default_md=sha256\npolicy=any\ncopy_extensions=copy\n[any]\ncommonName=supplied\n")

    def make(self, name, host=NAME, begin="20200101000000Z", end="20491231000000Z", self_signed=False):
        """(certificate, key) as paths."""
        names = f"subjectAltName=DNS:{host},IP:127.0.0.1"
        if self_signed:
            openssl("req", "-x509", *EC, "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", 30,
                    "-subj", f"/CN={host}", "-addext", names, cwd=self.dir)
        else:
            openssl("req", "-new", *EC, "-keyout", f"{name}.key", "-out", f"{name}.csr",
                    "-subj", f"/CN={host}", "-addext", names, cwd=self.dir)
            openssl("ca", "-batch", "-notext", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile",
                    "ca.key", "-startdate", begin, "-enddate", end, "-in", f"{name}.csr", "-out",
                    f"{name}.pem", cwd=self.dir)
        return self.dir / f"{name}.pem", self.dir / f"{name}.key"


def server_context(certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["h2"])
    return context


def client_context(ca):
    context = ssl.create_default_context(cafile=str(ca))
    context.set_alpn_protocols(["h2"])
    return context
