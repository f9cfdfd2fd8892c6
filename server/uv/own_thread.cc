#include "server/uv/own_thread.h"

#include <chrono>
#include <utility>

namespace machida::uv {

OwnThread::OwnThread(Loop& loop)
    : shared_(std::make_shared<Shared>()),
      wake_(std::make_unique<Wake>(loop, [this] { report(); })) {
  shared_->wake = wake_.get();
  thread_ = std::thread([shared = shared_] { serve(shared); });
}

OwnThread::~OwnThread() {
  if (thread_.joinable()) end([] {}, 0);
  if (thread_.joinable()) thread_.detach();
}

void OwnThread::post(std::function<void()> work, std::function<void()> done) {
  const std::lock_guard lock(shared_->mutex);
  shared_->jobs.push_back({std::move(work), std::move(done)});
  shared_->changed.notify_all();
}

bool OwnThread::end(std::function<void()> last, std::uint64_t wait_ms) {
  if (!thread_.joinable()) return true;
  std::deque<Job> dropped;  // freed without the lock
  std::unique_lock lock(shared_->mutex);
  if (!std::exchange(shared_->ending, true)) {
    shared_->wake = nullptr;
    dropped.swap(shared_->jobs);
    shared_->jobs.push_back({std::move(last), nullptr});
    shared_->changed.notify_all();
  }
  const bool ended = shared_->changed.wait_for(lock, std::chrono::milliseconds(wait_ms),
                                               [this] { return shared_->ended; });
  lock.unlock();
  if (ended) thread_.join();
  return ended;
}

void OwnThread::serve(const std::shared_ptr<Shared>& shared) {
  std::unique_lock lock(shared->mutex);
  while (true) {
    shared->changed.wait(lock, [&shared] { return shared->ending || !shared->jobs.empty(); });
    if (shared->jobs.empty()) break;
    {
      Job job = std::move(shared->jobs.front());
      shared->jobs.pop_front();
      lock.unlock();
      job.work();
      job.work = nullptr;  // what it holds ends here, without the lock
      lock.lock();
      if (shared->wake) {
        shared->done.push_back(std::move(job.done));
        shared->wake->ask();
      }
      lock.unlock();
    }
    lock.lock();
  }
  shared->ended = true;
  shared->changed.notify_all();
}

void OwnThread::report() {
  std::deque<std::function<void()>> done;
  {
    const std::lock_guard lock(shared_->mutex);
    done.swap(shared_->done);
  }
  for (const std::function<void()>& then : done) then();
}

}  // namespace machida::uv
