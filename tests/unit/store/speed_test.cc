// Not part of the run: `unit_tests --no-skip -tc='speed of the store'` prints times.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "tests/unit/store/support.h"

namespace machida::store {
namespace {

using Clock = std::chrono::steady_clock;

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

Epoch epoch_of(std::int64_t number, std::int64_t first, std::int64_t keys, std::int64_t keys_max) {
  Epoch epoch;
  epoch.number = number;
  epoch.states = {{"count", {}}};
  for (std::int64_t i = 0; i < keys; ++i) {
    const std::int64_t key = (first + i) * 7919 % keys_max;
    epoch.states[0].rows.push_back({testing::text_key("key-" + std::to_string(key)),
                                    std::string(300, static_cast<char>('a' + number % 26))});
  }
  epoch.positions = {{"kafka:words", "0", number}};
  return epoch;
}

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
}

void read(const Directory& directory) {
  const Clock::time_point start = Clock::now();
  const Store store(directory, 0, "speed");
  const double opened = ms_since(start);
  std::uint64_t bytes = 0;
  const Clock::time_point read_start = Clock::now();
  store.read_states(
      [&](std::string_view, const Key&, std::string_view value) { bytes += value.size(); });
  std::printf("open_ms %.0f read_states_ms %.0f keys %lu bytes %lu on_disk %lu\n", opened,
              ms_since(read_start), store.keys(), bytes, store.bytes());
}

}  // namespace

TEST_CASE("speed of the store" * doctest::skip()) {
  const testing::TempDirectory temp(testing::TempDirectory::Place::kDisk);
  const Directory directory(temp.path(), Directory::Access::kServe);
  constexpr std::int64_t kKeys = 1'000'003;
  {
    Store store(directory, 0, "speed");
    const Epoch all = epoch_of(1, 0, kKeys, kKeys);
    Clock::time_point start = Clock::now();
    store.commit(all);
    std::printf("commit_1M_ms %.0f\n", ms_since(start));
    start = Clock::now();
    int pieces = 0;
    while (store.tidy()) ++pieces;
    std::printf("tidy_after_1M_ms %.0f pieces %d\n", ms_since(start), pieces);
  }
  read(directory);
  {
    Store store(directory, 0, "speed");
    std::vector<double> commits, pieces, closes;
    for (std::int64_t n = 2; n <= 600; ++n) {
      const Epoch epoch = epoch_of(n, n * 5000, 5000, kKeys);
      Clock::time_point start = Clock::now();
      store.commit(epoch);
      commits.push_back(ms_since(start));
      start = Clock::now();
      store.close(n);
      closes.push_back(ms_since(start));
      for (int i = 0; i < 20; ++i) {
        start = Clock::now();
        const bool more = store.tidy();
        pieces.push_back(ms_since(start));
        if (!more) break;
      }
    }
    std::printf(
        "commit_5k_ms p50 %.1f p99 %.1f max %.1f; close p50 %.2f; tidy p50 %.2f p99 %.1f "
        "max %.1f n %zu\n",
        quantile(commits, 0.5), quantile(commits, 0.99), quantile(commits, 1),
        quantile(closes, 0.5), quantile(pieces, 0.5), quantile(pieces, 0.99), quantile(pieces, 1),
        pieces.size());
    std::printf("on_disk %lu\n", store.bytes());
  }
  read(directory);
}

}  // namespace machida::store
