// Names and channels: which are allowed, which count as the same, which look alike (notes/protocol.md, Names).
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace chat {

inline constexpr int NAME_COLUMNS = 24, CHANNEL_COLUMNS = 50;

// Which names a server gives: in ASCII only, or all that the page allows. Channels follow the same rule.
enum class NameRule { ascii, unicode };

struct NameRefused : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// The name in Unicode NFC, as the server writes it. Throws NameRefused.
std::string check_name(std::string_view name, NameRule rule = NameRule::unicode);

// The channel in key form, with its '#'. Throws NameRefused.
std::string check_channel(std::string_view channel, NameRule rule = NameRule::unicode);

// Two names with the same key count as the same name.
std::string name_key(std::string_view name);

// Names that share a skeleton look alike. One or two: of the written form, and of the key.
std::vector<std::string> skeletons(std::string_view name);

}  // namespace chat
