// Loads a server: listens as its sink, sends framed records to its source, measures. The sender is
// a process of its own, the receiver this one; both share the send times.
//
//   load FRAMES_FILE PASSES RATE OUTPUT_FRAMING OUTPUTS_FILE [CLIENTS SINKS]
//
// With CLIENTS, which divides PASSES, so many senders connect and share the passes out; the server
// has SINKS connections, one of each worker. Only at rate 0.
// FRAMES_FILE is sent PASSES times, at RATE records per second (0: as fast as it goes).
// OUTPUT_FRAMING is `newline` or a fixed number of bytes per output; OUTPUTS_FILE tells how many
// outputs each frame has, one unsigned 32-bit integer (native) per frame. Prints "sink PORT", reads
// the PORT of the source from standard input, sends, waits for every output, then prints
// "load_cpu_s S", what sender and receiver used of processors, "records_per_s N", and, at a rate,
// "p50_us", "p99_us" and "max_us" from frame written to its last output read, of the frames that
// have one.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

std::int64_t now_ns() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1'000'000'000LL + t.tv_nsec;
}

// That this process, or those which it has waited for, had a processor.
double cpu_s(int whose) {
  rusage used{};
  getrusage(whose, &used);
  const timeval &own = used.ru_utime, &system = used.ru_stime;
  return static_cast<double>(own.tv_sec + system.tv_sec) +
         static_cast<double>(own.tv_usec + system.tv_usec) / 1e6;
}

sockaddr_in loopback(int port) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(static_cast<std::uint16_t>(port));
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return at;
}

struct Job {
  std::string frames;
  std::vector<std::size_t> ends;  // of each frame in `frames`
  std::size_t passes = 1, clients = 1, sinks = 1;
  double rate = 0;
  std::size_t output_bytes = 0;      // 0: newline
  std::vector<std::size_t> outputs;  // after each frame of a pass, counted from the pass's start
  std::int64_t* sent_ns = nullptr;   // shared, per record, when paced

  bool has_output(std::size_t frame) const {
    return outputs[frame] > (frame == 0 ? 0 : outputs[frame - 1]);
  }
};

void send_all(int fd, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t n = send(fd, data, size, MSG_NOSIGNAL);
    if (n < 0) die("send");
    data += n;
    size -= static_cast<std::size_t>(n);
  }
}

void send_fast(int fd, const Job& job) {
  for (std::size_t i = 0; i < job.passes / job.clients; ++i)
    send_all(fd, job.frames.data(), job.frames.size());
}

// Frames that are due are written together, about every 100 microseconds.
void send_paced(int fd, const Job& job) {
  const std::size_t per_pass = job.ends.size(), total = per_pass * job.passes;
  const std::int64_t start = now_ns();
  for (std::size_t done = 0; done < total;) {
    const auto elapsed = static_cast<double>(now_ns() - start);
    std::size_t due = std::min(total, static_cast<std::size_t>(elapsed * job.rate / 1e9) + 1);
    due = std::min(due, (done / per_pass + 1) * per_pass);
    if (due > done) {
      const std::size_t first = done % per_pass, last = (due - 1) % per_pass;
      const std::size_t from = first == 0 ? 0 : job.ends[first - 1];
      const std::int64_t now = now_ns();
      for (std::size_t i = done; i < due; ++i) job.sent_ns[i] = now;
      send_all(fd, job.frames.data() + from, job.ends[last] - from);
      done = due;
    }
    timespec pause{0, 100'000};
    nanosleep(&pause, nullptr);
  }
}

void sender(const Job& job, int port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in at = loopback(port);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) die("connect");
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (job.rate > 0)
    send_paced(fd, job);
  else
    send_fast(fd, job);
  close(fd);
}

// A connection that outputs arrive at.
struct Sink {
  int fd = -1;
  std::size_t partial = 0;  // bytes of an output

  // Outputs that one read completes.
  std::size_t read_some(std::vector<char>& buffer, std::size_t output_bytes) {
    const ssize_t n = read(fd, buffer.data(), buffer.size());
    if (n <= 0) die("read from the server");
    if (output_bytes == 0)
      return static_cast<std::size_t>(std::count(buffer.data(), buffer.data() + n, '\n'));
    const std::size_t bytes = partial + static_cast<std::size_t>(n);
    partial = bytes % output_bytes;
    return bytes / output_bytes;
  }
};

// Outputs that arrived at any of several connections; waits for some.
std::size_t read_any(std::vector<Sink>& sinks, std::vector<char>& buffer, const Job& job) {
  if (sinks.size() == 1) return sinks.front().read_some(buffer, job.output_bytes);
  std::vector<pollfd> waiting;
  for (const Sink& sink : sinks) waiting.push_back({.fd = sink.fd, .events = POLLIN, .revents = 0});
  if (poll(waiting.data(), waiting.size(), -1) < 0) die("poll");
  std::size_t outputs = 0;
  for (std::size_t i = 0; i < sinks.size(); ++i)
    if (waiting[i].revents != 0) outputs += sinks[i].read_some(buffer, job.output_bytes);
  return outputs;
}

