"""Plays scenes, several at a time, and writes their pictures."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from subprocess import SubprocessError
from typing import Final

from chatroom.errors import ChatroomError
from tests.pictures.catalogue import FOLDER, README, SCENES, file_of
from tests.pictures.scene import Scene

_AT_ONCE: Final = 6
"""Scenes that are played at the same time: much of each is waiting."""

_FIRST: Final = 10
"""The first scene's address is 127.0.0.10: all of 127.0.0.0/8 are this computer's, on Linux at least."""


def draw_all(folder: Path, port: int, scenes: Sequence[Scene]) -> list[str]:
    """Write the pictures; why some could not be drawn.

    folder: as the notes
    port:   of each server, which has an address of its own for it; 0: any free one
    """
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    scenes = sorted(scenes, key=lambda scene: scene.at[2] + scene.size[0], reverse=True)  # long ones first
    # In processes: a scene starts programs by fork, and must have no other threads then.
    with ProcessPoolExecutor(_AT_ONCE, get_context("spawn")) as pool:
        return [words for words in pool.map(partial(_draw, folder, port), scenes) if words]


def _draw(folder: Path, port: int, scene: Scene) -> str:
    """Draw one picture; why it could not be drawn, else nothing."""
    number = [each.name for each in (*README, *SCENES)].index(scene.name)
    try:
        picture = scene.draw(f"127.0.0.{_FIRST + number}", port)
    except (AssertionError, OSError, ValueError, ChatroomError, SubprocessError) as error:
        return f"{scene.name}: {error}"
    path = folder / file_of(scene)
    path.write_text(picture)
    print(f"{path}: {len(picture.encode()):,} bytes", flush=True)
    return ""
