// The client: one connection after another, until it is closed. Lines are said exactly once.
//
//     main ── say() ──► PendingLines ──► sender thread ──► socket
//     socket ──► connection thread ──► a thread for each burst, in turn (Sequencer) ──► Inbox ── poll() ──► main
#pragma once

#include <array>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "packets.hpp"
#include "reaper.hpp"
#include "transport.hpp"

namespace chat {

inline constexpr std::size_t MAX_PENDING = 8192, PENDING_BYTES = 8 << 20;  // lines said and not settled
inline constexpr std::size_t UNREAD_BYTES = 16 << 20;                      // updates that main has not taken
inline constexpr unsigned MAX_PROCESSING = 8;                              // burst threads at work
inline constexpr double RETRY_FIRST = 0.25, RETRY_LONGEST = 10, RETRY_STEADY = 1, CLOSE_SECONDS = 1.5;

// --- what the client tells its user ----------------------------------------------------------------------

struct Connected {
    std::string name;
    bool again;
};
// The replay is complete.
struct CaughtUp {};
// Before the first event that came while the client was away.
struct Missed {};
// The server has another history: what was seen counts no more.
struct Anew {};
// The client tries to come back.
struct Lost {
    std::string reason;
};
// Words for the user. failed: a line is not stored, or nobody knows.
struct Notice {
    std::string words;
    bool failed;
};
// The client does not come back.
struct Ended {
    std::string reason;
};
using Update = std::variant<Event, Connected, CaughtUp, Missed, Anew, Lost, Notice, Ended>;

// Updates on their way to main. A full inbox makes the connection wait, and so TCP, and in the end the server.
class Inbox {
public:
    Inbox();
    int bell() const { return bell_.get(); }  // readable while something has happened since hush()
    void hush();                              // main calls it before it looks what has happened: so it misses nothing
    void ring();                              // something has happened
    void put(Update update);
    std::vector<Update> poll();
    void close();  // lets nobody wait

private:
    Descriptor bell_, hammer_;
    std::condition_variable room_;  // poll() and close() wake who puts
    std::mutex mutex_;              // guards the fields below
    std::vector<Update> updates_;
    std::size_t bytes_ = 0;
    bool closed_ = false;
};

// Lines and commands that are not ended, in the order of their ids. A line stays until it is settled; a new
// connection sends it again. A command is sent once.
class PendingLines {
public:
    PendingLines();

    // --- main
    bool has_room();
    std::size_t lines();  // how many are not settled
    void say(std::string text);
    void command(std::string text);
    void close();  // send what is left, then BYE
    bool is_closed();

    // --- the thread whose turn it is
    void attach();                                          // a connection was made
    void open(std::string channel);                         // its replay is over: lines may be sent
    void move(std::string channel);                         // the channel has another name
    void detach();                                          // it has ended
    std::optional<std::string> settle(MessageId id);        // the text, if it was not ended yet
    std::vector<std::string> decided(MessageId confirmed);  // ends the lines up to this id; their texts
    std::vector<std::string> unanswered();                  // ends the commands that were sent; their texts
    void ping();
    void pong(MessageId id);

    // --- the sender: the next bytes, a PING when there were none so long; nothing at the end
    std::string take(double patience);

private:
    struct Entry {
        std::string text;
        bool is_command;
    };
    void add(std::string text, bool is_command);

    std::condition_variable work_;  // wakes the sender
    std::mutex mutex_;              // guards all fields below
    std::map<MessageId, Entry> entries_;
    std::size_t lines_ = 0, bytes_ = 0;
    MessageId last_;       // the latest id given
    MessageId sent_;       // the latest id sent on this connection
    std::string channel_;  // as the server writes it
    std::optional<MessageId> pong_;
    bool ping_ = false, attached_ = false, open_ = false, closing_ = false;
};

// Many threads parse bursts at once; the results come out in the order of the turns.
class Sequencer {
public:
    unsigned take();           // the next turn; waits while MAX_PROCESSING turns are taken and not passed
    void wait(unsigned turn);  // until all earlier turns were passed
    void pass();
    void drain();  // waits until all turns were passed

private:
    std::condition_variable moved_;
    std::mutex mutex_;  // guards the two counters
    unsigned taken_ = 0, passed_ = 0;
};

// One turn, from its taking to its passing: its owner passes it whatever happens, since all later ones wait for it.
class Turn {
public:
    explicit Turn(Sequencer& sequencer) : sequencer_(sequencer), number_(sequencer.take()) {}
    ~Turn() {
        wait();
        sequencer_.pass();
    }
    Turn(const Turn&) = delete;
    void wait() { sequencer_.wait(number_); }

private:
    Sequencer& sequencer_;
    const unsigned number_;
};

struct Plan {
    std::string host = "127.0.0.1";
    std::uint16_t port = 5050;
    std::string name;
    std::vector<std::string> channels{"#general"};
    std::uint16_t lines = 0;                // of the history, at the first connection
    std::optional<double> retry_for = 300;  // nothing: for ever
    bool patient = false;                   // waits for a server that is not there yet
    double dead_after = 45;
};

class Client {
public:
    explicit Client(Plan plan);  // connects in a thread of its own
    ~Client() { close(); }

    PendingLines& lines() { return pending_; }
    Inbox& inbox() { return inbox_; }
    void close();  // sends what is left and BYE, for at most CLOSE_SECONDS

private:
    struct Admission {
        Socket socket;
        Decoder decoder;
        Welcome welcome;
    };
    struct Ending {
        std::string reason;
        bool again = true;
    };
    struct Burst {
        Burst(Sequencer& sequencer, std::vector<Frame> frames) : frames(std::move(frames)), turn(sequencer) {}
        std::vector<Frame> frames;
        Turn turn;
    };
    void run();
    std::optional<Admission> come_back(std::string reason);
    Admission admit();
    Ending converse(Admission admission);
    void receive(Admission& admission);
    void process(std::shared_ptr<Burst> burst);
    void deliver(Packet& packet);
    void deliver(Event event);
    void deliver(const Live& live);
    void follow(const Event& moved);
    void send(Socket& socket);
    void lose(Socket& socket, Ending ending);
    void fail(const std::string& reason);

    Plan plan_;  // after the start, only its channels change
    Inbox inbox_;
    PendingLines pending_;
    Alarm closing_;

    // Confined to the connection thread; during a connection, to the thread whose turn it is:
    std::string name_, channel_;
    Key16 token_{}, identity_{};
    Seq seen_;  // all events up to this one were given to main
    Time seen_time_;
    Person person_;
    std::set<Person> persons_;  // who the client was since the last LIVE: its lines not ended yet are theirs
    MessageId confirmed_;
    bool exact_ = true;  // no event since the last LIVE was left out
    bool was_live_ = false;
    bool missed_due_ = false;  // nothing of others has come since the reconnect
    bool failed_ = false;      // a burst broke the protocol: no later packet counts
    MessageId bracket_;        // the request whose events of the past are coming
    bool tried_ = false;       // a first try was made
    double pause_ = 0;         // before the next try
    Deadline give_up_ = Deadline::max();

    std::condition_variable end_;   // run() wakes close()
    std::mutex mutex_;              // guards the three fields below
    Socket* socket_ = nullptr;      // of the present connection; its own threads may use it without the mutex
    std::optional<Ending> ending_;  // of this connection: the first reason, or the server's BYE
    bool ended_ = false;            // run() has returned

    Sequencer sequencer_;
    Reaper reaper_;           // of the burst threads
    std::thread connection_;  // last: it uses the fields above
};

}  // namespace chat
