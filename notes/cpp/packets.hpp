// Packets: what client and server say, their bytes, and the decoder. The table of each payload is in
// notes/protocol.md; this file has the fields in the same order and with the same names.
// No socket, no thread, no clock: bytes in, packets out.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace chat {

// A number with a meaning: a Seq cannot be given where a Person is wanted.
template <class Tag, class Representation>
struct Number {
    Representation value{};
    auto operator<=>(const Number&) const = default;
};
using Seq = Number<struct SeqTag, std::uint64_t>;              // place in the one order, from 1; 0: none
using Time = Number<struct TimeTag, std::uint64_t>;            // milliseconds since 1970 (UTC)
using MessageId = Number<struct MessageIdTag, std::uint64_t>;  // chosen by the client, from 1; 0: none
using Person = Number<struct PersonTag, std::uint32_t>;        // 0: the server
using Place = Number<struct PlaceTag, std::uint32_t>;          // a channel; 0: the whole chatroom
using Key16 = std::array<std::uint8_t, 16>;                    // ticket, token, identity; zeros: none

inline constexpr std::size_t MAX_PAYLOAD = 5120, TEXT_PART = 4096, MAX_TEXT = 65536, MAX_PARTS = 32;
inline constexpr std::size_t MAX_REASON = 1024, MAX_EXTRA = 512, MAX_CREDENTIALS = 1024, MAX_TOPIC = 512;
inline constexpr std::size_t MAX_CHANNELS = 50, MAX_LISTED = 1000, MAX_ROWS = 102000;
inline constexpr std::size_t NAME_BYTES = 96, CHANNEL_BYTES = 96, CHANNEL_FIELD = 97;
inline constexpr std::uint64_t MAX_NUMBER = 9223372036854775807, MAX_TIME = 253402300799999;
inline constexpr std::size_t HEADER_BYTES = 20;
inline constexpr std::uint8_t MAGIC = 0xC7, VERSION = 2;

enum class Kind : std::uint8_t {
    HELLO = 0x01,
    USERNAME,
    STATUS,
    PORT,
    ADMIT,
    WELCOME,
    LIVE,
    SAY,
    ANSWER,
    COMMAND,
    INFO,
    PING,
    PONG,
    BYE,
    CHANNEL,
    REPLAY,
    SAID = 0x20,
    JOINED,
    LEFT,
    RENAMED,
    TOPIC,
    KICKED,
    QUIT = 0x28,
    SET,
    LISTED = 0x2B,
    INVITED,
    AWAY,
    ACCOUNT,
    EDITED = 0x30,
    DELETED,
    REACTED,
    CLOSED = 0x34,
    MOVED,
    ANNOUNCED,
    RESTARTED,
    ERASED,
    HAND = 0x40,
    CALLED,
    POLL,
    REVEALED = 0x44,
    ASKED,
    AUDITED = 0x50,
    READ = 0x60,
    COUNTED,
};
enum class Verdict : std::uint8_t { PASS, FAIL, END };
enum class Resumed : std::uint8_t { FRESH, EXACT, GAP, OTHER_HISTORY, RESTORED };
enum class Code : std::uint16_t {  // those that this program gives or acts on; every other number is possible
    OK = 0,
    ALREADY = 1,
    NOT_IN = 10,
    NO_SUCH_CHANNEL = 11,
    NO_SUCH_COMMAND = 13,
    BAD_ARGUMENTS = 15,
    BANNED = 24,
    MUTED = 25,
    FULL = 30,
    SLOW_DOWN = 31,
    TOO_MANY = 33,
    BAD_NAME = 40,
    NAME_TAKEN = 41,
    NAME_HELD = 42,
    UNAVAILABLE = 50,
    BAD_VERSION = 60,
    PROTOCOL_ERROR = 61,
    EXPIRED = 62,
    TAKEN_OVER = 63,
    STOPPING = 64,
    TOO_SLOW = 65,
    SILENT = 66,
    KICKED = 67,
    GOODBYE = 68,
};

// A client whose connection ended for one of these reasons may come back by itself.
constexpr bool may_return(Code code) {
    switch (code) {
        case Code::FULL:
        case Code::SLOW_DOWN:
        case Code::TOO_MANY:
        case Code::UNAVAILABLE:
        case Code::EXPIRED:
        case Code::STOPPING:
        case Code::TOO_SLOW:
        case Code::SILENT: return true;
        default: return false;
    }
}

