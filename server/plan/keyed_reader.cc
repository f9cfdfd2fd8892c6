#include "server/plan/keyed_reader.h"

#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

#include "embed/error.h"
#include "embed/instants.h"
#include "embed/value.h"

namespace machida::plan {
namespace {

using embed::Gil;
using embed::Object;

struct Shape {
  std::string_view action;
  std::size_t parts;
};
constexpr Shape kShapes[] = {{"batch", 4},         {"stateful_map", 5}, {"reduce", 4},
                             {"reduce_window", 5}, {"fold_window", 7},  {"collect_window", 4}};

const Shape* shape_of(std::string_view action) {
  for (const Shape& shape : kShapes)
    if (shape.action == action) return &shape;
  return nullptr;
}

// Of one step; its text names the part.
class Mistake : public std::runtime_error {
 public:
  using runtime_error::runtime_error;
};

template <class T>
T good(Result<T> result) {
  if (!result) throw Mistake(result.error());
  return *std::move(result);
}

class StepReader {
 public:
  StepReader(const Gil& gil, const std::vector<Object>& parts) : gil_(gil), parts_(parts) {}

  KeyedSpec read(std::string_view action) const {
    KeyedSpec spec{.id = embed::str(gil_, parts_[1]), .step = BatchSpec{}};
    if (action == "batch")
      spec.step = batch();
    else if (action == "stateful_map")
      spec.step = StatefulMapSpec{builder(2, 4), function(3, "mapper")};
    else if (action == "reduce")
      spec.step = ReduceSpec{function(2, "reducer"), function(3, "is_complete")};
    else if (action == "reduce_window")
      spec.step = windows(ReduceWindowSpec{function(4, "reducer")});
    else if (action == "fold_window")
      spec.step = windows(FoldWindowSpec{builder(4, 6), function(5, "folder")});
    else
      spec.step = windows(CollectWindowSpec{});
    return spec;
  }

 private:
  using Logic = decltype(WindowSpec::logic);

  BatchSpec batch() const {
    if (!embed::is_exactly_int(parts_[2])) refuse("max_size", "an int", parts_[2]);
    const std::int64_t max_size =
        embed::small_integer(parts_[2]).value_or(std::numeric_limits<std::int64_t>::max());
    const std::int64_t timeout_us = duration(parts_[3], "timeout");
    if (max_size < 0) throw Mistake("max_size must not be negative");
    if (timeout_us < 0) throw Mistake("timeout must not be negative");
    return {max_size, timeout_us};
  }

  WindowSpec windows(Logic logic) const {
    std::optional<Object> dt_getter = embed::find_attribute(gil_, parts_[2], "dt_getter");
    if (!dt_getter)
      return {window::Clock::system(), Object(), windows_of(parts_[3]), std::move(logic)};
    if (!embed::is_callable(*dt_getter)) refuse("dt_getter", "a function", *dt_getter);
    const std::int64_t wait_us = duration_of(parts_[2], "wait_for_system_duration");
    return {window::Clock::event(wait_us), std::move(*dt_getter), windows_of(parts_[3]),
            std::move(logic)};
  }

  window::Windows windows_of(const Object& config) const {
    if (embed::find_attribute(gil_, config, "gap"))
      return good(window::SessionWindows::make(duration_of(config, "gap")));
    const std::int64_t length_us = duration_of(config, "length");
    const Object align_to = attribute(config, "align_to");
    const std::optional<std::int64_t> align_us = embed::datetime_micros(gil_, align_to.get());
    embed::throw_if_pending(gil_);
    if (!align_us) refuse("align_to", "a datetime with tzinfo timezone.utc", align_to);
    if (!embed::find_attribute(gil_, config, "offset"))
      return good(window::SlidingWindows::tumbling(length_us, *align_us));
    return good(window::SlidingWindows::make(length_us, duration_of(config, "offset"), *align_us));
  }

  BuilderSpec builder(std::size_t part, std::size_t takes_key) const {
    return {function(part, "builder"), embed::integer(gil_, parts_[takes_key]) != 0};
  }

  Object function(std::size_t part, const char* name) const {
    if (!embed::is_callable(parts_[part])) refuse(name, "a function", parts_[part]);
    return parts_[part].clone(gil_);
  }

  Object attribute(const Object& config, const char* name) const {
    std::optional<Object> value = embed::find_attribute(gil_, config, name);
    if (!value) throw Mistake(embed::type_name(config) + " has no " + name);
    return std::move(*value);
  }

  std::int64_t duration_of(const Object& config, const char* name) const {
    return duration(attribute(config, name), name);
  }

  std::int64_t duration(const Object& value, const char* name) const {
    const std::optional<std::int64_t> us = embed::timedelta_micros(gil_, value.get());
    if (!us) refuse(name, "a timedelta", value);
    return *us;
  }

  [[noreturn]] void refuse(const char* name, const char* wanted, const Object& got) const {
    throw Mistake(std::string(name) + " must be " + wanted + ", got " + embed::type_name(got) +
                  ": " + embed::repr(gil_, got, 200));
  }

  const Gil& gil_;
  const std::vector<Object>& parts_;
};

}  // namespace

bool is_keyed_step(std::string_view action) { return shape_of(action) != nullptr; }

std::optional<KeyedSpec> read_keyed_step(const Gil& gil, const std::vector<Object>& parts,
                                         Mistakes& mistakes) {
  const std::string action = embed::str(gil, parts.at(0));
  const Shape* shape = shape_of(action);
  const std::string id = parts.size() > 1 ? embed::str(gil, parts[1]) : "";
  const std::string place = action + " step '" + id + "': ";
  try {
    if (!shape || parts.size() != shape->parts)
      throw Mistake("a tuple of " + std::to_string(parts.size()) + " parts is no such step");
    if (!embed::is_str(parts[1])) throw Mistake("its id must be a str");
    return StepReader(gil, parts).read(action);
  } catch (const Mistake& mistake) {
    mistakes.add(place + mistake.what());
    return std::nullopt;
  }
}

}  // namespace machida::plan
