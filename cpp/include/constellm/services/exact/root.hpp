#pragma once
#include <cstdint>
#include <memory>

#include "constellm/core/random.hpp"
#include "constellm/core/stop.hpp"
#include "constellm/services/exact/dual.hpp"
#include "constellm/services/exact/incumbent.hpp"
#include "constellm/services/exact/rounding.hpp"

namespace constellm::services::exact {

/// Of what the aim's values are whole multiples; 0: of nothing that is known.
double grain(const Problem& problem, const Aim& aim);

/// The nodes of each slot's alive places.
Hosts hosts_of(const Model& model, const std::vector<std::uint8_t>& alive);

/// Where a bound of the aim may be rounded up to.
double lifted(double bound, double grain);

/// A plan with an aim above this is not wanted, once there is one of `value`: no better, or worse.
double wanted_up_to(double value, double grain, bool strictly_better);

/// What no plan's aim can be above.
double ceiling_of(const Model& model, const Aim& aim, const State& state);

/// The bound before any branching, with a model that shrinks as places are ruled out.
class Root {
 public:
  Root(const Problem& problem, const Routes& routes, const Aim& aim, Hosts hosts);

  /// Improves the bound and shrinks the model until neither helps much, `steps` are used up or it has to
  /// stop. Plans that are wanted stay. False: there is none.
  bool tighten(std::int32_t steps, Incumbent& incumbent, bool strictly_better, core::StopToken& stop);

  /// Plans above are not wanted.
  [[nodiscard]] double upper(const Incumbent& incumbent, bool strictly_better) const;
  /// What is left of each slot.
  [[nodiscard]] Hosts hosts() const;
  [[nodiscard]] double bound() const { return bound_; }
  [[nodiscard]] std::int64_t bounds() const { return bounds_ + dual->bounds(); }

  const Problem& problem;
  const Routes& routes;
  const Aim& aim;
  const double grain;
  std::unique_ptr<Model> model;
  std::unique_ptr<Dual> dual;
  std::unique_ptr<Propagation> propagation;
  std::unique_ptr<Rounding> rounding;
  State state;
  Multipliers at;
  core::Random random{1};
  double known = kNone;  ///< plans above are not wanted either

 private:
  void build(const Hosts& hosts);
  void shrink();
  bool conclude(double upper);

  double bound_ = 0.0;
  std::int64_t bounds_ = 0;
};

}  // namespace constellm::services::exact
