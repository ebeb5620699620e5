#include "state.hpp"

#include <algorithm>
#include <chrono>
#include <random>

#include "handshake.hpp"

namespace chat {
namespace {

Time wall_clock() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return {static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count())};
}

std::string quoted(std::string_view text) {  // as JSON; names hold neither quotes nor control characters
    return '"' + std::string(text) + '"';
}

}  // namespace

Key16 random_key() {
    thread_local std::random_device device;  // the system's generator: a token cannot be guessed
    Key16 key;
    for (auto& byte : key) byte = static_cast<std::uint8_t>(device());
    return key;
}

State::State(std::size_t max_members, std::size_t keep_events)
    : max_members_(max_members), keep_events_(keep_events), identity_(random_key()) {}

void State::apply(Proposal& proposal) {
    time_ = std::max(time_, wall_clock());  // times rise, also when the clock is set back
    std::visit([this](auto& one) { apply_one(one); }, proposal);
}

State::Session* State::find(const Key16& token) {
    const auto found = sessions_.find(token);
    return found == sessions_.end() ? nullptr : found->second.get();
}

State::Session* State::at(Origin origin) {
    const auto found = here_.find(origin);
    return found == here_.end() ? nullptr : found->second;
}

// --- arriving --------------------------------------------------------------------------------------------

void State::apply_one(Arrive& arrive) { arrive.answer.set_value(reserve(arrive)); }

// Gives the name to the newcomer for the time of its handshake. The token of a session opens it although it is in
// use: so a client whose connection is dead gets its own member back. A member keeps its name, whatever it asks for.
Outcome State::reserve(const Arrive& arrive) {
    auto key = name_key(arrive.name);
    auto looks = skeletons(arrive.name);
    auto own = find(arrive.token);
    if (own && own->is_member()) {
        key = own->key;
        looks = own->looks;
    }
    if (const auto holder = holder_of(key, looks, own)) {
        if (holder->phase != Phase::lost) return {Code::NAME_TAKEN, holder->name + " is in use", {}};
        const auto left = std::chrono::duration_cast<std::chrono::seconds>(holder->until - Clock::now());
        return {Code::NAME_HELD,
                holder->name + " has lost the connection; the name is kept for another " +
                    std::to_string(left.count()) + " s",
                {}};
    }
    if ((!own || own->phase == Phase::absent) && holders_.size() >= max_members_)
        return {Code::FULL, "the chatroom is full", {}};
    if (!own) {
        auto fresh = std::make_unique<Session>();
        fresh->token = random_key();
        own = sessions_.emplace(fresh->token, std::move(fresh)).first->second.get();
    }
    const auto until = after(HANDSHAKE_SECONDS);
    if (!own->is_member()) {
        if (own->phase == Phase::arriving) holders_.erase(own->key);
        own->phase = Phase::arriving;
        own->name = arrive.name;
        own->key = std::move(key);
        own->looks = std::move(looks);
        own->until = until;
        holders_[own->key] = own;
    } else if (own->phase == Phase::lost) {
        own->until = std::max(own->until, until);
    }
    own->coming = arrive.origin;
    return {Code::OK, {}, own->token};
}

// Another session that has this name, or one that looks like it.
State::Session* State::holder_of(const std::string& key, const std::vector<std::string>& looks, const Session* own) {
    if (const auto same = holders_.find(key); same != holders_.end() && same->second != own) return same->second;
    if (own && own->is_member()) return nullptr;  // a member keeps its name as it is
    for (const auto& [_, holder] : holders_)
        if (holder != own && std::ranges::find_first_of(holder->looks, looks) != holder->looks.end()) return holder;
    return nullptr;
}

void State::apply_one(Withdraw& withdraw) {
    const auto session = find(withdraw.session);
    if (!session || session->coming != withdraw.origin) return;
    session->coming = {};
    if (session->phase == Phase::arriving) rest(*session);
}

