#pragma once
#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "constellm/core/error.hpp"

// Tables of fields: each fact about a field is said once. Beside its struct stands `fields(const T*)`, a
// Record of the name, sentence, unit and range of every field. Checks, bindings, messages, sweeps, files and
// docs read it.
namespace constellm::core {

/// The numbers that a field may hold, and how messages write them. NaN is in no range.
struct Range {
  double least = 0.0;
  double most = 0.0;
  bool without_least = false;
  const char* text = "";

  [[nodiscard]] constexpr bool contains(double value) const {
    return (without_least ? value > least : value >= least) && value <= most;
  }
  [[nodiscard]] constexpr bool contains(std::int64_t value) const {  // exact, above 2^53 too
    constexpr double kBeyond = 9223372036854775808.0;
    return (least < -kBeyond || value >= static_cast<std::int64_t>(least)) &&
           (most >= kBeyond || value <= static_cast<std::int64_t>(most));
  }
};

inline constexpr double kLargest = std::numeric_limits<double>::max();
inline constexpr Range kReal{.least = -kLargest, .most = kLargest, .text = "(-inf, inf)"};
inline constexpr Range kNonNegative{.least = 0.0, .most = kLargest, .text = "[0, inf)"};
inline constexpr Range kPositive{.least = 0.0, .most = kLargest, .without_least = true, .text = "(0, inf)"};
inline constexpr double kEndless = std::numeric_limits<double>::infinity();
inline constexpr Range kNonNegativeOrEndless{.least = 0.0, .most = kEndless, .text = "[0, inf]"};
inline constexpr Range kPositiveOrEndless{
    .least = 0.0, .most = kEndless, .without_least = true, .text = "(0, inf]"};

/// What a text is to an address: part of what its record goes by, or a group of records.
enum class Role { plain, name, group };

/// A field of T; `access` is a pointer to a member, or a call that finds the value in a T.
template <class T, class Access>
struct Field {
  using Value = std::remove_cvref_t<std::invoke_result_t<const Access&, const T&>>;

  const char* name;
  Access access;
  const char* doc;        ///< a sentence without its unit
  const char* unit = "";  ///< SI; empty for a pure number, a text or a list of records
  Range range = kReal;    ///< of a number, and of every entry of a list of them
  bool required = true;
  Role role = Role::plain;
  const char* section = "";    ///< the object inside a file that holds it; empty: the record itself
  bool may_be_empty = true;    ///< of a text
  bool said_in_files = false;  ///< a file must give it, whatever its initial value
  bool always_written = true;  ///< false: a dictionary leaves it out where there is none
  bool in_files = true;        ///< false: no dictionary has it

  /// Whether a record keeps it; where not, it is found from the others, and cannot be given.
  static constexpr bool kKept =
      std::is_lvalue_reference_v<std::invoke_result_t<const Access&, T&>> ||
      requires(const Access& call, T& record, const Value& value) { call.set(record, value); };

  [[nodiscard]] constexpr decltype(auto) of(const T& record) const { return std::invoke(access, record); }
  [[nodiscard]] constexpr decltype(auto) of(T& record) const { return std::invoke(access, record); }
  void set(T& record, Value value) const
    requires kKept
  {
    if constexpr (requires { access.set(record, value); })
      access.set(record, value);
    else
      of(record) = std::move(value);
  }

  [[nodiscard]] constexpr Field as_name() const {
    Field field = *this;
    field.role = Role::name;
    return field;
  }
  [[nodiscard]] constexpr Field as_group() const {
    Field field = *this;
    field.role = Role::group;
    return field;
  }
  [[nodiscard]] constexpr Field not_empty() const {
    Field field = *this;
    field.may_be_empty = false;
    return field;
  }
  [[nodiscard]] constexpr Field to_be_said_in_files() const {
    Field field = *this;
    field.said_in_files = true;
    return field;
  }
  /// None is no value, an empty list, and a number that is not finite. Also for a key that came after the
  /// first version of a format: its older readers know no such key.
  [[nodiscard]] constexpr Field left_out_if_none() const {
    Field field = *this;
    field.always_written = false;
    return field;
  }
  [[nodiscard]] constexpr Field not_in_files() const {
    Field field = *this;
    field.in_files = false;
    return field;
  }
};

template <class T, class V>
constexpr Field<T, V T::*> required(const char* name, V T::* member, const char* doc, const char* unit = "",
                                    Range range = kReal) {
  return {.name = name, .access = member, .doc = doc, .unit = unit, .range = range, .required = true};
}

/// Where it is not given it keeps the value of a T{}.
template <class T, class V>
constexpr Field<T, V T::*> optional(const char* name, V T::* member, const char* doc, const char* unit = "",
                                    Range range = kReal) {
  return {.name = name, .access = member, .doc = doc, .unit = unit, .range = range, .required = false};
}

/// The way to a field of a part of a record.
template <class Part, class Access>
struct Path {
  Part part;
  Access access;

  constexpr decltype(auto) operator()(auto& record) const {
    return std::invoke(access, std::invoke(part, record));
  }
};

/// `field` of the part `part` as a field of the whole.
template <class T, class P, class Access>
constexpr auto lifted(P T::* part, const Field<P, Access>& field, const char* section = "") {
  return Field<T, Path<P T::*, Access>>{.name = field.name,
                                        .access = {part, field.access},
                                        .doc = field.doc,
                                        .unit = field.unit,
                                        .range = field.range,
                                        .required = field.required,
                                        .role = field.role,
                                        .section = section,
                                        .may_be_empty = field.may_be_empty,
                                        .always_written = field.always_written,
                                        .in_files = field.in_files};
}

/// What `call` finds in a T. It is kept where the call has a `set(T&, value)` too.
template <class T, class Call>
constexpr Field<T, Call> found(const char* name, Call call, const char* doc, const char* unit = "",
                               Range range = kReal) {
  return {.name = name, .access = call, .doc = doc, .unit = unit, .range = range, .required = false};
}

/// What a record's part keeps and the whole only finds.
template <class Part, class Access>
struct FoundIn {
  Path<Part, Access> path;

