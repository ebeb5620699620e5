#include "packets.hpp"

#include <algorithm>
#include <span>

namespace chat {
namespace {

constexpr bool is_event(std::uint8_t kind) { return kind >= 0x20 && kind <= 0x7F; }
constexpr bool is_known(std::uint8_t kind) { return (kind >= 0x01 && kind <= 0x10) || is_event(kind); }
constexpr bool has_parts(Kind kind) {
    return kind == Kind::SAY || kind == Kind::ANSWER || kind == Kind::CHANNEL ||
           is_event(static_cast<std::uint8_t>(kind));
}

[[noreturn]] void refuse(const char* why) { throw ProtocolError(why); }
void need(bool condition, const char* why) {
    if (!condition) refuse(why);
}

// --- writing ---------------------------------------------------------------------------------------------

class Writer {
public:
    template <class Unsigned>
    Writer& number(Unsigned value) {  // network byte order, whatever this machine's is
        for (int shift = 8 * (int{sizeof(Unsigned)} - 1); shift >= 0; shift -= 8)
            out_.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> shift & 0xFF));
        return *this;
    }
    Writer& bytes(std::string_view data) {
        out_ += data;
        return *this;
    }
    Writer& bytes(const Key16& key) {
        out_.append(key.begin(), key.end());
        return *this;
    }
    Writer& string8(std::string_view text, std::size_t limit = 255) {
        return number(static_cast<std::uint8_t>(at_most(text, limit).size())).bytes(text);
    }
    static std::string_view at_most(std::string_view data, std::size_t limit) {
        if (data.size() > limit) throw std::length_error("a field is longer than its limit");
        return data;
    }
    std::string take() { return std::move(out_); }

private:
    std::string out_;
};

std::string packet(Kind kind, MessageId id, std::string_view payload, std::size_t part = 0, std::size_t parts = 1) {
    Writer::at_most(payload, MAX_PAYLOAD);
    return Writer()
        .number(MAGIC)
        .number(VERSION)
        .number(static_cast<std::uint8_t>(kind))
        .number(std::uint8_t{0})
        .number(static_cast<std::uint32_t>(payload.size()))
        .number(id.value)
        .number(static_cast<std::uint16_t>(part))
        .number(static_cast<std::uint16_t>(parts))
        .bytes(payload)
        .take();
}

std::string packets(Kind kind, MessageId id, const std::string& prefix, std::span<const std::string_view> texts) {
    std::string out;
    for (std::size_t part = 0; part < texts.size(); ++part)
        out += packet(kind, id, prefix + std::string(texts[part]), part, texts.size());
    return out;
}

std::string in_parts(Kind kind, MessageId id, const std::string& prefix, std::string_view text) {
    Writer::at_most(text, MAX_TEXT);
    std::vector<std::string_view> texts;
    do {
        texts.push_back(cut(text, TEXT_PART));
        text.remove_prefix(texts.back().size());
    } while (!text.empty());
    return packets(kind, id, prefix, texts);
}

struct Encoder {  // std::visit calls the overload for the packet
    static std::string bare(Kind kind, MessageId id) { return packet(kind, id, {}); }

