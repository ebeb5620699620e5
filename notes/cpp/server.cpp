#include "server.hpp"

#include <algorithm>
#include <iostream>
#include <list>

#include "handshake.hpp"
#include "text.hpp"

namespace chat {
namespace {

// STATUS FAIL with the reason, and time for the peer to read it.
void refuse(Exchange& guest, Code code, std::string_view reason, bool wait = true) {
    try {
        guest.send(Status{Verdict::FAIL, code, std::string(cut(reason, MAX_REASON))}, after(GOODBYE_SECONDS));
        guest.socket().finish();
        if (wait) guest.socket().drain();
    } catch (const ConnectionLost&) {  // it is gone
    }
}

struct Leaving {  // counts a guest out
    explicit Leaving(std::atomic<int>& guests) : guests(guests) {}
    ~Leaving() { --guests; }
    Leaving(const Leaving&) = delete;
    std::atomic<int>& guests;
};

template <class Wanted>
Wanted expect(Handshake& handshake, const Packet& packet) {
    handshake.receive(packet);  // throws unless the packet may come now
    return std::get<Wanted>(packet);
}

}  // namespace

Server::Server(const Settings& settings)
    : settings_(settings),
      listener_(settings.host, settings.port),
      chatroom_(settings),
      accepting_([this] { accept_all(); }) {}

void Server::close() {
    stopping_.ring();
    if (accepting_.joinable()) accepting_.join();
    chatroom_.close();
}

void Server::accept_all() {
    while (true) {
        std::array<pollfd, 2> watched{{{listener_.descriptor(), POLLIN, 0}, {stopping_.watched(), POLLIN, 0}}};
        wait_for(watched, std::nullopt);
        if (watched[1].revents) return;
        auto socket = listener_.accept();
        if (!socket) {  // no descriptor is left, perhaps: without a pause this would spin
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            continue;
        }
        const int guests = ++guests_;
        // A std::function must be copyable, and a socket is not: the thread shares it.
        const auto shared = std::make_shared<Socket>(std::move(*socket));
        const auto start = [this, shared, guests] { welcome(std::move(*shared), guests > MAX_GUESTS); };
        if (guests > 2 * MAX_GUESTS || !chatroom_.spawn(start)) --guests_;  // the socket is closed
    }
}

// The thread of one connection: the handshake, then the member's handler.
void Server::welcome(Socket socket, bool crowded) {
    if (auto join = admit(Exchange(std::move(socket)), crowded))
        chatroom_.converse(std::move(join->reservation), std::move(join->exchange.socket()),
                           std::move(join->exchange.decoder()), std::move(join->admit));
}

std::optional<Server::Join> Server::admit(Exchange lobby, bool crowded) {
    const Leaving leaving(guests_);
    try {
        if (crowded) throw Refused(Code::SLOW_DOWN, "too many newcomers at once; try again in some seconds");
        return lead(lobby);
    } catch (const Refused& refused) {
        refuse(lobby, refused.code, refused.what());
    } catch (const NameRefused& refused) {
        refuse(lobby, Code::BAD_NAME, refused.what());
    } catch (const ProtocolError& error) {
        refuse(lobby, Code::PROTOCOL_ERROR, error.what());
    } catch (const TimedOut&) {
        refuse(lobby, Code::SILENT, "what had to come did not come in time");
    } catch (const ConnectionLost&) {
        refuse(lobby, Code::UNAVAILABLE, "the server cannot admit anybody now");
    }
    return std::nullopt;
}

// Returns what the chatroom is to admit. Whoever is refused is told on `lobby`, which becomes the new connection.
Server::Join Server::lead(Exchange& lobby) {
    Handshake handshake(Side::server);
    auto reservation = find_name(lobby, handshake);
    const auto ticket = random_key();
    std::optional<Listener> listener;
    if (!settings_.same_connection) listener.emplace(lobby.socket().local_host(), 0);  // before the client is told
    const auto step = after(STEP_SECONDS);
    lobby.send(Status{}, step);
    lobby.send(Port{listener ? listener->port() : std::uint16_t{0}, ticket}, step);
    expect<Status>(handshake, lobby.receive(step, &stopping_));
    if (handshake.step() == Step::refused) throw Refused(Code::UNAVAILABLE, "the client cannot use the port");
    expect<Status>(handshake, lobby.receive(step, &stopping_));
    lobby.send(Status{Verdict::END, {}, {}}, step);
    Admit admit;
    if (listener) {
        lobby = Exchange(Socket());  // closes the connection to the lobby
        lobby = wait_for_owner(*listener, ticket, handshake, admit);
    } else {
        admit = expect<Admit>(handshake, lobby.receive(after(STEP_SECONDS), &stopping_));
        if (admit.ticket != ticket) throw Refused(Code::EXPIRED, "wrong ticket");
    }
    for (auto& channel : admit.channels) channel = check_channel(channel, settings_.names);
    return {std::move(reservation), std::move(lobby), std::move(admit)};
}

Reservation Server::find_name(Exchange& lobby, Handshake& handshake) {
    const auto whole = after(HANDSHAKE_SECONDS);
    auto step = after(STEP_SECONDS);
    const auto hello = expect<Hello>(handshake, lobby.receive(step, &stopping_));
    if (hello.version != VERSION) throw Refused(Code::BAD_VERSION, "this server speaks version 2 of the protocol");
    for (int tried = 0; tried < NAME_TRIES; ++tried) {
        const auto wanted = expect<Username>(handshake, lobby.receive(step, &stopping_));
        step = whole;  // a person who has to choose another name takes time
        try {
            auto reservation = chatroom_.reserve(check_name(wanted.name, settings_.names), wanted.token);
            handshake.enter(Step::offered);
            return reservation;
        } catch (const NameRefused& refused) {
            lobby.send(Status{Verdict::FAIL, Code::BAD_NAME, refused.what()}, whole);
        } catch (const Refused& refused) {
            if (refused.code != Code::NAME_TAKEN && refused.code != Code::NAME_HELD) throw;
            lobby.send(Status{Verdict::FAIL, refused.code, refused.what()}, whole);
        }
    }
    throw Refused(Code::TOO_MANY, "too many names were tried");
}

// Waits at the new port until a peer shows the ticket. Strangers cannot keep it out: the oldest makes room.
Exchange Server::wait_for_owner(Listener& listener, const Key16& ticket, Handshake& handshake, Admit& admit) {
    const auto deadline = after(STEP_SECONDS);
    std::list<Exchange> guests;
    while (true) {
        std::vector<pollfd> watched{{listener.descriptor(), POLLIN, 0}, {stopping_.watched(), POLLIN, 0}};
        for (auto& guest : guests) watched.push_back({guest.socket().descriptor(), POLLIN, 0});
        if (!wait_for(watched, deadline)) {
            for (auto& guest : guests) refuse(guest, Code::SILENT, "ADMIT did not come in time", false);
            throw TimedOut("nobody came to the admission port in time");
        }
        if (watched[1].revents) throw ConnectionLost("the server is shutting down");
        auto guest = guests.begin();
        for (std::size_t number = 2; number < watched.size(); ++number) {
            const auto here = guest++;
            if (!watched[number].revents) continue;
            try {
                const auto packet = here->receive_some();
                if (!packet) continue;
                if (const auto found = std::get_if<Admit>(&*packet); found && found->ticket == ticket) {
                    admit = expect<Admit>(handshake, *packet);
                    return std::move(*here);
                }
                refuse(*here, std::holds_alternative<Admit>(*packet) ? Code::EXPIRED : Code::PROTOCOL_ERROR,
                       "wrong ticket", false);
            } catch (const ProtocolError& error) {
                refuse(*here, Code::PROTOCOL_ERROR, error.what(), false);
            } catch (const ConnectionLost&) {  // it is gone
            }
            guests.erase(here);
        }
        if (!watched[0].revents) continue;
        if (auto socket = listener.accept()) guests.emplace_back(std::move(*socket));
        if (guests.size() > MAX_STRANGERS) {
            refuse(guests.front(), Code::SLOW_DOWN, "too many connections to this port", false);
            guests.pop_front();
        }
    }
}

}  // namespace chat
