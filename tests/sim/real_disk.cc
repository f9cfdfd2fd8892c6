#include "tests/sim/real_disk.h"

#include <limits>
#include <utility>

#include "server/store/go_back.h"
#include "server/store/identity.h"
#include "server/store/journal.h"
#include "server/store/layout.h"
#include "server/store/store.h"

namespace machida::sim {
namespace {

int number(std::uint32_t worker) { return static_cast<int>(worker); }

}  // namespace

RealDisk::RealDisk(const std::string& path, std::string application,
                   std::uint64_t journal_bytes_max)
    : directory_(path, store::Directory::Access::kServe),
      application_(std::move(application)),
      journal_bytes_max_(journal_bytes_max) {}

std::uint32_t RealDisk::workers() const { return store::workers_of_layout(directory_); }

void RealDisk::begin(std::uint32_t workers) { store::write_layout(directory_, workers); }

std::string RealDisk::identity() const { return store::identity_of(directory_); }

std::int64_t RealDisk::newest_epoch(std::uint32_t worker) {
  return store::newest_epoch(directory_, number(worker));
}

void RealDisk::go_back(std::uint32_t worker, std::int64_t epoch) {
  store::go_back(directory_, number(worker), application_, epoch);
}

std::unique_ptr<store::EpochStore> RealDisk::open_store(std::uint32_t worker) {
  return std::make_unique<store::Store>(directory_, number(worker), application_);
}

std::unique_ptr<store::InputJournal> RealDisk::open_journal(std::uint32_t worker) {
  return std::make_unique<store::Journal>(directory_, number(worker), journal_bytes_max_);
}

void RealDisk::change_workers(const embed::Gil& gil, const plan::Plan& plan, std::uint32_t workers,
                              bool interrupted) {
  if (interrupted) {
    // Died before the new stores were complete.
    store::begin_new_stores(directory_);
    return store::finish_change(directory_);
  }
  worker::reshard(gil, plan, directory_, this->workers(), workers);
  store::finish_change(directory_);
}

// What was written stays.
std::int64_t RealDisk::lose_power(std::uint32_t) {
  return std::numeric_limits<std::int64_t>::max();
}

}  // namespace machida::sim
