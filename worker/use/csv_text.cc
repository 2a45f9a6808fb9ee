#include "worker/use/csv_text.h"

#include <cstdio>

#include "common/base/durable_file.h"
#include "common/base/failure.h"

namespace hanse {

std::string csv_cell(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    return std::string(text);
  }
  std::string quoted = "\"";
  for (const char c : text) {
    quoted += c == '"' ? "\"\"" : std::string(1, c);
  }
  return quoted + "\"";
}

void put_out(const std::string& text, const std::optional<std::filesystem::path>& file) {
  if (file) {
    write_durably(*file, text);
    return;
  }
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    throw Failure(ExitCode::could_not_finish, "standard output did not take all of the CSV");
  }
}

}  // namespace hanse
