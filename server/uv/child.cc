#include "server/uv/child.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "server/base/check.h"

namespace machida::uv {
namespace {

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

std::vector<uv_stdio_container_t> stdio_of(const std::map<int, int>& descriptors) {
  const int last = descriptors.empty() ? 2 : descriptors.rbegin()->first;
  std::vector<uv_stdio_container_t> out(static_cast<std::size_t>(last) + 1);
  for (int i = 0; i <= last; ++i) {
    const auto given = descriptors.find(i);
    const bool inherited = i <= 2 || given != descriptors.end();
    out[i].flags = inherited ? UV_INHERIT_FD : UV_IGNORE;
    if (inherited) out[i].data.fd = i <= 2 ? i : given->second;
  }
  return out;
}

}  // namespace

std::string ChildExit::text() const {
  if (signal == 0) return "ended with status " + std::to_string(status);
  return "was killed by signal " + std::to_string(signal) + " (" + strsignal(signal) + ")";
}

Child::Child(Loop& loop, std::function<void(const ChildExit&)> on_exit)
    : loop_(loop), on_exit_(std::move(on_exit)), handle_(this) {}

Child::~Child() {
  if (!running()) return;
  kill();
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

Result<pid_t> Child::start(const ChildProgram& program) {
  MACHIDA_CHECK(program.descriptors.empty() || program.descriptors.begin()->first > 2,
                "0, 1 and 2 are passed on anyway");
  std::vector<std::string> argv = program.argv;
  std::vector<char*> raw_argv = pointers(argv);
  std::vector<uv_stdio_container_t> stdio = stdio_of(program.descriptors);
  uv_process_options_t options{};
  options.file = program.path.c_str();
  options.args = raw_argv.data();
  options.stdio = stdio.data();
  options.stdio_count = static_cast<int>(stdio.size());
  options.exit_cb = [](uv_process_t* raw, std::int64_t status, int signal) {
    Child* self = Handle<uv_process_t>::owner_of<Child>(raw);
    if (!self) return;
    self->pid_ = 0;
    self->loop_.guard([self, status, signal] {
      self->on_exit_({.status = static_cast<int>(status), .signal = signal});
    });
  };
  const int status = uv_spawn(loop_.raw(), handle_.raw(), &options);
  handle_.opened();  // also when it failed
  if (status != 0) return Error{program.path + " can't be started: " + error_text(status)};
  pid_ = uv_process_get_pid(handle_.raw());
  return pid_;
}

void Child::kill() noexcept {
  if (running()) uv_process_kill(handle_.raw(), SIGKILL);
}

void die_with_parent(pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::raise(SIGKILL);
}

}  // namespace machida::uv
