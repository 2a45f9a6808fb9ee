#include "privacy/published/model_file.h"

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <span>

#include "common/base/bytes.h"
#include "common/base/durable_file.h"
#include "common/base/failure.h"
#include "privacy/crypto/digest.h"
#include "tests/support/test_folder.h"

namespace hanse {
namespace {

PublishedModel small_model() {
  PublishedModel model;
  model.workload = "logistic";
  model.step = 12;
  model.arrays = {{"weights", {2, 3}, {1, 2, 3, 4, 5, 6.5}}, {"bias", {1}, {-0.25}}};
  model.encoding = {{"mean", {3}, {0.5, 0, 1}}};
  model.columns = {"seconds", "month=May", "month=Jun"};
  model.facts = {{"data.numeric", "log1p:seconds[0..10]"}};
  model.privacy = "epsilon 2 for each customer";
  return model;
}

/// A file whose digest is right and whose payload is what the test wants: digests prove no good will.
std::string sealed(const std::string& payload) {
  const auto field = [](auto value) { return text_of(std::as_bytes(std::span(&value, 1))); };
  std::string bytes = "HANSEMDL";
  bytes += field(kModelFormatVersion);
  bytes += field(std::uint64_t{payload.size()});
  bytes += text_of(sha256(bytes_of(payload)));
  return bytes + payload;
}

std::string refusal_of(const std::string& bytes) {
  try {
    decode_model(bytes, "a.hanse");
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), ExitCode::bad_input);
    return failure.what();
  }
  return "";
}

class ModelFile : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = test_folder() / "hanse_model_file";
    std::filesystem::remove_all(folder_);
  }
  std::filesystem::path folder_;
};

TEST_F(ModelFile, IsReadBackAsItWasWritten) {
  write_model(folder_ / "model", small_model());

  for (const auto& where : {folder_, folder_ / "model", folder_ / "model" / "model.hanse"}) {
    const PublishedModel model = read_model(where);

    EXPECT_EQ(model.workload, "logistic");
    EXPECT_EQ(model.step, 12u);
    EXPECT_EQ(model.columns, small_model().columns);
    EXPECT_EQ(model.facts, small_model().facts);
    EXPECT_EQ(model.privacy, small_model().privacy);
    ASSERT_NE(model.find("weights"), nullptr);
    EXPECT_EQ(model.find("weights")->shape, (std::vector<std::size_t>{2, 3}));
    EXPECT_EQ(model.find("weights")->values, (std::vector<double>{1, 2, 3, 4, 5, 6.5}));
    ASSERT_NE(model.find("mean"), nullptr);
    EXPECT_EQ(model.find("missing"), nullptr);
  }
}

TEST_F(ModelFile, IsTheSameBytesForTheSameModel) {
  EXPECT_EQ(encode_model(small_model()), encode_model(small_model()));

  PublishedModel other = small_model();
  other.arrays[1].values[0] = -0.125;
  EXPECT_NE(encode_model(small_model()), encode_model(other));
  EXPECT_NE(model_digest(small_model()), model_digest(other));
}

TEST_F(ModelFile, HoldsAnEmptyModel) {
  PublishedModel empty;
  empty.arrays = {{"none", {0, 4}, {}}, {"scalar", {}, {3}}};

  const PublishedModel back = decode_model(encode_model(empty), "empty");

  EXPECT_EQ(back.arrays.size(), 2u);
  EXPECT_TRUE(back.arrays[0].values.empty());
  EXPECT_EQ(back.arrays[1].values, std::vector<double>{3});
}

TEST_F(ModelFile, DescribesItselfReadably) {
  write_model(folder_, small_model());

  const std::string json = read_file(folder_ / "model.json");

  for (const char* word : {"\"version\": 1", "\"workload\": \"logistic\"", "\"step\": 12", "weights.npy",
                           "\"<f8\"", "month=May", "epsilon 2 for each customer"}) {
    EXPECT_NE(json.find(word), std::string::npos) << word;
  }
  EXPECT_NE(json.find(model_digest(small_model())), std::string::npos);
}

