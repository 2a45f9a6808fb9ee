#include "common/data/idx.h"

#include <zlib.h>

#include "common/config/configuration.h"
#include "common/data/inflate.h"
#include "common/data/read_dataset.h"
#include "tests/common/data/data_folder.h"

namespace hanse {
namespace {

std::string counts(std::initializer_list<std::uint32_t> numbers) {
  std::string bytes;
  for (const std::uint32_t number : numbers) {
    for (const int shift : {24, 16, 8, 0}) {
      bytes.push_back(static_cast<char>(number >> shift & 0xFF));
    }
  }
  return bytes;
}

/// Three pictures of 1 x 2 pixels.
const std::string kImages = counts({0x803, 3, 1, 2}) + std::string("\x00\xff\x33\x00\x01\x02", 6);
const std::string kLabels = counts({0x801, 3}) + std::string("\x02\x00\x01", 3);

std::string gzip(const std::string& bytes) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string out(bytes.size() + 1000, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  const std::size_t size = stream.total_out;
  deflateEnd(&stream);
  return out.substr(0, size);
}

class Idx : public testing::Test {
 protected:
  std::string refusal_of(const std::string& images, const std::string& labels, std::uint32_t features = 2) {
    folder_.write("a-images-idx3", images);
    folder_.write("a-labels-idx1", labels);
    return refusal([&] { IdxReader(folder_.path() / "a-images-idx3", features, "data.path"); },
                   folder_.path().string());
  }
  Configuration configuration(const std::string& label) {
    Configuration c;
    c.workload.name = "softmax";
    c.data.path = folder_.write("a-images-idx3.gz", gzip(kImages));
    folder_.write("a-labels-idx1.gz", gzip(kLabels));
    c.data.format = "idx";
    c.data.label = label;
    c.data.features = 2;
    c.data.partition = "iid:1";
    return c;
  }
  DataFolder folder_;
};

TEST_F(Idx, ReadsPicturesAndTheirLabelsPlainOrCompressed) {
  for (const bool compressed : {false, true}) {
    const std::string end = compressed ? "idx3.gz" : "idx3";
    folder_.write("a-images-" + end, compressed ? gzip(kImages) : kImages);
    folder_.write(compressed ? "a-labels-idx1.gz" : "a-labels-idx1", compressed ? gzip(kLabels) : kLabels);

    IdxReader reader(folder_.path() / ("a-images-" + end), 2, "data.path");

    ASSERT_TRUE(reader.next());
    EXPECT_EQ(reader.pixels(), std::string_view("\x00\xff", 2));
    EXPECT_EQ(reader.label(), 2);
    EXPECT_TRUE(reader.place().ends_with(": picture 1"));
    ASSERT_TRUE(reader.next());
    ASSERT_TRUE(reader.next());
    EXPECT_EQ(reader.pixels(), "\x01\x02");
    EXPECT_EQ(reader.label(), 1);
    EXPECT_FALSE(reader.next());
  }
}

TEST_F(Idx, RefusesWhatIsDamagedOrNotAsItsHeaderSays) {
  const std::string wanted =
      "; expected an IDX file of bytes with 3 dimensions, as it is or compressed by gzip";

  EXPECT_EQ(refusal_of("", kLabels), "a-images-idx3: the file is damaged or ends too early" + wanted);
  EXPECT_EQ(refusal_of(kLabels + "12345678", kLabels),
            "a-images-idx3: it begins with other bytes than that" + wanted);
  EXPECT_EQ(refusal_of(kImages.substr(0, 20), kLabels),
            "a-images-idx3: its header says 22 bytes, and there are fewer, or they are damaged" + wanted);
  EXPECT_EQ(refusal_of(kImages + "1", kLabels),
            "a-images-idx3: its header says 22 bytes, and there are more" + wanted);
  EXPECT_EQ(refusal_of(counts({0x803, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}), kLabels),
            "a-images-idx3: its header says that it is empty or larger than 8 GiB" + wanted);
  EXPECT_EQ(refusal_of(counts({0x803, 0, 1, 2}), kLabels),
            "a-images-idx3: its header says that it is empty or larger than 8 GiB" + wanted);
  EXPECT_NE(refusal_of(gzip(kImages).substr(0, 30), kLabels), "");
  EXPECT_NE(refusal_of(gzip(kImages + "1"), kLabels).find("there are more"), std::string::npos);
}

TEST_F(Idx, RefusesPicturesAndLabelsThatDoNotGoTogether) {
  EXPECT_EQ(refusal_of(kImages, counts({0x801, 2}) + "ab"),
            "a-labels-idx1: 2 labels for the 3 pictures of a-images-idx3; expected one for each");
  EXPECT_EQ(refusal_of(kImages, kLabels, 784),
            "a-images-idx3: pictures of 1 x 2 pixels, and data.features is 784; set data.features=2");
  folder_.write("pictures", kImages);
  EXPECT_NE(
      refusal([&] { IdxReader(folder_.path() / "pictures", 2, "data.path"); }).find("has 'images' in it"),
      std::string::npos);
}

TEST_F(Idx, GreyValuesAreScaledToOneAndLabelsNamedByTheirPlace) {
  const Dataset data = read_dataset(configuration("kind{shirt|shoe|bag}"), 1, 1);

  ASSERT_EQ(data.train.features.rows(), 3u);
  EXPECT_EQ(text_of_row(data.train.features.row(0)), "1:1 2:1");
  EXPECT_EQ(text_of_row(data.train.features.row(1)), "0:0.2 2:1");
  EXPECT_EQ(data.train.labels, (std::vector<float>{2, 0, 1}));
  EXPECT_EQ(data.space.classes, (std::vector<std::string>{"shirt", "shoe", "bag"}));
  EXPECT_EQ(data.space.names, (std::vector<std::string>{"pixel1", "pixel2", "intercept"}));
}

TEST_F(Idx, RefusesALabelThatIsNoneOfTheClasses) {
  for (const char* label : {"kind{shirt|shoe}", "kind[0..1]"}) {
    EXPECT_NE(refusal([&] { read_dataset(configuration(label), 1, 1); }).find("picture 1: label: expected"),
              std::string::npos)
        << label;
  }
}

TEST_F(Idx, RefusesWhatPicturesDoNotHave) {
  Configuration no_features = configuration("kind[0..9]");
  no_features.data.features = 0;
  Configuration column = configuration("kind[0..9]");
  column.data.partition = "column";
  column.data.merchant = "shop";
  Configuration split = configuration("kind[0..9]");
  split.data.test = "column:part";

  EXPECT_NE(refusal([&] { read_dataset(no_features, 1, 1); }).find("data.features"), std::string::npos);
  EXPECT_NE(refusal([&] { read_dataset(column, 1, 1); }).find("pictures have no column of merchants"),
            std::string::npos);
  EXPECT_NE(refusal([&] { read_dataset(split, 1, 1); }).find("format idx has none"), std::string::npos);
}

TEST(Inflate, StopsAtItsBoundHoweverMuchThereIs) {
  const std::string bomb = gzip(std::string(1 << 24, 'x'));

  const auto front = inflated(bomb, 10);

  ASSERT_LT(bomb.size(), 100'000u);
  ASSERT_TRUE(front.has_value());
  EXPECT_EQ(*front, "xxxxxxxxxx");
  EXPECT_EQ(inflated(bomb, 1 << 25)->size(), std::size_t{1} << 24);
}

TEST(Inflate, GivesNothingOfDamagedBytesOrOfMoreBehindThem) {
  const std::string good = gzip("some text that is long enough");
  std::string damaged = good;
  damaged[damaged.size() - 6] = static_cast<char>(damaged[damaged.size() - 6] ^ 1);

  EXPECT_EQ(inflated(good, 100), "some text that is long enough");
  EXPECT_FALSE(inflated(damaged, 100).has_value());
  EXPECT_FALSE(inflated(good.substr(0, good.size() - 1), 100).has_value());
  EXPECT_FALSE(inflated(good + "more", 100).has_value());
  EXPECT_FALSE(inflated("", 100).has_value());
}

}  // namespace
}  // namespace hanse
