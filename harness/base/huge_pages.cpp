#include <harness/base/huge_pages.hpp>

#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <fmt/format.h>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <harness/base/file.hpp>
#include <string>
#include <vector>

namespace devmap {
namespace {

std::uintptr_t rounded_down(std::uintptr_t address, std::size_t unit) {
  return address / unit * unit;
}

std::uintptr_t rounded_up(std::uintptr_t address, std::size_t unit) {
  return rounded_down(address + unit - 1, unit);
}

/// An address as memory, which is what the dynamic linker and alignment deal in.
std::byte* memory_at(std::uintptr_t address) {
  return reinterpret_cast<std::byte*>(address);  // NOLINT(*-reinterpret-cast,performance-no-int-to-ptr)
}

std::uintptr_t address_of(const void* memory) {
  return reinterpret_cast<std::uintptr_t>(memory);  // NOLINT(*-reinterpret-cast)
}

/// Pages that follow each other without a gap, and what may be done with any of them.
struct Stretch {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  int protection = 0;
};

int protection_of(const ElfW(Phdr) & segment) {
  return ((segment.p_flags & PF_R) != 0 ? PROT_READ : 0) | ((segment.p_flags & PF_X) != 0 ? PROT_EXEC : 0);
}

/// Takes what is not written to of the first object, which is the program itself.
int take_program(dl_phdr_info* object, std::size_t /*size*/, void* stretches) {
  auto& found = *static_cast<std::vector<Stretch>*>(stretches);
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  for (const auto& segment : std::span(object->dlpi_phdr, object->dlpi_phnum)) {
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    const auto begin = object->dlpi_addr + segment.p_vaddr;
    const Stretch next{.begin = rounded_down(begin, page),
                       .end = rounded_up(begin + segment.p_memsz, page),
                       .protection = protection_of(segment)};
    if (found.empty() || found.back().end != next.begin) {
      found.push_back(next);
    } else {
      found.back().end = next.end;
      found.back().protection |= next.protection;
    }
  }
  return 1;  // no further object
}

}  // namespace

std::size_t huge_page_size() {
  const std::string directory = "/sys/kernel/mm/transparent_hugepage/";
  const auto enabled = read_file(directory + "enabled");
  const auto size = read_file(directory + "hpage_pmd_size");
  if (!enabled || !size || enabled->contains("[never]")) return 0;
  std::size_t bytes = 0;
  std::from_chars(size->data(), size->data() + size->size(), bytes);
  return bytes;
}

Expected<std::size_t> move_to_huge_pages(std::span<const std::byte> mapped, int protection) {
  const auto huge = huge_page_size();
  if (huge == 0) return 0;
  const auto begin = rounded_up(address_of(mapped.data()), huge);
  const auto end = rounded_down(address_of(mapped.data() + mapped.size()), huge);
  if (begin >= end) return 0;
  const auto bytes = end - begin;
  // With so much more that a part of this size is aligned.
  void* const room = mmap(nullptr, bytes + huge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (room == MAP_FAILED) return last_error("mmap", fmt::format("{} bytes", bytes + huge));
  std::byte* const copy = memory_at(rounded_up(address_of(room), huge));
  const auto give_back = [room, bytes, huge] { munmap(room, bytes + huge); };
  if (madvise(copy, bytes, MADV_HUGEPAGE) != 0) {
    auto error = last_error("madvise", "MADV_HUGEPAGE");
    give_back();
    return error;
  }
  std::memcpy(copy, memory_at(begin), bytes);
  __builtin___clear_cache(reinterpret_cast<char*>(copy), reinterpret_cast<char*>(copy + bytes));  // NOLINT
  if (mprotect(copy, bytes, protection) != 0) {
    auto error = last_error("mprotect");
    give_back();
    return error;
  }
  if (mremap(copy, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, memory_at(begin)) == MAP_FAILED) {
    return last_error("mremap");
  }
  give_back();  // what is left of it, before and behind
  return bytes;
}

Expected<std::size_t> move_program_to_huge_pages() {
  std::vector<Stretch> stretches;
  dl_iterate_phdr(take_program, &stretches);
  std::size_t moved = 0;
  for (const auto& [begin, end, protection] : stretches) {
    const auto bytes = move_to_huge_pages({memory_at(begin), end - begin}, protection);
    if (!bytes) return bytes;
    moved += *bytes;
  }
  return moved;
}

}  // namespace devmap
