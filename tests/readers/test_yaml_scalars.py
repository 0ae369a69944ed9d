"""What unquoted scalars mean, compared by hand with kubectl 1.32."""

from __future__ import annotations

import pytest

from ringfence.readers.yaml_scalars import UnwritableError, key, plain, tagged

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
    "0b-1": -1,
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


@pytest.mark.parametrize("text", [".inf", "+.INF", "-.Inf", ".nan", ".NAN"])
def test_what_json_cannot_write_is_an_error(text: str):
    """Kubectl reads an infinity, and then cannot send it."""
    with pytest.raises(UnwritableError):
        plain(text)


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
        ("binary", "aG\nk=\r\n", "hi"),
        ("timestamp", "2001-12-14", "2001-12-14"),
        ("timestamp", "2001-1-2T3:4:5.6Z", "2001-1-2T3:4:5.6Z"),
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
    ("tag", "text"),
    [
        ("int", "x"),
        ("int", "1.0"),
        ("bool", "1"),
        ("null", "x"),
        ("float", "yes"),
        ("float", ".inf"),
        ("binary", "a"),
        ("binary", "*"),
        ("timestamp", "x"),
        ("timestamp", "2001-13-01"),
    ],
)
def test_a_tag_that_lies_is_refused(tag: str, text: str):
    """The whole document is refused, as kubectl refuses it."""
    with pytest.raises(ValueError, match=r"is no|base64|padding|JSON"):
        tagged(f"tag:yaml.org,2002:{tag}", text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a", "a"),
        ("yes", "true"),
        ("off", "false"),
        ("012", "10"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("1.5", "1.5"),
        ("1.0", "1"),
        ("1e5", "100000"),
        ("1e6", "1e+06"),
        ("123456789.5", "1.2345679e+08"),
        ("0.0001", "0.0001"),
        ("0.00001", "1e-05"),
        ("0.1", "0.1"),
        ("-.5", "-0.5"),
        ("1e39", ".inf"),
        ("-1e39", "-.inf"),
        ("3.4028235e38", "3.4028235e+38"),
        ("0.0", "0"),
        ("-0.0", "-0"),
    ],
)
def test_keys_become_names(text: str, name: str):
    """JSON has no other keys; a float is written in 32 bits."""
    assert key(plain(text), text) == name


def test_a_key_beyond_64_bits_is_refused():
    """An integer without a sign is no key to kubectl."""
    with pytest.raises(ValueError, match="64"):
        key(plain("18446744073709551615"), "18446744073709551615")


def test_a_null_key_is_refused():
    """JSON cannot write it, and kubectl refuses it."""
    with pytest.raises(ValueError, match="null"):
        key(None, "~")
