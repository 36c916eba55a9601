#include "constellm/services/heuristics/state.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace constellm::services::heuristics {
namespace {

using core::z;

// The least excess that counts, so that no limit is broken by a hair for nothing.
constexpr double kStep = 0.02;

double excess_of(double amount, double limit) {
  if (amount <= limit) return 0.0;
  return limit > 0.0 ? kStep + std::log1p((amount - limit) / limit) : 1.0;
}

}  // namespace

State::State(const Slots& slots, Scales scales)
    : slots_(&slots),
      problem_(&slots.problem()),
      scales_(scales),
      nodes_(z(problem_->node_count())),
      links_(z(problem_->link_count())),
      tasks_(problem_->tasks().size()),
      routes_(slots) {
  const double budget = problem_->limits().budget;
  const auto rising = std::count_if(problem_->tasks().begin(), problem_->tasks().end(),
                                    [](const Task& task) { return task.deviation_per_s > 0.0; });
  if (problem_->samples()) {
    demand_ = Demand::samples;
    width_ = problem_->samples()->rate_per_s.size() / tasks_;
  } else if (budget > 0.0 && budget < static_cast<double>(rising)) {
    demand_ = Demand::budget;
    width_ = tasks_;
  }
  for (std::size_t v = 0; v < nodes_; ++v)
    capacity_.push_back(problem_->node_capacity_flop_per_s(static_cast<std::int32_t>(v)));
  for (std::size_t l = 0; l < links_; ++l)
    capacity_.push_back(problem_->link_capacity_bps(static_cast<std::int32_t>(l)));
  weight_.assign(samples_limit() + 1, scales.penalty);
  task_is_dirty_.assign(tasks_, 0);
  node_is_dirty_.assign(nodes_, 0);
  load_is_dirty_.assign(nodes_ + links_, 0);
  end_s_.assign(z(slots.count()), 0.0);
  clear();
}

void State::clear() {
  node_of_.assign(z(slots_->count()), -1);
  uses_.assign(problem_->services().size() * nodes_, 0);
  load_.assign(nodes_ + links_, 0.0);
  parts_.assign((links_watched_ ? nodes_ + links_ : nodes_) * width_, 0.0);
  memory_.assign(nodes_, 0.0);
  delay_s_.assign(tasks_, 0.0);
  counted_.assign(tasks_, 0.0);
  loaded_.assign(problem_->transfers().size(), {});
  excess_.assign(weight_.size(), 0.0);
  if (demand_ == Demand::samples) {
    sample_over_.assign(width_, 0.0);
    sample_excess_.assign(width_, 0.0);
  }
  sums_ = {};
  for (const Task& task : problem_->tasks()) sums_.rejected += task.weight;
}

void State::set(std::span<const std::int32_t> node_of) {
  const std::vector<std::int32_t> wanted(node_of.begin(), node_of.end());
  clear();
  for (std::int32_t k = 0; k < slots_->count(); ++k) place(k, wanted[z(k)]);
  settle();
  keep();
}

void State::watch_links() {
  if (links_watched_) return;
  links_watched_ = true;
  set(node_of_);
}

void State::rescale(Scales scales) {
  for (double& weight : weight_) weight *= scales.penalty / scales_.penalty;
  scales_ = scales;
  set(node_of_);
}

double State::first() const {
  switch (problem_->objective()) {
    case Objective::cost: return sums_.cost;
    case Objective::delay: return mean_delay_s();
    case Objective::admitted: return sums_.rejected;
  }
  return 0.0;
}

double State::second() const {
  return problem_->objective() == Objective::cost ? mean_delay_s() : sums_.cost;
}

double State::energy() const { return scales_.first * first() + scales_.second * second() + sums_.penalty; }

void State::begin() {
  if (open_) return;
  open_ = true;
  before_ = sums_;
  log_.clear();
  moved_.clear();
  reloaded_.clear();
}

