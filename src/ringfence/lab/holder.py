"""The process that is a lab: it owns every namespace and socket, and answers commands.

It is PID 1 of a world of its own, so whatever ends it ends the lab and leaves nothing but
the path of its socket.
"""

from __future__ import annotations

import os
import select
import signal
import socket
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.edges.netns import CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWUSER, fork_isolated
from ringfence.errors import InputError, RingfenceError
from ringfence.lab.cluster import Cluster
from ringfence.lab.control import Channel, Client, error_message
from ringfence.lab.demonstration import demonstrate
from ringfence.lab.following import Follower
from ringfence.lab.play import Play
from ringfence.lab.telling import DropTeller, FlowTeller
from ringfence.lab.trying import Attempt
from ringfence.lab.verification import verify
from ringfence.lab.words import summarize, tell_play, tell_verification
from ringfence.readers.play import read_play
from ringfence.readers.source import Source
from ringfence.semantics.question import Question
from ringfence.semantics.scene import Scenes
from ringfence.semantics.sides import Sides

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringfence.edges.netns import Network
    from ringfence.errors import ManifestError
    from ringfence.lab.control import ControlSocket, Message
    from ringfence.lab.topology import Topology
    from ringfence.lab.words import Words

_BUG = 70
_PATIENCE_S = 2.0
"""How long a command may take to read what it asked for."""

ENTERED = ("user", "mnt", "net", "pid")
"""Namespaces that are handed over for entering, in the order to enter them; /proc has these names."""

KINDS = dict(zip(ENTERED, (CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWNET, CLONE_NEWPID), strict=True))


class _EndedError(Exception):
    """Somebody wants the lab to end."""


def _end(*_: object) -> None:
    raise _EndedError


class Running:
    """A lab that a command has started.

    Attributes:
        client: Asks it.
    """

    def __init__(self, client: Client, keeper: int) -> None:
        self.client = client
        self._keeper = keeper

    def close(self) -> None:
        """Let go of it; one without a name ends, and is waited for."""
        self.client.close()
        os.waitpid(self._keeper, 0)


def start(
    topology: Topology,
    control: ControlSocket | None,
    *,
    stays: bool,
    partial: bool,
    progress: Callable[[str], None],
) -> Running:
    """Start a lab.

    Args:
        topology: What to build.
        control: Where it can be reached; None for one that only the caller reaches.
        stays: Whether it lives on when the caller lets go.
        partial: Whether part of its input was not read or is in error; every answer says so.
        progress: Is told how far it is.

    Returns:
        The lab, whose first answer is its summary: :meth:`Client.wait` for it.
    """
    ours, theirs = socket.socketpair()

    def main() -> int:
        ours.close()
        return Holder(Channel(theirs), control, stays=stays, partial=partial).run(topology)

    keeper = fork_isolated(main, refused=lambda error: Channel(theirs).send(error_message(error)), waited_for=not stays)
    theirs.close()
    return Running(Client(Channel(ours), progress, str(control.log) if control and stays else ""), keeper)


