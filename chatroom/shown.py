"""Which characters a screen does not show: one table, for the rules of names and for the view's sanitizer."""

from __future__ import annotations

from typing import Final

INVISIBLE: Final = (
    # Default_Ignorable_Code_Point (Unicode, DerivedCoreProperties.txt), bidi controls; but not the joiners,
    # which some scripts need
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
    # the keycap and skin tones: terminals disagree on their widths
    "\u20e3\U0001f3fb-\U0001f3ff"
    # blanks of Egyptian and Khitan
    "\U00013441\U00013442\U00016fe4"
)
"""What the view removes, as the inside of a character class of a regular expression."""

ZERO_WIDTH: Final = "\u1160-\u11ff\ud7b0-\ud7ff"
"""Letters without a width of their own, written in the same way: the vowels and finals of Hangul. They are
drawn into the syllable before, if there is one; NFC makes one letter of each modern syllable."""
