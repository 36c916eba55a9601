#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "constellm/network/timeline.hpp"

namespace constellm::network {

// What the figures of a contact may be; it opens at any moment and closes no earlier.
inline constexpr core::Range kOpening = core::kReal;
inline constexpr core::Range kContactRate = core::kPositive;
inline constexpr core::Range kLightTime = core::kNonNegative;

/// Contacts, a column a figure. [contacts] each
struct ContactColumns {
  std::vector<std::int32_t> from;  ///< sender
  std::vector<std::int32_t> to;    ///< receiver
  std::vector<double> open_s;
  std::vector<double> close_s;  ///< infinite: no end is known
  std::vector<double> rate_bps;
  std::vector<double> owlt_s;  ///< one-way light time

  bool operator==(const ContactColumns&) const = default;
};

/// Contacts by sender, then by receiver: the pairs that node v sends in are pair_begin[v] to
/// pair_begin[v + 1], the contacts of pair p are slots slot_begin[p] to slot_begin[p + 1], in the order of
/// opening, then of position. Contacts of no length are left out.
struct ContactRows {
  struct Slot {
    double open_s;
    double close_s;
    double latest_close_s;  ///< of this one and those of its pair before it
    double rate_bps;
    double owlt_s;
    std::int32_t contact;
  };
  std::vector<std::int32_t> pair_begin;  ///< [nodes + 1]
  std::vector<std::int32_t> to;          ///< [pairs] receiver
  std::vector<std::int32_t> slot_begin;  ///< [pairs + 1]
  std::vector<Slot> slots;
};

/// A stretch of time in which a contact sends one message.
struct Transmission {
  std::int32_t contact = 0;
  double start_s = 0.0;
  double end_s = 0.0;  ///< its last bit has left
};

/// Who can send to whom, from when to when, at what rate, and how long a bit is under way (a contact plan
/// with its ranges; CCSDS 734.3-B-1, Schedule-Aware Bundle Routing). Contacts go by their positions. Those of
/// one pair may overlap: they are channels side by side. One of no length carries nothing. Copies share it.
class ContactPlan {
 public:
  /// `epoch`: the moment of time 0 in UTC, as "2026-03-01T12:00:00Z"; empty where it is not known. Throws
  /// core::InvalidInput that names the contact and the field.
  ContactPlan(std::shared_ptr<const NodeTable> nodes, ContactColumns columns, std::string epoch = {});

  /// One contact for each of the timeline's. It has the least rate that its link has while it is open, and
  /// the longest of latency and overhead together, so that the timeline keeps what the plan promises.
  static ContactPlan from_timeline(const Timeline& timeline, std::string epoch = {});

  bool operator==(const ContactPlan& other) const;

  [[nodiscard]] const std::shared_ptr<const NodeTable>& node_table() const { return data_->nodes; }
  [[nodiscard]] std::size_t node_count() const { return data_->nodes->nodes().size(); }
  [[nodiscard]] std::size_t size() const { return columns().from.size(); }
  [[nodiscard]] const ContactColumns& columns() const { return data_->columns; }
  [[nodiscard]] const ContactRows& rows() const { return data_->rows; }
  [[nodiscard]] const std::string& epoch() const { return data_->epoch; }
  /// What a contact carries at most: rate times duration. [contacts]
  [[nodiscard]] const std::vector<double>& volume_bytes() const { return data_->volume_bytes; }

  /// The links of the contacts that are open at `t_s`, in [open, close), until the next one opens or closes.
  /// Channels side by side are one link: their rates add up, its latency is the longest of theirs.
  [[nodiscard]] Snapshot at(double t_s) const;

  /// What is left when these transmissions have their time: the contact is cut into what lies before and
  /// after, in its place; pieces of no length are left out. Throws core::InvalidInput for one that does not
  /// lie within its contact, and for two of one contact.
  [[nodiscard]] ContactPlan booked(std::span<const Transmission> transmissions) const;

 private:
  struct Data {
    std::shared_ptr<const NodeTable> nodes;
    ContactColumns columns;
    std::string epoch;
    ContactRows rows;
    std::vector<double> volume_bytes;
  };
  std::shared_ptr<const Data> data_;
};

/// The latest moment at which a transmission still ends within a contact that closes at `close_s`: leaves
/// room for the rounding of a message that fills the contact to the end.
double latest_end_s(double close_s);

}  // namespace constellm::network
