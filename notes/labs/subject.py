"""The file that a reader has changed, as the checks use it."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any

NAME = "subject"
"""What the reader's file is called while a check uses it."""


class NotYet(Exception):
    """What still goes wrong with the reader's file, in words for the reader."""


def _copy(code: CodeType) -> CodeType:
    """The same code, not shared: Python 3.12.1 may crash when it traces what an older thread still runs."""
    constants = (_copy(each) if isinstance(each, CodeType) else each for each in code.co_consts)
    return code.replace(co_consts=tuple(constants))


class Subject:
    """The reader's file. Each load() gives a new module: a new run of the program, up to its main().

    Raises NotYet when it is not Python.
    """

    def __init__(self, path: Path) -> None:
        self.path = str(path.resolve())
        source = path.read_text()
        self._lines = source.splitlines()
        try:
            self._code = compile(source, self.path, "exec")
        except (SyntaxError, ValueError) as error:
            line = getattr(error, "lineno", None) or 1
            raise NotYet(f"{path.name}, line {line}: this is not Python: {error}") from None

    def load(self, *names: str) -> Any:
        """A new module of the file, in which moment() does nothing.

        names: functions and classes that it must have
        Raises NotYet.
        """
        module = ModuleType(NAME)
        module.__file__ = self.path
        sys.modules[NAME] = module
        try:
            exec(_copy(self._code), module.__dict__)
        except Exception as error:  # noqa: BLE001  whatever is wrong is for the reader
            raise NotYet(f"the file cannot be loaded: {self.describe(error)}") from None
        for name in names:
            if not callable(getattr(module, name, None)):
                raise NotYet(f"the file has no {name}() any more: the check calls it, so keep its name")
        if "moment" in module.__dict__:
            module.__dict__["moment"] = lambda: None
        return module

    def place(self, line: int) -> str:
        """A line of the file, in words."""
        return f"line {line} (`{self._lines[line - 1].strip()}`)"

    def where(self, frame: FrameType | None) -> str:
        """Where in the file a thread is whose innermost frame this is; empty: nowhere in it."""
        while frame is not None and frame.f_code.co_filename != self.path:
            frame = frame.f_back
        return f" in {self.place(frame.f_lineno)}" if frame is not None else ""

    def describe(self, error: BaseException) -> str:
        """An error, and the line of the file that it comes from."""
        words = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        lines = [
            entry.lineno for entry in traceback.extract_tb(error.__traceback__) if entry.filename == self.path
        ]
        return f"{words}, in {self.place(lines[-1])}" if lines and lines[-1] else words
