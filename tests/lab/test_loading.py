"""Loading programs in parts that one message can hold."""

from __future__ import annotations

from ringfence.dataplane.nft import Chain, Datatype, Hook, Program, Rule, Set, Word
from ringfence.lab.loading import LARGEST, transactions


def program(*sizes: int, rules: int = 1) -> Program:
    """A program with sets of so many addresses, and a chain of so many rules."""
    sets = tuple(
        Set(f"s_{number}", (Datatype.IPV4_ADDR,), tuple(((value, value),) for value in range(size)))
        for number, size in enumerate(sizes)
    )
    return Program("ringfence", sets, (), (Chain("hook_forward", (Rule((Word.ACCEPT,)),) * rules, Hook.FORWARD),))


def test_a_small_program_is_one_transaction():
    """It is there as a whole or not at all."""
    small = program(10, 20)

    assert list(transactions(small)) == [small.render()]


def test_a_large_program_is_loaded_in_parts_that_are_small_enough():
    """Rules as well as elements, each exactly once, elements last."""
    parts = list(transactions(program(5_000, 5, rules=2_000)))

    assert all(len(part) <= LARGEST for part in parts)
    text = "".join(parts)
    assert text.startswith("add table inet ringfence\nadd chain inet ringfence hook_forward { type filter")
    assert text.count("add rule inet ringfence hook_forward accept\n") == 2_000
    elements = [line for line in text.splitlines() if line.startswith("add element")]
    assert sum(line.count(",") + 1 for line in elements) == 5_005
    assert text.index("add rule") < text.index("add element")
    assert elements[-1] == "add element inet ringfence s_1 { 0.0.0.0, 0.0.0.1, 0.0.0.2, 0.0.0.3, 0.0.0.4 }"
