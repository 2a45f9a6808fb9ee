#include "privacy/ledger/record.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "common/base/check.h"
#include "common/base/failure.h"

namespace hanse {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kSignatureLabel = "hanse ledger record 2\n";
constexpr int kDepthMax = 8;

// --- words
// --------------------------------------------------------------------------------------------------- The
// words of the format, fixed by its schema version whatever the rest of the program calls these things.

template <class T>
using Words = std::span<const std::pair<std::string_view, T>>;

constexpr std::array<std::pair<std::string_view, Unit>, 5> kUnits = {{
    {"none", Unit::none},
    {"record", Unit::record},
    {"customer", Unit::customer},
    {"customer_at_merchant", Unit::customer_at_merchant},
    {"merchant", Unit::merchant},
}};
constexpr std::array<std::pair<std::string_view, Purpose>, 3> kPurposes = {{
    {"statistics", Purpose::statistics},
    {"update", Purpose::update},
    {"evaluation", Purpose::evaluation},
}};
constexpr std::array<std::pair<std::string_view, Population>, 2> kPopulations = {{
    {"train", Population::train},
    {"test", Population::test},
}};
constexpr std::array<std::pair<std::string_view, Release::Status>, 2> kStatuses = {{
    {"released", Release::Status::released},
    {"aborted", Release::Status::aborted},
}};

template <class T>
std::string word_of(T value, Words<T> words) {
  for (const auto& [word, meaning] : words) {
    if (meaning == value) {
      return std::string(word);
    }
  }
  check(false, "every value of a ledger's enumeration has a word");
  return {};
}

// --- writing ---

Json number(double value) {
  check(std::isfinite(value), "a number in a ledger is finite");
  int exponent = 0;
  auto mantissa = static_cast<std::int64_t>(
      std::ldexp(std::frexp(value, &exponent), std::numeric_limits<double>::digits));
  exponent -= std::numeric_limits<double>::digits;
  if (mantissa == 0) {
    return Json::array({0, 0});
  }
  while (mantissa % 2 == 0) {
    mantissa /= 2;
    ++exponent;
  }
  return Json::array({mantissa, exponent});
}

/// "0-3,7" of {0, 1, 2, 3, 7}.
std::string runs(std::span<const std::uint32_t> ids) {
  std::string text;
  for (std::size_t i = 0; i < ids.size();) {
    std::size_t last = i;
    while (last + 1 < ids.size() && ids[last + 1] == ids[last] + 1) {
      ++last;
    }
    text += (text.empty() ? "" : ",") + std::to_string(ids[i]);
    if (last > i) {
      text += "-" + std::to_string(ids[last]);
    }
    i = last + 1;
  }
  return text;
}

Json json_of(const SumParameters& p) {
  Json json = {{"clip_norm", number(p.clip_norm)},
               {"grid_bits", p.grid_bits},
               {"length", p.length},
               {"merchants_max", p.merchants_max},
               {"merchants_per_unit", p.merchants_per_unit},
               {"ring", static_cast<unsigned>(p.ring)},
               {"share_variance", p.share_variance},
               {"shares_min", p.shares_min},
               {"units_max", p.units_max}};
  if (p.gain != 1) {
    json["gain"] = p.gain;
  }
  return json;
}

Json fields(const Plan& plan) {
  Json merchants = Json::array();
  for (const LedgerMerchant& merchant : plan.merchants) {
    merchants.push_back({{"key", hex(merchant.key)}, {"name", merchant.name}});
  }
  Json releases = Json::array();
  for (const PlannedRelease& release : plan.releases) {
    releases.push_back({{"count", release.count},
                        {"noise_multiplier", number(release.noise_multiplier)},
                        {"population", word_of<Population>(release.population, kPopulations)},
                        {"purpose", word_of<Purpose>(release.purpose, kPurposes)},
                        {"sampling_rate", number(release.sampling_rate)}});
  }
  Json json = {{"accountant", plan.accountant},
               {"adjacency", "zero-out"},
               {"clip_norm", number(plan.clip_norm)},
               {"collusion", plan.collusion},
               {"configuration", hex(plan.configuration)},
               {"coordinator", hex(plan.coordinator)},
               {"delta", number(plan.delta)},
               {"encryption", plan.encryption},
               {"federation", plan.federation},
               {"identities", plan.pinned ? "pinned" : "fresh"},
               {"merchants", std::move(merchants)},
               {"previous", plan.previous},
               {"releases", std::move(releases)},
               {"run_id", plan.run_id},
               {"shares_min", plan.shares_min},
               {"software", plan.software},
               {"unit", word_of<Unit>(plan.unit, kUnits)},
               {"unix_time", plan.unix_time},
               {"workload", plan.workload}};
  if (plan.epsilon) {
    json["epsilon"] = number(*plan.epsilon);
  }
  if (plan.removes_surplus) {
    json["removes_surplus"] = true;
  }
  if (!plan.coefficients.empty()) {
    json["coefficients"] = plan.coefficients;
  }
  return json;
}

Json fields(const Intent& intent) {
  Json json = {{"invited", runs(intent.invited)},
               {"model", hex(intent.model)},
               {"name", intent.name},
               {"parameters", json_of(intent.parameters)},
               {"population", word_of<Population>(intent.population, kPopulations)},
               {"purpose", word_of<Purpose>(intent.purpose, kPurposes)},
               {"round", intent.round},
               {"sampling_rate", number(intent.sampling_rate)},
               {"unix_time", intent.unix_time}};
  if (intent.row) {
    json["row"] = *intent.row;
  }
  return json;
}

Json json_of(const SurplusRemoval& surplus) {
  return {{"merchants", runs(surplus.merchants)},
          {"rungs_from", surplus.rungs_from},
          {"rungs_to", surplus.rungs_to},
          {"variance_left", surplus.left}};
}

Json fields(const Release& release) {
  Json json = {{"intent", hex(release.intent)},
               {"merchants", runs(release.merchants)},
               {"model", hex(release.model)},
               {"opened", hex(release.opened)},
               {"reason", release.reason},
               {"round", release.round},
               {"status", word_of<Release::Status>(release.status, kStatuses)}};
  if (release.surplus) {
    json["surplus"] = json_of(*release.surplus);
  }
  return json;
}

Json fields(const Claim& claim) {
  Json rows = Json::array();
  for (const SpentRow& row : claim.rows) {
    rows.push_back({{"delta", number(row.delta)},
                    {"epsilon", number(row.epsilon)},
                    {"order", number(row.order)},
                    {"population", row.population},
                    {"releases", row.releases},
                    {"unit", word_of<Unit>(row.unit, kUnits)},
                    {"without_noise", row.without_noise}});
  }
  return {{"model", hex(claim.model)}, {"published", hex(claim.published)}, {"rows", std::move(rows)}};
}

Json fields(const Head& head) {
  Json cosignatures = Json::array();
  for (const Cosignature& one : head.cosignatures) {
    cosignatures.push_back({{"merchant", one.merchant}, {"signature", hex(one.signature)}});
  }
  return {{"cosignatures", std::move(cosignatures)},
          {"root", hex(head.root)},
          {"size", head.size},
          {"unix_time", head.unix_time}};
}

Json unsigned_json(const Record& record) {
  Json json = std::visit([](const auto& payload) { return fields(payload); }, record.payload);
  json["kind"] = kind_of(record.payload);
  json["prev"] = hex(record.prev);
  json["schema"] = kLedgerSchema;
  json["seq"] = record.seq;
  return json;
}

std::string dump(const Json& json) {
  try {
    return json.dump();
  } catch (const Json::type_error&) {
    throw bad_input(
        "a name that goes into the ledger is not UTF-8: convert the merchants' names and the "
        "configuration to UTF-8");
  }
}

/// A peer's text, short and escaped, for a sentence in a log.
std::string quoted(const std::string& text) {
  return Json(text.substr(0, 40)).dump(-1, ' ', true, Json::error_handler_t::replace);
}

// --- reading ---

/// Reads the fields of one object. The first thing that is wrong is remembered and every later getter gives
/// an empty value, so that a reader asks once, at the end.
class Fields {
 public:
  Fields(const Json& json, std::string& wrong) : json_(json), wrong_(wrong) {
    if (!json.is_object()) {
      fail("an object is expected");
    }
  }