  constexpr auto operator()(const auto& record) const { return path(record); }
};

/// `field` of the part `part` as what the whole finds there.
template <class T, class P, class Access>
constexpr auto found(P T::* part, const Field<P, Access>& field) {
  using Call = FoundIn<P T::*, Access>;
  return found<T>(field.name, Call{{part, field.access}}, field.doc, field.unit, field.range);
}

/// All that is said of a T.
template <class T, class... Access>
struct Record {
  const char* name;
  const char* doc;
  std::tuple<Field<T, Access>...> fields;
  const char* example = "";  ///< an expression in Python that makes one; `clm` is the package

  [[nodiscard]] constexpr Record with_example(const char* expression) const {
    Record record = *this;
    record.example = expression;
    return record;
  }

  template <class Call>
  constexpr void for_each(Call call) const {
    std::apply([&](const auto&... field) { (call(field), ...); }, fields);
  }
};

/// `part`: a table of which every field is one of the whole, in the object `section` of a file.
template <class T, class P, class... Access>
constexpr auto section(const char* section, P T::* part, const Record<P, Access...>& table) {
  return std::apply([&](const auto&... field) { return std::tuple{lifted(part, field, section)...}; },
                    table.fields);
}

namespace detail {

template <class T, class Access>
constexpr std::tuple<Field<T, Access>> as_tuple(const Field<T, Access>& field) {
  return {field};
}
template <class... Fields>
constexpr std::tuple<Fields...> as_tuple(const std::tuple<Fields...>& fields) {
  return fields;
}
template <class T, class... Access>
constexpr Record<T, Access...> made(const char* name, const char* doc,
                                    const std::tuple<Field<T, Access>...>& fields) {
  return {.name = name, .doc = doc, .fields = fields};
}

}  // namespace detail

/// `parts`: fields, and tuples of fields, in the order in which they are read and shown.
template <class... Parts>
constexpr auto record(const char* name, const char* doc, const Parts&... parts) {
  return detail::made(name, doc, std::tuple_cat(detail::as_tuple(parts)...));
}

/// A struct beside which such a table stands.
template <class T>
concept Described = requires { fields(static_cast<const T*>(nullptr)); };

template <Described T>
constexpr auto fields_of() {
  return fields(static_cast<const T*>(nullptr));
}

/// Where a record stands: a text, or an item of a list, which is made a text only in a message.
class Place {
 public:
  Place(std::string_view text) : list_(text) {}  // NOLINT(google-explicit-constructor): a text is a place
  Place(const char* text) : list_(text) {}       // NOLINT(google-explicit-constructor)
  Place(std::string_view list, std::size_t item) : list_(list), item_(item), is_item_(true) {}

  [[nodiscard]] std::string text() const {
    return is_item_ ? std::string(list_) + "[" + std::to_string(item_) + "]." : std::string(list_);
  }

 private:
  std::string_view list_;
  std::size_t item_ = 0;
  bool is_item_ = false;
};

/// Holds a number, or every entry of a list, against a range; throws InvalidInput.
inline void check_range(std::string_view where, const char* name, const Range& range, double value) {
  if (!range.contains(value)) throw_out_of_range(where, name, value, range.text);
}

inline void check_range(std::string_view where, const char* name, const Range& range, std::int64_t value) {
  if (range.contains(value)) return;
  throw InvalidInput(std::string(where) + name + ": " + std::to_string(value) + " is not in " + range.text);
}

inline void check_range(std::string_view where, const char* name, const Range& range,
                        const std::vector<double>& values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!range.contains(values[i]))
      throw_out_of_range(where, std::string(name) + "[" + std::to_string(i) + "]", values[i], range.text);
  }
}

namespace detail {

inline bool within(const Range& range, double value) { return range.contains(value); }
inline bool within(const Range& range, std::int64_t value) { return range.contains(value); }
inline bool within(const Range& range, const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [&](double v) { return range.contains(v); });
}

template <class V>
concept Checked =
    std::is_same_v<V, double> || std::is_same_v<V, std::int64_t> || std::is_same_v<V, std::vector<double>>;

}  // namespace detail

/// Holds every number against its range and every text that must not be empty; throws InvalidInput that
/// names `where` with the field, the value and the range.
template <class T, class... Access>
void check_ranges(const Record<T, Access...>& table, const T& record, const Place& where) {
  table.for_each([&]<class A>(const Field<T, A>& field) {
    using V = typename Field<T, A>::Value;
    const auto& value = field.of(record);
    const auto place = [&] {
      return where.text() + (*field.section == '\0' ? std::string() : std::string(field.section) + ".");
    };
    const auto check = [&](const auto& number) {
      if (!detail::within(field.range, number)) check_range(place(), field.name, field.range, number);
    };
    if constexpr (detail::Checked<V>) {
      check(value);
    } else if constexpr (requires {
                           requires detail::Checked<typename V::value_type>;
                           value.has_value();
                         }) {
      if (value) check(*value);
    } else if constexpr (std::is_same_v<V, std::string>) {
      if (!field.may_be_empty && value.empty())
        throw InvalidInput(place() + field.name + ": must not be empty");
    }
  });
}

template <Described T>
void check_ranges(const T& record, const Place& where) {
  check_ranges(fields_of<T>(), record, where);
}

}  // namespace constellm::core
