#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace hanse {

/// Pictures and their labels in the IDX format of MNIST (LeCun, Cortes and Burges): two files of bytes,
///
///   images  00 00 08 03 | count | rows | columns | count * rows * columns grey values
///   labels  00 00 08 01 | count | count labels
///
/// with counts of four bytes, the most significant first. Either may be compressed by gzip. The labels' file is beside the images',
/// its name with "labels" for "images" and "idx1" for "idx3": train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz.
/// Nothing is allocated by what a header says alone, and every fault is a Failure naming the file.
class IdxReader {
 public:
  /// Pictures of `features` grey values each; `key` names the configuration key that asks for the file.
  IdxReader(const std::filesystem::path& images, std::uint32_t features, std::string_view key);

  /// Goes to the next picture; false at the end.
  bool next();
  /// The grey values of this picture.
  std::string_view pixels() const { return std::string_view(images_).substr(at(row_), features_); }
  std::uint8_t label() const { return static_cast<std::uint8_t>(labels_[kLabelHeader + row_]); }
  /// "FILE: picture 17", from 1.
  std::string place() const;

 private:
  static constexpr std::size_t kImageHeader = 16, kLabelHeader = 8;
  std::size_t at(std::size_t row) const { return kImageHeader + row * features_; }

  std::string file_;
  std::size_t features_;
  std::string images_, labels_;
  std::size_t count_ = 0;
  std::size_t row_ = static_cast<std::size_t>(-1);
};

}  // namespace hanse
