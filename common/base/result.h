#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "common/base/check.h"

namespace hanse {

/// Why something that came from a peer was refused, in one sentence.
struct Error {
  std::string what;
};

/// A value, or the reason why there is none. For bytes that came from a peer: refusing them is normal.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : content_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : content_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return content_.index() == 0; }
  explicit operator bool() const { return ok(); }

  const T& operator*() const& { return value(); }
  T& operator*() & { return value(); }
  T&& operator*() && { return std::move(value()); }
  const T* operator->() const { return &value(); }
  T* operator->() { return &value(); }

  const std::string& what() const {
    check(!ok(), "an error was read from a result that holds a value");
    return std::get<1>(content_).what;
  }
  Error error() const { return Error{what()}; }

 private:
  const T& value() const {
    check(ok(), "a value was read from a result that holds an error");
    return std::get<0>(content_);
  }
  T& value() {
    check(ok(), "a value was read from a result that holds an error");
    return std::get<0>(content_);
  }

  std::variant<T, Error> content_;
};

}  // namespace hanse
