// The state: names, sessions, channels, and the history. Confined to the forwarder's thread, so it needs no mutex.
// It decides, and it hands the bytes of what it has decided to the connections; no call waits for a peer.
#pragma once

#include <deque>
#include <future>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "connection.hpp"
#include "names.hpp"
#include "packets.hpp"

namespace chat {

inline constexpr double HOLD_SECONDS = 90, SESSION_SECONDS = 7 * 24 * 3600;
inline constexpr std::size_t MAX_SESSIONS = 10'000, MAX_HELD = 1000, MAX_PLACES = 10'000;
inline constexpr std::size_t HISTORY_BYTES = 16
                                             << 20;  // a member that comes back gets at most this: below BACKLOG_BYTES

using Origin = Number<struct OriginTag, std::uint64_t>;  // a connection, or a newcomer on the way to one; 0: none

// --- what may be proposed; the forwarder applies the proposals in the order of the queue ---------------------

struct Outcome {  // the answer to Arrive
    Code code = Code::UNAVAILABLE;
    std::string reason;
    Key16 session{};  // its token
};
struct Arrive {
    Origin origin;
    std::string name;
    Key16 token{};
    std::promise<Outcome> answer;
};
struct Withdraw {
    Origin origin;
    Key16 session{};
};  // the newcomer did not come
struct Enter {
    Origin origin;
    Key16 session{};
    std::shared_ptr<Connection> connection;
    Admit admit;
};
struct Lines {
    Origin origin;
    std::vector<Say> says;
};
struct Ask {
    Origin origin;
    Command command;
    std::promise<void> answered;
};
struct Leave {
    Origin origin;
    bool clean;
    std::string reason;
};
using Proposal = std::variant<Arrive, Withdraw, Enter, Lines, Ask, Leave>;

class State {
public:
    State(std::size_t max_members, std::size_t keep_events);

    void apply(Proposal& proposal);
    void tick();            // time has passed: holds, reservations and sessions end
    void flush();           // gives the connections what the proposals since the last flush made for them
    void part_everybody();  // the server stops

private:
    enum class Phase { arriving, here, lost, absent };
    struct Session {
        Key16 token{};
        Person person;
        std::string name, key;
        std::vector<std::string> looks;
        Phase phase = Phase::arriving;
        Deadline until = Deadline::max();  // of the phase
        MessageId confirmed;               // highest id applied
        Origin coming, at;                 // whose handshake is under way; whose connection it is
        std::shared_ptr<Connection> connection;
        std::string reason;         // why it is lost
        std::set<Place> places;     // of a member (here or lost)
        std::map<Place, Seq> left;  // of one that has quit: events up to this seq are still for it
        std::vector<Piece> out;     // for its connection, since the last flush

        bool is_member() const { return phase == Phase::here || phase == Phase::lost; }
    };
    struct Room {
        std::string name;
        std::map<Person, Session*> members;
    };
    struct Stored {
        Seq seq;
        Time time;
        bool said;
        std::set<Place> scope;  // the places whose members get it
        Bytes data;
    };

    void apply_one(Arrive& arrive);
    void apply_one(Withdraw& withdraw);
    void apply_one(Enter& enter);
    void apply_one(Lines& lines);
    void apply_one(Ask& ask);
    void apply_one(Leave& leave);

    Outcome reserve(const Arrive& arrive);
    Session* holder_of(const std::string& key, const std::vector<std::string>& looks, const Session* own);
    Session* find(const Key16& token);
    Session* at(Origin origin);
    Place found(const std::string& channel);  // the place of a channel, new if need be
    void append(Event event, const std::set<Place>& scope);
    void join(Session& session, Place place);
    void greet(Session& session, const Admit& admit, Seq head);
    Resumed judge(const Admit& admit, Seq head) const;
    std::map<Place, Seq> starts(const Session& session, unsigned lines, Seq head) const;
    void quit(Session& session);
    void rest(Session& session);
    void end_phase(Session& session);
    Answer run(const Session& session, const Command& command) const;

    const std::size_t max_members_, keep_events_;
    const Key16 identity_;  // a new one at each start: the history is in memory only
    Seq head_;
    Time time_;
    std::uint32_t persons_ = 0;
    std::map<Key16, std::unique_ptr<Session>> sessions_;  // by token
    std::map<std::string, Session*> holders_;             // by key: who has the name (all phases but absent)
    std::map<Origin, Session*> here_;
    std::map<std::string, Place> place_of_;
    std::map<Place, Room> rooms_;
    std::deque<Stored> history_;
    std::size_t history_bytes_ = 0;
};

Key16 random_key();

}  // namespace chat
