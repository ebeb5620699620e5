#include "handshake.hpp"

#include <algorithm>
#include <span>

namespace chat {
namespace {

enum class Came { other, hello, username, pass, fail, end, port, admit, welcome, bye, ping };

struct Came_of {
    Came operator()(const Hello&) const { return Came::hello; }
    Came operator()(const Username&) const { return Came::username; }
    Came operator()(const Status& status) const {
        return status.verdict == Verdict::PASS ? Came::pass : status.verdict == Verdict::FAIL ? Came::fail : Came::end;
    }
    Came operator()(const Port&) const { return Came::port; }
    Came operator()(const Admit&) const { return Came::admit; }
    Came operator()(const Welcome&) const { return Came::welcome; }
    Came operator()(const Bye&) const { return Came::bye; }
    Came operator()(const Ping&) const { return Came::ping; }
    Came operator()(const auto&) const { return Came::other; }
};

struct Row {
    Step at;
    Came came;
    Step then;
};

constexpr Row SERVER[] = {
    {Step::opened, Came::hello, Step::naming},
    {Step::naming, Came::username, Step::naming},  // the server itself enters offered when it has reserved the name
    {Step::offered, Came::pass, Step::taken},
    {Step::offered, Came::fail, Step::refused},  // the client cannot use the port
    {Step::taken, Came::end, Step::admitting},
    {Step::admitting, Came::admit, Step::admitted},
};

constexpr Row CLIENT[] = {
    {Step::opened, Came::fail, Step::refused},  // the server is full, or does not speak this version
    {Step::naming, Came::fail, Step::refused},  // the same, after HELLO; or too many names were tried
    {Step::asked, Came::fail, Step::naming},
    {Step::asked, Came::pass, Step::passed},
    {Step::passed, Came::port, Step::offered},
    {Step::passed, Came::fail, Step::refused},  // here and below: the time is over, or the server stops
    {Step::offered, Came::fail, Step::refused},
    {Step::taken, Came::fail, Step::refused},
    {Step::taken, Came::end, Step::admitting},
    {Step::admitting, Came::welcome, Step::admitted},
    {Step::admitting, Came::fail, Step::refused},
    {Step::admitting, Came::bye, Step::refused},     // the server stops, or a newer connection takes the session over
    {Step::admitting, Came::ping, Step::admitting},  // no PONG needed before WELCOME
};

}  // namespace

Step Handshake::receive(const Packet& packet) {
    const auto table = side_ == Side::server ? std::span<const Row>(SERVER) : CLIENT;
    const auto came = std::visit(Came_of(), packet);
    const auto row =
        std::ranges::find_if(table, [&](const Row& each) { return each.at == step_ && each.came == came; });
    if (row == table.end()) throw ProtocolError("this packet cannot come now in the handshake");
    return step_ = row->then;
}

}  // namespace chat
