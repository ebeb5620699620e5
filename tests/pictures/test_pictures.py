"""The pictures in the notes and the README are those of the scenes; a slow test plays some of them again."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

import pytest

from tests.end_to_end.programs import run_program
from tests.pictures.catalogue import FOLDER, NOTES, README, SCENES, file_of, page
from tests.pictures.scene import Scene
from tests.pictures.stage import squeezed
from tests.pictures.svg import rows_in

ALL = (*README, *SCENES)
LARGEST = 32 * 1024
"""Bytes of a picture: a page of all of them loads at once."""


@pytest.mark.parametrize("scene", ALL, ids=lambda scene: scene.name)
def test_each_scene_has_its_picture(scene: Scene) -> None:
    """It shows what the scene promises, on the scene's paper, and is small."""
    picture = (NOTES / file_of(scene)).read_text()
    found = squeezed(rows_in(picture))
    assert scene.shows
    for text in scene.shows:
        assert squeezed([text]) in found, (
            f"{text!r} is not in the picture: python -m tests.pictures {scene.name}"
        )
    assert f'fill="{scene.paper.ground}"' in picture and escape(scene.words) in picture
    assert len(picture.encode()) <= LARGEST


def test_the_page_shows_all_scenes() -> None:
    """Each is there once, with its line; the folder has no other picture, and no two have one name."""
    assert (NOTES / FOLDER / "README.md").read_text() == page(SCENES), "python -m tests.pictures writes it"
    assert {path.name for path in (NOTES / FOLDER).glob("*.svg")} == {f"{scene.name}.svg" for scene in SCENES}
    assert len({scene.name for scene in ALL}) == len(ALL)


def test_the_readme_shows_one_scene_on_both_grounds() -> None:
    """Who reads on a dark ground sees the dark one; whoever does not know `<picture>` sees the light one."""
    readme = (NOTES.parent / "README.md").read_text()
    found = re.search(
        r'<picture>\s*<source media="\(prefers-color-scheme: dark\)" srcset="([^"]+)">'
        r'\s*<img src="([^"]+)" alt="([^"]+)">\s*</picture>',
        readme,
    )
    assert found
    dark, light = README
    assert found.groups() == (f"notes/{file_of(dark)}", f"notes/{file_of(light)}", dark.words)
    assert dark.play is light.play


@pytest.mark.slow
def test_scenes_are_played(tmp_path: Path) -> None:
    """The script plays scenes, twice the same: what is typed, said and shown does not depend on the run."""
    names = ("half-typed-small", "muted", "direct")
    pictures = []
    for folder in (tmp_path / "first", tmp_path / "second"):
        run = run_program("tests.pictures", *names, "--folder", str(folder), "--port", "0", seconds=100)
        assert (run.returncode, run.stderr) == (0, "")
        pictures.append({path.stem: path.read_text() for path in folder.rglob("*.svg")})
    assert pictures[0] == pictures[1]
    assert pictures[0].keys() == {*names}
    for scene in SCENES:
        if scene.name in names:
            found = squeezed(rows_in(pictures[0][scene.name]))
            assert all(squeezed([text]) in found for text in scene.shows)


def test_an_unknown_scene(tmp_path: Path) -> None:
    """It is refused in one line, and nothing is written."""
    run = run_program("tests.pictures", "nothing", "--folder", str(tmp_path))
    assert run.returncode == 2 and run.stderr.splitlines()[-1].endswith("there is no scene nothing")
    assert not list(tmp_path.iterdir())
