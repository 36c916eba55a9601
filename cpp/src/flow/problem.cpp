#include "constellm/flow/problem.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "constellm/core/error.hpp"
#include "constellm/core/index.hpp"
#include "constellm/flow/exact_sum.hpp"

namespace constellm::flow {
namespace {

using core::InvalidInput;
using core::z;

std::string place(const char* name, std::size_t i) {
  return std::string(name) + "[" + std::to_string(i) + "]";
}

void check_bytes(const char* name, const std::vector<double>& bytes, std::size_t nodes) {
  if (bytes.size() != nodes) {
    throw InvalidInput(std::string(name) + ": " + std::to_string(bytes.size()) + " entries for " +
                       std::to_string(nodes) + " nodes");
  }
  for (std::size_t i = 0; i < nodes; ++i) {
    if (!(bytes[i] >= 0.0 && bytes[i] <= kMostBytes))
      core::throw_out_of_range(place(name, i), bytes[i], "[0, " + core::to_text(kMostBytes) + "]");
  }
}

void check_storage(const Amounts& amounts, std::size_t nodes) {
  if (amounts.storage_bytes.size() != nodes) {
    throw InvalidInput("storage_bytes: " + std::to_string(amounts.storage_bytes.size()) + " entries for " +
                       std::to_string(nodes) + " nodes");
  }
  for (std::size_t i = 0; i < nodes; ++i) {
    const double storage = amounts.storage_bytes[i];
    if (!(storage >= amounts.supply_bytes[i])) {
      core::throw_out_of_range(place("storage_bytes", i), storage,
                               "[" + core::to_text(amounts.supply_bytes[i]) + ", inf]: its supply is there");
    }
  }
}

void check_contacts(const network::ContactColumns& contacts) {
  const std::string most_s = core::to_text(kMostSeconds);
  for (std::size_t c = 0; c < contacts.from.size(); ++c) {
    const std::string where = place("contacts", c) + ".";
    const double open_s = contacts.open_s[c];
    const double close_s = contacts.close_s[c];
    if (!(open_s >= 0.0 && open_s <= kMostSeconds))
      core::throw_out_of_range(where, "open_s", open_s, "[0, " + most_s + "]");
    if (!(close_s <= kMostSeconds || close_s == std::numeric_limits<double>::infinity()))
      core::throw_out_of_range(where, "close_s", close_s, "[open_s, " + most_s + "], nor inf");
    if (!(contacts.rate_bps[c] <= kMostBps))
      core::throw_out_of_range(where, "rate_bps", contacts.rate_bps[c],
                               "(0, " + core::to_text(kMostBps) + "]");
  }
}

double sum_of(const std::vector<double>& bytes, const std::vector<std::uint8_t>& left_out) {
  ExactSum sum;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    if (left_out[i] == 0) sum.add(bytes[i]);
  return sum.value();
}

/// Of a column that is wanted: `beside` is all that may be under way.
void check_wanted(const char* name, const std::vector<double>& bytes,
                  const std::vector<std::uint8_t>& left_out, double sum, double beside) {
  if (sum > 0.0 && sum < kLeastBytes) {
    throw InvalidInput(std::string(name) + ": their sum, " + core::to_text(sum) +
                       ", is neither 0 nor at least " + core::to_text(kLeastBytes));
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (left_out[i] != 0 || bytes[i] == 0.0 || bytes[i] >= kLeastShare * beside) continue;
    throw InvalidInput(place(name, i) + ": " + core::to_text(bytes[i]) + " is neither 0 nor at least " +
                       core::to_text(kLeastShare) + " of the supply, " + core::to_text(beside));
  }
}

}  // namespace

Problem::Problem(network::ContactPlan contacts, Amounts amounts)
    : contacts_(std::move(contacts)), amounts_(std::move(amounts)), is_sink_(contacts_.node_count(), 0) {
  const std::size_t nodes = node_count();
  check_contacts(contacts_.columns());
  check_bytes("supply_bytes", amounts_.supply_bytes, nodes);
  check_storage(amounts_, nodes);
  check_bytes("demand_bytes", amounts_.demand_bytes, nodes);
  for (std::size_t i = 0; i < amounts_.sinks.size(); ++i) {
    const std::int32_t sink = amounts_.sinks[i];
    if (sink < 0 || z(sink) >= nodes) {
      throw InvalidInput(place("sinks", i) + ": " + std::to_string(sink) + " is not in [0, " +
                         std::to_string(nodes) + ")");
    }
    if (is_sink(sink))
      throw InvalidInput(place("sinks", i) + ": node " + std::to_string(sink) + " stands there twice");
    is_sink_[z(sink)] = 1;
  }
  const std::vector<std::uint8_t> none(nodes, 0);
  if (has_sinks()) {
    for (std::size_t i = 0; i < nodes; ++i) {
      if (amounts_.demand_bytes[i] > 0.0)
        core::throw_out_of_range(place("demand_bytes", i), amounts_.demand_bytes[i],
                                 "[0, 0]: there are sinks");
    }
    wanted_bytes_ = sum_of(amounts_.supply_bytes, is_sink_);
    check_wanted("supply_bytes", amounts_.supply_bytes, is_sink_, wanted_bytes_, wanted_bytes_);
  } else {
    wanted_bytes_ = sum_of(amounts_.demand_bytes, none);
    const double supply = sum_of(amounts_.supply_bytes, none);
    // Sums of the same figures may differ in their last bits.
    if (wanted_bytes_ > supply * (1.0 + 1e-12)) {
      throw InvalidInput("demand_bytes: their sum, " + core::to_text(wanted_bytes_) + ", is not in [0, " +
                         core::to_text(supply) + "], the sum of supply_bytes");
    }
    ExactSum useful;  // nodes without a limit of storage may keep what is over
    for (std::size_t i = 0; i < nodes; ++i) {
      const double bytes = amounts_.supply_bytes[i];
      useful.add(std::isinf(amounts_.storage_bytes[i]) ? std::min(bytes, wanted_bytes_) : bytes);
    }
    check_wanted("demand_bytes", amounts_.demand_bytes, none, wanted_bytes_, useful.value());
  }
}

}  // namespace constellm::flow
