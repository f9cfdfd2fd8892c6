// What a windowing operator does with the values of one window: reduce, fold or collect them. Knows
// nothing of when windows open and close.
#pragma once

#include <memory>
#include <vector>

#include "embed/gil.h"
#include "embed/object.h"
#include "server/flow/keyed_builder.h"
#include "server/window/open_window.h"

namespace machida::flow {

// What one open window of a key holds.
struct WindowSlot {
  window::WindowId id{};
  embed::Object held;                 // what the logic keeps; empty: nothing yet
  std::vector<window::Micros> times;  // of the values in `held`, where the logic sorts by them
};

// Which of the user's functions raised, with the exception set; all right when `what` is null.
struct UserFailure {
  const char* what = nullptr;  // as in note_user_call
  _object* function = nullptr;
  embed::Object value;  // that it failed on, if not the one that was added

  explicit operator bool() const noexcept { return what != nullptr; }
};

class WindowLogic {
 public:
  virtual ~WindowLogic() = default;

  [[nodiscard]] virtual UserFailure add(const embed::Gil&, WindowSlot& slot, _object* key,
                                        _object* value, window::Micros time_us) const = 0;
  // What `from` holds belongs behind what `into` holds. Both hold something.
  [[nodiscard]] virtual UserFailure merge(const embed::Gil&, WindowSlot& into,
                                          WindowSlot& from) const = 0;
  // The window's output, from a slot that holds something and is not used any more.
  [[nodiscard]] virtual UserFailure finish(const embed::Gil&, WindowSlot& slot, _object* key,
                                           embed::Object& output) const = 0;
};

// The first value is the accumulator, reducer(accumulator, value) the next; of merged windows
// reducer(accumulator, accumulator).
std::unique_ptr<WindowLogic> reduce_logic(embed::Object reducer);

// What happens to the windows of a fold_window when they meet.
enum class FoldedWindows {
  kStayApart,
  // They may become one. Two accumulators can't be made one by a folder, so the values are kept and
  // folded when the window closes.
  kMayMerge,
};

// folder(accumulator, value), beginning with what the builder makes.
std::unique_ptr<WindowLogic> fold_logic(KeyedBuilder builder, embed::Object folder,
                                        FoldedWindows windows);

// A list of the values, sorted by their time; those of one time in the order in which they came.
std::unique_ptr<WindowLogic> collect_logic();

}  // namespace machida::flow
