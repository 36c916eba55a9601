#include "constellm/services/heuristics/slots.hpp"

#include <algorithm>
#include <limits>

namespace constellm::services::heuristics {
namespace {

using core::z;
constexpr double kNever = std::numeric_limits<double>::infinity();

// Least delays are summed in another order than a plan's delay.
constexpr double kSumRoom = 1.0 + 1e-11;

}  // namespace

Answer stopped(const core::StopToken& stop) {
  Answer answer;
  if (stop.reason() == core::StopReason::interrupted) answer.status = core::Status::interrupted;
  return answer;
}

Slots::Slots(Problem problem, Routes routes, core::StopToken& stop)
    : problem_(std::move(problem)), routes_(std::move(routes)), nodes_(z(problem_.node_count())) {
  lay_out();
  find_rows(stop);
  find_candidates(stop);
}

void Slots::lay_out() {
  const std::vector<Task>& tasks = problem_.tasks();
  of_service_.resize(problem_.services().size());
  first_.push_back(0);
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    for (const Stage& stage : tasks[t].stages) {
      of_service_[z(stage.service)].push_back(count());
      service_.push_back(stage.service);
      task_.push_back(static_cast<std::int32_t>(t));
    }
    first_.push_back(count());
    const double share = problem_.samples() ? 0.0 : std::min(1.0, problem_.limits().budget);
    raised_per_s_.push_back(tasks[t].rate_per_s + share * tasks[t].deviation_per_s);
  }
  if (const auto& samples = problem_.samples()) {
    for (std::size_t i = 0; i < samples->rate_per_s.size(); ++i) {
      double& most = raised_per_s_[i % tasks.size()];
      most = std::max(most, samples->rate_per_s[i]);
    }
  }
  first_way_ = problem_.first_transfer();
  for (std::size_t i = 0; i < problem_.transfers().size(); ++i) {
    const Transfer& transfer = problem_.transfers()[i];
    const auto slot = [&](std::int32_t stage) {
      return stage == kEndpoint ? kEndpoint : first(transfer.task) + stage;
    };
    ways_.push_back({static_cast<std::int32_t>(i), slot(transfer.from), slot(transfer.to), transfer.bytes});
  }
}

void Slots::find_rows(core::StopToken& stop) {
  compute_s_.assign(problem_.services().size() * nodes_, kNever);
  for (std::size_t s = 0; s < problem_.services().size(); ++s) {
    for (const std::int32_t v : problem_.services()[s].hosts)
      compute_s_[s * nodes_ + z(v)] = problem_.compute_s(static_cast<std::int32_t>(s), v);
  }
  rows_.assign(ways_.size() * nodes_, nullptr);
  for (const Way& way : ways_) {
    if (stop.should_stop(nodes_)) throw core::Stopped();
    const auto row = [&](std::int32_t v) {
      rows_[z(way.transfer) * nodes_ + z(v)] = routes_.seconds(way.transfer, v).data();
    };
    if (way.from == kEndpoint) {
      row(problem_.tasks()[z(problem_.transfers()[z(way.transfer)].task)].source);
    } else {
      for (const std::int32_t v : problem_.services()[z(service(way.from))].hosts) row(v);
    }
  }
}

/// Whether a node could carry the slot alone.
bool Slots::holds(std::int32_t slot, std::int32_t node) const {
  const Service& service = problem_.services()[z(service_[z(slot)])];
  if (service.memory_bytes > problem_.memory_limit_bytes(node)) return false;
  if (problem_.samples()) return true;  // some of them may break
  return raised_per_s_[z(task_[z(slot)])] * service.flop <=
         problem_.node_capacity_flop_per_s(node) * kSumRoom;
}

