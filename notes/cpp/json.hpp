// A small JSON reader, for the vectors only: values compare, numbers are 64-bit and unsigned.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "text.hpp"

namespace chat {

struct Json;
using JsonArray = std::vector<Json>;
using JsonObject = std::map<std::string, Json>;

struct Json {
    std::variant<bool, std::uint64_t, std::string, JsonArray, JsonObject> value;

    const JsonObject& object() const { return std::get<JsonObject>(value); }
    const JsonArray& array() const { return std::get<JsonArray>(value); }
    const std::string& text() const { return std::get<std::string>(value); }
    std::uint64_t number() const { return std::get<std::uint64_t>(value); }
    bool truth() const { return std::get<bool>(value); }
    const Json& operator[](const std::string& name) const { return object().at(name); }
    bool has(const std::string& name) const { return object().contains(name); }
    bool operator==(const Json& other) const { return value == other.value; }
};

class JsonReader {
public:
    static Json read(std::string_view text) { return JsonReader(text).value(); }

private:
    explicit JsonReader(std::string_view text) : left_(text) {}

    char peek() {
        left_.remove_prefix(std::min(left_.find_first_not_of(" \n\r\t"), left_.size()));
        if (left_.empty()) throw std::runtime_error("the JSON ends early");
        return left_[0];
    }
    bool take(char wanted) {
        if (peek() != wanted) return false;
        left_.remove_prefix(1);
        return true;
    }
    void expect(std::string_view word) {
        if (!left_.starts_with(word)) throw std::runtime_error("JSON: " + std::string(word) + " is missing");
        left_.remove_prefix(word.size());
    }
    Json value() {
        switch (peek()) {
            case '{': return object();
            case '[': return array();
            case '"': return {string()};
            case 't': return expect("true"), Json{true};
            case 'f': return expect("false"), Json{false};
            default: return number();
        }
    }
    Json object() {
        JsonObject found;
        take('{');
        if (take('}')) return {found};
        do {
            peek();
            auto name = string();
            peek(), expect(":");
            found.emplace(std::move(name), value());
        } while (take(','));
        expect("}");
        return {std::move(found)};
    }
    Json array() {
        JsonArray found;
        take('[');
        if (take(']')) return {found};
        do found.push_back(value());
        while (take(','));
        expect("]");
        return {std::move(found)};
    }
    Json number() {
        std::size_t used = 0;
        const auto found = std::stoull(std::string(left_.substr(0, 20)), &used);
        left_.remove_prefix(used);
        return {std::uint64_t{found}};
    }
    char32_t hex4() {
        const auto found = static_cast<char32_t>(std::stoul(std::string(left_.substr(0, 4)), nullptr, 16));
        left_.remove_prefix(4);
        return found;
    }
    std::string string() {
        std::string out;
        expect("\"");
        while (!left_.starts_with('"')) {
            const char c = left_.at(0);
            left_.remove_prefix(1);
            if (c != '\\') {
                out += c;
                continue;
            }
            const char escape = left_.at(0);
            left_.remove_prefix(1);
            constexpr std::string_view names = "bfnrt", meant = "\b\f\n\r\t";
            if (escape == 'u') {
                auto code = hex4();
                if (code >= 0xD800 && code < 0xDC00)
                    expect("\\u"), code = 0x10000 + ((code - 0xD800) << 10) + (hex4() - 0xDC00);
                out += encode_utf8(std::u32string(1, code));
            } else {
                const auto at = names.find(escape);
                out += at == names.npos ? escape : meant[at];
            }
        }
        expect("\"");
        return out;
    }

    std::string_view left_;
};

}  // namespace chat
