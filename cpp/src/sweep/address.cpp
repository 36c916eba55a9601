#include "constellm/sweep/address.hpp"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "constellm/core/error.hpp"

namespace constellm::sweep {
namespace {

using core::InvalidInput;
using split::ProblemSpec;
using Figures = std::optional<std::vector<double>>;  ///< one per layer

template <class T>
struct Field {
  std::string_view name;
  std::variant<double T::*, Figures T::*> member;
  std::string_view unit;
};

template <class T, class Spec>
auto& items_of(Spec& spec) {
  if constexpr (std::is_same_v<T, model::Layer>)
    return spec.layers;
  else if constexpr (std::is_same_v<T, network::Node>)
    return spec.network.nodes;
  else if constexpr (std::is_same_v<T, network::Link>)
    return spec.network.links;
  else
    return spec.codecs;
}

/// What the records of one list have in common. `name_of` and `group_of` are what a key is held against.
template <class T>
struct Records {
  std::string_view name;
  std::string (*name_of)(const T&);
  std::optional<std::string> (*group_of)(const T&);
  std::vector<Field<T>> fields;
};

template <class T>
std::optional<std::string> no_group(const T&) {
  return std::nullopt;
}

const Records<model::Layer>& layers() {
  using model::Layer;
  static const Records<Layer> records{"layers",
                                      [](const Layer& l) { return l.name; },
                                      &no_group<Layer>,
                                      {{"flop", &Layer::flop, "FLOP"},
                                       {"memory_bytes", &Layer::memory_bytes, "B"},
                                       {"output_bytes", &Layer::output_bytes, "B"},
                                       {"error_gain", &Layer::error_gain, ""}}};
  return records;
}

const Records<network::Node>& nodes() {
  using network::Node;
  static const Records<Node> records{"nodes",
                                     [](const Node& n) { return n.id; },
                                     [](const Node& n) { return n.group; },
                                     {{"flop_per_s", &Node::flop_per_s, "FLOP/s"},
                                      {"memory_bytes", &Node::memory_bytes, "B"},
                                      {"power_w", &Node::power_w, "W"},
                                      {"tx_power_w", &Node::tx_power_w, "W"},
                                      {"overhead_s", &Node::overhead_s, "s"},
                                      {"codec_time_scale", &Node::codec_time_scale, ""},
                                      {"layer_time_s", &Node::layer_time_s, "s"}}};
  return records;
}

const Records<network::Link>& links() {
  using network::Link;
  static const Records<Link> records{"links",
                                     [](const Link& l) { return l.from + "->" + l.to; },
                                     [](const Link& l) { return l.group; },
                                     {{"rate_bps", &Link::rate_bps, "bit/s"},
                                      {"latency_s", &Link::latency_s, "s"},
                                      {"overhead_s", &Link::overhead_s, "s"}}};
  return records;
}

const Records<codec::Codec>& codecs() {
  using codec::Codec;
  static const Records<Codec> records{"codecs",
                                      [](const Codec& c) { return c.name; },
                                      &no_group<Codec>,
                                      {{"ratio", &Codec::ratio, ""},
                                       {"error", &Codec::error, ""},
                                       {"encode_s_per_byte", &Codec::encode_s_per_byte, "s/B"},
                                       {"decode_s_per_byte", &Codec::decode_s_per_byte, "s/B"},
                                       {"layer_ratio", &Codec::layer_ratio, ""},
                                       {"layer_error", &Codec::layer_error, ""}}};
  return records;
}

template <class Call>
void for_each_list(Call call) {
  call(layers());
  call(nodes());
  call(links());
  call(codecs());
}

struct Address {
  std::string_view text;  ///< all of it, for messages
  std::string_view list;  ///< empty: a bare field
  std::optional<std::string_view> key;
  std::string_view field;
  bool scale = false;
};

[[noreturn]] void fail(const Address& address, const std::string& why) {
  throw InvalidInput("axis '" + std::string(address.text) + "': " + why);
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  return text;
}

Address parse(std::string_view text) {
  Address a{.text = text, .list = {}, .key = {}, .field = trimmed(text)};
  if (!a.field.empty() && a.field.back() == '*') {
    a.scale = true;
    a.field = trimmed(a.field.substr(0, a.field.size() - 1));
  }
  const std::size_t open = a.field.find('[');
  if (open != std::string_view::npos) {
    const std::size_t close = a.field.rfind("].");  // a key may hold dots and brackets
    if (close == std::string_view::npos || close < open) fail(a, "expected the form list[key].field");
    a.list = a.field.substr(0, open);
    a.key = a.field.substr(open + 1, close - open - 1);
    a.field = a.field.substr(close + 2);
  } else if (const std::size_t dot = a.field.find('.'); dot != std::string_view::npos) {
    a.list = a.field.substr(0, dot);
    a.field = a.field.substr(dot + 1);
  }
  return a;
}

void append_name(std::string& names, std::string_view name) {
  if (!names.empty()) names += ", ";
  names += name;
}

template <class T>
std::string field_names(const Records<T>& records) {
  std::string names;
  for (const Field<T>& field : records.fields) append_name(names, field.name);
  return names;
}

/// What a key may be, shortened where there is much of it.
template <class T>
std::string keys_of(const Records<T>& records, const std::vector<T>& items) {
  constexpr std::size_t kShown = 12;
  std::vector<std::string> names;
  std::vector<std::string> groups;
  const auto add = [](std::vector<std::string>& to, const std::string& text) {
    for (const std::string& known : to) {
      if (known == text) return;
    }
    to.push_back(text);
  };
  for (const T& item : items) {
    add(names, records.name_of(item));
    if (const auto group = records.group_of(item)) add(groups, *group);
  }
  const auto listed = [](const std::vector<std::string>& texts) {
    std::string all;
    for (std::size_t i = 0; i < texts.size() && i < kShown; ++i) append_name(all, "'" + texts[i] + "'");
    if (texts.size() > kShown) all += ", and " + std::to_string(texts.size() - kShown) + " more";
    return all;
  };
  std::string text = "names: " + listed(names);
  if (!groups.empty()) text += "; groups: " + listed(groups);
  return text + "; positions: 0 to " + std::to_string(items.size() - 1);
}

template <class T>
std::vector<std::size_t> select(const Records<T>& records, const std::vector<T>& items,
                                const Address& address) {
  std::vector<std::size_t> chosen;
  if (items.empty()) fail(address, "there are no " + std::string(records.name));
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!address.key || records.name_of(items[i]) == *address.key ||
        records.group_of(items[i]) == *address.key) {
      chosen.push_back(i);
    }
  }
  if (!chosen.empty()) return chosen;
  const std::string_view key = *address.key;
  const auto size = static_cast<std::int64_t>(items.size());
  std::int64_t position = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), position);
  if (error == std::errc{} && end == key.data() + key.size() && position >= -size && position < size) {
    return {static_cast<std::size_t>(position < 0 ? position + size : position)};
  }
  fail(address, "none of the " + std::string(records.name) + " goes by '" + std::string(key) + "'; " +
                    keys_of(records, items));
}

