#include "text.hpp"

#include <algorithm>
#include <iterator>

#include "lookup.hpp"

namespace chat {
namespace {

// Hangul syllables are composed by arithmetic (Unicode, section 3.12).
constexpr char32_t S_BASE = 0xAC00, L_BASE = 0x1100, V_BASE = 0x1161, T_BASE = 0x11A7;
constexpr char32_t L_COUNT = 19, V_COUNT = 21, T_COUNT = 28, S_COUNT = L_COUNT * V_COUNT * T_COUNT;

void append_decomposed(std::u32string& out, char32_t character, std::span<const table::Mapping> mappings) {
    if (character - S_BASE < S_COUNT) {
        const auto index = character - S_BASE;
        out += L_BASE + index / (V_COUNT * T_COUNT);
        out += V_BASE + index % (V_COUNT * T_COUNT) / T_COUNT;
        if (index % T_COUNT != 0) out += T_BASE + index % T_COUNT;
    } else {
        out += lookup::mapped(mappings, character);
    }
}

// The character that two others compose to; 0: none.
char32_t composed(char32_t first, char32_t second) {
    if (first - L_BASE < L_COUNT && second - V_BASE < V_COUNT)
        return S_BASE + ((first - L_BASE) * V_COUNT + second - V_BASE) * T_COUNT;
    if (first - S_BASE < S_COUNT && (first - S_BASE) % T_COUNT == 0 && second > T_BASE && second - T_BASE < T_COUNT)
        return first + second - T_BASE;
    const auto found = std::ranges::lower_bound(table::COMPOSITIONS, std::pair(first, second), {},
                                                [](const auto& row) { return std::pair(row.first, row.second); });
    return found != std::end(table::COMPOSITIONS) && found->first == first && found->second == second ? found->composed
                                                                                                      : 0;
}

unsigned combining(char32_t character) { return lookup::in_range(table::CLASSES, character); }

std::u32string compose(std::u32string_view text) {
    std::u32string out;
    std::size_t starter = std::u32string::npos;
    unsigned last = 0;  // class of what stands between the starter and here
    for (const auto character : text) {
        const auto here = combining(character);
        const bool adjacent = starter != std::u32string::npos && starter + 1 == out.size();
        if (starter != std::u32string::npos && (adjacent || last < here)) {
            if (const auto both = composed(out[starter], character)) {
                out[starter] = both;
                continue;
            }
        }
        if (here == 0) starter = out.size();
        last = here;
        out += character;
    }
    return out;
}

constexpr bool is_line_end(char32_t c) { return (c >= 0x0A && c <= 0x0D) || c == 0x85 || c == 0x2028 || c == 0x2029; }

}  // namespace

std::u32string decode_utf8(std::string_view text) {
    std::u32string out;
    for (std::size_t at = 0; at < text.size();) {
        const auto first = static_cast<unsigned char>(text[at]);
        const std::size_t size = first < 0x80   ? 1
                                 : first < 0xC2 ? 0
                                 : first < 0xE0 ? 2
                                 : first < 0xF0 ? 3
                                 : first < 0xF5 ? 4
                                                : 0;
        char32_t character = size < 2 ? first : first & (0xFF >> (size + 1));
        std::size_t used = 1;
        while (used < size && at + used < text.size() && (text[at + used] & 0xC0) == 0x80)
            character = character << 6 | (text[at + used++] & 0x3F);
        const bool good = size > 0 && used == size && character <= 0x10FFFF &&
                          !(character >= 0xD800 && character < 0xE000) && !(size == 3 && character < 0x800) &&
                          !(size == 4 && character < 0x10000);
        out += good ? character : U'\uFFFD';
        at += used;
    }
    return out;
}

std::string encode_utf8(std::u32string_view text) {
    std::string out;
    for (const auto c : text) {
        const auto tail = [&](int shift) { out += static_cast<char>(0x80 | (c >> shift & 0x3F)); };
        if (c < 0x80) {
            out += static_cast<char>(c);
        } else if (c < 0x800) {
            out += static_cast<char>(0xC0 | c >> 6);
            tail(0);
        } else if (c < 0x10000) {
            out += static_cast<char>(0xE0 | c >> 12);
            tail(6), tail(0);
        } else {
            out += static_cast<char>(0xF0 | c >> 18);
            tail(12), tail(6), tail(0);
        }
    }
    return out;
}

std::u32string normalize(std::u32string_view text, Form form) {
    const std::span<const table::Mapping> mappings =
        form == Form::NFKC ? std::span<const table::Mapping>(table::COMPATIBLE) : table::CANONICAL;
    std::u32string out;
    for (const auto character : text) append_decomposed(out, character, mappings);
    for (auto begin = out.begin(); begin != out.end();) {  // marks in the order of their classes
        if (combining(*begin) == 0) {
            ++begin;
            continue;
        }
        const auto end = std::find_if(begin, out.end(), [](char32_t c) { return combining(c) == 0; });
        std::stable_sort(begin, end, [](char32_t a, char32_t b) { return combining(a) < combining(b); });
        begin = end;
    }
    return form == Form::NFD ? out : compose(out);
}

std::u32string casefold(std::u32string_view text) {
    std::u32string out;
    for (const auto character : text) out += lookup::mapped(table::FOLDED, character);
    return out;
}

int columns(char32_t character) {
    const auto flags = lookup::flags(character);
    return flags & table::NO_COLUMN ? 0 : flags & table::WIDE ? 2 : 1;
}

int columns(std::u32string_view text) {
    int sum = 0;
    for (const auto character : text) sum += columns(character);
    return sum;
}

std::string printable(std::string_view text) {
    if (std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; })) return std::string(text);
    std::u32string out;
    const auto characters = decode_utf8(text);
    for (std::size_t at = 0; at < characters.size(); ++at) {
        const auto c = characters[at];
        if (c == '\r' && at + 1 < characters.size() && characters[at + 1] == '\n') continue;
        if (is_line_end(c)) out += U'\n';
        else if (c == '\t') out += U"    ";
        else if (c < 0x20) out += 0x2400 + c;
        else if (c == 0x7F) out += U'\u2421';
        else if ((c >= 0x80 && c < 0xA0) || (c & 0xFFFE) == 0xFFFE || (c >= 0xFDD0 && c < 0xFDF0)) out += U'\uFFFD';
        else if (!(lookup::flags(c) & table::INVISIBLE)) out += c;
    }
    return encode_utf8(out);
}

std::string printable_line(std::string_view text, std::string_view line_end) {
    std::string out;
    for (const char c : printable(text)) c == '\n' ? out += line_end : out += c;
    return out;
}

}  // namespace chat
