import base64
from pathlib import Path

import pytest

from howdah.errors import UserError
from howdah.imaging.certificates import added_certificates

DER = b"\x30\x82" + bytes(range(60))


def pem(content: bytes) -> str:
    body = base64.encodebytes(content).decode().strip()
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"


def test_each_certificate_gets_a_file_that_debian_takes(tmp_path: Path) -> None:
    (tmp_path / "bundle.pem").write_text("a comment\n" + pem(DER) + pem(b"\x30other"))
    (tmp_path / "same.crt").write_text(pem(DER))
    (tmp_path / "README").write_text("no certificate")
    found = added_certificates({}, (str(tmp_path), "/not/there"))
    assert len(found) == 2
    assert all(name.startswith("host-") and name.endswith(".crt") for name in found)
    assert {content.decode() for content in found.values()} == {pem(DER), pem(b"\x30other")}


def test_a_binary_certificate_becomes_text(tmp_path: Path) -> None:
    (tmp_path / "one.crt").write_bytes(DER)
    (content,) = added_certificates({}, (str(tmp_path),)).values()
    assert content.startswith(b"-----BEGIN CERTIFICATE-----\n")
    assert content.endswith(b"-----END CERTIFICATE-----\n")


def test_the_variable_stands_for_the_folders(tmp_path: Path) -> None:
    (tmp_path / "one.crt").write_text(pem(DER))
    (tmp_path / "host").mkdir()
    (tmp_path / "host" / "two.crt").write_text(pem(b"\x30two"))
    host = (str(tmp_path / "host"),)
    found = added_certificates({"HOWDAH_CA_CERTIFICATES": str(tmp_path / "one.crt")}, host)
    assert [content.decode() for content in found.values()] == [pem(DER)]
    assert added_certificates({"HOWDAH_CA_CERTIFICATES": ""}, host) == {}


def test_a_variable_that_names_no_certificate_is_the_users_mistake(tmp_path: Path) -> None:
    (tmp_path / "one.crt").write_text("hello")
    for named in (tmp_path / "one.crt", tmp_path / "two.crt"):
        with pytest.raises(UserError) as caught:
            added_certificates({"HOWDAH_CA_CERTIFICATES": str(named)}, ())
        assert str(named) in caught.value.what
