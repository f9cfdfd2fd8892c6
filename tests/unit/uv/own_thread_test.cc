#include "server/uv/own_thread.h"

#include <doctest/doctest.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "server/uv/timer.h"

using namespace machida;

TEST_CASE("an own thread does one piece after another and reports on the loop") {
  uv::Loop loop;
  uv::OwnThread thread(loop);
  std::string seen;
  const std::thread::id here = std::this_thread::get_id();
  thread.post([&] { seen += std::this_thread::get_id() == here ? "loop " : "own "; },
              [&] { seen += std::this_thread::get_id() == here ? "loop " : "own "; });
  thread.post([] {}, [&] { loop.stop(); });
  loop.run();
  CHECK(seen == "own loop ");
  CHECK(thread.end([&] { seen += "last"; }, 60'000));
  CHECK(seen == "own loop last");
}

TEST_CASE("an own thread that is ended drops what has not begun and reports nothing") {
  uv::Loop loop;
  auto thread = std::make_unique<uv::OwnThread>(loop);
  std::promise<void> begun, go_on;
  std::string seen;
  thread->post(
      [&] {
        begun.set_value();
        go_on.get_future().wait();
        seen += "first ";
      },
      [&] { seen += "reported "; });
  thread->post([&] { seen += "second "; }, [] {});
  begun.get_future().wait();
  CHECK_FALSE(thread->end([&] { seen += "last"; }, 1));
  go_on.set_value();
  CHECK(thread->end([] {}, 60'000));
  CHECK(seen == "first last");
  uv::Timer timer(loop, [&] { loop.stop(); });
  timer.start(1);
  loop.run();
  CHECK(seen == "first last");
  thread.reset();
}

TEST_CASE("an own thread that hangs outlives its owner") {
  uv::Loop loop;
  const auto go_on = std::make_shared<std::promise<void>>();
  std::promise<void> begun, ended;
  {
    uv::OwnThread thread(loop);
    thread.post(
        [go_on, &begun] {
          begun.set_value();
          go_on->get_future().wait();
        },
        [] {});
    begun.get_future().wait();
    CHECK_FALSE(thread.end([&ended] { ended.set_value(); }, 1));
  }
  go_on->set_value();
  CHECK(ended.get_future().wait_for(std::chrono::seconds(60)) == std::future_status::ready);
}
