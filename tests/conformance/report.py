"""What the run prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from textwrap import fill

from tests.conformance.check import Level
from tests.conformance.rules import order, rules
from tests.conformance.run import Result, Verdict

COLUMNS = 110
SHOWN_ENTRIES = 40
"""Last entries of what was sent and received in a report."""


def failure(result: Result) -> str:
    """The report of a failed check."""
    check = result.check
    lines = [f"FAILED  {check.name}  ({check.level.name.lower()})", f"  {check.promise}"]
    for id in sorted(set(result.blamed), key=order):
        rule = rules()[id]
        lines.append(_wrapped(f"rule {id} ({rule.section}): {rule.text}", "  "))
    lines += [_wrapped(f"expected: {result.expected}", "  "), _wrapped(f"came:     {result.came}", "  ")]
    if result.story:
        lines.append("  what happened:")
        left_out = len(result.story) - SHOWN_ENTRIES
        if left_out > 0:
            lines.append(f"    … {left_out} entries before")
        lines += [f"    {entry}" for entry in result.story[-SHOWN_ENTRIES:]]
    return "\n".join(lines) + "\n"


def one_line(result: Result) -> str:
    """A result for --verbose."""
    about = f": {result.came}" if result.verdict is Verdict.NOT_CHECKED else ""
    ids = " ".join(result.check.rules)
    return f"{result.verdict.value:11}  {result.seconds:5.2f} s  {result.check.name}  [{ids}]{about}"


def summary(results: Sequence[Result], seconds: float) -> str:
    """The last lines: how many checks of each level passed, and which rules are broken."""
    lines = []
    for reason, count in Counter(result.came for result in _with(results, Verdict.NOT_CHECKED)).items():
        lines.append(f"not checked ({count}): {reason}")
    for level in Level:
        of_level = [result for result in results if result.check.level is level]
        if of_level:
            counts = Counter(result.verdict for result in of_level)
            numbers = ", ".join(
                f"{counts[verdict]} {verdict.value}" for verdict in Verdict if counts[verdict]
            )
            lines.append(f"{level.name.lower():7} {numbers}")
    broken = sorted({id for result in _with(results, Verdict.FAILED) for id in result.blamed}, key=order)
    if broken:
        lines.append(f"rules that were broken: {', '.join(broken)}")
    lines.append(f"{len(results)} checks in {seconds:.1f} s")
    return "\n".join(lines)


def _with(results: Iterable[Result], verdict: Verdict) -> list[Result]:
    return [result for result in results if result.verdict is verdict]


def _wrapped(text: str, indent: str) -> str:
    if "\n" in text:
        return "\n".join(indent + line for line in text.splitlines())
    return fill(text, COLUMNS, initial_indent=indent, subsequent_indent=indent + "  ", break_long_words=False)