  const Json& get(const char* key) {
    static const Json kNothing;
    const auto found = json_.find(key);
    if (found == json_.end()) {
      fail(std::string("field \"") + key + "\" is missing");
      return kNothing;
    }
    return *found;
  }
  bool has(const char* key) const { return json_.contains(key); }

  template <class T>
  T integer(const char* key) {
    const Json& value = get(key);
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > std::numeric_limits<T>::max()) {
      fail(std::string("field \"") + key + "\" must be an integer from 0 to " +
           std::to_string(std::numeric_limits<T>::max()));
      return 0;
    }
    return static_cast<T>(value.get<std::uint64_t>());
  }

  template <class T>
  std::vector<T> integers(const char* key) {
    const Json& array = get(key);
    std::vector<T> values;
    if (!array.is_array()) {
      fail(std::string("field \"") + key + "\" must be a list");
      return values;
    }
    for (const Json& value : array) {
      if (!value.is_number_unsigned() || value.get<std::uint64_t>() > std::numeric_limits<T>::max()) {
        fail(std::string("field \"") + key + "\" must hold integers from 0 to " +
             std::to_string(std::numeric_limits<T>::max()));
        break;
      }
      values.push_back(static_cast<T>(value.get<std::uint64_t>()));
    }
    return values;
  }

