// hanse-keys: creates the identities of a federation and its signed roster, and shows a roster.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "common/base/durable_file.h"
#include "common/base/failure.h"
#include "common/base/printable.h"
#include "common/base/program.h"
#include "common/config/arguments.h"
#include "common/data/csv.h"
#include "privacy/crypto/digest.h"
#include "privacy/crypto/system_random.h"
#include "privacy/secure_sum/key_file.h"
#include "privacy/secure_sum/roster.h"
#include "privacy/sum_parameters.h"

namespace hanse {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> names_of_list(const std::string& list) {
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    names.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

/// The distinct values of a column: the merchants of a data set, spelled as its rows spell them.
std::vector<std::string> names_of_column(const std::string& wish) {
  const std::size_t colon = wish.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == wish.size()) {
    throw bad_input("--merchants-from needs FILE.csv:COLUMN; got \"" + wish + "\"");
  }
  const std::string file = wish.substr(0, colon);
  const std::string text = read_file(file);
  CsvReader reader(text, file);
  const std::size_t column = reader.column(wish.substr(colon + 1), "--merchants-from");
  std::set<std::string, std::less<>> names;
  while (reader.next()) {
    const std::string_view cell = reader.cell(column);
    if (cell.empty()) {
      throw bad_input(reader.place() + ": the merchant is empty");
    }
    if (names.find(cell) == names.end()) {
      names.emplace(cell);
    }
    if (names.size() > kMerchantsMax) {
      throw bad_input(reader.place() + ": more than " + std::to_string(kMerchantsMax) +
                      " merchants; is this the right column?");
    }
  }
  return {names.begin(), names.end()};
}

void create_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    throw Failure(ExitCode::could_not_finish, "cannot create " + folder.string() + ": " + error.message());
  }
  fs::permissions(folder, fs::perms::owner_all, error);
}

/// Thousands of keys are one sync of their disk.
void sync_disk(const fs::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = descriptor >= 0 && ::syncfs(descriptor) == 0;
  const int reason = errno;
  if (descriptor >= 0) {
    ::close(descriptor);
  }
  if (!synced) {
    throw Failure(ExitCode::could_not_finish,
                  "cannot write " + folder.string() + ": " + std::strerror(reason));
  }
}

/// The roster is written last: a folder with a roster is complete.
void create_federation(const fs::path& folder, const std::string& federation,
                       const std::vector<std::string>& names, bool with_arbiter) {
  std::error_code error;
  if (fs::exists(folder, error) && !fs::is_empty(folder, error)) {
    throw bad_input(folder.string() +
                    " is there and not empty, and keys are never overwritten: choose another");
  }
  SystemRandom random;
  const SigningKey coordinator = SigningKey::generate(random);
  const SigningKey operator_key = SigningKey::generate(random);
  const SigningKey arbiter = SigningKey::generate(random);
  std::vector<SigningKey> keys;
  std::vector<RosterMerchant> merchants;
  for (const std::string& name : names) {
    keys.push_back(SigningKey::generate(random));
    merchants.push_back({name, keys.back().public_key()});
  }
  const SignedRoster roster =
      sign_roster(federation, coordinator.public_key(), std::move(merchants), operator_key,
                  with_arbiter ? std::optional(arbiter.public_key()) : std::nullopt);

  create_folder(folder);
  create_folder(folder / "merchants");
  save_key(folder / "coordinator.key", coordinator);
  save_key(folder / "operator.key", operator_key);
  if (with_arbiter) {
    save_key(folder / "arbiter.key", arbiter);
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    save_key(folder / "merchants" / key_file_name(names[i]), keys[i]);
  }
  sync_disk(folder);
  save_roster(folder / "roster.json", roster);
  std::printf("%s: %zu merchants of federation %s.\n", (folder / "roster.json").c_str(), names.size(),
              federation.c_str());
  std::printf(
      "Give each merchant its key from %s and everyone the roster, and tell them the operator's key:\n%s\n",
      (folder / "merchants").c_str(), hex(roster.operator_key).c_str());
  if (with_arbiter) {
    std::printf(
        "Give arbiter.key to a party that the coordinator cannot command: both together read every "
        "upload.\n");
  }
  std::printf("Keep operator.key off the machines that train.\n");
}

void show(const fs::path& file, const std::string& expected_operator) {
  const SignedRoster roster = load_roster(file);
  if (!expected_operator.empty() && expected_operator != hex(roster.operator_key)) {
    throw Failure(ExitCode::refused,
                  file.string() + " is signed by another operator: " + hex(roster.operator_key));
  }
  std::printf("federation   %s\n", printable(roster.federation).c_str());
  std::printf("operator     %s  signature holds\n", hex(roster.operator_key).c_str());
  std::printf("coordinator  %s\n", hex(roster.coordinator).c_str());
  if (roster.arbiter) {
    std::printf("arbiter      %s\n", hex(*roster.arbiter).c_str());
  }
  std::printf("merchants    %zu\n", roster.merchants.size());
  for (const RosterMerchant& merchant : roster.merchants) {
    std::printf("  %s  %s\n", hex(merchant.key).c_str(), printable(merchant.name).c_str());
  }
}

int run(int argc, char** argv) {
  Arguments arguments("hanse-keys",
                      "Creates the identities of a federation and its signed roster, and shows one.");
  arguments.positional("ACTION", "new or show.")
      .positional("PLACE", "new: the folder to create; show: the roster file.")
      .option("federation", "new: name of the federation.")
      .option("merchants", "new: names of the merchants, with commas between.")
      .option("merchants-from", "new: FILE.csv:COLUMN, the distinct values of a column are the merchants.")
      .flag("arbiter", "new: with an arbiter, which aggregation.encryption=paillier needs.")
      .option("operator", "show: refuse a roster that is not signed by this key.")
      .notes(
          "hanse-keys new keys --federation market --merchants alpha,beta,gamma\n"
          "hanse-keys show keys/roster.json");
  if (const auto code = arguments.parse(argc, argv)) {
    return *code;
  }
  const fs::path place = arguments.text("PLACE");
  if (arguments.choice("ACTION", {"new", "show"}) == "show") {
    show(place, arguments.given("operator") ? arguments.text("operator") : "");
    return 0;
  }
  if (arguments.given("merchants") == arguments.given("merchants-from")) {
    throw bad_input("hanse-keys new needs one of --merchants and --merchants-from");
  }
  create_federation(place, arguments.text("federation"),
                    arguments.given("merchants") ? names_of_list(arguments.text("merchants"))
                                                 : names_of_column(arguments.text("merchants-from")),
                    arguments.flag_given("arbiter"));
  return 0;
}

}  // namespace
}  // namespace hanse

int main(int argc, char** argv) {
  return hanse::run_program("hanse-keys", [&] { return hanse::run(argc, argv); });
}
