// The chatroom: owns the waiting queue and every thread but main's. Each connection has a handler thread and a
// writer thread; one forwarder applies what the handlers put into the queue, first come, first served.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <set>

#include "queue.hpp"
#include "reaper.hpp"
#include "state.hpp"

namespace chat {

struct Settings {
    std::string host = "127.0.0.1";
    std::uint16_t port = 5050;
    bool same_connection = false;  // after the lobby a newcomer stays on its connection
    NameRule names = NameRule::ascii;
    double dead_after = 45;
    std::size_t max_members = 1000;
    std::size_t keep_events = 10'000;
};

// A name that is reserved for a newcomer; given up again unless the newcomer enters.
class Chatroom;
class Reservation {
public:
    Reservation(Chatroom& chatroom, Origin origin, Key16 session)
        : chatroom_(&chatroom), origin_(origin), session_(session) {}
    Reservation(Reservation&& other) noexcept
        : chatroom_(std::exchange(other.chatroom_, nullptr)), origin_(other.origin_), session_(other.session_) {}
    Reservation& operator=(Reservation&&) = delete;
    ~Reservation();

private:
    friend Chatroom;
    Chatroom* chatroom_;
    Origin origin_;
    Key16 session_;
};

struct Refused : std::runtime_error {
    Refused(Code code, const std::string& reason) : std::runtime_error(reason), code(code) {}
    Code code;
};

class Chatroom {
public:
    explicit Chatroom(const Settings& settings);
    ~Chatroom() { close(); }

    // Runs `conversation` in a thread that the chatroom owns. False when no thread is left, and after close().
    bool spawn(std::function<void()> conversation) { return reaper_.spawn(std::move(conversation)); }

    // Reserves a name. Throws Refused.
    Reservation reserve(std::string name, const Key16& token);

    // The whole life of a member, in the calling thread: the handler. `admit` has checked channels.
    void converse(Reservation reservation, Socket socket, Decoder decoder, Admit admit);

    // Accepts no more, forwards what was accepted, says goodbye to everybody, joins every thread. The handshakes
    // under way were told to end before.
    void close();

private:
    friend Reservation;
    void forward();
    void read(Connection& connection, Origin origin, std::string& farewell);
    void submit(Origin origin, std::vector<Say>& says);

    const Settings settings_;
    WaitingQueue<Proposal> queue_;
    std::atomic<std::uint64_t> origins_ = 0;  // numbers given
    State state_;                             // the forwarder's only

    std::mutex mutex_;                                   // guards the next two
    std::set<std::shared_ptr<Connection>> connections_;  // of the handlers that run, for close()
    bool closed_ = false;

    Reaper reaper_;          // its threads use the fields above, so it is destroyed before them
    std::thread forwarder_;  // last: nothing may throw once it runs
};

}  // namespace chat
