// Places where a test kills the process, to show that nothing is lost there: the process ends with
// SIGKILL when it reaches the point that MACHIDA_CRASH_AT names, "store.commit.before" or
// "store.commit.before:3" for the third time. Costs one load when the variable is not set.
#pragma once

#include <span>
#include <string_view>

namespace machida {

enum class CrashPoint {
  kSnapshotBefore,
  kSnapshotAfter,
  kStoreCommitBefore,
  kStoreCommitAfter,
  kProduceBefore,
  kProduceAfter,
  kOffsetsBefore,
  kOffsetsAfter,
  kTransactionBefore,
  kTransactionAfter,
  kEpochCloseBefore,
  kEpochCloseAfter,
  kCompactionBefore,
  kCompactionMiddle,
  kCompactionAfter,
  kStorageWriteBefore,
  kStorageWriteAfter,
};

// By the points' values.
std::span<const std::string_view> crash_point_names();

// Any thread.
void crash_at(CrashPoint point);

}  // namespace machida
