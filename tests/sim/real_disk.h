// Real stores and journals in a directory, whose power stays on.
#pragma once

#include <optional>
#include <string>

#include "server/store/directory.h"
#include "tests/sim/disk.h"

namespace machida::sim {

class RealDisk final : public Disk {
 public:
  RealDisk(const std::string& path, std::string application, std::uint64_t journal_bytes_max);

  std::uint32_t workers() const override;
  void begin(std::uint32_t workers) override;
  std::string identity() const override;
  std::int64_t newest_epoch(std::uint32_t worker) override;
  void go_back(std::uint32_t worker, std::int64_t epoch) override;
  std::unique_ptr<store::EpochStore> open_store(std::uint32_t worker) override;
  std::unique_ptr<store::InputJournal> open_journal(std::uint32_t worker) override;
  void change_workers(const embed::Gil&, const plan::Plan& plan, std::uint32_t workers,
                      bool interrupted) override;
  std::int64_t lose_power(std::uint32_t worker) override;

 private:
  const store::Directory directory_;
  const std::string application_;
  const std::uint64_t journal_bytes_max_;
};

}  // namespace machida::sim
