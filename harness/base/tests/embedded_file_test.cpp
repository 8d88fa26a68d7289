#include <harness/base/embedded_file.hpp>

#include <gmock/gmock.h>

DEVMAP_EMBED_FILE(devmap_this_source, __FILE__);

namespace {

TEST(EmbeddedFile, IsWholeFromItsFirstByteToItsLast) {
  EXPECT_THAT(devmap_this_source(), testing::StartsWith("#include <harness/base/embedded_file.hpp>\n"));
  EXPECT_THAT(devmap_this_source(), testing::EndsWith("}  // namespace\n"));
}

}  // namespace
