// The server: listens, accepts, and leads each newcomer through the handshake. It knows nothing of messages.
#pragma once

#include <atomic>
#include <thread>

#include "chatroom.hpp"
#include "transport.hpp"

namespace chat {

inline constexpr int MAX_GUESTS = 128;           // newcomers in the handshake at once; more are told SLOW_DOWN
inline constexpr std::size_t MAX_STRANGERS = 8;  // on an admission port, before the one with the ticket

class Server {
public:
    explicit Server(const Settings& settings);  // listens already. Throws ConnectionLost
    ~Server() { close(); }
    std::uint16_t port() const { return listener_.port(); }
    void close();

private:
    struct Join {
        Reservation reservation;
        Exchange exchange;
        Admit admit;
    };
    void accept_all();
    void welcome(Socket socket, bool crowded);
    std::optional<Join> admit(Exchange lobby, bool crowded);
    Join lead(Exchange& lobby);
    Reservation find_name(Exchange& lobby, class Handshake& handshake);
    Exchange wait_for_owner(Listener& listener, const Key16& ticket, class Handshake& handshake, Admit& admit);

    const Settings settings_;
    Listener listener_;
    Alarm stopping_;               // wakes accept_all() and every handshake
    std::atomic<int> guests_ = 0;  // threads in a handshake
    Chatroom chatroom_;
    std::thread accepting_;  // last: it uses the fields above
};

}  // namespace chat
