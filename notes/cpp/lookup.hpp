// How text.cpp and names.cpp look a character up in the generated table; for these two only.
#pragma once

#include <algorithm>
#include <span>
#include <string>

#include "names_table.hpp"

namespace chat::lookup {

// The value of the range that holds the character; 0: no range does.
inline std::uint32_t in_range(std::span<const table::Range> ranges, char32_t character) {
    const auto after = std::ranges::upper_bound(ranges, character, {}, &table::Range::first);
    if (after == ranges.begin()) return 0;
    const auto& range = *std::prev(after);
    return character <= range.last ? range.value : 0;
}

inline std::uint32_t flags(char32_t character) { return in_range(table::FLAGS, character); }

// What stands for the character: itself, if there is no row for it.
inline std::u32string mapped(std::span<const table::Mapping> mappings, char32_t character) {
    const auto found = std::ranges::lower_bound(mappings, character, {}, &table::Mapping::from);
    return found != mappings.end() && found->from == character ? std::u32string(found->to)
                                                               : std::u32string(1, character);
}

}  // namespace chat::lookup