void State::place(std::int32_t slot, std::int32_t node) {
  const std::int32_t before = node_of_[z(slot)];
  if (before == node) return;
  begin();
  moved_.push_back({slot, before});
  if (before >= 0) touch_use(slot, before, -1);
  if (node >= 0) touch_use(slot, node, 1);
  node_of_[z(slot)] = node;
  const std::int32_t t = slots_->task(slot);
  if (task_is_dirty_[z(t)] == 0) {
    task_is_dirty_[z(t)] = 1;
    dirty_tasks_.push_back(t);
  }
}

void State::touch_use(std::int32_t slot, std::int32_t node, std::int32_t by) {
  const std::int32_t s = slots_->service(slot);
  const Service& service = problem_->services()[z(s)];
  std::int32_t& uses = uses_[z(s) * nodes_ + z(node)];
  uses += by;
  if (uses == std::max(by, 0)) {  // opened or closed
    write(memory_[z(node)], memory_[z(node)] + by * service.memory_bytes);
    sums_.cost += by * service.cost;
    if (node_is_dirty_[z(node)] == 0) {
      node_is_dirty_[z(node)] = 1;
      dirty_nodes_.push_back(node);
    }
  }
  add_load(z(node), slots_->task(slot), by * service.flop);
}

void State::add_load(std::size_t resource, std::int32_t task, double amount) {
  if (amount == 0.0) return;
  if (demand_ == Demand::samples) return add_sample_load(resource, task, amount);
  if (demand_ == Demand::budget) {
    double& part = parts_[resource * width_ + z(task)];
    write(part, part + amount);
  } else {
    write(load_[resource], load_[resource] + amount * slots_->raised_per_s(task));
  }
  if (load_is_dirty_[resource] == 0) {
    load_is_dirty_[resource] = 1;
    dirty_loads_.push_back(resource);
  }
}

void State::add_sample_load(std::size_t resource, std::int32_t task, double amount) {
  const double* const rates = problem_->samples()->rate_per_s.data();
  for (std::size_t q = 0; q < width_; ++q) {
    double& part = parts_[resource * width_ + q];
    const double before = excess_of(part, capacity_[resource]);
    write(part, part + amount * rates[q * tasks_ + z(task)]);
    const double after = excess_of(part, capacity_[resource]);
    if (before == after) continue;
    write(sample_excess_[q], sample_excess_[q] + (after - before));
    const double over = (after > 0.0 ? 1.0 : 0.0) - (before > 0.0 ? 1.0 : 0.0);
    if (over != 0.0) write(sample_over_[q], sample_over_[q] + over);
    samples_dirty_ = true;
  }
}

bool State::placed(std::int32_t task) const {
  for (std::int32_t k = slots_->first(task); k < slots_->end(task); ++k)
    if (node(k) < 0) return false;
  return true;
}

/// When a task ends; `out_of_reach`: how far its ways are from being there in time, 0 for all well.
double State::time_task(std::int32_t task, double& out_of_reach) {
  const Task& terms = problem_->tasks()[z(task)];
  double sent_s = 0.0;
  std::int32_t open = kEndpoint;  // the slot whose inputs are coming in
  double began_s = 0.0;
  const auto close = [&] {
    if (open != kEndpoint) end_s_[z(open)] = began_s + slots_->compute_s(slots_->service(open), node(open));
  };
  for (const Way& way : slots_->ways(task)) {
    if (way.to != open) {
      close();
      open = way.to;
      began_s = 0.0;
    }
    const std::int32_t from = way.from == kEndpoint ? terms.source : node(way.from);
    const std::int32_t to = way.to == kEndpoint ? terms.sink : node(way.to);
    sent_s = way.from == kEndpoint ? 0.0 : end_s_[z(way.from)];
    if (from != to) {
      const double seconds = slots_->seconds(way.transfer, from, to);
      if (!(seconds < std::numeric_limits<double>::infinity())) {
        out_of_reach += 1.0;
      } else {
        if (problem_->links_end()) {
          const network::LinkColumns& columns = problem_->graph().columns();
          double along_s = 0.0;
          for (const std::int32_t l : routes_(way.transfer, from, to)) {
            along_s += columns.latency_s[z(l)] + 8.0 * way.bytes / columns.rate_bps[z(l)];
            out_of_reach += excess_of(sent_s + along_s, problem_->life_s(l));
          }
        }
        sent_s += seconds;
      }
    }
    began_s = std::max(began_s, sent_s);
  }
  return began_s;  // the last way is the one to the sink
}

