"""What HDFS refuses, in a person's words."""

import re

from howdah.errors import Failed, HowdahError, NotFound, Transient, UserError

_DENIED = re.compile(r'user=([^,]+), access=([A-Z_]+), inode="([^"]*)":([^:]*):([^:]*):(\S+)')

_OF_THE_USER = {
    "FileAlreadyExistsException": "--force replaces a file",
    "ParentNotDirectoryException": "",
    "PathIsNotDirectoryException": "",
    "PathIsNotEmptyDirectoryException": "-r removes a folder with what is in it",
    "InvalidPathException": "HDFS allows no `:` and no empty part in a name",
    "IllegalArgumentException": "",
    "NSQuotaExceededException": "remove something, or raise the folder's quota",
    "DSQuotaExceededException": "remove something, or raise the folder's quota",
    "QuotaByStorageTypeExceededException": "remove something, or raise the folder's quota",
    "SnapshotException": "delete its snapshots first",
    "MaxDirectoryItemsExceededException": "",
    "PathComponentTooLongException": "",
    "UnresolvedPathException": "",
}
"""Hadoop's exceptions that say the request cannot be met as it stands, each with what helps."""

_PASSING = frozenset({"SafeModeException", "RetriableException", "StandbyException"})
_LOST_LEASE = frozenset({"LeaseExpiredException", "AlreadyBeingCreatedException", "RecoveryInProgressException"})


def refusal(exception: str | None, message: object, path: str) -> HowdahError:
    """The error for a RemoteException: its class's short name, and its message with a stack trace, which is cut off."""
    text = message.decode("utf-8", "replace") if isinstance(message, bytes) else str(message)
    line = next((line.strip() for line in text.splitlines() if line.strip()), "no message")
    if exception == "FileNotFoundException":
        return _missing(path, line)
    if exception == "AccessControlException":
        fix = "use the owner's name (HADOOP_USER_NAME), or have the permission changed"
        return UserError(_denial(line), fix=fix)
    if exception in _PASSING or "in safe mode" in line:
        return Transient(f"HDFS takes no changes now: {line}", fix="wait; howdah status says what it waits for")
    if exception in _OF_THE_USER:
        return UserError(line, fix=_OF_THE_USER[exception])
    if exception in _LOST_LEASE:
        return Failed(f"somebody else writes {path}: {line}")
    return Failed(f"HDFS refused {path}: {line}")


def _missing(path: str, line: str) -> NotFound:
    if "not a file" in line:
        return NotFound(f"{path} is a folder of HDFS, not a file")
    if "arent" in line:  # "Parent directory doesn't exist: /in", "rename destination parent /in/x not found."
        return NotFound(line)
    return NotFound(f"there is no file or folder {path} in HDFS")


def _denial(line: str) -> str:
    match = _DENIED.search(line)
    if not match:
        return line
    user, access, path, owner, group, permission = match.groups()
    wish = " and ".join(
        {"READ": "read", "WRITE": "write", "EXECUTE": "enter"}.get(one, one) for one in access.split("_")
    )
    return f"user {user} may not {wish} {path} in HDFS: it is {owner}'s, group {group}, {permission}"
