// Which worker has the state of a key. Listed keys go by their place in the list, as in the
// original; others by their stable hash.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "embed/gil.h"
#include "embed/object.h"

namespace machida::flow {

class KeyOwners {
 public:
  static constexpr std::uint32_t kNobody = std::numeric_limits<std::uint32_t>::max();

  // `listed` may be null. Throws PythonError when a key can't be hashed.
  KeyOwners(const embed::Gil&, std::uint32_t workers, const std::vector<embed::Object>* listed);

  // kNobody: the key can't be hashed; the exception is set.
  std::uint32_t owner_of(const embed::Gil&, _object* key) const;

 private:
  std::uint32_t workers_;
  embed::Object listed_;  // dict: key -> worker; empty without a list
};

// Who has the one state object of a name.
std::uint32_t owner_of_name(const std::string& state, std::uint32_t workers);

}  // namespace machida::flow
