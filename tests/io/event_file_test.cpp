#include "svrg/io/event_file.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>

#include "folder.hpp"
#include "svrg/core/error.hpp"
#include "svrg/io/file.hpp"

namespace svrg::io {
namespace {

std::string text_of(const std::string& path) {
  const auto bytes = read_file(path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string add_steps(const std::string& folder, Index resume_after, Index first, Index last) {
  EventFile file(folder, resume_after);
  for (Index step = first; step <= last; ++step)
    file.add(step, std::vector<Scalar>{{"objective", 1.0 / static_cast<double>(step)}});
  return file.path();
}

// RFC 3720, appendix B.4, and the check value of its catalogue entry.
TEST(EventFile, has_the_checksum_of_the_standard) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62A8AB43U);
  EXPECT_EQ(crc32c(""), 0U);
}

// The fields by hand: key 0x0a (1, text) for a value and its tag, 0x15 (2, four bytes) for the
// number.
TEST(EventFile, writes_a_summary_as_protobuf_does) {
  const Folder folder;
  EventFile file(folder.path() + "/tb", -1);
  file.add(300, std::vector<Scalar>{{"ab", 0.5}, {"nan", std::nan("")}});
  const std::string text = text_of(file.path());
  const std::string step("\x10\xac\x02", 3);
  const std::string summary(
      "\x2a\x0b\x0a\x09\x0a\x02"
      "ab"
      "\x15\x00\x00\x00\x3f",
      13);
  EXPECT_NE(text.find(step + summary), std::string::npos);
  EXPECT_NE(text.find("brain.Event:2"), std::string::npos);
}

TEST(EventFile, cuts_off_what_comes_after_the_point_of_resumption) {
  const Folder folder;
  const std::string tb = folder.path() + "/tb";
  const std::string first = add_steps(tb, -1, 1, 200);
  const std::string whole = text_of(first);
  const std::string second = add_steps(tb, 150, 151, 160);
  EXPECT_NE(first, second);
  const Folder other;
  const std::string shorter = text_of(add_steps(other.path(), -1, 1, 150));
  EXPECT_EQ(text_of(first).size(), shorter.size());
  EXPECT_EQ(text_of(first), whole.substr(0, shorter.size()));
  // Again, before the second file's first step: only the name and version of that one are left.
  add_steps(tb, 100, 101, 102);
  EXPECT_LT(text_of(first).size(), shorter.size());
  EXPECT_LT(text_of(second).size(), 60U);
}

TEST(EventFile, drops_a_record_that_a_kill_tore_or_a_disk_damaged) {
  const Folder folder;
  const std::string path = add_steps(folder.path(), -1, 1, 10);
  const std::string whole = text_of(path);
  std::filesystem::resize_file(path, whole.size() - 3);
  add_steps(folder.path(), 1000, 11, 11);
  const std::size_t nine = text_of(path).size();
  EXPECT_LT(nine, whole.size() - 3);
  EXPECT_EQ(text_of(path), whole.substr(0, nine));
  add_steps(folder.path(), 1000, 11, 11);
  EXPECT_EQ(text_of(path).size(), nine);
  std::fstream(path, std::ios::in | std::ios::out | std::ios::binary).seekp(100).put('\x7f');
  add_steps(folder.path(), 1000, 11, 11);
  EXPECT_LT(text_of(path).size(), 120U);
}

TEST(EventFile, starts_anew_without_the_files_of_an_earlier_run) {
  const Folder folder;
  const std::string before = add_steps(folder.path(), -1, 1, 3);
  const std::string now = add_steps(folder.path(), -1, 1, 3);
  std::set<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
    found.insert(entry.path().string());
  EXPECT_EQ(found, std::set<std::string>{now});
}

TEST(EventFile, says_where_it_cannot_write) {
  const Folder folder;
  std::ofstream(folder.path() + "/file") << "no folder";
  EXPECT_THROW(EventFile(folder.path() + "/file", -1), OutputError);
}

}  // namespace
}  // namespace svrg::io