void State::apply_one(Enter& enter) {
    const auto session = find(enter.session);
    const auto refuse = [&](Code code, const char* reason) {
        Withdraw withdraw{enter.origin, enter.session};
        apply_one(withdraw);
        enter.connection->part(code, reason);
    };
    if (!session || session->coming != enter.origin) return refuse(Code::EXPIRED, "the reservation has expired");
    const std::set<std::string> channels(enter.admit.channels.begin(), enter.admit.channels.end());
    const auto fresh = std::ranges::count_if(channels, [&](const auto& name) { return !place_of_.contains(name); });
    const auto added = std::ranges::count_if(channels, [&](const auto& name) {
        return !place_of_.contains(name) || !session->places.contains(place_of_[name]);
    });
    if (rooms_.size() + static_cast<std::size_t>(fresh) > MAX_PLACES ||
        session->places.size() + static_cast<std::size_t>(added) > MAX_CHANNELS)
        return refuse(Code::FULL, "there are too many channels already");
    if (session->phase == Phase::here) {  // the newer connection takes the session over
        here_.erase(session->at);
        session->connection->send(std::exchange(session->out, {}));
        session->connection->part(Code::TAKEN_OVER, "taken over by a new connection");
    }
    if (session->person == Person{}) session->person = {++persons_};
    session->phase = Phase::here;
    session->until = Deadline::max();
    session->coming = {};
    session->at = enter.origin;
    here_[enter.origin] = session;
    session->connection = nullptr;  // its own JOINED comes with the greeting
    const auto head = head_;
    for (const auto& name : channels)
        if (const auto place = found(name); !session->places.contains(place)) join(*session, place);
    session->connection = std::move(enter.connection);
    greet(*session, enter.admit, head);
}

Place State::found(const std::string& channel) {
    const auto [at, is_new] = place_of_.try_emplace(channel, Place{static_cast<std::uint32_t>(rooms_.size() + 1)});
    if (is_new) rooms_[at->second].name = channel;
    return at->second;
}

void State::join(Session& session, Place place) {
    session.places.insert(place);
    rooms_[place].members[session.person] = &session;
    append({.kind = Kind::JOINED,
            .seq = {},
            .time = {},
            .channel = rooms_[place].name,
            .author = session.name,
            .text = {},
            .id = {},
            .person = session.person,
            .place = place,
            .extra = {}},
           {place});
}

// --- the history, and what a newcomer gets of it ---------------------------------------------------------

// Gives the event its seq, stores it, and then lets its members have it.
void State::append(Event event, const std::set<Place>& scope) {
    event.seq = head_ = {head_.value + 1};
    event.time = time_;
    const auto data = encoded(event);
    history_.push_back({event.seq, event.time, event.kind == Kind::SAID, scope, data});
    history_bytes_ += data->size();
    while (history_.size() > keep_events_ || history_bytes_ > HISTORY_BYTES) {
        history_bytes_ -= history_.front().data->size();
        history_.pop_front();
    }
    std::set<Session*> receivers;  // each gets it once, in however many of the places it is
    for (const auto place : scope)
        for (const auto& [_, member] : rooms_[place].members)
            if (member->connection && receivers.insert(member).second) member->out.push_back({data});
}

Resumed State::judge(const Admit& admit, Seq head) const {
    if (admit.since == Seq{}) return Resumed::FRESH;
    if (admit.identity != identity_) return Resumed::OTHER_HISTORY;
    if (admit.since > head) return Resumed::RESTORED;
    const auto since = std::ranges::lower_bound(history_, admit.since, {}, &Stored::seq);
    if (since == history_.end() || since->seq != admit.since)  // it is gone
        return history_.empty() || since->seq.value > admit.since.value + 1 ? Resumed::GAP : Resumed::EXACT;
    return since->time == admit.time ? Resumed::EXACT : Resumed::RESTORED;
}

// For each place of the member the seq after which its latest `lines` lines begin.
std::map<Place, Seq> State::starts(const Session& session, unsigned lines, Seq head) const {
    std::map<Place, Seq> starts;
    std::map<Place, unsigned> counts;
    for (const auto place : session.places) starts[place] = head;
    for (auto stored = history_.rbegin(); stored != history_.rend(); ++stored) {
        if (!stored->said || stored->seq > head || !session.places.contains(*stored->scope.begin())) continue;
        const auto place = *stored->scope.begin();
        if (counts[place]++ < lines) starts[place] = {stored->seq.value - 1};
    }
    return starts;
}

