"""Commands in running containers: over the hijacked connection of the Engine API, "Exec"."""

import io
import os
import select
import signal
import socket
import sys
import termios
import threading
import time
import tty
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from howdah.engines.docker import frames
from howdah.engines.docker.connection import Answer, Connection
from howdah.errors import Failed, NotFound, Transient
from howdah.ports.engine import ExecResult

CHUNK = 64 * 1024
EXIT_CODE_SECONDS = 10


class Stream:
    """The connection on which a command runs. Read and written by different threads, closed once."""

    def __init__(self, hijacked: Any) -> None:
        # docker-py hands out the raw socket, but bytes that came right behind the HTTP head are in the reader above it,
        # and would be lost: so read from that one. Keeping the response keeps its socket open.
        self._response = hijacked._response
        self._reader: io.BufferedReader = self._response.raw._fp.fp
        self._socket: Any = getattr(hijacked, "_sock", hijacked)
        self.set_timeout(None)

    def set_timeout(self, seconds: float | None) -> None:
        """For reading; a TimeoutError ends the use of the stream."""
        if hasattr(self._socket, "settimeout"):
            self._socket.settimeout(seconds)

    def read(self, size: int) -> bytes:
        """Up to that many bytes as soon as there are any; none at the end."""
        try:
            return self._reader.read1(size)
        except TimeoutError:
            raise
        except (OSError, ValueError):
            return b""  # reset, or closed by another thread: frames tell whether something is missing

    def write(self, data: bytes) -> None:
        """All of it. Raises OSError where the command has ended."""
        if hasattr(self._socket, "proc"):  # the ssh program of an ssh:// address
            self._socket.proc.stdin.write(data)
            self._socket.proc.stdin.flush()
        else:
            self._socket.sendall(data)

    def close_write(self) -> None:
        """End the command's standard input; its output goes on. Raises Failed over TLS, where Python cannot."""
        if hasattr(self._socket, "proc"):
            self._socket.proc.stdin.close()
        elif hasattr(self._socket, "unwrap"):
            raise Failed("the end of a program's input cannot be sent over TLS", fix="use an ssh:// address")
        else:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_WR)

    def break_off(self) -> None:
        """Wake whoever reads or writes."""
        if hasattr(self._socket, "shutdown"):
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def __del__(self) -> None:
        self.close()  # of a command that nobody followed to its end

    def close(self) -> None:
        """Give the connection back."""
        self.break_off()
        with suppress(OSError):
            self._response.close()
        with suppress(OSError):
            self._socket.close()


def start(
    engine: Connection,
    name: str,
    argv: tuple[str, ...],
    *,
    stdin: bool,
    terminal: bool = False,
    user: str = "",
    environment: Mapping[str, str] | None = None,
) -> tuple[str, Stream]:
    """Start a command; returns the engine's id for it and its stream.

    Raises NotFound where there is no such container, Transient where it does not run.
    """
    doing = f"run {argv[0]} in container {name}"
    try:
        made = engine.ask(
            doing,
            lambda client: client.exec_create(
                name, list(argv), stdin=stdin, tty=terminal, user=user, environment=dict(environment or {})
            ),
        )
        exec_id = str(made["Id"])
    except Answer as answer:
        if answer.status == 404:
            raise NotFound(f"{doing}: there is no such container", fix="howdah list shows what there is") from answer
        raise _not_running(doing, answer) from answer
    try:
        return exec_id, Stream(engine.ask(doing, lambda client: client.exec_start(exec_id, tty=terminal, socket=True)))
    except Answer as answer:
        raise _not_running(doing, answer) from answer


def run(
    engine: Connection,
    name: str,
    argv: tuple[str, ...],
    stdin: bytes,
    user: str,
    environment: Mapping[str, str] | None,
) -> ExecResult:
    """Run a command to its end."""
    exec_id, stream = start(engine, name, argv, stdin=bool(stdin), user=user, environment=environment)
    feeder = threading.Thread(target=_feed, args=(stream, stdin), name=f"stdin of {name}", daemon=True)
    try:
        if stdin:
            feeder.start()
        stdout, stderr = frames.collect(frames.demultiplex(stream.read))
    finally:
        stream.close()
    if stdin:
        feeder.join()
    return ExecResult(exit_code(engine, exec_id), stdout, stderr)


