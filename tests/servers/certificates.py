"""A certificate authority of one test session, and the server certificate that it signs."""

import subprocess
from pathlib import Path

# Python 3.13 and later verify strictly: an authority must say that it may sign (RFC 5280 section 4.2.1.3).
_AUTHORITY = ["-subj", "/CN=Loket test authority", "-addext", "keyUsage=critical,keyCertSign,cRLSign"]
_SERVER = "authorityKeyIdentifier=keyid\nextendedKeyUsage=serverAuth\n"
_HERE = "IP:127.0.0.1,DNS:localhost"


def issue(folder: Path, names: str = _HERE, days: int = 2) -> Path:
    """Write server.pem and server.key, valid for the names, to the folder; return the authority's.

    With -1 for `days` the server's certificate ended yesterday.
    """
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    (folder / "server.ext").write_text(f"subjectAltName={names}\n{_SERVER}")
    _openssl(folder, "req", "-x509", *new_key, "-days", "2", "-keyout", "ca.key", "-out", "ca.pem", *_AUTHORITY)
    _openssl(folder, "req", *new_key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=mail.test")
    signing = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", str(days), "-extfile", "server.ext"]
    _openssl(folder, "x509", "-req", "-in", "server.csr", "-out", "server.pem", *signing)
    return folder / "ca.pem"


def _openssl(folder: Path, *args: str) -> None:
    done = subprocess.run(["openssl", *args], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"openssl {args[0]}: {done.stderr}")
