#include <harness/net/frame.hpp>

#include <gtest/gtest.h>

#include <algorithm>

namespace devmap {
namespace {

unsigned at(const std::vector<std::byte>& frame, std::size_t index) {
  return std::to_integer<unsigned>(frame.at(index));
}

TEST(MakeFrame, HasTheAskedSizeButNeverLessThanAHeader) {
  EXPECT_EQ(make_frame().size(), 60U);
  EXPECT_EQ(make_frame(1514).size(), 1514U);
  EXPECT_EQ(make_frame(14).size(), 14U);
  EXPECT_EQ(make_frame(0).size(), 14U);
}

TEST(MakeFrame, IsLocalAndExperimental) {
  const auto frame = make_frame();
  EXPECT_EQ(at(frame, 0) & 3, 2U) << "destination: locally administered, one receiver";
  EXPECT_EQ(at(frame, 6) & 3, 2U) << "source: locally administered, one sender";
  EXPECT_FALSE(std::equal(frame.begin(), frame.begin() + 6, frame.begin() + 6)) << "one address for both ends";
  EXPECT_EQ(at(frame, 12) << 8 | at(frame, 13), 0x88b5U);
}

TEST(MakeFrame, PayloadCountsUpFromTheTag) {
  const auto frame = make_frame(300, 250);
  EXPECT_EQ(at(frame, 14), 250U);
  EXPECT_EQ(at(frame, 19), 255U);
  EXPECT_EQ(at(frame, 20), 0U);
  EXPECT_NE(make_frame(60, 1), make_frame(60, 2));
  EXPECT_EQ(make_frame(60, 1), make_frame(60, 1));
}

constexpr std::uint64_t kToken = 0x0123456789abcdef;
using enum Identified::Whose;

TEST(TaggedFrame, HasTheAskedSizeButRoomForItsTag) {
  EXPECT_EQ(make_frame({.size = 118}).size(), 118U);
  EXPECT_EQ(make_frame({.size = 9000}).size(), 9000U);
  EXPECT_EQ(make_frame({.size = 0}).size(), 14U + kTagSize);
  EXPECT_EQ(make_frame({.size = 0, .protocol = Protocol::ipv4_udp}).size(), 42U + kTagSize);
  EXPECT_EQ(make_frame({.size = 0, .protocol = Protocol::ipv6_udp, .vlan = 7}).size(), 66U + kTagSize);
}

TEST(TaggedFrame, SaysWhatItCarries) {
  const auto type = [](const Frame& frame, std::size_t index) { return at(frame, index) << 8 | at(frame, index + 1); };
  EXPECT_EQ(type(make_frame({.protocol = Protocol::ipv4_udp}), 12), 0x0800U);
  EXPECT_EQ(type(make_frame({.protocol = Protocol::ipv6_udp}), 12), 0x86ddU);
  const auto tagged = make_frame({.protocol = Protocol::ipv4_udp, .vlan = 5});
  EXPECT_EQ(type(tagged, 12), 0x8100U);
  EXPECT_EQ(type(tagged, 14), 5U);
  EXPECT_EQ(type(tagged, 16), 0x0800U);
  EXPECT_EQ(at(tagged, 18), 0x45U);
}

/// The one's complement sum of bytes as words of the network's order; 0xffff over anything with its own checksum.
unsigned sum(const Frame& frame, std::size_t from, std::size_t to, unsigned start = 0) {
  unsigned total = start;
  for (std::size_t i = from; i < to; ++i) total += at(frame, i) << ((i - from) % 2 == 0 ? 8 : 0);
  while (total > 0xffff) total = (total & 0xffff) + (total >> 16);
  return total;
}

TEST(TaggedFrame, HasTheChecksumsOfItsProtocols) {
  for (const std::size_t size : {60U, 61U, 1000U}) {
    const auto v4 = make_frame({.size = size, .protocol = Protocol::ipv4_udp, .tag = {kToken, 3}});
    const auto v6 = make_frame({.size = size, .protocol = Protocol::ipv6_udp, .tag = {kToken, 3}});
    EXPECT_EQ(sum(v4, 14, 34), 0xffffU) << size;
    EXPECT_EQ(sum(v4, 26, v4.size(), 17 + static_cast<unsigned>(v4.size()) - 34), 0xffffU) << size;
    EXPECT_EQ(sum(v6, 22, v6.size(), 17 + static_cast<unsigned>(v6.size()) - 54), 0xffffU) << size;
  }
}

TEST(TaggedFrame, IsKnownAgainBehindAnyHeaders) {
  for (const auto protocol : {Protocol::bare, Protocol::ipv4_udp, Protocol::ipv6_udp}) {
    for (const auto vlan : {std::optional<std::uint16_t>{}, std::optional<std::uint16_t>{9}}) {
      const FrameSpec spec{.size = 100, .protocol = protocol, .vlan = vlan, .tag = {kToken, 42}};
      const auto found = identify(make_frame(spec), kToken);
      EXPECT_EQ(found.whose, ours);
      EXPECT_EQ(found.number, 42U);
      EXPECT_EQ(found.tag_at, header_size(spec));
    }
  }
}

TEST(TaggedFrame, OfAnotherTokenIsSomebodyElses) {
  EXPECT_EQ(identify(make_frame({.tag = {kToken, 1}}), kToken + 1).whose, somebody_elses);
  EXPECT_EQ(identify(make_frame(60, 1), kToken).whose, somebody_elses);
  EXPECT_EQ(identify({}, kToken).whose, somebody_elses);
  EXPECT_NE(new_token(), new_token());
}

TEST(TaggedFrame, TellsWhichBytesWereAltered) {
  auto frame = make_frame({.size = 100, .tag = {kToken, 1}});
  frame[40] ^= std::byte{1};
  frame[99] ^= std::byte{1};
  const auto found = identify(frame, kToken);
  EXPECT_EQ(found.whose, altered);
  EXPECT_EQ(found.altered_at, (std::vector<std::size_t>{40, 99}));
}

TEST(TaggedFrame, IsAlteredWhereverAByteOfTagOrPayloadIs) {
  const auto right = make_frame({.size = 70, .tag = {kToken, 1}});
  for (std::size_t i = 14; i < right.size(); ++i) {
    auto wrong = right;
    wrong[i] ^= std::byte{0x80};
    EXPECT_NE(identify(wrong, kToken).whose, ours) << "byte " << i;
  }
  auto cut = right;
  cut.resize(14 + 10);
  EXPECT_EQ(identify(cut, kToken).whose, altered);
}

TEST(Changes, AreWordedCompletely) {
  const auto sent = make_frame(60);
  auto seen = sent;
  EXPECT_EQ(changes(sent, seen), kAsSent);
  seen[30] = std::byte{0xaa};
  EXPECT_EQ(changes(sent, seen), "[30] = aa");
  seen[14] = seen[15] = std::byte{0xbb};
  EXPECT_EQ(changes(sent, seen), "[14..15] = bb bb, [30] = aa");
  EXPECT_EQ(changes(sent, make_frame(14)), "14 bytes: 02 00 00 00 00 01 02 00 00 00 00 02 88 b5");
}

}  // namespace
}  // namespace devmap
