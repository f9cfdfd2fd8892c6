// How the epochs of several workers end together: the two sides of one conversation.
//
//   member                             accord (server/cluster/coordination.h)
//   want_end()                    →
//                                 ←    end_epoch(e): all of e is processed here, nothing behind it
//   stored(e)                     →
//                                 ←    commit(e): every worker has stored e, so it counts
//   committed(e)                  →
//                                 ←    close(e): every worker has committed
//   closed(e)                     →
//
// Each answer comes at once, from within the question, or later.
#pragma once

#include <cstdint>

namespace machida::checkpoint {

// What one worker does in an epoch's end.
class EpochMember {
 public:
  virtual ~EpochMember() = default;
  virtual void end_epoch(std::int64_t epoch) = 0;
  virtual void commit(std::int64_t epoch) = 0;
  virtual void close(std::int64_t epoch) = 0;
};

class Accord {
 public:
  virtual ~Accord() = default;
  // Something happened here that an epoch should end for.
  virtual void want_end() = 0;
  virtual void stored(std::int64_t epoch) = 0;
  virtual void committed(std::int64_t epoch) = 0;
  // The member is ready for the end of the next one.
  virtual void closed(std::int64_t epoch) = 0;
};

}  // namespace machida::checkpoint
