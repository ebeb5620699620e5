#include "client.hpp"

#include <fcntl.h>

#include <algorithm>
#include <exception>
#include <random>

#include "handshake.hpp"
#include "names.hpp"
#include "text.hpp"

namespace chat {
namespace {

constexpr std::size_t SEND_BYTES = 65536, UPDATE_BYTES = 100;
constexpr std::uint16_t LOWEST_PORT = 1024, MOST_LINES = 0xFFFF;

struct Refused : std::runtime_error {
    Refused(const Status& status) : std::runtime_error(status.reason), code(status.code) {}
    Refused(const Bye& bye) : std::runtime_error(bye.reason), code(bye.code) {}
    bool about_the_name() const { return code == Code::NAME_TAKEN || code == Code::NAME_HELD; }
    Code code;
};

std::string same_channel(const std::string& channel) {  // the key form, by which channels compare
    try {
        return check_channel(channel);
    } catch (const NameRefused&) {
        return channel;
    }
}

std::size_t size_of(const Update& update) {
    const auto event = std::get_if<Event>(&update);
    const auto notice = std::get_if<Notice>(&update);
    return UPDATE_BYTES + (event ? event->text.size() : notice ? notice->words.size() : 0);
}

}  // namespace

// --- inbox -----------------------------------------------------------------------------------------------

Inbox::Inbox() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) throw ConnectionLost("no pipe is left");
    bell_ = Descriptor(ends[0]);
    hammer_ = Descriptor(ends[1]);
}

void Inbox::ring() {
    // A full pipe is readable already.
    [[maybe_unused]] const auto written = ::write(hammer_.get(), "", 1);
}

void Inbox::put(Update update) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [this] { return closed_ || bytes_ < UNREAD_BYTES; });
    bytes_ += size_of(update);
    updates_.push_back(std::move(update));
    if (updates_.size() == 1) ring();
}

void Inbox::hush() {
    std::array<char, 256> dropped;
    while (::read(bell_.get(), dropped.data(), dropped.size()) > 0) {}
}

std::vector<Update> Inbox::poll() {
    const std::lock_guard lock(mutex_);
    bytes_ = 0;
    room_.notify_all();
    return std::exchange(updates_, {});
}

void Inbox::close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    room_.notify_all();
}

// --- pending lines ---------------------------------------------------------------------------------------

PendingLines::PendingLines() {
    std::random_device device;  // below 2^62: two sessions have different ids, and there is room for more
    last_.value = ((std::uint64_t{device()} << 32 | device()) >> 2) + 1;
}

bool PendingLines::has_room() {
    const std::lock_guard lock(mutex_);
    return entries_.size() < MAX_PENDING && bytes_ < PENDING_BYTES;
}

std::size_t PendingLines::lines() {
    const std::lock_guard lock(mutex_);
    return lines_;
}

void PendingLines::say(std::string text) { add(std::move(text), false); }
void PendingLines::command(std::string text) { add(std::move(text), true); }

void PendingLines::add(std::string text, bool is_command) {
    const std::lock_guard lock(mutex_);
    bytes_ += text.size();
    lines_ += !is_command;
    ++last_.value;
    entries_.emplace(last_, Entry{std::move(text), is_command});
    work_.notify_one();
}

void PendingLines::close() {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    work_.notify_one();
}

bool PendingLines::is_closed() {
    const std::lock_guard lock(mutex_);
    return closing_;
}

void PendingLines::attach() {
    const std::lock_guard lock(mutex_);
    attached_ = true;
    sent_ = {};  // every line that is not settled by LIVE is sent again, in the order of the ids
}

void PendingLines::open(std::string channel) {
    const std::lock_guard lock(mutex_);
    channel_ = std::move(channel);
    open_ = true;
    work_.notify_one();
}

void PendingLines::move(std::string channel) {
    const std::lock_guard lock(mutex_);
    channel_ = std::move(channel);
}

void PendingLines::detach() {
    const std::lock_guard lock(mutex_);
    attached_ = open_ = ping_ = false;
    pong_.reset();
    work_.notify_one();
}

