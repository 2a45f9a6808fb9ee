#include "common/data/idx.h"

#include <array>

#include "common/base/failure.h"
#include "common/data/inflate.h"
#include "common/data/mapped_file.h"

namespace hanse {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 33;

std::uint32_t number_at(std::string_view bytes, std::size_t at) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    number = number << 8 | static_cast<unsigned char>(bytes[at + i]);
  }
  return number;
}

/// The whole file, uncompressed: a header of `dimensions` counts, and as many bytes as it says.
std::string read_idx(const std::filesystem::path& path, unsigned char dimensions, std::string_view key) {
  const MappedFile mapped(path, key);
  const auto refuse = [&](const std::string& what) {
    return bad_input(path.string() + ": " + what + "; expected an IDX file of bytes with " +
                     std::to_string(dimensions) + (dimensions == 1 ? " dimension" : " dimensions") +
                     ", as it is or compressed by gzip");
  };
  const std::size_t header = 4 + 4 * std::size_t{dimensions};
  const bool gzip = is_gzip(mapped.text());
  const auto head = gzip ? inflated(mapped.text(), header) : std::string(mapped.text().substr(0, header));
  if (!head || head->size() < header) {
    throw refuse("the file is damaged or ends too early");
  }
  if (number_at(*head, 0) != (0x800u | dimensions)) {
    throw refuse("it begins with other bytes than that");
  }
  std::size_t expected = 1;
  for (unsigned char i = 0; i < dimensions; ++i) {
    const std::size_t count = number_at(*head, 4 + 4 * std::size_t{i});
    if (count == 0 || count > kMostBytes / expected) {
      throw refuse("its header says that it is empty or larger than 8 GiB");
    }
    expected *= count;
  }
  expected += header;
  // One byte more than there should be shows whether there are more.
  auto whole =
      gzip ? inflated(mapped.text(), expected + 1) : std::string(mapped.text().substr(0, expected + 1));
  if (!whole || whole->size() != expected) {
    throw refuse("its header says " + std::to_string(expected) + " bytes, and there are " +
                 (whole && whole->size() > expected ? "more" : "fewer, or they are damaged"));
  }
  return std::move(*whole);
}

std::filesystem::path labels_beside(const std::filesystem::path& images) {
  std::string name = images.filename().string();
  const auto rename = [&name](std::string_view from, std::string_view to) {
    const std::size_t at = name.find(from);
    if (at == std::string::npos) {
      return false;
    }
    name.replace(at, from.size(), to);
    return true;
  };
  const bool found = rename("images", "labels");
  rename("idx3", "idx1");
  if (!found) {
    throw bad_input(
        images.string() +
        ": the name of a file of pictures has 'images' in it, for which that of its labels has 'labels'; "
        "rename both, for instance train-images-idx3-ubyte and train-labels-idx1-ubyte");
  }
  return images.parent_path() / name;
}

}  // namespace

IdxReader::IdxReader(const std::filesystem::path& images, std::uint32_t features, std::string_view key)
    : file_(images.string()), features_(features), images_(read_idx(images, 3, key)) {
  const std::filesystem::path beside = labels_beside(images);
  labels_ = read_idx(beside, 1, key);
  count_ = number_at(images_, 4);
  const std::uint64_t pixels = std::uint64_t{number_at(images_, 8)} * number_at(images_, 12);
  if (pixels != features_) {
    throw bad_input(file_ + ": pictures of " + std::to_string(number_at(images_, 8)) + " x " +
                    std::to_string(number_at(images_, 12)) + " pixels, and data.features is " +
                    std::to_string(features_) + "; set data.features=" + std::to_string(pixels));
  }
  if (number_at(labels_, 4) != count_) {
    throw bad_input(beside.string() + ": " + std::to_string(number_at(labels_, 4)) + " labels for the " +
                    std::to_string(count_) + " pictures of " + file_ + "; expected one for each");
  }
}

bool IdxReader::next() {
  return ++row_ < count_;
}

std::string IdxReader::place() const {
  return file_ + ": picture " + std::to_string(row_ + 1);
}

}  // namespace hanse
