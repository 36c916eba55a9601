// Catch2 2 makes its main() here; Catch2 3 ignores the macro and brings a library with one.
#define CATCH_CONFIG_MAIN
#include "catch.hpp"
