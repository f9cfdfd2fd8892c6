#include "server/flow/step.h"

#include "embed/value.h"
#include "server/flow/user_call.h"

namespace machida::flow {

void Step::failed(const embed::Gil& gil, _object* input, const char* what, _object* function) {
  note_user_call(gil, what, place_, function, input);
  dead_letters_.add_pending(gil, place_, input);
}

void Step::returned_wrongly(const embed::Gil& gil, _object* input, _object* result,
                            const std::string& needed) {
  const embed::Object object = embed::Object::borrow(gil, result);
  dead_letters_.add(gil, place_,
                    embed::wrong_result(needed + ", got " + embed::type_name(object) + ": " +
                                        embed::repr(gil, object, 200)),
                    input);
}

}  // namespace machida::flow