std::optional<std::string> PendingLines::settle(MessageId id) {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(id);
    if (found == entries_.end()) return std::nullopt;
    auto text = std::move(found->second.text);
    bytes_ -= text.size();
    lines_ -= !found->second.is_command;
    entries_.erase(found);
    return text;
}

std::vector<std::string> PendingLines::decided(MessageId confirmed) {
    std::vector<std::string> texts;
    const std::lock_guard lock(mutex_);
    for (auto entry = entries_.begin(); entry != entries_.end() && entry->first <= confirmed;) {
        if (entry->second.is_command) {
            ++entry;
            continue;
        }
        bytes_ -= entry->second.text.size();
        --lines_;
        texts.push_back(std::move(entry->second.text));
        entry = entries_.erase(entry);
    }
    return texts;
}

std::vector<std::string> PendingLines::unanswered() {
    std::vector<std::string> texts;
    const std::lock_guard lock(mutex_);
    for (auto entry = entries_.begin(); entry != entries_.end() && entry->first <= sent_;) {
        if (!entry->second.is_command) {
            ++entry;
            continue;
        }
        bytes_ -= entry->second.text.size();
        texts.push_back(std::move(entry->second.text));
        entry = entries_.erase(entry);
    }
    return texts;
}

void PendingLines::ping() {
    const std::lock_guard lock(mutex_);
    ping_ = true;
    work_.notify_one();
}

void PendingLines::pong(MessageId id) {
    const std::lock_guard lock(mutex_);
    pong_ = id;  // only the latest: a flood of PINGs uses no memory
    work_.notify_one();
}

std::string PendingLines::take(double patience) {
    std::unique_lock lock(mutex_);
    const auto next = [this] { return open_ ? entries_.upper_bound(sent_) : entries_.end(); };
    work_.wait_until(lock, after(patience),
                     [&] { return !attached_ || ping_ || pong_ || closing_ || next() != entries_.end(); });
    if (!attached_) return {};
    std::string out;
    if (pong_) out += encode(Pong{*pong_});
    for (auto entry = next(); entry != entries_.end() && out.size() < SEND_BYTES; ++entry) {
        const auto& [id, line] = *entry;
        out += line.is_command ? encode(Command{id, channel_, line.text}) : encode(Say{id, channel_, line.text, 0, {}});
        sent_ = id;
    }
    if (out.empty() && closing_) {
        attached_ = false;  // BYE is the last packet
        return encode(Bye{false, Code::GOODBYE, {}});
    }
    if (out.empty()) out = encode(Ping{});
    pong_.reset();
    ping_ = false;
    return out;
}

// --- sequencer -------------------------------------------------------------------------------------------

unsigned Sequencer::take() {
    std::unique_lock lock(mutex_);
    moved_.wait(lock, [this] { return taken_ - passed_ < MAX_PROCESSING; });
    return taken_++;
}

void Sequencer::wait(unsigned turn) {
    std::unique_lock lock(mutex_);
    moved_.wait(lock, [&] { return passed_ == turn; });
}

void Sequencer::pass() {
    const std::lock_guard lock(mutex_);
    ++passed_;
    moved_.notify_all();
}

void Sequencer::drain() {
    std::unique_lock lock(mutex_);
    moved_.wait(lock, [this] { return taken_ == passed_; });
}

// --- the connection thread -------------------------------------------------------------------------------

Client::Client(Plan plan)
    : plan_(std::move(plan)), name_(plan_.name), channel_(plan_.channels.front()), connection_([this] { run(); }) {}

void Client::close() {
    pending_.close();
    {
        std::unique_lock lock(mutex_);
        if (socket_) end_.wait_until(lock, after(CLOSE_SECONDS), [this] { return ended_; });
    }
    closing_.ring();
    inbox_.close();
    if (connection_.joinable()) connection_.join();
    reaper_.close();
}

void Client::run() {
    std::string reason;
    try {
        for (auto admission = come_back({}); admission; admission = come_back(reason)) {
            const auto steady = after(RETRY_STEADY);
            auto ending = converse(std::move(*admission));
            if (Clock::now() >= steady) give_up_ = Deadline::max();  // else it was no success: the pauses go on growing
            reason = std::move(ending.reason);
            if (!ending.again) throw ConnectionLost(reason);
            inbox_.put(Lost{reason});
        }
    } catch (const std::exception& error) {  // Refused, ConnectionLost, ProtocolError: it is not admitted any more
        inbox_.put(Ended{printable_line(error.what())});
    }
    const std::lock_guard lock(mutex_);
    ended_ = true;
    end_.notify_all();
}

