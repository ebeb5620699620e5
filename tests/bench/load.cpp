// The load program: many members and some talkers of one chat server, in one thread around one epoll.
//
// It speaks six protocols (native, twin, asio, nats, lines, blast), counts every delivery at every receiver,
// checks that each talker's messages come complete and in order there (native, twin: also that seq
// rises by exactly one), and prints one line of JSON. It judges nothing: what is missing is in the JSON, and
// the Python side refuses to report such a run.
//
// Every message has the same text for every protocol: two characters for the talker, five for the
// number of the message, eight for the time it was due (six bits a character, from '0' on), then filler.
//
//     load --protocol native --port 5050 --members 100 --talkers 1 --size 64 --mode saturate --seconds 3
//
// Modes: saturate (talkers as fast as the server takes it), sustain (the same for --seconds, with a rate for each
// of --steps parts), rate (--rate messages a second, latencies), idle (connect, then hold still), catchup (fill the
// history, then one member reads all of it; with --since the history is there already).
//
// With -DLOAD_TLS it is linked with OpenSSL, and --tls 1 encrypts (native, and nats, whose server says INFO in clear first).
//
// --channels K puts everybody into the same K channels, and all talk in the first. With --spread S (native, saturate)
// there are K rows of S channels: each member is in one of each row, and the talkers, a multiple of K x S, talk in all.
// --idle N puts each member into N more channels, which are its own.
//
// --size takes one size or several, as 64,64,2048: message n of talker t has the size number n + 37 t, round and
// round, so the receiver knows which size each message must have.

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifdef LOAD_TLS
#include <openssl/err.h>
#include <openssl/ssl.h>
#endif

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace {

// ---------------------------------------------------------------------------------------- small helpers

[[noreturn]] void die(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fprintf(stderr, "load: ");
  vfprintf(stderr, format, arguments);
  fprintf(stderr, "\n");
  va_end(arguments);
  exit(1);
}

int64_t now_ns() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

template <class T> T load_raw(const char *p) {
  T value;
  memcpy(&value, p, sizeof value);
  return value;
}
uint64_t be64(const char *p) { return be64toh(load_raw<uint64_t>(p)); }
uint32_t be32(const char *p) { return be32toh(load_raw<uint32_t>(p)); }
uint16_t be16(const char *p) { return be16toh(load_raw<uint16_t>(p)); }
void put64(std::string &out, uint64_t v) { v = htobe64(v); out.append(reinterpret_cast<char *>(&v), 8); }
void put32(std::string &out, uint32_t v) { v = htobe32(v); out.append(reinterpret_cast<char *>(&v), 4); }
void put16(std::string &out, uint16_t v) { v = htobe16(v); out.append(reinterpret_cast<char *>(&v), 2); }

// Numbers as text, six bits a character, so that a line-based protocol carries them, too.
void write6(char *p, int characters, uint64_t value) {
  for (int i = characters; i-- > 0; value >>= 6) p[i] = static_cast<char>('0' + (value & 63));
}
uint64_t read6(const char *p, int characters) {
  uint64_t value = 0;
  for (int i = 0; i < characters; i++) value = value << 6 | static_cast<uint64_t>((p[i] - '0') & 63);
  return value;
}

// Latencies: 32 steps in each power of two of nanoseconds, so every figure is right within 3 %.
struct Histogram {
  std::vector<uint64_t> counts = std::vector<uint64_t>(64 * 32);
  uint64_t total = 0;
  int64_t longest = 0;
  static int bucket(uint64_t ns) {
    if (ns < 32) return static_cast<int>(ns);
    int power = 63 - __builtin_clzll(ns);
    return (power - 4) * 32 + static_cast<int>(ns >> (power - 5) & 31);
  }
  static double middle(int index) {
    if (index < 32) return index;
    int power = index / 32 + 4;
    return ldexp(32 + index % 32 + 0.5, power - 5);
  }
  void add(int64_t ns) {
    if (ns < 0) ns = 0;
    counts[static_cast<size_t>(bucket(static_cast<uint64_t>(ns)))]++;
    total++;
    longest = std::max(longest, ns);
  }
  double at(double share) const {
    uint64_t wanted = static_cast<uint64_t>(static_cast<double>(total) * share), seen = 0;
    for (size_t i = 0; i < counts.size(); i++)
      if ((seen += counts[i]) > wanted) return middle(static_cast<int>(i)) / 1e9;
    return static_cast<double>(longest) / 1e9;
  }
};

// ----------------------------------------------------------------------------- what the server's process costs

struct Process {
  int pid = 0;
  double cpu_seconds() const {  // user and system time of all its threads, the ended ones included
    std::string text = read("stat");
    size_t name_end = text.rfind(')');
    if (name_end == std::string::npos) return 0;
    unsigned long user = 0, system = 0;
    sscanf(text.c_str() + name_end + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    return static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
  }
  long kib(const char *field) const {  // VmRSS, VmHWM
    std::string text = read("status");
    size_t at = text.find(field);
    return at == std::string::npos ? 0 : atol(text.c_str() + at + strlen(field) + 1);
  }
  std::string read(const char *what) const {
    std::string text;
    if (!pid) return text;
    char path[64], buffer[8192];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, what);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return text;
    ssize_t n = ::read(fd, buffer, sizeof buffer);
    if (n > 0) text.assign(buffer, static_cast<size_t>(n));
    close(fd);
    return text;
  }
};

double own_cpu_seconds() {
  rusage r;
  getrusage(RUSAGE_SELF, &r);
  auto seconds = [](timeval t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return seconds(r.ru_utime) + seconds(r.ru_stime);
}

// --------------------------------------------------------------------------------------------- options

struct Options {
  std::string protocol = "native", mode = "saturate", host = "127.0.0.1";
  bool tls = false;
  int port = 0, members = 100, talkers = 1, stuck = 0, parallel = 512, read = 256 * 1024, steps = 6, channels = 1, spread = 0,
      idle = 0;
  std::vector<size_t> sizes = {64};
  uint64_t since = 0, since_time = 0;  // catchup: from which event on; 0: fill the history first
  double seconds = 3, warmup = 1, rate = 1000, patience = 20, settle = 2;
  long messages = 0;               // saturate: exactly so many instead of about `seconds`; catchup: history
  long window = 6400000;           // deliveries under way at most, see in_flight()
  Process server;

  int row_size() const { return std::max(1, spread); }
  // The number of the channel that a member has in a row. Each channel of a row has as many members, and no two members
  // (of row_size() to the third, from three rows on) are in the same channels: the server has to make bytes for each.
  int channel_of(int member, int row) const {
    int size = row_size(), tens = member / size, hundreds = tens / size;
    return row * size + (member + row * tens + row * (row - 1) / 2 * hundreds) % size;
  }
  int talks_in(int talker) const { return channel_of(talker, spread ? talker / spread % channels : 0); }
  bool hears(int member, int talker) const {
    int channel = talks_in(talker);
    return channel_of(member, channel / row_size()) == channel;
  }
  // Then every event, and the seqs have no gap. (When a channel is founded, the trail gets an event that nobody sees.)
  bool sees_all() const { return channels == 1 && spread <= 1 && !idle; }
};

std::vector<size_t> numbers(const char *list) {
  std::vector<size_t> found;
  for (const char *p = list; *p;) {
    char *end;
    found.push_back(strtoul(p, &end, 10));
    if (end == p || (*end && *end != ',')) die("not a list of numbers: %s", list);
    p = *end ? end + 1 : end;
  }
  if (found.empty()) die("a list of numbers is empty");
  return found;
}

Options parse(int argc, char **argv) {
  Options o;
  for (int i = 1; i + 1 < argc; i += 2) {
    std::string key = argv[i];
    const char *value = argv[i + 1];
    if (key == "--protocol") o.protocol = value;
    else if (key == "--mode") o.mode = value;
    else if (key == "--host") o.host = value;
    else if (key == "--tls") o.tls = atoi(value) != 0;
    else if (key == "--port") o.port = atoi(value);
    else if (key == "--members") o.members = atoi(value);
    else if (key == "--talkers") o.talkers = atoi(value);
    else if (key == "--size") o.sizes = numbers(value);
    else if (key == "--stuck") o.stuck = atoi(value);
    else if (key == "--parallel") o.parallel = atoi(value);
    else if (key == "--read") o.read = atoi(value);
    else if (key == "--seconds") o.seconds = atof(value);
    else if (key == "--warmup") o.warmup = atof(value);
    else if (key == "--settle") o.settle = atof(value);
    else if (key == "--rate") o.rate = atof(value);
    else if (key == "--patience") o.patience = atof(value);
    else if (key == "--messages") o.messages = atol(value);
    else if (key == "--window") o.window = atol(value);
    else if (key == "--steps") o.steps = atoi(value);
    else if (key == "--channels") o.channels = atoi(value);
    else if (key == "--spread") o.spread = atoi(value);
    else if (key == "--idle") o.idle = atoi(value);
    else if (key == "--since") o.since = strtoull(value, nullptr, 10);
    else if (key == "--since-time") o.since_time = strtoull(value, nullptr, 10);
    else if (key == "--pid") o.server.pid = atoi(value);
    else die("unknown option %s", argv[i]);
  }
  if (argc % 2 == 0) die("%s needs a value", argv[argc - 1]);
  for (size_t size : o.sizes)
    if (size < 16) die("--size is at least 16: talker, number and time stand in the text");
  if (o.steps < 1 || o.channels < 1 || o.idle < 0 || o.channels + o.idle > 50)
    die("--steps is at least 1, --channels and --idle are 1 to 50 together");
  if (o.spread && (o.protocol != "native" || o.mode != "saturate" || o.spread < 0 || o.members % o.spread ||
                   o.talkers % (o.channels * o.spread)))
    die("--spread needs native and saturate, and divides the members; --channels x --spread divides the talkers");
#ifndef LOAD_TLS
  if (o.tls) die("built without OpenSSL: --tls needs -DLOAD_TLS");
#endif
  if (o.talkers > o.members || o.talkers > 4000) die("too many talkers");
  return o;
}

// -------------------------------------------------------------------------------------------- connections

// A socket that does not block, encrypted or not. read() and write() are those of the system, but for TLS, which may
// have to read before it can write: then write() fails with ENODATA, and so does read() when nothing has come.
class Wire {
 public:
  int fd = -1;

#ifdef LOAD_TLS
  void begin_tls() {
    static SSL_CTX *context = [] {
      SSL_CTX *made = SSL_CTX_new(TLS_client_method());
      SSL_CTX_set_min_proto_version(made, TLS1_2_VERSION);  // whose the certificate is does not matter here
      SSL_CTX_set_mode(made, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
      return made;
    }();
    tls_ = SSL_new(context);
    SSL_set_fd(tls_, fd);
    SSL_set_connect_state(tls_);
  }
  ssize_t read(char *to, size_t size) {
    if (!tls_) return recv(fd, to, size, 0);
    size_t taken = 0;
    for (int n; taken < size; taken += static_cast<size_t>(n))  // a record at a time
      if ((n = SSL_read(tls_, to + taken, static_cast<int>(size - taken))) <= 0) {
        if (taken) break;  // an error or the end comes again
        return failed(n);
      }
    return static_cast<ssize_t>(taken);
  }
  ssize_t write(const char *from, size_t size) {
    if (!tls_) return ::send(fd, from, size, MSG_NOSIGNAL);
    int n = SSL_write(tls_, from, static_cast<int>(std::min<size_t>(size, 1 << 30)));
    return n > 0 ? n : failed(n);
  }
  bool has_more() const { return tls_ && SSL_pending(tls_) > 0; }
  void end() {
    SSL_free(tls_);
    tls_ = nullptr;
    close(fd);
  }

 private:
  SSL *tls_ = nullptr;
  ssize_t failed(int n) {
    int why = SSL_get_error(tls_, n);
    if (why == SSL_ERROR_ZERO_RETURN) return 0;
    if (why == SSL_ERROR_WANT_WRITE) errno = EAGAIN;
    else if (why == SSL_ERROR_WANT_READ) errno = ENODATA;
    else if (why != SSL_ERROR_SYSCALL || !errno) errno = EPROTO;
    ERR_clear_error();
    return -1;
  }
#else
  void begin_tls() {}
  ssize_t read(char *to, size_t size) { return recv(fd, to, size, 0); }
  ssize_t write(const char *from, size_t size) { return ::send(fd, from, size, MSG_NOSIGNAL); }
  bool has_more() const { return false; }
  void end() { close(fd); }
#endif
};

// ---------------------------------------------------------------------------------------------- members

const unsigned PROBE = 4095;  // the talker number of the probes that tell that everybody is connected

const int COUNTED_FROM = 1000;  // native: in a channel with more members they are only counted

const uint32_t ANY = UINT32_MAX;  // in Member::next: whatever comes first is right

struct Member {
  int index = 0, fd = -1;
  Wire wire;
  bool in_clear = false;         // nats: INFO comes before TLS
  bool joined = false, closed = false, stuck = false, armed = false;
  std::string rest;              // the beginning of a message whose end has not come yet
  std::string out;               // bytes that the socket has not taken yet
  size_t out_begin = 0;
  long received = 0;             // messages since the beginning, without probes
  long probe = -1;               // the latest probe seen
  int probes = 0;                // so many of that number
  std::vector<uint32_t> next;    // the number that each talker's next message must have here
  // talking
  uint32_t said = 0;             // messages made
  long to_say = 0;               // still to make in this round
  // native only
  std::string channel;           // where it talks
  int step = 0;
  uint64_t seq = 0, since = 0;   // the latest event seen; the seq to catch up from
  uint64_t since_time = 0;       // the time of that event
  uint64_t first = 0, first_time = 0;  // the first event seen
  uint32_t people = 0;           // how many members the channel has, as far as this one knows
  std::string identity = std::string(16, '\0');  // of the history
  uint64_t message_id = 0;
  uint16_t new_port = 0;
  std::string ticket;
  long replayed = 0;
  std::string head;              // of a long text: its first 16 bytes, until its last part is here
  size_t text_size = 0;
};

struct Totals {
  long sent = 0, disorder = 0, others = 0;  // others: events that nobody said (joined, left)
  long lost_connections = 0;
  std::string complaint;                    // the first thing that was wrong
  int64_t record_from = INT64_MAX;          // latencies of messages due from then on are recorded
  Histogram latency;
  int64_t last_delivery = 0;
};

class Load;

// What differs between the servers. parse() takes whole messages from [p, end) and says where it stopped.
struct Protocol {
  virtual ~Protocol() {}
  virtual void begin(Load &load, Member &m) = 0;
  virtual const char *parse(Load &load, Member &m, const char *p, const char *end) = 0;
  virtual void say(Member &m, std::string &out, const std::string &text) = 0;
};

class Load {
 public:
  explicit Load(const Options &options);
  int run();

  void joined(Member &m);
  void send(Member &m);                      // what is in m.out, as far as the socket takes it
  void reconnect(Member &m, int port);       // native: from the lobby to the new port
  void take(Member &m, const char *text, size_t size);  // one delivery
  void wrong(Member &m, const char *what, uint64_t got, uint64_t wanted);

  Options options;
  Totals totals;
  int64_t arrival = 0;  // when the bytes that are being parsed were read

 private:
  void connect_to(Member &m, int port);
  void watch(Member &m, bool writable);
  void connect_all();
  void barrier();
  long probes(long number);
  void pump(int64_t until);
  void receive(Member &m);
  void lost(Member &m, const char *why);
  void talk_freely();
  void talk_in_time();
  void turn(int64_t until);
  size_t kind_of(unsigned talker, uint32_t number) const;
  long delivered() const;
  void make(Member &talker, int64_t due);
  long slowest() const;
  long in_flight() const;
  bool round(long messages, double *seconds);
  bool drain();
  void saturate();
  void sustain();
  void rate();
  void idle();
  void catch_up();
  void print(double wall, double server_cpu, double load_cpu, long deliveries);

  std::unique_ptr<Protocol> protocol_;
  std::vector<Member> members_;
  std::vector<Member *> talkers_;
  std::vector<char> buffer_;
  std::vector<std::string> texts_;      // one of each size
  std::vector<size_t> cycle_;           // indexes of texts_: the sizes of the messages, round and round
  long mean_size_ = 0;
  int epoll_ = -1;
  int next_to_connect_ = 0, connecting_ = 0, joined_count_ = 0;
  long goal_ = -1;           // deliveries that each receiver must have at the end of this round
  long done_ = 0;            // receivers that have them
  long slowest_ = 0;
  bool freely_ = false, timed_ = false;
  int64_t start_ = 0, interval_ = 0;
  long timed_messages_ = 0, timed_made_ = 0;
  double connect_seconds_ = 0, settled_seconds_ = 0, catch_up_seconds_ = -1;
  long rss_before_ = 0, rss_after_ = 0;
  std::string extra_;
};

// ---------------------------------------------------------------------------------------------- protocols

// Ours: chatroom/packets. Two connections: the lobby, where the name is asked for, and the admission port.
struct Native : Protocol {
  enum { HELLO = 1, USERNAME, STATUS, PORT, ADMIT, WELCOME, LIVE, SAY, ANSWER, COMMAND, INFO, PING, PONG, BYE };
  enum { CHANNEL = 0x0F, SAID = 0x20, COUNTED = 0x61, LAST_EVENT = 0x7F };
  enum { SIZE_AT = 6 };                          // in CHANNEL
  enum { EXACT = 1 };                            // in WELCOME: every event after `since` comes
  enum { IDENTITY_AT = 16, RESUMED_AT = 52 };    // in WELCOME
  enum { IN_LOBBY, PORT_TAKEN, ADMITTING, MEMBER };
  static const size_t header = 20, event_fixed = 28, text_part = 4096;

  static void packet(std::string &out, int kind, uint64_t id, const std::string &payload, int part = 0, int parts = 1) {
    const char first[4] = {static_cast<char>(0xC7), 2, static_cast<char>(kind), 0};
    out.append(first, 4);
    put32(out, static_cast<uint32_t>(payload.size()));
    put64(out, id);
    put16(out, static_cast<uint16_t>(part));
    put16(out, static_cast<uint16_t>(parts));
    out += payload;
  }
  static std::string name(const Member &m) { return "m" + std::to_string(m.index); }
  static std::string channel_name(int number) { return number ? "#bench-" + std::to_string(number + 1) : "#general"; }
  static std::string string8(const std::string &text) { return std::string(1, static_cast<char>(text.size())) + text; }

  void begin(Load &load, Member &m) override {
    if (m.step == IN_LOBBY) {
      packet(m.out, HELLO, 0, std::string("\x02") + string8("bench"));
      packet(m.out, USERNAME, 0, std::string(16, '\0') + string8(name(m)));
    } else {
      std::string payload = m.ticket;
      put64(payload, m.since);
      put64(payload, m.since_time);
      payload += m.identity;
      put16(payload, 0);  // lines
      const Options &o = load.options;
      payload += static_cast<char>(o.channels + o.idle);
      payload += string8(name(m));
      for (int row = 0; row < o.channels; row++) payload += string8(channel_name(o.channel_of(m.index, row)));
      for (int own = 0; own < o.idle; own++) payload += string8("#idle-" + std::to_string(m.index * o.idle + own));
      m.channel = channel_name(o.talks_in(m.index));
      packet(m.out, ADMIT, 0, payload);
    }
    load.send(m);
  }

  void say(Member &m, std::string &out, const std::string &text) override {
    static const char plain[3] = {0, 0, 0};  // form, bytes of extra
    m.message_id++;
    if (text.size() <= text_part) {  // the fast path: no temporary strings
      const char first[4] = {static_cast<char>(0xC7), 2, SAY, 0};
      out.append(first, 4);
      put32(out, static_cast<uint32_t>(1 + m.channel.size() + 3 + text.size()));
      put64(out, m.message_id);
      out.append("\0\0\0\1", 4);
      out += static_cast<char>(m.channel.size());
      out += m.channel;
      out.append(plain, 3);
      out += text;
      return;
    }
    int parts = static_cast<int>((text.size() + text_part - 1) / text_part);
    for (int part = 0; part < parts; part++)
      packet(out, SAY, m.message_id, string8(m.channel) + std::string(plain, 3) +
             text.substr(static_cast<size_t>(part) * text_part, text_part), part, parts);
  }

  const char *parse(Load &load, Member &m, const char *p, const char *end) override {
    while (static_cast<size_t>(end - p) >= header) {
      size_t size = header + be32(p + 4);
      if (static_cast<size_t>(end - p) < size) break;
      if (static_cast<unsigned char>(p[0]) != 0xC7) { load.wrong(m, "not a packet", static_cast<unsigned char>(p[0]), 0xC7); return end; }
      int kind = p[2];
      if (kind >= SAID && kind <= LAST_EVENT) event(load, m, p, size);
      else if (!control(load, m, kind, p, size)) return end;  // the socket is another one now
      p += size;
    }
    return p;
  }

  static void event(Load &load, Member &m, const char *p, size_t size) {
    const char *payload = p + header;
    unsigned part = be16(p + 16), parts = be16(p + 18);
    const char *text = payload + event_fixed + be16(payload + 24) + static_cast<unsigned char>(payload[26]) +
                       static_cast<unsigned char>(payload[27]);
    if (be64(payload) == 0) {  // a signal
      if (p[2] == COUNTED) m.people = static_cast<uint32_t>(atol(std::string(text, p + size).c_str()));
      return;
    }
    if (part == 0) {
      uint64_t seq = be64(payload);
      bool right = load.options.sees_all() ? seq == m.seq + 1 : seq > m.seq;
      if (!right && !(m.seq == 0 && m.since == 0)) load.wrong(m, "seq", seq, m.seq + 1);
      m.seq = seq;
      if (!m.first) { m.first = seq; m.first_time = be64(payload + 8); }
    }
    if (!m.joined) { if (part + 1 == parts) m.replayed++; return; }  // of the replay only seq is checked
    if (p[2] != SAID) { load.totals.others++; return; }
    if (parts == 1) { load.take(m, text, static_cast<size_t>(p + size - text)); return; }
    // A long text counts when its last part is here; its beginning and size are remembered until then.
    if (part == 0) { m.head.assign(text, 16); m.text_size = 0; }
    m.text_size += static_cast<size_t>(p + size - text);
    if (part + 1 == parts) load.take(m, m.head.data(), m.text_size);
  }

  bool control(Load &load, Member &m, int kind, const char *p, size_t size) {
    const char *payload = p + header;
    std::string reason = size > header + 3 ? std::string(payload + 3, size - header - 3) : "";
    switch (kind) {
      case STATUS:
        if (payload[0] == 1) die("member %d refused: %s", m.index, reason.c_str());
        if (payload[0] == 2) { m.step = ADMITTING; load.reconnect(m, m.new_port); return false; }
        return true;
      case PORT:
        m.new_port = be16(payload);
        m.ticket.assign(payload + 2, 16);
        packet(m.out, STATUS, 0, std::string("\0\0\0", 3));
        packet(m.out, STATUS, 0, std::string("\2\0\0", 3));
        m.step = PORT_TAKEN;
        load.send(m);
        return true;
      case WELCOME:
        m.seq = m.since;
        m.identity.assign(payload + IDENTITY_AT, 16);
        if (m.since && payload[RESUMED_AT] != EXACT)
          load.wrong(m, "resumed", static_cast<unsigned char>(payload[RESUMED_AT]), EXACT);
        return true;
      case LIVE:
        if (m.since && be64(payload) != m.seq) load.wrong(m, "end of replay", m.seq, be64(payload));
        m.seq = be64(payload);
        m.step = MEMBER;
        load.joined(m);
        return true;
      case CHANNEL:
        m.people = be32(payload + SIZE_AT);
        return true;
      case PING:
        packet(m.out, PONG, be64(p + 8), "");
        load.send(m);
        return true;
      case BYE:
        load.totals.complaint += "BYE: " + reason + "; ";
        return true;
      case ANSWER:  // it says no commands: a line was refused
        if (load.totals.complaint.size() < 200) load.totals.complaint += "ANSWER: code " + std::to_string(be16(payload)) + "; ";
        return true;
      default:
        return true;  // REPLAY, INFO, PONG
    }
  }
};

// Boost.Asio's chat example: four ASCII digits, then the body.
struct AsioChat : Protocol {
  void begin(Load &load, Member &m) override { load.joined(m); }
  void say(Member &, std::string &out, const std::string &text) override {
    char digits[16];
    snprintf(digits, sizeof digits, "%4zu", text.size());
    out.append(digits, 4);
    out += text;
  }
  const char *parse(Load &load, Member &m, const char *p, const char *end) override {
    while (end - p >= 4) {
      long size = 0;
      for (int i = 0; i < 4; i++) if (p[i] != ' ') size = size * 10 + (p[i] - '0');
      if (end - p < 4 + size) break;
      load.take(m, p + 4, static_cast<size_t>(size));
      p += 4 + size;
    }
    return p;
  }
};

// NATS: every member subscribes to one subject; talkers publish to it and get their own messages, too.
struct Nats : Protocol {
  void begin(Load &load, Member &m) override {
    m.out += "CONNECT {\"verbose\":false,\"pedantic\":false}\r\nSUB room 1\r\nPING\r\n";
    load.send(m);
  }
  void say(Member &, std::string &out, const std::string &text) override {
    out += "PUB room ";
    out += std::to_string(text.size());
    out += "\r\n";
    out += text;
    out += "\r\n";
  }
  const char *parse(Load &load, Member &m, const char *p, const char *end) override {
    while (p < end) {
      const char *line = static_cast<const char *>(memchr(p, '\n', static_cast<size_t>(end - p)));
      if (!line) break;
      if (*p == 'M') {  // MSG subject sid size
        const char *digit = line - 1;  // the \r
        while (digit[-1] != ' ') digit--;
        size_t size = 0;
        for (; *digit != '\r'; digit++) size = size * 10 + static_cast<size_t>(*digit - '0');
        if (static_cast<size_t>(end - line) < 1 + size + 2) break;
        load.take(m, line + 1, size);
        p = line + 1 + size + 2;
        continue;
      }
      std::string word(p, static_cast<size_t>(line - p));
      if (!word.compare(0, 4, "PING")) { m.out += "PONG\r\n"; load.send(m); }
      else if (!word.compare(0, 4, "PONG") && !m.joined) load.joined(m);
      else if (!word.compare(0, 4, "-ERR")) load.totals.complaint += word + "; ";
      p = line + 1;
    }
    return p;
  }
};

// The tutorial server: a line is a message.
struct Lines : Protocol {
  void begin(Load &load, Member &m) override { load.joined(m); }
  void say(Member &, std::string &out, const std::string &text) override { (out += text) += '\n'; }
  const char *parse(Load &load, Member &m, const char *p, const char *end) override {
    while (const char *line = static_cast<const char *>(memchr(p, '\n', static_cast<size_t>(end - p)))) {
      load.take(m, p, static_cast<size_t>(line - p));
      p = line + 1;
    }
    return p;
  }
};

// The blasting program: sends so many premade native events to everybody as it is asked for with a number.
struct Blast : Protocol {
  void begin(Load &load, Member &m) override { load.joined(m); }
  void say(Member &, std::string &, const std::string &) override {}
  const char *parse(Load &, Member &m, const char *p, const char *end) override {
    while (static_cast<size_t>(end - p) >= Native::header) {
      size_t size = Native::header + be32(p + 4);
      if (static_cast<size_t>(end - p) < size) break;
      m.received++;
      p += size;
    }
    return p;
  }
};

// ------------------------------------------------------------------------------------------ the event loop

Load::Load(const Options &o) : options(o), members_(static_cast<size_t>(o.members + o.stuck)) {
  if (o.protocol == "native" || o.protocol == "twin") protocol_.reset(new Native);  // but the twin counts no channel
  else if (o.protocol == "asio") protocol_.reset(new AsioChat);
  else if (o.protocol == "nats") protocol_.reset(new Nats);
  else if (o.protocol == "lines") protocol_.reset(new Lines);
  else if (o.protocol == "blast") protocol_.reset(new Blast);
  else die("unknown protocol %s", o.protocol.c_str());
  buffer_.resize(static_cast<size_t>(o.read) + 128 * 1024);
  for (size_t size : o.sizes) {
    size_t index = 0;
    while (index < texts_.size() && texts_[index].size() != size) index++;
    if (index == texts_.size()) {
      texts_.emplace_back(size, 'x');
      if (size > 15) texts_.back()[15] = ' ';
    }
    cycle_.push_back(index);
    mean_size_ += static_cast<long>(size);
  }
  mean_size_ /= static_cast<long>(o.sizes.size());
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  for (int i = 0; i < o.members + o.stuck; i++) {
    Member &m = members_[static_cast<size_t>(i)];
    m.index = i;
    m.stuck = i >= o.members;
    m.next.resize(static_cast<size_t>(o.talkers));
    m.message_id = static_cast<uint64_t>(i + 1) << 32;
    if (i < o.talkers) talkers_.push_back(&m);
  }
}

void Load::wrong(Member &m, const char *what, uint64_t got, uint64_t wanted) {
  totals.disorder++;
  if (totals.complaint.size() > 200) return;
  char text[120];
  snprintf(text, sizeof text, "member %d: %s is %llu, should be %llu; ", m.index, what,
           static_cast<unsigned long long>(got), static_cast<unsigned long long>(wanted));
  totals.complaint += text;
}

// Which of the texts_ a message has.
inline size_t Load::kind_of(unsigned talker, uint32_t number) const {
  if (cycle_.size() == 1) return 0;  // saves a division for each delivery
  return cycle_[(number + size_t{37} * talker) % cycle_.size()];
}

inline void Load::take(Member &m, const char *text, size_t size) {
  unsigned talker = size >= 16 ? static_cast<unsigned>(read6(text, 2)) : 0;
  uint32_t number = size >= 16 ? static_cast<uint32_t>(read6(text + 2, 5)) : 0;
  if (talker == PROBE) { m.probes = m.probe == number ? m.probes + 1 : 1; m.probe = number; return; }
  if (talker >= m.next.size()) { wrong(m, "talker", talker, m.next.size()); return; }
  size_t wanted = texts_[kind_of(talker, number)].size();
  if (size != wanted) { wrong(m, "size", size, wanted); return; }
  if (number != m.next[talker] && m.next[talker] != ANY) wrong(m, "message number", number, m.next[talker]);
  m.next[talker] = number + 1;
  m.received++;
  if (totals.record_from != INT64_MAX) {
    int64_t due = static_cast<int64_t>(read6(text + 7, 8));
    if (due >= totals.record_from && !m.since) totals.latency.add(arrival - due);  // since: it has just caught up
  }
}

void Load::connect_to(Member &m, int port) {
  m.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (m.fd < 0) die("socket for member %d: %s", m.index, strerror(errno));
  int on = 1;
  setsockopt(m.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(m.fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  // Eight source addresses: one has 28,000 ports only, and the server's admission ports take from 127.0.0.1's.
  address.sin_addr.s_addr = htonl(0x7F000002u + static_cast<uint32_t>(m.index % 8));
  if (bind(m.fd, reinterpret_cast<sockaddr *>(&address), sizeof address)) die("bind: %s", strerror(errno));
  address.sin_port = htons(static_cast<uint16_t>(port));
  inet_pton(AF_INET, options.host.c_str(), &address.sin_addr);
  if (connect(m.fd, reinterpret_cast<sockaddr *>(&address), sizeof address) && errno != EINPROGRESS)
    die("connect to port %d: %s", port, strerror(errno));
  m.wire.fd = m.fd;
  m.in_clear = options.tls && options.protocol == "nats";
  if (options.tls && !m.in_clear) m.wire.begin_tls();
  epoll_event event = {};
  event.events = EPOLLIN | EPOLLOUT;
  event.data.ptr = &m;
  m.armed = true;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, m.fd, &event)) die("epoll: %s", strerror(errno));
}

void Load::reconnect(Member &m, int port) {
  m.rest.clear();
  if (port != 0) {  // 0: stay on this connection
    m.wire.end();
    m.out.clear();
    m.out_begin = 0;
    connect_to(m, port);
  }
  protocol_->begin(*this, m);
}

void Load::watch(Member &m, bool writable) {
  if (m.armed == writable || m.closed) return;
  epoll_event event = {};
  event.events = EPOLLIN | (writable ? static_cast<uint32_t>(EPOLLOUT) : 0);
  event.data.ptr = &m;
  epoll_ctl(epoll_, EPOLL_CTL_MOD, m.fd, &event);
  m.armed = writable;
}

void Load::send(Member &m) {
  if (m.in_clear) { watch(m, false); return; }
  while (m.out_begin < m.out.size() && !m.closed) {
    ssize_t n = m.wire.write(m.out.data() + m.out_begin, m.out.size() - m.out_begin);
    if (n < 0) {
      if (errno == ENODATA) { watch(m, false); return; }  // receive() tries again
      if (errno == EAGAIN || errno == EINPROGRESS || errno == ENOTCONN) { watch(m, true); return; }
      lost(m, strerror(errno));
      return;
    }
    m.out_begin += static_cast<size_t>(n);
  }
  m.out.clear();
  m.out_begin = 0;
  watch(m, false);
}

void Load::lost(Member &m, const char *why) {
  if (m.closed) return;
  m.closed = true;
  if (!m.stuck) {
    totals.lost_connections++;
    if (totals.complaint.size() < 200) totals.complaint += "member " + std::to_string(m.index) + " lost: " + why + "; ";
  }
  m.wire.end();
}

void Load::joined(Member &m) {
  m.joined = true;
  joined_count_++;
  connecting_--;
  if (m.stuck) epoll_ctl(epoll_, EPOLL_CTL_DEL, m.fd, nullptr);  // connected, and never read from here on
}

void Load::receive(Member &m) {
  char *begin = buffer_.data();
  size_t kept = m.rest.size();
  if (kept) memcpy(begin, m.rest.data(), kept);
  ssize_t n = m.wire.read(begin + kept, static_cast<size_t>(options.read));
  if (n <= 0) {
    if (n == 0 || (errno != EAGAIN && errno != ENODATA && errno != EINTR)) {
      if (!m.joined && !m.stuck) die("member %d: connection ended in the handshake (step %d)", m.index, m.step);
      lost(m, n ? strerror(errno) : "closed by the server");
    } else if (options.tls && !m.out.empty()) send(m);  // the handshake of TLS may be over now
    return;
  }
  if (m.in_clear) {
    m.in_clear = false;
    m.wire.begin_tls();
    send(m);
    return;
  }
  arrival = now_ns();
  int fd = m.fd;
  long before = m.received;
  const char *end = begin + kept + n;
  const char *stop = protocol_->parse(*this, m, begin, end);
  if (fd == m.fd) {
    if (kept || stop != end) m.rest.assign(stop, static_cast<size_t>(end - stop));
  }
  if (m.received != before) totals.last_delivery = arrival;
  if (m.received >= goal_ && before < goal_) done_++;
  if (fd == m.fd && m.wire.has_more() && !m.closed) receive(m);  // the socket would not say so
}

// Wait for what the sockets bring, `until` at the longest, and handle it.
void Load::pump(int64_t until) {
  static epoll_event events[512];
  if (timed_) until = std::min(until, start_ + timed_made_ * interval_);
  int64_t wait = std::max<int64_t>(0, until - now_ns());
  timespec timeout = {wait / 1000000000, wait % 1000000000};
  int n = epoll_pwait2(epoll_, events, 512, &timeout, nullptr);
  for (int i = 0; i < n; i++) {
    Member &m = *static_cast<Member *>(events[i].data.ptr);
    if (m.closed) continue;
    if (events[i].events & EPOLLOUT) send(m);
    if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
      if (!m.closed) receive(m);
    }
    if (timed_ && now_ns() >= start_ + timed_made_ * interval_) talk_in_time();
  }
  if (timed_) talk_in_time();
}

void Load::connect_all() {
  int64_t begin = now_ns(), patience = begin + static_cast<int64_t>(options.patience * 1e9);
  int last = 0;
  while (joined_count_ < static_cast<int>(members_.size())) {
    while (connecting_ < options.parallel && next_to_connect_ < static_cast<int>(members_.size())) {
      Member &m = members_[static_cast<size_t>(next_to_connect_++)];
      if (options.mode == "catchup" && m.index == options.members - 1) { joined_count_++; continue; }  // comes later
      connecting_++;
      connect_to(m, options.port);
      protocol_->begin(*this, m);
    }
    pump(now_ns() + 100000000);
    if (joined_count_ != last) patience = now_ns() + static_cast<int64_t>(options.patience * 1e9);
    last = joined_count_;
    if (now_ns() > patience) die("only %d of %zu members got in", joined_count_, members_.size());
  }
  connect_seconds_ = static_cast<double>(now_ns() - begin) / 1e9;
  barrier();
  settled_seconds_ = static_cast<double>(now_ns() - begin) / 1e9;
}

// One member says probes until everybody has seen the same: then all are connected and nothing is under way.
// Their seqs have no gap, so each has heard of all who came after it. A counted channel says only how many are
// in; then everybody must know that, too. With --spread one talker of each channel says them: the first ones.
void Load::barrier() {
  if (options.protocol == "blast") {  // it tells that it has everybody by one message to each
    goal_ = 1;
    if (!drain()) die("the blasting program did not begin");
    for (Member &m : members_) m.received = 0;
    return;
  }
  int64_t patience = now_ns() + static_cast<int64_t>(options.patience * 1e9);
  for (long number = 0;; number++) {
    std::string text = texts_[0];
    text.resize(std::min<size_t>(text.size(), 64));
    write6(&text[0], 2, PROBE);
    write6(&text[2], 5, static_cast<uint64_t>(number));
    for (int i = 0; i < std::max(1, options.channels * options.spread); i++) {
      Member &m = members_[static_cast<size_t>(i)];
      protocol_->say(m, m.out, text);
      send(m);
    }
    int64_t again = now_ns() + 2000000000;
    while (probes(number) && now_ns() < again) pump(now_ns() + 50000000);
    long behind = probes(number);
    if (!behind) return;
    if (now_ns() > patience) die("%ld members do not get what is said", behind);
  }
}

long Load::probes(long number) {
  long behind = 0;
  bool counted = options.protocol == "native" && joined_count_ > COUNTED_FROM;
  for (Member &m : members_)
    behind += !m.stuck && m.fd >= 0 && (m.probe < number || m.probes < (options.spread ? options.channels : 1) ||
                                        (counted && m.people != static_cast<uint32_t>(joined_count_)));
  return behind;
}

// ------------------------------------------------------------------------------------------------- talking

void Load::make(Member &talker, int64_t due) {
  std::string &text = texts_[kind_of(static_cast<unsigned>(talker.index), talker.said)];
  write6(&text[0], 2, static_cast<uint64_t>(talker.index));
  write6(&text[2], 5, talker.said++);
  write6(&text[7], 8, static_cast<uint64_t>(due));
  protocol_->say(talker, talker.out, text);
  totals.sent++;
}

// How many messages the slowest member has. With --spread it is their mean: one that has few may hear those who are
// still to talk, and would keep them from it.
long Load::slowest() const {
  if (options.spread) return delivered() / (options.members / options.spread);
  long least = INT64_MAX;
  for (const Member &m : members_)
    if (!m.stuck && m.fd >= 0 && !m.closed) least = std::min(least, m.received);
  return least;
}

// Messages that may be under way at once: bounds the memory of servers that queue whatever they are given.
long Load::in_flight() const {
  long most = std::min<long>(options.window / options.members, 16 * 1024 * 1024 / mean_size_) * options.row_size();
  return std::max<long>(most, options.talkers * 2);
}

// Every talker whose socket took all gets the next 64 KiB, as long as not too much is in flight.
void Load::talk_freely() {
  long window = in_flight();
  for (Member *talker : talkers_) {
    if (!talker->out.empty() || !talker->to_say || talker->closed) continue;
    if (totals.sent - slowest_ >= window && totals.sent - (slowest_ = slowest()) >= window) return;
    int64_t now = now_ns();
    long room = std::max<long>(1, (window - (totals.sent - slowest_)) / static_cast<long>(talkers_.size()));
    for (; talker->to_say && room && talker->out.size() < 65536; talker->to_say--, room--) make(*talker, now);
    send(*talker);
  }
}

// Open loop: what is due is sent, and its time is when it was due, however late we are.
void Load::talk_in_time() {
  for (int64_t now = now_ns(); timed_made_ < timed_messages_ && now >= start_ + timed_made_ * interval_; timed_made_++) {
    Member &talker = *talkers_[static_cast<size_t>(timed_made_) % talkers_.size()];
    if (talker.closed) continue;
    make(talker, start_ + timed_made_ * interval_);
    send(talker);
  }
  if (timed_made_ >= timed_messages_) timed_ = false;
}

// Talk as far as there is room, and handle what the sockets bring.
void Load::turn(int64_t until) {
  bool ready = false;
  if (freely_) {
    talk_freely();
    for (Member *t : talkers_) ready |= t->to_say && t->out.empty() && totals.sent - slowest_ < in_flight();
  }
  pump(ready ? 0 : until);
}

long Load::delivered() const {
  long sum = 0;
  for (const Member &m : members_) sum += m.received;
  return sum;
}

// Until every receiver has goal_ messages. False when nothing came for `patience`.
bool Load::drain() {
  done_ = 0;
  long receivers = 0;
  for (Member &m : members_)
    if (!m.stuck && m.fd >= 0) { receivers++; done_ += m.received >= goal_; }
  long seen = -1;
  int64_t patience = 0;
  const int64_t wait = std::min<int64_t>(100000000, static_cast<int64_t>(options.patience / 64 * 1e9));
  for (long turns = 0; done_ < receivers; turns++) {
    turn(now_ns() + wait);
    if (turns % 64) continue;
    long sum = delivered();
    if (sum != seen) patience = now_ns() + static_cast<int64_t>(options.patience * 1e9);
    seen = sum;
    if (now_ns() > patience || totals.lost_connections == receivers) return false;
  }
  return true;
}

// So many messages, shared out among the talkers, until the last receiver has the last of them.
bool Load::round(long messages, double *seconds) {
  long base = goal_ < 0 ? 0 : goal_;
  goal_ = base + messages / options.row_size();
  int64_t begin = now_ns();
  if (options.protocol == "blast") {
    uint64_t wanted = htobe64(static_cast<uint64_t>(messages));
    members_[0].out.assign(reinterpret_cast<char *>(&wanted), 8);
    totals.sent += messages;
    send(members_[0]);
  } else {
    long each = messages / static_cast<long>(talkers_.size()), odd = messages % static_cast<long>(talkers_.size());
    for (Member *t : talkers_) t->to_say = each + (t->index < odd);
    freely_ = true;
  }
  bool complete = drain();
  freely_ = false;
  *seconds = static_cast<double>((complete ? totals.last_delivery : now_ns()) - begin) / 1e9;
  return complete;
}

// ------------------------------------------------------------------------------------------------- the modes

// How many messages the measured round has is found by rounds that grow until one takes about the wanted time and
// is hardly faster than the one before: some servers are many times faster when more is under way, and a guess
// from a short round would do them wrong.
void Load::saturate() {
  connect_all();
  goal_ = 0;
  long messages = options.messages ? options.messages : std::max<long>(options.talkers, 3200000 / mean_size_ / options.members * options.row_size());
  for (double speed_before = 0;;) {
    if (options.spread) messages += (options.talkers - messages % options.talkers) % options.talkers;  // each as many
    double seconds, server_cpu = options.server.cpu_seconds(), load_cpu = own_cpu_seconds();
    bool complete = round(messages, &seconds);
    double speed = static_cast<double>(messages) / seconds, factor = options.seconds / seconds;
    bool settled = factor < 1 / 0.7 && speed < 1.2 * speed_before;
    if (!complete || options.messages || settled || factor < 1 / 4.0) {
      print(seconds, options.server.cpu_seconds() - server_cpu, own_cpu_seconds() - load_cpu,
            messages * options.members / options.row_size());
      return;
    }
    messages = static_cast<long>(static_cast<double>(messages) * std::min(8.0, std::max(1.5, factor))) + 1;
    speed_before = speed;
  }
}

// Talkers go on for `seconds`, however many messages that are. The rates of the parts tell whether the server keeps
// its speed while its history grows; the memory is that of the beginning and of the end.
void Load::sustain() {
  connect_all();
  rss_before_ = options.server.kib("VmRSS:");
  goal_ = LONG_MAX;  // nobody has it before the end
  for (Member *t : talkers_) t->to_say = LONG_MAX;
  freely_ = true;
  double server_cpu = options.server.cpu_seconds(), load_cpu = own_cpu_seconds();
  int64_t begin = now_ns(), part = static_cast<int64_t>(options.seconds / options.steps * 1e9), from = begin;
  for (int step = 1; step <= options.steps; step++) {
    long before = delivered();
    while (now_ns() < begin + step * part) turn(std::min(begin + step * part, now_ns() + 100000000));
    int64_t now = now_ns();
    double rate = static_cast<double>(delivered() - before) * 1e9 / static_cast<double>(now - from);
    extra_ += (step == 1 ? ",\"rates\":[" : ",") + std::to_string(rate);
    from = now;
  }
  extra_ += "]";
  freely_ = false;
  goal_ = totals.sent;
  bool complete = drain();
  rss_after_ = options.server.kib("VmRSS:");
  double wall = static_cast<double>((complete ? totals.last_delivery : now_ns()) - begin) / 1e9;
  print(wall, options.server.cpu_seconds() - server_cpu, own_cpu_seconds() - load_cpu, goal_ * options.members);
}

void Load::rate() {
  connect_all();
  goal_ = 0;
  interval_ = static_cast<int64_t>(1e9 / options.rate);
  long warm = static_cast<long>(options.warmup * options.rate);
  timed_messages_ = warm + static_cast<long>(options.seconds * options.rate);
  start_ = now_ns() + 10000000;
  totals.record_from = start_ + warm * interval_;
  timed_ = true;
  double server_cpu = options.server.cpu_seconds(), load_cpu = own_cpu_seconds();
  goal_ = timed_messages_;
  drain();
  print(static_cast<double>(totals.last_delivery - start_) / 1e9, options.server.cpu_seconds() - server_cpu,
        own_cpu_seconds() - load_cpu, totals.sent * options.members);
}

void Load::idle() {
  rss_before_ = options.server.kib("VmRSS:");
  connect_all();
  for (int64_t end = now_ns() + static_cast<int64_t>(options.settle * 1e9); now_ns() < end;) pump(end);
  rss_after_ = options.server.kib("VmRSS:");
  double server_cpu = options.server.cpu_seconds(), load_cpu = own_cpu_seconds();
  int64_t begin = now_ns();
  for (int64_t end = begin + static_cast<int64_t>(options.seconds * 1e9); now_ns() < end;) pump(end);
  double wall = static_cast<double>(now_ns() - begin) / 1e9;
  server_cpu = options.server.cpu_seconds() - server_cpu;
  load_cpu = own_cpu_seconds() - load_cpu;
  goal_ = 0;  // one last message shows that all are still there
  double unused;
  if (options.protocol != "blast") round(1, &unused);
  print(wall, server_cpu, load_cpu, 0);
}

// The history is filled by the talkers, or (--since) was there before the server; then the last member asks for all
// of it while they talk on in time.
void Load::catch_up() {
  connect_all();
  goal_ = 0;
  double seconds = 0;
  if (!options.since) round(options.messages, &seconds);
  Member &late = members_[static_cast<size_t>(options.members - 1)];
  double server_cpu = options.server.cpu_seconds(), load_cpu = own_cpu_seconds();
  long made = totals.sent;
  interval_ = static_cast<int64_t>(1e9 / options.rate);
  start_ = now_ns();
  totals.record_from = start_;
  timed_messages_ = 1000000000;
  timed_ = true;
  late.since = options.since ? options.since : members_[0].first;
  late.since_time = options.since ? options.since_time : members_[0].first_time;
  late.identity = members_[0].identity;
  late.next.assign(late.next.size(), ANY);
  int64_t begin = now_ns(), patience = begin + static_cast<int64_t>(6 * options.patience * 1e9);
  connecting_++;
  connect_to(late, options.port);
  protocol_->begin(*this, late);
  // What it sees live are its messages from then on: its counters begin with the first one.
  while (!late.joined && now_ns() < patience) pump(patience);
  if (!late.joined) die("catching up did not end: %ld events", late.replayed);
  catch_up_seconds_ = static_cast<double>(now_ns() - begin) / 1e9;
  timed_messages_ = timed_made_;
  timed_ = false;
  long replayed = late.replayed;
  // Its seqs rose by one all the way; what the others have, it has when it stands at the same seq.
  goal_ = totals.sent;
  late.received = goal_;
  drain();
  Member &other = members_[0];
  for (int64_t end = now_ns() + 5000000000; late.seq != other.seq && now_ns() < end;) pump(now_ns() + 10000000);
  if (late.seq != other.seq) wrong(late, "seq at the end", late.seq, other.seq);
  late.received = goal_;
  extra_ = ",\"replayed\":" + std::to_string(replayed) + ",\"fill_seconds\":" + std::to_string(seconds);
  print(catch_up_seconds_, options.server.cpu_seconds() - server_cpu, own_cpu_seconds() - load_cpu,
        (totals.sent - made) * (options.members - 1));
}

void Load::print(double wall, double server_cpu, double load_cpu, long deliveries) {
  long missing = 0;
  for (Member &m : members_)
    if (!m.stuck && goal_ > 0) missing += std::labs(goal_ - m.received);
  if (options.protocol != "blast" && options.mode != "catchup")
    for (Member &m : members_)  // the last message of each talker
      if (!m.stuck)
        for (Member *t : talkers_)
          if (m.next[static_cast<size_t>(t->index)] != (options.hears(m.index, t->index) ? t->said : 0)) missing++;
  std::string complaint;
  for (char c : totals.complaint) complaint += c == '"' || c == '\\' || c < ' ' ? '\'' : c;
  printf("{\"seconds\":%.6f,\"sent\":%ld,\"deliveries\":%ld,\"missing\":%ld,\"disorder\":%ld,\"lost\":%ld,"
         "\"complaint\":\"%s\",\"server_cpu\":%.3f,\"load_cpu\":%.3f,\"connect_seconds\":%.4f,"
         "\"settled_seconds\":%.4f,\"rss_before\":%ld,\"rss_after\":%ld,\"rss_peak\":%ld,\"other_events\":%ld",
         wall, totals.sent, deliveries, missing, totals.disorder, totals.lost_connections, complaint.c_str(),
         server_cpu, load_cpu, connect_seconds_, settled_seconds_, rss_before_, rss_after_,
         options.server.kib("VmHWM:"), totals.others);
  if (totals.latency.total)
    printf(",\"latency\":{\"count\":%llu,\"median\":%.7f,\"p99\":%.7f,\"p999\":%.7f,\"max\":%.7f}",
           static_cast<unsigned long long>(totals.latency.total), totals.latency.at(0.5), totals.latency.at(0.99),
           totals.latency.at(0.999), static_cast<double>(totals.latency.longest) / 1e9);
  printf("%s}\n", extra_.c_str());
}

int Load::run() {
  if (options.mode == "saturate") saturate();
  else if (options.mode == "sustain") sustain();
  else if (options.mode == "rate") rate();
  else if (options.mode == "idle") idle();
  else if (options.mode == "catchup") catch_up();
  else die("unknown mode %s", options.mode.c_str());
  return 0;
}

}  // namespace

int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  prctl(PR_SET_TIMERSLACK, 1UL);
  rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  Load load(parse(argc, argv));
  return load.run();
}
