#include "views.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <map>

#include "text.hpp"

namespace chat {
namespace {

constexpr std::size_t HISTORY_LINES = 1000;  // printed again at most: more than a screen
constexpr std::string_view PROMPT = "> ";
constexpr std::string_view PASTE_MARKS_ON = "\x1b[?2004h", PASTE_MARKS_OFF = "\x1b[?2004l";

const std::map<std::string, LineEditor::Key> SEQUENCES{
    {"\x1b[D", LineEditor::Key::left},  {"\x1b[C", LineEditor::Key::right}, {"\x1b[H", LineEditor::Key::home},
    {"\x1b[F", LineEditor::Key::end},   {"\x1b[1~", LineEditor::Key::home}, {"\x1b[4~", LineEditor::Key::end},
    {"\x1b[3~", LineEditor::Key::erase}};
const std::map<char32_t, LineEditor::Key> CONTROLS{
    {1, LineEditor::Key::home},      {2, LineEditor::Key::left},       {3, LineEditor::Key::leave},
    {4, LineEditor::Key::leave},     {5, LineEditor::Key::end},        {6, LineEditor::Key::right},
    {8, LineEditor::Key::backspace}, {10, LineEditor::Key::enter},     {11, LineEditor::Key::to_end},
    {12, LineEditor::Key::repaint},  {13, LineEditor::Key::enter},     {21, LineEditor::Key::to_start},
    {23, LineEditor::Key::word},     {127, LineEditor::Key::backspace}};

std::string clock_time(Time time) {
    const auto seconds = static_cast<std::time_t>(time.value / 1000);
    std::tm local{};
    std::array<char, 16> text{};
    if (!::localtime_r(&seconds, &local)) return "--:--";
    return {text.data(), std::strftime(text.data(), text.size(), "%H:%M", &local)};
}

constexpr std::uint8_t TARGET = 8, TARGET_NAME = 9, LIST = 10, REMOVED = 11, WHOM = 13, UNTIL = 14, VOTES = 15;
constexpr std::uint8_t SLOW = 0x80;  // the key of that setting in SET
constexpr std::string_view ERASED_LINE = "-- erased";

// Whom the event is about: a name, or what was typed.
std::string target(const Event& event) {
    const auto name = extra_row(event.extra, TARGET_NAME);
    return std::string(name.empty() ? extra_row(event.extra, WHOM) : name);
}

std::string behind(const std::string& reason) { return reason.empty() ? "" : " (" + reason + ")"; }

// "ann muted bob in #lab until 12:34 (too loud)"
std::string listed(const Event& event) {
    static const std::map<std::uint64_t, std::pair<std::string, std::string>> WORDS{
        {1, {" gave voice to ", " took the voice of "}},
        {2, {" made an operator of ", " took the operator's role of "}},
        {3, {" made an owner of ", " took the owner's role of "}},
        {16, {" has invited ", " has taken back the invitation of "}},
        {17, {" banned ", " ended the ban of "}},
        {18, {" muted ", " unmuted "}},
        {19, {" exempted ", " ended the exemption of "}}};
    const auto found = WORDS.find(extra_number(event.extra, LIST));
    if (found == WORDS.end()) return event.author + " changed who may do what in " + event.channel;
    const auto& [on, off] = found->second;
    const auto until = extra_number(event.extra, UNTIL);
    return event.author + (extra_number(event.extra, REMOVED) ? off : on) + target(event) + " in " +
           (event.channel.empty() ? "the whole chatroom" : event.channel) +
           (until ? " until " + clock_time(Time{until}) : "") + behind(event.text);
}

// The question and the options of a poll, each with its number; of REVEALED also how many have chosen it.
std::string poll(const Event& event) {
    constexpr std::string_view BETWEEN = " | ";
    const auto votes = extra_row(event.extra, VOTES);
    std::string out;
    std::string_view left = event.text;
    for (std::size_t option = 0; !left.empty(); ++option) {
        const auto end = std::min(left.find(BETWEEN), left.size());
        if (option > 0) out += "; " + std::to_string(option) + ": ";
        out += left.substr(0, end);
        if (option > 0 && 2 * option <= votes.size()) {
            const auto high = static_cast<std::uint8_t>(votes[2 * option - 2]);
            out += " (" + std::to_string(high << 8 | static_cast<std::uint8_t>(votes[2 * option - 1])) + ")";
        }
        left.remove_prefix(std::min(end + BETWEEN.size(), left.size()));
    }
    return out;
}

std::string settings(const Event& event) {
    const auto seconds = extra_row(event.extra, SLOW);
    if (seconds.size() != 2) return "the settings of " + event.channel + " have changed";
    const auto number = extra_number(event.extra, SLOW);
    return number ? event.channel + " is slow: one line in " + std::to_string(number) + " s"
                  : event.channel + " is not slow any more";
}

std::string happened(const Event& event) {
    const auto& [who, text] = std::pair(event.author, event.text);
    switch (event.kind) {
        case Kind::JOINED: return who + " joined";
        case Kind::LEFT:
        case Kind::QUIT: return who + " left" + behind(text);
        case Kind::RENAMED: return who + " is now " + text;
        case Kind::TOPIC: return who + (text.empty() ? " removed the topic" : " set the topic: " + text);
        case Kind::KICKED: return who + " removed " + target(event) + " from " + event.channel + behind(text);
        case Kind::SET: return settings(event);
        case Kind::LISTED: return listed(event);
        case Kind::INVITED: return who + " has sent an invitation into " + text;
        case Kind::AWAY: return who + (text.empty() ? " is back" : " is away: " + text);
        case Kind::EDITED: return who + " changed a line: " + text;
        case Kind::DELETED: return who + " took a line back";
        case Kind::REACTED: return who + " reacted to a line: " + text;
        case Kind::CLOSED: return who + " closed " + event.channel + behind(text);
        case Kind::ANNOUNCED: return who + " tells all: " + text;
        case Kind::ERASED: return "what somebody had said was erased";
        case Kind::HAND: return who + (extra_number(event.extra, REMOVED) ? " took the hand down" : " raises a hand");
        case Kind::CALLED:
            return target(event).empty() ? who + " has ended the turn" : who + " has called " + target(event) + " to speak";
        case Kind::POLL: return who + " asks for votes: " + poll(event);
        case Kind::REVEALED: return who + " shows the votes: " + poll(event);
        case Kind::ASKED: return "somebody asks: " + text;
        case Kind::AUDITED: return who + " " + text;
        case Kind::MOVED: return event.channel + " is called " + text + " from now on";
        case Kind::ACCOUNT:
            return who + (text.empty() ? " has no registered name any more" : " has registered the name " + text);
        default: return "the server was restarted";
    }
}

std::string move(char direction, int count) {
    return count > 0 ? "\x1b[" + std::to_string(count) + direction : std::string();
}

}  // namespace

std::string event_line(const Event& event, bool with_channel) {
    const auto channel = with_channel && !event.channel.empty() ? printable_line(event.channel) + " " : std::string();
    if (event.kind != Kind::SAID)
        return clock_time(event.time) + " " + channel + "-- " + printable_line(happened(event));
    return clock_time(event.time) + " " + channel + printable_line(event.author) + ": " +
           printable_line(event.text, "⏎");
}

// --- the line editor -------------------------------------------------------------------------------------

std::vector<std::string> LineEditor::feed(std::string_view bytes) {
    waiting_ += bytes;
    std::vector<std::string> entered;
    Key key{};
    for (char32_t character = 0; next(key, character);) {
        if (key == Key::enter && !pasting_) {
            entered.push_back(encode_utf8(std::exchange(text_, {})));
            cursor_ = 0;
        } else {
            apply(key, character);
        }
    }
    return entered;
}

bool LineEditor::next(Key& key, char32_t& character) {
    key = Key::other;
    if (waiting_.empty()) return false;
    if (waiting_[0] == '\x1b') {  // ESC [ numbers letter
        const auto end = waiting_.size() > 1 && waiting_[1] == '[' ? waiting_.find_first_not_of("0123456789;", 2) : 1;
        if (end == waiting_.npos || waiting_.size() < 2) return waiting_.size() > 16 && (waiting_.clear(), true);
        const auto sequence = waiting_.substr(0, end + 1);
        waiting_.erase(0, end + 1);
        if (sequence == "\x1b[200~" || sequence == "\x1b[201~") pasting_ = sequence == "\x1b[200~";
        else if (const auto found = SEQUENCES.find(sequence); found != SEQUENCES.end()) key = found->second;
        return true;
    }
    const auto first = static_cast<unsigned char>(waiting_[0]);
    const std::size_t size = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (waiting_.size() < size) return false;
    character = decode_utf8(waiting_.substr(0, size))[0];
    waiting_.erase(0, size);
    const auto control = CONTROLS.find(character);
    key = control != CONTROLS.end()               ? control->second
          : character >= ' ' || character == '\t' ? Key::character
                                                  : Key::other;
    return true;
}

void LineEditor::apply(Key key, char32_t character) {
    switch (key) {
        case Key::enter: character = '\n'; [[fallthrough]];  // pasted
        case Key::character:
            if (text_.size() < MAX_TEXT / 4) text_.insert(cursor_++, 1, character);
            break;
        case Key::left: cursor_ -= cursor_ > 0; break;
        case Key::right: cursor_ += cursor_ < text_.size(); break;
        case Key::home: cursor_ = 0; break;
        case Key::end: cursor_ = text_.size(); break;
        case Key::backspace:
            if (cursor_ > 0) text_.erase(--cursor_, 1);
            break;
        case Key::erase:
            if (cursor_ < text_.size()) text_.erase(cursor_, 1);
            break;
        case Key::to_start: text_.erase(0, std::exchange(cursor_, 0)); break;
        case Key::to_end: text_.erase(cursor_); break;
        case Key::word: {
            auto begin = cursor_;
            while (begin > 0 && text_[begin - 1] == ' ') --begin;
            while (begin > 0 && text_[begin - 1] != ' ') --begin;
            text_.erase(begin, cursor_ - begin);
            cursor_ = begin;
            break;
        }
        case Key::leave:
            left_ = left_ || text_.empty();
            text_.clear();
            cursor_ = 0;
            break;
        case Key::repaint: repaint_ = true; break;
        case Key::other: break;
    }
}

// --- the view --------------------------------------------------------------------------------------------

std::vector<std::string> View::wrapped(std::string_view line) const {
    std::vector<std::string> rows(1);
    int used = 0;
    for (const auto character : decode_utf8(line)) {
        const auto width = columns(character);
        if (used + width > columns_) {
            rows.emplace_back();
            used = 0;
        }
        rows.back() += encode_utf8({&character, 1});
        used += width;
    }
    return rows;
}

std::string View::show(const Event& event, bool with_channel) {
    const Person about{static_cast<std::uint32_t>(extra_number(event.extra, TARGET))};
    if (event.kind == Kind::ERASED) {
        for (auto& shown : chat_)
            if (about != Person{} && (shown.author == about || shown.about == about)) shown = {std::string(ERASED_LINE)};
        chat_.push_back({event_line(event, with_channel)});
        return reprint();
    }
    return show(Shown{event_line(event, with_channel), event.person, about});
}

std::string View::show(std::string line) { return show(Shown{std::move(line)}); }

std::string View::show(Shown shown) {
    chat_.push_back(std::move(shown));
    if (chat_.size() > HISTORY_LINES) chat_.pop_front();
    if (!editor.text().empty()) return reprint();  // half typed: the chat around the saved input
    std::string out = erase_input();
    for (const auto& row : wrapped(chat_.back().line)) out += row + "\r\n";
    return out + draw_input();
}

std::string View::redraw_input() { return erase_input() + draw_input(); }

std::string View::resize(int columns, int rows) {
    columns_ = std::max(columns, 4);
    rows_ = std::max(rows, 2);
    return reprint();
}

std::string View::reprint() {
    std::vector<std::string> rows;
    for (auto line = chat_.rbegin(); line != chat_.rend() && rows.size() < static_cast<std::size_t>(rows_); ++line) {
        const auto more = wrapped(line->line);
        rows.insert(rows.end(), more.rbegin(), more.rend());
    }
    const auto input = wrapped(std::string(PROMPT) + encode_utf8(editor.text())).size();
    const auto room = static_cast<std::size_t>(rows_) > input ? static_cast<std::size_t>(rows_) - input : 0;
    rows.resize(std::min(rows.size(), room));
    std::string out = "\x1b[H";
    for (auto row = rows.rbegin(); row != rows.rend(); ++row) out += "\x1b[K" + *row + "\r\n";
    input_row_ = 0;
    return out + "\x1b[J" + draw_input();
}

std::string View::erase_input() { return "\r" + move('A', std::exchange(input_row_, 0)) + "\x1b[J"; }

std::string View::draw_input() {
    const auto shown = [](std::u32string_view text) {  // a line end and a tab have no width of their own
        std::string out(PROMPT);
        for (const auto c : text) out += c == '\n' ? "⏎" : c == '\t' ? " " : encode_utf8({&c, 1});
        return out;
    };
    auto rows = wrapped(shown(editor.text()));
    const auto before = wrapped(shown(std::u32string_view(editor.text()).substr(0, editor.cursor())));
    const int skipped = std::max(0, static_cast<int>(rows.size()) - rows_);  // a text longer than the screen: its end
    std::string out;
    for (auto row = rows.begin() + skipped; row != rows.end(); ++row)
        out += (row == rows.begin() + skipped ? "" : "\r\n") + *row;
    const int last = static_cast<int>(rows.size()) - 1 - skipped;
    input_row_ = std::max(0, static_cast<int>(before.size()) - 1 - skipped);
    return out + move('A', last - input_row_) + "\r" +
           move('C', std::min(columns(decode_utf8(before.back())), columns_ - 1));
}

std::string View::leave() { return redraw_input() + "\r\n"; }

// --- the terminal ----------------------------------------------------------------------------------------

RawTerminal::RawTerminal() {
    ::tcgetattr(STDIN_FILENO, &saved_);
    termios raw = saved_;
    raw.c_iflag &= ~static_cast<tcflag_t>(ICRNL | IXON | ISTRIP | INLCR | IGNCR);
    raw.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON | ISIG | IEXTEN);
    raw.c_oflag &= ~static_cast<tcflag_t>(OPOST);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    ::tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
    [[maybe_unused]] const auto written = ::write(STDOUT_FILENO, PASTE_MARKS_ON.data(), PASTE_MARKS_ON.size());
}

RawTerminal::~RawTerminal() {
    [[maybe_unused]] const auto written = ::write(STDOUT_FILENO, PASTE_MARKS_OFF.data(), PASTE_MARKS_OFF.size());
    ::tcsetattr(STDIN_FILENO, TCSADRAIN, &saved_);
}

std::pair<int, int> RawTerminal::size() {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return {80, 24};
    return {std::max<int>(size.ws_col, 4), std::max<int>(size.ws_row, 2)};
}

}  // namespace chat