// Tries to be admitted, with growing pauses. Throws when it gives up; returns nothing when the client is closed.
std::optional<Client::Admission> Client::come_back(std::string reason) {
    if (pending_.is_closed()) return std::nullopt;
    if (tried_ && plan_.retry_for == 0) throw ConnectionLost(reason);
    if (give_up_ == Deadline::max()) {
        pause_ = tried_ ? RETRY_FIRST : 0;
        if (plan_.retry_for) give_up_ = after(*plan_.retry_for);
    }
    auto own_name = Clock::now();  // until then, a broken try of our own may hold the name
    std::minstd_rand random(std::random_device{}());
    while (true) {
        std::array<pollfd, 1> closed{{{closing_.watched(), POLLIN, 0}}};
        if (wait_for(closed, std::min(give_up_, after(pause_ * std::uniform_real_distribution(0.5, 1.0)(random)))))
            return std::nullopt;
        pause_ = std::clamp(pause_ * 2, RETRY_FIRST, RETRY_LONGEST);
        const bool last = Clock::now() >= give_up_ || (!std::exchange(tried_, true) && !plan_.patient);
        try {
            return admit();
        } catch (const Refused& refused) {
            const bool ours = refused.about_the_name() && Clock::now() < own_name;
            if (last || !(may_return(refused.code) || ours)) throw;
            reason = refused.what();
        } catch (const std::runtime_error& error) {  // ConnectionLost, ProtocolError
            if (last) throw;
            own_name = after(HANDSHAKE_SECONDS);
            reason = error.what();
        }
    }
}

// The whole handshake. Throws Refused, ConnectionLost, ProtocolError; no connection is left open then.
Client::Admission Client::admit() {
    const auto deadline = after(HANDSHAKE_SECONDS);
    Handshake handshake(Side::client);
    const auto receive = [&](Exchange& exchange) {
        while (true) {
            auto packet = exchange.receive(deadline, &closing_);
            const auto step = handshake.receive(packet);
            if (const auto bye = std::get_if<Bye>(&packet)) throw Refused(*bye);
            if (const auto status = std::get_if<Status>(&packet); status && status->verdict == Verdict::FAIL)
                throw Refused(*status);
            if (!std::holds_alternative<Ping>(packet)) return std::pair(std::move(packet), step);
        }
    };
    Exchange exchange(Socket::connect(plan_.host, plan_.port, deadline, closing_));
    exchange.send(Hello{VERSION, "chatroom client (C++)", {}}, deadline);
    handshake.enter(Step::naming);
    exchange.send(Username{name_, token_, {}}, deadline);
    handshake.enter(Step::asked);
    receive(exchange);  // STATUS PASS: the table allows nothing else
    const auto port = std::get<Port>(receive(exchange).first);
    if (port.number != 0 && port.number < LOWEST_PORT)
        throw ProtocolError("the server sends its clients to a port of another service");
    exchange.send(Status{}, deadline);
    exchange.send(Status{Verdict::END, {}, {}}, deadline);
    handshake.enter(Step::taken);
    receive(exchange);  // STATUS END
    if (port.number != 0) {
        const auto host = exchange.socket().peer_host();
        exchange = Exchange(Socket());  // closes the connection to the lobby
        exchange = Exchange(Socket::connect(host, port.number, deadline, closing_));
    }
    // A client that comes back wants all it has missed, also when it has no cursor any more.
    const auto lines = was_live_ ? MOST_LINES : plan_.lines;
    exchange.send(
        Admit{name_, port.ticket, plan_.channels, seen_, seen_time_, seen_ == Seq{} ? Key16{} : identity_, lines},
        deadline);
    auto welcome = std::get<Welcome>(receive(exchange).first);
    if (welcome.name.empty() || welcome.name.size() > NAME_BYTES || printable_line(welcome.name) != welcome.name)
        throw ProtocolError("the server gives a name that cannot be a name");
    return {std::move(exchange.socket()), std::move(exchange.decoder()), std::move(welcome)};
}

