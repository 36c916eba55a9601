#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "constellm/core/fields.hpp"

namespace constellm::sweep {

/// A numeric field of a record R, or the same field of some of the records in one of its lists.
template <class R>
struct Target {
  std::string unit;       ///< SI; empty for a pure number
  bool is_count = false;  ///< whole numbers only
  std::function<void(R&, double)> apply;
  std::string field{};                   ///< with its list, where it is of the records in one
  std::vector<std::size_t> positions{};  ///< of those records, ascending
  bool scale = false;

  /// Whether nothing is left of what `earlier` has set once this is applied.
  [[nodiscard]] bool hides(const Target& earlier) const {
    return !scale && field == earlier.field &&
           std::includes(positions.begin(), positions.end(), earlier.positions.begin(),
                         earlier.positions.end());
  }
};

/// An address taken apart; see `resolve`.
struct Address {
  std::string_view text;  ///< all of it, for messages
  std::string_view list;  ///< empty: a bare field
  std::optional<std::string_view> key;
  std::string_view field;
  bool scale = false;
};

Address parse(std::string_view text);

[[noreturn]] void fail(const Address& address, const std::string& why);

/// `names` with `name` behind a comma.
void append_name(std::string& names, std::string_view name);

/// What a record in a list goes by.
struct Key {
  std::string name;
  std::optional<std::string> group;
};

/// Positions of the records that the address means. `list` is what they are called together.
std::vector<std::size_t> select(std::string_view list, const std::vector<Key>& keys, const Address& address);

/// `value` as a whole number in `range`.
std::int64_t to_count(const char* field, const core::Range& range, double value);

namespace detail {

template <class V>
inline constexpr bool kIsNumber =
    std::is_same_v<V, double> || std::is_same_v<V, std::optional<double>> || std::is_same_v<V, std::int64_t>;
template <class V>
inline constexpr bool kIsNumbers = std::is_same_v<V, std::optional<std::vector<double>>>;
template <class V>
struct ListOf : std::false_type {};
template <core::Described Item>
struct ListOf<std::vector<Item>> : std::true_type {
  using Type = Item;
};

template <class R, class Call>
void for_each_number(Call call) {
  core::fields_of<R>().for_each([&]<class A>(const core::Field<R, A>& field) {
    using V = typename core::Field<R, A>::Value;
    if constexpr (kIsNumber<V> || kIsNumbers<V>) call(field);
  });
}

template <class R, class Call>
void for_each_list(Call call) {
  core::fields_of<R>().for_each([&]<class A>(const core::Field<R, A>& field) {
    if constexpr (ListOf<typename core::Field<R, A>::Value>::value) call(field);
  });
}

template <class R>
std::string number_names(std::string_view section = {}) {
  std::string names;
  for_each_number<R>([&](const auto& field) {
    if (section.empty() || section == field.section) append_name(names, field.name);
  });
  return names;
}

/// The name of a record, of several fields joined by an arrow, and its group.
template <class R>
Key key_of(const R& record) {
  Key key;
  core::fields_of<R>().for_each([&]<class A>(const core::Field<R, A>& field) {
    using V = typename core::Field<R, A>::Value;
    if constexpr (std::is_same_v<V, std::string>) {
      if (field.role == core::Role::name) key.name += (key.name.empty() ? "" : "->") + field.of(record);
    } else if constexpr (std::is_same_v<V, std::optional<std::string>>) {
      if (field.role == core::Role::group) key.group = field.of(record);
    }
  });
  return key;
}

/// Sets, or multiplies, `field` of a record.
template <class R, class A>
auto setter(const core::Field<R, A>& field, bool scale) {
  return [field, scale](R& record, double value) {
    using V = typename core::Field<R, A>::Value;
    auto& figure = field.of(record);
    const auto change = [&](double& number) { number = scale ? number * value : value; };
    if constexpr (std::is_same_v<V, double>) {
      change(figure);
    } else if constexpr (std::is_same_v<V, std::int64_t>) {
      figure = to_count(field.name, field.range, value);
    } else if constexpr (std::is_same_v<V, std::optional<double>>) {
      if (scale) {
        if (figure) *figure *= value;  // an axis before may have lifted the limit: it stays lifted
      } else if (value == std::numeric_limits<double>::infinity()) {
        figure = std::nullopt;
      } else {
        figure = value;
      }
    } else {
      for (double& number : *figure) change(number);
    }
  };
}

/// Complains where the field of this record cannot be changed as the address says.
template <class R, class A>
void check_change(const core::Field<R, A>& field, const R& record, const Address& address) {
  using V = typename core::Field<R, A>::Value;
  if constexpr (std::is_same_v<V, std::int64_t>) {
    if (address.scale) fail(address, "a count is given, not multiplied");
  } else if constexpr (std::is_same_v<V, std::optional<double>>) {
    if (address.scale && !field.of(record)) fail(address, "no such limit is set");
  } else if constexpr (kIsNumbers<V>) {
    if (!field.of(record)) fail(address, "'" + key_of(record).name + "' has no " + field.name);
  }
}

template <class R, class A>
Target<R> target(const core::Field<R, A>& field, const R& record, const Address& address) {
  check_change(field, record, address);
  return {.unit = address.scale ? "" : field.unit,
          .is_count = std::is_same_v<typename core::Field<R, A>::Value, std::int64_t>,
          .apply = setter(field, address.scale),
          .field = field.name,
          .positions = {},
          .scale = address.scale};
}

template <class R, class A>
Target<R> target_in(const core::Field<R, A>& list, const R& record, const Address& address) {
  using Item = typename ListOf<typename core::Field<R, A>::Value>::Type;
  const std::vector<Item>& items = list.of(record);
  std::optional<Target<R>> found;
  for_each_number<Item>([&](const auto& field) {
    if (field.name != address.field) return;
    std::vector<Key> keys;
    for (const Item& item : items) keys.push_back(key_of(item));
    const std::vector<std::size_t> chosen = select(list.name, keys, address);
    for (const std::size_t i : chosen) check_change(field, items[i], address);
    Target<Item> one = target(field, items[chosen.front()], address);
    found = Target<R>{.unit = std::move(one.unit),
                      .is_count = one.is_count,
                      .apply =
                          [list, chosen, set = setter(field, address.scale)](R& whole, double value) {
                            std::vector<Item>& all = list.of(whole);
                            for (const std::size_t i : chosen) set(all[i], value);
                          },
                      .field = std::string(list.name) + "." + field.name,
                      .positions = chosen,
                      .scale = address.scale};
  });
  if (!found) {
    fail(address, std::string(list.name) + " have no numeric field '" + std::string(address.field) +
                      "'; they have " + number_names<Item>());
  }
  return *std::move(found);
}

template <class R>
Target<R> resolve_bare(const R& record, const Address& address) {
  std::optional<Target<R>> found;
  for_each_number<R>([&](const auto& field) {
    if (field.name == address.field) found = target(field, record, address);
  });
  if (found) return *std::move(found);
  std::string lists;
  std::string known = std::string(core::fields_of<R>().name) + ": " + number_names<R>();
  for_each_list<R>([&]<class A>(const core::Field<R, A>& list) {
    using Item = typename ListOf<typename core::Field<R, A>::Value>::Type;
    known += std::string("; ") + list.name + ": " + number_names<Item>();
    for_each_number<Item>([&](const auto& field) {
      if (field.name == address.field) append_name(lists, list.name);
    });
  });
  if (lists.empty()) fail(address, "no such numeric field; there are " + known);
  if (const std::size_t comma = lists.find(','); comma != std::string::npos) {
    fail(address, "a field of " + lists + "; say which, as in '" + lists.substr(0, comma) + "." +
                      std::string(address.field) + "'");
  }
  for_each_list<R>([&](const auto& list) {
    if (list.name == lists) found = target_in(list, record, address);
  });
  return *std::move(found);
}

}  // namespace detail

/// The field that `address` names in records that are like `record`, as its table of fields has it:
///
///   `field`            of the record or a section of it; or of the one list whose records have it
///   `list.field`       of every record in the list; `section.field` of a section
///   `list[key].field`  of those whose name or group is `key`, else of the one at position `key`
///                      (from 0; negative from the end). A name of several parts is joined by `->`.
///   `... *`            multiplies what is there instead of taking its place
///
/// A list-valued field changes in every entry. For a limit, infinity means none. Throws
/// core::InvalidInput that says what exists instead.
template <core::Described R>
Target<R> resolve(const R& record, std::string_view text) {
  const Address address = parse(text);
  if (address.list.empty() && !address.key) return detail::resolve_bare(record, address);
  std::optional<Target<R>> found;
  std::string known;
  detail::for_each_list<R>([&](const auto& list) {
    append_name(known, list.name);
    if (list.name == address.list) found = detail::target_in(list, record, address);
  });
  std::string section;
  detail::for_each_number<R>([&](const auto& field) {
    if (*field.section == '\0') return;
    if (known.find(field.section) == std::string::npos) append_name(known, field.section);
    if (field.section != address.list) return;
    if (address.key) fail(address, std::string(field.section) + " is no list, so it takes no key");
    section = field.section;
    if (field.name == address.field) found = detail::target(field, record, address);
  });
  if (found) return *std::move(found);
  if (section.empty()) fail(address, "'" + std::string(address.list) + "' is not one of " + known);
  fail(address, section + " have no numeric field '" + std::string(address.field) + "'; they have " +
                    detail::number_names<R>(section));
}

}  // namespace constellm::sweep
