#include <vm/archive.hpp>

#include <vm/files.hpp>
#include <vm/tests/packages.hpp>

#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace devmap::vm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

/// Text that cannot be made much shorter.
std::string incompressible(std::size_t size) {
  std::mt19937 generator(1);
  std::string text(size, '\0');
  std::ranges::generate(text, [&generator] { return static_cast<char>(generator()); });
  return text;
}

class Archive : public testing::Test {
 protected:
  Expected<std::map<std::string, std::string>> read(const std::string& deb) {
    const auto file = directory_.path() / "a.deb";
    if (auto written = write_to(file, deb); !written) return std::unexpected(written.error());
    std::map<std::string, std::string> files;
    const auto read = read_deb(file, [&files](std::string_view path) -> TakeFile {
      if (path.ends_with(".txt")) return {};
      return [&files, name = std::string(path)](std::string content) -> Expected<void> {
        files[name] = std::move(content);
        return {};
      };
    });
    if (!read) return std::unexpected(read.error());
    return files;
  }

  TemporaryDirectory directory_ = TemporaryDirectory::create(testing::TempDir()).value();
};

TEST_F(Archive, GivesTheFilesOfAPackageThatAreWanted) {
  const std::string large(300'000, 'x');
  const auto files = read(test::deb_of({{"boot/vmlinuz-6.1", "kernel"}, {"a.txt", "no"}, {"lib/large", large}}));
  ASSERT_TRUE(files) << files.error().text();
  EXPECT_THAT(*files, ElementsAre(Pair("boot/vmlinuz-6.1", "kernel"), Pair("lib/large", large)));
}

TEST_F(Archive, FailsWhereItIsNoPackage) {
  const auto whole = test::deb_of({{"boot/vmlinuz-6.1", incompressible(100'000)}});
  for (const auto& [deb, words] : std::map<std::string, std::string>{{"", "a.deb"},
                                                                     {"garbage", "a.deb"},
                                                                     {"!<arch>\n", "no member data.tar"},
                                                                     {whole.substr(0, whole.size() / 2), "a.deb"}}) {
    const auto files = read(deb);
    ASSERT_FALSE(files) << deb.substr(0, 20);
    EXPECT_THAT(files.error().text(), HasSubstr(words));
  }
}

TEST_F(Archive, DecompressesWhatIsCompressedAndLeavesWhatIsNot) {
  for (const auto& content : {std::string("module"), std::string(100'000, 'm'), std::string()}) {
    EXPECT_EQ(decompressed(content, "m.ko").value(), content);
  }
  EXPECT_EQ(decompressed(test::compressed("module"), "m.ko.xz").value(), "module");
}

TEST_F(Archive, SaysWhatCannotBeDecompressed) {
  auto damaged = test::compressed(incompressible(100'000));
  damaged.resize(damaged.size() / 2);
  const auto content = decompressed(damaged, "m.ko.xz");
  ASSERT_FALSE(content);
  EXPECT_THAT(content.error().text(), HasSubstr("m.ko.xz"));
}

TEST_F(Archive, MakesARootFileSystemThatCanBeReadBack) {
  const auto image = make_initramfs(
      {{.path = "dev", .type = RootEntry::Type::directory, .permissions = 0755},
       {.path = "dev/console", .type = RootEntry::Type::character_device, .permissions = 0600, .major = 5, .minor = 1},
       {.path = "init", .content = "program", .permissions = 0755}});
  ASSERT_TRUE(image) << image.error().text();
  EXPECT_TRUE(image->starts_with("070701"));
  archive* const reader = archive_read_new();
  archive_read_support_format_cpio(reader);
  ASSERT_EQ(archive_read_open_memory(reader, image->data(), image->size()), ARCHIVE_OK);
  archive_entry* entry = nullptr;
  ASSERT_EQ(archive_read_next_header(reader, &entry), ARCHIVE_OK);
  EXPECT_EQ(archive_entry_mode(entry), AE_IFDIR | 0755U);
  ASSERT_EQ(archive_read_next_header(reader, &entry), ARCHIVE_OK);
  EXPECT_STREQ(archive_entry_pathname(entry), "dev/console");
  EXPECT_EQ(archive_entry_mode(entry), AE_IFCHR | 0600U);
  EXPECT_EQ(archive_entry_rdevmajor(entry), 5U);
  EXPECT_EQ(archive_entry_rdevminor(entry), 1U);
  ASSERT_EQ(archive_read_next_header(reader, &entry), ARCHIVE_OK);
  EXPECT_STREQ(archive_entry_pathname(entry), "init");
  EXPECT_EQ(archive_entry_mode(entry), AE_IFREG | 0755U);
  EXPECT_EQ(archive_entry_size(entry), 7);
  EXPECT_EQ(archive_read_next_header(reader, &entry), ARCHIVE_EOF);
  archive_read_free(reader);
}

}  // namespace
}  // namespace devmap::vm