// One connection, from WELCOME to its end.
Client::Ending Client::converse(Admission admission) {
    const auto& welcome = admission.welcome;
    const bool anew = welcome.resumed == Resumed::OTHER_HISTORY || welcome.resumed == Resumed::RESTORED;
    if (welcome.resumed != Resumed::EXACT) exact_ = false;
    if (anew) {  // what was known by seq, time or person means nothing any more
        seen_ = {};
        seen_time_ = {};
        persons_.clear();
    }
    name_ = welcome.name;
    token_ = welcome.token;
    identity_ = welcome.identity;
    person_ = welcome.person;
    persons_.insert(person_);
    confirmed_ = welcome.confirmed;
    missed_due_ = was_live_ && !anew;
    failed_ = false;
    bracket_ = {};
    {
        const std::lock_guard lock(mutex_);
        ending_.reset();
        socket_ = &admission.socket;
    }
    inbox_.put(Connected{name_, was_live_});
    if (anew) inbox_.put(Anew{});
    if (welcome.resumed == Resumed::GAP)
        inbox_.put(Notice{"lines may be missing: the server keeps them only for some time", false});
    pending_.attach();
    {
        std::jthread sender([&] { send(admission.socket); });
        const auto end = [&](void*) {  // the socket outlives the threads that use it, whatever is thrown
            admission.socket.shutdown();
            pending_.detach();
            sequencer_.drain();
        };
        const std::unique_ptr<void, decltype(end)> ended(this, end);  // destroyed before the sender is joined
        try {
            receive(admission);
        } catch (const std::exception& error) {  // ConnectionLost, ProtocolError, or out of memory
            lose(admission.socket, {error.what()});
        }
    }
    for (const auto& text : pending_.unanswered())
        inbox_.put(Notice{"it is not known whether the server has carried this out: " + text, true});
    const std::lock_guard lock(mutex_);
    socket_ = nullptr;
    return ending_.value_or(Ending{"the connection ended"});
}

// Notes why the connection ends, if it is the first reason, and ends it. Any thread of the connection.
void Client::lose(Socket& socket, Ending ending) {
    const std::lock_guard lock(mutex_);
    if (!ending_) ending_ = std::move(ending);
    socket.shutdown();
}

void Client::receive(Admission& admission) {
    std::array<char, 65536> buffer;
    double silent = 0;
    while (true) {
        std::vector<Frame> frames;
        std::optional<ProtocolError> broken;
        try {
            while (auto frame = admission.decoder.next_frame()) frames.push_back(*std::move(frame));
        } catch (const ProtocolError& error) {
            broken = error;  // the packets before it count
        }
        if (!frames.empty()) {  // a thread for each burst, as in the original; turns keep the order
            auto burst = std::make_shared<Burst>(sequencer_, std::move(frames));
            if (!reaper_.spawn([this, burst]() mutable { process(std::move(burst)); })) process(std::move(burst));
        }
        if (broken) throw *broken;
        try {
            const auto data = admission.socket.receive(buffer, after(plan_.dead_after / 3), &closing_);
            if (data.empty()) throw ConnectionLost("the server closed the connection");
            admission.decoder.feed(data);
            silent = 0;
        } catch (const TimedOut&) {
            silent += plan_.dead_after / 3;
            if (silent >= plan_.dead_after * 0.99) throw ConnectionLost("the server was silent for too long");
            pending_.ping();
        }
    }
}

void Client::send(Socket& socket) {
    try {
        for (auto data = pending_.take(plan_.dead_after / 3); !data.empty(); data = pending_.take(plan_.dead_after / 3))
            socket.send(data, after(plan_.dead_after));
        socket.finish();
    } catch (const ConnectionLost& lost) {
        lose(socket, {lost.what()});
    }
}

// --- a burst -------------------------------------------------------------------------------------------------

