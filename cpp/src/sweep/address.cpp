#include "constellm/sweep/address.hpp"

#include <algorithm>
#include <charconv>

#include "constellm/core/error.hpp"

namespace constellm::sweep {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  return text;
}

/// What a key may be, shortened where there is much of it.
std::string told(const std::vector<Key>& keys) {
  constexpr std::size_t kShown = 12;
  std::vector<std::string> names;
  std::vector<std::string> groups;
  const auto add = [](std::vector<std::string>& to, const std::string& text) {
    if (std::find(to.begin(), to.end(), text) == to.end()) to.push_back(text);
  };
  for (const Key& key : keys) {
    add(names, key.name);
    if (key.group) add(groups, *key.group);
  }
  const auto listed = [](const std::vector<std::string>& texts) {
    std::string all;
    for (std::size_t i = 0; i < texts.size() && i < kShown; ++i) append_name(all, "'" + texts[i] + "'");
    if (texts.size() > kShown) all += ", and " + std::to_string(texts.size() - kShown) + " more";
    return all;
  };
  std::string text = "names: " + listed(names);
  if (!groups.empty()) text += "; groups: " + listed(groups);
  return text + "; positions: 0 to " + std::to_string(keys.size() - 1);
}

}  // namespace

void fail(const Address& address, const std::string& why) {
  throw core::InvalidInput("axis '" + std::string(address.text) + "': " + why);
}

void append_name(std::string& names, std::string_view name) {
  if (!names.empty()) names += ", ";
  names += name;
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

std::vector<std::size_t> select(std::string_view list, const std::vector<Key>& keys, const Address& address) {
  std::vector<std::size_t> chosen;
  if (keys.empty()) fail(address, "there are no " + std::string(list));
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (!address.key || keys[i].name == *address.key || keys[i].group == *address.key) chosen.push_back(i);
  }
  if (!chosen.empty()) return chosen;
  const std::string_view key = *address.key;
  const auto size = static_cast<std::int64_t>(keys.size());
  std::int64_t position = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), position);
  if (error == std::errc{} && end == key.data() + key.size() && position >= -size && position < size) {
    return {static_cast<std::size_t>(position < 0 ? position + size : position)};
  }
  fail(address, "none of the " + std::string(list) + " goes by '" + std::string(key) + "'; " + told(keys));
}

std::int64_t to_count(const char* field, const core::Range& range, double value) {
  if (!range.contains(value) || value != std::floor(value)) {
    core::throw_out_of_range(field, value, std::string("the integers of ") + range.text);
  }
  return static_cast<std::int64_t>(value);
}

}  // namespace constellm::sweep
