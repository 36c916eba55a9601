#include "constellm/sweep/run.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <thread>

namespace constellm::sweep {
namespace {

constexpr std::chrono::milliseconds kReportPeriod{50};

/// What the threads of a crew have in common.
struct Shared {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::condition_variable all_done;
  std::size_t running = 0;     ///< guarded by `mutex`, as what follows
  std::exception_ptr failure;  ///< the first
};

}  // namespace

void Crew::run(std::size_t count, std::int32_t threads, const std::function<Work()>& make_work,
               const std::function<bool()>& report) {
  Shared shared;
  shared.running = std::min<std::size_t>(static_cast<std::size_t>(std::max(threads, 1)), count);
  const auto work_through = [&] {
    std::exception_ptr failure;
    try {
      const Work work = make_work();
      while (!stop_) {
        const std::size_t i = shared.next++;
        if (i >= count) break;
        work(i);
      }
    } catch (...) {
      failure = std::current_exception();
      stop_ = true;
    }
    const std::lock_guard lock(shared.mutex);
    if (failure && !shared.failure) shared.failure = failure;
    if (--shared.running == 0) shared.all_done.notify_all();
  };
  std::vector<std::jthread> workers;
  try {
    for (std::size_t left = shared.running; left > 0; --left) workers.emplace_back(work_through);
    for (bool done = false; !done;) {
      {
        std::unique_lock lock(shared.mutex);
        done = shared.all_done.wait_for(lock, kReportPeriod, [&] { return shared.running == 0; });
      }
      if (report()) stop_ = true;
    }
  } catch (...) {
    stop_ = true;  // the workers are joined on the way out
    throw;
  }
  if (shared.failure) std::rethrow_exception(shared.failure);
}

}  // namespace constellm::sweep