struct Credential {
    std::uint8_t key{};
    std::string value;
};
struct Present {  // one member in CHANNEL
    Person person;
    std::uint8_t role{};
    std::string name;
};

struct Hello {
    std::uint8_t version{VERSION};
    std::string software;
    std::vector<std::string> abilities;
};
struct Username {
    std::string name;
    Key16 token{};
    std::vector<Credential> credentials;
};
struct Status {
    Verdict verdict{};
    Code code{};
    std::string reason;
};
struct Port {
    std::uint16_t number{};
    Key16 ticket{};
};  // number 0: stay on this connection
struct Admit {
    std::string name;
    Key16 ticket{};
    std::vector<std::string> channels;
    Seq since;
    Time time;
    Key16 identity{};
    std::uint16_t lines{};
};
struct Welcome {
    std::string name;
    Key16 token{}, identity{};
    Person person;
    MessageId confirmed;
    Seq head;
    Resumed resumed{};
};
struct Live {
    Seq seq;
    Time time;
};
struct Say {
    MessageId id;
    std::string channel, text;
    std::uint8_t form{};
    std::string extra;
};
struct Answer {
    MessageId id;
    Code code{};
    std::string words, rows;
};
struct Command {
    MessageId id;
    std::string channel, text;
};
struct Info {
    std::string words;
};
struct Ping {
    MessageId id;
};
struct Pong {
    MessageId id;
};
struct Bye {
    bool again{};
    Code code{};
    std::string reason;
};
struct Channel {
    Place place;
    std::string name, topic;
    std::uint8_t settings{}, role{};
    std::uint32_t size{};
    std::vector<Present> members;
};
struct Replay {
    MessageId id;
};
struct Event {
    Kind kind{};
    Seq seq;
    Time time;
    std::string channel, author, text;
    MessageId id;
    Person person;
    Place place;
    std::string extra;
};
struct Skipped {
    Seq seq;
    Time time;
};  // an event of a kind that this program does not know: its seq counts, if not 0

using Packet = std::variant<Hello, Username, Status, Port, Admit, Welcome, Live, Say, Answer, Command, Info, Ping, Pong,
                            Bye, Channel, Replay, Event, Skipped>;

// The value of the row of an extra with this key; empty: there is none. The decoder has checked that rows add up.
std::string_view extra_row(std::string_view extra, std::uint8_t key);
std::uint64_t extra_number(std::string_view extra, std::uint8_t key);

// The other side has broken the protocol: its connection ends, no other one is affected.
struct ProtocolError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// The bytes of a packet; a long text becomes several packets. Throws std::length_error when a field does not
// fit: the caller checks its fields before.
std::string encode(const Packet& packet);

// The beginning of a text, at most `size` bytes, cut between characters.
std::string_view cut(std::string_view text, std::size_t size);
bool is_utf8(std::string_view text);

// A whole packet whose fields were not looked at yet: whoever has time parses it.
struct Frame {
    Kind kind;
    MessageId id;
    std::string payload;
};
Packet parse(const Frame& frame);  // throws ProtocolError

// Bytes of one connection in, whole packets out, however the network splits the bytes. Holds at most one
// unfinished packet, one unfinished message and what was fed last.
class Decoder {
public:
    void feed(std::string_view data);

    // The next whole packet, or nothing until more is fed. Throws ProtocolError, then at every later call.
    std::optional<Packet> next();
    std::optional<Frame> next_frame();  // the same, not parsed

private:
    struct Header;
    template <class Result>
    std::optional<Result> decode(Result (*finish)(Kind kind, MessageId id, std::string_view payload));
    std::optional<std::string> gather(const Header& header, std::string_view payload);

    struct Parts {  // a message that lacks parts
        std::uint8_t kind;
        std::uint64_t id;
        std::uint16_t count, next;
        std::string prefix, text;  // prefix: what every part repeats
    };
    std::string buffer_;
    std::size_t at_ = 0;  // what was decoded of buffer_
    std::optional<Parts> open_;
    std::optional<ProtocolError> broken_;
};

}  // namespace chat
