"""A reverse proxy on loopback.

One listener for all the daemons of a cluster, told apart by the name the browser asks for.
"""

import errno
import gzip
import http.client
import logging
import socket
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from howdah.errors import HowdahError
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
_TEXTS = (
    "text/",
    "application/json",
    "application/javascript",
    "application/x-javascript",
    "application/xml",
    "application/xhtml+xml",
)
_READING = ("GET", "HEAD", "OPTIONS")
_WITHOUT_BODY = (204, 304)


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
        self._server.addresses = addresses(self.port)
        self._server.dial = dial

    def url(self, target: Target) -> str:
        """Where a daemon's pages begin."""
        return f"http://{self._server.addresses.shown(target)}/"

    def serve(self) -> None:
        """Answer until closed from another thread."""
        self._server.serve_forever(poll_interval=0.2)

    def close(self) -> None:
        """Stop listening; only after ``serve`` was called."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a browser keeps its connections
    addresses: Addresses
    dial: Dial

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that goes to another page ends its connections: nothing to tell a person."""
        level = logging.DEBUG if isinstance(sys.exception(), OSError) else logging.ERROR
        _log.log(level, "a request for a page ended early", exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def _pass(self) -> None:
        addresses = self.server.addresses
        target = addresses.target(self.headers.get("Host", ""))
        if target is None:
            self._say(421, "This is howdah's window into one cluster; the name you asked for is none of its pages.")
            return
        origin = self.headers.get("Origin")
        if self.command not in _READING and origin is not None and not addresses.is_ours(origin):
            self._say(403, "A page of another site asked for a change in this cluster; that is not passed on.")
            return
        if "Transfer-Encoding" in self.headers:
            self._say(411, "A request's length must be given.")
            return
        try:
            connection, response = self._ask(addresses, target)
        except (HowdahError, OSError, http.client.HTTPException) as error:
            self._say(502, f"{addresses.real(target)} does not answer: {_words(error)}")
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
                if name.lower() not in (*_HOP, "host", "accept-encoding", "expect"):
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
        is_text = response.getheader("Content-Type", "").lower().startswith(_TEXTS)
        page = self._page(addresses, response) if is_text else None
        dropped = {*_HOP, "date", "server"}
        if page is not None or (is_text and self.command == "HEAD"):
            dropped |= {"content-length", "content-encoding"}
        self.send_response(response.status, response.reason)
        for name, value in response.getheaders():
            if name.lower() not in dropped:
                self.send_header(name, addresses.rewrite(value.encode("latin-1", "replace")).decode("latin-1"))
        has_body = self.command != "HEAD" and response.status not in _WITHOUT_BODY
        if page is not None:
            self.send_header("Content-Length", str(len(page)))
        elif has_body and response.length is None:
            self.close_connection = True
            self.send_header("Connection", "close")
        self.end_headers()
        if page is not None:
            self.wfile.write(page)
            return
        while has_body and (chunk := response.read(_CHUNK)):
            self.wfile.write(chunk)

    def _page(self, addresses: Addresses, response: http.client.HTTPResponse) -> bytes | None:
        """The text rewritten; None where it passes as it comes."""
        encoding = response.getheader("Content-Encoding", "identity").lower()
        if self.command == "HEAD" or response.status in _WITHOUT_BODY:
            return None
        if encoding not in ("identity", "gzip") or (response.length or 0) > _REWRITTEN_LIMIT:
            return None
        text = response.read()
        return addresses.rewrite(gzip.decompress(text) if encoding == "gzip" else text)

    def _say(self, status: int, sentence: str) -> None:
        body = f"{sentence}\n".encode()
        self.close_connection = True  # what came with the request was not read
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """To the log, not to the terminal."""
        _log.debug(format, *args)


def _words(error: Exception) -> str:
    return error.what if isinstance(error, HowdahError) else str(error) or type(error).__name__
