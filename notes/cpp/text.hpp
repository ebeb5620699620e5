// Text: UTF-8 and UTF-32, the normal forms of Unicode, terminal columns, and what makes others' text harmless.
#pragma once

#include <string>
#include <string_view>

namespace chat {

std::u32string decode_utf8(std::string_view text);  // wrong bytes become U+FFFD
std::string encode_utf8(std::u32string_view text);

enum class Form { NFC, NFD, NFKC };
std::u32string normalize(std::u32string_view text, Form form);
std::u32string casefold(std::u32string_view text);

// Terminal columns of a character: none for a mark drawn onto its letter, two for a wide one.
int columns(char32_t character);
int columns(std::u32string_view text);

// Text of another user without what controls a terminal or hides other text: a control character becomes its
// picture (U+2400 …), an unprintable one U+FFFD, an invisible one nothing. Every line end becomes "\n".
std::string printable(std::string_view text);

// The same on one line: `line_end` stands for each line end.
std::string printable_line(std::string_view text, std::string_view line_end = " ");

}  // namespace chat
