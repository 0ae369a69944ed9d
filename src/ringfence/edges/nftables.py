"""Tells the kernel's nftables what to hold and asks what it holds, through one netlink socket.

Whatever the kernel answers to a transaction is there when it has been sent: nfnetlink does
its work within ``sendmsg``. So nothing here ever waits.

Sources: ``net/netfilter/nfnetlink.c``, ``net/netlink/af_netlink.c``, netlink(7).
"""

from __future__ import annotations

import errno
import os
import socket
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from ringfence.dataplane.netlink.dump import Dump
from ringfence.dataplane.netlink.messages import (
    ACK,
    DONE,
    DUMP,
    DUMP_INTERRUPTED,
    ERROR,
    FAMILIES,
    Message,
    decode_answers,
    encode_transaction,
    read_attributes,
    read_number,
    read_text,
    text,
    transactions,
)
from ringfence.dataplane.netlink.requests import (
    DELETE_TABLE,
    GET_CHAIN,
    GET_ELEMENTS,
    GET_FLOWTABLE,
    GET_GENERATION,
    GET_RULE,
    GET_SET,
    GET_TABLE,
    OWNED,
    PERSISTENT,
    Requests,
)
from ringfence.dataplane.netlink.survey import Listing, Survey, read_survey
from ringfence.dataplane.nft import TableFamily
from ringfence.errors import NftablesError, OutdatedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ringfence.dataplane.commands import Command
    from ringfence.dataplane.netlink.messages import Answer
    from ringfence.edges.netns import Network

_NETLINK_NETFILTER = 12
_SOL_NETLINK, _CAP_ACK = 270, 10
_SO_SNDBUFFORCE, _SO_RCVBUFFORCE = 32, 33
_BUFFER_BYTES = 64 << 20
_DATAGRAM_BYTES = 1 << 20
_OVERHEAD = 32
"""What the kernel keeps free of a send buffer: ``netlink_sendmsg``."""

_ATTEMPTS = 20
"""How often what the kernel holds is read anew because it changed meanwhile."""

_NOBODY_S = "ringfence-nobody-s"
"""A table that nobody makes, so it cannot be deleted."""


