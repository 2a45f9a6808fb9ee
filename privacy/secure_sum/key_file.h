#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "privacy/crypto/signature.h"

namespace hanse {

/// A signing key on disk, two lines: "hanse signing key 1" and the 32-byte Ed25519 seed as 64 hexadecimal
/// digits. Readable by its owner alone (mode 0600). Its bytes pass only through buffers that are wiped.

/// Creates `file`. Throws bad_input when it is there already, could_not_finish when the disk does not take
/// it. The caller syncs: thousands of keys are one sync.
void save_key(const std::filesystem::path& file, const SigningKey& key);

/// Throws bad_input naming the file when it is missing, open to other users, or not such a file.
SigningKey load_key(const std::filesystem::path& file);

/// File name of a merchant's key: letters, digits, '-', '_' and inner '.' stay, every other byte is %XX, and
/// long names end in their digest; then ".key". Different names have different files.
std::string key_file_name(std::string_view merchant);

}  // namespace hanse