// Parses a burst while other threads parse others, and delivers it when its turn has come.
void Client::process(std::shared_ptr<Burst> burst) {
    std::vector<Packet> packets;
    std::exception_ptr broken;
    try {
        for (const auto& frame : burst->frames) packets.push_back(parse(frame));
    } catch (...) {
        broken = std::current_exception();  // the packets before it count
    }
    burst->turn.wait();
    try {
        for (auto& packet : packets)
            if (!failed_) deliver(packet);
        if (broken && !failed_) std::rethrow_exception(broken);
    } catch (const ProtocolError& error) {
        fail(error.what());
    } catch (const std::exception& error) {  // a bug, or out of memory: the reaper tells it, too
        fail(std::string("processing failed: ") + error.what());
        throw;
    }
    inbox_.ring();
}

// --- requires the turn for all that follows ----------------------------------------------------------------

// No later packet of this connection counts: the next one fetches the rest of this burst, and all later ones, again.
void Client::fail(const std::string& reason) {
    failed_ = true;
    lose(*socket_, {reason});
}

void Client::deliver(Packet& packet) {
    if (auto event = std::get_if<Event>(&packet)) {
        deliver(std::move(*event));
    } else if (const auto skipped = std::get_if<Skipped>(&packet)) {
        if (bracket_ == MessageId{} && skipped->seq > seen_) seen_ = skipped->seq, seen_time_ = skipped->time;
    } else if (const auto answer = std::get_if<Answer>(&packet)) {
        if (answer->id == bracket_) bracket_ = {};
        const bool failed = answer->code != Code::OK && answer->code != Code::ALREADY;
        const auto words = failed && answer->words.empty()
                               ? "refused (code " + std::to_string(static_cast<int>(answer->code)) + ")"
                               : answer->words;
        if (!words.empty() && answer->code != Code::ALREADY) inbox_.put(Notice{words, failed});
        pending_.settle(answer->id);
    } else if (const auto info = std::get_if<Info>(&packet)) {
        inbox_.put(Notice{info->words, false});
    } else if (const auto channel = std::get_if<Channel>(&packet)) {
        if (same_channel(channel->name) == same_channel(channel_)) channel_ = channel->name;  // lines name it so
    } else if (const auto replay = std::get_if<Replay>(&packet)) {
        bracket_ = replay->id;
    } else if (const auto live = std::get_if<Live>(&packet)) {
        deliver(*live);
    } else if (const auto ping = std::get_if<Ping>(&packet)) {
        pending_.pong(ping->id);
    } else if (const auto bye = std::get_if<Bye>(&packet)) {
        const std::lock_guard lock(mutex_);
        ending_ = Ending{bye->reason.empty() ? "the server said goodbye" : bye->reason, bye->again};
        socket_->shutdown();
        failed_ = true;
    } else if (!std::holds_alternative<Pong>(packet)) {
        throw ProtocolError("this packet cannot come now");
    }
}

void Client::deliver(Event event) {
    if (bracket_ != MessageId{} || event.seq <= seen_) return;  // of a request, or seen before
    const auto [seq, time] = std::pair(event.seq, event.time);
    const bool own = persons_.contains(event.person);
    const auto id = event.id;
    if (event.kind == Kind::MOVED) follow(event);
    if (missed_due_ && !own && event.person != Person{}) {
        missed_due_ = false;
        inbox_.put(Missed{});
    }
    inbox_.put(std::move(event));
    seen_ = seq;  // not before main has it: a connection that fails in between must not skip it
    seen_time_ = time;
    if (own && id != MessageId{}) pending_.settle(id);  // last: main has the event of each line that counts as stored
}

// A channel has another name: lines use it from now on, and so does the next ADMIT.
void Client::follow(const Event& moved) {
    for (auto& channel : plan_.channels)
        if (same_channel(channel) == moved.channel) channel = moved.text;
    if (channel_ == moved.channel) pending_.move(channel_ = moved.text);
}

// The replay is complete: settles the lines that it has not settled; the others are sent from now on.
void Client::deliver(const Live& live) {
    if (live.seq > seen_) seen_ = live.seq, seen_time_ = live.time;
    missed_due_ = false;
    const std::string words = exact_ ? "not stored" : "it is not known whether the server has stored this";
    for (const auto& text : pending_.decided(confirmed_)) inbox_.put(Notice{words + ": " + text, true});
    was_live_ = exact_ = true;
    persons_ = {person_};
    inbox_.put(CaughtUp{});
    pending_.open(channel_);
}

}  // namespace chat