    std::string operator()(const Hello& p) const {
        std::string words;
        for (const auto& word : p.abilities) words += (words.empty() ? "" : " ") + word;
        return packet(Kind::HELLO, {},
                      Writer().number(p.version).string8(p.software).bytes(Writer::at_most(words, MAX_REASON)).take());
    }
    std::string operator()(const Username& p) const {
        Writer rows;
        for (const auto& [key, value] : p.credentials)
            rows.number(key).number(static_cast<std::uint16_t>(value.size())).bytes(value);
        return packet(Kind::USERNAME, {},
                      Writer()
                          .bytes(p.token)
                          .string8(p.name, NAME_BYTES)
                          .bytes(Writer::at_most(rows.take(), MAX_CREDENTIALS))
                          .take());
    }
    std::string operator()(const Status& p) const {
        return ending(Kind::STATUS, static_cast<std::uint8_t>(p.verdict), p.code, p.reason);
    }
    std::string operator()(const Bye& p) const { return ending(Kind::BYE, p.again, p.code, p.reason); }
    static std::string ending(Kind kind, std::uint8_t first, Code code, std::string_view reason) {
        return packet(kind, {},
                      Writer()
                          .number(first)
                          .number(static_cast<std::uint16_t>(code))
                          .bytes(Writer::at_most(reason, MAX_REASON))
                          .take());
    }
    std::string operator()(const Port& p) const {
        return packet(Kind::PORT, {}, Writer().number(p.number).bytes(p.ticket).take());
    }
    std::string operator()(const Admit& p) const {
        Writer out;
        out.bytes(p.ticket)
            .number(p.since.value)
            .number(p.time.value)
            .bytes(p.identity)
            .number(p.lines)
            .number(static_cast<std::uint8_t>(p.channels.size()))
            .string8(p.name);
        for (const auto& channel : p.channels) out.string8(channel);
        return packet(Kind::ADMIT, {}, out.take());
    }
    std::string operator()(const Welcome& p) const {
        return packet(Kind::WELCOME, {},
                      Writer()
                          .bytes(p.token)
                          .bytes(p.identity)
                          .number(p.person.value)
                          .number(p.confirmed.value)
                          .number(p.head.value)
                          .number(static_cast<std::uint8_t>(p.resumed))
                          .string8(p.name)
                          .take());
    }
    std::string operator()(const Live& p) const {
        return packet(Kind::LIVE, {}, Writer().number(p.seq.value).number(p.time.value).take());
    }
    std::string operator()(const Say& p) const {
        return in_parts(Kind::SAY, p.id,
                        Writer()
                            .string8(p.channel)
                            .number(p.form)
                            .number(static_cast<std::uint16_t>(p.extra.size()))
                            .bytes(Writer::at_most(p.extra, MAX_EXTRA))
                            .take(),
                        p.text);
    }
    std::string operator()(const Answer& p) const {
        return in_parts(Kind::ANSWER, p.id,
                        Writer()
                            .number(static_cast<std::uint16_t>(p.code))
                            .number(static_cast<std::uint32_t>(p.words.size()))
                            .take(),
                        p.words + p.rows);
    }
    std::string operator()(const Command& p) const {
        return packet(Kind::COMMAND, p.id, Writer().string8(p.channel).bytes(p.text).take());
    }
    std::string operator()(const Info& p) const { return packet(Kind::INFO, {}, Writer::at_most(p.words, TEXT_PART)); }
    std::string operator()(const Ping& p) const { return bare(Kind::PING, p.id); }
    std::string operator()(const Pong& p) const { return bare(Kind::PONG, p.id); }
    std::string operator()(const Replay& p) const { return bare(Kind::REPLAY, p.id); }
    std::string operator()(const Channel& p) const {
        Writer::at_most(p.name, CHANNEL_FIELD);
        Writer::at_most(p.topic, MAX_TOPIC);
        const auto prefix = Writer()
                                .number(p.place.value)
                                .number(p.role)
                                .number(p.settings)
                                .number(p.size)
                                .number(static_cast<std::uint16_t>(p.topic.size()))
                                .number(static_cast<std::uint8_t>(p.name.size()))
                                .bytes(p.name)
                                .bytes(p.topic)
                                .take();
        std::vector<std::string> parts(1);
        for (const auto& member : p.members) {
            auto row = Writer().number(member.person.value).number(member.role).string8(member.name, NAME_BYTES).take();
            if (parts.back().size() + row.size() > TEXT_PART) parts.emplace_back();
            parts.back() += row;
        }
        return packets(Kind::CHANNEL, {}, prefix, std::vector<std::string_view>(parts.begin(), parts.end()));
    }
    std::string operator()(const Event& p) const {
        Writer::at_most(p.author, NAME_BYTES);
        Writer::at_most(p.channel, CHANNEL_FIELD);
        return in_parts(p.kind, p.id,
                        Writer()
                            .number(p.seq.value)
                            .number(p.time.value)
                            .number(p.person.value)
                            .number(p.place.value)
                            .number(static_cast<std::uint16_t>(p.extra.size()))
                            .number(static_cast<std::uint8_t>(p.author.size()))
                            .number(static_cast<std::uint8_t>(p.channel.size()))
                            .bytes(p.author)
                            .bytes(p.channel)
                            .bytes(Writer::at_most(p.extra, MAX_EXTRA))
                            .take(),
                        p.text);
    }
    std::string operator()(const Skipped&) const { throw std::logic_error("a skipped event is never sent"); }
};