// Returns the time of the last output; when paced, each record's time becomes its latency.
std::int64_t receive(std::vector<Sink>& sinks, const Job& job) {
  std::vector<char> buffer(256 << 10);
  std::size_t outputs = 0, records = 0;
  const std::size_t per_pass = job.outputs.back(), frames = job.ends.size();
  while (outputs < per_pass * job.passes) {
    outputs += read_any(sinks, buffer, job);
    if (job.rate <= 0) continue;
    const std::int64_t now = now_ns();
    for (; records < frames * job.passes &&
           records / frames * per_pass + job.outputs[records % frames] <= outputs;
         ++records)
      job.sent_ns[records] = now - job.sent_ns[records];
  }
  return now_ns();
}

Job read_job(int argc, char** argv) {
  Job job;
  if (argc == 8) {
    job.clients = std::strtoull(argv[6], nullptr, 10);
    job.sinks = std::strtoull(argv[7], nullptr, 10);
  }
  std::ifstream file(argv[1], std::ios::binary);
  job.frames.assign((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  for (std::size_t at = 0; at + 4 <= job.frames.size();) {
    std::uint32_t size = 0;
    std::memcpy(&size, job.frames.data() + at, 4);
    at += 4 + ntohl(size);
    job.ends.push_back(at);
  }
  job.passes = std::strtoull(argv[2], nullptr, 10);
  job.rate = std::atof(argv[3]);
  job.output_bytes = std::strcmp(argv[4], "newline") == 0 ? 0 : std::strtoull(argv[4], nullptr, 10);
  std::ifstream counts(argv[5], std::ios::binary);
  std::size_t outputs = 0;
  for (std::uint32_t count = 0; counts.read(reinterpret_cast<char*>(&count), sizeof count);)
    job.outputs.push_back(outputs += count);
  if (job.ends.empty() || job.outputs.size() != job.ends.size()) {
    std::fputs("every frame needs a number of outputs\n", stderr);
    std::exit(2);
  }
  if (job.rate <= 0) return job;
  // All of it is there before the first record: a receiver that stops for more measures itself.
  void* memory = mmap(nullptr, job.ends.size() * job.passes * sizeof(std::int64_t),
                      PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) die("mmap");
  job.sent_ns = static_cast<std::int64_t*>(memory);
  return job;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6 && argc != 8) return 2;
  const Job job = read_job(argc, argv);
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at = loopback(0);
  socklen_t size = sizeof at;
  if (bind(listener, reinterpret_cast<sockaddr*>(&at), size) != 0 || listen(listener, 16) != 0)
    die("listen");
  getsockname(listener, reinterpret_cast<sockaddr*>(&at), &size);
  std::printf("sink %d\n", ntohs(at.sin_port));
  std::fflush(stdout);
  std::vector<Sink> sinks(job.sinks);
  for (Sink& sink : sinks)
    if ((sink.fd = accept(listener, nullptr, nullptr)) < 0) die("accept");
  int port = 0;
  if (std::scanf("%d", &port) != 1) die("start");
  const std::int64_t begin = now_ns();
  for (std::size_t i = 0; i < job.clients; ++i) {
    if (fork() != 0) continue;
    sender(job, port);
    _exit(0);
  }
  const std::int64_t end = receive(sinks, job);
  while (wait(nullptr) > 0) {
  }
  const double seconds = static_cast<double>(end - begin) / 1e9;
  std::printf("load_cpu_s %.3f\n", cpu_s(RUSAGE_SELF) + cpu_s(RUSAGE_CHILDREN));
  std::printf("records_per_s %.0f\n", static_cast<double>(job.ends.size() * job.passes) / seconds);
  if (job.rate <= 0) return 0;
  std::vector<std::int64_t> latencies_ns;
  for (std::size_t i = 0; i < job.ends.size() * job.passes; ++i)
    if (job.has_output(i % job.ends.size())) latencies_ns.push_back(job.sent_ns[i]);
  std::sort(latencies_ns.begin(), latencies_ns.end());
  const auto us = [&latencies_ns](double q) {
    const auto at_q = static_cast<std::size_t>(q * static_cast<double>(latencies_ns.size() - 1));
    return static_cast<double>(latencies_ns[at_q]) / 1e3;
  };
  std::printf("p50_us %.0f\np99_us %.0f\nmax_us %.0f\n", us(0.5), us(0.99), us(1));
}
