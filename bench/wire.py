"""Two pods and the node between them, and how fast packets go from one to the other."""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import time
from typing import TYPE_CHECKING

from ringfence.edges import links
from ringfence.edges.netns import Network

if TYPE_CHECKING:
    from collections.abc import Sequence

_BATCHES, _BATCH = 3, 64
"""As many packets as a socket's queue holds."""

_CONNECTIONS = 30
_PAYLOAD = b"ringfence"
_MAC = "02:00:00:00:00:0{}"
_LINGER = struct.pack("ii", 1, 0)

_libc = ctypes.CDLL(None, use_errno=True)


class _Vector(ctypes.Structure):
    _fields_ = (("base", ctypes.c_char_p), ("length", ctypes.c_size_t))


class _Header(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint32),
        ("vectors", ctypes.POINTER(_Vector)),
        ("vector_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class _Message(ctypes.Structure):
    _fields_ = (("header", _Header), ("sent", ctypes.c_uint32))


class Wire:
    """A client and a server in namespaces of their own, and a node that forwards between them.

    Attributes:
        node: The node's namespace.
    """

    def __init__(self, client: str, server: str, port: int) -> None:
        """Build it.

        Args:
            client: An address.
            server: An address.
            port: Where the server listens, TCP and UDP.
        """
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        self.node, ends = Network.create(), [Network.create(), Network.create()]
        self._server, self._port = server, port
        links.set_sysctls(self.node, {"ipv4/ip_forward": "1"})
        for index, (network, address) in enumerate(zip(ends, (client, server), strict=True)):
            near, far_end = f"p{index}", f"address {_MAC.format(2)} netns {links.reference(network)}"
            lines = [
                f"link add {near} address {_MAC.format(1)} type veth peer name eth0 {far_end}",
                f"link set {near} up",
                f"neigh add {address} lladdr {_MAC.format(2)} dev {near} nud permanent",
                f"route add {address}/32 dev {near}",
            ]
            links.configure([(self.node, lines)], [network])
            far = [
                "link set lo up",
                "link set eth0 up",
                f"addr add {address}/32 dev eth0",
                f"neigh add 169.254.1.1 lladdr {_MAC.format(1)} dev eth0 nud permanent",
                "route add default via 169.254.1.1 dev eth0 onlink",
            ]
            links.configure([(network, far)])
        links.wait_until_up([(self.node, "p0"), (self.node, "p1"), *((network, "eth0") for network in ends)])
        self._ends = ends
        self._listen()

    def _listen(self) -> None:
        with self._ends[1].entered():
            self._listener = socket.create_server((self._server, self._port), backlog=64)
            self._sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._sink.bind((self._server, self._port))
        self._sink.setblocking(False)  # noqa: FBT003 - the library's own
        with self._ends[0].entered():
            self._source = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._source.connect((self._server, self._port))
        vector = _Vector(_PAYLOAD, len(_PAYLOAD))
        message = _Message(_Header(None, 0, ctypes.pointer(vector), 1, None, 0, 0), 0)
        self._batch = (_Message * _BATCH)(*[message] * _BATCH)

    def flood(self) -> float:
        """Return the CPU seconds that a packet takes from the client to the server's queue.

        Raises:
            RuntimeError: some of them did not arrive.
        """
        started = time.thread_time()
        for _ in range(_BATCHES):
            self._send()
        spent = time.thread_time() - started
        if self._drain() < _BATCHES * _BATCH:
            message = "the flood did not arrive"
            raise RuntimeError(message)
        return spent / (_BATCHES * _BATCH)

    def _send(self) -> None:
        if _libc.sendmmsg(self._source.fileno(), self._batch, _BATCH, 0) != _BATCH:
            raise OSError(ctypes.get_errno(), "sendmmsg")

    def _drain(self) -> int:
        arrived = 0
        while True:
            try:
                self._sink.recv(64)
            except BlockingIOError:
                return arrived
            arrived += 1

    def connect(self) -> float:
        """Return the CPU seconds that a connection takes: opened, a request and an answer, closed."""
        with self._ends[0].entered():
            clients = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(_CONNECTIONS)]
        started = time.thread_time()
        for client in clients:
            client.connect((self._server, self._port))
            server, _ = self._listener.accept()
            client.send(_PAYLOAD)
            server.send(server.recv(64))
            client.recv(64)
            # Ended by a reset, so that its port is free again at once.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
            client.close()
            server.close()
        return (time.thread_time() - started) / _CONNECTIONS

    def denied(self, count: int, ports: Sequence[int]) -> None:
        """Send packets to ports that the policies do not allow, in turn."""
        with self._ends[0].entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for number in range(count):
                sock.sendto(_PAYLOAD, (self._server, ports[number % len(ports)]))
