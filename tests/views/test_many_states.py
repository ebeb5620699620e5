"""Many more states of the screen than a quick test has: of `Painting`, with candidates of Tab in it."""

from __future__ import annotations

import pytest
from hypothesis import seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from tests.views.test_view import Painting, pressed

STATES = 20_000
"""Screens that are checked, in all parts: three after each step, of which one has other widths."""

PARTS, EXAMPLES = 8, 50


class ManyPaintings(Painting):
    """Counts the screens; names, commands and channels have several candidates, which Tab goes through."""

    states = 0

    @rule(
        names=st.lists(
            st.sampled_from(["zoe", "zack", "Zo\u00eb", "z\u6f22\u5b57", "z\U0001f469" * 5]), max_size=5
        ),
        keys=st.sampled_from(
            [b"z\t", b"\x15z\t", b"/h\t\t", b"\t", b"\x1b[Z", b"\x12z", b"\x12\x12", b"\x07"]
        ),
    )
    def completes(self, names: list[str], keys: bytes) -> None:
        for watched in self.all:
            watched.view.members(1, names)
            watched.view.completer.learn(["/hold", "/here"])
            assert pressed(watched.view, keys, self.now) == []
        self.paint()

    @invariant()
    def counted(self) -> None:
        type(self).states += len(getattr(self, "all", ()))


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_many_states_have_the_right_screen(part: int) -> None:
    """Whatever was done before, no row is wrong, nor the cursor. Each part has states of its own."""

    @seed(part)
    class Part(ManyPaintings):
        pass

    run_state_machine_as_test(Part, settings=settings(max_examples=EXAMPLES, stateful_step_count=25))  # type: ignore[arg-type]
    assert Part.states >= STATES / PARTS
