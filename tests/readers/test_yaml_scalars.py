"""What unquoted scalars mean, compared by hand with kubectl 1.32."""

from __future__ import annotations

import math

import pytest

from ringfence.readers.yaml_scalars import key, plain, tagged

AS_KUBECTL_READS = {
    "yes": True,
    "y": True,
    "Y": True,
    "on": True,
    "TRUE": True,
    "no": False,
    "n": False,
    "Off": False,
    "yEs": "yEs",
    "": None,
    "~": None,
    "null": None,
    "NULL": None,
    "nUll": "nUll",
    "012": 10,
    "0o14": 12,
    "0O14": 12,
    "0x1F": 31,
    "-0x1f": -31,
    "0b101": 5,
    "+5": 5,
    "1_000": 1000,
    "0": 0,
    "00": 0,
    "08": 8,
    "09.5": 9.5,
    "1e3": 1000,
    "80.0": 80,
    "1.5": 1.5,
    ".5": 0.5,
    "5.": 5,
    ".8_70": 0.87,
    "1_.5": 1.5,
    "._5": "._5",
    "1e400": "1e400",
    "18446744073709551615": 18446744073709551615,
    "-9223372036854775808": -9223372036854775808,
    "1:20": "1:20",
    "12:30:45": "12:30:45",
    "2024-01-01": "2024-01-01",
    "=": "=",
    "<<": "<<",
    "-": "-",
    "+.": "+.",
    "0o8": "0o8",
    "1e": "1e",
    "web": "web",
    "10.0.0.0/8": "10.0.0.0/8",
}


@pytest.mark.parametrize(("text", "value"), AS_KUBECTL_READS.items())
def test_scalars_mean_what_they_mean_to_kubectl(text: str, value: object):
    """No loader has these rules, and a label that is read otherwise selects otherwise."""
    assert (type(plain(text)), plain(text)) == (type(value), value)


def test_integers_beyond_go_s_become_floats():
    """A number that no 64-bit integer holds is approximate, as it is in JSON."""
    assert isinstance(plain("18446744073709551616"), int)
    assert isinstance(plain("1" + "0" * 25), float)
    assert plain("-9223372036854775809") == -9.223372036854775809e18


@pytest.mark.parametrize(("text", "value"), [(".inf", math.inf), ("+.INF", math.inf), ("-.Inf", -math.inf)])
def test_infinities_have_words(text: str, value: float):
    """They are floats, so that whoever expects a string says so."""
    assert plain(text) == value


def test_not_a_number_has_a_word():
    """It is a float, unequal to itself."""
    assert math.isnan(float(plain(".nan") or 0))


@pytest.mark.parametrize(
    ("tag", "text", "value"),
    [
        ("str", "012", "012"),
        ("str", "", ""),
        ("int", "7", 7),
        ("float", "3", 3),
        ("float", "1.5", 1.5),
        ("bool", "on", True),
        ("null", "~", None),
        ("binary", "aGk=", "hi"),
    ],
)
def test_a_tag_of_yaml_says_the_type(tag: str, text: str, value: object):
    """``!!str 012`` is text."""
    assert tagged(f"tag:yaml.org,2002:{tag}", text) == value


@pytest.mark.parametrize("tag", ["!", "!foo", "tag:example.com,2000:x"])
def test_another_tag_leaves_the_text(tag: str):
    """It is a string to kubectl."""
    assert tagged(tag, "012") == "012"


@pytest.mark.parametrize(
    ("tag", "text"), [("int", "x"), ("bool", "1"), ("null", "x"), ("float", "yes"), ("binary", "a")]
)
def test_a_tag_that_lies_is_refused(tag: str, text: str):
    """The whole document is refused, as kubectl refuses it."""
    with pytest.raises(ValueError, match=r"is no|base64|padding"):
        tagged(f"tag:yaml.org,2002:{tag}", text)


@pytest.mark.parametrize(("value", "name"), [("a", "a"), (True, "true"), (False, "false"), (10, "10"), (1.5, "1.5")])
def test_keys_become_names(value: str | float, name: str):
    """JSON has no other keys."""
    assert key(value) == name


def test_a_null_key_is_refused():
    """JSON cannot write it, and kubectl refuses it."""
    with pytest.raises(ValueError, match="null"):
        key(None)
