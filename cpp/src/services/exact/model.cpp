#include "constellm/services/exact/model.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "constellm/core/index.hpp"

namespace constellm::services::exact {

using core::z;

namespace {

/// Relative: sums in another order differ by less.
constexpr double kRounding = 1e-12;

double worst_rate_per_s(const Problem& problem, std::int32_t task) {
  const Task& t = problem.tasks()[z(task)];
  if (problem.samples()) return least_rate_per_s(problem, task);
  return t.rate_per_s + std::min(problem.limits().budget, 1.0) * t.deviation_per_s;
}

bool fits_alone(const Problem& problem, const Service& service, std::int32_t task, std::int32_t node) {
  return service.memory_bytes <= problem.memory_limit_bytes(node) &&
         worst_rate_per_s(problem, task) * service.flop * (1.0 - kRounding) <=
             problem.node_capacity_flop_per_s(node);
}

}  // namespace

double least_rate_per_s(const Problem& problem, std::int32_t task) {
  const Task& t = problem.tasks()[z(task)];
  const auto tasks = static_cast<double>(problem.tasks().size());
  if (!problem.samples()) return t.rate_per_s + std::min(1.0, problem.limits().budget / tasks) * t.deviation_per_s;
  const Samples& samples = *problem.samples();
  std::vector<double> rates;
  for (std::size_t i = z(task); i < samples.rate_per_s.size(); i += problem.tasks().size())
    rates.push_back(samples.rate_per_s[i]);
  const auto bound = static_cast<std::int32_t>(rates.size()) - samples.may_break;
  if (bound <= 0) return 0.0;
  std::sort(rates.begin(), rates.end());
  double sum = 0.0;
  for (std::int32_t i = 0; i < bound; ++i) sum += rates[z(i)];
  return sum / static_cast<double>(bound);
}

Model::Model(const Problem& of, const Routes& by, const Hosts& left) : problem(of), routes(by) {
  double rates = 0.0;
  for (const Task& task : problem.tasks()) rates += task.rate_per_s;
  for (const Task& task : problem.tasks()) task_share.push_back(task.rate_per_s / rates);
  add_slots(left);
  add_ways();
  add_hosts();
  add_seconds();
}

void Model::add_slots(const Hosts& left) {
  service_slots.resize(problem.services().size());
  const std::vector<Transfer>& transfers = problem.transfers();
  std::int32_t way = 0;
  for (std::size_t t = 0; t < problem.tasks().size(); ++t) {
    const Task& task = problem.tasks()[t];
    const auto index = static_cast<std::int32_t>(t);
    const double rate = least_rate_per_s(problem, index);
    const auto first = static_cast<std::int32_t>(slots.size());
    for (std::size_t k = 0; k < task.stages.size(); ++k) {
      const auto id = static_cast<std::int32_t>(slots.size());
      Slot slot;
      slot.task = index;
      slot.service = task.stages[k].service;
      slot.first = place_count();
      for (const std::int32_t node : left[z(id)]) {
        place_node.push_back(node);
        place_slot.push_back(id);
        place_compute_s.push_back(problem.compute_s(slot.service, node));
      }
      slot.end = place_count();
      slot.first_in = way;
      while (z(way) < transfers.size() && transfers[z(way)].task == index &&
             transfers[z(way)].to == static_cast<std::int32_t>(k))
        ++way;
      slot.end_in = way;
      slot.load_flop_per_s = rate * problem.services()[z(slot.service)].flop;
      service_slots[z(slot.service)].push_back(id);
      slots.push_back(slot);
    }
    tasks.push_back({first, static_cast<std::int32_t>(slots.size()), way});
    ++way;
  }
}

void Model::add_ways() {
  const std::vector<Transfer>& transfers = problem.transfers();
  std::vector<double> most(slots.size(), -1.0);
  for (std::size_t i = 0; i < transfers.size(); ++i) {
    const Transfer& transfer = transfers[i];
    const std::int32_t first = tasks[z(transfer.task)].first;
    Way way;
    way.from = transfer.from == kEndpoint ? kEndpoint : first + transfer.from;
    way.to = transfer.to == kEndpoint ? kEndpoint : first + transfer.to;
    if (way.from != kEndpoint && transfer.bytes > most[z(way.from)]) {
      most[z(way.from)] = transfer.bytes;
      slots[z(way.from)].out = static_cast<std::int32_t>(i);
    }
    ways.push_back(way);
  }
  for (std::size_t i = 0; i < ways.size(); ++i)
    ways[i].cut = ways[i].from != kEndpoint && slots[z(ways[i].from)].out != static_cast<std::int32_t>(i);
}

void Model::add_hosts() {
  std::map<std::pair<std::int32_t, std::int32_t>, std::vector<std::int32_t>> found;
  for (std::int32_t p = 0; p < place_count(); ++p)
    found[{place_node[z(p)], slots[z(place_slot[z(p)])].service}].push_back(p);
  service_hosts.resize(problem.services().size());
  place_host.resize(place_node.size());
  first_host.assign(z(problem.node_count()) + 1, 0);
  for (const auto& [key, places] : found) {
    const auto id = static_cast<std::int32_t>(hosts.size());
    const auto first = static_cast<std::int32_t>(host_places.size());
    for (const std::int32_t p : places) {
      host_places.push_back(p);
      place_host[z(p)] = id;
    }
    hosts.push_back({key.second, key.first, first, static_cast<std::int32_t>(host_places.size())});
    service_hosts[z(key.second)].push_back(id);
    ++first_host[z(key.first) + 1];
  }
  for (std::size_t v = 1; v < first_host.size(); ++v) first_host[v] += first_host[v - 1];
}

void Model::add_seconds() {
  for (std::size_t i = 0; i < ways.size(); ++i) {
    Way& way = ways[i];
    const auto transfer = static_cast<std::int32_t>(i);
    const Task& task = problem.tasks()[z(problem.transfers()[i].task)];
    way.seconds = seconds.size();
    const auto add_row = [&](std::int32_t origin) {
      const std::span<const double> row = routes.seconds(transfer, origin);
      if (way.to == kEndpoint) {
        seconds.push_back(row[z(task.sink)]);
      } else {
        for (std::int32_t p = slots[z(way.to)].first; p < slots[z(way.to)].end; ++p)
          seconds.push_back(row[z(place_node[z(p)])]);
      }
    };
    if (way.from == kEndpoint) {
      add_row(task.source);
    } else {
      for (std::int32_t p = slots[z(way.from)].first; p < slots[z(way.from)].end; ++p)
        add_row(place_node[z(p)]);
    }
  }
  // Ways that no plan can take within the deadline are shut: then even bounds that do not count seconds see it.
  Times times = make_times(*this);
  const std::vector<std::uint8_t> alive(place_node.size(), 1);
  for (std::size_t t = 0; t < tasks.size(); ++t) find_times(*this, static_cast<std::int32_t>(t), alive, times);
  for (Way& way : ways) {
    if (way.from == kEndpoint || way.to == kEndpoint) continue;
    const Slot& from = slots[z(way.from)];
    const Slot& to = slots[z(way.to)];
    const double limit = problem.deadline_limit_s(to.task) * (1.0 + kRounding);
    double* s = seconds.data() + way.seconds;
    for (std::int32_t p = from.first; p < from.end; ++p) {
      for (std::int32_t q = to.first; q < to.end; ++q, ++s) {
        if (times.head_s[z(p)] + *s + place_compute_s[z(q)] + times.tail_s[z(q)] > limit) *s = kNone;
        way.open = way.open && *s < kNone;
      }
    }
  }
}

double Model::way_s(std::int32_t way, std::int32_t from, std::int32_t to) const {
  const Way& w = ways[z(way)];
  const std::int32_t row = w.from == kEndpoint ? 0 : from - slots[z(w.from)].first;
  const std::int32_t wide = w.to == kEndpoint ? 1 : slots[z(w.to)].end - slots[z(w.to)].first;
  const std::int32_t column = w.to == kEndpoint ? 0 : to - slots[z(w.to)].first;
  return seconds[w.seconds + z(row) * z(wide) + z(column)];
}

Times make_times(const Model& model) {
  Times times;
  times.head_s.assign(model.place_node.size(), kNone);
  times.tail_s.assign(model.place_node.size(), kNone);
  for (const Way& way : model.ways) {
    times.first_cut.push_back(times.cut_s.size());
    if (!way.cut || way.to == kEndpoint) continue;
    const Slot& to = model.slots[z(way.to)];
    times.cut_s.resize(times.cut_s.size() + z(to.end - to.first), 0.0);
  }
  return times;
}

void find_times(const Model& model, std::int32_t task, const std::vector<std::uint8_t>& alive, Times& times) {
  const TaskSpan& span = model.tasks[z(task)];
  for (std::int32_t k = span.first; k < span.end; ++k) {
    const Slot& slot = model.slots[z(k)];
    for (std::int32_t q = slot.first; q < slot.end; ++q) {
      times.head_s[z(q)] = alive[z(q)] != 0 ? 0.0 : kNone;
      times.tail_s[z(q)] = alive[z(q)] != 0 ? 0.0 : kNone;
    }
    const std::int32_t wide = slot.end - slot.first;
    for (std::int32_t i = slot.first_in; i < slot.end_in; ++i) {
      const Way& way = model.ways[z(i)];
      for (std::int32_t q = slot.first; q < slot.end; ++q) {
        double come_s = kNone;
        if (way.from == kEndpoint) {
          come_s = model.seconds[way.seconds + z(q - slot.first)];
        } else {
          const Slot& from = model.slots[z(way.from)];
          const double* s = model.seconds.data() + way.seconds + z(q - slot.first);
          for (std::int32_t p = from.first; p < from.end; ++p, s += wide)
            come_s = std::min(come_s, times.head_s[z(p)] + *s);
        }
        if (way.cut) times.cut_s[times.first_cut[z(i)] + z(q - slot.first)] = come_s;
        times.head_s[z(q)] = std::max(times.head_s[z(q)], come_s);
      }
    }
    for (std::int32_t q = slot.first; q < slot.end; ++q) times.head_s[z(q)] += model.place_compute_s[z(q)];
  }
  const Slot& last = model.slots[z(span.end) - 1];
  for (std::int32_t p = last.first; p < last.end; ++p)
    times.tail_s[z(p)] += model.seconds[model.ways[z(span.sink)].seconds + z(p - last.first)];
  for (std::int32_t k = span.end - 1; k >= span.first; --k) {
    const Slot& slot = model.slots[z(k)];
    for (std::int32_t i = slot.first_in; i < slot.end_in; ++i) {
      const Way& way = model.ways[z(i)];
      if (way.from == kEndpoint) continue;
      const Slot& from = model.slots[z(way.from)];
      const double* s = model.seconds.data() + way.seconds;
      for (std::int32_t p = from.first; p < from.end; ++p) {
        double left_s = kNone;
        for (std::int32_t q = slot.first; q < slot.end; ++q, ++s)
          left_s = std::min(left_s, *s + model.place_compute_s[z(q)] + times.tail_s[z(q)]);
        times.tail_s[z(p)] = std::max(times.tail_s[z(p)], left_s);
      }
    }
  }
}

Hosts all_hosts(const Problem& problem, const Routes& routes) {
  Hosts hosts;
  for (std::size_t t = 0; t < problem.tasks().size(); ++t) {
    for (const Stage& stage : problem.tasks()[t].stages) {
      const Service& service = problem.services()[z(stage.service)];
      std::vector<std::int32_t>& left = hosts.emplace_back();
      for (const std::int32_t node : service.hosts)
        if (fits_alone(problem, service, static_cast<std::int32_t>(t), node)) left.push_back(node);
    }
  }
  // Places whose earliest and latest times do not meet go, until all do: what is shut then shuts others.
  for (bool changed = true; changed;) {
    changed = false;
    const Model model(problem, routes, hosts);
    Times times = make_times(model);
    const std::vector<std::uint8_t> alive(model.place_node.size(), 1);
    for (std::size_t t = 0; t < model.tasks.size(); ++t) {
      find_times(model, static_cast<std::int32_t>(t), alive, times);
      const double limit = problem.deadline_limit_s(static_cast<std::int32_t>(t)) * (1.0 + kRounding);
      for (std::int32_t k = model.tasks[t].first; k < model.tasks[t].end; ++k) {
        const Slot& slot = model.slots[z(k)];
        std::vector<std::int32_t> kept;
        for (std::int32_t p = slot.first; p < slot.end; ++p) {
          const double whole_s = times.head_s[z(p)] + times.tail_s[z(p)];
          if (whole_s <= limit && whole_s < kNone) kept.push_back(model.place_node[z(p)]);
        }
        changed = changed || kept.size() != hosts[z(k)].size();
        hosts[z(k)] = std::move(kept);
      }
    }
  }
  return hosts;
}

}  // namespace constellm::services::exact
