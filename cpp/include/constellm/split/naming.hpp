#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "constellm/split/plan.hpp"

namespace constellm::split {

/// A StageChoice with names in place of positions, as plan files and Python show it.
struct Stage {
  std::string node;
  std::int64_t first_layer = 0;
  std::int64_t last_layer = 0;
  std::optional<std::string> codec;

  bool operator==(const Stage&) const = default;
};

void validate(const Stage& stage, std::string_view where);

/// Names to positions; throws core::InvalidInput for a name that the problem lacks.
Assignment to_assignment(const Problem& problem, const std::vector<std::string>& path,
                         const std::vector<Stage>& stages);

std::vector<std::string> path_ids(const Problem& problem, const Assignment& assignment);
std::vector<Stage> named_stages(const Problem& problem, const Assignment& assignment);
std::optional<std::string> codec_name(const Problem& problem, std::int32_t codec);

}  // namespace constellm::split