void State::greet(Session& session, const Admit& admit, Seq head) {
    const auto resumed = judge(admit, head);
    const auto say = [&](const Packet& packet) { session.out.push_back({encoded(packet)}); };
    say(Welcome{session.name, session.token, identity_, session.person, session.confirmed, head, resumed});
    for (const auto place : session.places) {
        const auto& room = rooms_[place];
        Channel channel{place, room.name, {}, 0, 0, static_cast<std::uint32_t>(room.members.size()), {}};
        if (room.members.size() <= MAX_LISTED)
            for (const auto& [person, member] : room.members) channel.members.push_back({person, 0, member->name});
        say(channel);
    }
    say(Replay{});
    const bool all = resumed == Resumed::EXACT || resumed == Resumed::GAP;
    const auto begins = all ? std::map<Place, Seq>() : starts(session, admit.lines, head);
    const auto wanted = [&](const Stored& stored) {
        return std::ranges::any_of(stored.scope, [&](Place place) {
            if (!all) return begins.contains(place) && stored.seq > begins.at(place);
            const auto left = session.left.find(place);
            return stored.seq > admit.since &&
                   (session.places.contains(place) || (left != session.left.end() && stored.seq <= left->second));
        });
    };
    const auto live = std::ranges::upper_bound(history_, head, {}, &Stored::seq);
    for (auto stored = history_.begin(); stored != live; ++stored)
        if (wanted(*stored)) session.out.push_back({stored->data});
    say(Live{head, live == history_.begin() ? Time{} : std::prev(live)->time});
    for (auto stored = live; stored != history_.end(); ++stored)  // its own JOINED
        if (wanted(*stored)) session.out.push_back({stored->data});
}

// --- lines and commands ----------------------------------------------------------------------------------

void State::apply_one(Lines& lines) {
    const auto session = at(lines.origin);
    if (!session) return;  // the member has left, or another connection has taken it over
    for (auto& say : lines.says) {
        const auto place = place_of_.find(say.channel);
        const bool inside = place != place_of_.end() && session->places.contains(place->second);
        if (say.id <= session->confirmed) {
            session->out.push_back({encoded(Answer{say.id, Code::ALREADY, "said before", {}}), true});
        } else if (!inside) {
            session->out.push_back(
                {encoded(Answer{say.id, Code::NOT_IN, "not said: you are not in this channel", {}}), true});
        } else if (say.form != 0) {
            session->out.push_back(
                {encoded(Answer{
                     say.id, Code::BAD_ARGUMENTS, "not said: this server does not know this form of a line", {}}),
                 true});
        } else {
            session->confirmed = say.id;
            append({.kind = Kind::SAID,
                    .seq = {},
                    .time = {},
                    .channel = std::move(say.channel),
                    .author = session->name,
                    .text = std::move(say.text),
                    .id = say.id,
                    .person = session->person,
                    .place = place->second,
                    .extra = {}},
                   {place->second});
        }
    }
}

void State::apply_one(Ask& ask) {
    if (const auto session = at(ask.origin)) session->out.push_back({encoded(run(*session, ask.command)), true});
    ask.answered.set_value();
}

