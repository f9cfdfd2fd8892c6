#include "embed/gil.h"

#define PY_SSIZE_T_CLEAN
#include <Python.h>

namespace machida::embed {

GilLock::GilLock() noexcept : state_(PyGILState_Ensure()) {}

GilLock::~GilLock() { PyGILState_Release(static_cast<PyGILState_STATE>(state_)); }

GilRelease::GilRelease() noexcept : state_(PyEval_SaveThread()) {}

GilRelease::~GilRelease() { PyEval_RestoreThread(static_cast<PyThreadState*>(state_)); }

}  // namespace machida::embed
