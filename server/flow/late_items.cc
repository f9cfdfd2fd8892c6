#include "server/flow/late_items.h"

#include "embed/instants.h"
#include "embed/value.h"
#include "server/base/log.h"

namespace machida::flow {

void LateItems::add(const embed::Gil& gil, _object* key, window::Micros item_us,
                    window::Micros watermark_us) {
  count_.add();
  if (!log::worth_a_line(count_.value())) return;
  log::warn(
      "step '{}': an item of key {} came late: it has time {}, the watermark is {}, and a window "
      "of "
      "it had closed, which lacks the item; {} late items so far",
      step_, embed::repr(gil, embed::Object::borrow(gil, key), 200),
      embed::str(gil, embed::make_utc_datetime(gil, item_us)),
      embed::str(gil, embed::make_utc_datetime(gil, watermark_us)), count_.value());
}

}  // namespace machida::flow
