"""What must hold for the project as a whole: its shape, its pins, and what its files may not say."""

import ast
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "platform" / "howdah"
LOCKS = sorted(ROOT.glob("requirements*.lock"))
LONGEST_MODULE = 420
LONGEST_FUNCTION = 65

# Joined here, so that this file does not hold what it forbids.
REGISTRY_HOSTS = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("repo1", "maven", "org"),
        ("repo", "maven", "apache", "org"),
        ("deb", "debian", "org"),
        ("security", "debian", "org"),
        ("snapshot", "debian", "org"),
        ("ftp", "debian", "org"),
        ("proxy", "golang", "org"),
        ("registry", "npmjs", "org"),
        ("registry-1", "docker", "io"),
        ("hub", "docker", "com"),
        ("quay", "io"),
        ("ghcr", "io"),
        ("gcr", "io"),
    )
]
MACHINE_PATHS = ["/" + "work/" + folder for folder in ("main", "dev", "shared")]


@cache
def _settings() -> dict[str, Any]:
    settings: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return settings


@cache
def _project_files() -> tuple[Path, ...]:
    """What is in the repository or is about to be: tracked files, and new ones that are not ignored."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):  # an unpacked source archive, or no git on this machine
        everything = ((path, path.relative_to(ROOT).parts) for path in sorted(ROOT.rglob("*")) if path.is_file())
        return tuple(path for path, parts in everything if not parts[0].startswith(".") or parts[0] == ".ci")
    return tuple(ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file())


def _texts() -> Iterator[tuple[str, str]]:
    for path in _project_files():
        content = path.read_bytes()
        if b"\0" not in content:
            yield str(path.relative_to(ROOT)), content.decode(errors="replace")


def _modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def _layers(contract: str) -> list[str]:
    (found,) = [c for c in _settings()["tool"]["importlinter"]["contracts"] if c["id"] == contract]
    return re.findall(r"\w+", " ".join(found["layers"]))


# ------------------------------------------------------------------------------------------- shape


def test_the_source_root_does_not_shadow_the_standard_library() -> None:
    assert not (ROOT / "platform" / "__init__.py").exists(), "platform/ would hide Python's own module `platform`"


def test_the_package_says_that_it_is_typed() -> None:
    assert (PACKAGE / "py.typed").is_file(), "without platform/howdah/py.typed, users' type checkers ignore our types"


def test_modules_stay_short() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in _modules()}
    long = {path: length for path, length in lengths.items() if length > LONGEST_MODULE}
    assert not long, f"over {LONGEST_MODULE} lines; find the second thought in it and give it a module: {long}"


def test_functions_stay_short() -> None:
    long = {}
    for path in _modules():
        for node in ast.walk(ast.parse(path.read_text(), str(path))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
                length = node.end_lineno - node.lineno + 1
                if length > LONGEST_FUNCTION:
                    long[f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"] = length
    assert not long, f"over {LONGEST_FUNCTION} lines: {long}"


def test_every_package_is_a_package() -> None:
    folders = {path.parent for path in _modules()}
    without = [str(folder.relative_to(ROOT)) for folder in folders if not (folder / "__init__.py").exists()]
    assert not without, f"no __init__.py, so import-linter and mypy pass over it: {without}"


def test_every_top_level_module_has_a_layer() -> None:
    there = {path.stem for path in PACKAGE.glob("*.py")} | {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    without = there - {"__init__", "__main__"} - set(_layers("layers"))
    assert not without, f"give it a place in `layers` in pyproject.toml: {sorted(without)}"


def test_the_layers_are_those_of_the_design() -> None:
    top_to_bottom = (
        "cli web testing client app workflows drills doctor clusters datasets hosts "
        "filesystem jobs pages reconcile imaging planning engines volumes coordination probes ports "
        "definitions hadoop model errors units clock retry resources"
    )
    assert _layers("layers") == top_to_bottom.split()


def test_pure_packages_are_pure_at_their_own_level_too() -> None:
    """The contract's patterns cover what is inside of a package; this covers its `__init__`."""
    (pure,) = [c for c in _settings()["tool"]["importlinter"]["contracts"] if c["id"] == "pure"]
    forbidden = {name for name in pure["forbidden_modules"] if "*" not in name}
    for pattern in pure["source_modules"]:
        init = PACKAGE / pattern.split(".")[1] / "__init__.py"
        if init.exists():
            imported = set()
            for node in ast.walk(ast.parse(init.read_text())):
                if isinstance(node, ast.Import):
                    imported |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module:
                    imported.add(node.module.split(".")[0])
            assert not imported & forbidden, f"{init.relative_to(ROOT)} imports {sorted(imported & forbidden)}"


