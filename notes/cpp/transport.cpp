#include "transport.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <system_error>

namespace chat {
namespace {

// What an error means. (std::strerror may use one buffer for all threads.)
std::string reason(int error = errno) { return std::generic_category().message(error); }

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

Addresses resolve(const std::string& host, std::uint16_t port, int flags) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = flags | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    if (const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found))
        throw ConnectionLost(host + ": " + ::gai_strerror(error));
    return {found, ::freeaddrinfo};
}

Descriptor open_socket(const addrinfo& address) {
    return Descriptor(::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

std::string host_of(int descriptor, int (*name)(int, sockaddr*, socklen_t*)) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    std::array<char, NI_MAXHOST> host{};
    if (name(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0 ||
        ::getnameinfo(reinterpret_cast<sockaddr*>(&address), size, host.data(), host.size(), nullptr, 0,
                      NI_NUMERICHOST) != 0)
        throw ConnectionLost("the connection has no address any more");
    return host.data();
}

}  // namespace

Alarm::Alarm() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw ConnectionLost("no pipe: " + reason());
    read_end_ = Descriptor(ends[0]);
    write_end_ = Descriptor(ends[1]);
}

bool wait_for(std::span<pollfd> watched, std::optional<Deadline> deadline) {
    while (true) {
        const auto left =
            deadline ? std::chrono::ceil<std::chrono::milliseconds>(*deadline - Clock::now()).count() : -1;
        if (deadline && left <= 0) return false;
        const int ready = ::poll(watched.data(), watched.size(), static_cast<int>(std::min<long>(left, 1'000'000)));
        if (ready > 0) return true;
        if (ready < 0 && errno != EINTR) throw ConnectionLost("poll: " + reason());
    }
}

Socket::Socket(Descriptor descriptor) : descriptor_(std::move(descriptor)) {
    const int on = 1;  // a line is sent at once, not when the packet before it was acknowledged
    ::setsockopt(descriptor_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Socket Socket::connect(const std::string& host, std::uint16_t port, Deadline deadline, const Alarm& alarm) {
    std::string why = "no address";
    const auto addresses = resolve(host, port, 0);
    for (auto address = addresses.get(); address; address = address->ai_next) {
        auto descriptor = open_socket(*address);
        if (::connect(descriptor.get(), address->ai_addr, address->ai_addrlen) != 0) {
            const int refused = errno;  // before anything else is called
            why = reason(refused);
            if (refused != EINPROGRESS) continue;
            std::array<pollfd, 2> watched{{{descriptor.get(), POLLOUT, 0}, {alarm.watched(), POLLIN, 0}}};
            if (!wait_for(watched, deadline)) throw TimedOut("the server does not answer");
            if (watched[1].revents) throw ConnectionLost("stopped");
            int error = 0;
            socklen_t size = sizeof error;
            ::getsockopt(descriptor.get(), SOL_SOCKET, SO_ERROR, &error, &size);
            if (error) {
                why = reason(error);
                continue;
            }
        }
        return Socket(std::move(descriptor));
    }
    throw ConnectionLost("cannot connect to " + host + ": " + why);
}

std::string_view Socket::receive(std::span<char> buffer, Deadline deadline, const Alarm* alarm) {
    while (true) {
        const auto size = ::recv(descriptor_.get(), buffer.data(), buffer.size(), 0);
        if (size >= 0) return {buffer.data(), static_cast<std::size_t>(size)};
        if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
            throw ConnectionLost("connection lost: " + reason());
        std::array<pollfd, 2> watched{{{descriptor_.get(), POLLIN, 0}, {alarm ? alarm->watched() : -1, POLLIN, 0}}};
        if (!wait_for(watched, deadline)) throw TimedOut("nothing came in time");
        if (watched[1].revents) return {};
    }
}

std::size_t Socket::send_some(std::string_view data, Deadline deadline) {
    while (true) {
        const auto size = ::send(descriptor_.get(), data.data(), data.size(), MSG_NOSIGNAL);
        if (size >= 0) return static_cast<std::size_t>(size);
        if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
            throw ConnectionLost("connection lost: " + reason());
        std::array<pollfd, 1> watched{{{descriptor_.get(), POLLOUT, 0}}};
        if (!wait_for(watched, deadline)) throw TimedOut("the peer does not read");
    }
}

void Socket::send(std::string_view data, Deadline deadline) {
    while (!data.empty()) data.remove_prefix(send_some(data, deadline));
}

void Socket::finish() { ::shutdown(descriptor_.get(), SHUT_WR); }
void Socket::shutdown() { ::shutdown(descriptor_.get(), SHUT_RDWR); }

void Socket::drain() {
    try {
        std::array<char, 4096> dropped;
        for (const auto deadline = after(GOODBYE_SECONDS); !receive(dropped, deadline).empty();) {
            if (Clock::now() >= deadline) break;
        }
    } catch (const ConnectionLost&) {  // it does not close, or is gone
    }
}

std::string Socket::local_host() const { return host_of(descriptor_.get(), ::getsockname); }
std::string Socket::peer_host() const { return host_of(descriptor_.get(), ::getpeername); }

Listener::Listener(const std::string& host, std::uint16_t port) {
    std::string why = "no address";
    const auto addresses = resolve(host, port, AI_PASSIVE);
    for (auto address = addresses.get(); address; address = address->ai_next) {
        descriptor_ = open_socket(*address);
        const int on = 1;
        ::setsockopt(descriptor_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (::bind(descriptor_.get(), address->ai_addr, address->ai_addrlen) == 0 &&
            ::listen(descriptor_.get(), 1024) == 0)
            return;
        why = reason();
    }
    throw ConnectionLost("cannot listen on " + host + ", port " + std::to_string(port) + ": " + why);
}

std::uint16_t Listener::port() const {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    ::getsockname(descriptor_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(address).sin6_port
                                               : reinterpret_cast<sockaddr_in&>(address).sin_port);
}

std::optional<Socket> Listener::accept() {
    const int number = ::accept4(descriptor_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    return number < 0 ? std::nullopt : std::optional(Socket(Descriptor(number)));
}

Packet Exchange::receive(Deadline deadline, const Alarm* alarm) {
    std::array<char, 4096> buffer;
    while (true) {
        if (auto packet = decoder_.next()) return *std::move(packet);
        const auto data = socket_.receive(buffer, deadline, alarm);
        if (data.empty()) throw ConnectionLost("closed in the middle of the handshake");
        decoder_.feed(data);
    }
}

std::optional<Packet> Exchange::receive_some() {
    std::array<char, 4096> buffer;
    const auto data = socket_.receive(buffer, after(0.001));
    if (data.empty()) throw ConnectionLost("closed in the middle of the handshake");
    decoder_.feed(data);
    return decoder_.next();
}

}  // namespace chat
