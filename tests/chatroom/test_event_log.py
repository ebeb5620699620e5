"""chatroom/event_log.py"""

from __future__ import annotations

import ast
import logging
import re
from collections import defaultdict

import pytest

from chatroom.event_log import NOTICE, EventLog
from tests.test_imports import MODULES, ROOT


def test_a_line_has_a_name_and_fields(caplog: pytest.LogCaptureFixture) -> None:
    """A person reads the sentence; a program the name and the fields."""
    caplog.set_level(logging.DEBUG)
    log = EventLog("x")
    log.info("a", "nothing")
    log.notice("b", "%(peer)s: %(count)d", peer="ann", count=3)
    log.warning("c", "w")
    log.error("d", "100 %% of %(what)s", what="it")
    assert caplog.messages == ["nothing", "ann: 3", "w", "100 % of it"]
    assert [record.levelno for record in caplog.records] == [20, NOTICE, 30, 40]
    assert [vars(record)["event"] for record in caplog.records] == ["a", "b", "c", "d"]
    assert caplog.records[1].args == {"peer": "ann", "count": 3}


def test_an_error(caplog: pytest.LogCaptureFixture) -> None:
    """The record has the error that is being handled."""
    try:
        raise KeyError("x")
    except KeyError:
        EventLog("x").exception("failed", "%(what)s failed", what="it")
    (record,) = caplog.records
    assert record.exc_info is not None and record.exc_info[0] is KeyError and record.levelno == 40


def events() -> dict[str, set[str]]:
    """The fields of each event that the server logs."""
    found = defaultdict[str, set[str]](set)
    for path in MODULES:
        if path.relative_to(ROOT).parts[0] not in ("chatroom", "server"):
            continue
        source = path.read_text()
        if not re.search(r"\b_?log\b", source):  # to parse all files takes long
            continue
        tree = ast.parse(source)
        texts = {
            ast.unparse(node.targets[0]): node.value for node in tree.body if isinstance(node, ast.Assign)
        }
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and ast.unparse(node.func.value) in ("log", "_log")
            ):
                event, text = node.args
                text = texts.get(ast.unparse(text), text)
                assert isinstance(event, ast.Constant) and isinstance(text, ast.Constant), ast.unparse(node)
                fields = {str(one.arg) for one in node.keywords}
                assert fields == set(re.findall(r"%\((\w+)\)", text.value)), ast.unparse(node)
                found[event.value] |= fields
    return found


def test_the_notes_list_every_event() -> None:
    """notes/running.md has each event with its fields, and no other; each line's text has all its fields."""
    table = (ROOT / "notes" / "running.md").read_text().split("| event | fields |")[1].split("\n\n")[0]
    listed = {
        name: set(re.findall(r"`(\w+)`", fields))
        for name, fields in re.findall(r"^\| `(\w+)` \| ([^|]*) \|", table, re.M)
    }
    of_the_log_itself = {"repeated", "dropped", "broken", "other"}
    assert {name: fields for name, fields in listed.items() if name not in of_the_log_itself} == events()
    assert of_the_log_itself <= set(listed)
