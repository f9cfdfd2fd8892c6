// `machida recovery` for a directory with the recovery partitions of dataflows.
#pragma once

#include "server/recovery_text.h"

namespace machida {

void look_at_parts(const RecoveryWanted& wanted, RecoveryReport& report);

}  // namespace machida
