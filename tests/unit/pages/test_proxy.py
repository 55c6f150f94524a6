"""The proxy between a browser that asks by name and daemons that answer under theirs: here one small server."""

import gzip
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from howdah.errors import Transient
from howdah.model.cluster import Endpoint
from howdah.pages.addresses import Addresses, Target
from howdah.pages.proxy import Pages

ENDPOINTS = {
    name: Endpoint(name, "local", f"{name}.sales.howdah", f"10.213.7.{10 + number}", {}, "now")
    for number, name in enumerate(("nn1", "dn1"))
}


@dataclass
class Daemon:
    """What it was asked, and what it answers."""

    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    dialled: list[tuple[str, int]] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "text/html"})
    body: bytes = b""
    has_length: bool = True


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


class Browser:
    """One connection to the proxy, kept over requests."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages
        self.connection = http.client.HTTPConnection("127.0.0.1", pages.port, timeout=10)

    def shown(self, instance: str, port: int) -> str:
        return self.pages.url(Target(instance, port)).removeprefix("http://").removesuffix("/")

    def ask(
        self,
        path: str = "/",
        method: str = "GET",
        *,
        host: str = "",
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        named = {"Host": host or self.shown("nn1", 9870), **(headers or {})}
        self.connection.request(method, path, body=body, headers=named)
        response = self.connection.getresponse()
        return Answer(response.status, response.headers, response.read())


@pytest.fixture
def daemon() -> Daemon:
    return Daemon()


@pytest.fixture
def server(daemon: Daemon) -> Iterator[int]:
    """Its port."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            daemon.requests.append((self.command, self.path, dict(self.headers), self.rfile.read(length)))
            self.send_response(daemon.status)
            for name, value in daemon.headers.items():
                self.send_header(name, value)
            if daemon.has_length and daemon.status != 204:
                self.send_header("Content-Length", str(len(daemon.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(daemon.body)

        do_GET = do_HEAD = do_POST = do_PUT = do_OPTIONS = answer  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.02,))
        thread.start()
        yield listening.server_address[1]
        listening.shutdown()
        thread.join()


@pytest.fixture
def pages(daemon: Daemon, server: int) -> Iterator[Pages]:
    def dial(instance: str, port: int) -> socket.socket:
        daemon.dialled.append((instance, port))
        if port == 50070:
            raise Transient("nothing listens there")
        return socket.create_connection(("127.0.0.1", server), 10)

    pages = Pages(lambda port: Addresses.of("sales", port, ENDPOINTS), dial, 0)
    serving = threading.Thread(target=pages.serve)
    serving.start()
    yield pages
    pages.close()
    serving.join()


@pytest.fixture
def browser(pages: Pages) -> Iterator[Browser]:
    browser = Browser(pages)
    yield browser
    browser.connection.close()


def test_a_daemon_is_asked_under_its_own_name(daemon: Daemon, browser: Browser) -> None:
    dn1 = browser.shown("dn1", 9864)
    browser.ask(f"/x?back=http%3A%2F%2F{dn1.replace(':', '%3A')}%2Fy", headers={"Referer": f"http://{dn1}/z"})
    assert daemon.dialled == [("nn1", 9870)]
    ((method, path, headers, _),) = daemon.requests
    assert (method, path) == ("GET", "/x?back=http%3A%2F%2Fdn1.sales.howdah%3A9864%2Fy")
    assert headers["Host"] == "nn1.sales.howdah:9870"
    assert headers["Referer"] == "http://dn1.sales.howdah:9864/z"
    assert headers["Accept-Encoding"] == "identity"


def test_links_in_pages_go_through_the_proxy(daemon: Daemon, browser: Browser) -> None:
    daemon.body = b"<a href='http://dn1.sales.howdah:9864/'>dn1</a>"
    answer = browser.ask()
    assert answer.body.decode() == f"<a href='http://{browser.shown('dn1', 9864)}/'>dn1</a>"
    assert answer.headers["Content-Length"] == str(len(answer.body))


@pytest.mark.parametrize("kind", ["application/json;charset=utf-8", "Text/JavaScript", "application/javascript"])
def test_data_and_scripts_count_as_pages(daemon: Daemon, browser: Browser, kind: str) -> None:
    daemon.headers, daemon.body = (
        {"Content-Type": kind},
        json.dumps({"Location": "http://dn1.sales.howdah:9864/"}).encode(),
    )
    assert json.loads(browser.ask().body) == {"Location": f"http://{browser.shown('dn1', 9864)}/"}


def test_a_redirect_stays_in_the_proxy_whatever_is_encoded_in_it(daemon: Daemon, browser: Browser) -> None:
    query = "namenoderpcaddress=nn1.sales.howdah:8020&to=http%3A%2F%2Fnn1.sales.howdah%3A9870%2Fa%2520b"
    daemon.status, daemon.headers = 307, {"Location": f"http://dn1.sales.howdah:9864/webhdfs/v1/a%20b?{query}"}
    location = browser.ask().headers["Location"]
    nn1 = browser.shown("nn1", 9870).replace(":", "%3A")
    assert location == (
        f"http://{browser.shown('dn1', 9864)}/webhdfs/v1/a%20b?"
        f"namenoderpcaddress=nn1.sales.howdah:8020&to=http%3A%2F%2F{nn1}%2Fa%2520b"
    )
    daemon.status, daemon.headers = 200, {}
    path = location.partition(browser.shown("dn1", 9864))[2]
    browser.ask(path, host=browser.shown("dn1", 9864))
    assert daemon.requests[-1][1] == f"/webhdfs/v1/a%20b?{query}"


def test_files_pass_as_they_are(daemon: Daemon, browser: Browser) -> None:
    content = b"http://dn1.sales.howdah:9864/ is what somebody wrote\n" * 10_000
    daemon.headers, daemon.body = {"Content-Type": "application/octet-stream"}, content
    assert browser.ask().body == content


def test_an_answer_without_a_length_ends_with_the_connection(daemon: Daemon, browser: Browser) -> None:
    daemon.headers, daemon.body, daemon.has_length = {"Content-Type": "application/octet-stream"}, b"abc" * 1000, False
    answer = browser.ask()
    assert (answer.body, answer.headers["Connection"]) == (daemon.body, "close")


def test_a_page_is_rewritten_though_it_was_packed(daemon: Daemon, browser: Browser) -> None:
    """Some servers do it unasked."""
    daemon.headers = {"Content-Type": "text/html", "Content-Encoding": "gzip"}
    daemon.body = gzip.compress(b"http://dn1.sales.howdah:9864/")
    answer = browser.ask()
    assert answer.body.decode() == f"http://{browser.shown('dn1', 9864)}/"
    assert "Content-Encoding" not in answer.headers


def test_a_packing_that_is_not_known_passes_as_it_is(daemon: Daemon, browser: Browser) -> None:
    daemon.headers, daemon.body = {"Content-Type": "text/html", "Content-Encoding": "br"}, b"\x00packed"
    answer = browser.ask()
    assert (answer.body, answer.headers["Content-Encoding"]) == (daemon.body, "br")


@pytest.mark.parametrize("status", [204, 304])
def test_answers_without_a_body_do_not_keep_the_next_one_waiting(daemon: Daemon, browser: Browser, status: int) -> None:
    daemon.status = status
    assert browser.ask().status == status
    daemon.status, daemon.body = 200, b"next"
    assert browser.ask().body == b"next"


def test_the_length_is_told_without_the_file(daemon: Daemon, browser: Browser) -> None:
    daemon.headers, daemon.body = {"Content-Type": "application/octet-stream"}, b"12345"
    answer = browser.ask(method="HEAD")
    assert (answer.body, answer.headers["Content-Length"]) == (b"", "5")
    daemon.headers = {"Content-Type": "text/html"}
    assert "Content-Length" not in browser.ask(method="HEAD").headers  # it is not that of the rewritten page
    assert browser.ask().body == b"12345"


def test_uploads_arrive_whole(daemon: Daemon, browser: Browser) -> None:
    content = bytes(range(256)) * 5000
    assert (
        browser.ask(method="PUT", body=content, headers={"Origin": f"http://{browser.shown('nn1', 9870)}"}).status
        == 200
    )
    assert daemon.requests[0][3] == content


@pytest.mark.parametrize("host", ["127.0.0.1", "evil.example", "dn1-9864.other.localhost", "nn1-8020.sales.localhost"])
def test_other_names_are_refused_and_nobody_is_asked(daemon: Daemon, browser: Browser, host: str) -> None:
    answer = browser.ask(host=host)
    assert (answer.status, answer.headers["Connection"]) == (421, "close")
    assert daemon.dialled == []


@pytest.mark.parametrize("origin", ["http://evil.example", "null"])
def test_pages_of_other_sites_change_nothing(daemon: Daemon, browser: Browser, origin: str) -> None:
    assert browser.ask("/webhdfs/v1/x?op=TRUNCATE", "POST", body=b"x", headers={"Origin": origin}).status == 403
    assert daemon.dialled == []


def test_a_body_of_unknown_length_is_refused(daemon: Daemon, browser: Browser) -> None:
    assert browser.ask(method="PUT", headers={"Transfer-Encoding": "chunked"}, body=b"0\r\n\r\n").status == 411
    assert daemon.dialled == []


def test_a_daemon_that_does_not_answer_is_named(browser: Browser) -> None:
    answer = browser.ask(host=browser.shown("nn1", 50070))
    assert answer.status == 502
    assert answer.body == b"nn1.sales.howdah:50070 does not answer: nothing listens there\n"
    assert browser.ask().status == 200


def test_a_browser_that_goes_away_is_nothing_to_tell(
    daemon: Daemon, browser: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    daemon.headers, daemon.body = {"Content-Type": "application/octet-stream"}, bytes(20_000_000)
    browser.connection.request("GET", "/", headers={"Host": browser.shown("nn1", 9870)})
    browser.connection.close()
    daemon.body = b"still there"
    assert browser.ask().body == b"still there"
    assert capsys.readouterr().err == ""


def test_where_the_port_is_taken_another_is_found(pages: Pages) -> None:
    other = Pages(
        lambda port: Addresses.of("sales", port, ENDPOINTS), lambda instance, port: socket.socket(), pages.port
    )
    serving = threading.Thread(target=other.serve)
    serving.start()
    assert other.port != pages.port
    assert other.url(Target("nn1", 9870)) == f"http://nn1-9870.sales.localhost:{other.port}/"
    other.close()
    serving.join()
