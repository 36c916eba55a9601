#pragma once
#include <cstdint>
#include <span>

namespace constellm::moe {

/// A load that some device has at least, whatever the copies and where they are; at most `reached`, the
/// largest load of some balance.
///
/// The mean is one. And a largest load T is out of the question where it needs more copies than there are, at
/// least load / T of each expert, or more heavy ones than devices can hold: of copies heavier than T / (k +
/// 1) a device holds k at most. An expert has that many of them as it has copies, or none where it is cut
/// into (k + 1) load / T; which ones are worth cutting is a knapsack, bounded by its fractions (Dantzig,
/// 1957).
double balance_bound(std::span<const double> loads, std::int32_t devices, std::int32_t places,
                     double reached);

}  // namespace constellm::moe
