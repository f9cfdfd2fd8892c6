#include "server/wire/link_message.h"

#include <array>
#include <type_traits>
#include <utility>

#include "server/base/check.h"

namespace machida::wire {
namespace {

constexpr std::size_t kLengthBytes = 4;
// Who starts with these bytes is such a link; another version is another program.
constexpr std::string_view kMagic = "machida-link";
constexpr std::uint16_t kVersion = 1;

constexpr std::array<const char*, std::variant_size_v<LinkMessage>> kNames = {
    "Hello",     "Batch",    "Barrier", "EndEpoch",  "Stored", "Commit", "Committed",
    "Close",     "Drain",    "Drained", "Failed",    "Ready",  "Pause",  "Resume",
    "KeptState", "Restored", "Ended",   "Partition", "Listed"};

template <class T>
void put(std::string& to, T value) {
  static_assert(std::is_unsigned_v<T>);
  for (std::size_t i = 0; i < sizeof value; ++i)
    to.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i)));
}

void put_fields(std::string& to, const Hello& hello) {
  to += kMagic;
  put(to, kVersion);
  put(to, hello.workers);
  put(to, hello.index);
  to += hello.application;
}

void put_fields(std::string& to, const Batch& batch) {
  MACHIDA_CHECK(batch.count > 0 && !batch.records.empty(), "a batch without records");
  put(to, batch.pipeline);
  put(to, batch.step);
  put(to, batch.count);
  to += batch.records;
}

void put_fields(std::string& to, const Barrier& barrier) {
  put(to, barrier.epoch);
  put(to, barrier.stage);
}

void put_fields(std::string& to, const Failed& failed) { to += failed.text; }

void put_text(std::string& to, std::string_view text) {
  put(to, static_cast<std::uint32_t>(text.size()));
  to += text;
}

void put_fields(std::string& to, const KeptState& state) {
  put_text(to, state.step);
  put(to, state.key_kind);
  put_text(to, state.key);
  put(to, state.is_kept);
  to += state.value;
}

void put_fields(std::string& to, const Partition& partition) {
  put(to, partition.of);
  put(to, partition.worker);
  to += partition.name;
}

void put_fields(std::string& to, const Ended& ended) {
  put(to, ended.stream);
  put(to, ended.stage);
}

template <class Message>
void put_fields(std::string& to, const Message& message) {
  if constexpr (!std::is_empty_v<Message>) put(to, message.epoch);
}

// Takes fields off the front of a message; not exact() when there were not enough bytes.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : bytes_(bytes) {}

  template <class T>
  void take(T& into) {
    const std::string_view raw = text(sizeof into);
    std::uint64_t value = 0;
    for (std::size_t i = raw.size(); i > 0; --i)
      value = value << 8 | static_cast<unsigned char>(raw[i - 1]);
    into = static_cast<T>(value);
  }
  std::string_view text(std::size_t size) {
    if (bytes_.size() < size) {
      complete_ = false;
      size = 0;
    }
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }
  std::string_view sized_text() {
    std::uint32_t size = 0;
    take(size);
    return text(size);
  }
  std::string_view rest() { return std::exchange(bytes_, {}); }
  bool exact() const { return complete_ && bytes_.empty(); }

 private:
  std::string_view bytes_;
  bool complete_ = true;
};

// Each returns what is wrong, or nothing.
std::string take_fields(Fields& from, Hello& hello) {
  if (from.text(kMagic.size()) != kMagic) return "the peer is no worker";
  std::uint16_t version = 0;
  from.take(version);
  if (version != kVersion)
    return "the peer speaks version " + std::to_string(version) + ", not " +
           std::to_string(kVersion);
  from.take(hello.workers);
  from.take(hello.index);
  hello.application = from.rest();
  if (hello.index >= hello.workers && hello.index != Hello::kSupervisor)
    return "worker " + std::to_string(hello.index) + " of " + std::to_string(hello.workers);
  return {};
}

std::string take_fields(Fields& from, Batch& batch) {
  from.take(batch.pipeline);
  from.take(batch.step);
  from.take(batch.count);
  batch.records = from.rest();
  return batch.count == 0 || batch.records.empty() ? "a batch without records" : "";
}

