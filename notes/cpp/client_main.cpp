// The client's command line. At a terminal it is a chat; between pipes it says every line of its input, prints
// every event as a line, and ends when the server has stored all lines.
// Exit code: 0; 1 when a line was not stored or the server was lost; 2 for a wrong option; 128 + signal when a
// signal ended it before all lines were stored.
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <csignal>
#include <iostream>

#include "client.hpp"
#include "names.hpp"
#include "options.hpp"
#include "text.hpp"
#include "views.hpp"

using namespace chat;

namespace {

volatile std::sig_atomic_t signalled = 0, resized = 0;

extern "C" void on_signal(int number) { (number == SIGWINCH ? resized : signalled) = number; }

// Signals are blocked in every thread but in poll(), so none is missed between a look at `signalled` and the wait.
class Signals {
public:
    Signals() {
        struct sigaction action{};
        action.sa_handler = on_signal;
        sigset_t blocked;
        sigemptyset(&blocked);
        for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGWINCH}) {
            ::sigaction(number, &action, nullptr);
            sigaddset(&blocked, number);
        }
        pthread_sigmask(SIG_BLOCK, &blocked, &open_);
        ::signal(SIGPIPE, SIG_IGN);
    }
    // Waits until one is ready; false after a signal.
    bool poll(std::span<pollfd> watched) const { return ::ppoll(watched.data(), watched.size(), nullptr, &open_) > 0; }

private:
    sigset_t open_{};
};

void complain(const std::string& text) { std::cerr << "chat-client: " << printable_line(text) << std::endl; }

// One run between pipes, or at a terminal. Both wait at one place: for the input, for the client, for a signal.
class Run {
public:
    Run(Plan plan, bool follow, const Signals& signals)
        : with_channel_(plan.channels.size() > 1), follow_(follow), signals_(signals), client_(std::move(plan)) {}

    int pipe();
    int interact();

private:
    void split(std::string_view data);
    void say(std::string line);
    void print(const Update& update);
    void write(std::string_view data);

    const bool with_channel_, follow_;
    const Signals& signals_;
    std::string rest_;       // of the input, after its last line end
    bool skipping_ = false;  // the line that is coming is too long
    bool input_ended_ = false, printing_ = true, live_ = false, lost_ = false, failed_ = false;
    std::optional<Ended> ended_;
    Client client_;  // last: it is closed first
};

int Run::pipe() {
    std::array<char, 65536> buffer;
    while (!signalled && !ended_) {
        client_.inbox().hush();
        const bool stored = input_ended_ && client_.lines().lines() == 0;  // before poll(): it has their events then
        for (const auto& update : client_.inbox().poll()) print(update);
        if (stored && live_ && !follow_) return failed_ ? 1 : 0;
        const bool hungry = !input_ended_ && client_.lines().has_room();
        std::array<pollfd, 2> watched{{{client_.inbox().bell(), POLLIN, 0}, {hungry ? STDIN_FILENO : -1, POLLIN, 0}}};
        if (ended_ || !signals_.poll(watched) || !watched[1].revents) continue;
        const auto size = ::read(STDIN_FILENO, buffer.data(), buffer.size());
        if (size > 0) {
            split({buffer.data(), static_cast<std::size_t>(size)});
            continue;
        }
        say(std::exchange(rest_, {}));
        input_ended_ = true;
    }
    const auto waiting = client_.lines().lines();
    if (waiting || ended_)
        complain((ended_ ? ended_->reason : "ended by a signal") +
                 (waiting ? "; lines not stored: " + std::to_string(waiting) : ""));
    return ended_ ? 1 : waiting ? 128 + signalled : 0;
}

void Run::split(std::string_view data) {
    while (!data.empty()) {
        const auto end = data.find('\n');
        if (!skipping_) rest_ += data.substr(0, end);
        if (rest_.size() > MAX_TEXT + 1) {  // a CR may still go
            complain("a line is longer than " + std::to_string(MAX_TEXT) + " bytes and was not sent");
            failed_ = skipping_ = true;
            rest_.clear();
        }
        if (end == data.npos) return;
        if (!skipping_) say(std::exchange(rest_, {}));
        skipping_ = false;
        data.remove_prefix(end + 1);
    }
}

void Run::say(std::string line) {
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty()) return;
    if (!is_utf8(line)) line = encode_utf8(decode_utf8(line));
    if (line.size() > MAX_TEXT) {
        complain("a line is longer than " + std::to_string(MAX_TEXT) + " bytes and was not sent");
        failed_ = true;
        return;
    }
    client_.lines().say(std::move(line));
}

void Run::print(const Update& update) {
    if (const auto event = std::get_if<Event>(&update)) {
        write(event_line(*event, with_channel_) + "\n");
    } else if (std::holds_alternative<CaughtUp>(update)) {
        live_ = true;
    } else if (std::holds_alternative<Connected>(update)) {
        if (std::exchange(lost_, false)) complain("connected again");
    } else if (std::holds_alternative<Anew>(update)) {
        complain("the server has another history: what was shown so far counts no more");
    } else if (const auto lost = std::get_if<Lost>(&update)) {
        live_ = false;
        lost_ = true;
        complain(lost->reason + "; trying to reconnect");
    } else if (const auto notice = std::get_if<Notice>(&update)) {
        failed_ = failed_ || notice->failed;
        complain(notice->words);
    } else if (const auto ended = std::get_if<Ended>(&update)) {
        ended_ = *ended;
    }
}

