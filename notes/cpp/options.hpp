// A command line: options with a value as `--name VALUE` or `--name=VALUE`, and words. For both programs.
#pragma once

#include <charconv>
#include <deque>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace chat {

// Why the command line is wrong, or what --help prints.
struct Usage : std::runtime_error {
    using std::runtime_error::runtime_error;
};

class Options {
public:
    Options(std::string program, std::span<char*> arguments, std::string usage)
        : program_(std::move(program)), usage_(std::move(usage)) {
        for (const std::string_view argument : arguments) {
            const auto equals = argument.starts_with("--") ? argument.find('=') : argument.npos;
            left_.emplace_back(argument.substr(0, equals));
            if (equals != argument.npos) left_.emplace_back(argument.substr(equals + 1));
        }
    }

    // The next option or word; nothing at the end.
    std::optional<std::string> next() {
        if (left_.empty()) return std::nullopt;
        last_ = value();
        if (last_ == "--help") throw Usage("usage: " + program_ + ' ' + usage_);
        return last_;
    }
    std::string value() {
        if (left_.empty()) fail(last_ + " needs a value");
        auto found = std::move(left_.front());
        left_.pop_front();
        return found;
    }
    template <class Number>
    Number number() {
        const auto text = value();
        Number found{};
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), found);
        if (error != std::errc() || end != text.data() + text.size()) fail(text + " is no number for " + last_);
        return found;
    }
    double seconds(double least = 0) {
        const auto found = number<double>();
        if (!(found >= least && found <= 86400)) fail(last_ + " takes seconds, at most 86400");
        return found;
    }
    std::string one_of(std::string_view first, std::string_view second) {
        auto found = value();
        if (found != first && found != second)
            fail(last_ + " takes " + std::string(first) + " or " + std::string(second));
        return found;
    }
    [[noreturn]] void fail(const std::string& why) const { throw Usage(program_ + ": " + why + " (see --help)"); }

private:
    std::string program_, usage_, last_;
    std::deque<std::string> left_;
};

}  // namespace chat
