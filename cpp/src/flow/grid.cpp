#include "constellm/flow/grid.hpp"

#include <algorithm>
#include <numeric>

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

bool Grid::split(const std::vector<std::vector<std::int32_t>>& marked) {
  const std::vector<double>& moments = instance_->moments_s;
  bool any = false;
  for (std::int32_t v = 0; v < instance_->nodes; ++v) {
    std::vector<double> middles;
    for (const std::int32_t i : marked[z(v)]) {
      const Cell at = cell(v, i);
      const auto first = std::upper_bound(moments.begin(), moments.end(), at.start_s);
      const auto last = std::lower_bound(first, moments.end(), at.end_s);
      if (first < last) middles.push_back(*(first + (last - first) / 2));
    }
    if (middles.empty()) continue;
    any = true;
    std::vector<double>& starts = start_s_[z(v)];
    starts.insert(starts.end(), middles.begin(), middles.end());
    std::sort(starts.begin(), starts.end());
    starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
  }
  if (any) share_with_relays();
  return any;
}

bool Grid::split_all() {
  std::vector<std::vector<std::int32_t>> all(z(instance_->nodes));
  for (std::int32_t v = 0; v < instance_->nodes; ++v) {
    all[z(v)].resize(z(cells(v)));
    std::iota(all[z(v)].begin(), all[z(v)].end(), 0);
  }
  return split(all);
}

/// Until nothing changes: relays may lead to relays.
void Grid::share_with_relays() {
  bool changed = true;
  while (changed) {
    changed = false;
    for (std::int32_t v = 0; v < instance_->nodes; ++v) {
      if (channels_of_relay_[z(v)].empty()) continue;
      std::vector<double> starts = start_s_[z(v)];
      for (const std::int32_t c : channels_of_relay_[z(v)]) {
        const Channel& channel = instance_->channels[z(c)];
        for (const double moment_s : {channel.open_s, channel.close_s})
          if (moment_s < end_s_) starts.push_back(moment_s);
        const std::int32_t other = channel.from == v ? channel.to : channel.from;
        if (instance_->is_sink[z(other)] == 0)
          starts.insert(starts.end(), start_s_[z(other)].begin(), start_s_[z(other)].end());
      }
      std::sort(starts.begin(), starts.end());
      starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
      if (starts.size() == start_s_[z(v)].size()) continue;
      start_s_[z(v)] = std::move(starts);
      changed = true;
    }
  }
}

}  // namespace constellm::flow
