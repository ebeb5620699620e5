#include "names.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <set>

#include "lookup.hpp"
#include "packets.hpp"
#include "text.hpp"

namespace chat {
namespace {

using Scripts = std::bitset<192>;

Scripts scripts_of(char32_t character) {
    const auto& bits = table::SCRIPT_SETS[lookup::in_range(table::SCRIPTS, character)].bits;
    return Scripts(bits[0]) | Scripts(bits[1]) << 64 | Scripts(bits[2]) << 128;
}

Scripts only(std::initializer_list<unsigned> scripts) {
    Scripts found;
    for (const auto script : scripts) found.set(script);
    return found;
}

bool is_sign(char32_t character) { return character == '_' || character == '-' || character == '.'; }

bool is_name_character(char32_t character) {
    if (is_sign(character)) return true;
    const auto flags = lookup::flags(character);
    const auto scripts = scripts_of(character);
    if (!(flags & (table::LETTER | table::MARK | table::NUMBER)) || flags & (table::ENCLOSING | table::HIDDEN) ||
        scripts.none())
        return false;
    return flags & table::DIGIT || !scripts[table::ZYYY];
}

// Level "highly restrictive" of Unicode Technical Standard 39: one script, or Latin with Han and kana, with Han
// and Bopomofo, or with Han and Hangul.
bool one_writing_system(std::u32string_view name) {
    static const auto none = only({table::ZYYY, table::ZINH}), latin = only({table::LATN});
    static const std::array together{only({table::HANI, table::HIRA, table::KANA}), only({table::HANI, table::BOPO}),
                                     only({table::HANI, table::HANG})};
    auto common = Scripts().set();
    std::vector<Scripts> others;  // than Latin
    for (const auto character : name) {
        const auto scripts = scripts_of(character);
        if (is_sign(character) || (scripts & none).any()) continue;
        common &= scripts;
        if ((scripts & latin).none()) others.push_back(scripts);
    }
    return common.any() || std::ranges::any_of(together, [&](const Scripts& system) {
               return std::ranges::all_of(others, [&](const Scripts& scripts) { return (scripts & system).any(); });
           });
}

void need(bool condition, const char* why) {
    if (!condition) throw NameRefused(why);
}

std::u32string check(std::string_view given, int most_columns, std::size_t most_bytes, NameRule rule) {
    need(given.size() <= 4 * most_bytes, "the name is too long");  // first of all: the other checks take their time
    need(rule == NameRule::unicode ||
             std::ranges::all_of(given, [](char c) { return static_cast<unsigned char>(c) < 0x80; }),
         "this server takes names in ASCII only");
    auto name = normalize(decode_utf8(given), Form::NFC);
    need(!name.empty(), "a name is needed");
    need(encode_utf8(name).size() <= most_bytes && columns(name) <= most_columns, "the name is too long");
    need(lookup::flags(name[0]) & (table::LETTER | table::NUMBER), "a name begins with a letter or a digit");
    std::u32string marks;  // at most two follow one another, and they are different
    for (const auto character : name) {
        need(is_name_character(character), "a name has letters, digits, '_', '-', '.' only");
        if (!(lookup::flags(character) & table::MARK)) marks.clear();
        else
            need(marks.size() < 2 && marks.find(character) == marks.npos, "too many marks on a letter"),
                marks += character;
    }
    need(one_writing_system(name), "the name mixes letters of different scripts, such as Latin and Cyrillic");
    std::set<std::uint32_t> zeros;
    for (const auto character : name)
        if (lookup::flags(character) & table::DIGIT) zeros.insert(lookup::in_range(table::ZEROS, character));
    need(zeros.size() <= 1, "the name mixes digits of different scripts");
    return name;
}

std::u32string key_of(std::u32string_view name) {  // NFKC(casefold(NFKC(casefold(NFD(name)))))
    return normalize(casefold(normalize(casefold(normalize(name, Form::NFD)), Form::NFKC)), Form::NFKC);
}

// A dot above changes nothing on i and j, and makes a Turkish i of I.
std::u32string without_dots(std::u32string_view text, bool of_capital) {
    std::u32string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto letter = text[at];
        out += letter;
        if (letter != 'i' && letter != 'j' && letter != 'I') continue;
        auto end = at + 1;
        while (end < text.size() && text[end] >= 0x316 && text[end] <= 0x333) ++end;
        if (end == text.size() || text[end] != 0x307) continue;
        if (letter == 'I' && of_capital) out.back() = 'i';
        out += text.substr(at + 1, end - at - 1);
        at = end;
    }
    return out;
}

std::string skeleton(std::u32string_view text) {
    std::u32string out;
    for (const auto character : without_dots(normalize(text, Form::NFD), true))
        out += lookup::mapped(table::PROTOTYPES, character);
    return encode_utf8(normalize(casefold(without_dots(normalize(out, Form::NFD), false)), Form::NFD));
}

bool is_reserved(std::string_view name) {
    static const std::set<std::string> reserved = [] {
        std::set<std::string> found;
        for (const std::string word : {"server", "system", "chatroom", "admin", "operator", "moderator", "everyone"}) {
            auto upper = word, capital_i = word;
            std::ranges::transform(upper, upper.begin(), [](char c) { return static_cast<char>(c - 'a' + 'A'); });
            std::ranges::replace(capital_i, 'i', 'I');  // looks like `l` and `1`
            for (const auto& written : {word, upper, capital_i})
                for (auto& each : skeletons(written)) found.insert(std::move(each));
        }
        return found;
    }();
    const auto begin = name.find_first_not_of("_-.");
    if (begin == name.npos) return false;
    const auto shape = skeletons(name.substr(begin, name.find_last_not_of("_-.") + 1 - begin));
    return std::ranges::any_of(shape, [](const std::string& each) { return reserved.contains(each); });
}

}  // namespace

std::string check_name(std::string_view name, NameRule rule) {
    auto written = encode_utf8(check(name, NAME_COLUMNS, NAME_BYTES, rule));
    need(!is_reserved(written), "this name is reserved, or looks like one that is");
    return written;
}

std::string check_channel(std::string_view channel, NameRule rule) {
    need(channel.starts_with('#'), "a channel begins with '#'");
    const auto one = [rule](std::string_view name) {
        return check(name, CHANNEL_COLUMNS - 1, CHANNEL_BYTES - 1, rule);
    };
    // Checked again in key form: a compatibility form can hold more (U+FDFA is four words with spaces).
    return "#" + encode_utf8(one(encode_utf8(key_of(one(channel.substr(1))))));
}

std::string name_key(std::string_view name) { return encode_utf8(key_of(decode_utf8(name))); }

std::vector<std::string> skeletons(std::string_view name) {
    const auto characters = decode_utf8(name);
    std::vector found{skeleton(normalize(characters, Form::NFKC))};
    if (auto folded = skeleton(key_of(characters)); folded != found[0]) found.push_back(std::move(folded));
    return found;
}

}  // namespace chat
