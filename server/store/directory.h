// The resilience directory: made 0700, refused when it is not safe to unpickle what lies in it, and
// locked while a server runs on it.
#pragma once

#include <string>

#include "server/base/handle.h"

namespace machida::store {

class Directory {
 public:
  enum class Access {
    kServe,    // created if it is not there; locked against a second server
    kWorker,   // must exist; a process that this one belongs to has locked it
    kInspect,  // must exist; not locked
  };
  // Throws StoreError (server/store/store.h) with the path and what is wrong: it belongs to
  // somebody else, is group- or world-writable, is a file, is in use.
  Directory(const std::string& path, Access access);
  ~Directory();
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  const std::string& path() const noexcept { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
  int lock_ = -1;    // a file descriptor
  int worker_ = -1;  // the same, held by every worker: a new server waits until all are gone
};

}  // namespace machida::store
