#pragma once

#include <gtest/gtest.h>

#include <span>

namespace hanse::test {

inline void expect_near(std::span<const double> actual, std::span<const double> expected, double tolerance) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    EXPECT_NEAR(actual[i], expected[i], tolerance) << i;
  }
}

}  // namespace hanse::test