TEST_F(ModelFile, RefusesWhatIsNoModel) {
  EXPECT_NE(refusal_of("").find("no model"), std::string::npos);
  EXPECT_NE(refusal_of("PK\x03\x04 something else").find("no model"), std::string::npos);
  EXPECT_THROW(read_model(folder_ / "nowhere"), Failure);
}

TEST_F(ModelFile, RefusesAnUnknownVersion) {
  std::string bytes = encode_model(small_model());
  bytes[8] = 9;

  EXPECT_NE(refusal_of(bytes).find("format 9"), std::string::npos);
}

TEST_F(ModelFile, RefusesATornFileWhereverItIsTorn) {
  const std::string bytes = encode_model(small_model());

  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_NE(refusal_of(bytes.substr(0, length)), "") << length;
  }
  EXPECT_NE(refusal_of(bytes + "x").find("torn"), std::string::npos);
}

TEST_F(ModelFile, RefusesEveryAlteredByte) {
  const std::string bytes = encode_model(small_model());

  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string altered = bytes;
    altered[i] = static_cast<char>(altered[i] ^ 1);
    EXPECT_NE(refusal_of(altered), "") << i;
  }
}

TEST_F(ModelFile, RefusesHostileLengthsBehindARightDigest) {
  const std::string payload = encode_model(small_model()).substr(52);

  for (std::size_t i = 0; i + 8 <= payload.size(); ++i) {
    std::string hostile = payload;
    const std::uint64_t huge = ~std::uint64_t{0} >> 3;
    std::memcpy(hostile.data() + i, &huge, sizeof(huge));
    refusal_of(sealed(hostile));  // Refused or harmless; never a crash or a huge allocation.
  }
  EXPECT_NE(refusal_of(sealed(payload.substr(0, payload.size() - 1))).find("malformed"), std::string::npos);
  EXPECT_NE(refusal_of(sealed(payload + "x")).find("after its end"), std::string::npos);
}

TEST_F(ModelFile, WritesNpyArraysThatNumpyReads) {
  const std::string npy = encode_npy({"weights", {2, 3}, {1, 2, 3, 4, 5, 6.5}});

  ASSERT_GE(npy.size(), 64u);
  EXPECT_EQ(npy.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  const std::size_t header = static_cast<unsigned char>(npy[8]) + 256u * static_cast<unsigned char>(npy[9]);
  EXPECT_EQ((10 + header) % 64, 0u);
  EXPECT_EQ(npy.substr(10, 59), "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }");
  EXPECT_EQ(npy[10 + header - 1], '\n');
  ASSERT_EQ(npy.size(), 10 + header + 6 * sizeof(double));
  double last = 0;
  std::memcpy(&last, npy.data() + npy.size() - sizeof(double), sizeof(double));
  EXPECT_EQ(last, 6.5);
  EXPECT_NE(encode_npy({"v", {3}, {1, 2, 3}}).find("'shape': (3,), }"), std::string::npos);
  EXPECT_NE(encode_npy({"s", {}, {1}}).find("'shape': (), }"), std::string::npos);
}

TEST_F(ModelFile, IsReadByNumpyItself) {
  std::string python = "python3";
  const auto has_numpy = [&] {
    return std::system((python + " -c 'import numpy' 2>/dev/null").c_str()) == 0;
  };
  if (!has_numpy()) {
    python = "/usr/bin/python3";  // Debian's, where another one comes first.
  }
  if (!has_numpy()) {
    GTEST_SKIP() << "no numpy here";
  }
  write_model(folder_, small_model());

  const std::string script = python + " -c \"import numpy; a = numpy.load('" +
                             (folder_ / "weights.npy").string() +
                             "'); assert a.shape == (2, 3) and a[1, 2] == 6.5 and a.dtype == 'f8'\"";

  EXPECT_EQ(std::system(script.c_str()), 0);
}

TEST_F(ModelFile, SaysWhenItCannotBeWritten) {
  std::filesystem::create_directories(folder_);
  write_durably(folder_ / "file", "in the way");

  EXPECT_THROW(write_model(folder_ / "file" / "model", small_model()), Failure);
}

}  // namespace
}  // namespace hanse
