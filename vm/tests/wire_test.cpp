#include <vm/wire.hpp>

#include <gtest/gtest.h>

#include <vector>

namespace devmap::vm::wire {
namespace {

std::string message(Kind kind, const std::string& text) {
  return header(kind, text.size()) + text;
}

std::vector<Message> all_of(Reader& reader) {
  std::vector<Message> messages;
  while (auto next = reader.next()) messages.push_back(*next);
  return messages;
}

const std::vector<Message> kSaid = {{Kind::hello, "6.12.117"}, {Kind::note, "a\nb\n"}, {Kind::started, ""},
                                    {Kind::output, "x"},       {Kind::stopped, ""},    {Kind::ended, "0"}};

std::string stream() {
  std::string text;
  for (const auto& said : kSaid) text += message(said.kind, said.text);
  return text;
}

TEST(Wire, ReadsWhatWasWritten) {
  Reader reader;
  reader.feed(stream());
  EXPECT_EQ(all_of(reader), kSaid);
  EXPECT_FALSE(reader.in_the_middle());
  EXPECT_FALSE(reader.garbled());
}

TEST(Wire, ReadsItWhateverThePieces) {
  for (std::size_t size = 1; size < stream().size(); ++size) {
    Reader reader;
    std::vector<Message> messages;
    const auto text = stream();
    for (std::size_t at = 0; at < text.size(); at += size) {
      reader.feed(std::string_view(text).substr(at, size));
      for (auto& next : all_of(reader)) messages.push_back(std::move(next));
    }
    EXPECT_EQ(messages, kSaid) << "in pieces of " << size;
  }
}

TEST(Wire, IsInTheMiddleOfAMessageUntilItsLastByte) {
  const auto text = message(Kind::output, "{\"schema_version\": 1}");
  for (std::size_t length = 1; length < text.size(); ++length) {
    Reader reader;
    reader.feed(text.substr(0, length));
    EXPECT_EQ(reader.next(), std::nullopt);
    EXPECT_TRUE(reader.in_the_middle()) << length;
    EXPECT_FALSE(reader.garbled()) << length;
  }
}

TEST(Wire, ReadsNothingMoreAfterGarbage) {
  for (const char* garbage : {"gossip 3\nabc", "output x\n", "output\n", "output 1x\na", "output -1\n", "output \n",
                              "output 99999999999999999999\n", "\n", "SeaBIOS (version 1.16.2-debian-1.16.2-1)\n",
                              "a line that is longer than any header line of ours is"}) {
    Reader reader;
    reader.feed(garbage);
    EXPECT_EQ(reader.next(), std::nullopt) << garbage;
    EXPECT_TRUE(reader.garbled()) << garbage;
    reader.feed(message(Kind::ended, "0"));
    EXPECT_EQ(reader.next(), std::nullopt) << garbage;
  }
}

TEST(Wire, EveryKindHasAName) {
  for (const auto& said : kSaid) EXPECT_EQ(kind_named(name(said.kind)), said.kind);
  EXPECT_EQ(kind_named("gossip"), std::nullopt);
}

}  // namespace
}  // namespace devmap::vm::wire