# -------------------------------------------------------------------------- what files may not say


def test_no_file_names_a_registry() -> None:
    """Where packages come from is the machine's configuration: a mirror must be enough."""
    hosts = re.compile("|".join(rf"(?<![\w-]){re.escape(host)}(?![\w-])" for host in REGISTRY_HOSTS))
    found = [f"{path}: {match[0]}" for path, text in _texts() for match in hosts.finditer(text)]
    assert not found, found


def test_no_file_names_somebodys_machine() -> None:
    found = [f"{path}: {place}" for path, text in _texts() for place in MACHINE_PATHS if place in text]
    assert not found, found


# -------------------------------------------------------------------------------------------- pins


def _locked(lock: Path) -> dict[str, str]:
    pattern = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)
    return {match[1]: match[2] for match in pattern.finditer(lock.read_text())}


def _pins(requirements: list[Any]) -> dict[str, str]:
    pins = {}
    for requirement in requirements:
        if isinstance(requirement, str):
            name, operator, version = requirement.partition("==")
            assert operator, f"{requirement} is not pinned"
            pins[re.sub(r"[-_.]+", "-", name).lower()] = version
    return pins


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_has_hashes_and_no_address(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    assert not re.search(r"^\s*--(index-url|extra-index-url|find-links|trusted-host)", text, re.MULTILINE)
    requirements = re.split(r"\n(?=[a-z])", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).strip())
    without = [requirement.split()[0] for requirement in requirements if "--hash=sha256:" not in requirement]
    assert not without, f"no hash: {without}"


@pytest.mark.parametrize(
    ("lock", "group"),
    [
        ("requirements.lock", None),
        ("requirements-dev.lock", "dev"),
        ("requirements-build.lock", "build"),
        ("requirements-lock.lock", "lock"),
    ],
)
def test_a_lock_agrees_with_the_pins(lock: str, group: str | None) -> None:
    settings = _settings()
    wanted = _pins(settings["dependency-groups"][group] if group else settings["project"]["dependencies"])
    locked = _locked(ROOT / lock)
    differing = {name: (version, locked.get(name)) for name, version in wanted.items() if locked.get(name) != version}
    assert not differing, f"pinned, locked: {differing}. Run script/lock"


def test_a_version_is_the_same_in_every_lock() -> None:
    everything = _locked(ROOT / "requirements-dev.lock")
    for lock in (ROOT / "requirements.lock", ROOT / "requirements-build.lock"):
        differing = {name: version for name, version in _locked(lock).items() if everything.get(name) != version}
        assert not differing, f"{lock.name} against requirements-dev.lock: {differing}. Run script/lock"


def test_howdah_is_built_with_the_locked_backend() -> None:
    built_with = _pins(_settings()["build-system"]["requires"])
    locked = _locked(ROOT / "requirements-build.lock")
    assert built_with == {name: locked[name] for name in built_with}


# ----------------------------------------------------------------------------------------- scripts


def _scripts() -> list[Path]:
    return [path for folder in ("script", ".ci") for path in sorted((ROOT / folder).iterdir()) if path.is_file()]


@pytest.mark.parametrize("script", _scripts(), ids=lambda script: script.name)
def test_a_script_can_be_run_and_stops_at_an_error(script: Path) -> None:
    lines = script.read_text().splitlines()
    assert os.access(script, os.X_OK)
    assert lines[0].startswith("#!/usr/bin/env ")
    if lines[0].endswith("bash"):
        assert "set -euo pipefail" in lines
