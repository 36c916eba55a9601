#include "constellm/flow/time_network.hpp"

namespace constellm::flow {

using core::z;

std::int64_t TimeNetwork::find_value(core::StopToken& stop) {
  if (!engine_) engine_.emplace(node_count_, arcs_, source_, target_);
  const std::int64_t value = engine_->find_value(stop) - lent_;
  inside_ = engine_->on_source_side();
  return value;
}

void TimeNetwork::set_ends(std::int32_t copies) {
  source_ = copies;
  target_ = copies + 1;
  left_ = copies + 2;
  node_count_ = copies + 3;
}

void TimeNetwork::add_supply(std::int32_t node, std::int32_t copy) {
  const std::int64_t units = units_->of(instance_->supply_bytes[z(node)]);
  if (units > 0) arcs_.add(source_, copy, units);
}

void TimeNetwork::add_demand(std::int32_t node, std::int32_t copy) {
  const std::int64_t units = units_->of(instance_->demand_bytes[z(node)]);
  if (units > 0) arcs_.add(copy, target_, units);
  if (units_->left() > 0) arcs_.add(copy, left_, Units::kUnlimited);
}

}  // namespace constellm::flow
