#include "svrg/io/document.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <regex>

#include "io/handle.hpp"
#include "samples.hpp"
#include "svrg/core/error.hpp"

namespace svrg::io {
namespace {

Document sample_document() {
  Document document;
  document.attributes = root_attributes("svrg-bench", "a sample");
  document.attributes["numbers"] = std::vector<double>{1.5, nan_value};
  document.attributes["counts"] = std::vector<std::int64_t>{-1, INT64_MAX};
  document.attributes["names"] = std::vector<std::string>{"", "b"};
  document.groups["g/empty"] = {{"eta", 0.5}};
  Variable epoch, loss, table;
  epoch.data = Array::vector(std::vector<std::int64_t>{0, 1, 2});
  epoch.axes = {"epoch"};
  epoch.compressed = true;
  loss.data = Array::vector(std::vector<double>{3, 2, 1});
  loss.axes = {"epoch"};
  loss.long_name = "loss of an epoch";
  loss.units = "s";
  loss.attributes = {{"flag_values", std::vector<std::uint8_t>{0, 1}}};
  loss.compressed = true;
  table.data = {{3, 2}, std::vector<float>{1, 2, 3, 4, 5, 6}};
  table.axes = {"epoch", "rank"};
  document.variables = {{"h/epoch", epoch}, {"h/loss", loss}, {"h/table", table}};
  return document;
}

Document round_trip(const Document& document) { return from_image(to_image(document), "image"); }

TEST(Document, comes_back_from_its_image) {
  const Document before = sample_document(), after = round_trip(before);
  EXPECT_EQ(std::get<std::string>(after.attributes.at("uuid")),
            std::get<std::string>(before.attributes.at("uuid")));
  EXPECT_TRUE(std::get<std::vector<std::string>>(after.attributes.at("required_features")).empty());
  EXPECT_EQ(after.attributes.at("names"), before.attributes.at("names"));
  EXPECT_EQ(after.attributes.at("counts"), before.attributes.at("counts"));
  EXPECT_EQ(after.attributes.size(), before.attributes.size());
  EXPECT_EQ(after.groups.at("g/empty"), before.groups.at("g/empty"));
  ASSERT_EQ(after.variables.size(), before.variables.size());
  for (const auto& [path, variable] : before.variables) {
    const Variable& got = after.variables.at(path);
    EXPECT_TRUE(same(got.data, variable.data)) << path;
    EXPECT_EQ(got.axes, variable.axes) << path;
    EXPECT_EQ(got.attributes, variable.attributes) << path;
  }
  EXPECT_EQ(after.variables.at("h/loss").long_name, "loss of an epoch");
  EXPECT_EQ(after.variables.at("h/loss").units, "s");
  EXPECT_EQ(after.variables.at("h/table").long_name, "h table");
  EXPECT_EQ(after.variables.at("h/table").units, "1");
}

TEST(Document, comes_back_from_its_image_with_and_without_the_user_block) {
  const auto image = to_image(sample_document(), 512);
  const std::span<const std::byte> whole(image);
  EXPECT_EQ(from_image(whole, "whole").variables.size(), 3U);
  EXPECT_EQ(from_image(whole.subspan(512), "cut").variables.size(), 3U);
}

TEST(Document, an_axis_uses_the_scale_of_its_group_or_above) {
  Document document;
  Variable name, inner, other;
  name.data = Array::vector(std::vector<std::string>{"a", "b"});
  name.axes = {"feature"};
  inner.data = Array::vector(std::vector<double>{1, 2});
  inner.axes = {"feature"};
  other.data = Array::vector(std::vector<double>{1, 2, 3});
  other.axes = {"feature"};
  document.variables = {{"feature_name", name}, {"p/q/inner", inner}, {"r/other", other}};
  const Document after = round_trip(document);
  for (const char* path : {"feature_name", "p/q/inner", "r/other"})
    EXPECT_EQ(after.variables.at(path).axes, std::vector<std::string>{"feature"}) << path;
}

TEST(Document, two_lengths_of_one_axis_in_a_group_are_refused) {
  Document document;
  for (const Index n : {1, 2}) {
    Variable variable;
    variable.data = Array::vector(std::vector<double>(static_cast<std::size_t>(n)));
    variable.axes = {"x"};
    document.variables[fmt::format("v{}", n)] = variable;
  }
  EXPECT_THROW(to_image(document), OutputError);
}

TEST(Document, an_axis_without_a_name_is_named_by_its_length) {
  Document document;
  document.variables["square"].data = {{2, 2}, std::vector<double>{1, 2, 3, 4}};
  EXPECT_EQ(round_trip(document).variables.at("square").axes,
            (std::vector<std::string>{"size_2", "size_2_2"}));
}

TEST(Document, long_lists_of_attributes_and_long_texts_come_back) {
  Document document;
  document.attributes["texts"] = std::vector<std::string>(5000, "label");
  document.attributes["text"] = std::string(1 << 20, 'x');
  for (int i = 0; i < 40; ++i) document.groups["g"][fmt::format("a{}", i)] = std::int64_t{i};
  const Document after = round_trip(document);
  EXPECT_EQ(after.attributes, document.attributes);
  EXPECT_EQ(after.groups, document.groups);
}

TEST(Document, many_variables_share_one_scale) {
  Document document;
  for (int i = 0; i < 300; ++i) {
    Variable& variable = document.variables[fmt::format("v{}", i)];
    variable.data = Array::vector(std::vector<double>{1, 2});
    variable.axes = {"x"};
    for (int k = 0; k < 12; ++k) variable.attributes[fmt::format("a{}", k)] = std::int64_t{k};
  }
  EXPECT_EQ(round_trip(document).variables.size(), 300U);
}

TEST(Document, text_with_a_nul_byte_is_refused) {
  Document document;
  document.attributes["text"] = std::string("a\0b", 3);
  EXPECT_THROW(to_image(document), OutputError);
}

TEST(Document, root_attributes_say_what_wrote_the_file) {
  const Attributes attributes = root_attributes("svrg-run", "title");
  const auto text = [&](const char* key) { return std::get<std::string>(attributes.at(key)); };
  EXPECT_EQ(text("Conventions"), "SVRG-1.0");
  EXPECT_TRUE(text("creator").starts_with("svrg "));
  EXPECT_TRUE(std::regex_match(text("created"), std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)")));
  EXPECT_TRUE(std::regex_match(
      text("uuid"),
      std::regex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")));
}

TEST(Document, other_formats_versions_and_features_are_refused) {
  Document document;
  document.attributes = root_attributes("svrg-run", "");
  EXPECT_NO_THROW(expect_format(document, "svrg-run", "f"));
  EXPECT_THROW(expect_format(document, "svrg-model", "f"), DataError);
  document.attributes["format_version"] = "1.7";
  EXPECT_NO_THROW(expect_format(document, "svrg-run", "f"));
  document.attributes["format_version"] = "2.0";
  EXPECT_THROW(expect_format(document, "svrg-run", "f"), DataError);
  document.attributes["format_version"] = "1.0";
  document.attributes["required_features"] = std::vector<std::string>{"zebra"};
  EXPECT_THROW(expect_format(document, "svrg-run", "f"), DataError);
  EXPECT_THROW(expect_format(Document{}, "svrg-run", "f"), DataError);
}

// Files that only somebody else would write, made with the C API.
class ForeignFile : public testing::Test {
 protected:
  ForeignFile() : file_(make()) {}
  static Handle make() {
    prepare_hdf5();
    const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "");
    H5Pset_fapl_core(access, 1 << 16, 0);
    return {H5Fcreate("foreign", H5F_ACC_TRUNC, H5P_DEFAULT, access), H5Fclose, "create"};
  }
  Document read() {
    H5Fflush(file_, H5F_SCOPE_GLOBAL);
    std::vector<std::byte> image(static_cast<std::size_t>(H5Fget_file_image(file_, nullptr, 0)));
    H5Fget_file_image(file_, image.data(), image.size());
    return from_image(image, "foreign");
  }
  Handle dataset(const char* name, hid_t type, std::vector<hsize_t> shape,
                 hid_t creation = H5P_DEFAULT) {
    const Handle space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr),
                       H5Sclose, "");
    return {H5Dcreate2(file_, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT), H5Dclose,
            "create"};
  }
  Handle file_;
};

TEST_F(ForeignFile, links_outwards_are_refused) {
  H5Lcreate_external("/etc/other.h5", "/x", file_, "link", H5P_DEFAULT, H5P_DEFAULT);
  EXPECT_THROW(read(), DataError);
}
TEST_F(ForeignFile, soft_links_are_refused) {
  H5Lcreate_soft("/x", file_, "link", H5P_DEFAULT, H5P_DEFAULT);
  EXPECT_THROW(read(), DataError);
}
TEST_F(ForeignFile, circles_of_links_are_refused) {
  H5Lcreate_hard(file_, "/", file_, "self", H5P_DEFAULT, H5P_DEFAULT);
  EXPECT_THROW(read(), DataError);
}
TEST_F(ForeignFile, external_storage_is_refused) {
  const Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, "");
  H5Pset_external(creation, "/etc/passwd", 0, 8);
  dataset("x", H5T_NATIVE_DOUBLE, {1}, creation);
  EXPECT_THROW(read(), DataError);
}
TEST_F(ForeignFile, virtual_datasets_are_refused) {
  const Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, "");
  const hsize_t one = 1;
  const Handle space(H5Screate_simple(1, &one, nullptr), H5Sclose, "");
  H5Pset_virtual(creation, space, "other.h5", "/x", space);
  dataset("x", H5T_NATIVE_DOUBLE, {1}, creation);
  EXPECT_THROW(read(), DataError);
}
TEST_F(ForeignFile, other_filters_are_refused) {
  const Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, "");
  const hsize_t one = 1;
  H5Pset_chunk(creation, 1, &one);
  H5Pset_nbit(creation);
  dataset("x", H5T_NATIVE_INT, {1}, creation);
  EXPECT_THROW(read(), DataError);
}
TEST_F(ForeignFile, lists_of_numbers_in_an_element_are_refused) {
  const Handle type(H5Tvlen_create(H5T_NATIVE_INT), H5Tclose, "");
  dataset("x", type, {1});
  EXPECT_THROW(read(), DataError);
}
TEST_F(ForeignFile, sizes_that_the_image_cannot_hold_are_refused_at_once) {
  const Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, "");
  const hsize_t chunk = 1024;
  H5Pset_chunk(creation, 1, &chunk);
  H5Pset_deflate(creation, 4);
  dataset("x", H5T_NATIVE_DOUBLE, {hsize_t{1} << 37}, creation);
  EXPECT_THROW(read(), DataError);
}
TEST_F(ForeignFile, products_of_lengths_that_overflow_are_refused) {
  dataset("x", H5T_NATIVE_CHAR, {hsize_t{1} << 31, hsize_t{1} << 31, 4});
  EXPECT_THROW(read(), DataError);
}
TEST_F(ForeignFile, other_number_types_are_widened) {
  const std::uint16_t small[] = {65535, 1};
  const std::uint64_t large[] = {1, 2};
  const char fixed[] = "ab\0cde";
  H5Dwrite(dataset("u2", H5T_STD_U16BE, {2}), H5T_NATIVE_UINT16, H5S_ALL, H5S_ALL, H5P_DEFAULT,
           small);
  H5Dwrite(dataset("u8", H5T_STD_U64LE, {2}), H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT,
           large);
  const Handle text(H5Tcopy(H5T_C_S1), H5Tclose, "");
  H5Tset_size(text, 3);
  H5Dwrite(dataset("s3", text, {2}), text, H5S_ALL, H5S_ALL, H5P_DEFAULT, fixed);
  const Document document = read();
  const auto& data = document.variables;
  EXPECT_EQ(std::get<std::vector<std::int32_t>>(data.at("u2").data.data),
            (std::vector<std::int32_t>{65535, 1}));
  EXPECT_EQ(std::get<std::vector<std::int64_t>>(data.at("u8").data.data),
            (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(std::get<std::vector<std::string>>(data.at("s3").data.data),
            (std::vector<std::string>{"ab", "cde"}));
}
TEST_F(ForeignFile, unsigned_numbers_above_the_signed_range_are_refused) {
  const std::uint64_t large[] = {UINT64_MAX};
  H5Dwrite(dataset("u8", H5T_STD_U64LE, {1}), H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT,
           large);
  EXPECT_THROW(read(), DataError);
}

}  // namespace
}  // namespace svrg::io
