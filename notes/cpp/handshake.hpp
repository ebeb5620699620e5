// The handshake as two tables, one for each side: which packet may come at which step, and what step follows.
//
//     client → lobby     HELLO
//     client → lobby     USERNAME             server: STATUS FAIL (reason), try again; or STATUS PASS
//     server → client    PORT number, ticket  the new socket is listening already
//     client → lobby     STATUS PASS, STATUS END; the server answers STATUS END and both close
//     client → new port  ADMIT                WELCOME: a member; STATUS FAIL or BYE: not
//
// A packet that has no entry is a protocol error. The caller keeps the time.
#pragma once

#include "packets.hpp"

namespace chat {

inline constexpr double HANDSHAKE_SECONDS = 15, STEP_SECONDS = 5;
inline constexpr int NAME_TRIES = 16;

enum class Side { server, client };
enum class Step {
    opened,     // connected to the lobby, nothing said yet
    naming,     // the client may ask for a name
    asked,      // client: a USERNAME is out, its STATUS has not come yet
    passed,     // client: the name is given, PORT is still to come
    offered,    // both sides know the port, the client has not accepted it yet
    taken,      // the client has said PASS to the port
    admitting,  // both sides are done with the lobby and use the new connection
    admitted,
    refused,
};

class Handshake {
public:
    explicit Handshake(Side side) : side_(side) {}

    Step step() const { return step_; }

    // The step that follows the packet. Throws ProtocolError when the packet may not come now.
    Step receive(const Packet& packet);

    // Note a step that this side takes by itself: the server's offer, the client's question.
    void enter(Step step) { step_ = step; }

private:
    Side side_;
    Step step_ = Step::opened;
};

}  // namespace chat
