"""What a volume's folder says: its identity, and what HDFS has in it. Sent to hosts as a part of ``helper_program``."""

import hashlib
import json
import os
import re
from typing import Any

SCHEMA = 1
LARGE_IMAGE = 64 * 2**20
"""Bytes of an fsimage from which on only the presence of its sum is looked at, for a survey must stay quick."""


def read_identity(volume: str) -> dict[str, Any] | None:
    """The identity, or None where there is none that this program understands."""
    keys = ("volume", "data_set", "data_set_name", "instance", "role", "size", "incarnation", "state", "cluster_id")
    try:
        with open(os.path.join(volume, "identity", "volume.json"), encoding="utf-8") as file:
            found = json.loads(file.read(2**20))
    except (OSError, ValueError):
        return None
    if not isinstance(found, dict) or found.get("schema") != SCHEMA or any(key not in found for key in keys):
        return None
    return found if type(found["incarnation"]) is int and type(found["size"]) is int else None


def hdfs_version(inner: str) -> dict[str, Any] | None:
    """The VERSION of a NameNode, a checkpoint or a DataNode; a DataNode has its block pool in a folder's name."""
    for kind in ("name", "checkpoint", "data"):
        current = os.path.join(inner, kind, "current")
        found = properties(os.path.join(current, "VERSION"))
        if "clusterID" not in found:
            continue
        pools = sorted(name for name in listing(current) if name.startswith("BP-"))
        layout = found.get("layoutVersion", "")
        return {
            "cluster_id": found["clusterID"],
            "block_pool_id": found.get("blockpoolID") or (pools[0] if pools else ""),
            "layout_version": int(layout) if re.fullmatch(r"-?\d+", layout) else 0,
        }
    return None


def properties(path: str) -> dict[str, str]:
    """A Java properties file of the plain kind; empty where there is none."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read(2**16)
    except OSError:
        return {}
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {key.strip(): value.strip() for key, _, value in pairs}


def has_image(current: str) -> bool:
    """Whether an fsimage agrees with the sum beside it; the newest is looked at first."""
    for name in sorted((n for n in listing(current) if re.fullmatch(r"fsimage_\d+", n)), reverse=True):
        path = os.path.join(current, name)
        try:
            with open(path + ".md5", encoding="ascii") as file:
                listed = re.match(r"([0-9a-f]{32}) [ *]", file.read(256))
            if listed and (os.path.getsize(path) > LARGE_IMAGE or md5(path) == listed[1]):
                return True
        except (OSError, ValueError):
            continue
    return False


def md5(path: str) -> str:
    """In hexadecimal, as HDFS writes it beside an fsimage."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def listing(*folder: str) -> list[str]:
    """The names in a folder, sorted; none where there is no such folder."""
    try:
        return sorted(os.listdir(os.path.join(*folder)))
    except (FileNotFoundError, NotADirectoryError):
        return []
