"""HTTP over connections that somebody else makes: no name is resolved, so redirects to DataNodes work anywhere."""

import socket
from collections.abc import Callable
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import NewConnectionError

from howdah.errors import HowdahError, Transient

Dial = Callable[[str, int], socket.socket]
"""A host name inside the cluster and a port to a connected stream. Raises what Engine.dial raises."""


def session(dial: Dial) -> requests.Session:
    """A session that goes nowhere but through ``dial``: no proxy of the environment, no .netrc, no DNS."""
    made = requests.Session()
    made.trust_env = False
    made.adapters.clear()
    made.mount("http://", _DialledAdapter(dial))
    return made


class _DialledAdapter(HTTPAdapter):
    def __init__(self, dial: Dial) -> None:
        self._dial = dial
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        dial = self._dial

        class Connection(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                try:
                    return dial(self.host, self.port or 80)
                except Transient as error:
                    # As urllib3's own failure to connect, so that the client goes on to the next NameNode.
                    raise NewConnectionError(self, error.what) from error

        class Pool(HTTPConnectionPool):
            ConnectionCls = Connection

        self.poolmanager.pool_classes_by_scheme = {"http": Pool}

    def close(self) -> None:
        # urllib3 leaves open connections to the garbage collector, and a relay would run on until then.
        pools = self.poolmanager.pools
        for key in pools.keys():  # noqa: SIM118  # its __iter__ raises
            if pool := pools.get(key):
                pool.close()
        super().close()


def cause(error: BaseException) -> str:
    """What lies under three wrappings of requests and urllib3, in one line; a HowdahError says it best."""
    seen: list[BaseException] = []
    inner: object = error
    while isinstance(inner, BaseException) and inner not in seen:
        if isinstance(inner, HowdahError):
            return inner.what
        seen.append(inner)
        wrapped = next((argument for argument in inner.args if isinstance(argument, BaseException)), None)
        inner = getattr(inner, "reason", None) or wrapped or inner.__cause__
    last = seen[-1]
    text = str(getattr(last, "strerror", None) or last) or type(last).__name__
    return text.splitlines()[0]
