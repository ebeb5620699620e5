// The waiting queue: what everybody wants to happen, first come, first served. Many threads put, one takes all.
//
// The original, which is not here, has two vectors: one is forwarded under a lock while new messages wait in the
// other. take() swaps them, so the lock is held for the swap and never for a send.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

namespace chat {

template <class Proposal>
class WaitingQueue {
public:
    explicit WaitingQueue(std::size_t room) : room_(room) {}

    // Waits while the queue is full; those who wait are served in the order in which they came. `weight` is about
    // the memory of the proposal. False, and nothing is queued, after close().
    bool put(Proposal proposal, std::size_t weight) {
        std::unique_lock lock(mutex_);
        const auto turn = turns_++;
        passed_.wait(lock, [&] { return closed_ || (turn == serving_ && weight_ < room_); });
        if (closed_) return false;
        ++serving_;
        waiting_.push_back(std::move(proposal));
        weight_ += weight;
        work_.notify_one();
        passed_.notify_all();  // the next in the line
        return true;
    }

    // All that waits, in order; waits for the first one at most so long. The second is false once the queue is
    // closed: nothing comes after these.
    std::pair<std::vector<Proposal>, bool> take(std::chrono::milliseconds patience) {
        std::unique_lock lock(mutex_);
        work_.wait_for(lock, patience, [&] { return closed_ || !waiting_.empty(); });
        std::vector<Proposal> taken;
        taken.swap(waiting_);
        weight_ = 0;
        passed_.notify_all();  // there is room again
        return {std::move(taken), !closed_};
    }

    void close() {
        const std::lock_guard lock(mutex_);
        closed_ = true;
        work_.notify_all();
        passed_.notify_all();
    }

private:
    const std::size_t room_;
    std::condition_variable work_;    // put() and close() wake the taker
    std::condition_variable passed_;  // put(), take() and close() wake those who wait to put
    std::mutex mutex_;                // guards all fields below
    std::vector<Proposal> waiting_;
    std::size_t weight_ = 0;
    std::uint64_t turns_ = 0;    // given to those who came
    std::uint64_t serving_ = 0;  // whose turn it is
    bool closed_ = false;
};

}  // namespace chat
