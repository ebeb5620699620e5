// What the user sees: the chat, and below it the line that is being typed. Keys and lines in, text for the
// terminal out; the last part of the file is the terminal itself.
//
// As in the original, a message that comes while the input is empty is printed; when a line is half typed, the
// input is saved, the whole chat is printed again, and the input is put back below it.
#pragma once

#include <termios.h>

#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "packets.hpp"

namespace chat {

// An event as one harmless line: "12:34 ann: hi", "12:34 -- ann joined".
std::string event_line(const Event& event, bool with_channel);

// The line that is being typed.
class LineEditor {
public:
    enum class Key {
        character,
        enter,
        left,
        right,
        home,
        end,
        backspace,
        erase,
        to_start,
        to_end,
        word,
        leave,
        repaint,
        other
    };

    // What the bytes of the keyboard do to the line; the lines that were entered. Keys that came in part wait.
    std::vector<std::string> feed(std::string_view bytes);
    const std::u32string& text() const { return text_; }
    std::size_t cursor() const { return cursor_; }
    bool left() const { return left_; }                             // Ctrl-C or Ctrl-D on an empty line
    bool take_repaint() { return std::exchange(repaint_, false); }  // Ctrl-L

private:
    bool next(Key& key, char32_t& character);  // takes one key off waiting_
    void apply(Key key, char32_t character);

    std::string waiting_;
    std::u32string text_;
    std::size_t cursor_ = 0;
    bool pasting_ = false, left_ = false, repaint_ = false;
};

class View {
public:
    View(int columns, int rows) : columns_(columns), rows_(rows) {}

    // Each returns what is to be written to the terminal, in one write.
    std::string show(std::string line);                       // a line of the program
    std::string show(const Event& event, bool with_channel);  // ERASED blanks what is shown of a person
    std::string redraw_input();
    std::string resize(int columns, int rows);
    std::string reprint();  // the whole chat, and the input below it
    std::string leave();    // the cursor below the input, for the shell

    LineEditor editor;

private:
    struct Shown {
        std::string line;
        Person author{}, about{};
    };
    std::string show(Shown shown);
    std::vector<std::string> wrapped(std::string_view line) const;
    std::string erase_input();
    std::string draw_input();

    int columns_, rows_;
    std::deque<Shown> chat_;  // the latest lines, at most HISTORY_LINES
    int input_row_ = 0;       // in which of the input's rows the cursor is
};

// The terminal in raw mode: each key comes at once, and none is printed by the system.
class RawTerminal {
public:
    RawTerminal();
    ~RawTerminal();
    RawTerminal(const RawTerminal&) = delete;
    RawTerminal& operator=(const RawTerminal&) = delete;
    static std::pair<int, int> size();  // columns, rows

private:
    termios saved_{};
};

}  // namespace chat