// --- reading ---------------------------------------------------------------------------------------------

class Reader {
public:
    explicit Reader(std::string_view data) : left_(data) {}

    template <class Unsigned>
    Unsigned number() {
        std::uint64_t value = 0;
        for (const char byte : bytes(sizeof(Unsigned))) value = value << 8 | static_cast<std::uint8_t>(byte);
        return static_cast<Unsigned>(value);
    }
    std::uint64_t number_up_to(std::uint64_t limit) {
        const auto value = number<std::uint64_t>();
        need(value <= limit, "a number is too large");
        return value;
    }
    std::string_view bytes(std::size_t size) {
        need(size <= left_.size(), "payload cut short");
        const auto found = left_.substr(0, size);
        left_.remove_prefix(size);
        return found;
    }
    std::string_view rest() { return bytes(left_.size()); }
    Key16 key() {
        Key16 found;
        std::ranges::copy(bytes(found.size()), found.begin());
        return found;
    }
    std::string text(std::size_t size, std::size_t limit = MAX_TEXT) {
        need(size <= limit, "a text is too long");
        const auto found = bytes(size);
        need(is_utf8(found), "text that is not UTF-8");
        return std::string(found);
    }
    std::string string8(std::size_t limit = 255) { return text(number<std::uint8_t>(), limit); }
    std::string rest_text(std::size_t limit = MAX_TEXT) { return text(left_.size(), limit); }
    std::string extra(std::size_t size) {
        need(size <= MAX_EXTRA, "extra is too long");
        const auto rows = bytes(size);
        for (Reader row(rows); !row.left_.empty(); row.bytes(row.number<std::uint8_t>())) row.bytes(1);
        return std::string(rows);
    }
    bool empty() const { return left_.empty(); }
    void end() const { need(left_.empty(), "bytes behind the payload's end"); }

private:
    std::string_view left_;
};

// What every part of a message repeats, in bytes.
std::size_t prefix_size(Kind kind, std::string_view payload) {
    Reader in(payload);
    switch (kind) {
        case Kind::SAY: {
            const auto channel = in.number<std::uint8_t>();
            in.bytes(channel + std::size_t{1});
            return std::size_t{4} + channel + in.number<std::uint16_t>();
        }
        case Kind::ANSWER: return 6;
        case Kind::CHANNEL: {
            in.bytes(10);
            const auto topic = in.number<std::uint16_t>();
            return std::size_t{13} + topic + in.number<std::uint8_t>();
        }
        default: {
            in.bytes(24);
            const auto extra = in.number<std::uint16_t>();
            const auto author = in.number<std::uint8_t>();
            return std::size_t{28} + extra + author + in.number<std::uint8_t>();
        }
    }
}

