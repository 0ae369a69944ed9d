"""The conversation between commands and a lab, and where a lab is found."""

from __future__ import annotations

import os
import signal
import socket
import stat
from typing import TYPE_CHECKING

import pytest

from ringfence.errors import InputError, WorldError
from ringfence.lab.control import Channel, Client, ControlSocket, end_process, error_message

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # noqa: ANN202
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


def pair() -> tuple[Channel, Channel]:
    """Both ends of a conversation."""
    one, other = socket.socketpair()
    return Channel(one), Channel(other)


def quiet(_text: str) -> None:
    """Do not care how far it is."""


def test_messages_arrive_one_by_one():
    """However the stream cuts them."""
    one, other = pair()

    one.send({"a": 1})
    one.socket.sendall(b'{"b": 2}\n{"c"')
    one.socket.sendall(b": 3}\n")

    assert [other.receive() for _ in range(3)] == [{"a": 1}, {"b": 2}, {"c": 3}]


def test_the_end_of_a_conversation_is_no_message():
    """Nor is half a message."""
    one, other = pair()
    one.socket.sendall(b'{"half":')
    one.close()

    assert other.receive() is None


def test_open_files_come_with_a_message():
    """They are the receiver's own then."""
    one, other = pair()
    reading, writing = os.pipe()

    one.send({"here": "it is"}, [writing])
    other.receive()
    (received,) = other.take_descriptors()
    os.close(writing)
    os.write(received, b"x")

    assert os.read(reading, 1) == b"x"
    assert other.take_descriptors() == []
    os.close(received)
    os.close(reading)


def test_an_answer_comes_after_what_was_said_on_the_way():
    """Progress goes to whoever waits."""
    one, other = pair()
    told: list[str] = []
    for message in ({"progress": "half"}, {"answer": 42}):
        other.send(message)

    assert Client(one, told.append).ask("anything", how="so") == 42
    assert told == ["half"]
    assert other.receive() == {"ask": "anything", "how": "so"}


@pytest.mark.parametrize("error", [InputError("wrong", "do it right"), WorldError("refused", "try later")])
def test_an_error_arrives_as_what_it_was(error: InputError | WorldError):
    """With its hint, and of its kind: the exit code depends on it."""
    one, other = pair()
    other.send(error_message(error))

    with pytest.raises(type(error), match=error.message) as caught:
        Client(one, quiet).wait()

    assert caught.value.hint == error.hint


def test_a_lab_that_ends_instead_of_answering_is_an_error():
    """Nobody waits for ever."""
    one, other = pair()
    other.close()

    with pytest.raises(WorldError, match="the lab has ended"):
        Client(one, quiet).wait()


@pytest.mark.parametrize("name", ["", "../x", "a/b", "A", "-a", "a" * 33])
def test_a_name_that_is_none_is_refused(name: str):
    """It becomes a file name."""
    with pytest.raises(InputError, match="lab name"):
        ControlSocket(name)


def test_the_folder_is_for_its_user_alone(tmp_path: Path):
    """Whoever may open the socket may run commands in the lab."""
    control = ControlSocket("default")

    assert control.path.parent == tmp_path / "ringfence"
    assert stat.S_IMODE(control.path.parent.stat().st_mode) == 0o700


def test_a_folder_that_others_can_open_is_refused(tmp_path: Path):
    """Somebody may have put it there beforehand."""
    (tmp_path / "ringfence").mkdir(mode=0o755)

    with pytest.raises(WorldError, match="not a folder of yours alone"):
        ControlSocket("default")


def test_a_link_instead_of_a_folder_is_refused(tmp_path: Path):
    """It could lead anywhere."""
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "ringfence").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(WorldError, match="not a folder of yours alone"):
        ControlSocket("default")


def test_without_a_runtime_folder_the_temporary_one_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """With the user's number in its name."""
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    assert ControlSocket("default").path == tmp_path / f"ringfence-{os.geteuid()}" / "default.sock"


def test_a_path_that_is_too_long_for_a_socket_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """The kernel's limit is 107 bytes."""
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(deep))

    with pytest.raises(WorldError, match="too long"):
        ControlSocket("default")


def test_nobody_is_there_at_first():
    """And nothing was left over."""
    control = ControlSocket("default")

    assert control.connect() is None
    assert not control.leftovers


def test_a_control_is_taken_once():
    """The second lab of one name is told so."""
    control = ControlSocket("default")
    listener = control.listen()

    with pytest.raises(WorldError, match="already there"):
        control.listen()

    sock = control.connect()
    assert sock is not None
    sock.close()
    listener.close()


def test_what_a_killed_lab_has_left_is_removed():
    """A socket that nobody listens at, and the log."""
    control = ControlSocket("default")
    control.listen().close()
    control.log.write_text("killed\n")

    assert control.connect() is None
    assert control.leftovers
    assert not control.path.exists()
    assert not control.log.exists()


def test_a_process_is_ended_by_its_socket():
    """Even one that ignores the polite way."""
    control = ControlSocket("default")
    ready, told = os.pipe()
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        listener = control.listen()
        os.write(told, b"x")
        signal.pause()
        listener.close()
        os._exit(0)
    os.read(ready, 1)
    sock = control.connect()
    assert sock is not None

    end_process(sock)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGTERM
    for descriptor in (ready, told):
        os.close(descriptor)
