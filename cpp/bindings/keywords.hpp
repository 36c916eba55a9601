#pragma once
#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "from_python.hpp"

// Refusal of keywords, in the same words by every constructor.
namespace constellm::bindings {

using Names = std::vector<std::string>;

/// Whether Python keeps the name of a field for itself: there it is `from_`.
constexpr bool is_reserved(std::string_view field) { return field == "from"; }

inline std::string python_name(std::string_view field) {
  return std::string(field) + (is_reserved(field) ? "_" : "");
}

/// What goes behind an unknown name: the one of `meant` that is like it, or all that are known.
inline std::string hint_among(const py::handle& word, const Names& meant, const Names& known) {
  const py::list alike = py::module_::import("difflib").attr("get_close_matches")(word, meant, 1);
  if (!alike.empty()) return "; did you mean " + shown(alike[0]) + "?";
  std::string all;
  for (const std::string& name : known) all += (all.empty() ? "; known: " : ", ") + name;
  return all;
}
inline std::string hint_for(const py::handle& word, const Names& names) {
  return hint_among(word, names, names);
}

/// Complains of the first keyword that is none of `names`; it may have meant those of `told` that are not
/// given.
inline void refuse_unknown(const std::string& type, const py::dict& keywords, const Names& names,
                           const Names& told) {
  for (const auto& [key, _] : keywords) {
    const auto is_key = [key = key](const std::string& name) {
      return PyUnicode_CompareWithASCIIString(key.ptr(), name.c_str()) == 0;
    };
    if (std::any_of(names.begin(), names.end(), is_key)) continue;
    Names free;
    std::copy_if(told.begin(), told.end(), std::back_inserter(free),
                 [&](const std::string& name) { return !keywords.contains(name.c_str()); });
    throw py::type_error(type + ": unknown key " + shown(key) +
                         hint_among(key, free.empty() ? told : free, told));
  }
}

[[noreturn]] inline void throw_missing(const std::string& type, const std::string& name) {
  throw py::type_error(type + ": missing required key '" + name + "'");
}

/// Refuses values without a keyword after the first `most`, with the form that is meant.
inline void refuse_positions(const std::string& type, const Names& names, std::size_t most,
                             const py::args& args) {
  if (args.size() <= most) return;
  if (args.size() > names.size()) {
    std::string known;
    for (const std::string& name : names) known += (known.empty() ? "" : ", ") + name;
    throw py::type_error(type + ": takes no more than " + known + ", got " + std::to_string(args.size()) +
                         " values");
  }
  std::string form;
  for (std::size_t i = 0; i < std::min(args.size(), names.size()); ++i)
    form += (i == 0 ? "" : ", ") + (i < most ? "" : names[i] + "=") + shown(args[i], 20);
  const std::string which = most == 0 ? "fields" : "fields after '" + names[most - 1] + "'";
  throw py::type_error(type + ": " + which + " are given by keyword, as in " + type + "(" + form + ")");
}

}  // namespace constellm::bindings