Packet parse_event(Kind kind, MessageId id, Reader in) {
    Event p{.kind = kind,
            .seq = {},
            .time = {},
            .channel = {},
            .author = {},
            .text = {},
            .id = id,
            .person = {},
            .place = {},
            .extra = {}};
    p.seq = {in.number_up_to(MAX_NUMBER)};
    p.time = {in.number_up_to(MAX_TIME)};
    p.person = {in.number<std::uint32_t>()};
    p.place = {in.number<std::uint32_t>()};
    const auto extra = in.number<std::uint16_t>();
    const auto author = in.number<std::uint8_t>(), channel = in.number<std::uint8_t>();
    p.author = in.text(author, NAME_BYTES);
    p.channel = in.text(channel, CHANNEL_FIELD);
    p.extra = in.extra(extra);
    p.text = in.rest_text();
    switch (kind) {
        case Kind::SAID:
        case Kind::JOINED:
        case Kind::LEFT:
        case Kind::RENAMED:
        case Kind::TOPIC:
        case Kind::KICKED:
        case Kind::QUIT:
        case Kind::SET:
        case Kind::LISTED:
        case Kind::INVITED:
        case Kind::AWAY:
        case Kind::ACCOUNT:
        case Kind::EDITED:
        case Kind::DELETED:
        case Kind::REACTED:
        case Kind::CLOSED:
        case Kind::MOVED:
        case Kind::ANNOUNCED:
        case Kind::RESTARTED:
        case Kind::ERASED:
        case Kind::HAND:
        case Kind::CALLED:
        case Kind::POLL:
        case Kind::REVEALED:
        case Kind::ASKED:
        case Kind::AUDITED:
        case Kind::READ:
        case Kind::COUNTED: return p;
        default: return Skipped{p.seq, p.time};
    }
}

Status parse_status(Reader in) {
    const auto verdict = in.number<std::uint8_t>();
    need(verdict <= 2, "there is no such verdict");
    Status p{static_cast<Verdict>(verdict), Code{in.number<std::uint16_t>()}, in.rest_text(MAX_REASON)};
    need(p.verdict == Verdict::FAIL || (p.code == Code::OK && p.reason.empty()), "PASS or END with a code or a reason");
    return p;
}

Hello parse_hello(Reader in) {
    Hello p{in.number<std::uint8_t>(), in.string8(), {}};
    const auto words = in.rest_text(MAX_REASON);
    for (std::size_t start = 0; !words.empty() && start <= words.size();) {
        const auto end = std::min(words.find(' ', start), words.size());
        need(end > start, "abilities are separated by one space");
        p.abilities.push_back(words.substr(start, end - start));
        start = end + 1;
    }
    return p;
}

Username parse_username(Reader in) {
    Username p;
    p.token = in.key();
    p.name = in.string8(NAME_BYTES);
    const auto rows = in.rest();
    need(rows.size() <= MAX_CREDENTIALS, "credentials are too long");
    for (Reader row(rows); !row.empty();) {
        const auto key = row.number<std::uint8_t>();
        p.credentials.push_back({key, std::string(row.bytes(row.number<std::uint16_t>()))});
    }
    return p;
}

Admit parse_admit(Reader in) {
    Admit p;
    p.ticket = in.key();
    p.since = {in.number_up_to(MAX_NUMBER)};
    p.time = {in.number_up_to(MAX_TIME)};
    p.identity = in.key();
    p.lines = in.number<std::uint16_t>();
    const auto count = in.number<std::uint8_t>();
    need(count >= 1 && count <= MAX_CHANNELS, "ADMIT has 1 to MAX_CHANNELS channels");
    p.name = in.string8();
    for (unsigned number = 0; number < count; ++number) p.channels.push_back(in.string8());
    in.end();
    return p;
}

Welcome parse_welcome(Reader in) {
    Welcome p;
    p.token = in.key();
    p.identity = in.key();
    p.person = {in.number<std::uint32_t>()};
    p.confirmed = {in.number_up_to(MAX_NUMBER)};
    p.head = {in.number_up_to(MAX_NUMBER)};
    const auto resumed = in.number<std::uint8_t>();
    need(resumed <= 4, "there is no such resumed");
    p.resumed = static_cast<Resumed>(resumed);
    p.name = in.string8();
    in.end();
    return p;
}

Say parse_say(MessageId id, Reader in) {
    Say p{id, in.string8(), {}, in.number<std::uint8_t>(), {}};
    p.extra = in.extra(in.number<std::uint16_t>());
    p.text = in.rest_text();
    need(!p.text.empty() || p.form != 0, "SAY without text");
    return p;
}

Answer parse_answer(MessageId id, Reader in) {
    Answer p{id, Code{in.number<std::uint16_t>()}, {}, {}};
    p.words = in.text(in.number<std::uint32_t>());
    p.rows = in.rest_text();
    return p;
}

