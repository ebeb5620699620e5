"""The drawings of the notes are those of the code: whoever changes it draws them again."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from chatroom.errors import ProtocolError
from chatroom.handshake import CLIENT, SERVER
from chatroom.packets import Hello
from server.stream import _NEXT, Phase
from tests.drawings import handshake, parts, sequence
from tests.drawings.__main__ import FOLDER, drawings, main
from tests.drawings.scenes import SCENES
from tests.test_imports import MODULES, OURS

ROOT = FOLDER.parents[1]
EVERY_SCENE = (handshake.scene(), *SCENES)
PAGES = [(ROOT / "notes" / name).read_text() for name in ("architecture.md", "threads.md")]


@pytest.fixture(scope="module")
def drawn() -> dict[str, str]:
    return drawings()


def test_the_drawings_are_those_of_the_code(drawn: dict[str, str]) -> None:
    """Every drawing in the notes is what is drawn from the code now, and there is no other."""
    there = {path.name: path.read_text() for path in FOLDER.glob("*")}
    assert there.keys() == drawn.keys()
    for name, svg in drawn.items():
        assert there[name] == svg, f"{name}: python -m tests.drawings"


def test_every_drawing_is_shown(drawn: dict[str, str]) -> None:
    """One of the two pages about the design shows it."""
    for name in drawn:
        assert any(f"](drawings/{name})" in page for page in PAGES), name


@pytest.mark.parametrize("scene", EVERY_SCENE, ids=lambda scene: scene.name)
def test_what_a_step_names_exists(scene: sequence.Scene) -> None:
    """The function behind each step is in its file, and its threads have columns."""
    for step in scene.steps:
        path, _, name = step.code.partition(":")
        assert re.search(rf"^ *def {name}\b", (ROOT / path).read_text(), re.M), step
        assert {step.start, step.end} <= set(scene.lanes), step
    assert {lane for step in scene.steps for lane in (step.start, step.end)} == set(scene.lanes)


def test_words_have_room(drawn: dict[str, str]) -> None:
    """Every drawing is well-formed, and no words begin or end outside of the sheet."""
    for name, svg in drawn.items():
        root = ElementTree.fromstring(svg)
        width = float(root.attrib["width"])
        for text in root.iter("{http://www.w3.org/2000/svg}text"):
            size = len(text.text or "") * float(text.get("font-size", 11)) * 0.5
            left = (
                float(text.attrib["x"])
                - {"start": 0, "middle": size / 2, "end": size}[text.attrib["text-anchor"]]
            )
            assert left >= 0 and left + size <= width, f"{name}: {text.text}"


def test_parts_has_every_module(drawn: dict[str, str]) -> None:
    """Every module of the four packages stands in the drawing of the parts once, below what it imports."""
    count = 0
    for package in OURS:
        found = [name for row in parts.levels(package) for name in row]
        assert len(found) == len(set(found))
        count += len(found)
    assert count == len([path for path in MODULES if path.name != "__init__.py"])
    words = re.findall(r"[\w.]+", re.sub(r"<[^>]*>", " ", drawn["parts.svg"]))
    assert {"forwarder", "packets.decoder", "pending_lines", "send_buffer"} <= set(words)


def test_parts_has_every_direction() -> None:
    """The imports between packages are those that the notes allow: no arrow leads away from the heart."""
    assert set(parts.arrows()) == {
        ("client", "views"),
        ("client", "chatroom"),
        ("views", "chatroom"),
        ("server", "chatroom"),
    }


def test_the_handshake_goes_through_both_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The drawing takes every row of both tables that leads on, and cannot be drawn against one."""
    words = [step.words for step in handshake.scene().steps]
    for table in (SERVER, CLIENT):
        stages = {then.value for then in table.values() if then.value != "refused"}
        assert all(any(word.endswith(f"→ {stage}") for word in words) for stage in stages - {"naming"})
    monkeypatch.delitem(SERVER, next(key for key in SERVER if key[1] is Hello))
    with pytest.raises(ProtocolError, match="HELLO"):
        handshake.scene()


def test_the_slow_reader_makes_legal_moves() -> None:
    """The phases in the drawing of the slow reader follow one another in the stream's own table."""
    (scene,) = (scene for scene in SCENES if scene.name == "slow-reader")
    names = re.findall(r"\b(OPEN|PARTING|PARTED|CUT)\b", " ".join(step.words for step in scene.steps))
    assert names == ["OPEN", "PARTING", "CUT"]
    phases = [Phase[name] for name in names]
    assert all(then in _NEXT[phase] for phase, then in pairwise(phases))


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One command draws all; what it cannot write it says in one line."""
    assert main(["--folder", str(tmp_path / "new")]) == 0
    assert len(list((tmp_path / "new").iterdir())) == len(EVERY_SCENE) + 1
    (tmp_path / "file").write_text("")
    assert main(["--folder", str(tmp_path / "file")]) == 1
    assert capsys.readouterr().err.count("\n") == 1
