"""The generator of the tables of Unicode, with small files."""

from __future__ import annotations

from pathlib import Path

from chatroom import unicode_tables
from tests.support.cases import case
from tests.unicode import make

FILES = {
    "UnicodeData": """0041;LATIN CAPITAL LETTER A;Lu;0;L
0042;LATIN CAPITAL LETTER B;Lu;0;L
0023;NUMBER SIGN;Po;0;ET
0301;COMBINING ACUTE ACCENT;Mn;230;NSM
0410;CYRILLIC CAPITAL LETTER A;Lu;0;L
0660;ARABIC-INDIC DIGIT ZERO;Nd;0;AN
4E00;<CJK Ideograph, First>;Lo;0;L
4E02;<CJK Ideograph, Last>;Lo;0;L
FF21;FULLWIDTH LATIN CAPITAL LETTER A;Lu;0;L""",
    "Scripts": """0041..005A    ; Latin # L&  [26]
0023 ; Common
0301 ; Inherited
0410 ; Cyrillic
0660 ; Common
4E00..4E02 ; Han
FF21 ; Latin""",
    "ScriptExtensions": "# comment\n0660 ; Arab Thaa # Nd",
    "PropertyValueAliases": """sc ; Arab ; Arabic
sc ; Cyrl ; Cyrillic
sc ; Hani ; Han
sc ; Latn ; Latin
sc ; Thaa ; Thaana
sc ; Zinh ; Inherited ; Qaai
gc ; Lu ; Uppercase_Letter""",
    "confusables": """\ufeff# Version: 15.0.0
0410 ;	0041 ;	MA	# ( А → A )
FF21 ;	0041 ;	MA	# not in NFKC
0660 ;	002E ;	MA
0023 ;	0041 ;	MA	# no letter""",
}


def test_tables(tmp_path: Path) -> None:
    """Ranges of letters, marks and numbers by script; look-alikes of characters that NFKC leaves alone."""
    for name, text in FILES.items():
        (tmp_path / f"{name}.txt").write_text(text, "utf-8")
    made: dict[str, object] = {}
    exec(make.made_from(tmp_path), made)
    assert made["SCRIPTS"] == (
        "Arab Thaa: 660",
        "Cyrl: 410",
        "Hani: 4e00-4e02",
        "Latn: 41-42 ff21",
        "Zinh: 301",
    )
    assert made["LOOK_ALIKES"] == (".=\u0660 A=\u0410",)


def test_rows_are_not_too_long() -> None:
    """Long tables are cut into rows, each complete in itself; quotes are kept."""
    ranges = {"Latn": [(number, number + 1) for number in range(0x1000, 0x2000, 16)]}
    text = make.module("1", ranges, {'"': "\u0410", "\\": "\u0411"})
    assert max(map(len, text.splitlines())) <= make.WIDTH
    made: dict[str, tuple[str, ...]] = {}
    exec(text, made)
    assert all(row.startswith("Latn: ") for row in made["SCRIPTS"])
    assert made["LOOK_ALIKES"] == ('"=\u0410 \\=\u0411',)


def test_the_rows_of_scripts() -> None:
    """Each row of the table names scripts by four letters, then ranges in order."""
    assert len(unicode_tables.SCRIPTS) > 100
    for row in unicode_tables.SCRIPTS:
        with case(row):
            scripts, spans = row.split(": ")
            assert all(len(script) == 4 for script in scripts.split())
            ends = [int(end, 16) for span in spans.split() for end in span.split("-")]
            assert ends == sorted(ends)