Channel parse_channel(Reader in) {
    Channel p;
    p.place = {in.number<std::uint32_t>()};
    p.role = in.number<std::uint8_t>();
    p.settings = in.number<std::uint8_t>();
    p.size = in.number<std::uint32_t>();
    const auto topic = in.number<std::uint16_t>();
    p.name = in.string8(CHANNEL_FIELD);
    p.topic = in.text(topic, MAX_TOPIC);
    while (!in.empty()) {
        need(p.members.size() < MAX_LISTED, "CHANNEL lists too many members");
        const Person person{in.number<std::uint32_t>()};
        const auto role = in.number<std::uint8_t>();
        p.members.push_back({person, role, in.string8(NAME_BYTES)});
    }
    return p;
}

template <class Bare>
Bare parse_bare(MessageId id, const Reader& in) {
    in.end();
    return {id};
}

Packet parse_payload(Kind kind, MessageId id, std::string_view payload) {
    Reader in(payload);
    switch (kind) {
        case Kind::HELLO: return parse_hello(in);
        case Kind::USERNAME: return parse_username(in);
        case Kind::STATUS: return parse_status(in);
        case Kind::PORT: {
            Port p{in.number<std::uint16_t>(), in.key()};
            in.end();
            return p;
        }
        case Kind::ADMIT: return parse_admit(in);
        case Kind::WELCOME: return parse_welcome(in);
        case Kind::LIVE: {
            Live p{{in.number_up_to(MAX_NUMBER)}, {in.number_up_to(MAX_TIME)}};
            in.end();
            return p;
        }
        case Kind::SAY: return parse_say(id, in);
        case Kind::ANSWER: return parse_answer(id, in);
        case Kind::COMMAND: return Command{id, in.string8(), in.rest_text()};
        case Kind::INFO: return Info{in.rest_text(TEXT_PART)};
        case Kind::PING: return parse_bare<Ping>(id, in);
        case Kind::PONG: return parse_bare<Pong>(id, in);
        case Kind::BYE:
            return Bye{in.number<std::uint8_t>() != 0, Code{in.number<std::uint16_t>()}, in.rest_text(MAX_REASON)};
        case Kind::CHANNEL: return parse_channel(in);
        case Kind::REPLAY: return parse_bare<Replay>(id, in);
        default: return parse_event(kind, id, in);
    }
}

}  // namespace

std::string encode(const Packet& packet) { return std::visit(Encoder(), packet); }

std::string_view extra_row(std::string_view extra, std::uint8_t key) {
    for (Reader rows(extra); !rows.empty();) {
        const auto found = rows.number<std::uint8_t>();
        const auto value = rows.bytes(rows.number<std::uint8_t>());
        if (found == key) return value;
    }
    return {};
}

std::uint64_t extra_number(std::string_view extra, std::uint8_t key) {
    std::uint64_t value = 0;
    for (const char byte : extra_row(extra, key).substr(0, 8)) value = value << 8 | static_cast<std::uint8_t>(byte);
    return value;
}

std::string_view cut(std::string_view text, std::size_t size) {
    if (text.size() <= size) return text;
    while (size > 0 && (text[size] & 0xC0) == 0x80) --size;  // 10xxxxxx continues a character (RFC 3629)
    return text.substr(0, size);
}

bool is_utf8(std::string_view text) {
    const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(text[at]); };
    for (std::size_t at = 0; at < text.size();) {
        const auto first = byte(at);
        const std::size_t size = first < 0x80                    ? 1
                                 : first >= 0xC2 && first < 0xE0 ? 2
                                 : first >= 0xE0 && first < 0xF0 ? 3
                                 : first >= 0xF0 && first < 0xF5 ? 4
                                                                 : 0;
        if (size == 0 || size > text.size() - at) return false;
        for (std::size_t more = 1; more < size; ++more)
            if ((byte(at + more) & 0xC0) != 0x80) return false;
        // No longer form than needed, no surrogate, nothing above U+10FFFF (RFC 3629, section 4).
        if ((first == 0xE0 && byte(at + 1) < 0xA0) || (first == 0xED && byte(at + 1) > 0x9F) ||
            (first == 0xF0 && byte(at + 1) < 0x90) || (first == 0xF4 && byte(at + 1) > 0x8F))
            return false;
        at += size;
    }
    return true;
}

