"""Put the pretended reader at the end of a pseudo-terminal, or of a TCP port of this machine."""

import os
import pty
import select
import socket
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from shiming.identity_proofing.sandbox_reader.device import SandboxReader

HOST = "127.0.0.1"  # a pretended reader is nobody else's business
_PIECE = 1_024
_LOOK_EVERY_S = 0.2
_STOP_S_MAX = 2.0


@contextmanager
def at_terminal(reader: SandboxReader) -> Iterator[str]:
    """Answer at a pseudo-terminal until the block ends; yield its path, such as /dev/pts/7."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    stop = threading.Event()
    thread = threading.Thread(target=_serve_terminal, args=(reader, ours, stop), daemon=True)
    thread.start()
    try:
        yield os.ttyname(theirs)
    finally:
        stop.set()
        thread.join(_STOP_S_MAX)
        for end in (ours, theirs):
            with suppress(OSError):
                os.close(end)


@contextmanager
def at_port(reader: SandboxReader, port: int = 0) -> Iterator[int]:
    """Answer at a TCP port of this machine, one connection at a time; yield the port."""
    stop = threading.Event()
    with socket.create_server((HOST, port)) as server:
        server.settimeout(_LOOK_EVERY_S)
        thread = threading.Thread(target=_serve_port, args=(reader, server, stop), daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            stop.set()
            thread.join(_STOP_S_MAX)


def _serve_terminal(reader: SandboxReader, end: int, stop: threading.Event) -> None:
    while not stop.is_set():
        ready, _, _ = select.select([end], [], [], _LOOK_EVERY_S)
        if ready:
            answer = reader.take(os.read(end, _PIECE))
            while answer:
                answer = answer[os.write(end, answer) :]


def _serve_port(reader: SandboxReader, server: socket.socket, stop: threading.Event) -> None:
    while not stop.is_set():
        with suppress(TimeoutError):
            peer, _ = server.accept()
            with peer, suppress(OSError):
                _serve_peer(reader, peer, stop)


def _serve_peer(reader: SandboxReader, peer: socket.socket, stop: threading.Event) -> None:
    peer.settimeout(_LOOK_EVERY_S)
    while not stop.is_set():
        with suppress(TimeoutError):
            piece = peer.recv(_PIECE)
            if not piece:
                return
            peer.sendall(reader.take(piece))