class Holder:
    """Builds a cluster and serves it until it is told to end, or until nobody is left to serve."""

    def __init__(self, creator: Channel, control: ControlSocket | None, *, stays: bool, partial: bool) -> None:
        self._creator = creator
        self._control = control
        self._stays = stays
        self._partial = partial
        self._channels: dict[int, Channel] = {}
        self._followers: dict[int, Follower] = {}
        self._poll = select.poll()

    def run(self, topology: Topology) -> int:
        """Build, serve, end; returns the exit status."""
        signal.signal(signal.SIGTERM, _end)
        try:
            listener = self._control.listen() if self._control else None
        except RingfenceError as error:
            self._creator.send(error_message(error))
            return 3
        status = _BUG
        try:
            if self._stays:
                self._leave_caller(listener)
            status = self._build_and_serve(topology, listener)
        except (_EndedError, BrokenPipeError):
            status = 0  # told to end, or whoever wanted the lab has gone before it was built
        finally:
            if self._control:
                self._control.remove(log=status != _BUG)
        return status

    def _leave_caller(self, listener: socket.socket | None) -> None:
        """Go on without the terminal, the folder and the open files of whoever started the lab."""
        null = os.open(os.devnull, os.O_RDWR)
        log = os.open(self._control.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600) if self._control else null
        for descriptor, target in ((null, 0), (null, 1), (log, 2)):
            os.dup2(descriptor, target)
        ours = {self._creator.fileno(), null, log, *((listener.fileno(),) if listener else ())}
        for descriptor in {int(path.name) for path in Path("/proc/self/fd").iterdir()} - ours:
            if descriptor > 2:
                # Not closed: somebody's object may still believe that the number is its own.
                os.dup2(null, descriptor, inheritable=False)
        os.chdir("/")

    def _build_and_serve(self, topology: Topology, listener: socket.socket | None) -> int:
        try:
            self._cluster = Cluster(topology, progress=_teller(self._creator))
        except RingfenceError as error:
            self._creator.send(error_message(error))
            return 3
        self._answer(self._creator, summarize(topology, self._control.name if self._control else "unnamed"))
        self._add(self._creator)
        self._poll.register(self._cluster.prober, select.POLLIN)
        if listener:
            self._poll.register(listener, select.POLLIN)
        while self._stays or self._creator.fileno() in self._channels:
            for descriptor, follower in self._followers.items():
                self._poll.modify(descriptor, select.POLLIN | (select.POLLOUT if follower.waits else 0))
            for descriptor, events in self._poll.poll():
                if listener and descriptor == listener.fileno():
                    self._add(Channel(listener.accept()[0]))
                elif events == select.POLLOUT:
                    self._followers[descriptor].flush()
                elif descriptor in self._channels:
                    self._serve(self._channels[descriptor])
                else:
                    self._cluster.prober.serve()
        return 0

    def _add(self, channel: Channel) -> None:
        channel.socket.settimeout(_PATIENCE_S)
        self._channels[channel.fileno()] = channel
        self._poll.register(channel, select.POLLIN)

    def _remove(self, channel: Channel) -> None:
        if follower := self._followers.pop(channel.fileno(), None):
            follower.leave()
        self._poll.unregister(channel)
        del self._channels[channel.fileno()]
        channel.close()

    def _serve(self, channel: Channel) -> None:
        """Answer one request; whoever has gone, or does not read, is forgotten."""
        try:
            message = channel.receive()
            if message is None:
                self._remove(channel)
                return
            try:
                self._ask(channel, message)
            except RingfenceError as error:
                channel.send(error_message(error))
        except OSError:
            self._remove(channel)

    def _ask(self, channel: Channel, message: Message) -> None:
        match message:
            case {"ask": "verify", "every": every, "flows": flows}:
                self._answer(channel, self._verify(channel, every=every, flows=flows))
            case {"ask": "demo", "color": color}:
                found = verify(self._cluster, progress=_teller(channel))
                self._answer(channel, demonstrate(self._cluster, found, color=color))
            case {"ask": "probe", "question": question, "namespace": namespace, "color": color}:
                attempt = Attempt(Question.of(**question), namespace)
                self._answer(channel, attempt.carry_out(self._cluster, color=color))
            case {"ask": "play", "source": name, "text": text, "files": files, "namespace": namespace}:
                self._answer(channel, self._play(Source(name, [text.encode()]), Play(self._cluster, files, namespace)))
            case {"ask": "drops", "follow": follow}:
                self._tell(channel, DropTeller(self._cluster.drops), follow=follow)
            case {"ask": "flows", "follow": follow}:
                self._tell(channel, FlowTeller(self._cluster.flows, self._cluster.drops), follow=follow)
            case {"ask": "enter", "whom": whom, "namespace": namespace}:
                self._hand_over(channel, self._network(whom, namespace))
            case _:
                text = f"the lab does not know what {message.get('ask')!r} is"
                raise InputError(text, "it was started by another version: take it down and up again")

    def _answer(self, channel: Channel, words: Words) -> None:
        channel.send({"answer": asdict(words) | {"partial": self._partial}})

    def _verify(self, channel: Channel, *, every: bool, flows: bool) -> Words:
        found = verify(self._cluster, every=every, flows=flows, progress=_teller(channel))
        return tell_verification(self._cluster.ends, found)

    def _play(self, source: Source, play: Play) -> Words:
        errors: list[ManifestError] = []
        steps = read_play(source, errors)
        if errors:
            raise errors[0]
        return tell_play(tuple(play.carry_out(steps)), play.tallies)

    def _tell(self, channel: Channel, teller: DropTeller | FlowTeller, *, follow: bool) -> None:
        """Tell what is remembered, then whatever comes while the command listens."""
        follower = self._followers[channel.fileno()] = Follower(channel, teller)
        if follow:
            follower.follow()
        else:
            follower.end()

    def _network(self, whom: str, namespace: str) -> Network:
        """Return the namespace of a pod, of ``node:NAME`` or of the ``outside``."""
        cluster, (kind, _, name) = self._cluster, whom.partition(":")
        if whom == "outside":
            return cluster.outside
        if kind == "node":
            if name not in cluster.nodes:
                message = f"the lab has no node {name}"
                raise InputError(message, f"its nodes are {', '.join(cluster.nodes)}")
            return cluster.nodes[name]
        snapshot = cluster.topology.snapshot
        pods = [pod for pod, _ in Sides(snapshot, namespace, Scenes(snapshot)).find("pod", whom).pods]
        if len(pods) != 1:
            message = f"{whom} is not one pod"
            raise InputError(message, f"choose one of {', '.join(map(str, pods))}" if pods else "name a pod")
        return cluster.network(pods[0])

    def _hand_over(self, channel: Channel, network: Network) -> None:
        """Give open namespaces to a command that wants to run something there."""
        opened = {kind: os.open(f"/proc/thread-self/ns/{kind}", os.O_RDONLY) for kind in ENTERED if kind != "net"}
        opened["net"] = os.dup(network.descriptor)
        try:
            channel.send({"answer": list(ENTERED)}, [opened[kind] for kind in ENTERED])
        finally:
            for descriptor in opened.values():
                os.close(descriptor)


def _teller(channel: Channel) -> Callable[[str], None]:
    """Return what tells a command how far it is."""
    return lambda text: channel.send({"progress": text})
