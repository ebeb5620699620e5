// The server's command line. SIGINT and SIGTERM stop it.
#include <csignal>
#include <iostream>

#include "options.hpp"
#include "server.hpp"

using namespace chat;

namespace {

Settings settings_of(Options& options) {
    Settings settings;
    while (const auto option = options.next()) {
        if (*option == "--host") settings.host = options.value();
        else if (*option == "--port") settings.port = options.number<std::uint16_t>();
        else if (*option == "--ports") settings.same_connection = options.one_of("any", "same") == "same";
        else if (*option == "--names")
            settings.names = options.one_of("ascii", "unicode") == "unicode" ? NameRule::unicode : NameRule::ascii;
        else if (*option == "--dead-after") settings.dead_after = options.seconds(0.1);
        else if (*option == "--max-members") settings.max_members = options.number<std::size_t>();
        else if (*option == "--keep") settings.keep_events = options.number<std::size_t>();
        else options.fail(*option + " is no option");
    }
    return settings;
}

}  // namespace

int main(int count, char** arguments) {
    Options options("chat-server", {arguments + 1, static_cast<std::size_t>(count) - 1},
                    "[--host ADDRESS] [--port N] [--ports any|same] [--names ascii|unicode] [--dead-after SECONDS] "
                    "[--max-members N] [--keep EVENTS]");
    try {
        const auto settings = settings_of(options);
        sigset_t stop;  // blocked in every thread, and taken by this one: no handler, no race
        sigemptyset(&stop);
        sigaddset(&stop, SIGINT);
        sigaddset(&stop, SIGTERM);
        pthread_sigmask(SIG_BLOCK, &stop, nullptr);
        Server server(settings);
        std::cout << "listening on " << settings.host << ':' << server.port() << std::endl;
        int signal = 0;
        sigwait(&stop, &signal);
        return 0;
    } catch (const Usage& usage) {
        std::cerr << usage.what() << '\n';
        return 2;
    } catch (const std::exception& error) {
        std::cerr << "chat-server: " << error.what() << '\n';
        return 1;
    }
}