// In pieces that do not block: a reader that has stopped must not delay a signal.
void Run::write(std::string_view data) {
    while (!data.empty() && printing_ && !signalled) {
        std::array<pollfd, 1> watched{{{STDOUT_FILENO, POLLOUT, 0}}};
        if (!signals_.poll(watched)) continue;
        const auto size = ::write(STDOUT_FILENO, data.data(), std::min<std::size_t>(data.size(), PIPE_BUF));
        if (size < 0) printing_ = false;  // the reader has left, as in `| head -1`
        else data.remove_prefix(static_cast<std::size_t>(size));
    }
}

int Run::interact() {
    const RawTerminal terminal;
    View view(RawTerminal::size().first, RawTerminal::size().second);
    write(view.redraw_input());
    const auto show = [&](const std::string& words) {
        std::size_t start = 0;
        const auto text = printable(words);
        do {
            const auto end = std::min(text.find('\n', start), text.size());
            write(view.show("-- " + text.substr(start, end - start)));
            start = end + 1;
        } while (start < text.size());
    };
    while (!signalled && !ended_ && !view.editor.left()) {
        client_.inbox().hush();
        for (const auto& update : client_.inbox().poll()) {
            if (const auto event = std::get_if<Event>(&update)) write(view.show(*event, with_channel_));
            else if (const auto connected = std::get_if<Connected>(&update))
                show(connected->again ? "back again" : "you are " + connected->name);
            else if (std::holds_alternative<Anew>(update))
                show("the server has another history: what is above counts no more");
            else if (std::holds_alternative<Missed>(update)) show("missed while you were away:");
            else if (const auto lost = std::get_if<Lost>(&update)) show("connection lost: " + lost->reason);
            else if (const auto notice = std::get_if<Notice>(&update)) show(notice->words);
            else if (const auto ended = std::get_if<Ended>(&update)) ended_ = *ended;
        }
        std::array<pollfd, 2> watched{{{client_.inbox().bell(), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}}};
        const bool ready = !ended_ && signals_.poll(watched);
        if (std::exchange(resized, 0)) write(view.resize(RawTerminal::size().first, RawTerminal::size().second));
        if (!ready || !watched[1].revents) continue;
        std::array<char, 4096> keys;
        const auto size = ::read(STDIN_FILENO, keys.data(), keys.size());
        if (size <= 0) break;  // the terminal is gone
        for (auto& line : view.editor.feed({keys.data(), static_cast<std::size_t>(size)})) {
            if (line == "/quit") {
                write(view.leave());
                return 0;
            }
            const bool command = line.starts_with('/') && !line.starts_with("//");
            if (command && line.size() > TEXT_PART) show("not sent: too long for a command");
            else if (command) client_.lines().command(std::move(line));
            else say(line.starts_with("//") ? line.substr(1) : std::move(line));
        }
        write(view.editor.take_repaint() ? view.reprint() : view.redraw_input());
    }
    write(view.leave());
    if (ended_) write("-- " + ended_->reason + "\r\n");
    return ended_ ? 1 : 0;
}

struct Choice {
    Plan plan;
    bool follow = false;
};

// HOST, HOST:PORT, [IPV6]:PORT or IPV6
void take_address(Options& options, Plan& plan, std::string_view text) {
    const bool bracketed = text.starts_with('[');
    const auto colon = bracketed ? text.find(']') + 1 : text.find(':') == text.rfind(':') ? text.find(':') : text.npos;
    const auto port = colon < text.size() ? text.substr(colon + 1) : std::string_view();
    plan.host = bracketed ? text.substr(1, colon - 2) : text.substr(0, colon);
    if (!port.empty()) {
        const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), plan.port);
        if (error != std::errc() || end != port.data() + port.size())
            options.fail(std::string(text) + " is no address");
    }
    if (plan.host.empty()) options.fail(std::string(text) + " is no address");
}

Choice choice_of(Options& options, bool at_terminal) {
    Choice choice;
    auto& plan = choice.plan;
    if (at_terminal) plan.lines = 50, plan.retry_for.reset();
    const char* login = ::getlogin();
    plan.name = login ? login : "guest";
    std::vector<std::string> channels;
    for (int words = 0; const auto option = options.next();) {
        if (*option == "--name") plan.name = options.value();
        else if (*option == "--channel") channels.push_back(options.value());
        else if (*option == "--follow") choice.follow = true;
        else if (*option == "--history") plan.lines = options.number<std::uint16_t>();
        else if (*option == "--retry-for") plan.retry_for = options.seconds(), plan.patient = plan.retry_for > 0;
        else if (*option == "--dead-after") plan.dead_after = options.seconds(0.1);
        else if (option->starts_with('-') || words > 1) options.fail(*option + " is no option");
        else if (words++ == 0) take_address(options, plan, *option);
        else plan.name = *option;
    }
    try {
        plan.name = check_name(plan.name);
        for (auto& channel : channels) channel = check_channel(channel);
    } catch (const NameRefused& refused) {
        options.fail(refused.what());
    }
    if (channels.size() > MAX_CHANNELS) options.fail("too many channels");
    if (!channels.empty()) plan.channels = std::move(channels);
    return choice;
}

}  // namespace

int main(int count, char** arguments) {
    const bool at_terminal = ::isatty(STDIN_FILENO) && ::isatty(STDOUT_FILENO);
    Options options("chat-client", {arguments + 1, static_cast<std::size_t>(count) - 1},
                    "[HOST[:PORT]] [NAME] [--name NAME] [--channel CHANNEL]... [--history N] [--follow] "
                    "[--retry-for SECONDS] [--dead-after SECONDS]");
    try {
        auto [plan, follow] = choice_of(options, at_terminal);
        const Signals signals;
        Run run(std::move(plan), follow, signals);
        return at_terminal ? run.interact() : run.pipe();
    } catch (const Usage& usage) {
        std::cerr << usage.what() << '\n';
        return 2;
    } catch (const std::exception& error) {
        complain(error.what());
        return 1;
    }
}
