#include "chatroom.hpp"

#include <algorithm>

namespace chat {
namespace {

constexpr std::size_t ROOM = 2 << 20;  // bytes that may wait in the queue: more handlers than one wait then
constexpr std::size_t WEIGHT = 256;    // of a proposal beside its text

// CR LF and a lone CR become LF, NUL a space: lines have one kind of line end.
void clean(std::string& text) {
    if (text.find('\r') == text.npos && text.find('\0') == text.npos) return;  // memchr, not a loop over both
    std::string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '\r' && at + 1 < text.size() && text[at + 1] == '\n') continue;
        out += text[at] == '\r' ? '\n' : text[at] == '\0' ? ' ' : text[at];
    }
    text = std::move(out);
}

}  // namespace

Reservation::~Reservation() {
    if (chatroom_) chatroom_->queue_.put(Withdraw{origin_, session_}, WEIGHT);
}

Chatroom::Chatroom(const Settings& settings)
    : settings_(settings),
      queue_(ROOM),
      state_(settings.max_members, settings.keep_events),
      forwarder_([this] { forward(); }) {}

// The forwarder: takes all that waits, applies it, and only then gives the members what has happened.
void Chatroom::forward() {
    auto next_tick = after(1);
    for (bool open = true; open;) {
        auto [proposals, more] = queue_.take(std::chrono::seconds(1));
        for (auto& proposal : proposals) state_.apply(proposal);
        if (Clock::now() >= next_tick) {
            state_.tick();
            next_tick = after(1);
        }
        state_.flush();
        open = more;
    }
    state_.part_everybody();
}

Reservation Chatroom::reserve(std::string name, const Key16& token) {
    const Origin origin{++origins_};
    Arrive arrive{origin, std::move(name), token, {}};
    auto answer = arrive.answer.get_future();
    if (!queue_.put(std::move(arrive), WEIGHT)) throw Refused(Code::UNAVAILABLE, "the server is shutting down");
    const auto outcome = answer.get();
    if (outcome.code != Code::OK) throw Refused(outcome.code, outcome.reason);
    return {*this, origin, outcome.session};
}

void Chatroom::converse(Reservation reservation, Socket socket, Decoder decoder, Admit admit) {
    const auto connection = std::make_shared<Connection>(std::move(socket), std::move(decoder), settings_.dead_after);
    {
        const std::lock_guard lock(mutex_);
        connections_.insert(connection);
        if (closed_) connection->part(Code::STOPPING, "the server is shutting down");
    }
    const auto origin = reservation.origin_;
    Leave leave{origin, false, "connection lost"};
    Bye goodbye{false, Code::GOODBYE, "goodbye"};
    if (reaper_.spawn([connection] { connection->write(); })) {
        if (queue_.put(Enter{origin, reservation.session_, connection, std::move(admit)}, WEIGHT))
            reservation.chatroom_ = nullptr;
        try {
            read(*connection, origin, leave.reason);
            leave.clean = true;
        } catch (const ProtocolError& error) {
            leave = {origin, true, "protocol error"};
            goodbye = {false, Code::PROTOCOL_ERROR, error.what()};
        } catch (const ConnectionLost&) {}
    }
    const bool clean = leave.clean;
    queue_.put(std::move(leave), WEIGHT);  // before the goodbye: who has read it may ask for the name at once
    if (clean) connection->part(goodbye.code, goodbye.reason);
    connection->release();
    const std::lock_guard lock(mutex_);
    connections_.erase(connection);
}

// The handler: puts what comes into the queue, until the peer says BYE. Lines of one burst are one proposal.
void Chatroom::read(Connection& connection, Origin origin, std::string& farewell) {
    while (true) {
        std::vector<Say> says;
        for (auto& packet : connection.receive()) {
            if (const auto say = std::get_if<Say>(&packet)) {
                says.push_back(std::move(*say));
                continue;
            }
            submit(origin, says);
            if (const auto command = std::get_if<Command>(&packet)) {
                Ask ask{origin, std::move(*command), {}};
                const auto answered = ask.answered.get_future();
                queue_.put(std::move(ask), WEIGHT);
                answered.wait();  // one command at a time: many of them in a round would delay all members
            } else if (const auto bye = std::get_if<Bye>(&packet)) {
                farewell = bye->reason;
                return;
            } else {
                throw ProtocolError("this packet cannot come now");
            }
        }
        submit(origin, says);
    }
}

void Chatroom::submit(Origin origin, std::vector<Say>& says) {
    if (says.empty()) return;
    std::size_t weight = 0;
    for (auto& say : says) {
        clean(say.text);
        weight += say.text.size() + WEIGHT;
    }
    queue_.put(Lines{origin, std::exchange(says, {})}, weight);
}

void Chatroom::close() {
    queue_.close();
    if (forwarder_.joinable()) forwarder_.join();
    {
        const std::lock_guard lock(mutex_);
        closed_ = true;
        for (const auto& connection : connections_) connection->part(Code::STOPPING, "the server is shutting down");
    }
    reaper_.close();
}

}  // namespace chat
