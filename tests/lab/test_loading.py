"""Loading programs in parts that one message can hold."""

from __future__ import annotations

from ringfence.dataplane.nft import Datatype, Program, Set
from ringfence.lab.loading import LARGEST, transactions


def program(*sizes: int) -> Program:
    """A program with sets of so many addresses."""
    sets = tuple(
        Set(f"s_{number}", (Datatype.IPV4_ADDR,), tuple(((value, value),) for value in range(size)))
        for number, size in enumerate(sizes)
    )
    return Program("ringfence", sets, (), ())


def test_a_small_program_is_one_transaction():
    """It is there as a whole or not at all."""
    small = program(10, 20)

    assert list(transactions(small)) == [small.render()]


def test_a_large_program_is_loaded_without_its_elements_first():
    """Then they follow, at most so many at once, each exactly once."""
    first, *parts = transactions(program(LARGEST + 1, 5))

    assert "elements" not in first
    assert [part.count(",") + 1 for part in parts] == [LARGEST, 1, 5]
    assert parts[0].startswith("add element inet ringfence s_0 { 0.0.0.0, 0.0.0.1,")
    assert parts[2] == "add element inet ringfence s_1 { 0.0.0.0, 0.0.0.1, 0.0.0.2, 0.0.0.3, 0.0.0.4 }\n"
