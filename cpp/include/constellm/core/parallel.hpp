#pragma once
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace constellm::core {

/// Calls `worker()(i)` for every i below `count` on up to `threads` threads, the calling one among
/// them. `worker` is called once in every thread, so that what it returns may have scratch of its
/// own; what `i` writes must not depend on the others. The calling thread asks `interrupted()` after
/// each of its calls, and when that is true the rest is left undone. Returns whether all was done; the
/// first exception ends all and is thrown on.
template <class Worker, class Interrupted>
bool parallel_for(std::size_t count, int threads, Worker worker, Interrupted interrupted) {
  std::atomic<std::size_t> next{0};
  std::atomic<bool> stop{false};
  std::exception_ptr failure;
  std::mutex mutex;
  const auto run = [&](auto asked_to_stop) {
    try {
      auto call = worker();
      while (!stop) {
        const std::size_t i = next++;
        if (i >= count) return;
        call(i);
        if (asked_to_stop()) stop = true;
      }
    } catch (...) {
      stop = true;
      const std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> others;
    const std::size_t most = std::min(count, static_cast<std::size_t>(std::max(threads, 1)));
    for (std::size_t t = 1; t < most; ++t) others.emplace_back([&] { run([] { return false; }); });
    run(interrupted);
  }
  if (failure) std::rethrow_exception(failure);
  return !stop;
}

}  // namespace constellm::core
