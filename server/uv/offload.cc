#include "server/uv/offload.h"

namespace machida::uv {
namespace {

struct Job {
  uv_work_t request{};
  Loop* loop;
  std::function<void()> work, done;
};

}  // namespace

void offload(Loop& loop, std::function<void()> work, std::function<void()> done) {
  auto job = std::make_unique<Job>();
  job->loop = &loop;
  job->work = std::move(work);
  job->done = std::move(done);
  job->request.data = job.get();
  const auto on_thread = [](uv_work_t* request) { static_cast<Job*>(request->data)->work(); };
  const auto on_loop = [](uv_work_t* request, int) {
    const std::unique_ptr<Job> owned(static_cast<Job*>(request->data));
    owned->loop->guard(owned->done);
  };
  require(uv_queue_work(loop.raw(), &job->request, on_thread, on_loop), "uv_queue_work");
  (void)job.release();  // on_loop frees it
}

Wake::Wake(Loop& loop, std::function<void()> on_wake)
    : loop_(loop), on_wake_(std::move(on_wake)), handle_(this) {
  const auto on_async = [](uv_async_t* raw) {
    if (auto* self = Handle<uv_async_t>::owner_of<Wake>(raw)) self->loop_.guard(self->on_wake_);
  };
  require(uv_async_init(loop.raw(), handle_.raw(), on_async), "uv_async_init");
  handle_.opened();
}

}  // namespace machida::uv
