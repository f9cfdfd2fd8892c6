#include "server/worker/membership.h"

#include <charconv>
#include <string_view>
#include <utility>

#include "server/base/check.h"
#include "server/base/log.h"

namespace machida::worker {
namespace {

// Of a text that is `word` and a number.
std::optional<std::uint32_t> number_behind(std::string_view word, std::string_view text) {
  if (!text.starts_with(word)) return std::nullopt;
  text.remove_prefix(word.size());
  std::uint32_t number = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc())
    return std::nullopt;
  return number;
}

}  // namespace

Membership::Membership(uv::Loop& loop, flow::Intake& intake, const SeatOptions& seat,
                       const std::string& application, flow::BatchCodec codec,
                       metrics::Registry& metrics, Calls calls)
    : loop_(loop),
      intake_(intake),
      application_(application),
      metrics_(metrics),
      seat_(seat),
      calls_(std::move(calls)),
      exchange_(*this, std::move(codec)),
      peers_(seat.workers),
      paused_by_(seat.workers) {
  if (seat_.control >= 0)
    supervisor_ = link_to(wire::Hello::kSupervisor, uv::Descriptor(seat_.control));
  if (seat_.channel >= 0)
    channel_.emplace(loop, uv::Descriptor(seat_.channel),
                     [this](uv::Parcel parcel) { take_parcel(std::move(parcel)); });
  for (std::uint32_t i = 0; i < seat_.peers.size(); ++i) {
    if (i != seat_.index) peers_[i] = link_to(i, uv::Descriptor(seat_.peers[i]));
  }
}

std::unique_ptr<cluster::Link> Membership::link_to(std::uint32_t peer, uv::Descriptor fd) {
  return std::make_unique<cluster::Link>(
      loop_, *this,
      cluster::LinkEnds{
          .application = application_, .workers = seat_.workers, .own = seat_.index, .peer = peer},
      std::move(fd), metrics_);
}

Seat Membership::seat() {
  return {seat_.index, seat_.workers, seat_.alone() ? nullptr : &exchange_};
}

void Membership::begin(Assembly& assembly, checkpoint::EpochMember& member,
                       std::int64_t newest_epoch, bool member_in_work) {
  assembly_ = &assembly;
  coordination_.emplace(cluster::Coordination::Parts{
      .peers = *this,
      .intake = intake_,
      .member = member,
      .stages = assembly.stages(),
      .newest_epoch = newest_epoch,
      .member_in_work = member_in_work,
      .on_ready = calls_.on_ready,
      .on_drained = calls_.on_drained,
      .on_closed =
          [this](std::int64_t epoch) {
            tell_supervisor(wire::Committed{static_cast<std::uint64_t>(epoch)});
          },
      .on_stage_over = calls_.on_stage_over ? [this](std::uint32_t) { calls_.on_stage_over(); }
                                            : std::function<void(std::uint32_t)>()});
}

void Membership::sinks_full(bool full) {
  sinks_full_ = full;
  if (full)
    intake_.pause();
  else
    intake_.resume();
  if (full)
    send_all(wire::Pause{});
  else
    send_all(wire::Resume{});
}

void Membership::tell_supervisor(const wire::LinkMessage& message) {
  if (supervisor_) supervisor_->send(message);
}

void Membership::take_parcel(uv::Parcel parcel) {
  if (parcel.text == cluster::kKeepConnections) return calls_.on_keep();
  const std::string_view text = parcel.text;
  if (const auto pipeline = number_behind(cluster::kClient, text)) {
    if (parcel.descriptors.empty())
      return log::warn("a client is closed: this process has too many files open");
    return calls_.on_client(*pipeline, std::move(parcel.descriptors.front()));
  }
  const auto peer = number_behind(cluster::kNewPeer, text);
  MACHIDA_CHECK(peer && *peer < seat_.workers && parcel.descriptors.size() == 1,
                "the supervisor is another program");
  replace_peer(*peer, std::move(parcel.descriptors.front()));
}

// No epoch is under way: such workers have no store, and no source that asks what was delivered.
void Membership::replace_peer(std::uint32_t peer, uv::Descriptor link) {
  if (peers_[peer]) on_lost(*peers_[peer], "");  // its end is not read yet
  if (const std::uint64_t lost = std::exchange(lost_, 0))
    log::warn("{} records for worker {} came when it was gone and are lost", lost, peer);
  peers_[peer] = link_to(peer, std::move(link));
  if (sinks_full_) peers_[peer]->send(wire::Pause{});
  coordination_->ready();
  log::debug("worker {} is there again, as another process", peer);
}

std::string Membership::hand_over(const cluster::KeptConnections& connections) {
  return cluster::hand_over(channel_->socket(), connections);
}

void Membership::flush() {
  if (supervisor_) supervisor_->flush();
  for (const auto& peer : peers_)
    if (peer) peer->flush();
}

void Membership::send(std::uint32_t worker, const wire::LinkMessage& message) {
  if (peers_[worker])
    peers_[worker]->send(message);
  else if (const auto* batch = std::get_if<wire::Batch>(&message))
    lost_ += batch->count;
}

void Membership::on_messages(cluster::Link& from, std::span<const wire::LinkMessage> messages) {
  if (from.peer() == wire::Hello::kSupervisor) {
    for (const wire::LinkMessage& message : messages) {
      if (std::holds_alternative<wire::Drain>(message)) drain();
      if (const auto* failed = std::get_if<wire::Failed>(&message)) calls_.on_failed(failed->text);
    }
    return;
  }
  std::optional<embed::GilLock> gil;
  for (const wire::LinkMessage& message : messages) {
    if (const auto* batch = std::get_if<wire::Batch>(&message)) {
      if (abandoned_) continue;
      if (!gil) gil.emplace();
      MACHIDA_CHECK(exchange_.receive(*gil, *batch, assembly_->pipelines()),
                    "a worker sent records for a step that there is not");
    } else {
      gil.reset();
      take(from.peer(), message);
    }
  }
}

// What the supervisor has sent before on the channel was meant to be known now.
void Membership::drain() {
  if (channel_) channel_->take_all();
  calls_.on_drain();
}

void Membership::take(std::uint32_t from, const wire::LinkMessage& message) {
  if (abandoned_) return;
  if (std::holds_alternative<wire::Pause>(message)) {
    paused_by_[from] = true;
    intake_.pause();
  } else if (std::holds_alternative<wire::Resume>(message)) {
    paused_by_[from] = false;
    intake_.resume();
  } else {
    MACHIDA_CHECK(coordination_->on_message(from, message), "the workers disagree about an epoch");
  }
}

void Membership::on_lost(cluster::Link& link, const std::string& why) {
  const std::uint32_t peer = link.peer();
  if (peer == wire::Hello::kSupervisor) {
    supervisor_.reset();
    return;  // the kernel ends this process with it
  }
  if (!why.empty()) log::error("worker {} is no worker: {}", peer, why);
  calls_.on_peer_lost(peer);  // pauses the intake; what the peer had paused it for is over
  if (link.full()) intake_.resume();
  if (paused_by_[peer]) intake_.resume();
  paused_by_[peer] = false;
  peers_[peer].reset();
}

}  // namespace machida::worker
