// One worker's end of a storage sink, which is the application's Python object, seen from C++:
// wallaroo.storage.runtime's RunningSink. Used on the sink's own thread only; takes the lock
// itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "embed/error.h"
#include "embed/gil.h"
#include "embed/object.h"

namespace machida::sink {

class StoragePartition {
 public:
  // What became of a call.
  struct Outcome {
    std::string unavailable;                                    // the storage can't be reached: why
    std::vector<std::pair<std::size_t, std::string>> rejected;  // records, by index: why
    std::optional<embed::PythonError> error;
    std::exception_ptr exit;  // the code called sys.exit()

    bool done() const { return unavailable.empty() && rejected.empty() && !error && !exit; }
  };

  StoragePartition(const embed::Gil&, const embed::Object& running_sink);

  // Has the application build it, and opens it.
  Outcome open() const;
  // `items` is a list. `epoch`: nothing when epochs are not kept.
  Outcome write(const embed::Object& items, std::optional<std::int64_t> epoch) const;
  Outcome close() const;

 private:
  embed::Object open_, write_, close_;
};

}  // namespace machida::sink