std::string take_fields(Fields& from, Barrier& barrier) {
  from.take(barrier.epoch);
  from.take(barrier.stage);
  return {};
}

std::string take_fields(Fields& from, Failed& failed) {
  failed.text = from.rest();
  return {};
}

std::string take_fields(Fields& from, KeptState& state) {
  state.step = from.sized_text();
  from.take(state.key_kind);
  state.key = from.sized_text();
  from.take(state.is_kept);
  state.value = from.rest();
  return {};
}

std::string take_fields(Fields& from, Partition& partition) {
  from.take(partition.of);
  from.take(partition.worker);
  partition.name = from.rest();
  return {};
}

std::string take_fields(Fields& from, Ended& ended) {
  from.take(ended.stream);
  from.take(ended.stage);
  return {};
}

template <class Message>
std::string take_fields(Fields& from, Message& message) {
  if constexpr (!std::is_empty_v<Message>) from.take(message.epoch);
  return {};
}

// The message type with that number, with its defaults. `type` is one of the variant's.
template <std::size_t... I>
LinkMessage empty_message(std::size_t type, std::index_sequence<I...>) {
  LinkMessage made;
  ((type == I ? void(made.emplace<I>()) : void()), ...);
  return made;
}

}  // namespace

void append_link_message(std::string& to, const LinkMessage& message) {
  const std::size_t start = to.size();
  to.append(kLengthBytes, '\0');
  to.push_back(static_cast<char>(message.index()));
  std::visit([&to](const auto& fields) { put_fields(to, fields); }, message);
  const std::size_t size = to.size() - start - kLengthBytes;
  MACHIDA_CHECK(size <= kLinkMessageBytesMax, "a message between workers is over the limit");
  for (std::size_t i = 0; i < kLengthBytes; ++i) to[start + i] = static_cast<char>(size >> (8 * i));
}

LinkReader::LinkReader(std::size_t message_bytes_max) : frames_(framing_) {
  framing_.header_bytes = kLengthBytes;
  framing_.frame_bytes_max = message_bytes_max;
  framing_.length_function = [message_bytes_max](std::string_view header) -> Result<std::int64_t> {
    std::uint32_t length = 0;
    Fields(header).take(length);
    if (length == 0) return Error{"a message of 0 bytes"};
    if (length > message_bytes_max)
      return Error{"a message of " + std::to_string(length) + " bytes is over the limit of " +
                   std::to_string(message_bytes_max)};
    return static_cast<std::int64_t>(length);
  };
}

Result<std::size_t> LinkReader::next(std::vector<LinkMessage>& messages) {
  messages.clear();
  if (failure_) return Error{*failure_};
  const Result<std::size_t> count = frames_.next(cut_, kFramesMax);
  if (!count) {
    failure_ = count.error();
    return Error{*failure_};
  }
  for (const std::string_view frame : cut_) {
    Result<LinkMessage> message = read(frame);
    if (message) {
      messages.push_back(*std::move(message));
      continue;
    }
    failure_ = message.error();
    if (messages.empty()) return Error{*failure_};
    break;  // the messages before it first
  }
  return messages.size();
}

Result<LinkMessage> LinkReader::read(std::string_view frame) {
  const auto type = static_cast<unsigned char>(frame.front());
  if (type >= kNames.size()) return Error{"a message of unknown type " + std::to_string(type)};
  LinkMessage message =
      empty_message(type, std::make_index_sequence<std::variant_size_v<LinkMessage>>());
  const bool is_hello = std::holds_alternative<Hello>(message);
  if (is_hello == greeted_)
    return Error{greeted_ ? std::string("a second Hello")
                          : std::string(kNames[type]) + " before Hello"};
  Fields fields(frame.substr(1));
  std::string wrong =
      std::visit([&fields](auto& into) { return take_fields(fields, into); }, message);
  if (wrong.empty() && !fields.exact())
    wrong = "a " + std::string(kNames[type]) + " of " + std::to_string(frame.size()) + " bytes";
  if (!wrong.empty()) return Error{std::move(wrong)};
  greeted_ = true;
  return message;
}

}  // namespace machida::wire
