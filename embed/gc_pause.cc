#include "embed/gc_pause.h"

#define PY_SSIZE_T_CLEAN
#include <Python.h>

namespace machida::embed {

GcPause::GcPause(const Gil&) : was_enabled_(PyGC_Disable() != 0) {}

GcPause::~GcPause() {
  if (was_enabled_) PyGC_Enable();
}

}  // namespace machida::embed