class DockerExecStream:
    """A command that runs, followed from here."""

    def __init__(self, engine: Connection, exec_id: str, stream: Stream) -> None:
        self._engine = engine
        self._exec_id = exec_id
        self._stream = stream

    def __iter__(self) -> Iterator[tuple[bool, bytes]]:
        try:
            yield from frames.demultiplex(self._stream.read)
        finally:
            self._stream.close()

    def exit_code(self) -> int:
        """After the last output."""
        return exit_code(self._engine, self._exec_id)

    def write(self, data: bytes) -> None:
        """To its standard input. Raises Transient where it has ended."""
        try:
            self._stream.write(data)
        except OSError as error:
            raise Transient(f"the command takes no more input: {error}") from error

    def close_stdin(self) -> None:
        """End its standard input."""
        self._stream.close_write()


def shell(engine: Connection, name: str, argv: tuple[str, ...]) -> int:
    """Join this process's terminal, or its pipes, to a command."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return _piped(engine, name, argv)
    environment = {"TERM": os.environ.get("TERM", "xterm")}
    exec_id, stream = start(engine, name, argv, stdin=True, terminal=True, environment=environment)
    wake_read, wake_write = os.pipe()

    def resize() -> None:
        size = os.get_terminal_size(sys.stdout.fileno())
        with suppress(Answer):  # it may have ended
            engine.ask(
                "resize the terminal",
                lambda client: client.exec_resize(exec_id, height=size.lines, width=size.columns),
            )

    def show() -> None:
        while data := stream.read(CHUNK):
            _write_all(sys.stdout.fileno(), data)
        os.write(wake_write, b"end")

    try:
        with _raw_terminal(sys.stdin.fileno()), _on_resize(lambda: os.write(wake_write, b"r")):
            resize()
            shower = threading.Thread(target=show, name=f"output of {name}", daemon=True)
            shower.start()
            _type(stream, sys.stdin.fileno(), wake_read, resize)
            shower.join()
    finally:
        stream.close()
        os.close(wake_read)
        os.close(wake_write)
    return exit_code(engine, exec_id)


def exit_code(engine: Connection, exec_id: str) -> int:
    """How a command ended. Its output can end a moment before the engine knows."""
    deadline = time.monotonic() + EXIT_CODE_SECONDS
    while True:
        try:
            found = engine.ask("ask how a command ended", lambda client: client.exec_inspect(exec_id))
        except Answer as answer:
            if answer.status == 404:
                gone = "the container was removed while a command ran in it"
                raise Transient(gone, fix="run the same command again") from answer
            raise
        if not found["Running"] and found["ExitCode"] is not None:
            return int(found["ExitCode"])
        if time.monotonic() > deadline:
            raise Transient(f"a command closed its output, but has not ended for {EXIT_CODE_SECONDS} s")
        time.sleep(0.02)


def _not_running(doing: str, answer: Answer) -> Exception:
    """404: gone between two requests. 409: stopped or paused."""
    if answer.status in (404, 409):
        return Transient(f"{doing}: {answer.words}", fix="start it, then run the same command again")
    return answer


def _feed(stream: Stream, data: bytes) -> None:
    with suppress(OSError):  # it ended without reading everything, which is its right
        stream.write(data)
        stream.close_write()


def _piped(engine: Connection, name: str, argv: tuple[str, ...]) -> int:
    exec_id, stream = start(engine, name, argv, stdin=True)

    def pump() -> None:
        with suppress(OSError, ValueError):
            while data := os.read(sys.stdin.fileno(), CHUNK):
                stream.write(data)
            stream.close_write()

    # Not joined: it may wait for input that never comes after the command has ended.
    threading.Thread(target=pump, name=f"input of {name}", daemon=True).start()
    try:
        for is_error, data in frames.demultiplex(stream.read):
            _write_all((sys.stderr if is_error else sys.stdout).fileno(), data)
    finally:
        stream.close()
    return exit_code(engine, exec_id)


def _type(stream: Stream, keyboard: int, wake: int, resize: Any) -> None:
    """Send what is typed until the command has ended."""
    watched = [keyboard, wake]
    while True:
        ready, _, _ = select.select(watched, [], [])
        if wake in ready:
            if b"e" in os.read(wake, CHUNK):
                return
            resize()
        if keyboard in ready:
            data = os.read(keyboard, CHUNK)
            if not data:
                watched.remove(keyboard)
                stream.close_write()
            else:
                with suppress(OSError):
                    stream.write(data)


def _write_all(target: int, data: bytes) -> None:
    while data:
        data = data[os.write(target, data) :]


@contextmanager
def _raw_terminal(terminal: int) -> Iterator[None]:
    before = termios.tcgetattr(terminal)
    try:
        tty.setraw(terminal)
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


@contextmanager
def _on_resize(tell: Any) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may handle signals
        return
    before = signal.signal(signal.SIGWINCH, lambda *_: tell())
    try:
        yield
    finally:
        signal.signal(signal.SIGWINCH, before)
