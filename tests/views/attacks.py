"""Texts that another user may send: texts that control terminals, deceive readers or have unusual widths."""

from __future__ import annotations

from hypothesis import strategies as st

DRIVING = [
    "\x1b[2J",
    "\x1b[H\x1b[J",
    "\x1b[?1049h",
    "\x1b[?1000h\x1b[?1003h",
    "\x1b]0;title\x07",
    "\x1b]0;title\x1b\\",
    "\x1b]8;;http://evil\x07link\x1b]8;;\x07",
    "\x1b]52;c;aGk=\x07",
    "\x9b2J",
    "\x9d0;title\x9c",
    "\x90q\x9c",
    "\x1bP$qm\x1b\\",
    "\x1b_G\x1b\\",
    "\x1b[c",
    "\x1b[6n",
    "\x1b[5n",
    "\x1bc",
    "\x0e",
    "\x0f\x0e",
    "\x1b(0",
    "\x1b[2;3r",
    "\x1b[?25l",
    "\x1b[?7l",
    "\x1b[4h",
    "\x1b[20h",
    "\x08\x08\x08",
    "\rspoofed: text",
    "\n\n\n",
    "\x0b\x0c",
    "\t\t",
    "\x00",
    "\x7f",
    "\x07",
    "ends with \x1b",
    "\x1bM",
    "\x1b[5L",
    "\x1b[201~",
    "\x1b[31m red",
]
"""Each text is an escape sequence or control character that controls a terminal, or the start of one."""

DECEIVING = [
    "\u202egnp.exe",
    "\u2066\u2069a\u2067b",
    "\u200b" * 500,
    "\u200e\u200f\u061c",
    "a\u200db",
    "\u2028\u2029\x85",
    "\ufeffbom",
    "so\u00adft",
    "\U000e0041\U000e0042",
    "\ud800",
    "\ufffe\uffff",
    "\u115f\u1160\u3164\uffa0",
]

WIDE_AND_NARROW = [
    "漢字かな交じり文" * 6,
    "e" + "\u0301" * 300,
    "\u0301leading mark",
    "👩‍👩‍👧‍👦 👩🏽‍🚀 ❤️ 1️⃣ 🇩🇪 🏴\U000e0067\U000e0062\U000e007f",
    "🫨🫷\U0001fae9",
    "क्षि क्‍ष नमस्ते",
    "क्" * 60,
    "ภาษาไทย น้ำ",
    "سلام\u200cها",
    "\u1100\u1161\u11a8\u1161\u1161",
    "\ufdfa",
    "\U0001d11e\U00020000",
    "ｆｕｌｌ",
    "\u0378\ue000",
    "x" * 200,
    "word " * 40,
    "",
    " ",
    "   indented code",
    "see `code`:\n```py\n    x = `1`\n```",
    "a\nb\n\nc",
]

texts = st.one_of(
    st.sampled_from(DRIVING + DECEIVING + WIDE_AND_NARROW),
    st.text(max_size=60),
    st.lists(st.sampled_from(DRIVING + DECEIVING + WIDE_AND_NARROW), max_size=4).map("".join),
    st.text(alphabet="abc 漢é👩\u200d\u0301\u0e49\u0e33क्षि\n", max_size=120),
)
