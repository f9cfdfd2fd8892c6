#include "server/flow/step.h"

#include "embed/value.h"

namespace machida::flow {

void Step::returned_wrongly(const embed::Gil& gil, _object* input, _object* result,
                            const std::string& needed) {
  const embed::Object object = embed::Object::borrow(gil, result);
  dead_letters_.add(gil, place_,
                    embed::wrong_result(needed + ", got " + embed::type_name(object) + ": " +
                                        embed::repr(gil, object, 200)),
                    input);
}

}  // namespace machida::flow
