#include "svrg/io/file.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

#include "folder.hpp"
#include "svrg/core/error.hpp"

namespace svrg::io {
namespace {

namespace fs = std::filesystem;

std::string text_of(const std::string& path) {
  const auto bytes = read_file(path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

std::size_t entries(const Folder& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder.path()), {}));
}

// Like a disk that fills up: writes past `bytes` fail. SIGXFSZ is ignored as Environment does.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit before_{};
};

TEST(WriteFile, replaces_the_old_content_and_leaves_nothing_else) {
  const Folder folder;
  write_file(folder / "f", "old and longer");
  write_file(folder / "f", "new");
  EXPECT_EQ(text_of(folder / "f"), "new");
  write_file(folder / "f", "");
  EXPECT_EQ(text_of(folder / "f"), "");
  EXPECT_EQ(entries(folder), 1U);
}

TEST(WriteFile, leaves_the_old_file_and_no_temporary_one_when_the_disk_is_full) {
  const Folder folder;
  write_file(folder / "f", "old");
  {
    const FileSizeLimit limit(1000);
    try {
      write_file(folder / "f", std::string(5000, 'x'));
      ADD_FAILURE() << "5000 bytes fit into 1000";
    } catch (const OutputError& error) {
      const std::string what = error.what();
      EXPECT_NE(what.find(folder / "f"), std::string::npos) << what;
      EXPECT_NE(what.find("File too large"), std::string::npos) << what;
      EXPECT_NE(what.find("5000 bytes"), std::string::npos) << what;
    }
  }
  EXPECT_EQ(text_of(folder / "f"), "old");
  EXPECT_EQ(entries(folder), 1U);
}

TEST(WriteFile, fails_where_the_folder_is_gone_or_the_target_is_a_folder) {
  const Folder folder;
  EXPECT_THROW(write_file(folder / "gone/f", "x"), OutputError);
  EXPECT_THROW(write_file(folder / "", "x"), OutputError);
  fs::create_directories(folder / "d/e");
  EXPECT_THROW(write_file(folder / "d", "x"), OutputError);
  EXPECT_EQ(entries(folder), 1U);
}

TEST(ReadFile, refuses_what_is_missing_too_long_or_no_file) {
  const Folder folder;
  write_file(folder / "f", "12345");
  EXPECT_EQ(read_file(folder / "f", 5).size(), 5U);
  EXPECT_THROW(read_file(folder / "f", 4), DataError);
  EXPECT_THROW(read_file(folder / "missing"), DataError);
  EXPECT_THROW(read_file(folder.path()), DataError);
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_THROW(read_file(folder / "pipe"), DataError);
}

TEST(Seal, sha256_is_that_of_the_standard) {
  EXPECT_EQ(sha256(bytes_of("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Seal, gives_the_payload_back_and_is_text_of_512_bytes) {
  const auto payload = bytes_of("payload"), file = seal(payload);
  ASSERT_EQ(file.size(), seal_size + payload.size());
  const auto back = unseal(file, "f");
  EXPECT_TRUE(std::equal(back.begin(), back.end(), payload.begin(), payload.end()));
  const std::string text(reinterpret_cast<const char*>(file.data()), seal_size);
  EXPECT_EQ(text.substr(0, 26), "SVRG-CHECKPOINT 1\nbytes 7\n");
  EXPECT_EQ(text.substr(26, 72), "sha256 " + sha256(payload) + "\n");
  EXPECT_EQ(text.find_first_not_of('\n', 98), std::string::npos);
  EXPECT_TRUE(is_sealed(file));
  EXPECT_FALSE(is_sealed(payload));
  EXPECT_TRUE(unseal(seal({}), "f").empty());
}

TEST(Seal, refuses_a_file_with_something_after_its_end) {
  auto file = seal(bytes_of("payload"));
  file.push_back(std::byte{0});
  EXPECT_THROW(unseal(file, "f"), DataError);
}

}  // namespace
}  // namespace svrg::io
