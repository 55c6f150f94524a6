"""The certificates that were added to this host, for builds behind a proxy that signs TLS anew."""

import hashlib
import os
import re
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path

from howdah.errors import UserError

VARIABLE = "HOWDAH_CA_CERTIFICATES"
FOLDERS = ("/usr/local/share/ca-certificates", "/etc/pki/ca-trust/source/anchors", "/etc/pki/trust/anchors")
"""Where administrators add them: Debian, Fedora, openSUSE."""

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_ENDINGS = (".crt", ".pem", ".cer")


def added_certificates(environment: Mapping[str, str], folders: tuple[str, ...] = FOLDERS) -> dict[str, bytes]:
    """The host's own certificates by a file name made of their digest, each in PEM and by itself.

    ``HOWDAH_CA_CERTIFICATES`` (files or folders, with ``:`` between them) stands for the host's folders when it is
    set, also when empty. Raises UserError where it names what is not there or is no certificate.
    """
    chosen = environment.get(VARIABLE)
    found: dict[str, bytes] = {}
    for name in folders if chosen is None else tuple(filter(None, chosen.split(os.pathsep))):
        path = Path(name)
        if not path.exists():
            if chosen is not None:
                raise UserError(
                    f"{VARIABLE} names {name}, which is not there", fix="give files or folders of certificates in PEM"
                )
            continue
        for certificate in _certificates(path, is_named=chosen is not None):
            # Debian's update-ca-certificates takes only *.crt, and the first certificate of each file.
            found[f"host-{hashlib.sha256(certificate).hexdigest()[:16]}.crt"] = certificate
    return dict(sorted(found.items()))


def _certificates(path: Path, *, is_named: bool) -> Iterator[bytes]:
    files = (
        sorted(file for file in path.rglob("*") if file.suffix in _ENDINGS and file.is_file())
        if path.is_dir()
        else [path]
    )
    for file in files:
        content = file.read_bytes()
        pems = _PEM.findall(content)
        if not pems and content[:1] == b"\x30":
            pems = [ssl.DER_cert_to_PEM_cert(content).strip().encode()]
        if not pems and is_named:
            raise UserError(
                f"{VARIABLE}: {file} holds no certificate", fix="give files or folders of certificates in PEM"
            )
        yield from (pem.replace(b"\r\n", b"\n") + b"\n" for pem in pems)
