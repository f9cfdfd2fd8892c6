#include "server/flow/saved_state.h"

#include <string>

#include "embed/value.h"

namespace machida::flow {

embed::PythonError no_state_of(const char* kind, const embed::Object& saved) {
  return embed::made_error(
      "TypeError", std::string("this is not what a ") + kind +
                       " step stores: a step of another kind had this id, or the serde does not "
                       "keep tuples, lists and bytes apart; got '" +
                       embed::type_name(saved) + "'");
}

}  // namespace machida::flow
