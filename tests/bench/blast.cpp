// The limit of this machine's loopback: bytes made beforehand, sent to N sockets as fast as they take them.
//
// What any chat server could do at best when making, ordering, storing and reading messages cost nothing.
// The bytes are events of our own protocol, so that receivers do the same work for each of them.
//
//     blast MEMBERS SIZES CHUNK
//
// prints "listening on PORT", accepts MEMBERS connections and sends one event to each. Whenever the first
// of them sends a number (8 bytes, big-endian), everybody is sent so many events, CHUNK bytes at a time. SIZES is
// the size of their texts, or several (64,64,2048), which come round and round.

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

namespace {

struct Receiver {
  int fd;
  uint64_t left;  // bytes still to send
  size_t offset;  // where in the cycle the next byte is
};

[[noreturn]] void die(const char *what) {
  perror(what);
  exit(1);
}

// Header "!BBBBIQHH", then "!QQIIHBB", author and channel: chatroom/packets/kinds.py.
std::string event(size_t text_size) {
  std::string payload(26, '\0');  // seq, time, person, place, bytes of extra
  payload += std::string("\x02\x08") + "m0" + "#general" + std::string(text_size, 'x');
  uint32_t length = htonl(static_cast<uint32_t>(payload.size()));
  std::string packet("\xC7\x02\x20\x00", 4);
  packet.append(reinterpret_cast<char *>(&length), 4);
  packet += std::string(8, '\0') + std::string("\0\0\0\1", 4);
  return packet + payload;
}

int listen_anywhere() {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(fd, reinterpret_cast<sockaddr *>(&address), size) || listen(fd, 4096)) die("listen");
  getsockname(fd, reinterpret_cast<sockaddr *>(&address), &size);
  printf("listening on %d\n", ntohs(address.sin_port));
  fflush(stdout);
  return fd;
}

// The events that come round and round. starts: where each of them begins; the last number is the size of all.
struct Cycle {
  std::string bytes;
  std::vector<size_t> starts = {0};
  uint64_t size_of_first(uint64_t events) const {
    uint64_t count = starts.size() - 1;
    return events / count * bytes.size() + starts[events % count];
  }
};

Cycle make_cycle(const char *sizes) {
  Cycle cycle;
  for (const char *p = sizes; *p;) {
    char *end;
    cycle.bytes += event(strtoul(p, &end, 10));
    cycle.starts.push_back(cycle.bytes.size());
    if (end == p) die("SIZES");
    p = *end ? end + 1 : end;
  }
  return cycle;
}

// Round after round over those who are not done: CHUNK bytes for each, or what it takes. Everybody has had the
// first `from` events, and gets those up to `to`.
void blast(std::vector<Receiver> &all, const std::string &chunk, const Cycle &cycle, size_t at_once, uint64_t from, uint64_t to) {
  int epoll = epoll_create1(0);
  for (Receiver &r : all) {
    r.left = cycle.size_of_first(to) - cycle.size_of_first(from);
    epoll_event e = {};
    e.events = EPOLLOUT;
    e.data.ptr = &r;
    epoll_ctl(epoll, EPOLL_CTL_ADD, r.fd, &e);
  }
  static epoll_event ready[512];
  for (size_t open = all.size(); open;) {
    int n = epoll_wait(epoll, ready, 512, -1);
    for (int i = 0; i < n; i++) {
      Receiver &r = *static_cast<Receiver *>(ready[i].data.ptr);
      ssize_t sent = send(r.fd, chunk.data() + r.offset, std::min<uint64_t>(r.left, at_once), MSG_NOSIGNAL);
      if (sent < 0 && errno == EAGAIN) continue;
      if (sent < 0) die("send");
      r.left -= static_cast<uint64_t>(sent);
      r.offset = (r.offset + static_cast<size_t>(sent)) % cycle.bytes.size();
      if (!r.left) {
        epoll_ctl(epoll, EPOLL_CTL_DEL, r.fd, nullptr);
        open--;
      }
    }
  }
  close(epoll);
}

}  // namespace

int main(int argc, char **argv) {
  if (argc != 4 || !*argv[2]) {
    fprintf(stderr, "usage: blast MEMBERS SIZES CHUNK\n");
    return 2;
  }
  rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  size_t members = static_cast<size_t>(atol(argv[1])), at_once = static_cast<size_t>(atol(argv[3]));
  Cycle cycle = make_cycle(argv[2]);
  std::string chunk;
  while (chunk.size() < at_once + cycle.bytes.size()) chunk += cycle.bytes;
  int listener = listen_anywhere();
  std::vector<Receiver> all;
  while (all.size() < members) {
    int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
    if (fd < 0) die("accept");
    all.push_back({fd, 0, 0});
  }
  uint64_t sent = 1;
  blast(all, chunk, cycle, at_once, 0, sent);
  std::vector<pollfd> waiting;
  for (Receiver &r : all) waiting.push_back({r.fd, POLLIN, 0});
  while (poll(waiting.data(), waiting.size(), -1) > 0)
    for (pollfd &p : waiting) {
      if (!p.revents) continue;
      uint64_t wanted;
      if (recv(p.fd, &wanted, sizeof wanted, 0) != sizeof wanted) return 0;  // they go: so do we
      blast(all, chunk, cycle, at_once, sent, sent + be64toh(wanted));
      sent += be64toh(wanted);
    }
}
