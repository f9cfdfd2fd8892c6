#include "server/flow/dead_letters.h"

namespace machida::flow {

void DeadLetters::add_pending(const embed::Gil& gil, const Place& place, _object* input) {
  try {
    embed::throw_pending(gil);
  } catch (const embed::PythonError& error) {
    add(gil, place, error, input);
  }
}

}  // namespace machida::flow
