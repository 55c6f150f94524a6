"""The user's files, read and packed for the gateway."""

import io
import json
import os
import tarfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from howdah.errors import UserError
from howdah.jobs.commands import LOCAL, Command, staged
from howdah.model.job import JobKind, JobSpec

_LONGEST_ARGUMENT = 128 * 1024 - 1
"""Linux's MAX_ARG_STRLEN."""


def check(spec: JobSpec) -> None:
    """Raises UserError for what can be seen before anything is sent: missing files, and files of one name."""
    if spec.kind is not JobKind.STREAMING and not spec.program:
        raise UserError(f"a {spec.kind} job needs a program", fix="name its file, or local:… for one of the image")
    names: dict[str, str] = {}
    for path in _own(spec):
        if not os.path.isfile(path):
            what = "is a folder, not a file" if os.path.isdir(path) else "is not there"
            raise UserError(f"the job's file {path} {what}", fix="check the path; local:… names a file of the image")
        if not os.access(path, os.R_OK):
            raise UserError(f"the job's file {path} cannot be read", fix="change its mode or its owner")
        if (other := names.setdefault(staged(path), path)) != path:
            raise UserError(f"{other} and {path} have the same name: a job's files are in one folder", fix="rename one")
    for text in (*spec.arguments, *spec.settings.values()):
        if "\0" in text or len(text.encode()) > _LONGEST_ARGUMENT:
            raise UserError("an argument of the job is over 128 KiB, or has a NUL in it", fix="put it into a file")


def archive(spec: JobSpec, command: Command) -> bytes:
    """A tar of the files and, last, of ``job.json``. Raises UserError where a file cannot be read any more."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in dict.fromkeys(_own(spec)):
            try:
                content, mode = Path(path).read_bytes(), os.stat(path).st_mode
            except OSError as error:
                raise UserError(f"the job's file {path}: {error.strerror}") from None
            _add(tar, f"files/{staged(path)}", content, 0o755 if mode & 0o100 else 0o644)
        _add(tar, "job.json", json.dumps(asdict(command), sort_keys=True).encode(), 0o644)
    return packed.getvalue()


def is_local(program: str) -> bool:
    """Whether the program is on the user's machine, to be sent."""
    return not program.startswith((LOCAL, "hdfs:"))


def _own(spec: JobSpec) -> Iterator[str]:
    if spec.program and is_local(spec.program):
        yield spec.program
    yield from spec.files


def _add(tar: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    tar.addfile(entry, io.BytesIO(content))