void State::settle_task(std::int32_t task) {
  const Task& terms = problem_->tasks()[z(task)];
  double delay_s = 0.0, out_of_reach = 0.0;
  const bool is_in = placed(task);
  if (is_in) delay_s = time_task(task, out_of_reach);
  sums_.delay += terms.rate_per_s * (delay_s - delay_s_[z(task)]);
  write(delay_s_[z(task)], delay_s);
  const double more = (is_in ? 1.0 : 0.0) - counted_[z(task)];
  if (more != 0.0) {
    write(counted_[z(task)], counted_[z(task)] + more);
    sums_.admitted += is_in ? 1 : -1;
    sums_.rate_per_s += more * terms.rate_per_s;
    sums_.rejected -= more * terms.weight;
  }
  set_excess(deadline_limit(task), is_in ? excess_of(delay_s, problem_->deadline_limit_s(task)) : 0.0);
  set_excess(way_limit(task), out_of_reach);
  if (links_watched_) settle_links(task);
}

void State::settle_links(std::int32_t task) {
  const Task& terms = problem_->tasks()[z(task)];
  const bool is_in = placed(task);
  for (const Way& way : slots_->ways(task)) {
    Ends ends;
    if (is_in) {
      ends.from = way.from == kEndpoint ? terms.source : node(way.from);
      ends.to = way.to == kEndpoint ? terms.sink : node(way.to);
      const bool reached = ends.from == ends.to || slots_->seconds(way.transfer, ends.from, ends.to) <
                                                       std::numeric_limits<double>::infinity();
      if (!reached) ends = {};
    }
    Ends& before = loaded_[z(way.transfer)];
    if (before.from == ends.from && before.to == ends.to) continue;
    const double bits = 8.0 * way.bytes;
    if (before.from != before.to)
      for (const std::int32_t l : routes_(way.transfer, before.from, before.to))
        add_load(nodes_ + z(l), task, -bits);
    if (ends.from != ends.to)
      for (const std::int32_t l : routes_(way.transfer, ends.from, ends.to))
        add_load(nodes_ + z(l), task, bits);
    reloaded_.emplace_back(way.transfer, before);
    before = ends;
  }
}

void State::set_excess(std::size_t limit, double excess) {
  double& now = excess_[limit];
  if (now == excess) return;
  sums_.penalty += weight_[limit] * (excess - now);
  sums_.broken += (excess > 0.0 ? 1 : 0) - (now > 0.0 ? 1 : 0);
  write(now, excess);
}

void State::settle_load(std::size_t resource) {
  if (demand_ == Demand::budget) {
    double nominal = 0.0;
    raise_.clear();
    for (std::size_t t = 0; t < tasks_; ++t) {
      const double part = parts_[resource * width_ + t];
      if (part == 0.0) continue;
      nominal += problem_->tasks()[t].rate_per_s * part;
      raise_.push_back(problem_->tasks()[t].deviation_per_s * part);
    }
    write(load_[resource], worst_load(nominal, raise_, problem_->limits().budget));
  }
  set_excess(resource, excess_of(load_[resource], capacity_[resource]));
}

double State::sample_excess() const {
  sorted_.clear();
  for (std::size_t q = 0; q < width_; ++q)
    if (sample_over_[q] > 0.0) sorted_.push_back(sample_excess_[q]);
  const auto most = z(problem_->samples()->may_break);
  if (sorted_.size() <= most) return 0.0;
  std::sort(sorted_.begin(), sorted_.end());
  double sum = kStep;
  for (std::size_t i = 0; i < sorted_.size() - most; ++i) sum += sorted_[i];
  return sum / std::sqrt(static_cast<double>(width_));
}

std::int32_t State::broken_samples() const {
  return static_cast<std::int32_t>(
      std::count_if(sample_over_.begin(), sample_over_.end(), [](double over) { return over > 0.0; }));
}

