"""What is asked of ZooKeeper, and the answers that are no failures of the connection."""

from dataclasses import dataclass

FOLDER = b""
"""What a node holds that was made as a parent and is no record."""


@dataclass(frozen=True, slots=True)
class Node:
    """A znode. ``owner`` is the id of the session that an ephemeral one belongs to, else 0."""

    content: bytes
    version: int
    owner: int


@dataclass(frozen=True, slots=True)
class Create:
    """Part of a transaction."""

    path: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Replace:
    """Part of a transaction."""

    path: str
    content: bytes
    version: int


@dataclass(frozen=True, slots=True)
class Remove:
    """Part of a transaction."""

    path: str
    version: int


Operation = Create | Replace | Remove


class Answer(Exception):
    """ZooKeeper says no. For the modules beside this one, which say what it means."""


class Absent(Answer):
    """No such node, or no parent for a new one."""


class Present(Answer):
    """The node is there already."""


class OtherVersion(Answer):
    """The node has another version."""


class NotEmpty(Answer):
    """The node has children."""


class Rejected(Exception):
    """A transaction was not done, because of one operation."""

    def __init__(self, operation: Operation, answer: Answer) -> None:
        super().__init__(f"{operation.path}: {answer}")
        self.operation = operation
        self.answer = answer


class Interrupted(Exception):
    """The connection went while a request was under way: whether it was done is not known."""
