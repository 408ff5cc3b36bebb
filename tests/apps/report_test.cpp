#include <gtest/gtest.h>

#include <cmath>
#include <regex>
#include <set>

#include "report/axis.hpp"
#include "report/bars.hpp"
#include "report/figure.hpp"
#include "report/plot.hpp"
#include "report/shown.hpp"
#include "report/speed_up.hpp"

namespace svrg::app::reporting {
namespace {

std::size_t count(const std::string& text, const std::string& piece) {
  std::size_t found = 0;
  for (auto at = text.find(piece); at != text.npos; at = text.find(piece, at + 1)) ++found;
  return found;
}

/// No number of a picture is missing or endless.
void expect_finite(const std::string& svg) {
  EXPECT_FALSE(std::regex_search(svg, std::regex("[\" MLmlHV](-?nan|-?inf)\\b"))) << svg;
}

TEST(Shown, escapes_what_html_would_take_for_its_own) {
  EXPECT_EQ(escaped("<b a=\"1\" c='2'>&"), "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;");
  EXPECT_EQ(escaped("größe €"), "größe €");
}

TEST(Shown, replaces_what_is_no_text) {
  EXPECT_EQ(escaped("a\x01z"), "a\uFFFDz");
  EXPECT_EQ(escaped("\xC3("), "\uFFFD(");                      // torn
  EXPECT_EQ(escaped("\xC0\xAF"), "\uFFFD\uFFFD");              // overlong
  EXPECT_EQ(escaped("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");    // a surrogate
  EXPECT_EQ(escaped("\xF0\x9F\x98\x80"), "\xF0\x9F\x98\x80");  // beyond the first plane
}

TEST(Shown, numbers_have_as_many_digits_as_say_something) {
  EXPECT_EQ(shown(0.074852748), "0.07485");
  EXPECT_EQ(shown(1.23456e-7, 2), "1.2e-07");
  EXPECT_EQ(shown(1234567), "1,234,567");
  EXPECT_EQ(shown(-1234.5), "-1,234");
  EXPECT_EQ(shown(0), "0");
  EXPECT_EQ(shown(NAN), "–");
  EXPECT_EQ(shown(INFINITY), "–");
  EXPECT_EQ(shown_share(1), "100 %");
  EXPECT_EQ(shown_share(0.0734), "7.3 %");
  EXPECT_EQ(shown_share(1e-5), "< 0.1 %");
  EXPECT_EQ(shown_seconds(0.00042), "420 µs");
  EXPECT_EQ(shown_seconds(125), "2m05s");
  EXPECT_EQ(shown_bytes(48400), "48.4 kB");
  EXPECT_EQ(shown_bytes(999.7), "1 kB");
}

TEST(Axis, reaches_around_its_numbers_with_a_few_round_ticks) {
  for (const double low : {-3.7, 0.0, 12.3, 1e-9})
    for (const double width : {0.0, 1e-7, 0.37, 42.0, 1.3e8}) {
      const Axis axis = Axis::linear(low, low + width);
      EXPECT_TRUE(axis.holds(low) && axis.holds(low + width)) << low << ' ' << width;
      EXPECT_GE(axis.ticks().size(), 2U);
      EXPECT_LE(axis.ticks().size(), 9U);
      for (const Tick& tick : axis.ticks()) {
        EXPECT_GE(axis.place(tick.at), -1e-6);
        EXPECT_LE(axis.place(tick.at), 1 + 1e-6);
      }
    }
}

TEST(Axis, by_logarithm_gives_each_decade_the_same_room) {
  const Axis axis = Axis::logarithmic(3e-9, 0.5);
  EXPECT_TRUE(axis.holds(3e-9) && axis.holds(0.5));
  EXPECT_FALSE(axis.holds(0) || axis.holds(-1) || axis.holds(NAN));
  EXPECT_NEAR(axis.place(1e-2) - axis.place(1e-3), axis.place(1e-7) - axis.place(1e-8), 1e-12);
  EXPECT_LE(axis.ticks().size(), 8U);
  for (const Tick& tick : axis.ticks())
    EXPECT_NEAR(std::log10(tick.at), std::round(std::log10(tick.at)), 1e-9) << tick.label;
}

TEST(Axis, of_counts_has_a_tick_at_each_while_there_is_room) {
  const Axis few = Axis::at({4, 1, 2, 2});
  ASSERT_EQ(few.ticks().size(), 3U);
  EXPECT_EQ(few.ticks()[2].label, "4");
  const Axis close = Axis::at({1, 63, 64});
  EXPECT_EQ(close.ticks()[2].label, "");
}

TEST(Axis, is_logarithmic_only_where_numbers_are_positive_and_far_apart) {
  EXPECT_TRUE(axis_of({1e-8, 1}, true).is_log());
  EXPECT_FALSE(axis_of({0, 1}, true).is_log());
  EXPECT_FALSE(axis_of({0.9, 1}, true).is_log());
  EXPECT_FALSE(axis_of({1e-8, 1}, false).is_log());
}

Plot a_plot() {
  Plot plot;
  plot.id = "p";
  plot.title = "Rows & <columns>";
  plot.x = Axis::linear(0, 4);
  plot.y = Axis::logarithmic(1e-6, 1);
  return plot;
}

TEST(Plot, leaves_out_what_has_no_place_and_breaks_the_line_there) {
  Plot plot = a_plot();
  plot.series = {{"a", {{0, 1}, {1, 1e-2}, {2, NAN}, {3, 1e-4}, {4, 0}}, 0, Stroke::solid, true}};
  const std::string picture = svg(plot);
  EXPECT_EQ(count(picture, "class=\"mark"), 3U);
  const auto path = picture.find("<path class=\"line");
  const std::string line = picture.substr(path, picture.find("/>", path) - path);
  EXPECT_EQ(count(line, "M"), 2U);
  EXPECT_EQ(count(line, "L"), 1U);
  expect_finite(picture);
  EXPECT_NE(picture.find("Rows &amp; &lt;columns&gt;"), picture.npos);
}

TEST(Plot, knows_whether_it_shows_anything) {
  Plot plot = a_plot();
  EXPECT_FALSE(has_points(plot));
  plot.series = {{"a", {{1, NAN}, {1, -1}, {9, 0.1}}}};
  EXPECT_FALSE(has_points(plot));
  plot.series[0].points.push_back({2, 0.1});
  EXPECT_TRUE(has_points(plot));
}

TEST(Plot, draws_no_more_of_a_long_series_than_can_be_seen) {
  Plot plot = a_plot();
  plot.x = Axis::linear(0, 1e5);
  Series series{"a", {}, 0, Stroke::solid, true};
  for (int i = 0; i <= 100000; ++i) series.points.push_back({double(i), 0.5});
  EXPECT_EQ(thinned(series.points, 10).front().x, 0);
  EXPECT_EQ(thinned(series.points, 10).back().x, 1e5);
  plot.series.push_back(series);
  EXPECT_LT(svg(plot).size(), 40000U);
}

TEST(Plot, styles_differ_without_colour) {
  std::set<std::string> shapes, strokes;
  for (int style = 0; style < 8; ++style) {
    const std::string drawn = mark(style, false, 0, 0);
    shapes.insert(drawn.substr(drawn.find(" d=")));
  }
  EXPECT_EQ(shapes.size(), 8U);
  for (const Stroke stroke : {Stroke::solid, Stroke::dashed, Stroke::dotted})
    strokes.insert(stroke_class(stroke));
  EXPECT_EQ(strokes.size(), 3U);
}

TEST(Bars, stack_to_their_sum_and_skip_what_is_no_number) {
  Bars bars;
  bars.id = "b";
  bars.parts = {{"one", 0}, {"two", 1, true}};
  bars.bars = {{"x", {1, 3}}, {"y", {NAN, 4}}};
  for (const bool lying : {false, true}) {
    bars.lying = lying;
    const std::string picture = svg(bars);
    EXPECT_EQ(count(picture, "class=\"bar"), 3U);
    EXPECT_EQ(count(picture, "class=\"hatch"), 2U);
    expect_finite(picture);
    // x's 3 and y's 4 have the lengths 3 : 4.
    const std::regex size(lying ? "width=\"([0-9.]+)\"" : "height=\"([0-9.]+)\"");
    std::vector<double> sizes;
    for (std::sregex_iterator at(picture.begin(), picture.end(), size), end; at != end; ++at)
      sizes.push_back(std::stod((*at)[1]));
    ASSERT_EQ(sizes.size(), 5U);
    EXPECT_NEAR(sizes[1] / sizes[0], 3, 0.05);
    EXPECT_NEAR(sizes[3] / sizes[1], 4.0 / 3, 0.02);
  }
  EXPECT_TRUE(has_bars(bars));
  bars.bars = {{"x", {0, NAN}}};
  EXPECT_FALSE(has_bars(bars));
}

TEST(Matrix, has_a_cell_for_each_pair_with_its_number) {
  const Matrix matrix{"m", "t", "d", "class", "taken for", {"a", "<b>"}, {3, 1, 0, 5}};
  const std::string picture = svg(matrix);
  EXPECT_EQ(count(picture, "class=\"cell"), 4U);
  EXPECT_NE(picture.find("a taken for &lt;b&gt;: 1 (25 % of the row)"), picture.npos) << picture;
  expect_finite(picture);
}

TEST(Csv, quotes_what_needs_it_and_leaves_no_number_empty) {
  const Table table{{"a,b", "c"}, {{"say \"x\"", cell(NAN)}, {"1", cell(0.1)}}};
  EXPECT_EQ(csv(table), "\"a,b\",c\n\"say \"\"x\"\"\",\n1,0.1\n");
}

TEST(Figure, has_its_data_as_a_file_that_needs_no_network) {
  Figure figure{"f", "A figure", {"<svg></svg>"}, {}, "", {{"x"}, {{"1"}, {"2"}}}};
  const std::string text = html(figure);
  EXPECT_NE(text.find("href=\"data:text/csv;charset=utf-8,x%0A1%0A2%0A\""), text.npos) << text;
  EXPECT_NE(text.find("Data, 2 rows"), text.npos);
}

/// Times by Amdahl's or Gustafson's law with this serial part.
io::ScalingStudy a_study(const char* mode, double serial) {
  io::ScalingStudy study;
  study.mode = mode;
  study.cores = 4;
  study.hostnames.assign(8, "node1");
  for (const Index p : {1, 2, 4, 8}) {
    const auto ranks = static_cast<double>(p);
    io::MeasuredRun run;
    run.ranks = p;
    run.rows = 1000;
    run.train_seconds = study.mode == "weak" ? 10 * ranks / (ranks - serial * (ranks - 1))
                                             : 10 * (serial + (1 - serial) / ranks);
    run.phase_seconds.assign(static_cast<std::size_t>(p), {});
    study.measured.push_back(run);
  }
  return study;
}

TEST(SpeedUp, finds_the_serial_part_of_amdahls_and_gustafsons_laws) {
  for (const char* mode : {"strong", "weak"})
    for (const double serial : {0.0, 0.05, 0.4}) {
      const auto study = a_study(mode, serial);
      const SpeedUp s(study);
      EXPECT_NEAR(s.serial_part(), serial, 1e-12) << mode;
      for (const Size& size : s.sizes())
        EXPECT_NEAR(s.fitted(size.ranks), size.ranks * s.efficiency(size, size.seconds.median),
                    1e-9);
    }
}

TEST(SpeedUp, compares_simulated_points_with_their_own_platform_only) {
  auto study = a_study("strong", 0.1);
  for (const Index p : {2, 8}) {
    io::SimulatedRun run;
    run.platform = "fattree";
    run.ranks = p;
    run.train_seconds = 100.0 / static_cast<double>(p);
    study.simulated.push_back(run);
  }
  const SpeedUp s(study);
  for (const auto& run : study.simulated) EXPECT_NEAR(s.efficiency(run), 1, 1e-12);
  EXPECT_EQ(s.all_ranks(), (std::vector<double>{1, 2, 4, 8}));
}

TEST(SpeedUp, knows_from_where_on_cores_are_shared) {
  auto study = a_study("strong", 0.1);
  EXPECT_EQ(SpeedUp(study).beyond_cores(), 8);
  study.hostnames = {"a", "b", "a", "b", "a", "b", "a", "b"};
  EXPECT_EQ(SpeedUp(study).beyond_cores(), -1);
}

}  // namespace
}  // namespace svrg::app::reporting
