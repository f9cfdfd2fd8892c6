#include "server/window_config.h"

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdexcept>
#include <utility>

#include "embed/value.h"

namespace machida {

using embed::Gil;
using embed::Object;
using namespace window;

std::optional<Object> find_entry(const Gil& gil, const Object& dict, const char* name) {
  PyObject* value = PyDict_GetItemString(dict.get(), name);
  if (!value) return std::nullopt;
  return Object::borrow(gil, value);
}

std::string word_of(const Gil& gil, const Object& dict, const char* name, const char* otherwise) {
  const std::optional<Object> value = find_entry(gil, dict, name);
  return value ? embed::str(gil, *value) : otherwise;
}

std::int64_t number_of(const Gil& gil, const Object& dict, const char* name) {
  const std::optional<Object> value = find_entry(gil, dict, name);
  if (!value) throw std::invalid_argument("config lacks " + std::string(name));
  return embed::integer(gil, *value);
}

namespace {

template <class T>
T good(Result<T> result) {
  if (!result) throw std::invalid_argument(result.error());
  return *std::move(result);
}

Clock read_clock(const Gil& gil, const Object& config) {
  const std::string kind = word_of(gil, config, "clock", "");
  if (kind == "system") return Clock::system();
  if (kind == "event") return Clock::event(number_of(gil, config, "wait_us"));
  throw std::invalid_argument("clock is 'event' or 'system', not '" + kind + "'");
}

Windows read_windows(const Gil& gil, const Object& config) {
  const std::string kind = word_of(gil, config, "windows", "");
  if (kind == "tumbling")
    return good(SlidingWindows::tumbling(number_of(gil, config, "length_us"),
                                         number_of(gil, config, "align_us")));
  if (kind == "sliding")
    return good(SlidingWindows::make(number_of(gil, config, "length_us"),
                                     number_of(gil, config, "offset_us"),
                                     number_of(gil, config, "align_us")));
  if (kind == "session") return good(SessionWindows::make(number_of(gil, config, "gap_us")));
  throw std::invalid_argument("windows is 'tumbling', 'sliding' or 'session', not '" + kind + "'");
}

IdleKeys read_idle_keys(const Gil& gil, const Object& config) {
  const std::string kind = word_of(gil, config, "idle_keys", "keep");
  if (kind == "keep") return IdleKeys::kKeep;
  if (kind == "forget") return IdleKeys::kForget;
  throw std::invalid_argument("idle_keys is 'keep' or 'forget', not '" + kind + "'");
}

}  // namespace

Windower read_windower(const Gil& gil, const Object& config) {
  return {read_clock(gil, config), read_windows(gil, config), read_idle_keys(gil, config)};
}

}  // namespace machida
