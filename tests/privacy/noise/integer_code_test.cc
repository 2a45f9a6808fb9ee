#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <regex>
#include <sstream>
#include <string>

namespace hanse {
namespace {

std::string output_of(const std::string& command) {
  std::string text;
  std::FILE* pipe = popen(command.c_str(), "r");
  std::array<char, 4096> buffer;
  while (pipe != nullptr && std::fgets(buffer.data(), static_cast<int>(buffer.size()), pipe) != nullptr) {
    text += buffer.data();
  }
  if (pipe != nullptr) {
    pclose(pipe);
  }
  return text;
}

// Arithmetic, comparisons and conversions of floating point of x86: SSE, AVX and the old unit. Moves and integer
// operations of vector registers are none.
bool is_floating_point(const std::string& instruction) {
  static const std::regex kinds(
      "v?(add|sub|mul|div|sqrt|max|min|cmp[a-z]*|u?comi|rcp|rsqrt|round|h?addsub|hadd|hsub|dp)(ss|sd|ps|pd)|"
      "v?cvt[a-z0-9]+|"
      "vf[n]?m(add|sub)[a-z0-9]+|f(ld|ild|st|ist|add|sub|mul|div|com|ucom|sqrt|chs|abs)[a-z0-9]*");
  return std::regex_match(instruction, kinds);
}

TEST(NoiseCode, TheSearchKnowsFloatingPoint) {
  for (const char* name :
       {"addsd", "vmulpd", "cvtsi2sd", "vcvttsd2si", "fildl", "fld", "ucomisd", "vfmadd213sd"}) {
    EXPECT_TRUE(is_floating_point(name)) << name;
  }
  for (const char* name : {"add", "paddq", "movdqa", "vpxor", "mulx", "movaps", "movsd", "pshufd"}) {
    EXPECT_FALSE(is_floating_point(name)) << name;
  }
}

// Mironov 2012: the low bits of floating-point noise give away what it hides. No instruction that could make one is in the
// code that draws noise.
TEST(NoiseCode, HasNoFloatingPointInstruction) {
#if !defined(__x86_64__)
  GTEST_SKIP() << "the names of instructions are those of x86-64";
#endif
  if (std::system("objdump --version >/dev/null 2>&1") != 0) {
    GTEST_SKIP() << "objdump is not there";
  }
  const std::regex line("^ +[0-9a-f]+:\\t([a-z0-9]+).*");
  std::size_t instructions = 0;
  std::istringstream files(HANSE_NOISE_OBJECTS);
  for (std::string file; std::getline(files, file, '|');) {
    std::istringstream listing(output_of("objdump -d --no-show-raw-insn '" + file + "'"));
    for (std::string text; std::getline(listing, text);) {
      std::smatch found;
      if (std::regex_match(text, found, line)) {
        ++instructions;
        EXPECT_FALSE(is_floating_point(found[1])) << file << ": " << text;
      }
    }
  }
  EXPECT_GT(instructions, 500U) << "the object files of the noise were read";
}

}  // namespace
}  // namespace hanse
