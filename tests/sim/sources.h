// The ends where records come in: a partitioned log that a source goes back in, and connections
// whose frames are journaled. As source::KafkaEpochSource and source::TcpSource, on the scheduler.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "server/checkpoint/journaled_inputs.h"
#include "server/flow/epoch.h"
#include "server/flow/intake.h"
#include "server/flow/pipeline.h"
#include "tests/sim/broker.h"
#include "tests/sim/clients.h"
#include "tests/sim/scheduler.h"

namespace machida::sim {

// What both do: read again and again while they may.
class Reader {
 public:
  Reader(Scheduler& scheduler, flow::Intake& intake, std::uint64_t delay_us_max);
  virtual ~Reader() { *alive_ = false; }

  void open();
  void drain() { draining_ = true; }
  bool drained() const { return draining_; }

 protected:
  Scheduler& scheduler() { return scheduler_; }

 private:
  void read_later(std::uint64_t delay_us_max);
  // A batch. False: there is none.
  virtual bool read() = 0;

  Scheduler& scheduler_;
  flow::Intake& intake_;
  const std::uint64_t delay_us_max_;
  bool open_ = false, draining_ = false, asked_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

class LogReader final : public Reader, public flow::EpochSource {
 public:
  struct Share {
    std::uint32_t index = 0, of = 1;  // the partitions p with p % of == index
  };
  LogReader(Scheduler& scheduler, flow::Intake& intake, std::uint64_t delay_us_max,
            const Broker& broker, flow::Pipeline& pipeline, Share share, std::size_t records_max,
            const std::vector<Position>& restored);

  void positions(std::vector<Position>& out) const override;
  void passed(const std::vector<Position>& positions) override;
  bool at_the_end() const;

 private:
  static constexpr const char* kSource = "kafka:log:in";
  bool read() override;
  bool has_message(std::size_t partition, std::int64_t offset);

  const Broker& broker_;
  flow::Pipeline& pipeline_;
  const Share share_;
  const std::size_t records_max_;
  std::map<std::size_t, std::int64_t> offsets_;  // by partition
};

class ClientReader final : public Reader {
 public:
  ClientReader(Scheduler& scheduler, flow::Intake& intake, std::uint64_t delay_us_max,
               Clients& clients, flow::Pipeline& pipeline, std::uint32_t worker,
               std::size_t records_max, checkpoint::JournaledInputs& inputs, flow::InputLog& log)
      : Reader(scheduler, intake, delay_us_max),
        clients_(clients),
        pipeline_(pipeline),
        worker_(worker),
        records_max_(records_max),
        inputs_(inputs),
        log_(log) {}

  void connect(std::size_t client) { connected_.push_back(client); }

 private:
  bool read() override;

  Clients& clients_;
  flow::Pipeline& pipeline_;
  const std::uint32_t worker_;
  const std::size_t records_max_;
  checkpoint::JournaledInputs& inputs_;
  flow::InputLog& log_;
  std::vector<std::size_t> connected_;
};

}  // namespace machida::sim
