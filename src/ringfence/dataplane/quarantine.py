"""What is enforced where the kernel refuses a part: everything else, and that part closed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ringfence.dataplane.expressions import Counter, Dispatch, Goto, Lookup, Rule, Word
from ringfence.dataplane.names import serves_class

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ringfence.dataplane.nft import Chain, Program


def quarantine(program: Program, refused: str) -> Program | None:
    """Return a program that does without a set or chain, and drops whatever needed it.

    Of a class whose set is refused, the chains deny everything, and so do its pods in that
    direction; all others are as they were.

    Args:
        program: What should be enforced.
        refused: The name of one of its sets or chains.

    Returns:
        None when no class can be closed for it: it is a map, a chain that every packet
        meets, or already closed.
    """
    chains = tuple(_closed(program, chain) if _needs(chain, refused) else chain for chain in program.chains)
    if chains == program.chains:
        return None
    gone = _all_named(program.chains) - _all_named(chains)
    sets = tuple(each for each in program.sets if each.name not in gone)
    return replace(program, sets=sets, chains=chains)


def _needs(chain: Chain, refused: str) -> bool:
    """Tell whether a chain of a class is what was refused, or looks into it."""
    return serves_class(chain.name) and (refused == chain.name or refused in _all_named([chain]))


def _all_named(chains: Iterable[Chain]) -> set[str]:
    return {name for chain in chains for rule in chain.rules for name in _named(rule)}


def _named(rule: Rule) -> set[str]:
    """Return the sets and maps that a rule names."""
    return {
        each.set_name if isinstance(each, Lookup) else each.map_name
        for each in rule.expressions
        if isinstance(each, Lookup | Dispatch)
    }


def _closed(program: Program, chain: Chain) -> Chain:
    """Return a chain that denies everything: by its class's own log and counter, where it led there."""
    leads = [each for rule in chain.rules for each in rule.expressions if isinstance(each, Goto)]
    denies = [each for each in leads if _drops(program.chain_by_name[each.chain])]
    return replace(chain, rules=(Rule((denies[0],)) if denies else Rule((Counter(), Word.DROP)),))


def _drops(chain: Chain) -> bool:
    return bool(chain.rules) and chain.rules[-1].expressions[-1] is Word.DROP
