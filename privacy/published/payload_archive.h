#pragma once

#include <cereal/archives/portable_binary.hpp>
#include <cstdint>
#include <istream>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "common/base/failure.h"
#include "common/workloads/model.h"

// The payloads of model.hanse and of checkpoints: for model_file.cc and checkpoint.cc alone.
namespace hanse {

/// The fields of the payload in their order, for writing.
class PayloadWriter {
 public:
  explicit PayloadWriter(std::ostream& stream) : archive_(stream) {}

  void put(std::uint64_t value) { archive_(value); }
  void put(const std::string& text) {
    put(std::uint64_t{text.size()});
    archive_(cereal::binary_data(text.data(), text.size()));
  }
  void put(double value) { archive_(value); }
  void put(const std::vector<double>& values) {
    put(std::uint64_t{values.size()});
    archive_(cereal::binary_data(values.data(), values.size() * sizeof(double)));
  }
  void put(const NamedArray& array) {
    put(array.name);
    put(std::uint64_t{array.shape.size()});
    for (const std::size_t extent : array.shape) {
      put(std::uint64_t{extent});
    }
    put(array.values);
  }
  void put(const std::pair<const std::string, std::string>& fact) {
    put(fact.first);
    put(fact.second);
  }
  template <class List>
  void put_all(const List& list) {
    put(std::uint64_t{list.size()});
    for (const auto& entry : list) {
      put(entry);
    }
  }

 private:
  cereal::PortableBinaryOutputArchive archive_;
};

/// The same fields for reading. No length is believed before it was compared with the bytes that are left: a
/// digest can be computed by anyone, so it proves that a file is whole, not that it is kind.
class PayloadReader {
 public:
  explicit PayloadReader(std::istream& stream, std::size_t size)
      : stream_(stream), archive_(stream), size_(size) {}

  std::uint64_t number() {
    std::uint64_t value = 0;
    archive_(value);
    return value;
  }
  std::size_t length(std::size_t smallest_entry) {
    const std::uint64_t count = number();
    if (count > remaining() / smallest_entry) {
      throw bad_input("a length beyond the end of the file");
    }
    return static_cast<std::size_t>(count);
  }
  double real() {
    double value = 0;
    archive_(value);
    return value;
  }
  std::string text() {
    std::string result(length(1), '\0');
    archive_(cereal::binary_data(result.data(), result.size()));
    return result;
  }
  std::vector<double> reals() {
    std::vector<double> result(length(sizeof(double)));
    archive_(cereal::binary_data(result.data(), result.size() * sizeof(double)));
    return result;
  }
  NamedArray array() {
    NamedArray result;
    result.name = text();
    result.shape.resize(length(sizeof(std::uint64_t)));
    for (std::size_t& extent : result.shape) {
      extent = static_cast<std::size_t>(number());
    }
    result.values = reals();
    check_shape(result);
    return result;
  }
  std::vector<NamedArray> arrays() {
    std::vector<NamedArray> result;
    for (std::size_t left = length(3 * sizeof(std::uint64_t)); left > 0; --left) {
      result.push_back(array());
    }
    return result;
  }
  bool finished() const { return remaining() == 0; }

 private:
  std::size_t remaining() const { return size_ - static_cast<std::size_t>(stream_.tellg()); }
  static void check_shape(const NamedArray& array) {
    // Divided rather than multiplied: a product of hostile extents could wrap to the right value.
    std::size_t left = array.values.size();
    bool fits = true;
    for (const std::size_t extent : array.shape) {
      if (extent == 0) {
        fits = array.values.empty();
        left = 1;
        break;
      }
      fits = fits && left % extent == 0;
      left /= extent;
    }
    if (!fits || left != 1) {
      throw bad_input("an array whose shape is not that of its values");
    }
  }

  std::istream& stream_;
  cereal::PortableBinaryInputArchive archive_;
  std::size_t size_;
};

}  // namespace hanse