Answer State::run(const Session&, const Command& command) const {
    const auto space = std::min(command.text.find(' '), command.text.size());
    const auto name = command.text.substr(0, space);
    if (name == "/help")
        return {command.id, Code::OK,
                "/help            list the commands\n/who [#CHANNEL]  list the members of a channel",
                R"([["/help","list the commands"],["/who [#CHANNEL]","list the members of a channel"]])"};
    if (name != "/who")
        return {command.id,
                Code::NO_SUCH_COMMAND,
                std::string(cut(name, 100)) + " is no command; /help lists the commands",
                {}};
    const auto begin = command.text.find_first_not_of(' ', space);
    auto channel = begin == std::string::npos ? command.channel : command.text.substr(begin);
    try {
        channel = check_channel(channel);
    } catch (const NameRefused&) {  // there is no such channel
    }
    const auto place = place_of_.find(channel);
    if (place == place_of_.end())
        return {command.id, Code::NO_SUCH_CHANNEL, "nobody is in " + std::string(cut(channel, CHANNEL_BYTES)), {}};
    const auto& members = rooms_.at(place->second).members;
    Answer answer{command.id, Code::OK, std::to_string(members.size()) + " in " + channel + ":", "[" + quoted(channel)};
    for (const auto& [_, member] : members) {
        const bool here = member->phase == Phase::here;
        answer.words += (answer.words.ends_with(':') ? " " : ", ") + member->name + (here ? "" : " (connection lost)");
        answer.rows += ",[" + quoted(member->name) + (here ? R"(,"here"])" : R"(,"lost"])");
    }
    answer.rows += "]";
    if (answer.words.size() + answer.rows.size() > MAX_TEXT)
        answer.words = cut(answer.words, MAX_TEXT), answer.rows.clear();
    return answer;
}

// --- leaving, and time -----------------------------------------------------------------------------------

void State::apply_one(Leave& leave) {
    const auto session = at(leave.origin);
    if (!session) return;
    session->connection->send(std::exchange(session->out, {}));
    session->connection = nullptr;
    session->at = {};
    session->reason = std::move(leave.reason);
    here_.erase(leave.origin);
    if (leave.clean) return quit(*session);
    session->phase = Phase::lost;
    session->until = after(HOLD_SECONDS);
    const auto lost = [](const auto& holder) { return holder.second->phase == Phase::lost; };
    if (static_cast<std::size_t>(std::ranges::count_if(holders_, lost)) <= MAX_HELD) return;
    quit(*std::ranges::min_element(holders_, {}, [&](const auto& holder) {
              return lost(holder) ? holder.second->until : Deadline::max();
          })->second);
}

void State::quit(Session& session) {
    const auto places = std::exchange(session.places, {});
    append({.kind = Kind::QUIT,
            .seq = {},
            .time = {},
            .channel = {},
            .author = session.name,
            .text = session.reason,
            .id = {},
            .person = session.person,
            .place = {},
            .extra = {}},
           places);
    for (const auto place : places) {
        rooms_[place].members.erase(session.person);
        if (session.left.size() < MAX_CHANNELS || session.left.contains(place)) session.left[place] = head_;
    }
    rest(session);
}

// The session is absent, and its name is free. One that has said nothing is forgotten: it has no line that could
// come twice.
void State::rest(Session& session) {
    if (session.coming != Origin{}) {  // its owner is on the way in again
        session.phase = Phase::arriving;
        session.until = after(HANDSHAKE_SECONDS);
        return;
    }
    holders_.erase(session.key);
    session.phase = Phase::absent;
    session.until = after(SESSION_SECONDS);
    if (session.confirmed == MessageId{}) {
        sessions_.erase(session.token);
    } else if (sessions_.size() > holders_.size() + MAX_SESSIONS) {
        const auto first = std::ranges::min_element(sessions_, {}, [](const auto& each) {
            return each.second->phase == Phase::absent ? each.second->until : Deadline::max();
        });
        sessions_.erase(first);
    }
}

void State::tick() {
    time_ = std::max(time_, wall_clock());
    std::vector<Session*> ended;
    for (const auto& [_, session] : sessions_)
        if (session->until <= Clock::now()) ended.push_back(session.get());
    for (const auto session : ended) end_phase(*session);
}

void State::end_phase(Session& session) {
    session.coming = {};
    if (session.phase == Phase::arriving) rest(session);
    else if (session.phase == Phase::lost) quit(session);
    else if (session.phase == Phase::absent) sessions_.erase(session.token);
}

void State::flush() {
    for (const auto& [_, session] : here_)
        if (!session->out.empty()) session->connection->send(std::exchange(session->out, {}));
}

void State::part_everybody() {
    flush();
    for (const auto& [_, session] : here_) session->connection->part(Code::STOPPING, "the server is shutting down");
}

}  // namespace chat