  std::string text(const char* key) {
    const Json& value = get(key);
    if (!value.is_string()) {
      fail(std::string("field \"") + key + "\" must be a string");
      return {};
    }
    return value.get<std::string>();
  }

  double real(const char* key) {
    const Json& pair = get(key);
    const bool integers =
        pair.is_array() && pair.size() == 2 && pair[0].is_number_integer() && pair[1].is_number_integer();
    const std::int64_t mantissa = integers ? pair[0].get<std::int64_t>() : 0;
    const std::int64_t exponent = integers ? pair[1].get<std::int64_t>() : 0;
    constexpr std::int64_t kMantissaMax = std::int64_t{1} << std::numeric_limits<double>::digits;
    if (!integers || mantissa > kMantissaMax || mantissa < -kMantissaMax || exponent < -1074 ||
        exponent > 1023 ||
        !std::isfinite(std::ldexp(static_cast<double>(mantissa), static_cast<int>(exponent)))) {
      fail(std::string("field \"") + key + "\" must be a pair [mantissa, exponent] of a finite double");
      return 0;
    }
    return std::ldexp(static_cast<double>(mantissa), static_cast<int>(exponent));
  }

  template <std::size_t N>
  std::array<std::byte, N> bytes(const char* key) {
    const std::string digits = text(key);
    std::array<std::byte, N> bytes{};
    bool good = digits.size() == 2 * N;
    for (std::size_t i = 0; good && i < N; ++i) {
      std::uint8_t value = 0;
      const char* begin = digits.data() + 2 * i;
      good = std::from_chars(begin, begin + 2, value, 16).ptr == begin + 2;
      bytes[i] = std::byte{value};
    }
    if (!good) {
      fail(std::string("field \"") + key + "\" must be " + std::to_string(2 * N) + " hexadecimal digits");
    }
    return bytes;
  }

  template <class T>
  T word(const char* key, Words<T> words) {
    const std::string given = text(key);
    for (const auto& [word, meaning] : words) {
      if (word == given) {
        return meaning;
      }
    }
    fail(std::string("field \"") + key + "\" has the unknown value " + quoted(given));
    return words[0].second;
  }

  std::vector<std::uint32_t> ids(const char* key) {
    const std::string given = text(key);
    std::vector<std::uint32_t> ids;
    const char* at = given.data();
    const char* const end = at + given.size();
    bool good = true;
    while (good && at != end) {
      std::uint32_t first = 0;
      auto result = std::from_chars(at, end, first);
      std::uint32_t last = first;
      good = result.ec == std::errc{};
      if (good && result.ptr != end && *result.ptr == '-') {
        result = std::from_chars(result.ptr + 1, end, last);
        good = result.ec == std::errc{};
      }
      // The bound comes before the loop: a peer's "0-4294967295" allocates nothing.
      good = good && first <= last && last < kMerchantsMax && (ids.empty() || first > ids.back());
      for (std::uint32_t id = first; good && id <= last; ++id) {
        ids.push_back(id);
      }
      at = result.ptr;
      if (good && at != end) {
        good = *at == ',' && at + 1 != end;
        ++at;
      }
    }
    if (!good) {
      fail(std::string("field \"") + key + "\" must be increasing merchant ids such as \"0-3,7\"");
      ids.clear();
    }
    return ids;
  }

  template <class T, class Read>
  std::vector<T> list(const char* key, Read read) {
    const Json& array = get(key);
    std::vector<T> entries;
    if (!array.is_array()) {
      fail(std::string("field \"") + key + "\" must be a list");
      return entries;
    }
    entries.reserve(array.size());
    for (const Json& entry : array) {
      Fields inner(entry, wrong_);
      if (!wrong_.empty()) {
        break;
      }
      entries.push_back(read(inner));
    }
    return entries;
  }

  void fail(const std::string& sentence) {
    if (wrong_.empty()) {
      wrong_ = sentence;
    }
  }

 private:
  const Json& json_;
  std::string& wrong_;
};

