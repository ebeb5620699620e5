"""Pages with pieces of the code have them as they are in the code now."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import cut

PAGES = [page for page in sorted(cut.ROOT.glob("notes/**/*.md")) if "<!-- cut:" in page.read_text()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_page_has_the_living_code(page: Path) -> None:
    """Every piece on a page is the code of today."""
    text = page.read_text()
    assert cut.filled(text) == text, f"python -m tests.cut {page.relative_to(cut.ROOT)}"


def test_there_is_such_a_page() -> None:
    """The page that compares both languages is one of them."""
    assert [page.name for page in PAGES] == ["porting.md"]


def test_no_brace_is_counted_wrongly() -> None:
    """Every piece of C++ has as many braces that open as braces that close, and ends with a whole line."""
    for block in re.findall(r"^```cpp\n(.*?)^```", PAGES[0].read_text(), re.M | re.S):
        if "{" in block and "}" in block:
            assert block.count("{") == block.count("}"), block
            assert block.rstrip()[-1] in "};", block


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a file of each language, in place of the project."""
    monkeypatch.setattr(cut, "ROOT", tmp_path)
    (tmp_path / "a.py").write_text(
        "LIMIT: int = 3\n\nclass A:\n    @property\n"
        '    def f(self) -> int:\n        """Doc."""\n\n        return 1\n'
    )
    (tmp_path / "a.hpp").write_text(
        "// Calls f().\nvoid g() { f(); }\n\nvoid f();\n\n"
        "    // What f does.\n    void f(\n        int x) {\n"
        "        if (x) { g(); }  // {\n    }\n\n    std::mutex m;\n    int n;\n"
    )
    return tmp_path


@pytest.mark.parametrize(
    ("reference", "text"),
    [
        ("a.py LIMIT", "LIMIT: int = 3\n"),
        ("a.py A.f", '@property\ndef f(self) -> int:\n    """Doc."""\n\n    return 1\n'),
        ("a.hpp g", "// Calls f().\nvoid g() { f(); }\n"),
        ("a.hpp 2 from std::mutex", "std::mutex m;\nint n;\n"),
    ],
)
def test_a_piece(code: Path, reference: str, text: str) -> None:
    """A piece is a whole definition, or some lines, without their common indentation."""
    assert cut.piece(reference) == text


def test_a_piece_of_a_declared_function(code: Path) -> None:
    """A call or a declaration is no definition; the comment above the definition comes along."""
    (code / "a.hpp").write_text((code / "a.hpp").read_text().replace("void g() { f(); }\n", ""))
    assert cut.piece("a.hpp f") == ("// What f does.\nvoid f(\n    int x) {\n    if (x) { g(); }  // {\n}\n")


@pytest.mark.parametrize(
    "reference", ["a.py B", "a.py A.g", "a.hpp h", "a.hpp 2 from int", "a.hpp 1 from x;"]
)
def test_what_is_not_there(code: Path, reference: str) -> None:
    """A piece that is not in its file, or in two places, is an error."""
    if reference.endswith("int"):
        (code / "a.hpp").write_text("int a;\nint b;\n")
    with pytest.raises(LookupError):
        cut.piece(reference)


def test_the_command(code: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command fills a page in place, again with the same result; each trouble is one line."""
    page = code / "page.md"
    page.write_text("Before.\n\n<!-- cut: a.hpp g | a.py LIMIT -->\nold\n<!-- end -->\n\nBehind.\n")
    assert cut.main([str(page)]) == 0
    once = page.read_text()
    assert "old" not in once and "void g()" in once and "```python\nLIMIT: int = 3\n```" in once
    assert once.startswith("Before.\n") and once.endswith("<!-- end -->\n\nBehind.\n")
    assert cut.main([str(page)]) == 0 and page.read_text() == once
    (code / "a.py").write_text("LIMIT: int = 4\n")
    assert cut.filled(once) != once
    page.write_text("<!-- cut: a.hpp nothing | a.py LIMIT -->\n<!-- end -->\n")
    assert cut.main([str(page)]) == 1
    page.write_text("<!-- cut: a.hpp g | a.py LIMIT -->\n")
    assert cut.main([str(page)]) == 1
    assert cut.main([]) == 2
    assert cut.main([str(code / "none.md")]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "cut: a.hpp has no nothing",
        "cut: a mark has no second side, or no <!-- end -->",
        "cut: which page?",
        f"cut: {code / 'none.md'}: No such file or directory",
    ]
