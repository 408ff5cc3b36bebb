#include <gtest/gtest.h>

#include "data/text_parser.hpp"

namespace svrg::text {
namespace {

TEST(Shown, keeps_words_of_any_language) {
  EXPECT_EQ(shown("naïve 数 😀"), "naïve 数 😀");
  EXPECT_EQ(shown(""), "");
}

TEST(Shown, hides_what_upsets_a_terminal) {
  EXPECT_EQ(shown("a\x1b[31mb\x7f\n"), "a?[31mb??");
  EXPECT_EQ(shown(std::string_view("\0x", 2)), "?x");
}

TEST(Shown, hides_bytes_that_are_no_utf8) {
  for (const char* bad : {"\x80", "\xff", "\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80",
                          "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80"})
    EXPECT_EQ(shown(bad), std::string(std::string_view(bad).size(), '?')) << bad;
  EXPECT_EQ(shown("\xc3(x"), "?(x") << "what follows is not swallowed";
}

TEST(Shown, cuts_between_characters) {
  EXPECT_EQ(shown("äöü", 6), "äöü");
  EXPECT_EQ(shown("äöü", 5), "äö...");
  EXPECT_EQ(shown("abcdef", 3), "abc...");
}

}  // namespace
}  // namespace svrg::text