void Slots::find_candidates(core::StopToken& stop) {
  const auto slots = z(count());
  candidates_.resize(slots);
  std::vector<std::vector<double>> end_s(slots);   // of a slot, at the earliest
  std::vector<std::vector<double>> left_s(slots);  // from its end to the task's, at the least
  std::vector<double> at_s(nodes_);
  for (std::int32_t k = 0; k < count(); ++k) {
    for (const std::int32_t v : problem_.services()[z(service(k))].hosts)
      if (holds(k, v)) candidates_[z(k)].push_back(v);
  }
  for (std::int32_t t = 0; t < task_count(); ++t) {
    const Task& task = problem_.tasks()[z(t)];
    for (std::int32_t k = first(t); k < end(t); ++k) end_s[z(k)].assign(nodes_, 0.0);
    for (const Way& way : ways(t)) {
      if (way.to == kEndpoint) continue;
      const std::vector<std::int32_t>& here = candidates_[z(way.to)];
      std::fill(at_s.begin(), at_s.end(), kNever);
      if (way.from == kEndpoint) {
        for (const std::int32_t v : here) at_s[z(v)] = seconds(way.transfer, task.source, v);
      } else {
        for (const std::int32_t u : candidates_[z(way.from)]) {
          if (stop.should_stop(here.size() / 16 + 1)) throw core::Stopped();
          const double* const row = rows_[z(way.transfer) * nodes_ + z(u)];
          const double begun_s = end_s[z(way.from)][z(u)] + compute_s(service(way.from), u);
          for (const std::int32_t v : here) at_s[z(v)] = std::min(at_s[z(v)], begun_s + row[v]);
        }
      }
      for (const std::int32_t v : here) end_s[z(way.to)][z(v)] = std::max(end_s[z(way.to)][z(v)], at_s[z(v)]);
    }
    for (std::int32_t k = first(t); k < end(t); ++k) left_s[z(k)].assign(nodes_, 0.0);
    const std::span<const Way> all = ways(t);
    for (auto way = all.rbegin(); way != all.rend(); ++way) {
      if (way->from == kEndpoint) continue;
      for (const std::int32_t u : candidates_[z(way->from)]) {
        const double* const row = rows_[z(way->transfer) * nodes_ + z(u)];
        double least_s = kNever;
        if (way->to == kEndpoint) {
          least_s = row[task.sink];
        } else {
          const std::vector<std::int32_t>& next = candidates_[z(way->to)];
          if (stop.should_stop(next.size() / 16 + 1)) throw core::Stopped();
          for (const std::int32_t v : next)
            least_s = std::min(least_s, row[v] + compute_s(service(way->to), v) + left_s[z(way->to)][z(v)]);
        }
        double& left = left_s[z(way->from)][z(u)];
        left = std::max(left, least_s);
      }
    }
    for (std::int32_t k = first(t); k < end(t); ++k) {
      std::vector<double>& through = end_s[z(k)];
      std::vector<std::int32_t>& kept = candidates_[z(k)];
      for (const std::int32_t v : kept) through[z(v)] += compute_s(service(k), v) + left_s[z(k)][z(v)];
      const double limit = problem_.deadline_limit_s(t) * kSumRoom;
      std::erase_if(kept, [&](std::int32_t v) { return !(through[z(v)] < kNever) || through[z(v)] > limit; });
      std::sort(kept.begin(), kept.end(), [&](std::int32_t u, std::int32_t v) {
        return std::pair(through[z(u)], u) < std::pair(through[z(v)], v);
      });
    }
  }
  may_host_.assign(slots * nodes_, 0);
  for (std::size_t k = 0; k < slots; ++k)
    for (const std::int32_t v : candidates_[k]) may_host_[k * nodes_ + z(v)] = 1;
}

bool Slots::placeable(std::int32_t task) const {
  for (std::int32_t k = first(task); k < end(task); ++k)
    if (candidates(k).empty()) return false;
  return true;
}

Assignment Slots::assignment_of(std::span<const std::int32_t> node_of) const {
  Assignment found(problem_.tasks().size());
  for (std::int32_t t = 0; t < task_count(); ++t) {
    if (node_of[z(first(t))] < 0) continue;
    found[z(t)].assign(node_of.begin() + first(t), node_of.begin() + end(t));
  }
  return found;
}

std::vector<std::int32_t> Slots::nodes_of(const Assignment& assignment) const {
  std::vector<std::int32_t> found(z(count()), -1);
  for (std::int32_t t = 0; t < task_count(); ++t)
    std::copy(assignment[z(t)].begin(), assignment[z(t)].end(), found.begin() + first(t));
  return found;
}

std::span<const std::int32_t> RouteLinks::operator()(std::int32_t transfer, std::int32_t origin,
                                                     std::int32_t target) {
  const auto nodes = static_cast<std::uint64_t>(slots_->problem().node_count());
  const std::uint64_t key =
      (static_cast<std::uint64_t>(transfer) * nodes + static_cast<std::uint64_t>(origin)) * nodes +
      static_cast<std::uint64_t>(target);
  const auto [at, is_new] = found_.try_emplace(key);
  if (is_new) at->second = slots_->routes().links(transfer, origin, target);
  return at->second;
}

}  // namespace constellm::services::heuristics