SumParameters read_parameters(Fields&& in) {
  SumParameters p;
  p.clip_norm = in.real("clip_norm");
  p.grid_bits = in.integer<std::uint32_t>("grid_bits");
  p.length = in.integer<std::uint64_t>("length");
  p.merchants_max = in.integer<std::uint32_t>("merchants_max");
  p.merchants_per_unit = in.integer<std::uint32_t>("merchants_per_unit");
  const auto ring = in.integer<std::uint32_t>("ring");
  if (ring != 32 && ring != 64) {
    in.fail("field \"ring\" must be 32 or 64");
  }
  p.ring = ring == 32 ? Ring::bits32 : Ring::bits64;
  p.share_variance = in.integer<std::uint64_t>("share_variance");
  p.shares_min = in.integer<std::uint32_t>("shares_min");
  p.units_max = in.integer<std::uint64_t>("units_max");
  if (in.has("gain")) {
    p.gain = in.integer<std::uint32_t>("gain");
  }
  return p;
}

Plan read_plan(Fields& in) {
  Plan plan;
  plan.accountant = in.text("accountant");
  if (in.text("adjacency") != "zero-out") {
    in.fail("field \"adjacency\" must be \"zero-out\"");
  }
  plan.clip_norm = in.real("clip_norm");
  if (in.has("coefficients")) {
    plan.coefficients = in.integers<std::uint32_t>("coefficients");
  }
  plan.collusion = in.integer<std::uint32_t>("collusion");
  plan.configuration = in.bytes<32>("configuration");
  plan.coordinator = in.bytes<32>("coordinator");
  plan.delta = in.real("delta");
  plan.encryption = in.text("encryption");
  if (in.has("epsilon")) {
    plan.epsilon = in.real("epsilon");
  }
  plan.federation = in.text("federation");
  const std::string identities = in.text("identities");
  if (identities != "pinned" && identities != "fresh") {
    in.fail("field \"identities\" must be \"pinned\" or \"fresh\"");
  }
  plan.pinned = identities == "pinned";
  plan.merchants = in.list<LedgerMerchant>("merchants", [](Fields& entry) {
    return LedgerMerchant{.name = entry.text("name"), .key = entry.bytes<32>("key")};
  });
  plan.previous = in.text("previous");
  plan.removes_surplus = in.has("removes_surplus") && in.get("removes_surplus") == true;
  plan.releases = in.list<PlannedRelease>("releases", [](Fields& entry) {
    return PlannedRelease{.purpose = entry.word<Purpose>("purpose", kPurposes),
                          .population = entry.word<Population>("population", kPopulations),
                          .count = entry.integer<std::uint64_t>("count"),
                          .noise_multiplier = entry.real("noise_multiplier"),
                          .sampling_rate = entry.real("sampling_rate")};
  });
  plan.run_id = in.text("run_id");
  plan.shares_min = in.integer<std::uint32_t>("shares_min");
  plan.software = in.text("software");
  plan.unit = in.word<Unit>("unit", kUnits);
  plan.unix_time = in.integer<std::uint64_t>("unix_time");
  plan.workload = in.text("workload");
  return plan;
}

Intent read_intent(Fields& in, std::string& wrong) {
  Intent intent;
  intent.invited = in.ids("invited");
  intent.model = in.bytes<32>("model");
  intent.name = in.text("name");
  const Json& parameters = in.get("parameters");
  intent.parameters = read_parameters(Fields(parameters, wrong));
  intent.population = in.word<Population>("population", kPopulations);
  intent.purpose = in.word<Purpose>("purpose", kPurposes);
  intent.round = in.integer<std::uint64_t>("round");
  if (in.has("row")) {
    intent.row = in.integer<std::uint64_t>("row");
  }
  intent.sampling_rate = in.real("sampling_rate");
  intent.unix_time = in.integer<std::uint64_t>("unix_time");
  return intent;
}

SurplusRemoval read_surplus(Fields&& in) {
  return {.left = in.integer<std::uint64_t>("variance_left"),
          .rungs_from = in.integer<std::uint32_t>("rungs_from"),
          .rungs_to = in.integer<std::uint32_t>("rungs_to"),
          .merchants = in.ids("merchants")};
}

Release read_release(Fields& in, std::string& wrong) {
  Release release;
  release.intent = in.bytes<32>("intent");
  release.merchants = in.ids("merchants");
  release.model = in.bytes<32>("model");
  release.opened = in.bytes<32>("opened");
  release.reason = in.text("reason");
  release.round = in.integer<std::uint64_t>("round");
  release.status = in.word<Release::Status>("status", kStatuses);
  if (in.has("surplus")) {
    const Json& surplus = in.get("surplus");
    release.surplus = read_surplus(Fields(surplus, wrong));
  }
  return release;
}