class Nftables:
    """A socket to the nftables of one network namespace.

    Attributes:
        limit: Bytes that one transaction may have.
        owns: Whether tables that it makes can be changed through it alone.
    """

    def __init__(self, network: Network, *, owns: bool = False, family: TableFamily = TableFamily.INET) -> None:
        """Open the socket.

        Args:
            network: Whose nftables to speak to.
            owns: Whether it is to own the tables that it makes. They outlive it, and whoever
                adds the table next with a socket of this kind owns it; a kernel before 6.9
                cannot do that and refuses the table.
            family: The family of the tables that it makes and reads.
        """
        with network.entered():
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_NETFILTER)
        self._socket.bind((0, 0))
        self._socket.settimeout(0)
        # An error comes back with the header of what it is about, not with all of it.
        self._socket.setsockopt(_SOL_NETLINK, _CAP_ACK, 1)
        self._enlarge(socket.SO_SNDBUF, _SO_SNDBUFFORCE)
        self._enlarge(socket.SO_RCVBUF, _SO_RCVBUFFORCE)
        self.limit = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) - _OVERHEAD
        self.owns = owns
        self._sequence = 1
        self._requests = Requests(OWNED | PERSISTENT if owns else 0, family)

    def apply(self, commands: Iterable[Command], generation: int | None = None) -> int:
        """Carry commands out in order: in one transaction, or in as few as the kernel takes.

        Args:
            commands: Where they need several transactions, each is carried out whole or not
                at all, and a chain is filled in one of them.
            generation: See :meth:`generation`: nothing is changed unless this is still it.

        Returns:
            The number of transactions.

        Raises:
            NftablesError: the kernel refused a transaction; those before it stay.
        """
        done = 0
        for messages in transactions(self._requests.units(commands), self.limit):
            self._send(messages, None if done else generation)
            done += 1
        return done

    def generation(self) -> int:
        """Return the number that changes with every change of any table.

        Raises:
            NftablesError: no answer comes through.
        """
        for _ in range(_ATTEMPTS):
            with suppress(_ChangedError):
                return self._generation()
        message = "the kernel does not say which rules it has"
        raise NftablesError(message, "")

    def dump(self, table: str) -> tuple[Dump | None, int]:
        """Return what a table holds, None when there is none, and the generation in which it did.

        Raises:
            NftablesError: it changes faster than it can be read, or the kernel refuses.
        """
        for _ in range(_ATTEMPTS):
            generation = self.generation()
            with suppress(_ChangedError):
                found = self._dump(table)
                if self.generation() == generation:
                    return found, generation
        message = f"table {table} changes faster than it can be read"
        raise NftablesError(message, "")

    def refusal(self, commands: Iterable[Command]) -> NftablesError | None:
        """Return why the kernel would not carry commands out; None when it would. Nothing is changed.

        They are sent in a transaction that ends with something impossible, so it has no effect.
        """
        messages = [message for unit in self._requests.units(commands) for message in unit]
        impossible = Message(DELETE_TABLE, 0, text(1, _NOBODY_S), "nothing")
        try:
            self._send([*messages, impossible], None)
        except NftablesError as error:
            return None if error.transaction == impossible.about else error
        message = f"there is a table {_NOBODY_S}, and it has just been deleted"
        raise AssertionError(message)

    def survey(self) -> Survey:
        """Return what there is beside our own table.

        Raises:
            NftablesError: it changes faster than it can be read, or the kernel refuses.
        """
        for _ in range(_ATTEMPTS):
            with suppress(_ChangedError):
                return read_survey([self._listing(name) for name in FAMILIES])
        message = "the rules change faster than they can be read"
        raise NftablesError(message, "")

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _generation(self) -> int:
        (answer,) = self._ask(Message(GET_GENERATION, 0, b"", "the generation"))
        return read_number(read_attributes(answer.body).get(1))

    def _enlarge(self, option: int, force: int) -> None:
        """Let as much on its way as this user may: without limit for who administrates the host."""
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, force, _BUFFER_BYTES)
        except PermissionError:
            self._socket.setsockopt(socket.SOL_SOCKET, option, _BUFFER_BYTES)

    def _send(self, messages: Sequence[Message], generation: int | None) -> None:
        first = self._sequence
        self._sequence += len(messages) + 2
        data = encode_transaction(messages, first, generation)
        try:
            self._socket.send(data)
        except OSError as error:
            raise _refusal(error.errno or 0, f"a transaction of {len(data):,} bytes") from error
        acknowledged = False
        for answer in self._answers():
            index = answer.sequence - first - 1
            if answer.kind != ERROR or not -1 <= index <= len(messages):
                continue
            if answer.error and 0 <= index < len(messages):
                raise _refusal(answer.error, messages[index].about, messages[index].name)
            if answer.error:
                raise _refusal(answer.error, "a transaction")
            acknowledged |= index == len(messages) - 1
        if not acknowledged:
            # The kernel throws answers away for which there is no room, refusals too.
            message = "the kernel's answer to a transaction has been lost"
            raise OutdatedError(message, f"a transaction of {len(data):,} bytes", "try again")

    def _answers(self) -> Iterator[Answer]:
        """Yield all answers that are there, and read them all even if nobody wants more."""
        found: list[Answer] = []
        while True:
            try:
                found += decode_answers(self._socket.recv(_DATAGRAM_BYTES))
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                # Some have been thrown away; whoever misses one will know.
        yield from found

    def _ask(self, message: Message, *, all_of_them: bool = False) -> list[Answer]:
        """Return the answers to one question; without any when what it asks for is not there."""
        sequence = self._sequence
        self._sequence += 1
        flags = DUMP if all_of_them else ACK
        asking = replace(message, flags=message.flags | flags)
        self._socket.send(asking.encode(sequence))
        found: list[Answer] = []
        while True:
            answers = [each for each in decode_answers(self._receive()) if each.sequence == sequence]
            for answer in answers:
                if answer.flags & DUMP_INTERRUPTED or answer.error == errno.EINTR:
                    raise _ChangedError
                if answer.kind in {DONE, ERROR}:
                    if answer.error == errno.ENOENT:
                        return []
                    if answer.error:
                        raise _refusal(answer.error, message.about)
                    return found
                found.append(answer)

    def _receive(self) -> bytes:
        try:
            return self._socket.recv(_DATAGRAM_BYTES)
        except OSError as error:
            if error.errno in {errno.ENOBUFS, errno.EAGAIN}:
                raise _ChangedError from error
            raise

    def _dump(self, table: str) -> Dump | None:
        here = text(1, table)
        tables = self._ask(self._question(GET_TABLE, here, f"table {table}"))
        if not tables:
            return None
        flags = read_number(read_attributes(tables[0].body).get(2))
        chains = self._list(GET_CHAIN, here, "chains", table)
        rules = self._list(GET_RULE, here, "rules", table)
        sets = self._list(GET_SET, here, "sets", table)
        names = [read_text(read_attributes(each)[2]) for each in sets]
        elements = {name: self._elements(table, name) for name in names}
        return Dump(table, flags, chains, rules, sets, elements, self._requests.family)

    def _question(self, kind: int, attributes: bytes, about: str) -> Message:
        return Message(kind, 0, attributes, about, family=FAMILIES[self._requests.family])

    def _listing(self, family: str) -> Listing:
        """Return all chains, rules and flowtables of a family; a kernel without flowtables has none."""
        found = []
        for kind, what in ((GET_CHAIN, "chains"), (GET_RULE, "rules"), (GET_FLOWTABLE, "flowtables")):
            asking = Message(kind, 0, b"", f"the {what} of family {family}", family=FAMILIES[family])
            try:
                found.append(tuple(each.body for each in self._ask(asking, all_of_them=True)))
            except NftablesError:
                if kind != GET_FLOWTABLE:
                    raise
                found.append(())
        return Listing(family, *found)

    def _list(self, kind: int, here: bytes, what: str, table: str) -> tuple[bytes, ...]:
        """Return the attributes of all objects of a kind that are in a table."""
        answers = self._ask(self._question(kind, here, f"the {what} of table {table}"), all_of_them=True)
        # Kernels differ in whether they leave out other tables themselves.
        return tuple(each.body for each in answers if read_text(read_attributes(each.body).get(1, b"")) == table)

    def _elements(self, table: str, name: str) -> tuple[bytes, ...]:
        here = text(1, table) + text(2, name)
        answers = self._ask(self._question(GET_ELEMENTS, here, f"the elements of {name}"), all_of_them=True)
        return tuple(read_attributes(each.body).get(3, b"") for each in answers)


_HINTS = {
    errno.EOPNOTSUPP: "Linux keeps a table that has an owner from 6.9 on",
    errno.EPERM: "run as root, or with CAP_NET_ADMIN; a table that a process owns is for that process alone",
}


class _ChangedError(Exception):
    """What is being read has changed meanwhile."""


def _refusal(number: int, about: str, name: str = "") -> NftablesError:
    """Return what to say when the kernel refuses something."""
    words = os.strerror(number).lower()
    if number == errno.EMSGSIZE:
        message = f"{about} is larger than this user may send"
        return NftablesError(message, about, "raise net.core.wmem_max, or run as root", number=number)
    if number == errno.ERESTART:
        return OutdatedError("the rules have been changed by somebody else", about, "try again", number=number)
    hint = _HINTS.get(number, "")
    return NftablesError(f"nftables refused {about}: {words}", about, hint, name=name, number=number)
