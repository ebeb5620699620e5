#include "connection.hpp"

#include <algorithm>
#include <array>

namespace chat {

Connection::Connection(Socket socket, Decoder decoder, double dead_after)
    : socket_(std::move(socket)), decoder_(std::move(decoder)), dead_after_(dead_after) {}

void Connection::send(std::vector<Piece> pieces) {
    std::unique_lock lock(mutex_);
    if (parted_ || cut_) return;
    for (auto& piece : pieces) {
        bytes_ += piece.data->size();
        if (piece.own) answers_ += piece.data->size();
        waiting_.push_back(std::move(piece));
    }
    const bool too_slow = bytes_ > BACKLOG_BYTES;
    if (too_slow) {
        waiting_.clear();
        bytes_ = answers_ = 0;
    }
    work_.notify_one();
    lock.unlock();
    if (too_slow) part(Code::TOO_SLOW, "come back and get the rest from history");
}

void Connection::part(Code code, std::string_view reason) {
    auto bye = encoded(Bye{may_return(code), code, std::string(chat::cut(reason, MAX_REASON))});
    const std::lock_guard lock(mutex_);
    if (parted_) return;
    parted_ = true;
    cut_at_ = after(GOODBYE_SECONDS);
    bytes_ += bye->size();
    waiting_.push_back({std::move(bye)});
    work_.notify_all();
    room_.notify_all();
}

void Connection::cut() {
    const std::lock_guard lock(mutex_);
    cut_ = true;
    socket_.shutdown();
    work_.notify_all();
    room_.notify_all();
}

std::vector<Packet> Connection::receive() {
    std::array<char, 65536> buffer;
    std::vector<Packet> burst;
    while (true) {
        std::vector<Piece> pongs;
        try {
            while (auto packet = decoder_.next()) {
                if (const auto ping = std::get_if<Ping>(&*packet)) {
                    pongs.push_back({encoded(Pong{ping->id}), true});
                } else if (!std::holds_alternative<Pong>(*packet)) {
                    burst.push_back(*std::move(packet));
                }
            }
        } catch (const ProtocolError&) {
            if (burst.empty()) throw;  // else the packets before it count first; the next call throws again
        }
        if (!pongs.empty()) send(std::move(pongs));
        if (!burst.empty()) return burst;
        {
            std::unique_lock lock(mutex_);
            room_.wait(lock, [this] { return answers_ <= ANSWERS_BYTES || parted_ || cut_; });
        }
        const auto data = socket_.receive(buffer, after(dead_after_));
        if (data.empty()) throw ConnectionLost("connection closed");
        decoder_.feed(data);
    }
}

void Connection::release() {
    std::unique_lock lock(mutex_);
    if (parted_ && !cut_) {  // else there is nobody to say goodbye to
        room_.wait_until(lock, cut_at_, [this] { return finished_ || cut_; });
        lock.unlock();
        socket_.drain();
        lock.lock();
    }
    cut_ = true;
    released_ = true;
    socket_.shutdown();
    work_.notify_all();
}

void Connection::write() {
    try {
        for (auto chunk = next_chunk(); !chunk.empty(); chunk = next_chunk()) send_chunk(chunk);
        socket_.finish();
        std::unique_lock lock(mutex_);
        finished_ = true;
        room_.notify_all();
        work_.wait_until(lock, cut_at_, [this] { return released_ || cut_; });
    } catch (const ConnectionLost&) {  // the handler learns it when it reads
    }
    cut();
}

// The next bytes to send: a PING when there were none for a third of dead_after; nothing after BYE or a cut.
std::string Connection::next_chunk() {
    std::unique_lock lock(mutex_);
    const auto third = after(dead_after_ / 3);
    work_.wait_until(lock, third, [this] { return !waiting_.empty() || parted_ || cut_; });
    std::string chunk;
    if (cut_) return chunk;
    while (!waiting_.empty() && chunk.size() < 65536) {
        const auto& [data, own] = waiting_.front();
        chunk += *data;
        bytes_ -= data->size();
        if (own) answers_ -= data->size();
        waiting_.pop_front();
    }
    room_.notify_all();
    return chunk.empty() && !parted_ ? encode(Ping{}) : chunk;
}

void Connection::send_chunk(std::string_view chunk) {
    auto stalled = after(STALL_SECONDS);
    for (std::size_t progress = 0; !chunk.empty();) {
        bool late = false;
        try {
            const auto sent = socket_.send_some(chunk, after(0.25));
            chunk.remove_prefix(sent);
            progress += sent;
        } catch (const TimedOut&) {  // look whether it is time to give up
            const std::lock_guard lock(mutex_);
            late = Clock::now() >= cut_at_;
        }
        if (progress >= STALL_BYTES) stalled = after(STALL_SECONDS), progress = 0;  // one byte is no progress
        if (late || (!chunk.empty() && Clock::now() >= stalled)) throw TimedOut("the peer reads too slowly");
    }
}

}  // namespace chat
