#include "reaper.hpp"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <iterator>
#include <system_error>

namespace chat {

Reaper::Reaper() : reaping_([this] { reap_each_second(); }) {}

bool Reaper::spawn(std::function<void()> target) {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    try {
        threads_.emplace_back([this, target = std::move(target)] { run(target); });
        return true;
    } catch (const std::system_error&) {
        return false;
    }
}

void Reaper::run(const std::function<void()>& target) {
    try {
        target();
    } catch (const std::exception& error) {  // a bug: it ends this thread, not the program
        std::cerr << "a thread failed: " << error.what() << '\n';
    } catch (...) {
        std::cerr << "a thread failed\n";
    }
    const std::lock_guard lock(mutex_);
    ended_.push_back(std::this_thread::get_id());
}

void Reaper::reap_each_second() {
    std::unique_lock lock(mutex_);
    while (!closing_.wait_for(lock, std::chrono::seconds(1), [this] { return closed_; })) {
        const auto dead = std::partition(threads_.begin(), threads_.end(), [this](const std::thread& thread) {
            return std::ranges::find(ended_, thread.get_id()) == ended_.end();
        });
        std::vector<std::thread> ended(std::make_move_iterator(dead), std::make_move_iterator(threads_.end()));
        threads_.erase(dead, threads_.end());
        ended_.clear();
        lock.unlock();
        for (auto& thread : ended) thread.join();  // waits for microseconds: the report is the last thing it does
        lock.lock();
    }
}

void Reaper::close() {
    {
        const std::lock_guard lock(mutex_);
        closed_ = true;
        closing_.notify_all();
    }
    if (reaping_.joinable()) reaping_.join();
    std::vector<std::thread> left;
    {
        const std::lock_guard lock(mutex_);
        left.swap(threads_);
    }
    for (auto& thread : left) thread.join();
}

}  // namespace chat
