#include "server/sink/kafka_sink.h"

#include <algorithm>
#include <iterator>

#include "embed/error.h"
#include "embed/value.h"
#include "server/base/check.h"
#include "server/base/log.h"

namespace machida::sink {
namespace {

constexpr int kProbeTimeoutMs = 2000;
constexpr std::uint64_t kProbeAgainMs = 250;
constexpr std::uint64_t kReplaceMs = 250;  // not more often, should the new one fail too

}  // namespace

KafkaSink::KafkaSink(uv::Loop& loop, flow::Intake& intake, kafka::ProducerSettings settings,
                     flow::Place place, flow::DeadLetters& dead_letters, metrics::Registry& metrics,
                     std::function<void()> on_connected)
    : loop_(loop),
      intake_(intake),
      settings_(std::move(settings)),
      place_(std::move(place)),
      dead_letters_(dead_letters),
      messages_total_(metrics.counter(kMessages, {{"topic", settings_.topic}})),
      troubles_total_(metrics.counter(kTroubles, {{"topic", settings_.topic}})),
      troubles_(fmt::format("sink topic '{}'", settings_.topic)),
      on_connected_(std::move(on_connected)),
      wake_(loop,
            [this] {
              serve();
              send_held();
            }),
      retry_(loop, [this] { open(); }),
      replace_(loop, [this] { replace_producer(); }),
      alive_(std::make_shared<bool>(true)) {
  producer_ = std::make_shared<kafka::Producer>(settings_, *this, [this] { wake_.ask(); });
}

KafkaSink::~KafkaSink() {
  *alive_ = false;
  end_producer();
}

void KafkaSink::end_producer() {
  producer_->silence();
  uv::end_elsewhere(loop_, producer_);
}

void KafkaSink::open() {
  const auto answer = std::make_shared<std::string>();
  uv::offload(
      loop_, [producer = producer_, answer] { *answer = producer->probe(kProbeTimeoutMs); },
      [this, alive = alive_, answer] {
        if (*alive) probed(*answer);
      });
}

void KafkaSink::probed(const std::string& error) {
  if (!error.empty()) {
    on_trouble(kafka::Trouble::kBrokers, error);
    return retry_.start(kProbeAgainMs);
  }
  log::info("{}: connected", troubles_.who());
  troubles_.forget();
  connected_ = true;
  on_connected_();
}

std::string KafkaSink::write(std::string_view value, std::optional<std::string_view> key,
                             std::optional<std::int32_t> partition) {
  const std::size_t bytes = value.size() + (key ? key->size() : 0);
  if (bytes > settings_.message_bytes_max)
    return fmt::format("a message of {} bytes is over max_message_size, {}", bytes,
                       settings_.message_bytes_max);
  kafka::Sent sent = kafka::Sent::kQueueFull;
  std::string why;
  const std::uint64_t tag = next_tag_++;
  if (held_.empty() && producing_ == Producing::kYes)
    sent = producer_->send({value, key, partition}, tag, why);
  if (sent == kafka::Sent::kRefused) return why;
  if (sent != kafka::Sent::kYes)
    held_.push_back({tag, std::string(value), key ? std::optional<std::string>(*key) : std::nullopt,
                     partition});
  outstanding_.resize(static_cast<std::size_t>(generation_ - first_generation_) + 1, {tag});
  ++outstanding_.back().messages;
  ++queued_messages_;
  queued_bytes_ += bytes;
  follow_queue();
  return "";
}

void KafkaSink::on_delivered(std::uint64_t tag, const kafka::OutMessage& message,
                             const kafka::Fate& fate) {
  if (fate.kind == kafka::Fate::Kind::kDelivered) {
    messages_total_.add();
    if (producing_ == Producing::kYes) troubles_.over();
  }
  if (fate.kind == kafka::Fate::Kind::kReturned) {
    returned_.push_back({tag, std::string(message.value),
                         message.key ? std::optional<std::string>(*message.key) : std::nullopt,
                         message.partition});
    return;
  }
  settle(tag, message.value.size() + (message.key ? message.key->size() : 0));
  if (fate.kind != kafka::Fate::Kind::kDelivered) fail(message.value, fate.error);
}

void KafkaSink::settle(std::uint64_t tag, std::size_t bytes) {
  const auto after = std::upper_bound(
      outstanding_.begin(), outstanding_.end(), tag,
      [](std::uint64_t t, const Generation& generation) { return t < generation.first_tag; });
  MACHIDA_CHECK(after != outstanding_.begin() && std::prev(after)->messages > 0,
                "a message was delivered twice");
  --std::prev(after)->messages;
  --queued_messages_;
  queued_bytes_ -= bytes;
  follow_queue();
}

void KafkaSink::send_held() {
  while (!held_.empty() && producing_ == Producing::kYes) {
    const Held& next = held_.front();
    std::string why;
    const std::optional<std::string_view> key =
        next.key ? std::optional<std::string_view>(*next.key) : std::nullopt;
    const kafka::Sent sent = producer_->send({next.value, key, next.partition}, next.tag, why);
    if (sent == kafka::Sent::kQueueFull || sent == kafka::Sent::kNotNow) return;
    const Held gone = std::move(held_.front());
    held_.pop_front();
    if (sent == kafka::Sent::kYes) continue;
    settle(gone.tag, gone.value.size() + (gone.key ? gone.key->size() : 0));
    fail(gone.value, why);
  }
}

void KafkaSink::fail(std::string_view value, const std::string& why) {
  const embed::GilLock gil;
  const embed::Object input = embed::make_bytes(gil, value);
  dead_letters_.add(gil, place_, embed::made_error("KafkaError", why), input.get());
}

void KafkaSink::on_trouble(kafka::Trouble kind, const std::string& what) {
  troubles_total_.add();
  troubles_.say(kind, what, connected_ ? "" : ", the sources open then");
}

// Called from within the producer, which can't be replaced now.
void KafkaSink::on_fatal(const std::string& what) {
  if (producing_ != Producing::kYes) return;
  producing_ = Producing::kFailed;
  troubles_total_.add();
  troubles_.told(kafka::Trouble::kOther);
  log::warn(
      "{}: the producer has failed, a new one takes over; what was on its way may come twice: {}",
      troubles_.who(), what);
}

void KafkaSink::serve() {
  producer_->serve();
  const std::size_t in_producer = queued_messages_ - held_.size() - returned_.size();
  if (producing_ != Producing::kFailed || in_producer > 0) return;
  producing_ = Producing::kBeingReplaced;
  replace_.start(kReplaceMs);
}

void KafkaSink::replace_producer() {
  const auto by_tag = [](const Held& a, const Held& b) { return a.tag < b.tag; };
  std::sort(returned_.begin(), returned_.end(), by_tag);
  held_.insert(held_.begin(), std::make_move_iterator(returned_.begin()),
               std::make_move_iterator(returned_.end()));
  returned_.clear();
  end_producer();
  producer_ = std::make_shared<kafka::Producer>(settings_, *this, [this] { wake_.ask(); });
  producing_ = Producing::kYes;
  send_held();
}

void KafkaSink::follow_queue() {
  const auto above = [this](std::size_t parts_of_four) {
    return queued_bytes_ + queued_messages_ * kafka::kBytesBesideMessage >
           settings_.queue_bytes_max / 4 * parts_of_four;
  };
  intake_.follow(above(3), !above(1));
}

bool KafkaSink::delivered(std::uint64_t mark) {
  serve();  // who waits for a fate does not depend on a wake
  forget_delivered();
  return first_generation_ > mark;
}

void KafkaSink::forget_delivered() {
  while (!outstanding_.empty() && outstanding_.front().messages == 0 &&
         first_generation_ < generation_) {
    outstanding_.pop_front();
    ++first_generation_;
  }
  if (outstanding_.empty()) first_generation_ = generation_;
}

std::string KafkaSink::undelivered() const {
  return fmt::format("{} messages for topic '{}'", queued_messages_, settings_.topic);
}

}  // namespace machida::sink
