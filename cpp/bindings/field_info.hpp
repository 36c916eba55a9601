#pragma once
#include <cctype>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "keywords.hpp"

// A table of fields as Python reads it, and what is made of it for people: a class's documentation and
// signature, and the arguments of a call by name.
namespace constellm::bindings {

struct FieldInfo {
  std::string name;
  std::string type;  ///< what it takes, as an annotation
  std::string doc = {};
  std::string unit = {};
  std::string range = {};
  std::string section = {};
  bool required = true;
  bool required_in_files = true;
  bool in_files = true;
  bool always_written = true;
  py::object initial = py::none();  ///< where it is not given; None for a required field
};

using Infos = std::vector<FieldInfo>;

inline std::string doc_of(std::string_view doc, std::string_view unit) {
  std::string text(doc);
  if (!unit.empty()) text += (text.empty() ? "[" : " [") + std::string(unit) + "]";
  return text;
}

inline Names names_of(const Infos& fields) {
  Names names;
  for (const FieldInfo& field : fields) names.push_back(python_name(field.name));
  return names;
}

/// `annotation` without the modules of its names.
inline std::string short_type(std::string_view annotation) {
  std::string text;
  std::size_t word = 0;  // where the present dotted name begins in `text`
  for (const char c : annotation) {
    if (c == '.') {
      text.resize(word);
      continue;
    }
    text += c;
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_') word = text.size();
  }
  return text;
}

/// A section of a documentation: every field with type, default, sentence, unit and range.
inline std::string fields_doc(std::string_view title, const Infos& fields) {
  std::string text = std::string(title) + "\n" + std::string(title.size(), '-') + "\n";
  for (const FieldInfo& field : fields) {
    text += python_name(field.name) + " : " + short_type(field.type);
    if (!field.required) text += ", default " + shown(field.initial);
    text += "\n    " + doc_of(field.doc, field.unit);
    if (!field.range.empty()) text += ", in " + field.range;
    text += "\n";
  }
  return text;
}

/// The documentation of a class that is made of its fields.
inline std::string class_doc(std::string_view sentence, const Infos& fields, std::string_view example) {
  std::string text = std::string(sentence) + "\n\n" + fields_doc("Parameters", fields);
  if (!example.empty())
    text += "\nExamples\n--------\n>>> import constellm as clm\n>>> made = " + std::string(example) + "\n";
  return text;
}

/// How the stub writes the constructor; the first `positional` fields need no keyword.
inline std::string init_signature(const Infos& fields, std::size_t positional = 0) {
  std::string text = "__init__(self";
  for (std::size_t i = 0; i < positional; ++i)
    text += ", " + python_name(fields[i].name) + ": " + fields[i].type;
  text += ", *";
  for (const bool required : {true, false}) {
    for (std::size_t i = positional; i < fields.size(); ++i) {
      if (fields[i].required != required) continue;
      text += ", " + python_name(fields[i].name) + ": " + fields[i].type + (required ? "" : " = ...");
    }
  }
  return text + ") -> None";
}

/// The constructor for `inspect.signature`.
inline py::object signature_of(const Infos& fields, std::size_t positional = 0) {
  const py::module_ inspect = py::module_::import("inspect");
  const py::object parameter = inspect.attr("Parameter");
  py::list parameters;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const FieldInfo& field = fields[i];
    const char* kind = i < positional ? "POSITIONAL_OR_KEYWORD" : "KEYWORD_ONLY";
    parameters.append(
        parameter(python_name(field.name), parameter.attr(kind),
                  py::arg("default") = field.required ? py::object(parameter.attr("empty")) : field.initial,
                  py::arg("annotation") = short_type(field.type)));
  }
  return inspect.attr("Signature")(parameters);
}

/// The arguments of a constructor by name, those left out with their initial values.
inline py::dict bound(const std::string& type, const Infos& fields, std::size_t positional,
                      const py::args& args, const py::dict& keywords) {
  const Names names = names_of(fields);
  refuse_positions(type, names, positional, args);
  refuse_unknown(type, keywords, names, names);
  py::dict values;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const py::str name(names[i]);
    const bool named = keywords.contains(name);
    if (i < args.size()) {
      if (named) throw py::type_error(type + ": '" + names[i] + "' is given twice");
      values[name] = args[i];
    } else if (named) {
      values[name] = keywords[name];
    } else if (fields[i].required) {
      throw_missing(type, names[i]);
    } else {
      values[name] = fields[i].initial;
    }
  }
  return values;
}

}  // namespace constellm::bindings
