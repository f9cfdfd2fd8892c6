// Tells people which call of user code failed: a note (PEP 678) at the exception, which stays what
// the user's code raised.
#pragma once

#include <string>

#include "embed/gil.h"
#include "server/flow/dead_letters.h"

struct _object;

namespace machida::flow {

// "count (app.py:12)", for anything that can be called.
std::string describe_function(const embed::Gil&, _object* function);

// Adds "<what> count (app.py:12) in step 'counts' on ('a', 1)" to the exception that is set; `what`
// is like "error calling `map` mapper". Without a function or an input (null) they are not named.
// Without effect on exceptions that take no note.
void note_user_call(const embed::Gil&, const char* what, const Place& place, _object* function,
                    _object* input);

}  // namespace machida::flow
