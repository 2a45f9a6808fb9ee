#include "examples/market/csv_file.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include "common/base/failure.h"

namespace hanse {

CsvFile::CsvFile(std::filesystem::path file)
    : file_(std::move(file)), stream_(std::fopen(file_.c_str(), "wb")) {
  if (stream_ == nullptr) {
    fail("create");
  }
}

CsvFile::~CsvFile() {
  if (stream_ != nullptr) {
    std::fclose(stream_);
  }
}

void CsvFile::write(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stream_) != text.size()) {
    fail("write");
  }
}

void CsvFile::close() {
  if (std::fclose(std::exchange(stream_, nullptr)) != 0) {
    fail("write");
  }
}

void CsvFile::fail(const char* what) const {
  throw Failure(ExitCode::could_not_finish,
                std::string("cannot ") + what + " " + file_.string() + ": " + std::strerror(errno));
}

}  // namespace hanse
