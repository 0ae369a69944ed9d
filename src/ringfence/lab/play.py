"""Plays a script of steps in a lab: policies change while packets go on, and everything is checked."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.errors import InputError, ManifestError
from ringfence.lab.changes import applied, read_applied, relabeled, without
from ringfence.lab.floods import Tally, Watched
from ringfence.lab.held import prove_nodes
from ringfence.lab.trying import Attempt
from ringfence.lab.words import count_policies
from ringfence.readers.play import Apply, Delete, Expect, Pour, Relabel, Send, Stop
from ringfence.report.counting import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ringfence.lab.cluster import Cluster
    from ringfence.model.snapshot import Snapshot
    from ringfence.readers.play import Step


@dataclass(frozen=True, slots=True)
class Played:
    """What came of one step.

    Attributes:
        step: The step.
        said: What happened, in words.
        good: Whether it went as policies and the step have it.
    """

    step: Step
    said: str
    good: bool = True


class Play:
    """Carries out steps one after the other; what it changes stays.

    Attributes:
        tallies: What became of each flood, by its name, once it was stopped or at the end.
    """

    def __init__(self, cluster: Cluster, files: Mapping[str, str], namespace: str) -> None:
        """Begin.

        Args:
            cluster: The lab.
            files: The texts of the files that steps apply, by the names that steps have for them.
            namespace: Of names and objects that have none.
        """
        self.tallies: dict[str, Tally] = {}
        self._cluster = cluster
        self._files = files
        self._namespace = namespace
        self._floods: dict[str, Watched] = {}

    def carry_out(self, steps: Sequence[Step]) -> Iterator[Played]:
        """Yield what came of each step; nothing is waited for but packets on their way.

        Raises:
            ManifestError: a step names what is not there; the steps before it stay.
        """
        try:
            for step in steps:
                try:
                    said, good = self._do(step)
                except ManifestError:
                    raise
                except InputError as error:
                    raise ManifestError(error.message, step.origin, error.hint) from error
                yield Played(step, said, good)
            for name in tuple(self._floods):
                self._stop(name)
        finally:
            for flood in self._floods.values():
                flood.close()

    def _do(self, step: Step) -> tuple[str, bool]:
        """Carry out one step; returns what happened and whether it is good."""
        match step.act:
            case Pour() as act:
                return self._pour(act)
            case Stop(flood):
                tally = self._stop(flood)
                return _told(tally), tally.leaked == tally.lost == 0
            case Send() as act:
                return self._send(act)
            case Expect() as act:
                return self._expect(act)
            case _:
                return self._change(self._changed(step))

    def _changed(self, step: Step) -> Snapshot:
        """Return what a step makes of the cluster."""
        snapshot = self._cluster.declared
        match step.act:
            case Apply(files):
                texts = {name: self._files[name] for name in files}
                return applied(snapshot, read_applied(texts, self._namespace, step.origin))
            case Delete(policy):
                return without(snapshot, policy, self._namespace)
            case Relabel(pods, labels):
                return relabeled(snapshot, pods, labels, self._namespace)
            case _:
                raise AssertionError(step)

    def _change(self, snapshot: Snapshot) -> tuple[str, bool]:
        """Let all nodes change, then prove what they hold."""
        for flood in self._floods.values():
            flood.before_change()
        refused = self._cluster.change(snapshot)
        for flood in self._floods.values():
            flood.after_change()
        proofs = tuple(prove_nodes(self._cluster))
        wrong = [line for each in proofs for line in each.lines(self._cluster.topology.snapshot)]
        if refused or wrong:
            return "; ".join((*refused, *wrong)), False
        return f"{count_policies(snapshot)}, proved on {counted(len(proofs), 'node')}", True

    def _pour(self, act: Pour) -> tuple[str, bool]:
        if act.flood in self._floods or act.flood in self.tallies:
            message = f"there has been a flood {act.flood} already"
            raise InputError(message, "give each flood a name of its own")
        trials = tuple(Attempt(act.question, self._namespace).trials(self._cluster))
        if not trials:
            message = f"{act.question.client} and {act.question.server} have no family in common"
            raise InputError(message)
        self._floods[act.flood] = Watched(self._cluster, trials)
        families = " and ".join(f"IPv{trial.connection.family.value}" for trial in trials)
        return f"over {families}", True

    def _stop(self, name: str) -> Tally:
        self.tallies[name] = tally = self._flood(name).tally()
        self._floods.pop(name).close()
        return tally

    def _send(self, act: Send) -> tuple[str, bool]:
        connections = Attempt(act.question, self._namespace).carry_out(self._cluster).document["connections"]
        fates = Counter(each["kernel"] for each in connections)
        wanted = {True: {"reached"}, False: {"dropped"}, None: set(fates)}[act.arrives]
        strange = sum(not each["agrees"] for each in connections)
        told = ", ".join(f"{number} {fate}" for fate, number in sorted(fates.items()))
        told += f", {strange} not as the policies say" if strange else ""
        return told, not strange and set(fates) <= wanted

    def _expect(self, act: Expect) -> tuple[str, bool]:
        tally = self.tallies[act.flood] if act.flood in self.tallies else self._flood(act.flood).tally()
        limits = ((tally.leaked, act.leaked), (tally.lost, act.lost))
        return _told(tally), all(most is None or found <= most for found, most in limits)

    def _flood(self, name: str) -> Watched:
        if name not in self._floods:
            message = f"there is no flood {name}" if name not in self.tallies else f"the flood {name} has been stopped"
            raise InputError(message, "begin one with a step `flood`")
        return self._floods[name]


def _told(tally: Tally) -> str:
    """Say what went the wrong way; how many packets there were differs from run to run."""
    some = "" if tally.sent else "nothing was sent, "
    return f"{some}{tally.leaked:,} leaked, {tally.lost:,} lost"
