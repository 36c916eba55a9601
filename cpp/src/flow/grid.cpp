#include "constellm/flow/grid.hpp"

#include <algorithm>

#include "constellm/core/index.hpp"

namespace constellm::flow {

using core::z;

Grid::Grid(const Instance& instance, double end_s, std::size_t cells)
    : instance_(&instance), end_s_(end_s), channels_of_relay_(z(instance.nodes)) {
  const auto& moments = instance.moments_s;
  const auto before =
      static_cast<std::size_t>(std::lower_bound(moments.begin(), moments.end(), end_s) - moments.begin());
  std::vector<double> starts;
  if (cells == 0 || cells >= before) {
    starts.assign(moments.begin(), moments.begin() + static_cast<std::ptrdiff_t>(before));
  } else {
    for (std::size_t i = 0; i < cells; ++i) starts.push_back(moments[i * before / cells]);
  }
  start_s_.assign(z(instance.nodes), starts);
  for (std::size_t c = 0; c < instance.channels.size(); ++c) {
    for (const std::int32_t end : {instance.channels[c].from, instance.channels[c].to}) {
      if (instance.storage_bytes[z(end)] == 0.0 && instance.is_sink[z(end)] == 0)
        channels_of_relay_[z(end)].push_back(static_cast<std::int32_t>(c));
    }
  }
  share_with_relays();
}

std::int32_t Grid::cells(std::int32_t node) const {
  const std::vector<double>& starts = start_s_[z(node)];
  return static_cast<std::int32_t>(std::lower_bound(starts.begin(), starts.end(), end_s_) - starts.begin());
}

Cell Grid::cell(std::int32_t node, std::int32_t i) const {
  const std::vector<double>& starts = start_s_[z(node)];
  const std::size_t next = z(i) + 1;
  return {starts[z(i)], next < starts.size() ? std::min(starts[next], end_s_) : end_s_};
}

std::int32_t Grid::cell_at(std::int32_t node, double at_s) const {
  const std::vector<double>& starts = start_s_[z(node)];
  return static_cast<std::int32_t>(std::upper_bound(starts.begin(), starts.end(), at_s) - starts.begin()) - 1;
}

void Grid::go_on_to(double end_s) {
  for (std::vector<double>& starts : start_s_) {
    const auto at = std::lower_bound(starts.begin(), starts.end(), end_s_);
    if (at == starts.end() || *at > end_s_) starts.insert(at, end_s_);
  }
  end_s_ = end_s;
  share_with_relays();
}

void Grid::add_middle(Cell cell, std::vector<double>& found) const {
  const std::vector<double>& moments = instance_->moments_s;
  const auto first = std::upper_bound(moments.begin(), moments.end(), cell.start_s);
  const auto last = std::lower_bound(first, moments.end(), cell.end_s);
  if (first < last) found.push_back(*(first + (last - first) / 2));
}

bool Grid::add(std::int32_t node, const std::vector<double>& starts) {
  std::vector<double>& all = start_s_[z(node)];
  const std::size_t before = all.size();
  all.insert(all.end(), starts.begin(), starts.end());
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all.size() > before;
}

bool Grid::split_around(const TimeCut& cut) {
  bool any = false;
  for (std::int32_t v = 0; v < instance_->nodes; ++v) {
    std::vector<double> middles;
    for (const double change_s : cut.changes_s(v)) {
      const std::int32_t i = cell_at(v, change_s);
      add_middle(cell(v, i), middles);
      if (i > 0 && cell(v, i).start_s == change_s) add_middle(cell(v, i - 1), middles);
    }
    any = add(v, middles) || any;
  }
  share_with_relays();
  return any;
}

bool Grid::split_all() {
  bool any = false;
  for (std::int32_t v = 0; v < instance_->nodes; ++v) {
    std::vector<double> middles;
    for (std::int32_t i = 0; i < cells(v); ++i) add_middle(cell(v, i), middles);
    any = add(v, middles) || any;
  }
  share_with_relays();
  return any;
}

/// Until nothing changes: relays may lead to relays.
void Grid::share_with_relays() {
  bool changed = true;
  while (changed) {
    changed = false;
    for (std::int32_t v = 0; v < instance_->nodes; ++v) {
      if (channels_of_relay_[z(v)].empty()) continue;
      std::vector<double> starts;
      for (const std::int32_t c : channels_of_relay_[z(v)]) {
        const Channel& channel = instance_->channels[z(c)];
        for (const double moment_s : {channel.open_s, channel.close_s})
          if (moment_s < end_s_) starts.push_back(moment_s);
        const std::int32_t other = channel.from == v ? channel.to : channel.from;
        if (instance_->is_sink[z(other)] == 0)
          starts.insert(starts.end(), start_s_[z(other)].begin(), start_s_[z(other)].end());
      }
      changed = add(v, starts) || changed;
    }
  }
}

}  // namespace constellm::flow