double State::settle() {
  if (!open_) return energy();
  for (const std::int32_t t : dirty_tasks_) {
    settle_task(t);
    task_is_dirty_[z(t)] = 0;
  }
  for (const std::int32_t v : dirty_nodes_) {
    set_excess(memory_limit(v), excess_of(memory_[z(v)], problem_->memory_limit_bytes(v)));
    node_is_dirty_[z(v)] = 0;
  }
  for (const std::size_t r : dirty_loads_) {
    settle_load(r);
    load_is_dirty_[r] = 0;
  }
  if (samples_dirty_) set_excess(samples_limit(), sample_excess());
  dirty_tasks_.clear();
  dirty_nodes_.clear();
  dirty_loads_.clear();
  samples_dirty_ = false;
  if (problem_->cost_limit() < kNone) set_excess(cost_limit(), excess_of(sums_.cost, problem_->cost_limit()));
  return energy();
}

void State::keep() { open_ = false; }

void State::undo() {
  if (!open_) return;
  for (auto written = log_.rbegin(); written != log_.rend(); ++written) *written->where = written->before;
  for (auto moved = moved_.rbegin(); moved != moved_.rend(); ++moved) {
    const std::int32_t s = slots_->service(moved->slot);
    std::int32_t& now = node_of_[z(moved->slot)];
    if (now >= 0) --uses_[z(s) * nodes_ + z(now)];
    if (moved->before >= 0) ++uses_[z(s) * nodes_ + z(moved->before)];
    now = moved->before;
  }
  for (auto ends = reloaded_.rbegin(); ends != reloaded_.rend(); ++ends)
    loaded_[z(ends->first)] = ends->second;
  sums_ = before_;
  open_ = false;
}

void State::reweigh() {
  constexpr double kMore = 1.1, kLess = 0.98, kMost = 1e4, kLeast = 0.2;
  std::vector<double> weights = std::move(weight_);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (excess_[i] > 0.0)
      weights[i] = std::min(weights[i] * kMore, scales_.penalty * kMost);
    else
      weights[i] = std::max(weights[i] * kLess, scales_.penalty * kLeast);
  }
  weigh(std::move(weights));
}

double State::opening(std::int32_t service, std::int32_t node) const {
  if (uses(service, node) > 0) return 0.0;
  const Service& terms = problem_->services()[z(service)];
  const double per_cost = problem_->objective() == Objective::cost ? scales_.first : scales_.second;
  const std::size_t limit = memory_limit(node);
  double price = per_cost * terms.cost;
  price +=
      weight_[limit] *
      (excess_of(memory_[z(node)] + terms.memory_bytes, problem_->memory_limit_bytes(node)) - excess_[limit]);
  if (problem_->cost_limit() < kNone)
    price += weight_[cost_limit()] *
             (excess_of(sums_.cost + terms.cost, problem_->cost_limit()) - excess_[cost_limit()]);
  return price;
}

double State::loading(std::int32_t slot, std::int32_t node) const {
  const std::int32_t t = slots_->task(slot);
  const double flop = problem_->services()[z(slots_->service(slot))].flop;
  const double capacity = capacity_[z(node)];
  if (demand_ != Demand::samples) {
    const double load = load_[z(node)] + flop * slots_->raised_per_s(t);
    return weight_[z(node)] * (excess_of(load, capacity) - excess_[z(node)]);
  }
  double more = 0.0;
  for (std::size_t q = 0; q < width_; ++q) {
    const double load = parts_[z(node) * width_ + q];
    more += excess_of(load + flop * problem_->samples()->rate_per_s[q * tasks_ + z(t)], capacity) -
            excess_of(load, capacity);
  }
  return weight_[samples_limit()] * more / std::sqrt(static_cast<double>(width_));
}

double State::per_second(std::int32_t task) const {
  const double per_second = problem_->objective() == Objective::delay  ? scales_.first
                            : problem_->objective() == Objective::cost ? scales_.second
                                                                       : 0.0;
  const double rate = problem_->tasks()[z(task)].rate_per_s;
  const double others = sums_.admitted > 0 ? sums_.rate_per_s : 0.0;
  return per_second * rate / (admitted(task) ? others : others + rate);
}

}  // namespace constellm::services::heuristics
