#include "server/metrics/counter.h"

#include <doctest/doctest.h>

TEST_CASE("a counter is found again by name and labels, and totals add up over labels") {
  machida::metrics::Registry registry;
  machida::metrics::Counter& a = registry.counter("x_total", {{"step", "a"}});
  a.add();
  registry.counter("x_total", {{"step", "b"}}).add(4);
  registry.counter("y_total").add(100);
  CHECK(&registry.counter("x_total", {{"step", "a"}}) == &a);
  CHECK(registry.total("x_total") == 5);
  CHECK(registry.total("z_total") == 0);
}