Claim read_claim(Fields& in) {
  Claim claim;
  claim.model = in.bytes<32>("model");
  claim.published = in.bytes<32>("published");
  claim.rows = in.list<SpentRow>("rows", [](Fields& entry) {
    return SpentRow{.unit = entry.word<Unit>("unit", kUnits),
                    .population = entry.text("population"),
                    .epsilon = entry.real("epsilon"),
                    .delta = entry.real("delta"),
                    .order = entry.real("order"),
                    .releases = entry.integer<std::uint64_t>("releases"),
                    .without_noise = entry.integer<std::uint64_t>("without_noise")};
  });
  return claim;
}

Head read_head(Fields& in) {
  Head head;
  head.cosignatures = in.list<Cosignature>("cosignatures", [](Fields& entry) {
    return Cosignature{.merchant = entry.integer<std::uint32_t>("merchant"),
                       .signature = entry.bytes<64>("signature")};
  });
  head.root = in.bytes<32>("root");
  head.size = in.integer<std::uint64_t>("size");
  head.unix_time = in.integer<std::uint64_t>("unix_time");
  return head;
}

void read_payload(Fields& in, std::string& wrong, Payload& payload) {
  const std::string kind = in.text("kind");
  if (kind == "plan") {
    payload.emplace<Plan>(read_plan(in));
  } else if (kind == "intent") {
    payload.emplace<Intent>(read_intent(in, wrong));
  } else if (kind == "release") {
    payload.emplace<Release>(read_release(in, wrong));
  } else if (kind == "claim") {
    payload.emplace<Claim>(read_claim(in));
  } else if (kind == "head") {
    payload.emplace<Head>(read_head(in));
  } else {
    in.fail("record kind " + quoted(kind) + " is unknown");
  }
}

/// True when brackets outside strings nest deeper than any record: asked before the parser sees a peer's
/// line.
bool nests_too_deep(std::string_view line) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (in_string) {
      i += c == '\\' ? 1 : 0;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kDepthMax) {
        return true;
      }
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

}  // namespace

Digest genesis_digest() {
  return sha256(bytes_of("hanse ledger genesis 2"));
}

Bytes cosigned_bytes(const std::string& run_id, std::uint64_t size, const Digest& root) {
  ByteWriter writer;
  writer.put_bytes(bytes_of("hanse ledger head 2\n"));
  writer.put(static_cast<std::uint64_t>(run_id.size())).put_bytes(bytes_of(run_id));
  writer.put(size).put_bytes(root);
  return writer.take();
}

std::string_view kind_of(const Payload& payload) {
  constexpr std::array<std::string_view, 5> kKinds = {"plan", "intent", "release", "claim", "head"};
  static_assert(std::variant_size_v<Payload> == kKinds.size());
  return kKinds[payload.index()];
}

std::string encode(const Record& record) {
  Json json = unsigned_json(record);
  json["signature"] = hex(record.signature);
  return dump(json);
}

std::string signed_text(const Record& record) {
  return std::string(kSignatureLabel) + dump(unsigned_json(record));
}

Result<Record> decode_record(std::string_view line) {
  if (line.size() > kLedgerLineMax) {
    return Error{"the line is longer than " + std::to_string(kLedgerLineMax) + " bytes"};
  }
  if (nests_too_deep(line)) {
    return Error{"the line nests deeper than any record does"};
  }
  const Json json = Json::parse(line.begin(), line.end(), nullptr, false);
  if (json.is_discarded()) {
    return Error{"the line is not JSON"};
  }
  std::string wrong;
  Fields in(json, wrong);
  if (!wrong.empty()) {
    return Error{wrong};
  }
  if (const auto schema = in.integer<std::uint32_t>("schema"); wrong.empty() && schema != kLedgerSchema) {
    return Error{"schema " + std::to_string(schema) + " is unknown: this program reads schema " +
                 std::to_string(kLedgerSchema)};
  }
  Result<Record> record = Record{};
  record->seq = in.integer<std::uint64_t>("seq");
  record->prev = in.bytes<32>("prev");
  record->signature = in.bytes<64>("signature");
  read_payload(in, wrong, record->payload);
  if (!wrong.empty()) {
    return Error{wrong};
  }
  if (encode(*record) != line) {
    return Error{
        "the line is not in canonical form (sorted keys, no spaces, no other fields, numbers as exact "
        "integers)"};
  }
  return record;
}

}  // namespace hanse
