"""From a daemon's address to one that a browser on this machine reaches, and back. Pure.

A daemon at ``dn1.sales.howdah:9864`` is shown as ``dn1-9864.sales.localhost:PORT``: each daemon keeps an origin of its
own, so its absolute paths stay right, and browsers resolve every name below ``localhost`` to loopback (RFC 6761,
section 6.3) without asking anyone.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network

from howdah.model.cluster import DOMAIN, Endpoint, Network, host_name

_SHOWN = re.compile(r"([a-z]+[0-9]+)-([0-9]{2,5})\.([a-z0-9-]+)\.localhost(?::[0-9]+)?")


def usual_port(network: Network) -> int:
    """Where a cluster's pages are shown unless the port is taken: one for each subnet of the pool."""
    return 20_000 + IPv4Network(network.subnet).network_address.packed[2]


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

    @classmethod
    def of(cls, label: str, port: int, endpoints: Mapping[str, Endpoint]) -> "Addresses":
        """From the endpoints on record."""
        names = {endpoint.name: name for name, endpoint in endpoints.items()}
        return cls(label, port, names | {endpoint.address: name for name, endpoint in endpoints.items()})

    def shown(self, target: Target) -> str:
        """``host:port`` for the browser."""
        return f"{target.instance}-{target.port}.{self.label}.localhost:{self.port}"

    def real(self, target: Target) -> str:
        """``host:port`` as the daemon knows itself."""
        return f"{host_name(self.label, target.instance)}:{target.port}"

    def target(self, host_header: str) -> Target | None:
        """What a browser asked for.

        None for a name that is not ours, so that no other site can make a browser reach in.
        """
        match = _SHOWN.fullmatch(host_header)
        if not match or match[3] != self.label or match[1] not in self.instances.values():
            return None
        return Target(match[1], int(match[2]))

    def rewrite(self, text: bytes) -> bytes:
        """Every ``host:port`` of an instance in a page, as the browser must ask for it."""

        def shown(match: re.Match[bytes]) -> bytes:
            instance = self.instances.get(match[1].decode())
            return self.shown(Target(instance, int(match[2]))).encode() if instance else match[0]

        return self._pattern.sub(shown, text)

    def restore(self, text: str) -> str:
        """The other way, for what the browser sends back (Referer, Origin, a redirect's target in a query)."""
        return _SHOWN.sub(lambda match: f"{match[1]}.{match[3]}.{DOMAIN}:{match[2]}", text)

    @property
    def _pattern(self) -> re.Pattern[bytes]:
        names = "|".join(re.escape(name) for name in sorted(self.instances, key=len, reverse=True))
        return re.compile(rf"(?<![\w.-])({names}):([0-9]{{2,5}})(?![0-9])".encode())
