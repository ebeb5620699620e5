// Sockets: the only code that calls the system's. A descriptor has one owner, which closes it.
//
// All sockets are non-blocking; whoever waits does so in poll(), with a deadline.
#pragma once

#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "packets.hpp"

namespace chat {

using Clock = std::chrono::steady_clock;  // never the wall clock for a deadline
using Deadline = Clock::time_point;

inline constexpr double GOODBYE_SECONDS = 0.5;  // for a peer to read why it is sent away, and to close

inline Deadline after(double seconds) {
    return Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

// The connection has ended without BYE, or cannot be made.
struct ConnectionLost : std::runtime_error {
    using std::runtime_error::runtime_error;
};
struct TimedOut : ConnectionLost {
    using ConnectionLost::ConnectionLost;
};

class Descriptor {
public:
    explicit Descriptor(int number = -1) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~Descriptor() { close(); }
    int get() const { return number_; }
    void close() {
        if (number_ >= 0) ::close(std::exchange(number_, -1));
    }

private:
    int number_;
};

// Wakes every thread that polls watched(), now and later: nothing is read, so all of them see it.
class Alarm {
public:
    Alarm();
    int watched() const { return read_end_.get(); }
    void ring() { write_end_.close(); }  // by one thread

private:
    Descriptor read_end_, write_end_;
};

// Waits until one of them is ready; false at the deadline. No deadline: waits for ever.
bool wait_for(std::span<pollfd> watched, std::optional<Deadline> deadline);

class Socket {
public:
    Socket() = default;
    explicit Socket(Descriptor descriptor);

    // Tries the addresses of the host, one after the other. Throws ConnectionLost. `alarm` ends the wait.
    static Socket connect(const std::string& host, std::uint16_t port, Deadline deadline, const Alarm& alarm);

    // Some bytes; none at the end of the stream. Throws TimedOut, ConnectionLost. The alarm counts as the end.
    std::string_view receive(std::span<char> buffer, Deadline deadline, const Alarm* alarm = nullptr);
    // Sends what the socket takes until the deadline, at least one byte. Throws TimedOut, ConnectionLost.
    std::size_t send_some(std::string_view data, Deadline deadline);
    void send(std::string_view data, Deadline deadline);

    void finish();    // no more will be sent
    void shutdown();  // ends both directions; any thread may call it, and wakes who waits for the socket
    // Reads and drops until the peer closes, at most GOODBYE_SECONDS. A socket that is closed with unread bytes
    // sends a reset, and the peer may lose what was sent to it.
    void drain();

    int descriptor() const { return descriptor_.get(); }
    std::string local_host() const;
    std::string peer_host() const;

private:
    Descriptor descriptor_;
};

class Listener {
public:
    Listener(const std::string& host, std::uint16_t port);  // port 0: any free one. Throws ConnectionLost.
    std::uint16_t port() const;
    int descriptor() const { return descriptor_.get(); }
    std::optional<Socket> accept();  // nothing when the peer is gone again, or no descriptor is left

private:
    Descriptor descriptor_;
};

// Packets over a socket: what both sides of a handshake need.
class Exchange {
public:
    explicit Exchange(Socket socket) : socket_(std::move(socket)) {}

    void send(const Packet& packet, Deadline deadline) { socket_.send(encode(packet), deadline); }
    // Throws ProtocolError, TimedOut, ConnectionLost.
    Packet receive(Deadline deadline, const Alarm* alarm);
    // The packet, if it is whole after one read of a socket that is ready.
    std::optional<Packet> receive_some();

    Socket& socket() { return socket_; }
    Decoder& decoder() { return decoder_; }

private:
    Socket socket_;
    Decoder decoder_;
};

}  // namespace chat
