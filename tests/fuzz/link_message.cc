// Any bytes in any reads: the messages are those of one large read, writing them gives the bytes
// that they were read from, and nothing outside the stream is read.
#include "server/wire/link_message.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using machida::wire::LinkMessage;
using machida::wire::LinkReader;

constexpr std::size_t kMessageBytesMax = 300;

struct Heard {
  std::string again;  // the messages, written
  std::string complaint;
  bool operator==(const Heard&) const = default;
};

Heard hear(std::string_view stream, std::size_t read_bytes) {
  Heard heard;
  LinkReader reader(kMessageBytesMax);
  std::vector<LinkMessage> messages;
  while (!stream.empty() && heard.complaint.empty()) {
    const std::string read(stream.substr(0, read_bytes));  // a copy: overruns are visible
    stream.remove_prefix(read.size());
    reader.feed(read);
    while (true) {
      const auto count = reader.next(messages);
      if (!count) heard.complaint = count.error();
      if (!count || *count == 0) break;
      for (const LinkMessage& message : messages)
        machida::wire::append_link_message(heard.again, message);
    }
    reader.keep();
  }
  return heard;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Heard whole = hear(stream, stream.size());
  if (!stream.starts_with(whole.again)) std::abort();
  if (hear(stream, 1 + data[0]) != whole) std::abort();
  return 0;
}
