#include "server/inquiry.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <string_view>

#include "server/seat_text.h"
#include "server/uv/child.h"
#include "server/uv/loop.h"
#include "server/uv/pipe_stream.h"
#include "server/uv/socket_pair.h"

namespace machida {
namespace {

constexpr int kOutput = 3;
constexpr const char* kHas = "has";

class Answer final : public uv::StreamEvents {
 public:
  void on_read(std::string_view bytes) override { text += bytes; }
  void on_end(const std::string&) override {}
  std::string text;
};

// Fields end with a zero byte: no name holds one.
std::vector<std::string> fields_of(std::string_view text) {
  std::vector<std::string> fields;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\0'), text.size());
    fields.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return fields;
}

template <class T>
T number(const std::string& text) {
  T value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

Facts read(std::string_view text) {
  const std::vector<std::string> fields = fields_of(text);
  Facts facts;
  if (!fields.empty()) facts.name = fields[0];
  if (fields.size() > 1) facts.has_states = fields[1] == kHas;
  if (fields.size() > 2) facts.has_kafka_sources = fields[2] == kHas;
  for (std::size_t i = 3; i + 4 <= fields.size(); i += 4)
    facts.addresses.push_back({number<std::size_t>(fields[i]),
                               fields[i + 1],
                               {fields[i + 2], number<std::uint16_t>(fields[i + 3])}});
  return facts;
}

}  // namespace

Result<Facts> inquire(const std::vector<std::string>& argv) {
  Result<uv::SocketPair> made = uv::socket_pair();
  if (!made) return Error{made.error()};
  uv::SocketPair pair = *std::move(made);
  uv::Loop loop;
  Answer answer;
  uv::ChildExit exit;
  uv::Child child(loop, [&exit](const uv::ChildExit& how) { exit = how; });
  const SeatText seat{
      .task = SeatText::Task::kInquire, .supervisor = ::getpid(), .output = kOutput};
  std::vector<std::string> words = argv;
  words.insert(words.begin() + 1, {SeatText::kWord, seat.text()});
  const Result<pid_t> started = child.start(
      {.path = "/proc/self/exe", .argv = words, .descriptors = {{kOutput, pair.other.get()}}});
  if (!started) return Error{started.error()};
  pair.other = uv::Descriptor();
  {
    uv::PipeStream stream(loop, answer, std::move(pair.one));
    stream.start_reading();
    loop.run();
  }
  Facts facts;
  if (exit.code() == 0) facts = read(answer.text);
  facts.status = exit.code();
  return facts;
}

void answer_inquiry(const plan::Plan& plan, int output) {
  std::string text = plan.name + '\0' + (plan.states.empty() ? "" : kHas) + '\0' +
                     (plan.has_source<plan::KafkaSourceSpec>() ? kHas : "") + '\0';
  for (std::size_t i = 0; i < plan.pipelines.size(); ++i) {
    const auto* tcp = std::get_if<plan::TcpSourceSpec>(&plan.pipelines[i].source.from);
    if (!tcp) continue;
    text += std::to_string(i) + '\0' + plan.pipelines[i].name + '\0' + tcp->address.host + '\0' +
            std::to_string(tcp->address.port) + '\0';
  }
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t written = ::write(output, rest.data(), rest.size());
    if (written <= 0) throw std::runtime_error("the supervisor is gone");
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace machida