template <class T>
Target resolve_in(const Records<T>& records, const ProblemSpec& spec, const Address& address) {
  const Field<T>* field = nullptr;
  for (const Field<T>& f : records.fields) {
    if (f.name == address.field) field = &f;
  }
  if (field == nullptr) {
    fail(address, std::string(records.name) + " have no numeric field '" + std::string(address.field) +
                      "'; they have " + field_names(records));
  }
  const std::vector<T>& items = items_of<T>(spec);
  std::vector<std::size_t> chosen = select(records, items, address);
  const auto set = [scale = address.scale](double& figure, double value) {
    figure = scale ? figure * value : value;
  };
  Target target{.unit = address.scale ? "" : std::string(field->unit), .is_count = false, .apply = {}};
  if (const auto* number = std::get_if<double T::*>(&field->member)) {
    target.apply = [chosen, set, member = *number](ProblemSpec& s, double value) {
      for (const std::size_t i : chosen) set(items_of<T>(s)[i].*member, value);
    };
    return target;
  }
  const auto member = std::get<Figures T::*>(field->member);
  for (const std::size_t i : chosen) {
    if (!(items[i].*member))
      fail(address, "'" + records.name_of(items[i]) + "' has no " + std::string(field->name));
  }
  target.apply = [chosen, set, member](ProblemSpec& s, double value) {
    for (const std::size_t i : chosen) {
      for (double& figure : *(items_of<T>(s)[i].*member)) set(figure, value);
    }
  };
  return target;
}

