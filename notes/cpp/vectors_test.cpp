// Reads tests/vectors/*.json: packets and streams in both directions, the dialogue through both tables of the
// handshake, names and channels. Prints what differs; the exit code is 1 then.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <sstream>
#include <tuple>

#include "handshake.hpp"
#include "json.hpp"
#include "names.hpp"
#include "packets.hpp"

using namespace chat;

namespace {

// The names that the files use for numbers.
const std::map<Kind, std::string> EVENTS{
    {Kind::SAID, "SAID"},     {Kind::JOINED, "JOINED"},       {Kind::LEFT, "LEFT"},           {Kind::RENAMED, "RENAMED"},
    {Kind::TOPIC, "TOPIC"},   {Kind::KICKED, "KICKED"},       {Kind::QUIT, "QUIT"},           {Kind::SET, "SET"},
    {Kind::LISTED, "LISTED"}, {Kind::INVITED, "INVITED"},     {Kind::AWAY, "AWAY"},           {Kind::ACCOUNT, "ACCOUNT"},
    {Kind::EDITED, "EDITED"}, {Kind::DELETED, "DELETED"},     {Kind::REACTED, "REACTED"},     {Kind::CLOSED, "CLOSED"},
    {Kind::MOVED, "MOVED"},   {Kind::ANNOUNCED, "ANNOUNCED"}, {Kind::RESTARTED, "RESTARTED"}, {Kind::ERASED, "ERASED"},
    {Kind::HAND, "HAND"},     {Kind::CALLED, "CALLED"},       {Kind::POLL, "POLL"},           {Kind::REVEALED, "REVEALED"},
    {Kind::ASKED, "ASKED"},   {Kind::AUDITED, "AUDITED"},     {Kind::READ, "READ"},           {Kind::COUNTED, "COUNTED"}};
const std::map<Verdict, std::string> VERDICTS{{Verdict::PASS, "PASS"}, {Verdict::FAIL, "FAIL"}, {Verdict::END, "END"}};
const std::map<Resumed, std::string> RESUMED{{Resumed::FRESH, "FRESH"},
                                             {Resumed::EXACT, "EXACT"},
                                             {Resumed::GAP, "GAP"},
                                             {Resumed::OTHER_HISTORY, "OTHER_HISTORY"},
                                             {Resumed::RESTORED, "RESTORED"}};
const std::map<Code, std::string> CODES{{Code::OK, "OK"},
                                        {Code::NOT_IN, "NOT_IN"},
                                        {Code::BANNED, "BANNED"},
                                        {Code::MUTED, "MUTED"},
                                        {Code::NAME_TAKEN, "NAME_TAKEN"},
                                        {Code::STOPPING, "STOPPING"},
                                        {Code::KICKED, "KICKED"},
                                        {Code::GOODBYE, "GOODBYE"}};

template <class Enum>
Json named(const std::map<Enum, std::string>& names, Enum value) {
    const auto found = names.find(value);
    return found == names.end() ? Json{static_cast<std::uint64_t>(value)} : Json{found->second};
}
template <class Enum>
Enum unnamed(const std::map<Enum, std::string>& names, const Json& json) {
    if (std::holds_alternative<std::uint64_t>(json.value)) return static_cast<Enum>(json.number());
    for (const auto& [value, name] : names)
        if (name == json.text()) return value;
    throw std::runtime_error("no number is named " + json.text());
}

std::string to_hex(std::string_view data) {
    std::string out;
    for (const unsigned char byte : data)
        for (const int digit : {byte >> 4, byte & 15}) out += "0123456789abcdef"[digit];
    return out;
}
std::string from_hex(std::string_view hex) {
    std::string out;
    for (std::size_t at = 0; at < hex.size(); at += 2)
        out += static_cast<char>(std::stoi(std::string(hex.substr(at, 2)), nullptr, 16));
    return out;
}

// One field to JSON and back: an overload for each type of a field.
Json to_json(const std::string& v) { return {v}; }
Json to_json(bool v) { return {v}; }
template <class Unsigned>
    requires std::unsigned_integral<Unsigned>
Json to_json(Unsigned v) {
    return {std::uint64_t{v}};
}
template <class Tag, class Rep>
Json to_json(Number<Tag, Rep> v) {
    return {std::uint64_t{v.value}};
}
Json to_json(Verdict v) { return named(VERDICTS, v); }
Json to_json(Resumed v) { return named(RESUMED, v); }
Json to_json(Code v) { return named(CODES, v); }
Json to_json(const Key16& v) { return {to_hex(std::string(v.begin(), v.end()))}; }
Json to_json(const Present& v) {
    return {JsonObject{{"person", to_json(v.person)}, {"role", to_json(v.role)}, {"name", {v.name}}}};
}
Json to_json(const Credential& v) { return {JsonArray{to_json(v.key), {to_hex(v.value)}}}; }
template <class Item>
Json to_json(const std::vector<Item>& v) {
    JsonArray out;
    for (const auto& item : v) out.push_back(to_json(item));
    return {std::move(out)};
}

void from_json(const Json& j, std::string& v) { v = j.text(); }
void from_json(const Json& j, bool& v) { v = j.truth(); }
template <class Unsigned>
    requires std::unsigned_integral<Unsigned>
void from_json(const Json& j, Unsigned& v) {
    v = static_cast<Unsigned>(j.number());
}
template <class Tag, class Rep>
void from_json(const Json& j, Number<Tag, Rep>& v) {
    v.value = static_cast<Rep>(j.number());
}
void from_json(const Json& j, Verdict& v) { v = unnamed(VERDICTS, j); }
void from_json(const Json& j, Resumed& v) { v = unnamed(RESUMED, j); }
void from_json(const Json& j, Code& v) { v = unnamed(CODES, j); }
void from_json(const Json& j, Key16& v) {
    const auto data = from_hex(j.text());
    std::copy_n(data.begin(), v.size(), v.begin());
}
void from_json(const Json& j, Present& v) {
    from_json(j["person"], v.person), from_json(j["role"], v.role), from_json(j["name"], v.name);
}
void from_json(const Json& j, Credential& v) {
    from_json(j.array().at(0), v.key);
    v.value = from_hex(j.array().at(1).text());
}
template <class Item>
void from_json(const Json& j, std::vector<Item>& v) {
    for (const auto& item : j.array()) from_json(item, v.emplace_back());
}

template <class Packet>
struct Fields;  // the name of the kind, and the name and place of each field
#define FIELD(name) \
    std::pair { #name, &P::name }
#define FIELDS(type, kind, ...)                                   \
    template <>                                                   \
    struct Fields<type> {                                         \
        using P = type;                                           \
        static constexpr std::string_view name = kind;            \
        static constexpr auto all = std::make_tuple(__VA_ARGS__); \
    };
FIELDS(Hello, "HELLO", FIELD(version), FIELD(software), FIELD(abilities))
FIELDS(Username, "USERNAME", FIELD(name), FIELD(token), FIELD(credentials))
FIELDS(Status, "STATUS", FIELD(verdict), FIELD(code), FIELD(reason))
FIELDS(Port, "PORT", FIELD(number), FIELD(ticket))
FIELDS(Admit, "ADMIT", FIELD(name), FIELD(ticket), FIELD(channels), FIELD(since), FIELD(time), FIELD(identity),
       FIELD(lines))
FIELDS(Welcome, "WELCOME", FIELD(name), FIELD(token), FIELD(identity), FIELD(person), FIELD(confirmed), FIELD(head),
       FIELD(resumed))
FIELDS(Live, "LIVE", FIELD(seq), FIELD(time))
FIELDS(Say, "SAY", FIELD(id), FIELD(channel), FIELD(text), FIELD(form), FIELD(extra))
FIELDS(Answer, "ANSWER", FIELD(id), FIELD(code), FIELD(words), FIELD(rows))
FIELDS(Command, "COMMAND", FIELD(id), FIELD(channel), FIELD(text))
FIELDS(Info, "INFO", FIELD(words))
FIELDS(Ping, "PING", FIELD(id))
FIELDS(Pong, "PONG", FIELD(id))
FIELDS(Bye, "BYE", FIELD(again), FIELD(code), FIELD(reason))
FIELDS(Channel, "CHANNEL", FIELD(place), FIELD(name), FIELD(topic), FIELD(settings), FIELD(role), FIELD(size),
       FIELD(members))
FIELDS(Replay, "REPLAY", FIELD(id))
FIELDS(Event, "", FIELD(seq), FIELD(time), FIELD(channel), FIELD(author), FIELD(text), FIELD(id), FIELD(person),
       FIELD(place), FIELD(extra))
FIELDS(Skipped, "SKIPPED", FIELD(seq), FIELD(time))

Json meaning(const Packet& packet) {
    return std::visit(
        []<class P>(const P& p) -> Json {
            JsonObject out{{"kind", {std::string(Fields<P>::name)}}};
            if constexpr (std::is_same_v<P, Event>) out["kind"] = {EVENTS.at(p.kind)};
            std::apply([&](const auto&... field) { ((out[field.first] = to_json(p.*field.second)), ...); },
                       Fields<P>::all);
            if constexpr (requires { p.extra; }) out["extra"] = {to_hex(p.extra)};
            return {std::move(out)};
        },
        packet);
}

template <std::size_t At = 0>
Packet packet_of(const Json& json) {
    if constexpr (At == std::variant_size_v<Packet>) {
        throw std::runtime_error("there is no packet " + json["kind"].text());
    } else {
        using P = std::variant_alternative_t<At, Packet>;
        P p{};
        if constexpr (std::is_same_v<P, Event>) {
            for (const auto& [kind, name] : EVENTS)
                if (name == json["kind"].text()) p.kind = kind;
            if (p.kind == Kind{}) return packet_of<At + 1>(json);
        } else if (json["kind"].text() != Fields<P>::name) {
            return packet_of<At + 1>(json);
        }
        std::apply([&](const auto&... field) { (from_json(json[field.first], p.*field.second), ...); }, Fields<P>::all);
        if constexpr (requires { p.extra; }) p.extra = from_hex(p.extra);
        return p;
    }
}

int checked = 0, failed = 0;

void check(bool good, std::string_view file, const std::string& what) {
    ++checked;
    if (good) return;
    ++failed;
    std::cout << file << ": " << what << '\n';
}

Json load(const std::string& folder, const std::string& name) {
    std::ifstream file(folder + "/" + name + ".json");
    if (!file) throw std::runtime_error("cannot read " + folder + "/" + name + ".json");
    std::stringstream text;
    text << file.rdbuf();
    return JsonReader::read(text.str());
}

void test_packet(const Json& entry) {
    const auto data = from_hex(entry["hex"].text());
    Decoder decoder;
    decoder.feed(data);
    const auto packet = decoder.next();
    check(packet && meaning(*packet) == entry["packet"] && !decoder.next(), "packets",
          entry["name"].text() + ": decode");
    check(encode(packet_of(entry["packet"])) == data, "packets", entry["name"].text() + ": encode");
}

void test_stream(const Json& entry, std::size_t size) {
    const auto data = from_hex(entry["hex"].text());
    Decoder decoder;
    JsonArray found;
    bool error = false;
    try {
        for (std::size_t at = 0; at < data.size(); at += size) {
            decoder.feed(std::string_view(data).substr(at, size));
            while (const auto packet = decoder.next()) {
                const auto skipped = std::get_if<Skipped>(&*packet);  // of a signal, nothing is left
                if (!skipped || skipped->seq != Seq{}) found.push_back(meaning(*packet));
            }
        }
    } catch (const ProtocolError&) {
        error = true;
    }
    check(Json{found} == entry["packets"] && error == entry["error"].truth(), "streams",
          entry["name"].text() + ", in pieces of " + std::to_string(size));
}

// The tables allow every packet of the dialogue, up to WELCOME.
void test_dialogue(const Json& dialogue) {
    Handshake client(Side::client), server(Side::server);
    for (const auto& entry : dialogue.array()) {
        if (server.step() == Step::admitted && client.step() == Step::admitted) break;
        const bool from_client = entry["from"].text() == "client";
        const auto packet = packet_of(entry["packet"]);
        (from_client ? server : client).receive(packet);
        if (entry["packet"]["kind"].text() == "HELLO") client.enter(Step::naming);
        if (entry["packet"]["kind"].text() == "USERNAME") client.enter(Step::asked);
        if (entry["packet"]["kind"].text() == "PORT") server.enter(Step::offered);
        if (from_client && entry["packet"].has("verdict") && entry["packet"]["verdict"].text() == "PASS")
            client.enter(Step::taken);
    }
    check(client.step() == Step::admitted && server.step() == Step::admitted, "dialogue", "not admitted");
}

void test_name(const Json& entry) {
    const bool channel = entry.has("channel"), refused = entry.has("refused");
    const auto& name = entry[channel ? "channel" : "name"].text();
    try {
        const auto written = channel ? check_channel(name) : check_name(name);
        check(!refused && written == entry["written"].text(), "names", name + " became " + written);
        if (channel || refused) return;
        JsonArray looks;
        for (auto& each : skeletons(written)) looks.push_back({std::move(each)});
        check(name_key(name) == entry["key"].text(), "names", name + ": the key is " + name_key(name));
        check(Json{looks} == entry["skeletons"], "names", name + ": skeletons");
    } catch (const NameRefused& why) {
        check(refused, "names", name + " was refused: " + why.what());
    }
}

}  // namespace

int main(int count, char** arguments) try {
    const std::string folder = count > 1 ? arguments[1] : "../../tests/vectors";
    const auto packets = load(folder, "packets"), streams = load(folder, "streams"), names = load(folder, "names");
    for (const auto& entry : packets.array()) test_packet(entry);
    for (const auto& entry : streams.array())
        for (const std::size_t size : {1, 7, 1'000'000}) test_stream(entry, size);
    test_dialogue(load(folder, "dialogue"));
    for (const auto& entry : names.array()) test_name(entry);
    std::cout << checked << " checks, " << failed << " failed\n";
    return failed == 0 ? 0 : 1;
} catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 2;
}
