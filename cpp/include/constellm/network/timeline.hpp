#pragma once
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "constellm/network/snapshot.hpp"

namespace constellm::network {

/// When links exist: one entry for each unbroken stretch of a link, in the order of opening, then
/// of sender and receiver.
struct Contacts {
  std::vector<std::int32_t> from;
  std::vector<std::int32_t> to;
  std::vector<double> open_s;
  std::vector<double> close_s;

  bool operator==(const Contacts&) const = default;
};

/// Graphs of the same nodes, one after the other: graph i holds from t_s[i] until the next, the last
/// one until `end_s`. Copies share it.
class Timeline {
 public:
  Timeline(std::vector<double> t_s, std::vector<Graph> graphs,
           double end_s = std::numeric_limits<double>::infinity());

  bool operator==(const Timeline& other) const;

  [[nodiscard]] std::size_t size() const { return t_s().size(); }
  [[nodiscard]] const std::vector<double>& t_s() const { return data_->t_s; }
  [[nodiscard]] double end_s() const { return data_->end_s; }
  /// Its links live as long as their contacts; where these are cut off by the end of the timeline,
  /// no end is known.
  [[nodiscard]] const Snapshot& operator[](std::size_t i) const { return data_->snapshots[i]; }

  /// The snapshot that holds at `t_s`; throws core::InvalidInput before the first and from `end_s` on.
  [[nodiscard]] const Snapshot& at(double t_s) const;
  /// The first moment after `t_s` at which another snapshot holds; infinite where the last one does.
  [[nodiscard]] double next_change(double t_s) const;

  /// Clipped to the timeline: no link is open before it, or at its end.
  [[nodiscard]] const Contacts& contacts() const { return data_->contacts; }
  /// Links that exist from t_s[i] on and not before; 0 at the first. [snapshots]
  [[nodiscard]] const std::vector<std::int32_t>& opened() const { return data_->opened; }
  /// Links that exist up to t_s[i] and no longer; 0 at the first. [snapshots]
  [[nodiscard]] const std::vector<std::int32_t>& closed() const { return data_->closed; }

 private:
  struct Data {
    std::vector<double> t_s;
    double end_s = 0.0;
    std::vector<Snapshot> snapshots;
    Contacts contacts;
    std::vector<std::int32_t> opened;
    std::vector<std::int32_t> closed;
  };
  [[nodiscard]] std::size_t index(double t_s) const;

  std::shared_ptr<const Data> data_;
};

}  // namespace constellm::network
