import math

import pytest

from seqgen.utils.schema import (
    SchemaError,
    any_number,
    choice,
    flag,
    integer,
    mapping,
    number,
    optional,
    record,
    sequence,
    text,
)  # fmt: skip


@pytest.mark.parametrize(
    "check, good, bad",
    [
        (integer(1, 5), [1, 5], [0, 6, 1.0, True, "1", None, 10**400]),
        (number(0, 1), [0, 0.5, 1], [-0.1, 2, math.nan, math.inf, True, "0", None]),
        (any_number, [0, -1.5, math.nan, math.inf], [True, "0", None, 10**400]),
        (flag, [True, False], [0, 1, None, "true"]),
        (text(3, least=1), ["a", "abc", "\udc80"], ["", "abcd", 1, None, "\ud800", ["a"]]),
        (choice(("a", "b")), ["a"], ["c", None, 1, ["a"], {}]),
        (optional(flag), [None, True], [0]),
        (
            sequence(flag, 2, least=1),
            [[True], [True, False]],
            [[], [True] * 3, [1], {}, "ab", None],
        ),
        (mapping(flag, 1), [{}, {"a": True}], [{"a": 1}, {"a": True, "b": True}, [], None]),
        (record({"a": flag}, {"b": flag}), [{"a": True}], [{}, {"a": 1}, {"a": True, "c": 1}, []]),
    ],
)
def test_checks(check: object, good: list[object], bad: list[object]) -> None:
    for value in good:
        check(value)
    for value in bad:
        with pytest.raises(SchemaError, match="expected|is missing"):
            check(value)


def test_errors_say_where_and_stay_short() -> None:
    check = record({"a": sequence(mapping(integer(), 9), 3)})
    with pytest.raises(SchemaError) as error:
        check({"a": [{"x": 1}, {"y" * 1000: "z" * 10**6}]})
    assert str(error.value).startswith("a[1].'yyy") and len(str(error.value)) < 300
    with pytest.raises(SchemaError, match=r"^a\[1\].x: expected a whole number .* got 'b'$"):
        check({"a": [{}, {"x": "b"}]})
