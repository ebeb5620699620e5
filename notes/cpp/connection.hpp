// One member's connection. Two threads use it: the handler receives, the writer sends. Any thread may give it
// bytes to send, and none of them waits for the peer: bytes that the socket has not taken yet are in waiting_,
// which is bounded. A writer thread for each connection is the simplest way that is right: a blocked send stops
// nobody else, it needs no list of who is writable, and its own clock tells when a PING is due.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "packets.hpp"
#include "transport.hpp"

namespace chat {

inline constexpr std::size_t BACKLOG_BYTES = 32 << 20;  // of a member that does not read; the history has the rest
inline constexpr std::size_t ANSWERS_BYTES = 64 << 10;  // unread answers, beyond which it is not read any more
inline constexpr double STALL_SECONDS = 10;             // in which a member takes STALL_BYTES, or all that waits
inline constexpr std::size_t STALL_BYTES = 2048;

using Bytes = std::shared_ptr<const std::string>;  // an event is encoded once, for all members

inline Bytes encoded(const Packet& packet) { return std::make_shared<const std::string>(encode(packet)); }

struct Piece {
    Bytes data;
    bool own = false;  // an answer, for this member only
};

class Connection {
public:
    Connection(Socket socket, Decoder decoder, double dead_after);

    // --- any thread: none of these waits for the peer
    void send(std::vector<Piece> pieces);
    void part(Code code, std::string_view reason);  // BYE is the last packet; the first call counts
    void cut();                                     // ends at once

    // --- the handler
    // The packets that came, at least one. PING is answered. Throws ProtocolError, ConnectionLost.
    std::vector<Packet> receive();
    void release();  // the handler is done: waits until BYE is sent, then until the peer has closed; not for long

    // --- the writer: sends until the connection ends
    void write();

private:
    std::string next_chunk();
    void send_chunk(std::string_view chunk);

    Socket socket_;
    Decoder decoder_;  // the handler's only
    const double dead_after_;

    std::condition_variable work_;  // send(), part(), cut() and release() wake the writer
    std::condition_variable room_;  // the writer, part() and cut() wake a handler that waits for the writer
    std::mutex mutex_;              // guards all fields below
    std::deque<Piece> waiting_;
    std::size_t bytes_ = 0;    // of waiting_
    std::size_t answers_ = 0;  // of those in it that are answers
    bool parted_ = false;      // BYE is in waiting_, or sent
    bool finished_ = false;    // BYE was sent
    bool cut_ = false;
    bool released_ = false;
    Deadline cut_at_ = Deadline::max();
};

}  // namespace chat
