"""The wheel, installed outside of the checkout by a user who may do no more than use the engine."""

import os
import pwd
import secrets
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.place import CHECKOUT, Place, said

pytestmark = [pytest.mark.engine, pytest.mark.network]


def run(*argv: str, **options: object) -> None:
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]  # options of subprocess.run
    assert done.returncode == 0, f"{' '.join(argv)}: {said(done)}"


@pytest.fixture
def folder() -> Iterator[Path]:
    """Readable by anybody, unlike pytest's."""
    made = Path(tempfile.mkdtemp(prefix="howdah-installed-", dir="/var/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def user(place: Place, folder: Path) -> Iterator[pwd.struct_passwd]:
    """Somebody new, in the group that the engine's socket belongs to."""
    if os.geteuid() != 0:
        pytest.fail("making a user needs root")
    path = place.engine.removeprefix("unix://")
    assert path.startswith("/"), f"{place.engine} is no socket of this machine"
    found = os.stat(path)
    assert found.st_mode & stat.S_IWGRP, f"the group of {path} may not use it"
    name = f"howdah-{secrets.token_hex(3)}"
    home = folder / "home"
    run("useradd", "--create-home", "--home-dir", str(home), "--groups", str(found.st_gid), "--shell", "/bin/sh", name)
    try:
        yield pwd.getpwnam(name)
    finally:
        run("userdel", "--remove", "--force", name)


@pytest.fixture
def installed(folder: Path) -> Path:
    """A fresh environment with nothing but the wheel and what it depends on, by the lock."""
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist"), cwd=CHECKOUT)
    (wheel,) = (folder / "dist").iterdir()
    run(sys.executable, "-I", "-m", "venv", str(folder / "venv"))
    environment = dict(os.environ)
    bundle = Path("/etc/ssl/certs/ca-certificates.crt")
    if bundle.exists():
        environment.setdefault("PIP_CERT", str(bundle))
    pip = (str(folder / "venv/bin/python"), "-m", "pip", "--disable-pip-version-check", "--no-input", "install")
    locked = (*pip, "--require-hashes", "--requirement")
    run(*locked, str(CHECKOUT / "requirements-build.lock"), env=environment)
    run(*locked, str(CHECKOUT / "requirements.lock"), "--no-build-isolation", "--use-pep517", env=environment)
    run(*pip, "--no-deps", "--no-index", str(wheel), env=environment)
    return folder / "venv/bin/howdah"


def test_an_unprivileged_user_launches_from_the_wheel(
    place: Place, folder: Path, user: pwd.struct_passwd, installed: Path
) -> None:
    environment = {name: value for name, value in place.environment.items() if name != "PYTHONPATH"}
    environment |= {"HOME": user.pw_dir, "HOWDAH_HOME": f"{user.pw_dir}/cache", "USER": user.pw_name}

    def howdah(*argv: str) -> str:
        done = subprocess.run(
            (str(installed), *argv),
            env=environment,
            cwd=user.pw_dir,
            user=user.pw_uid,
            group=user.pw_gid,
            extra_groups=os.getgrouplist(user.pw_name, user.pw_gid),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, f"howdah {' '.join(argv)}: {said(done)}"
        return done.stdout

    assert str(CHECKOUT) not in howdah("templates")
    howdah("launch", "small", "--name", "theirs", "-p", "worker_memory=1280 MiB", "-p", "gateway_memory=1 GiB")
    assert "theirs" in howdah("list")
    assert howdah("status", "theirs").startswith("theirs: ready")
    howdah("delete", "theirs", "--data", "destroy", "--yes", "--confirm", "theirs")
    assert place.orphans() == []