struct Decoder::Header {
    std::uint8_t kind;
    std::uint64_t id;
    std::uint16_t part, parts;
};

void Decoder::feed(std::string_view data) {
    buffer_.erase(0, at_);
    at_ = 0;
    buffer_ += data;
}

std::optional<Packet> Decoder::next() { return decode(parse_payload); }

std::optional<Frame> Decoder::next_frame() {
    return decode<Frame>([](Kind kind, MessageId id, std::string_view payload) {
        return Frame{kind, id, std::string(payload)};
    });
}

Packet parse(const Frame& frame) { return parse_payload(frame.kind, frame.id, frame.payload); }

template <class Result>
std::optional<Result> Decoder::decode(Result (*finish)(Kind kind, MessageId id, std::string_view payload)) try {
    if (broken_) throw ProtocolError(*broken_);
    while (true) {
        const auto waiting = std::string_view(buffer_).substr(at_);
        // Looked at before the header is whole: an HTTP request may be shorter than our header.
        if (!waiting.empty()) need(static_cast<std::uint8_t>(waiting[0]) == MAGIC, "not the chatroom's protocol");
        if (waiting.size() > 1)
            need(static_cast<std::uint8_t>(waiting[1]) == VERSION, "another version of the protocol");
        if (waiting.size() < HEADER_BYTES) return std::nullopt;
        Reader in(waiting);
        in.bytes(2);
        Header header{.kind = in.number<std::uint8_t>(), .id = 0, .part = 0, .parts = 0};
        in.bytes(1);
        const auto length = in.number<std::uint32_t>();
        need(is_known(header.kind), "there is no such kind of packet");
        need(length <= MAX_PAYLOAD, "too long a payload is announced");
        header.id = in.number_up_to(MAX_NUMBER);
        header.part = in.number<std::uint16_t>();
        header.parts = in.number<std::uint16_t>();
        if (waiting.size() < HEADER_BYTES + length) return std::nullopt;
        at_ += HEADER_BYTES + length;
        const auto payload = waiting.substr(HEADER_BYTES, length);
        const auto kind = static_cast<Kind>(header.kind);
        if (header.parts != 1) {
            if (const auto whole = gather(header, payload)) return finish(kind, {header.id}, *whole);
        } else {
            need(header.part == 0 && !(open_ && has_parts(kind)), "parts of two messages are mixed");
            return finish(kind, {header.id}, payload);
        }
    }
} catch (const ProtocolError& error) {
    broken_ = error;
    buffer_.clear();
    at_ = 0;
    open_.reset();
    throw;
}

// Adds one part; the payload of the whole message once it is complete.
std::optional<std::string> Decoder::gather(const Header& header, std::string_view payload) {
    const auto kind = static_cast<Kind>(header.kind);
    need(has_parts(kind) && header.parts > 1 && header.parts <= MAX_PARTS && header.part < header.parts,
         "such a part cannot be");
    const auto size = prefix_size(kind, payload);
    need(size <= payload.size(), "payload cut short");
    const auto prefix = payload.substr(0, size), text = payload.substr(size);
    if (!open_) open_ = Parts{header.kind, header.id, header.parts, 0, std::string(prefix), {}};
    need(open_->kind == header.kind && open_->id == header.id && open_->count == header.parts &&
             open_->prefix == prefix && open_->next == header.part,
         "parts of two messages are mixed");
    ++open_->next;
    open_->text += text;
    need(open_->text.size() <= (kind == Kind::CHANNEL ? MAX_ROWS : MAX_TEXT), "a message is too long");
    if (open_->next < open_->count) return std::nullopt;
    auto whole = std::move(open_->prefix) + open_->text;
    open_.reset();
    return whole;
}

}  // namespace chat
