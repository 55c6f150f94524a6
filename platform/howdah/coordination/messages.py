"""The errors of every Coordinator, so that they read the same from memory and from ZooKeeper."""

from howdah.errors import Conflict, Fenced
from howdah.ports.coordinator import Holder

_LOOK_AGAIN = "look at it again and repeat the command"


def exists_already(path: str) -> Conflict:
    """A create found a record."""
    return Conflict(f"{path} exists already", fix=_LOOK_AGAIN)


def is_gone(path: str) -> Conflict:
    """A replace or delete found none."""
    return Conflict(f"{path} is not there any more: somebody else deleted it", fix=_LOOK_AGAIN)


def changed(path: str, version: int) -> Conflict:
    """A replace or delete named another version than the one that is there."""
    return Conflict(f"{path} was changed by somebody else since it was read (version {version})", fix=_LOOK_AGAIN)


def has_children(path: str) -> Conflict:
    """A delete found records below."""
    return Conflict(f"{path} has records below it, added since it was read", fix=_LOOK_AGAIN)


def held(path: str, holder: Holder) -> Conflict:
    """A lock was not had in time."""
    name = path.rpartition("/")[2]
    return Conflict(
        f"{name} is held by {holder.who} since {holder.since}, doing {holder.what}",
        fix="wait for it to end, or end it; howdah goes on from where it stopped",
    )


def lost(path: str, why: str) -> Fenced:
    """A fence does not hold."""
    name = path.rpartition("/")[2]
    return Fenced(f"the lock of {name} is not held any more: {why}", fix="repeat the command; it goes on from here")