constexpr std::string_view kProblemFields = "input_bytes, micro_batches, max_error, max_energy_j";

Target limit_target(const Address& address, std::optional<double> split::Limits::* limit,
                    const ProblemSpec& spec, std::string unit) {
  if (!address.scale) {
    return {std::move(unit), false, [limit](ProblemSpec& s, double value) {
              if (value == std::numeric_limits<double>::infinity())
                s.limits.*limit = std::nullopt;
              else
                s.limits.*limit = value;
            }};
  }
  if (!(spec.limits.*limit)) fail(address, "the problem sets no such limit");
  return {"", false, [limit](ProblemSpec& s, double value) { *(s.limits.*limit) *= value; }};
}

void set_micro_batches(ProblemSpec& spec, double value) {
  constexpr double kMost = 9007199254740992.0;  // 2^53: above, a double skips integers
  if (!(value >= 1.0 && value <= kMost) || value != std::floor(value)) {
    core::throw_out_of_range("micro_batches", value, "the integers from 1 to 2^53");
  }
  spec.micro_batches = static_cast<std::int64_t>(value);
}

/// A field of the problem itself; nothing for another name.
std::optional<Target> resolve_in_problem(const ProblemSpec& spec, const Address& address) {
  if (address.field == "max_error") return limit_target(address, &split::Limits::max_error, spec, "");
  if (address.field == "max_energy_j") return limit_target(address, &split::Limits::max_energy_j, spec, "J");
  if (!address.list.empty()) return std::nullopt;  // of the limits
  if (address.field == "input_bytes") {
    if (address.scale) return Target{"", false, [](ProblemSpec& s, double value) { s.input_bytes *= value; }};
    return Target{"B", false, [](ProblemSpec& s, double value) { s.input_bytes = value; }};
  }
  if (address.field == "micro_batches") {
    if (address.scale) fail(address, "a count is given, not multiplied");
    return Target{"", true, &set_micro_batches};
  }
  return std::nullopt;
}

Target resolve_bare(const ProblemSpec& spec, const Address& address) {
  if (std::optional<Target> target = resolve_in_problem(spec, address)) return *std::move(target);
  std::string lists;
  std::string known = "problem: " + std::string(kProblemFields);
  std::optional<Target> found;
  for_each_list([&](const auto& records) {
    known += "; " + std::string(records.name) + ": " + field_names(records);
    for (const auto& field : records.fields) {
      if (field.name == address.field) append_name(lists, records.name);
    }
  });
  if (lists.empty()) fail(address, "no such numeric field; there are " + known);
  if (lists.find(',') != std::string::npos) {
    fail(address, "a field of " + lists + "; say which, as in '" + lists.substr(0, lists.find(',')) + "." +
                      std::string(address.field) + "'");
  }
  for_each_list([&](const auto& records) {
    if (records.name == lists) found = resolve_in(records, spec, address);
  });
  return *std::move(found);
}

}  // namespace

Target resolve(const ProblemSpec& spec, std::string_view text) {
  const Address address = parse(text);
  if (address.list.empty() && !address.key) return resolve_bare(spec, address);
  if (address.list == "limits" && !address.key) {
    if (std::optional<Target> target = resolve_in_problem(spec, address)) return *std::move(target);
    fail(address, "limits have no numeric field '" + std::string(address.field) +
                      "'; they have max_error, max_energy_j");
  }
  std::optional<Target> found;
  for_each_list([&](const auto& records) {
    if (records.name == address.list) found = resolve_in(records, spec, address);
  });
  if (!found)
    fail(address, "'" + std::string(address.list) + "' is not one of layers, nodes, links, codecs, limits");
  return *std::move(found);
}

}  // namespace constellm::sweep
