"""From a daemon's address to one that a browser on this machine reaches, and back. Pure.

A daemon at ``dn1.sales.howdah:9864`` is shown as ``dn1-9864.sales.localhost:PORT``: each daemon keeps an origin of its
own, so its absolute paths stay right, and browsers resolve every name below ``localhost`` to loopback (RFC 6761,
section 6.3) without asking anyone.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from howdah.model.cluster import Endpoint, host_name, page_host
from howdah.model.roles import ROLES

_SHOWN = r"([a-z]+[0-9]+)-([1-9][0-9]{1,4})\.(%s)\.localhost"
_BEGIN = r"(?:(?<![\w.-])|(?<=%[0-9A-Fa-f][0-9A-Fa-f]))"
_COLON = "(:|%3[Aa])"
"""Both also as they stand in a query."""
_NO_PAGES = frozenset(
    port for traits in ROLES.values() for purpose, port in traits.ports.items() if purpose != "http"
) | {8030, 8031, 8033, 8040}
"""Ports that speak something else (the last are the ResourceManager's and the NodeManager's own). They are shown as
they are: a person reads ``nn1.sales.howdah:8020`` in a page to write it into a program."""
_TWO_HALVES = (b'n.name.split(":")[0]', b'n.infoAddr.split(":")[0]')
"""The NameNode's dfshealth.js puts a DataNode's link together from the host of ``name``, which is no page's address,
and the port of ``infoAddr``, which is: both are to be of the latter."""


@dataclass(frozen=True, slots=True)
class Target:
    """A port of an instance."""

    instance: str
    port: int


@dataclass(frozen=True, slots=True)
class Addresses:
    """The names of one cluster's instances, as the daemons write them and as the browser sees them.

    ``port`` is where we listen.
    """

    label: str
    port: int
    instances: Mapping[str, str]
    """Instance by every name it is known under: its host name, its address."""
    _real: re.Pattern[bytes] = field(init=False, repr=False, compare=False)
    _host: re.Pattern[str] = field(init=False, repr=False, compare=False)
    _shown: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        names = "|".join(re.escape(name) for name in sorted(self.instances, key=len, reverse=True)) or "(?!)"
        shown = _SHOWN % re.escape(self.label)
        patterns = {
            "_real": re.compile(rf"{_BEGIN}({names}){_COLON}([1-9][0-9]{{1,4}})(?![0-9])".encode()),
            "_host": re.compile(rf"{shown}(?::[0-9]{{1,5}})?"),
            "_shown": re.compile(rf"{_BEGIN}{shown}(?:{_COLON}{self.port}(?![0-9]))?(?![\w.:-]|%3[Aa])"),
        }
        for name, pattern in patterns.items():
            object.__setattr__(self, name, pattern)

    @classmethod
    def of(cls, label: str, port: int, endpoints: Mapping[str, Endpoint]) -> "Addresses":
        """From the endpoints on record."""
        names = {endpoint.name: name for name, endpoint in endpoints.items()}
        return cls(label, port, names | {endpoint.address: name for name, endpoint in endpoints.items()})

    def shown(self, target: Target) -> str:
        """``host:port`` for the browser."""
        return f"{page_host(self.label, target.instance, target.port)}:{self.port}"

    def real(self, target: Target) -> str:
        """``host:port`` as the daemon knows itself."""
        return f"{host_name(self.label, target.instance)}:{target.port}"

    def target(self, host_header: str) -> Target | None:
        """What a browser asked for.

        None for a name that is not ours, so that no other site can make a browser reach in, and for a port that has no
        pages.
        """
        match = self._host.fullmatch(host_header)
        if not match or match[1] not in self.instances.values() or not _has_pages(int(match[2])):
            return None
        return Target(match[1], int(match[2]))

    def is_ours(self, origin: str) -> bool:
        """Whether a page comes from one of the cluster's daemons, by the browser's own word (the header Origin)."""
        scheme, _, host = origin.partition("://")
        return scheme == "http" and self.target(host) is not None

    def rewrite(self, text: bytes) -> bytes:
        """Every ``host:port`` of an instance in a page, as the browser must ask for it."""

        def shown(match: re.Match[bytes]) -> bytes:
            instance, port = self.instances[match[1].decode()], int(match[3])
            if not _has_pages(port):
                return match[0]
            return self.shown(Target(instance, port)).encode().replace(b":", match[2])

        return self._real.sub(shown, text.replace(*_TWO_HALVES))

    def restore(self, text: str) -> str:
        """The other way, for what the browser sends back (Referer, Origin, a redirect's target in a query)."""

        def real(match: re.Match[str]) -> str:
            if match[1] not in self.instances.values():
                return match[0]
            return self.real(Target(match[1], int(match[2]))).replace(":", match[4] or ":")

        return self._shown.sub(real, text)


def _has_pages(port: int) -> bool:
    return port not in _NO_PAGES and port <= 65535
