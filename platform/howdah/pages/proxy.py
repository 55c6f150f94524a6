"""A reverse proxy on loopback.

One listener for all the daemons of a cluster, told apart by the name the browser asks for.
"""

import errno
import http.client
import logging
import socket
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from howdah.errors import Transient
from howdah.pages.addresses import Addresses, Target

Dial = Callable[[str, int], socket.socket]
"""A stream to a port of an instance, by name."""

_log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"

_TIMEOUT = 60.0
_CHUNK = 2**18
_REWRITTEN_LIMIT = 32 * 2**20
"""Bytes of a page; a longer text is passed on as it is."""
_HOP = frozenset(
    (
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
"""Headers of one connection, not of the message (RFC 9110, section 7.6.1)."""
_TEXTS = ("text/", "application/json", "application/javascript", "application/x-javascript", "application/xml")


class Pages:
    """Listens from the moment it is made until ``close``.

    ``serve`` answers. Takes any free port where ``port`` is taken.
    """

    def __init__(self, addresses: Callable[[int], Addresses], dial: Dial, port: int) -> None:
        try:
            self._server = _Server((LOOPBACK, port), _Handler)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            self._server = _Server((LOOPBACK, 0), _Handler)
        self.port: int = self._server.server_address[1]
        self._server.addresses = lambda: addresses(self.port)
        self._server.dial = dial

    def url(self, target: Target) -> str:
        """Where a daemon's pages begin."""
        return f"http://{self._server.addresses().shown(target)}/"

    def serve(self) -> None:
        """Answer until closed from another thread."""
        self._server.serve_forever(poll_interval=0.2)

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    addresses: Callable[[], Addresses]
    dial: Dial


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def _pass(self) -> None:
        addresses = self.server.addresses()
        target = addresses.target(self.headers.get("Host", ""))
        if target is None:
            self._say(421, "This is howdah's window into one cluster; the name you asked for is none of its instances.")
            return
        try:
            connection, response = self._ask(addresses, target)
        except (Transient, OSError, http.client.HTTPException) as error:
            self._say(502, f"{addresses.real(target)} does not answer: {error}")
            return
        try:
            self._answer(addresses, response)
        finally:
            connection.close()

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = _pass  # noqa: N815

    def _ask(self, addresses: Addresses, target: Target) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        connection = http.client.HTTPConnection(target.instance, target.port)
        connection.sock = self.server.dial(target.instance, target.port)
        connection.sock.settimeout(_TIMEOUT)
        try:
            connection.putrequest(self.command, addresses.restore(self.path), skip_host=True, skip_accept_encoding=True)
            connection.putheader("Host", addresses.real(target))
            for name, value in self.headers.items():
                if name.lower() not in (*_HOP, "host", "accept-encoding"):
                    connection.putheader(name, addresses.restore(value))
            # Pages are rewritten, so they must come as they are.
            connection.putheader("Accept-Encoding", "identity")
            connection.putheader("Connection", "close")
            connection.endheaders(self._body())
            return connection, connection.getresponse()
        except BaseException:
            connection.close()
            raise

    def _body(self) -> Iterator[bytes] | None:
        left = int(self.headers.get("Content-Length") or 0)
        if not left:
            return None

        def chunks(left: int) -> Iterator[bytes]:
            while left and (chunk := self.rfile.read(min(left, _CHUNK))):
                left -= len(chunk)
                yield chunk

        return chunks(left)

    def _answer(self, addresses: Addresses, response: http.client.HTTPResponse) -> None:
        is_text = response.getheader("Content-Type", "").startswith(_TEXTS)
        length = response.length
        rewrites = is_text and self.command != "HEAD" and (length is None or length <= _REWRITTEN_LIMIT)
        page = addresses.rewrite(response.read()) if rewrites else None
        self.send_response(response.status, response.reason)
        for name, value in response.getheaders():
            if name.lower() not in (*_HOP, "content-length", "date", "server"):
                self.send_header(name, addresses.rewrite(value.encode("latin-1", "replace")).decode("latin-1"))
        if page is not None or length is not None:
            self.send_header("Content-Length", str(len(page) if page is not None else length))
        else:
            self.close_connection = True
            self.send_header("Connection", "close")
        self.end_headers()
        if page is not None:
            self.wfile.write(page)
            return
        while self.command != "HEAD" and (chunk := response.read(_CHUNK)):
            self.wfile.write(chunk)

    def _say(self, status: int, sentence: str) -> None:
        body = f"{sentence}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """To the log, not to the terminal."""
        _log.debug(format, *args)
