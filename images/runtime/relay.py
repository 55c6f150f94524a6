"""relay.py HOST PORT: standard input to a TCP connection, and back to standard output, byte for byte.

Once connected it says `ok` on a line of standard error, so that a caller knows before the first byte of an answer.
The end of standard input is passed on as a half-close, and the answer is still read to its end. When the other side
closes, what has already arrived on standard input is still offered to it, then the relay ends: waiting longer would keep
a caller that reads to the end of the answer from ever seeing it.
Exit code: 0 both sides done, 1 could not connect or the connection broke, 64 wrong arguments.
"""

import os
import select
import socket
import sys

CHUNK = 256 * 1024
CONNECT_SECONDS = 10


class Pipe:
    """One direction: at most one chunk under way, so a slow reader slows its writer down."""

    def __init__(self, source, sink):
        self.source = source
        self.sink = sink
        self.waiting = b""
        self.open = True

    def read(self):
        try:
            data = os.read(self.source, CHUNK)
        except BlockingIOError:
            return
        if data:
            self.waiting = data
        else:
            self.open = False

    def write(self):
        try:
            self.waiting = self.waiting[os.write(self.sink, self.waiting) :]
        except BlockingIOError:
            pass


def fail(message):
    sys.stderr.write("relay: %s\n" % message)
    sys.exit(1)


def connect(host, port):
    try:
        connection = socket.create_connection((host, port), CONNECT_SECONDS)
    except OSError as error:
        fail("cannot connect to %s:%d: %s" % (host, port, error.strerror or error))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setblocking(False)
    return connection


def offer_what_is_left(up):
    """The other side has closed: send what is already here, without waiting for more or for room."""
    while up.open or up.waiting:
        if not up.waiting:
            if not select.select([up.source], [], [], 0)[0]:
                return
            up.read()
            continue
        if not select.select([], [up.sink], [], 0)[1]:
            return
        try:
            up.write()
        except OSError:
            return


def relay(connection, inward=0, outward=1):
    up = Pipe(inward, connection.fileno())
    down = Pipe(connection.fileno(), outward)
    os.set_blocking(inward, False)
    os.set_blocking(outward, False)
    half_closed = False
    while down.open or down.waiting:
        if not up.open and not up.waiting and not half_closed:
            connection.shutdown(socket.SHUT_WR)
            half_closed = True
        readable = [pipe.source for pipe in (up, down) if pipe.open and not pipe.waiting]
        writable = [pipe.sink for pipe in (up, down) if pipe.waiting]
        readable, writable, _ = select.select(readable, writable, [])
        for pipe in (down, up):
            if pipe.sink in writable and pipe.waiting:
                try:
                    pipe.write()
                except OSError:
                    if pipe is down:
                        raise
                    # It answers without wanting the rest (a refused upload): its answer is still ours to deliver.
                    up.open, up.waiting, half_closed = False, b"", True
            elif pipe.source in readable and pipe.open and not pipe.waiting:
                pipe.read()
    offer_what_is_left(up)


def main():
    if len(sys.argv) != 3 or not sys.argv[2].isdigit():
        sys.stderr.write("usage: relay.py HOST PORT\n")
        sys.exit(64)
    host, port = sys.argv[1], int(sys.argv[2])
    connection = connect(host, port)
    sys.stderr.write("ok\n")
    sys.stderr.flush()
    try:
        relay(connection)
    except OSError as error:
        fail("connection to %s:%d broke: %s" % (host, port, error.strerror or error))
    connection.close()


main()
