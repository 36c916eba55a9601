#include "constellm/search/measure.hpp"

#include <algorithm>

#include "constellm/core/index.hpp"

namespace constellm::search {
namespace {

using core::z;

}  // namespace

Figures measure(const LayeredGraph& g, const Goal& goal, const Walk& walk) {
  Figures f;
  const auto each_meter = [&](auto&& add) {
    f.cost += add(MeterView(g, goal.cost));
    for (std::size_t r = 0; r < goal.resources.size(); ++r) f.used[r] += add(MeterView(g, goal.resources[r]));
  };
  std::int32_t level = 0;
  std::int32_t form = 0;
  std::size_t next_block = 0;
  for (std::size_t i = 0; i < walk.positions.size(); ++i) {
    const std::int32_t p = walk.positions[i];
    const std::int32_t site = g.site[z(p)];
    if (next_block < walk.blocks.size() && walk.blocks[next_block].position == p &&
        walk.blocks[next_block].first == level) {
      const Block& b = walk.blocks[next_block++];
      const double enter_s = g.form_scale[z(site)] * g.enter_s[g.options_at(0, level) + z(form)];
      double stage_s = g.stage_fixed_s[z(site)] + g.work(site, b.first, b.last);
      if (b.last < g.levels)
        stage_s += g.form_scale[z(site)] * g.leave_s[g.options_at(0, b.last) + z(b.option)];
      f.peak = std::max(f.peak, enter_s + stage_s);
      each_meter([&](const MeterView& m) {
        return m.enter(site, level, form, enter_s) + m.stage(site, stage_s, b.first, b.last) +
               m.end(site, b.last, b.option);
      });
      level = b.last;
      form = b.option;
    }
    if (i + 1 == walk.positions.size()) break;
    for (auto a = g.arc_begin[z(p)]; a < g.arc_begin[z(p) + 1]; ++a) {
      if (g.arc_to[z(a)] != walk.positions[i + 1]) continue;
      const double hop_s = g.hop_s[g.options_at(g.arc_line[z(a)], level) + z(form)];
      f.peak = std::max(f.peak, hop_s);
      each_meter([&](const MeterView& m) { return m.hop(a, level, form, hop_s); });
      break;
    }
  }
  return f;
}

}  // namespace constellm::search
