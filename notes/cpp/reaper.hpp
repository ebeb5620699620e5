// The reaper: owns threads, and once a second joins those that have ended. Server and client use the same.
//
// The original walks its std::vector<std::thread> each second and looks for dead threads. std::thread cannot say
// that: joinable() stays true until the thread is joined. So a thread reports its own end.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace chat {

class Reaper {
public:
    Reaper();
    ~Reaper() { close(); }
    Reaper(const Reaper&) = delete;
    Reaper& operator=(const Reaper&) = delete;

    // Runs `target` in a new thread. False after close(), or when the system has no thread left.
    bool spawn(std::function<void()> target);

    // Joins every thread. The caller has told them to end before. Nothing can be spawned after this.
    void close();

private:
    void reap_each_second();
    void run(const std::function<void()>& target);

    std::condition_variable closing_;     // close() wakes the reaping thread
    std::mutex mutex_;                    // guards the three fields below
    std::vector<std::thread> threads_;    // registered before they can report their end: spawn() holds the mutex
    std::vector<std::thread::id> ended_;  // have reported their end, not joined yet
    bool closed_ = false;
    std::thread reaping_;  // last: it uses the fields above
};

}  // namespace chat
