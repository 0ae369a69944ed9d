"""How commands speak to a lab: JSON lines over a Unix socket that only its user can open.

A request is ``{"ask": NAME, ...}``. What comes back are any number of ``{"progress": TEXT}``
and ``{"told": ...}``, then one ``{"answer": ...}`` or one ``{"error": MESSAGE, "hint": TEXT,
"kind": "input" or "world"}``.
"""

from __future__ import annotations

import json
import os
import re
import select
import signal
import socket
import stat
import struct
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ringfence.errors import InputError, RingfenceError, WorldError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Message = dict[str, Any]

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?")
_LONGEST_PATH = 107
_ENDS_WITHIN_S = 5.0
_CREDENTIALS = struct.Struct("3i")


class Channel:
    """One end of a conversation.

    Attributes:
        socket: The stream that carries it.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self._rest = b""
        self._descriptors: list[int] = []

    def fileno(self) -> int:
        """Return the descriptor to poll."""
        return self.socket.fileno()

    def send(self, message: Message, descriptors: Sequence[int] = ()) -> None:
        """Send a message, with open files when there are any; ``OSError`` when nobody listens."""
        data = json.dumps(message).encode() + b"\n"
        if descriptors:
            socket.send_fds(self.socket, [data], list(descriptors))
        else:
            self.socket.sendall(data)

    def send_now(self, data: bytes) -> int:
        """Send as much as is taken without waiting; returns how much that was."""
        patience = self.socket.gettimeout()
        self.socket.settimeout(0)
        try:
            return self.socket.send(data)
        except BlockingIOError:
            return 0
        finally:
            self.socket.settimeout(patience)

    def receive(self) -> Message | None:
        """Wait for a message; None when the other end has gone."""
        while b"\n" not in self._rest:
            try:
                data, descriptors, _, _ = socket.recv_fds(self.socket, 1 << 16, 8)
            except ConnectionResetError:
                return None
            self._descriptors += descriptors
            if not data:
                return None
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        message: Message = json.loads(line)
        return message

    def take_descriptors(self) -> list[int]:
        """Return the open files that came with the messages so far."""
        taken, self._descriptors = self._descriptors, []
        return taken

    def close(self) -> None:
        """End the conversation."""
        self.socket.close()


class Client:
    """A command's end: asks, and turns refusals into errors."""

    def __init__(self, channel: Channel, progress: Callable[[str], None], log: str = "") -> None:
        """Begin to speak.

        Args:
            channel: The conversation.
            progress: Is told how far the lab is.
            log: Where the lab writes of its end; empty for this terminal.
        """
        self._channel = channel
        self._progress = progress
        self._log = log

    def ask(self, name: str, **arguments: Any) -> Any:
        """Ask and wait for the answer.

        Raises:
            InputError: the lab says that the question is wrong.
            WorldError: the machine refused, or the lab ended.
        """
        self._channel.send({"ask": name, **arguments})
        return self.wait()

    def wait(self) -> Any:
        """Wait for an answer; raises as :meth:`ask` does."""
        while message := self._channel.receive():
            if "answer" in message:
                return message["answer"]
            if "error" in message:
                raise _read_error(message)
            if "progress" in message:
                self._progress(message["progress"])
        text = "the lab has ended"
        raise WorldError(text, f"see {self._log or 'above'} for the reason")

    def follow(self, name: str, **arguments: Any) -> Iterator[Message]:
        """Ask for what never ends, and yield each message until the lab does."""
        self._channel.send({"ask": name, **arguments})
        while message := self._channel.receive():
            yield message

    def outlast(self) -> None:
        """Wait until the lab has ended."""
        while self._channel.receive():
            pass

    def take_descriptors(self) -> list[int]:
        """Return the open files that came with the answers so far."""
        return self._channel.take_descriptors()

    def close(self) -> None:
        """Leave."""
        self._channel.close()


def error_message(error: RingfenceError) -> Message:
    """Return the message that tells of an error."""
    kind = "input" if isinstance(error, InputError) else "world"
    return {"error": str(error), "hint": error.hint, "kind": kind}


def _read_error(message: Message) -> RingfenceError:
    kind = InputError if message["kind"] == "input" else WorldError
    return kind(message["error"], message["hint"])


class ControlSocket:
    """Where a lab of some name can be reached.

    Attributes:
        name: The lab's name.
        path: Its control socket.
        log: What it writes when it runs in the background.
        leftovers: Whether something that a killed lab had left was removed.
    """

    def __init__(self, name: str) -> None:
        """Find it; the folder is made when it is not there.

        Raises:
            InputError: the name is none.
            WorldError: the folder belongs to somebody else.
        """
        if not _NAME.fullmatch(name):
            message = f"lab name {name!r}: expected lower-case letters, digits and dashes, at most 32"
            raise InputError(message)
        folder = _folder()
        self.name = name
        self.path = folder / f"{name}.sock"
        self.log = folder / f"{name}.log"
        self.leftovers = False
        if len(str(self.path)) > _LONGEST_PATH:
            message = f"the path of the control socket is too long: {self.path}"
            raise WorldError(message, "set XDG_RUNTIME_DIR to a shorter one")

    def connect(self) -> socket.socket | None:
        """Connect to the lab; None when there is none.

        What a lab that was killed has left is removed; its namespaces ended with it.
        """
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.connect(str(self.path))
        except FileNotFoundError:
            sock.close()
            return None
        except ConnectionRefusedError:
            sock.close()
            self.remove()
            self.leftovers = True
            return None
        except OSError as error:
            sock.close()
            message = f"cannot reach the lab: {(error.strerror or '').lower()}"
            raise WorldError(message) from error
        return sock

    def listen(self) -> socket.socket:
        """Listen there.

        Raises:
            WorldError: another lab does.
        """
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.bind(str(self.path))
        except OSError as error:
            sock.close()
            message = f"a lab named {self.name!r} is already there"
            raise WorldError(message, "choose another --name, or take it down first") from error
        sock.listen(8)
        return sock

    def remove(self, *, log: bool = True) -> None:
        """Remove the socket, and the log unless there is something to read in it."""
        self.path.unlink(missing_ok=True)
        if log:
            self.log.unlink(missing_ok=True)


def end_process(sock: socket.socket) -> None:
    """End the process at the other end of a socket, and wait until it has gone.

    Raises:
        WorldError: it cannot be ended.
    """
    credentials = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    process, _, _ = _CREDENTIALS.unpack(credentials)
    try:
        descriptor = os.pidfd_open(process)
    except ProcessLookupError:
        return
    except OSError as error:
        message = "the process of the lab cannot be seen from here"
        raise WorldError(message, "take it down from where it was brought up") from error
    try:
        for number in (signal.SIGTERM, signal.SIGKILL):
            signal.pidfd_send_signal(descriptor, number)
            if select.select([descriptor], [], [], _ENDS_WITHIN_S)[0]:
                return
    except ProcessLookupError:
        return
    finally:
        os.close(descriptor)


def _folder() -> Path:
    """Return the folder of this user's control sockets, made if need be.

    Raises:
        WorldError: somebody else could put something there.
    """
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    folder = Path(runtime, "ringfence") if runtime else Path(tempfile.gettempdir(), f"ringfence-{os.geteuid()}")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        message = f"cannot make {folder}: {(error.strerror or '').lower()}"
        raise WorldError(message, "set XDG_RUNTIME_DIR to a folder of yours") from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        message = f"{folder} is not a folder of yours alone"
        raise WorldError(message, "remove it, or set XDG_RUNTIME_DIR to a folder of yours")
    return folder
