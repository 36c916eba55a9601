#pragma once
#include <cfenv>

namespace constellm::codec {

/// IEEE 754's default floating point for a scope: nothing flushed to zero, rounding to nearest.
class DefaultFloats {
 public:
  DefaultFloats() {
    std::fegetenv(&before_);
    std::fesetenv(FE_DFL_ENV);
  }
  DefaultFloats(const DefaultFloats&) = delete;
  DefaultFloats& operator=(const DefaultFloats&) = delete;
  ~DefaultFloats() { std::fesetenv(&before_); }

 private:
  std::fenv_t before_;
};

}  // namespace constellm::codec
