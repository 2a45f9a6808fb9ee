#include "privacy/published/model_file.h"

#include <algorithm>
#include <array>
#include <exception>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <sstream>
#include <utility>

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/base/durable_file.h"
#include "common/base/failure.h"
#include "privacy/crypto/digest.h"
#include "privacy/published/payload_archive.h"
#include "privacy/published/sealed_file.h"

namespace hanse {
namespace {

constexpr SealedFileKind kFile{.magic = "HANSEMDL",
                               .version = kModelFormatVersion,
                               .name = "model",
                               .when_of_another_version = "use the Hanse that wrote it",
                               .when_damaged = "copy it again from the run directory"};

std::string encode_payload(const PublishedModel& model) {
  std::ostringstream stream(std::ios::binary);
  PayloadWriter writer(stream);
  writer.put(model.workload);
  writer.put(model.step);
  writer.put(model.privacy);
  writer.put_all(model.arrays);
  writer.put_all(model.encoding);
  writer.put_all(model.columns);
  writer.put_all(model.facts);
  return stream.str();
}

PublishedModel decode_payload(std::string_view payload) {
  std::istringstream stream{std::string(payload), std::ios::binary};
  PayloadReader reader(stream, payload.size());
  PublishedModel model;
  model.workload = reader.text();
  model.step = reader.number();
  model.privacy = reader.text();
  model.arrays = reader.arrays();
  model.encoding = reader.arrays();
  for (std::size_t left = reader.length(sizeof(std::uint64_t)); left > 0; --left) {
    model.columns.push_back(reader.text());
  }
  for (std::size_t left = reader.length(2 * sizeof(std::uint64_t)); left > 0; --left) {
    std::string key = reader.text();
    model.facts[std::move(key)] = reader.text();
  }
  if (!reader.finished()) {
    throw bad_input("bytes after its end");
  }
  return model;
}

/// Array names become file names: only plain characters, and never a way out of the folder.
std::string npy_name(const std::string& array) {
  std::string name;
  for (const char c : array) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    name.push_back(plain ? c : '_');
  }
  return name + ".npy";
}

std::string shape_text(const std::vector<std::size_t>& shape) {
  std::string text = "(";
  for (const std::size_t extent : shape) {
    text += std::to_string(extent) + ", ";
  }
  if (shape.size() > 1) {
    text.resize(text.size() - 2);
  } else if (shape.size() == 1) {
    text.pop_back();
  }
  return text + ")";
}

nlohmann::ordered_json describe(const NamedArray& array) {
  return {{"name", array.name}, {"shape", array.shape}, {"dtype", "<f8"}, {"file", npy_name(array.name)}};
}

std::string describe_model(const PublishedModel& model, const std::string& digest) {
  nlohmann::ordered_json json;
  json["format"] = "hanse model";
  json["version"] = kModelFormatVersion;
  json["workload"] = model.workload;
  json["step"] = model.step;
  json["privacy"] = model.privacy;
  json["file"] = "model.hanse";
  json["sha256"] = digest;
  json["arrays"] = nlohmann::ordered_json::array();
  for (const NamedArray& array : model.arrays) {
    json["arrays"].push_back(describe(array));
  }
  json["encoding"] = nlohmann::ordered_json::array();
  for (const NamedArray& array : model.encoding) {
    json["encoding"].push_back(describe(array));
  }
  json["columns"] = model.columns;
  json["facts"] = model.facts;
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::filesystem::path find_model_file(const std::filesystem::path& where) {
  std::error_code ignored;
  for (const auto& file : {where, where / "model.hanse", where / "model" / "model.hanse"}) {
    if (std::filesystem::is_regular_file(file, ignored)) {
      return file;
    }
  }
  throw bad_input("no model at " + where.string() +
                  ": expected a model.hanse, its folder, or the directory of a finished run");
}

}  // namespace

const NamedArray* PublishedModel::find(std::string_view name) const {
  for (const auto* list : {&arrays, &encoding}) {
    const auto found =
        std::find_if(list->begin(), list->end(), [&](const NamedArray& a) { return a.name == name; });
    if (found != list->end()) {
      return &*found;
    }
  }
  return nullptr;
}

std::string encode_model(const PublishedModel& model) {
  return seal_file(kFile, encode_payload(model));
}

PublishedModel decode_model(std::string_view bytes, const std::string& origin) {
  const std::string_view payload = payload_of(kFile, bytes, origin);
  try {
    return decode_payload(payload);
  } catch (const std::exception& exception) {
    throw bad_input(origin + " is malformed: " + exception.what());
  }
}

std::string encode_npy(const NamedArray& array) {
  std::string header = "{'descr': '<f8', 'fortran_order': False, 'shape': " + shape_text(array.shape) + ", }";
  // Magic, version, length and header together are padded to a multiple of 64, so that the values are
  // aligned.
  constexpr std::size_t kPreamble = 10;
  header.append(63 - (kPreamble + header.size()) % 64, ' ');
  header.push_back('\n');
  ByteWriter preamble;
  preamble.put_bytes(bytes_of("\x93NUMPY")).put(std::uint8_t{1}).put(std::uint8_t{0});
  preamble.put(static_cast<std::uint16_t>(header.size()));
  return text_of(preamble.bytes()) + header + text_of(std::as_bytes(std::span(array.values)));
}

std::vector<std::filesystem::path> write_model(const std::filesystem::path& folder,
                                               const PublishedModel& model) {
  make_folder_durably(folder);
  std::vector<std::filesystem::path> files;
  const auto write = [&](const std::string& name, std::string_view content) {
    write_durably(folder / name, content);
    files.push_back(folder / name);
  };
  std::set<std::string> names;
  for (const auto* list : {&model.arrays, &model.encoding}) {
    for (const NamedArray& array : *list) {
      check(names.insert(npy_name(array.name)).second, "published arrays have different names");
      write(npy_name(array.name), encode_npy(array));
    }
  }
  write("model.json", describe_model(model, model_digest(model)));
  write("model.hanse", encode_model(model));
  return files;
}

PublishedModel read_model(const std::filesystem::path& where) {
  const std::filesystem::path file = find_model_file(where);
  return decode_model(read_file(file), file.string());
}

std::string model_digest(const PublishedModel& model) {
  return hex(sha256(bytes_of(encode_payload(model))));
}

}  // namespace hanse
